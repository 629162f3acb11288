"""k-reciprocal re-ranking (Zhong et al., CVPR 2017) in NumPy, built like the published implementation.

What a user would run instead of `kindred match --post k_reciprocal`; kindred-bench calls it:
    rerank_reference.py FOLDER K1 K2 LAMBDA float32|float64
reads FOLDER/query.npy and gallery.npy, writes distances.npy and cost.txt (seconds, peak MiB).

Written anew, with the structure of the NumPy function that person re-identification code bases ship (`re_ranking` of
three distance matrices, after https://github.com/zhunzhong07/person-re-ranking): the same array operations in the same
order, the same types, memory layouts and intermediate arrays, so that its time and memory are those of its users. It is
deliberately not made leaner. The three matrices are computed the usual way in NumPy and stay alive, as their owner holds
them. float64 puts every array in 64 bits, for comparing results: in float32, images that are equally far to rounding may
change places. The sort is NumPy's default one, as published, which leaves the order of equal distances open.
"""
import pathlib
import sys
import time

import numpy as np


def euclidean(a, b):
    """The distances of all rows of a to all rows of b."""
    squares_a = np.sum(np.square(a), axis=1)[:, np.newaxis]
    squares_b = np.sum(np.square(b), axis=1)[np.newaxis, :]
    squared = -2 * np.matmul(a, b.T) + squares_a + squares_b
    squared[squared < 0] = 0
    return np.sqrt(squared)


def reciprocal(ranks, image, k):
    """Those of the image's k nearest, itself included, that have it among theirs."""
    forward = ranks[image, : k + 1]
    backward = ranks[forward, : k + 1]
    return forward[np.where(backward == image)[0]]


def rerank(query_gallery, query_query, gallery_gallery, k1, k2, weight, dtype):
    distance = np.concatenate(
        [
            np.concatenate([query_query, query_gallery], axis=1),
            np.concatenate([query_gallery.T, gallery_gallery], axis=1),
        ],
        axis=0,
    )
    distance = np.power(distance, 2).astype(dtype)
    # A transposed view: the row of an image is a column in memory, and zeros_like() keeps that layout.
    distance = np.transpose(1.0 * distance / np.max(distance, axis=0))
    encoding = np.zeros_like(distance).astype(dtype)
    ranks = np.argsort(distance).astype(np.int32)
    queries, count = len(query_gallery), len(distance)

    for image in range(count):
        own = reciprocal(ranks, image, k1)
        expanded = own
        for candidate in own:
            others = reciprocal(ranks, candidate, int(np.around(k1 / 2)))
            if len(np.intersect1d(others, own)) > 2 / 3 * len(others):
                expanded = np.append(expanded, others)
        expanded = np.unique(expanded)
        weights = np.exp(-distance[image, expanded])
        encoding[image, expanded] = 1.0 * weights / np.sum(weights)
    distance = distance[:queries]

    if k2 != 1:
        averaged = np.zeros_like(encoding, dtype=dtype)
        for image in range(count):
            averaged[image, :] = np.mean(encoding[ranks[image, :k2], :], axis=0)
        encoding = averaged
        del averaged
    del ranks

    inverted = []
    for column in range(count):
        inverted.append(np.where(encoding[:, column] != 0)[0])

    jaccard = np.zeros_like(distance, dtype=dtype)
    for image in range(queries):
        shared = np.zeros(shape=[1, count], dtype=dtype)
        columns = np.where(encoding[image, :] != 0)[0]
        sharers = [inverted[column] for column in columns]
        for j in range(len(columns)):
            shared[0, sharers[j]] = shared[0, sharers[j]] + np.minimum(
                encoding[image, columns[j]], encoding[sharers[j], columns[j]]
            )
        jaccard[image] = 1 - shared / (2.0 - shared)

    final = jaccard * (1 - weight) + distance * weight
    return final[:queries, queries:]


def peak_mib():
    """Of this program alone: ru_maxrss would begin with the peak of the program that started it."""
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM:")) / 1024


def main():
    folder = pathlib.Path(sys.argv[1])
    k1, k2, weight, dtype = int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4]), np.dtype(sys.argv[5])
    query, gallery = (np.load(folder / name).astype(dtype) for name in ("query.npy", "gallery.npy"))
    start = time.perf_counter()
    query_gallery = euclidean(query, gallery)
    query_query = euclidean(query, query)
    gallery_gallery = euclidean(gallery, gallery)
    distances = rerank(query_gallery, query_query, gallery_gallery, k1, k2, weight, dtype)
    seconds = time.perf_counter() - start
    peak = peak_mib()
    np.save(folder / "distances.npy", distances)
    (folder / "cost.txt").write_text(f"{seconds} {peak}\n")


main()
