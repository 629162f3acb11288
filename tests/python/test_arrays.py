"""Arrays are shared and not copied."""
import gc
import subprocess
import sys
import unittest

import numpy as np

import kindred
from helpers import Features
from kindred import _arrays


class Inputs(unittest.TestCase):
    def test_what_is_float32_and_contiguous_is_taken_as_it_is(self):
        rows = np.ones((3, 4), dtype=np.float32)
        self.assertIs(_arrays.matrix(rows, "rows"), rows)
        rows.flags.writeable = False
        self.assertTrue(np.shares_memory(_arrays.matrix(rows, "rows"), rows))
        self.assertTrue(np.shares_memory(_arrays.matrix(rows[1:], "rows"), rows))
        numbers = np.arange(3)
        self.assertIs(_arrays.numbers(numbers, "numbers", 3, 0), numbers)

    def test_the_engine_works_on_memory_of_python(self):
        # In a process of its own, because the peak of memory is that of the whole process.
        script = """
import resource, numpy as np, kindred
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
kindred.match(np.ones((2, 512)), np.ones((2, 512)))
gallery = np.random.default_rng(1).standard_normal((150000, 512), dtype=np.float32)
query, pids = gallery[:1], np.arange(len(gallery))
before = peak()
kindred.match(query, gallery)
match = peak()
kindred.evaluate(query, gallery, pids[:1], pids)
kindred.evaluate_distances(gallery, np.arange(150000), np.arange(512), cameras="single", metrics=["retrieval"])
print(match - before, peak() - before)
"""
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120)
        self.assertEqual(done.returncode, 0, done.stderr)
        match, evaluate = map(int, done.stdout.split())
        self.assertLess(match, 150)  # MiB; the gallery has 293
        self.assertLess(evaluate, 250)

    def test_other_types_and_layouts_are_converted(self):
        made = Features()
        wanted = kindred.match(made.query, made.gallery, top=5).indices
        for name, query, gallery in [
            ("float64", made.query.astype(np.float64), made.gallery.astype(np.float64)),
            ("big endian", made.query.astype(">f4"), made.gallery.astype(">f8")),
            ("Fortran order", np.asfortranarray(made.query), np.asfortranarray(made.gallery)),
            ("every other", np.repeat(made.query, 2, axis=0)[::2], np.repeat(made.gallery, 2, axis=1)[:, ::2]),
            ("backward", made.query[::-1].copy()[::-1], made.gallery),
            ("lists", made.query.tolist(), made.gallery.tolist()),
            ("not aligned", np.frombuffer(b"." + made.query.tobytes(), np.float32, offset=1).reshape(made.query.shape),
             made.gallery),
            ("read-only", np.frombuffer(made.query.tobytes(), np.float32).reshape(made.query.shape), made.gallery),
        ]:
            with self.subTest(name):
                np.testing.assert_array_equal(kindred.match(query, gallery, top=5).indices, wanted)
        integers = np.eye(4, dtype=np.int8)
        np.testing.assert_array_equal(kindred.match(integers, integers, top=1).indices[:, 0], np.arange(4))
        unaligned = np.frombuffer(b"." + made.query_pids.astype(np.int64).tobytes(), np.int64, offset=1)
        self.assertEqual(kindred.evaluate(made.query, made.gallery, unaligned, made.gallery_pids).mAP,
                         kindred.evaluate(*made.all[:4]).mAP)
        for kind in (np.int32, np.uint16, list):
            pids = made.query_pids.tolist() if kind is list else made.query_pids.astype(kind)
            self.assertEqual(kindred.evaluate(made.query, made.gallery, pids, made.gallery_pids).mAP,
                             kindred.evaluate(*made.all[:4]).mAP)

    def test_tensors_of_pytorch(self):
        try:
            import torch
        except ImportError:
            self.skipTest("the package torch is not installed")
        made = Features()
        query, gallery = torch.from_numpy(made.query), torch.from_numpy(made.gallery)
        self.assertTrue(np.shares_memory(_arrays.matrix(query, "query"), made.query))
        wanted = kindred.match(made.query, made.gallery, top=5).indices
        np.testing.assert_array_equal(kindred.match(query.requires_grad_(), gallery, top=5).indices, wanted)
        self.assertEqual(kindred.match(query.bfloat16(), gallery.half(), top=5).indices.shape, (12, 5))

    def test_the_module_itself_refuses_what_is_not_prepared(self):
        rows = np.ones((2, 2), dtype=np.float32)
        settings = {"machine": {"device": "cpu"}}
        for wrong, error in [(rows.astype(np.float64), TypeError), (rows[:, ::2], ValueError), (rows[0], ValueError),
                             ("text", TypeError), (b"bytes", ValueError)]:
            with self.subTest(wrong=wrong), self.assertRaises(error):
                kindred._core.match(wrong, rows, 1, settings)
        read_only = rows.copy()
        read_only.flags.writeable = False
        with self.assertRaises((ValueError, BufferError)):
            kindred._core.post_process(rows, rows, read_only, settings, "test")
        with self.assertRaises(ValueError):
            kindred._core.post_process(rows, rows, np.ones((1, 2), np.float32), settings, "test")


class Outputs(unittest.TestCase):
    def test_share_the_memory_of_the_engine_and_keep_it_alive(self):
        made = Features(queries=200, gallery=2000)
        found = kindred.match(made.query, made.gallery, top=1000)
        self.assertFalse(found.indices.flags.owndata)
        self.assertTrue(found.indices.flags.writeable and found.indices.flags.c_contiguous)
        wanted = found.indices.copy()
        indices = found.indices[:]
        del found
        gc.collect()
        kindred.match(made.query, made.gallery, top=1000)  # would be given freed memory
        np.testing.assert_array_equal(indices, wanted)


if __name__ == "__main__":
    unittest.main()
