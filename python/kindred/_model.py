"""Descriptors by a trained model."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Optional, Union

import numpy as np
import numpy.typing as npt

from . import _arrays, _core
from ._arrays import FloatArray
from ._errors import warn
from ._images import Images, images as prepared_images
from ._search import load_plugins


class Model:
    """A trained model in memory, `model.safetensors`, with its preprocessing.

    path: the model file.
    device: "cpu", "cuda", "cuda:N", "auto" (a GPU where one works) or "recipe" (as the model's recipe says).
    batch: images that the network computes at once.
    precision: "recipe", which is what `kindred embed` computes in; "trained", that of the training where the device
        has it; "auto"; "fp32", "fp16" or "bf16".
    overrides: of the model's recipe, as `--set` of the launcher: ["embed.flip_test=true"].

    May be used by several threads at once. Needs no PyTorch code, and runs without the GIL.
    """

    def __init__(
        self,
        path: Union[str, "os.PathLike[str]"],
        device: str = "cpu",
        batch: int = 16,
        precision: str = "recipe",
        *,
        overrides: Sequence[str] = (),
    ) -> None:
        if isinstance(overrides, str):
            raise TypeError(f"overrides is one text; give a list: [{overrides!r}]")
        if batch < 1:
            raise ValueError(f"batch is {batch}; give at least 1")
        load_plugins()
        self._path = os.fsdecode(path)
        self._model = _core.Model(os.fsencode(path), str(device), batch, precision, list(overrides))
        for note in self._model.notes:
            warn(note)

    def extract(
        self,
        images: Images,
        *,
        cameras: Optional[npt.ArrayLike] = None,
        views: Optional[npt.ArrayLike] = None,
    ) -> FloatArray:
        """The descriptors of images, [N, dim], each of length 1: those that `kindred embed` computes.

        images: a list of paths and of arrays, height x width x 3 with 8 bits in the order R, G, B (as of PIL; OpenCV
            has them the other way round: image[:, :, ::-1]), of any sizes; or one array [N, height, width, 3]. Gray and
            RGBA are taken too, and images of PIL. Pixels are shared, also of a part of a larger image.
        cameras, views: of each image, for a model that uses them (needs_cameras, needs_views); -1: unknown.
        """
        prepared = prepared_images(images)
        count = len(prepared)
        out = np.empty((count, self.dim), dtype=np.float32)
        if count:
            self._model.extract(prepared, *(None if values is None else _arrays.numbers(values, name, count, -1)
                                            for name, values in (("cameras", cameras), ("views", views))), out)
        return out

    @property
    def dim(self) -> int:
        """The length of a descriptor."""
        return self._model.dim

    @property
    def image_size(self) -> tuple[int, int]:
        """Height and width to which images are resized."""
        return self._model.image_size

    @property
    def needs_cameras(self) -> bool:
        return self._model.needs_cameras

    @property
    def needs_views(self) -> bool:
        return self._model.needs_views

    @property
    def model_id(self) -> str:
        """Says which descriptors can be compared: the checksum of the file, with the overrides that change them."""
        return self._model.model_id

    def __repr__(self) -> str:
        height, width = self.image_size
        return f"<kindred.Model {self._path}: images of {height} x {width} to {self.dim} numbers>"
