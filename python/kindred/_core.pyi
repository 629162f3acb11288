"""The engine. The package prepares the arguments of its functions; nothing else calls them."""

from typing import Any, Optional, Union

import numpy as np
import numpy.typing as npt

from ._arrays import FloatArray, IntArray

kindred_version: str
torch_version: str

class Array:
    """Memory that the engine has filled; numpy.asarray() shares it."""

    def __buffer__(self, flags: int, /) -> memoryview: ...

class Model:
    """A trained model in memory."""

    def __init__(self, path: bytes, device: str, batch: int, precision: str, overrides: list[str]) -> None: ...
    def extract(
        self,
        images: list[Union[bytes, npt.NDArray[np.uint8]]],
        cameras: Optional[IntArray],
        views: Optional[IntArray],
        out: FloatArray,
    ) -> None: ...
    @property
    def dim(self) -> int: ...
    @property
    def image_size(self) -> tuple[int, int]: ...
    @property
    def needs_cameras(self) -> bool: ...
    @property
    def needs_views(self) -> bool: ...
    @property
    def model_id(self) -> str: ...
    @property
    def notes(self) -> list[str]: ...

def evaluate(
    query: FloatArray,
    gallery: FloatArray,
    query_labels: dict[str, Any],
    gallery_labels: dict[str, Any],
    settings: dict[str, Any],
) -> dict[str, Any]: ...
def evaluate_distances(
    distances: FloatArray,
    query_labels: dict[str, Any],
    gallery_labels: dict[str, Any],
    settings: dict[str, Any],
) -> dict[str, Any]: ...
def match(query: FloatArray, gallery: FloatArray, top: int, settings: dict[str, Any]) -> tuple[Array, Array]: ...
def post_process(
    query: FloatArray,
    gallery: FloatArray,
    out: FloatArray,
    settings: dict[str, Any],
    origin: str,
) -> None: ...
def refused_plugins() -> list[str]: ...
def set_package_folder(folder: bytes) -> None: ...
def set_threads(threads: int) -> None: ...
def version_text() -> str: ...
