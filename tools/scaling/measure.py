#!/usr/bin/env python3
"""Measures trainings of several ranks over slow networks, beside what cost_model.py says of them.

    python3 tools/scaling/measure.py build/release/bin/kindred RECIPE --ranks 2 4 --mbit 100 400 [--set KEY=VALUE ...]

Each rank is on a machine of its own as far as the network goes: a network namespace, joined to the others by a bridge,
which it reaches at the given rate in both directions (token bucket filter). Without a limit the network is as fast as
this machine's memory; the step that takes is the "alone" of the model: ranks share the processors, with one thread each.

Needs root, and the commands ip and tc (Debian: iproute2). Removes the namespaces again.
"""
import argparse
import json
import os
import pathlib
import statistics
import struct
import subprocess
import sys
import tempfile
from datetime import datetime

import cost_model

PREFIX = f"kindred{os.getpid() % 1000}"


def run(*command):
    try:
        subprocess.run(command, check=True, capture_output=True, text=True)
    except FileNotFoundError:
        sys.exit(f"error: there is no command {command[0]}; install the package iproute2")
    except subprocess.CalledProcessError as error:
        sys.exit(f"error: {' '.join(command)}: {error.stderr.strip()}; this needs root")


class Machines:
    """Namespaces 10.99.0.1 to 10.99.0.W on a bridge."""

    def __init__(self, count):
        self.names = [f"{PREFIX}r{rank}" for rank in range(count)]
        self.hub = f"{PREFIX}hub"

    def __enter__(self):
        try:
            self._make()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _make(self):
        run("ip", "netns", "add", self.hub)
        run("ip", "-n", self.hub, "link", "add", "hub", "type", "bridge")
        run("ip", "-n", self.hub, "link", "set", "hub", "up")
        for rank, name in enumerate(self.names):
            run("ip", "netns", "add", name)
            run("ip", "link", "add", "own", "netns", name, "type", "veth", "peer", "name", f"port{rank}", "netns",
                self.hub)
            run("ip", "-n", self.hub, "link", "set", f"port{rank}", "master", "hub", "up")
            run("ip", "-n", name, "addr", "add", f"10.99.0.{rank + 1}/24", "dev", "own")
            run("ip", "-n", name, "link", "set", "own", "up")
            run("ip", "-n", name, "link", "set", "lo", "up")

    def __exit__(self, *_):
        for name in [*self.names, self.hub]:
            subprocess.run(["ip", "netns", "del", name], check=False, capture_output=True)

    def limit(self, mbit):
        """0: none."""
        for rank, name in enumerate(self.names):
            for space, device in ((name, "own"), (self.hub, f"port{rank}")):
                subprocess.run(["tc", "-n", space, "qdisc", "del", "dev", device, "root"], check=False,
                               capture_output=True)
                if mbit > 0:
                    run("tc", "-n", space, "qdisc", "add", "dev", device, "root", "tbf", "rate", f"{mbit}mbit", "burst",
                        "128kb", "latency", "100ms")


def gradient_bytes(model):
    """Of a model file's tensors, those that have gradients: all but the statistics of batch normalizations."""
    with open(model, "rb") as file:
        (size,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(size))
    total = 0
    for name, tensor in header.items():
        if name == "__metadata__" or name.endswith(("running_mean", "running_var", "num_batches_tracked")):
            continue
        count = 1
        for length in tensor["shape"]:
            count *= length
        total += 4 * count
    return total


def step_of(metrics):
    """The median time of a step, from the ends of the epochs after the first."""
    ends = []
    with open(metrics) as file:
        for line in file:
            entry = json.loads(line)
            if entry["event"] == "finished" and entry["stage"] == "train":
                ends.append((datetime.fromisoformat(entry["time"].replace("Z", "+00:00")).timestamp(), entry["total"]))
    return statistics.median((end - before) / steps for (before, _), (end, steps) in zip(ends, ends[1:]))


def train(machines, options, ranks, folder):
    command = [options.kindred, "train", options.recipe, "--run-dir", str(folder), "--threads", "1", "--device", "cpu",
               "--quiet", "--set", "train.checkpoint_every=100000", "--set", "train.evaluate_every=0",
               "--set", f"train.epochs={options.epochs}"]
    for setting in options.set:
        command += ["--set", setting]
    programs = []
    for rank in range(ranks):
        place = {"RANK": rank, "WORLD_SIZE": ranks, "LOCAL_RANK": 0, "LOCAL_WORLD_SIZE": 1, "MASTER_ADDR": "10.99.0.1",
                 "MASTER_PORT": 29400}
        environment = {**os.environ, **{name: str(value) for name, value in place.items()}}
        programs.append(subprocess.Popen(["ip", "netns", "exec", machines.names[rank], *command], env=environment,
                                         stdout=subprocess.DEVNULL))
    if any([program.wait() for program in programs]):
        sys.exit("error: a rank has failed; what it printed above says why")
    return step_of(folder / "model/metrics.jsonl"), gradient_bytes(folder / "model/model.safetensors")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kindred", type=os.path.abspath)
    parser.add_argument("recipe")
    parser.add_argument("--ranks", type=int, nargs="+", default=[2, 4])
    parser.add_argument("--mbit", type=int, nargs="+", default=[100, 400])
    parser.add_argument("--epochs", type=int, default=4, help="the first is left out [4]")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    options = parser.parse_args()
    if options.epochs < 2:
        parser.error("--epochs takes 2 at least: the first is left out")
    print("| ranks | Mbit/s | gradients | alone | measured | predicted | measured / predicted |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for ranks in options.ranks:
        with Machines(ranks) as machines, tempfile.TemporaryDirectory() as scratch:
            alone = None
            for mbit in [0, *sorted(options.mbit, reverse=True)]:
                machines.limit(mbit)
                step, size = train(machines, options, ranks, pathlib.Path(scratch) / str(mbit))
                if mbit == 0:
                    alone = step
                    print(f"| {ranks} | no limit | {size / 1e6:.1f} MB | {alone:.2f} s | {step:.2f} s | | |", flush=True)
                    continue
                predicted = cost_model.step_seconds(alone, size, ranks, mbit * 1e6 / 8)
                print(f"| {ranks} | {mbit} | {size / 1e6:.1f} MB | {alone:.2f} s | {step:.2f} s | {predicted:.2f} s | "
                      f"{step / predicted:.2f} |", flush=True)


if __name__ == "__main__":
    main()
