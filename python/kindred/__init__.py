"""Person re-identification: descriptors by a trained model, and judging, re-ranking and matching descriptors.

    import kindred

    scores = kindred.evaluate(query_features, gallery_features, query_pids, gallery_pids, query_cams, gallery_cams)
    print(scores)                  # as `kindred evaluate` prints them
    scores.mAP, scores.rank(1)

    distances = kindred.rerank(query_features, gallery_features)
    indices, distances = kindred.match(query_features, gallery_features, top=10)

    model = kindred.Model("model.safetensors")
    features = model.extract(["a.jpg", "b.jpg"])

Features are arrays [N, D] of NumPy, tensors of PyTorch, or anything that numpy.asarray() takes.
"""

from . import _library

_library.load()

try:
    from . import _core
except ImportError as error:
    raise ImportError(f"the engine of kindred cannot be loaded: {error}; install what is missing (tools/setup.sh "
                      "packages), or build kindred again: pip install --force-reinstall --no-deps SOURCE_FOLDER") from error
from ._errors import ComponentError, DataError, Error, KindredWarning, PluginError, RecipeError  # noqa: E402
from ._model import Model  # noqa: E402
from ._search import (  # noqa: E402
    Evaluation,
    Matches,
    evaluate,
    evaluate_distances,
    match,
    post_process,
    rerank,
)

_core.set_package_folder(_library.package_folder)
__version__ = _core.kindred_version


def set_threads(threads: int = 0) -> None:
    """Sets how many threads LibTorch and BLAS use in this process, also for PyTorch if it is the same LibTorch.

    0: all usable processors. Without a call it is as LibTorch decides, or as torch.set_num_threads() says.
    """
    if not 0 <= threads <= 4096:
        raise ValueError(f"threads is {threads}; give a number from 1 to 4096, or 0 for all processors")
    _core.set_threads(threads)


def version_text() -> str:
    """Kindred, LibTorch, OpenCV, BLAS, threads and GPU, a line each: as `kindred --version` prints them."""
    return _core.version_text()


__all__ = [
    "ComponentError",
    "DataError",
    "Error",
    "Evaluation",
    "KindredWarning",
    "Matches",
    "Model",
    "PluginError",
    "RecipeError",
    "evaluate",
    "evaluate_distances",
    "match",
    "post_process",
    "rerank",
    "set_threads",
    "version_text",
]
