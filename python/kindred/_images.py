"""What callers give as images, as the engine takes them: paths, and arrays of 8-bit RGB."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any, Union

import numpy as np
import numpy.typing as npt

#: A path, or pixels: height x width x 3 (RGB), height x width x 4 (RGBA) or height x width (gray), uint8.
Image = Union[str, "os.PathLike[str]", npt.NDArray[np.uint8]]
Images = Union[Sequence[Image], npt.NDArray[np.uint8]]

_ALLOWED = "give 8-bit pixels (uint8), height x width x 3 in the order R, G, B"


def _pixels(image: Any, name: str) -> npt.NDArray[np.uint8]:
    if hasattr(image, "convert") and hasattr(image, "mode"):  # of PIL; others than RGB may be numbers of a palette
        if image.mode[0] in "IF":  # of more than 8 bits, which convert() would cut off at 255
            raise TypeError(f"{name} has the mode {image.mode} of PIL; {_ALLOWED}")
        image = image if image.mode == "RGB" else image.convert("RGB")
    elif hasattr(image, "detach") and hasattr(image, "cpu"):  # of PyTorch
        image = image.detach().cpu()
    array = np.asarray(image)
    if array.dtype != np.uint8:
        raise TypeError(f"{name} has the type {array.dtype}; {_ALLOWED}")
    if array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] not in (1, 3, 4)):
        raise ValueError(f"{name} has the shape {array.shape}; {_ALLOWED}")
    if array.size == 0:
        raise ValueError(f"{name} has the shape {array.shape}, which holds no pixels; leave out crops that lie outside of "
                         "their picture")
    if array.ndim == 2:
        array = array[:, :, np.newaxis]
    # A part of a larger image is shared: its rows may lie apart, but not the pixels of a row.
    height_stride, *inner = array.strides
    packed = inner == [array.shape[2], 1] and height_stride >= array.shape[1] * array.shape[2]
    return array if packed else np.ascontiguousarray(array)


def images(values: Any) -> list[Union[bytes, npt.NDArray[np.uint8]]]:
    """Each image as a path, in the system's bytes, or as an array [H, W, C] that the engine can share."""
    if isinstance(values, (str, bytes, os.PathLike)):
        raise TypeError(f"images is one path; give a list: [{os.fspath(values)!r}]")
    if isinstance(values, np.ndarray) or hasattr(values, "detach"):
        if values.ndim != 4:
            raise ValueError(f"images has the shape {tuple(values.shape)}; give [N, height, width, 3], or a list of images")
    prepared: list[Union[bytes, npt.NDArray[np.uint8]]] = []
    for i, image in enumerate(values):
        if isinstance(image, (str, os.PathLike)):
            prepared.append(os.fsencode(image))
        else:
            prepared.append(_pixels(image, f"images[{i}]"))
    return prepared
