"""What the tests share: features, files of features, and the launcher."""
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time
import unittest

import numpy as np

SOURCE = pathlib.Path(__file__).resolve().parents[2]


class Features:
    """Descriptors of people who are a little alike, under three cameras."""

    def __init__(self, queries=12, gallery=60, people=8, dim=16, seed=1):
        random = np.random.default_rng(seed)
        centers = random.normal(size=(people, dim))
        self.query_pids = np.arange(queries) % people
        self.gallery_pids = random.integers(0, people, gallery)
        self.query_cams = np.arange(queries) % 3
        self.gallery_cams = random.integers(0, 3, gallery)
        self.query = self._around(random, centers, self.query_pids)
        self.gallery = self._around(random, centers, self.gallery_pids)

    @staticmethod
    def _around(random, centers, pids):
        return (centers[pids] + 0.9 * random.normal(size=(len(pids), centers.shape[1]))).astype(np.float32)

    @property
    def all(self):
        return (self.query, self.gallery, self.query_pids, self.gallery_pids, self.query_cams, self.gallery_cams)

    def write(self, folder):
        """As `kindred embed` does."""
        for side in ("query", "gallery"):
            np.save(folder / f"{side}.npy", getattr(self, side))
            pids, cams = getattr(self, side + "_pids"), getattr(self, side + "_cams")
            lines = [f"{side}/{i}.jpg,{pid},{cam}" for i, (pid, cam) in enumerate(zip(pids, cams))]
            (folder / f"{side}.csv").write_text("\n".join(["path,identity,camera", *lines]) + "\n")


def cosine_distances(query, gallery):
    def unit(rows):
        rows = np.asarray(rows, dtype=np.float64)
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)

    return 1 - unit(query) @ unit(gallery).T


def launcher():
    """The launcher, or a skipped test where there is none, as beside an installed package."""
    program = os.environ.get("KINDRED_LAUNCHER")
    if not program:
        raise unittest.SkipTest("KINDRED_LAUNCHER names no launcher to compare with")
    return program


def run_launcher(*arguments):
    done = subprocess.run([launcher(), *map(str, arguments)], capture_output=True, text=True, timeout=300)
    if done.returncode != 0:
        raise AssertionError(f"{arguments} ended with {done.returncode}: {done.stderr}")
    return done.stdout


def launcher_has_this_libtorch():
    """Whether results of the launcher have the same bits."""
    import kindred

    line = next(line for line in kindred.version_text().splitlines() if line.startswith("LibTorch"))
    return line in run_launcher("--version").splitlines()


class FolderTest(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = pathlib.Path(temporary.name)


def printed_after_ctrl_c(test, script, seconds):
    """What a program prints after "ready", when Ctrl-C is pressed that many seconds later. It has to end well."""
    process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        test.assertEqual(process.stdout.readline(), "ready\n")
        time.sleep(seconds)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
        test.assertEqual(process.returncode, 0, err)
        return out
    finally:
        process.kill()
        process.communicate()
