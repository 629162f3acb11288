"""The engine. The package prepares the arguments of its functions; nothing else calls them."""

from typing import Any

from ._arrays import FloatArray, IntArray

kindred_version: str
torch_version: str

class Array:
    """Memory that the engine has filled; numpy.asarray() shares it."""

    def __buffer__(self, flags: int, /) -> memoryview: ...

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
def set_package_folder(folder: str) -> None: ...
def set_threads(threads: int) -> None: ...
def version_text() -> str: ...
