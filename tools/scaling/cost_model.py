#!/usr/bin/env python3
"""What a step of a training by several ranks should take: the model of docs/scaling.md.

    python3 tools/scaling/cost_model.py      prints the tables of that page for 8 and 64 GPUs

Everything is a figure of one step; times are in seconds, sizes in bytes, rates in bytes a second.
"""
from dataclasses import dataclass

BACKWARD = 2 / 3  # of a step: two products for each one of the forward pass
BUCKET = 25 * 2**20  # at most: framework/src/training/gradient_sums.cpp
FIRST_BUCKET = 2**20
GATHERS = 2  # which images there are, with whether to stop or to write a checkpoint; outputs


def exchange_seconds(size, ranks, rate, latency=0.0, messages=1):
    """A ring's sum of `size` bytes: each rank sends and receives 2 (W - 1) / W of them, in 2 (W - 1) turns."""
    if ranks == 1:
        return 0.0
    return 2 * (ranks - 1) / ranks * size / rate + messages * 2 * (ranks - 1) * latency


def bucket_size(size):
    """Of each bucket but the first, of gradients of so many bytes."""
    return min(max(size // 4, FIRST_BUCKET), BUCKET)


def last_bucket(size):
    """Of the bytes of all gradients, those that are complete only when backward has ended."""
    rest = size - FIRST_BUCKET
    if rest <= 0:
        return size
    return rest % bucket_size(size) or bucket_size(size)


def step_seconds(alone, size, ranks, rate, latency=0.0, outputs=0):
    """A step whose computation takes `alone`, with gradients of `size` bytes and `outputs` bytes of each rank.

    The outputs are gathered between forward and backward, and nothing else is done meanwhile; of the gather before
    the step only the latency counts. The gradients are summed while backward goes on, but for the last bucket, and so
    are the statistics of normalizations, which are few bytes.
    """
    last = last_bucket(size)
    buckets = 1 + max(0, -(-(size - FIRST_BUCKET) // bucket_size(size)))
    early = exchange_seconds(size - last, ranks, rate, latency, buckets)
    late = exchange_seconds(last, ranks, rate, latency)
    gathered = (ranks - 1) * outputs / rate + GATHERS * (ranks - 1) * latency
    return (1 - BACKWARD) * alone + gathered + max(BACKWARD * alone, early) + late


@dataclass
class Network:
    name: str
    parameters: int
    flop: float  # of an image and a step, forward and backward
    outputs: int  # numbers that the losses see of an image
    batch: int  # of the recipe, of all ranks together


# Parameters and FLOP: kindred-bench train, with 751 identities.
NETWORKS = [
    Network("MGN on SE-ResNet50, 384 x 128 (configs/naic/base.toml)", 77_363_176, 69.77e9,
            8 * 751 + 3 * 2048 + 5 * 256, 48),
    Network("TransReID on ViT-B/16, 256 x 128 (configs/market1501/transreid_vit_base.toml)", 95_791_872, 122.07e9,
            5 * 751 + 5 * 768, 64),
]

# FLOP a second that a GPU is taken to do in a training in bf16: a third of the 312e12 of an A100's tensor cores.
GPU = 100e12
# What a core of a processor decodes and augments, images a second (docs/benchmarks.md).
CORE = 7_700


# Of a turn of Gloo over TCP between two processes of a machine, measured (docs/scaling.md).
LATENCY = 60e-6


@dataclass
class Way:
    """The slowest piece of the way round all ranks: a ring goes into a machine once, and out of it once."""
    name: str
    ranks: int
    rate: float
    latency: float


WAYS = [
    Way("8 GPUs, NVLink, 200 GB/s", 8, 200e9, LATENCY),
    Way("8 GPUs, PCIe, 12 GB/s", 8, 12e9, LATENCY),
    Way("64 GPUs, 8 a machine, 8 x 100 Gbit/s a machine", 64, 100e9, LATENCY),
    Way("64 GPUs, 8 a machine, 100 Gbit/s a machine", 64, 12.5e9, LATENCY),
    Way("64 GPUs, 8 a machine, 10 Gbit/s a machine", 64, 1.25e9, LATENCY),
]
NEVER = 4096


def alone_seconds(network, images):
    return images * network.flop / GPU


def seconds(network, way, images, ranks=None):
    """A step with that many images of each rank."""
    return step_seconds(alone_seconds(network, images), 4 * network.parameters, way.ranks if ranks is None else ranks,
                        way.rate, way.latency, 4 * network.outputs * images)


def efficiency(network, way, images):
    """Of the time of a step, what is computation."""
    return alone_seconds(network, images) / seconds(network, way, images)


def least_images(network, way, share):
    """Images of each rank from which on the efficiency is `share`; None when it never is."""
    for images in range(1, NEVER + 1):
        if efficiency(network, way, images) >= share:
            return images
    return None


def best_ranks(network, way):
    """For a batch of the recipe's size, the number of ranks from which on twice as many gain less than a quarter."""
    ranks = 1
    while ranks < way.ranks:
        now = seconds(network, way, network.batch / ranks, ranks)
        then = seconds(network, way, network.batch / (2 * ranks), 2 * ranks)
        if now / then < 1.25:
            break
        ranks *= 2
    return ranks, seconds(network, way, network.batch, 1) / seconds(network, way, network.batch / ranks, ranks)


def main():
    for network in NETWORKS:
        size = 4 * network.parameters
        rate = GPU / network.flop
        print(f"\n{network.name}:\n{size / 1e6:.0f} MB of gradients, {4 * network.outputs / 1e3:.0f} kB of outputs an image; "
              f"a GPU computes {rate:.0f} images/s, which {rate / CORE:.1f} cores decode\n")
        print("| way | exchange | 32 images of each GPU | 128 images | 80 % from | a batch of "
              f"{network.batch} in all: ranks that pay |")
        print("| --- | --- | --- | --- | --- | --- |")
        for way in WAYS:
            least = least_images(network, way, 0.8)
            ranks, gain = best_ranks(network, way)
            print(f"| {way.name} | {exchange_seconds(size, way.ranks, way.rate) * 1e3:.0f} ms "
                  f"| {efficiency(network, way, 32) * 100:.0f} % | {efficiency(network, way, 128) * 100:.0f} % "
                  f"| {'never' if least is None else f'{least} images'} | {ranks}: {gain:.1f} times as fast |")


if __name__ == "__main__":
    main()
