"""What callers give, as the arrays that the engine shares: C-contiguous float32 and int64."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Optional

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]


def _as_array(values: Any, name: str) -> npt.NDArray[Any]:
    # A tensor of PyTorch, which may need gradients or lie on a GPU. That of a CPU shares its memory.
    if hasattr(values, "detach") and hasattr(values, "cpu"):
        values = values.detach().cpu()
        if str(getattr(values, "dtype", "")) == "torch.bfloat16":  # NumPy has no such numbers
            values = values.float()
    try:
        return np.asarray(values)
    except ValueError as error:
        raise ValueError(f"{name} cannot be made an array: {error}") from None


def matrix(values: Any, name: str) -> FloatArray:
    """`values` as float32 [N, D]. Shared when they are that and C-contiguous already, else copied."""
    array = _as_array(values, name)
    if array.dtype.kind not in "fiu":
        raise TypeError(f"{name} has the type {array.dtype}; give floats, such as float32")
    if array.ndim != 2:
        raise ValueError(f"{name} has the shape {array.shape}; give one row for each image, [N, D]")
    if array.shape[0] == 0 or array.shape[1] == 0:
        raise ValueError(f"{name} has the shape {array.shape}; give at least one row and one column")
    # What frombuffer() makes of a file with a header may not be aligned.
    return np.require(array, np.float32, ["C_CONTIGUOUS", "ALIGNED"])


def pair(query: Any, gallery: Any) -> tuple[FloatArray, FloatArray]:
    """The descriptors of both sides, of one length."""
    queries, images = matrix(query, "query_features"), matrix(gallery, "gallery_features")
    if queries.shape[1] != images.shape[1]:
        raise ValueError(f"query_features have {queries.shape[1]} columns and gallery_features {images.shape[1]}; "
                         "give descriptors of one model")
    return queries, images


def numbers(values: Any, name: str, count: int, least: int) -> IntArray:
    """`values` as int64 [count], none of them below `least`."""
    array = _as_array(values, name)
    if array.dtype.kind not in "iu":
        raise TypeError(f"{name} has the type {array.dtype}; give whole numbers")
    if array.shape != (count,):
        raise ValueError(f"{name} has the shape {array.shape}; give one number for each image, ({count},)")
    if array.dtype == np.uint64 and array.max() > np.iinfo(np.int64).max:
        raise ValueError(f"{name} has numbers above {np.iinfo(np.int64).max}")
    result = np.require(array, np.int64, ["C_CONTIGUOUS", "ALIGNED"])
    if result.min() < least:
        raise ValueError(f"{name} has the number {result.min()}; {_MEANINGS[least]}")
    return result


_MEANINGS = {
    -2: "identities count from 0, -1 is junk that is left out, -2 an image of unknown identity",
    -1: "numbers count from 0, and -1 is unknown",
}


def names(values: Sequence[str], name: str, count: int) -> list[str]:
    """`values` as texts, one for each row."""
    if isinstance(values, str):
        raise TypeError(f"{name} is one text; give a list of {count}")
    # Bytes of a file's name that are no UTF-8 are escaped, as in all messages.
    texts = [str(value).encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace") for value in values]
    if len(texts) != count:
        raise ValueError(f"{name} has {len(texts)} entries; give one for each image, {count}")
    return texts


def both_or_neither(name: str, query: Any, gallery: Any) -> None:
    """What only one side has would be of no use."""
    if (query is None) != (gallery is None):
        given, missing = ("gallery", "query") if query is None else ("query", "gallery")
        raise ValueError(f"{given}_{name} are given, and {missing}_{name} are not; give both, with -1 for what is unknown")


def labels(count: int, side: str, pids: Any, cams: Any, clothes: Any, image_names: Optional[Sequence[str]]) -> dict[str, Any]:
    """What is known of the images of one side."""
    columns: dict[str, Any] = {"identities": numbers(pids, f"{side}_pids", count, -2)}
    if cams is not None:
        columns["cameras"] = numbers(cams, f"{side}_cams", count, -1)
    if clothes is not None:
        columns["clothes"] = numbers(clothes, f"{side}_clothes", count, -1)
    if image_names is not None:
        columns["names"] = names(image_names, f"{side}_names", count)
    return columns
