#!/usr/bin/env python3
"""Uses an exported model as trackers such as BoxMOT, DeepSORT and BoT-SORT do: boxes of one frame -> features.

    kindred export --weights model.safetensors --to onnx --out model.onnx
    tools/deploy/boxmot_features.py model.onnx FRAME.png X1,Y1,X2,Y2 [X1,Y1,X2,Y2 ...]

Prints the cosine distances between what is in the boxes: what a tracker compares detections by. Every step is one of
BoxMOT's: the first input and the first output are taken whatever their names, the size of crops is that of the input,
boxes are cut out and resized (linear), BGR becomes RGB, pixels are divided by 255 and standardized with ImageNet's mean
and deviation, and the features are brought to length 1. Needs numpy, Pillow and onnxruntime.
"""
import sys

import numpy as np
import onnxruntime
from PIL import Image

MEAN = np.array([0.485, 0.456, 0.406], np.float32)
STD = np.array([0.229, 0.224, 0.225], np.float32)


def weights(length, out):
    """[out, length]: the weights of cv2.resize(..., interpolation=cv2.INTER_LINEAR) along one side."""
    center = (np.arange(out) + 0.5) * length / out - 0.5
    first = np.floor(center).astype(int)
    part = center - first
    matrix = np.zeros((out, length), np.float32)
    np.add.at(matrix, (np.arange(out), first.clip(0, length - 1)), 1 - part)
    np.add.at(matrix, (np.arange(out), (first + 1).clip(0, length - 1)), part)
    return matrix


def resize(image, height, width):
    rows, columns = weights(image.shape[0], height), weights(image.shape[1], width)
    return np.rint(np.einsum("ah,hwc,bw->abc", rows, image.astype(np.float32), columns)).clip(0, 255)


class Backend:
    """The names are those of BoxMOT's classes."""

    def __init__(self, model):
        self.session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
        self.input, self.output = self.session.get_inputs()[0], self.session.get_outputs()[0]
        if len(self.input.shape) != 4 or self.input.shape[1] != 3 or self.input.type != "tensor(float)":
            sys.exit(f"{model}: the input is {self.input.shape} {self.input.type}, but trackers give [N, 3, H, W] floats; "
                     "export without --with-preprocessing")
        self.height, self.width = self.input.shape[2:]

    def get_crops(self, boxes, frame):
        crops = []
        for x1, y1, x2, y2 in boxes:
            crop = frame[max(0, y1):max(0, y2), max(0, x1):max(0, x2)]
            if crop.size == 0:
                sys.exit(f"the box {x1},{y1},{x2},{y2} is outside of the frame of {frame.shape[1]} x {frame.shape[0]} pixels")
            crop = resize(crop, self.height, self.width)[:, :, ::-1]  # BGR -> RGB
            crops.append(((crop / 255 - MEAN) / STD).transpose(2, 0, 1))
        return np.stack(crops).astype(np.float32)

    def get_features(self, boxes, frame):
        crops = self.get_crops(boxes, frame)
        batch = self.input.shape[0]
        step = batch if isinstance(batch, int) else len(crops)
        features = []
        for first in range(0, len(crops), step):
            part = crops[first:first + step]
            filled = np.concatenate([part, np.zeros((step - len(part), *part.shape[1:]), np.float32)])
            features.append(self.session.run([self.output.name], {self.input.name: filled})[0][:len(part)])
        features = np.concatenate(features)
        return features / np.linalg.norm(features, axis=-1, keepdims=True)


def main():
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    frame = np.array(Image.open(sys.argv[2]).convert("RGB"))[:, :, ::-1]  # as cv2.imread() gives it
    boxes = [tuple(int(number) for number in box.split(",")) for box in sys.argv[3:]]
    features = Backend(sys.argv[1]).get_features(boxes, frame)
    print(f"{features.shape[0]} x {features.shape[1]}")
    for row in 1 - features @ features.T:
        print(" ".join(f"{distance:.4f}" for distance in row))


if __name__ == "__main__":
    main()
