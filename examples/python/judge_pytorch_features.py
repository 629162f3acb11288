#!/usr/bin/env python3
"""Judges and re-ranks with Kindred what any other program, such as your PyTorch code, has extracted.

    python3 judge_pytorch_features.py features.npz

In your own code, after the network has run over queries and gallery, this is all:

    scores = kindred.evaluate(query_features, gallery_features, query_pids, gallery_pids, query_cams, gallery_cams)
    distances = kindred.rerank(query_features, gallery_features)

Tensors of PyTorch may be given as they are. features.npz holds the arrays by these names (the cameras may be missing):

    np.savez("features.npz", query_features=qf.cpu(), gallery_features=gf.cpu(), query_pids=..., gallery_pids=...,
             query_cams=..., gallery_cams=...)
"""
import argparse
import sys

import numpy as np

import kindred

NAMES = ("query_features", "gallery_features", "query_pids", "gallery_pids")
CAMERAS = ("query_cams", "gallery_cams")


def read(file):
    with np.load(file) as arrays:
        missing = [name for name in NAMES if name not in arrays]
        if missing:
            sys.exit(f"error: {file} lacks {', '.join(missing)}")
        return {name: arrays[name] for name in (*NAMES, *CAMERAS) if name in arrays}


def extract():
    """Stands in for a network: random images of random people. With PyTorch its tensors are used as they are."""
    random = np.random.default_rng(0)
    people, cameras, dim = 50, 6, 128
    looks = random.normal(size=(people, dim))

    def side(images):
        pids, cams = random.integers(0, people, images), random.integers(0, cameras, images)
        features = (looks[pids] + 2.2 * random.normal(size=(images, dim))).astype(np.float32)
        try:
            import torch
        except ImportError:
            return features, pids, cams
        return torch.nn.functional.normalize(torch.from_numpy(features)), torch.from_numpy(pids), torch.from_numpy(cams)

    query, gallery = side(200), side(2000)
    return dict(zip((name for pair in zip(NAMES[::2] + CAMERAS[:1], NAMES[1::2] + CAMERAS[1:]) for name in pair),
                    (array for pair in zip(query, gallery) for array in pair)))


def line(name, scores):
    return f"{name:10} mAP {100 * scores.mAP:6.2f} %  Rank-1 {100 * scores.rank(1):6.2f} %  mINP {100 * scores.mINP:6.2f} %"


def main():
    parser = argparse.ArgumentParser(description="Judge and re-rank features of any program with Kindred.")
    parser.add_argument("file", nargs="?", help="an .npz file; without one, features are made up")
    parser.add_argument("--k1", type=int, default=20, help="of k-reciprocal re-ranking")
    parser.add_argument("--k2", type=int, default=6)
    parser.add_argument("--lambda", type=float, default=0.3, dest="lambda_value")
    options = parser.parse_args()

    arrays = read(options.file) if options.file else extract()
    features = arrays["query_features"], arrays["gallery_features"]
    labels = {name: value for name, value in arrays.items() if name not in ("query_features", "gallery_features")}

    scores = kindred.evaluate(*features, **labels)
    print(line("cosine", scores))
    distances = kindred.rerank(*features, options.k1, options.k2, options.lambda_value)
    print(line("re-ranked", kindred.evaluate_distances(distances, **labels)))
    if scores.note:
        print("note:", scores.note)
    nearest = kindred.match(*features, top=5).indices
    for query in range(min(3, len(nearest))):
        print(f"query {query}: gallery {', '.join(map(str, nearest[query]))}")


if __name__ == "__main__":
    try:
        main()
    except kindred.Error as error:
        sys.exit(str(error))
