"""kindred.evaluate() and kindred.evaluate_distances()."""
import dataclasses
import math
import os
import unittest

import numpy as np

import kindred
from helpers import Features, FolderTest, cosine_distances, run_launcher


def average_precision(right):
    ranks = np.flatnonzero(right) + 1
    return np.mean(np.arange(1, len(ranks) + 1) / ranks)


def reference(distances, query_pids, gallery_pids, query_cams, gallery_cams):
    """mAP, Rank-1 and mINP by their definitions."""
    aps, firsts, inps = [], [], []
    for row, pid, cam in zip(distances, query_pids, query_cams):
        counted = (gallery_pids != -1) & ~((gallery_pids == pid) & (gallery_cams == cam))
        right = (gallery_pids == pid)[counted][np.argsort(row[counted], kind="stable")]
        if not right.any():
            continue
        aps.append(average_precision(right))
        firsts.append(right[0])
        inps.append(right.sum() / (np.flatnonzero(right)[-1] + 1))
    return np.mean(aps), np.mean(firsts), np.mean(inps)


class Evaluate(FolderTest):
    def test_values_worked_out_by_hand(self):
        query = np.array([[1, 0], [0, 1]], dtype=np.float32)
        angles = np.radians([10, 20, 30, 80, 95])
        gallery = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
        scores = kindred.evaluate(query, gallery, [1, 2], [2, 1, 1, 2, 1], [0, 0], [1, 1, 1, 1, 1])
        # Query 1 sees 2 1 1 2 1; query 2 sees, from 90 degrees, 95: 1, 80: 2, 30: 1, 20: 1, 10: 2.
        first, second = (1 / 2 + 2 / 3 + 3 / 5) / 3, (1 / 2 + 2 / 5) / 2
        self.assertAlmostEqual(scores.mAP, (first + second) / 2)
        self.assertEqual(scores["rank1"], 0)
        self.assertAlmostEqual(scores.mINP, (3 / 5 + 2 / 5) / 2)
        np.testing.assert_allclose(scores.cmc, [0, 1])
        self.assertEqual([scores.rank(1), scores.rank(2), scores.rank(100)], [0, 1, 1])
        np.testing.assert_allclose(scores.per_query["ap"], [first, second])
        np.testing.assert_array_equal(scores.per_query["first_rank"], [2, 2])
        np.testing.assert_array_equal(scores.per_query["matches"], [3, 2])
        self.assertTrue(scores.cameras_known)
        self.assertEqual((scores.queries, scores.valid_queries, scores.gallery), (2, 2, 5))
        self.assertEqual((scores.positive_pairs, scores.negative_pairs), (5, 5))

    def test_agrees_with_the_definitions(self):
        made = Features(queries=40, gallery=300, people=15)
        made.gallery_pids[::17] = -1
        scores = kindred.evaluate(*made.all)
        wanted = reference(cosine_distances(made.query, made.gallery), *made.all[2:])
        np.testing.assert_allclose([scores.mAP, scores["rank1"], scores.mINP], wanted, rtol=1e-6)
        self.assertEqual(scores.junk, 18)

    def test_says_what_the_launcher_says(self):
        made = Features()
        made.write(self.folder)
        self.assertEqual(str(kindred.evaluate(*made.all)), run_launcher("evaluate", self.folder))
        self.assertEqual(str(kindred.evaluate(*made.all, cameras="single", multi_query=True,
                                              post_processors=["query_expansion", {"type": "k_reciprocal", "k1": 6}])),
                         run_launcher("evaluate", self.folder, "--cameras", "single", "--multi-query", "--post",
                                      "query_expansion", "--post", "k_reciprocal", "--set",
                                      "post_processor.k_reciprocal.k1=6"))

    def test_judges_distances(self):
        made = Features()
        distances = kindred.post_process(made.query, made.gallery, [])
        self.assertEqual(kindred.evaluate_distances(distances, *made.all[2:]).mAP, kindred.evaluate(*made.all).mAP)
        with self.assertRaisesRegex(ValueError, r"query_pids has the shape \(12,\).*\(11,\)"):
            kindred.evaluate_distances(distances[1:], *made.all[2:])

    def test_judges_reranked_distances_as_a_reranked_search(self):
        made = Features()
        distances = kindred.rerank(made.query, made.gallery, k1=6, k2=3)
        searched = kindred.evaluate(*made.all, post_processors=[
            "normalize", {"type": "k_reciprocal", "k1": 6, "k2": 3, "lambda": 0.3}])
        self.assertEqual(dict(kindred.evaluate_distances(distances, *made.all[2:])), dict(searched))

    def test_without_cameras_all_images_count_and_the_note_says_so(self):
        made = Features()
        scores = kindred.evaluate(*made.all[:4])
        self.assertFalse(scores.cameras_known)
        self.assertIn("no image has a camera", scores.note)
        self.assertEqual(scores.mAP, kindred.evaluate(*made.all, cameras="single").mAP)

    def test_metrics_are_chosen_and_changed(self):
        made = Features()
        self.assertEqual([name for name in kindred.evaluate(*made.all, metrics={"retrieval": {"ranks": [1, 20]}})
                          if name.startswith("rank")], ["rank1", "rank20"])
        scores = kindred.evaluate(*made.all, metrics=["naic_score"])
        self.assertEqual(list(scores), ["naic_score"])
        with self.assertRaisesRegex(AttributeError, "no figure 'mAP'; the metrics gave naic_score"):
            scores.mAP
        with self.assertRaisesRegex(AttributeError, "no CMC curve"):
            scores.cmc

    def test_bools_of_numpy_are_bools(self):
        made = Features()
        for merged in (True, False):
            self.assertEqual(kindred.evaluate(*made.all, multi_query=np.bool_(merged)),
                             kindred.evaluate(*made.all, multi_query=merged))

    def test_names_that_are_not_utf_8_are_escaped(self):
        made = Features()
        names = [os.fsdecode(b"l\xe9on %d" % i) for i in range(12)]
        self.assertEqual(kindred.evaluate(*made.all, query_names=names).mAP, kindred.evaluate(*made.all).mAP)
        with self.assertRaisesRegex(kindred.DataError, r"l\\xe9on 0"):
            kindred.evaluate(*made.all, query_names=names, clothes="same")

    def test_two_are_equal_when_their_figures_are(self):
        made = Features()
        scores = kindred.evaluate(*made.all, metrics=["retrieval"])
        self.assertEqual(scores, kindred.evaluate(*made.all, metrics=["retrieval"]))
        self.assertEqual(scores, scores.figures)
        self.assertEqual(scores, {**scores.figures})
        self.assertNotEqual(scores, 1)
        without = dict(scores.figures, mAP=float("nan"))
        self.assertEqual(dataclasses.replace(scores, figures=without), dict(without, mAP=float("nan") * 2))
        self.assertNotEqual(dataclasses.replace(scores, figures=without), scores)
        self.assertNotEqual(scores, kindred.evaluate(*made.all, cameras="single", metrics=["retrieval"]))

    def test_cameras_of_one_side_alone_are_refused(self):
        made = Features()
        query, gallery, query_pids, gallery_pids, query_cams, gallery_cams = made.all
        with self.assertRaisesRegex(ValueError, "query_cams are given, and gallery_cams are not"):
            kindred.evaluate(query, gallery, query_pids, gallery_pids, query_cams)
        with self.assertRaisesRegex(ValueError, "gallery_cams are given, and query_cams are not"):
            kindred.evaluate_distances(cosine_distances(query, gallery), query_pids, gallery_pids, gallery_cams=gallery_cams)

    def test_clothes(self):
        made = Features()
        same, changed = (kindred.evaluate(*made.all, clothes=clothes, query_clothes=np.zeros(12, int),
                                          gallery_clothes=np.arange(60) % 2) for clothes in ("same", "changed"))
        self.assertEqual(same.positive_pairs + changed.positive_pairs, kindred.evaluate(*made.all).positive_pairs)
        with self.assertRaisesRegex(kindred.DataError, "clothes needs the clothes of every image"):
            kindred.evaluate(*made.all, clothes="same")

    def test_a_query_that_is_in_the_gallery_does_not_find_itself(self):
        features = np.eye(4, dtype=np.float32) + 0.1
        names = ["a.jpg", "b.jpg", "c.jpg", "d.jpg"]
        pids = [0, 0, 1, 1]
        self.assertEqual(kindred.evaluate(features, features, pids, pids)["rank1"], 1)
        once = kindred.evaluate(features, features, pids, pids, query_names=names, gallery_names=names)
        self.assertEqual(once["rank1"], 0.5)  # all others are equally far, in the order of the gallery

    def test_a_figure_without_a_value_is_nan(self):
        scores = kindred.evaluate(np.ones((1, 2)), np.ones((1, 2)), [0], [0])
        self.assertTrue(math.isnan(scores["AUC"]))

    def test_errors_have_the_texts_of_the_launcher(self):
        made = Features()
        with self.assertRaises(kindred.RecipeError) as raised:
            kindred.evaluate(*made.all, post_processors=[{"type": "k_reciprocal", "k1": 0, "k3": 1}])
        self.assertIn("kindred.evaluate(): error: post_processor 'k_reciprocal': k1 = 0 is outside", str(raised.exception))
        self.assertIn("has no parameter 'k3'", str(raised.exception))
        self.assertIsInstance(raised.exception, ValueError)
        with self.assertRaisesRegex(kindred.RecipeError, "unknown post_processor 'k_reciprocl'; did you mean|choose"):
            kindred.evaluate(*made.all, post_processors=["k_reciprocl"])
        endless = {"type": "k_reciprocal"}
        endless["k1"] = endless
        with self.assertRaises(RecursionError):
            kindred.evaluate(*made.all, post_processors=[endless])
        with self.assertRaisesRegex(kindred.RecipeError, "cameras = \"nowhere\""):
            kindred.evaluate(*made.all, cameras="nowhere")
        with self.assertRaisesRegex(kindred.DataError, "queries and gallery have no identity in common"):
            kindred.evaluate(made.query, made.gallery, made.query_pids, made.gallery_pids + 100)
        with self.assertRaisesRegex(kindred.RecipeError, "device = \"gpu\" is not 'auto', 'cpu', 'cuda' or 'cuda:N'"):
            kindred.evaluate(*made.all, device="gpu")
        made.gallery[7, 3] = np.nan
        with self.assertRaisesRegex(kindred.DataError, "gallery_features.*7"):
            kindred.evaluate(*made.all)

    def test_what_python_users_expect_is_a_type_error_or_a_value_error(self):
        made = Features()
        for wrong, error, text in [
            ({"query_pids": made.query_pids[1:]}, ValueError, r"query_pids has the shape \(11,\); .*\(12,\)"),
            ({"query_pids": made.query_pids.astype(float)}, TypeError, "query_pids has the type float64; give whole"),
            ({"query_pids": ["a"] * 12}, TypeError, "query_pids has the type <U1"),
            ({"gallery_pids": made.gallery_pids - 5}, ValueError, "gallery_pids has the number -5; identities count"),
            ({"gallery_cams": made.gallery_cams - 2}, ValueError, "gallery_cams has the number -2; numbers count"),
            ({"query_pids": np.full(12, 2**64 - 1, dtype=np.uint64)}, ValueError, "query_pids has numbers above"),
            ({"query_features": made.query[:, :5]}, ValueError, "query_features have 5 columns and gallery_features 16"),
            ({"query_features": made.query[0]}, ValueError, r"query_features has the shape \(16,\); give one row"),
            ({"query_features": made.query[:0]}, ValueError, r"\(0, 16\); give at least one row"),
            ({"query_features": made.query.astype(complex)}, TypeError, "query_features has the type complex128"),
            ({"query_features": None}, TypeError, "query_features has the type object"),
            ({"post_processors": "k_reciprocal"}, TypeError, "post_processors is one component; give a list"),
            ({"post_processors": [3]}, TypeError, "3 is not a component"),
            ({"post_processors": [{"type": "k_reciprocal", "k1": object()}]}, TypeError,
             "'post_processor.k1' is a value of the type 'object'"),
            ({"query_names": "a"}, TypeError, "query_names is one text; give a list of 12"),
            ({"query_names": ["a"]}, ValueError, "query_names has 1 entries; give one for each image"),
        ]:
            arguments = dict(zip(("query_features", "gallery_features", "query_pids", "gallery_pids", "query_cams",
                                  "gallery_cams"), made.all))
            with self.subTest(wrong=list(wrong)), self.assertRaisesRegex(error, text):
                kindred.evaluate(**{**arguments, **wrong})


if __name__ == "__main__":
    unittest.main()
