"""The examples run, and print what they promise."""
import re
import subprocess
import sys
import unittest

import numpy as np

import kindred
from helpers import SOURCE, Features, FolderTest

EXAMPLE = SOURCE / "examples/python/judge_pytorch_features.py"


class Example(FolderTest):
    def run_example(self, *arguments):
        return subprocess.run([sys.executable, EXAMPLE, *map(str, arguments)], capture_output=True, text=True, timeout=120)

    def test_judges_and_reranks_features_of_a_file(self):
        made = Features()
        np.savez(self.folder / "features.npz", query_features=made.query, gallery_features=made.gallery,
                 query_pids=made.query_pids, gallery_pids=made.gallery_pids, query_cams=made.query_cams,
                 gallery_cams=made.gallery_cams)
        done = self.run_example(self.folder / "features.npz", "--k1", 6, "--k2", 3)
        self.assertEqual(done.returncode, 0, done.stderr)
        before = kindred.evaluate(*made.all)
        after = kindred.evaluate_distances(kindred.rerank(made.query, made.gallery, k1=6, k2=3), *made.all[2:])
        for scores, row in ((before, "cosine"), (after, "re-ranked")):
            self.assertRegex(done.stdout, rf"{row} +mAP {100 * scores.mAP:6.2f} %  Rank-1 {100 * scores.rank(1):6.2f} %")
        nearest = kindred.match(made.query, made.gallery, top=5).indices[0]
        self.assertIn(f"query 0: gallery {', '.join(map(str, nearest))}", done.stdout)

    def test_without_a_file_it_makes_features_itself(self):
        done = self.run_example()
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(len(re.findall(r"mAP +\d+\.\d\d %", done.stdout)), 2)

    def test_a_file_that_lacks_something_is_said(self):
        np.savez(self.folder / "features.npz", query_features=np.eye(2))
        done = self.run_example(self.folder / "features.npz")
        self.assertEqual(done.returncode, 1)
        self.assertIn("lacks gallery_features, query_pids, gallery_pids", done.stderr)


if __name__ == "__main__":
    unittest.main()
