"""kindred.rerank(), kindred.post_process() and kindred.match()."""
import unittest
import warnings

import numpy as np

import kindred
from helpers import Features, FolderTest, cosine_distances, launcher_has_this_libtorch, run_launcher


def k_reciprocal(query, gallery, k1, k2, share):
    """Zhong et al., CVPR 2017, as its equations say, by squared Euclidean distances."""
    rows = np.concatenate([query, gallery]).astype(np.float64)
    original = ((rows[:, None, :] - rows[None, :, :]) ** 2).sum(axis=2)
    scaled = original / original.max(axis=1, keepdims=True)
    count, queries = len(rows), len(query)
    order = np.argsort(scaled, axis=1, kind="stable")

    def reciprocal(i, k):
        near = order[i, : k + 1]
        return near[[i in order[j, : k + 1] for j in near]]

    weights = np.zeros((count, count))
    for i in range(count):
        members = reciprocal(i, k1)
        expanded = list(members)
        for j in members:
            candidates = reciprocal(j, int(np.around(k1 / 2)))
            if len(np.intersect1d(candidates, members)) > 2 / 3 * len(candidates):
                expanded.extend(candidates)
        expanded = np.unique(expanded)
        weight = np.exp(-scaled[i, expanded])
        weights[i, expanded] = weight / weight.sum()
    if k2 > 1:
        weights = np.stack([weights[order[i, :k2]].mean(axis=0) for i in range(count)])
    shared = np.minimum(weights[:queries, None, :], weights[None, queries:, :]).sum(axis=2)
    return (1 - share) * (1 - shared / (2 - shared)) + share * scaled[:queries, queries:]


class Rerank(FolderTest):
    def test_agrees_with_the_equations(self):
        made = Features(queries=10, gallery=80)
        found = kindred.rerank(made.query, made.gallery, k1=20, k2=6, lambda_value=0.3)
        self.assertEqual((found.dtype, found.shape), (np.float32, (10, 80)))
        query, gallery = (rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in (made.query, made.gallery))
        np.testing.assert_allclose(found, k_reciprocal(query, gallery, 20, 6, 0.3), atol=2e-5)
        found = kindred.rerank(made.query, made.gallery, k1=20, k2=6, lambda_value=0.3, normalize=False)
        np.testing.assert_allclose(found, k_reciprocal(made.query, made.gallery, 20, 6, 0.3), atol=2e-5)

    def test_the_defaults_are_those_of_the_paper(self):
        made = Features()
        np.testing.assert_array_equal(kindred.rerank(made.query, made.gallery),
                                      kindred.rerank(made.query, made.gallery, 20, 6, 0.3))

    def test_has_the_bits_of_the_launcher(self):
        made = Features()
        made.write(self.folder)
        run_launcher("match", self.folder, "--out", self.folder / "out", "--distances", self.folder / "all.npy",
                     "--post", "k_reciprocal", "--set", "post_processor.k_reciprocal.k1=7", "--threads", "1")
        found = kindred.post_process(made.query, made.gallery, [{"type": "k_reciprocal", "k1": 7}])
        wanted = np.load(self.folder / "all.npy")
        if launcher_has_this_libtorch():
            np.testing.assert_array_equal(found, wanted)
        else:
            np.testing.assert_allclose(found, wanted, atol=1e-6)

    def test_lambda_1_is_the_cosine_distance_in_its_order(self):
        made = Features()
        found = kindred.rerank(made.query, made.gallery, k1=5, k2=2, lambda_value=1)
        np.testing.assert_array_equal(np.argsort(found, axis=1),
                                      np.argsort(cosine_distances(made.query, made.gallery), axis=1))

    def test_any_post_processor_by_name(self):
        made = Features()
        np.testing.assert_allclose(kindred.post_process(made.query, made.gallery, []),
                                   cosine_distances(made.query, made.gallery), atol=1e-6)
        changed = kindred.post_process(made.query, made.gallery, [{"type": "query_expansion", "k": np.int64(3)}])
        self.assertGreater(np.abs(changed - cosine_distances(made.query, made.gallery)).max(), 0.01)

    def test_inputs_stay_as_they_are(self):
        made = Features()
        query, gallery = made.query.copy(), made.gallery.copy()
        kindred.post_process(made.query, made.gallery, ["query_expansion", "database_augmentation", "k_reciprocal"])
        np.testing.assert_array_equal(made.query, query)
        np.testing.assert_array_equal(made.gallery, gallery)

    def test_what_hardly_suits_is_a_warning(self):
        made = Features(queries=3, gallery=9)
        for work in (lambda: kindred.rerank(made.query, made.gallery, k1=50),
                     lambda: kindred.match(made.query, made.gallery, post_processors=[{"type": "k_reciprocal", "k1": 50}])):
            with self.assertWarns(kindred.KindredWarning) as warned:
                work()
            self.assertIn("k1", str(warned.warning))
            self.assertEqual(warned.filename, __file__)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with self.assertRaises(kindred.KindredWarning):
                kindred.rerank(made.query, made.gallery, k1=50)

    def test_errors(self):
        made = Features()
        with self.assertRaisesRegex(kindred.RecipeError, r"kindred\.rerank\(\): error: .*lambda = 2.0 is outside"):
            kindred.rerank(made.query, made.gallery, lambda_value=2)
        with self.assertRaisesRegex(kindred.RecipeError, r"kindred\.post_process\(\): error: .*works on descriptors"):
            kindred.post_process(made.query, made.gallery, ["k_reciprocal", "query_expansion"])
        with self.assertRaisesRegex(kindred.RecipeError, 'k1 = "many" must be a whole number, not text'):
            kindred.rerank(made.query, made.gallery, k1="many")
        with self.assertRaisesRegex(kindred.RecipeError, "'post_processor.k1' is beyond the whole numbers of 64 bits"):
            kindred.rerank(made.query, made.gallery, k1=2**63)


class Match(FolderTest):
    def test_lists_the_nearest(self):
        made = Features()
        indices, distances = kindred.match(made.query, made.gallery, top=7)
        wanted = cosine_distances(made.query, made.gallery)
        np.testing.assert_array_equal(indices, np.argsort(wanted, axis=1, kind="stable")[:, :7])
        np.testing.assert_allclose(distances, np.sort(wanted, axis=1)[:, :7], atol=1e-6)
        self.assertEqual((indices.dtype, distances.dtype), (np.int64, np.float32))

    def test_equal_distances_keep_the_order_of_the_gallery(self):
        with self.assertWarnsRegex(kindred.KindredWarning, "all 4 gallery images are nearly equal"):
            found = kindred.match(np.ones((1, 3)), np.ones((4, 3)), top=9)
        np.testing.assert_array_equal(found.indices, [[0, 1, 2, 3]])
        np.testing.assert_allclose(found.distances, np.zeros((1, 4)), atol=1e-6)

    def test_lists_what_the_launcher_lists(self):
        made = Features()
        made.write(self.folder)
        for own, arguments in [((), ()), (["k_reciprocal"], ("--post", "k_reciprocal"))]:
            run_launcher("match", self.folder, "--out", self.folder / "out", "--top", 5, *arguments)
            listed = [line.split(",") for line in (self.folder / "out/matches.csv").read_text().splitlines()]
            column = listed[0].index("gallery_path")
            found = kindred.match(made.query, made.gallery, top=5, post_processors=own)
            self.assertEqual([line[column] for line in listed[1:]],
                             [f"gallery/{i}.jpg" for i in found.indices.reshape(-1)])

    def test_errors(self):
        made = Features()
        with self.assertRaisesRegex(ValueError, "top is 0; ask for at least 1"):
            kindred.match(made.query, made.gallery, top=0)
        made.query[2] = 0
        with self.assertRaisesRegex(kindred.DataError, "query_features.*2"):
            kindred.match(made.query, made.gallery)


if __name__ == "__main__":
    unittest.main()
