#!/usr/bin/env python3
"""Whether a long training takes more and more: its memory and its open files, epoch by epoch.

    tools/bench/long_training.py [--build build/release] [--epochs 200]

Trains tests/e2e/tiny.toml on one thread, with an evaluation and a checkpoint after each epoch, and looks at the process
in /proc. The slope is that of a straight line through the second half, in which all that is kept is there: close to 0
where nothing accumulates. Memory is what the process holds (VmRSS), in MB of 1,000,000 bytes. Exit code: that of the
training.
"""
import argparse
import collections
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SOURCES = Path(__file__).resolve().parent.parent.parent
Sample = collections.namedtuple("Sample", "seconds epochs megabytes files")


def training(options, run):
    settings = [f"train.epochs={options.epochs}", "train.evaluate_every=1", "train.checkpoint_every=1"]
    return [Path(options.build) / "bin/kindred", "train", SOURCES / "tests/e2e/tiny.toml", "--run-dir", run,
            *(word for setting in settings for word in ("--set", setting))]


def epochs_done(metrics):
    """Of a training that writes this file; it has a line for each evaluation."""
    return metrics.read_bytes().count(b'"stage":"evaluate"') if metrics.exists() else 0


def held_megabytes(process):
    for line in Path(f"/proc/{process}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024 / 1e6
    raise ProcessLookupError  # one that has ended and is not waited for yet holds nothing


def samples_of(process, metrics, pause):
    """Until it ends."""
    samples = []
    start = time.monotonic()
    while process.poll() is None:
        try:
            files = len(os.listdir(f"/proc/{process.pid}/fd"))
            samples.append(Sample(time.monotonic() - start, epochs_done(metrics), held_megabytes(process.pid), files))
        except ProcessLookupError:
            pass
        time.sleep(pause)
    return samples


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default=str(SOURCES / "build/release"), help="the build folder")
    parser.add_argument("--epochs", type=int, default=200)
    parser.add_argument("--pause", type=float, default=0.1, help="seconds between two looks")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="kindred-long-") as folder:
        log = Path(folder) / "log"
        with open(log, "wb") as out:
            process = subprocess.Popen(training(options, Path(folder) / "run"), stdin=subprocess.DEVNULL, stdout=out,
                                       stderr=out)
            samples = samples_of(process, Path(folder) / "run/model/metrics.jsonl", options.pause)
        if process.returncode != 0:
            sys.stderr.write(log.read_text(errors="replace"))
            return process.returncode
    # Without the last epoch, after which the process gives back what it has.
    late = [sample for sample in samples if options.epochs <= 2 * sample.epochs < 2 * options.epochs]
    if len({sample.epochs for sample in late}) < 2:
        sys.exit("too short: there is no line through the second half; take more epochs")
    print(f"{'EPOCH':>6} {'SECONDS':>8} {'MB':>8} {'FILES':>6}")
    for part in range(10):
        sample = next((sample for sample in samples if 10 * sample.epochs > part * options.epochs), samples[-1])
        print(f"{sample.epochs:>6} {sample.seconds:>8.1f} {sample.megabytes:>8.1f} {sample.files:>6}")
    slope, _ = statistics.linear_regression([sample.epochs for sample in late],
                                            [sample.megabytes for sample in late])
    files = {sample.files for sample in late}
    print(f"from epoch {late[0].epochs} on, {len(late)} looks: {slope:+.5f} MB an epoch, "
          f"{min(files)} to {max(files)} open files")
    return 0


if __name__ == "__main__":
    sys.exit(main())
