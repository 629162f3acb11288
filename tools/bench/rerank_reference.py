"""k-reciprocal re-ranking as published (Zhong et al., CVPR 2017), with whole matrices in NumPy.

What a user would run instead of `kindred match --post k_reciprocal`; kindred-bench calls it:
    rerank_reference.py FOLDER K1 K2 LAMBDA float32|float64
reads FOLDER/query.npy and gallery.npy, writes distances.npy and cost.txt (seconds, peak MiB). In float32, as published,
images that are equally far to rounding may change places; float64 is for comparing results.
"""
import pathlib
import resource
import sys
import time

import numpy as np


def rerank(query, gallery, k1, k2, weight):
    features = np.concatenate([query, gallery])
    count, queries = len(features), len(query)
    squares = np.square(features).sum(1)
    distance = -2 * features @ features.T
    distance += squares[:, None]
    distance += squares[None, :]
    np.maximum(distance, 0, out=distance)
    distance /= distance.max(1, keepdims=True)
    wanted = max(k1 + 1, k2)
    nearest = np.argsort(distance, axis=1, kind="stable")[:, :wanted].astype(np.int32)

    def reciprocal(image, k):
        first = nearest[image, : k + 1]
        return first[(nearest[first, : k + 1] == image).any(1)]

    half = int(np.around(k1 / 2))
    encoding = np.zeros((count, count), np.float32)
    for image in range(count):
        own = reciprocal(image, k1)
        expanded = own
        for candidate in own:
            others = reciprocal(candidate, half)
            if len(np.intersect1d(others, own)) > 2 / 3 * len(others):
                expanded = np.append(expanded, others)
        expanded = np.unique(expanded)
        weights = np.exp(-distance[image, expanded])
        encoding[image, expanded] = weights / weights.sum()
    if k2 > 1:
        averaged = np.zeros_like(encoding)
        for image in range(count):
            averaged[image] = encoding[nearest[image, :k2]].mean(0)
        encoding = averaged
        del averaged

    columns = [np.nonzero(encoding[:, column])[0] for column in range(count)]
    result = np.empty((queries, len(gallery)), np.float32)
    for image in range(queries):
        shared = np.zeros(count, np.float32)
        for column in np.nonzero(encoding[image])[0]:
            others = columns[column]
            shared[others] += np.minimum(encoding[image, column], encoding[others, column])
        jaccard = 1 - shared / (2 - shared)
        result[image] = ((1 - weight) * jaccard + weight * distance[image])[queries:]
    return result


def main():
    folder = pathlib.Path(sys.argv[1])
    k1, k2, weight = int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])
    query, gallery = (np.load(folder / name).astype(sys.argv[5]) for name in ("query.npy", "gallery.npy"))
    start = time.perf_counter()
    distances = rerank(query, gallery, k1, k2, weight)
    seconds = time.perf_counter() - start
    np.save(folder / "distances.npy", distances)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    (folder / "cost.txt").write_text(f"{seconds} {peak}\n")


main()
