"""Judging, re-ranking and matching descriptors of any origin."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Optional, Union

import numpy as np
import numpy.typing as npt

from . import _arrays, _core
from ._arrays import FloatArray, IntArray
from ._errors import warn

#: A component by its name, or with parameters: {"type": "query_expansion", "k": 10}.
Component = Union[str, Mapping[str, Any]]

_plugins_lock = threading.RLock()  # a handler of signals may call while its thread has it
_plugins_are_loaded = False


def load_plugins() -> None:
    """Loads the plugins and warns of those that were refused. What needs them calls it."""
    global _plugins_are_loaded
    with _plugins_lock:
        if _plugins_are_loaded:
            return
        for refused in _core.refused_plugins():
            warn(refused)
        _plugins_are_loaded = True


@dataclasses.dataclass(frozen=True, eq=False)  # arrays have no == that says yes or no
class Evaluation(Mapping[str, float]):
    """What the metrics say: a mapping from names of figures, such as "mAP" and "rank1", to their values.

    A figure without a value is NaN. `str()` is the text that `kindred evaluate` prints.
    """

    figures: dict[str, float]
    #: Why a figure has too little behind it, by its name.
    cautions: dict[str, str]
    #: Curves and tables by name, each with its columns: tables["cmc"]["share"].
    tables: dict[str, dict[str, npt.NDArray[np.float64]]]
    #: Columns with a value for each query, NaN where it was not judged: "ap", "inp", "first_rank", "matches", ...
    per_query: dict[str, npt.NDArray[np.float64]]
    queries: int
    #: Queries with a right image in the gallery, which are judged.
    valid_queries: int
    gallery: int
    distractors: int
    junk: int
    positive_pairs: int
    negative_pairs: int
    #: Whether gallery images of the query's identity and camera were left out.
    cameras_known: bool
    #: What a reader must know, such as why cameras were not used; "": nothing.
    note: str
    text: str

    def __getitem__(self, name: str) -> float:
        return self.figures[name]

    def __eq__(self, other: object) -> bool:
        """Whether the figures are the same; one without a value is equal to another without."""
        if not isinstance(other, Mapping):
            return NotImplemented
        return self.keys() == other.keys() and all(
            value == other[name] or (value != value and other[name] != other[name]) for name, value in self.items())

    __hash__ = None  # type: ignore[assignment]

    def __iter__(self) -> Iterator[str]:
        return iter(self.figures)

    def __len__(self) -> int:
        return len(self.figures)

    def __str__(self) -> str:
        return self.text

    @property
    def mAP(self) -> float:
        return self._figure("mAP")

    @property
    def mINP(self) -> float:
        return self._figure("mINP")

    @property
    def cmc(self) -> npt.NDArray[np.float64]:
        """The share of queries with a right image among the first k, at k - 1; beyond its end it stays as it is."""
        if "cmc" not in self.tables:
            raise AttributeError("there is no CMC curve: it is of the metric 'retrieval', which was not asked for")
        return self.tables["cmc"]["share"]

    def rank(self, k: int) -> float:
        """The share of queries with a right image among the first k."""
        if k < 1:
            raise ValueError(f"rank({k}): ranks count from 1")
        return float(self.cmc[min(k, len(self.cmc)) - 1])

    def _figure(self, name: str) -> float:
        if name not in self.figures:
            raise AttributeError(f"there is no figure '{name}'; the metrics gave {', '.join(self.figures)}")
        return self.figures[name]


class Matches(NamedTuple):
    """The nearest gallery images of each query, the nearest first."""

    indices: IntArray  #: [Q, top], rows of the gallery
    distances: FloatArray  #: [Q, top], ascending


def _component(component: Component) -> dict[str, Any]:
    if isinstance(component, str):
        return {"type": component}
    if isinstance(component, Mapping):
        return dict(component)
    raise TypeError(f"{component!r} is not a component; give its name, or a dict with its name as 'type'")


def _components(components: Sequence[Component], name: str) -> list[dict[str, Any]]:
    if isinstance(components, (str, Mapping)):
        raise TypeError(f"{name} is one component; give a list of them")
    return [_component(component) for component in components]


def _settings(post_processors: Sequence[Component], device: str) -> dict[str, Any]:
    if not isinstance(device, str):
        device = str(device)  # torch.device
    settings: dict[str, Any] = {"machine": {"device": device}}
    chosen = _components(post_processors, "post_processors")
    if chosen:
        settings["post_processor"] = chosen
    return settings


def _evaluate_settings(metrics: Union[None, Sequence[Component], Mapping[str, Mapping[str, Any]]], **evaluate: Any) -> dict[str, Any]:
    settings: dict[str, Any] = {"evaluate": evaluate}
    if isinstance(metrics, Mapping):
        settings["metric"] = {name: dict(parameters) for name, parameters in metrics.items()}
    elif metrics is not None:
        settings["metric"] = _components(metrics, "metrics")
    return settings


def _evaluation(result: dict[str, Any]) -> Evaluation:
    def arrays(columns: dict[str, Any]) -> dict[str, npt.NDArray[np.float64]]:
        return {name: np.asarray(column) for name, column in columns.items()}

    result["tables"] = {name: arrays(columns) for name, columns in result["tables"].items()}
    result["per_query"] = arrays(result["per_query"])
    return Evaluation(**result)


def evaluate(
    query_features: npt.ArrayLike,
    gallery_features: npt.ArrayLike,
    query_pids: npt.ArrayLike,
    gallery_pids: npt.ArrayLike,
    query_cams: Optional[npt.ArrayLike] = None,
    gallery_cams: Optional[npt.ArrayLike] = None,
    *,
    cameras: str = "auto",
    metrics: Union[None, Sequence[Component], Mapping[str, Mapping[str, Any]]] = None,
    post_processors: Sequence[Component] = (),
    multi_query: bool = False,
    single_gallery_shot: int = 0,
    clothes: str = "any",
    query_clothes: Optional[npt.ArrayLike] = None,
    gallery_clothes: Optional[npt.ArrayLike] = None,
    query_names: Optional[Sequence[str]] = None,
    gallery_names: Optional[Sequence[str]] = None,
    device: str = "cpu",
) -> Evaluation:
    """Ranks the gallery for every query by cosine distance, and judges the rankings.

    query_features, gallery_features: [Q, D] and [G, D]; rows need not be of length 1. float32 in C order is shared,
        anything else is copied.
    query_pids, gallery_pids: identities from 0; -1 is junk, which is left out; -2 an unknown one.
    query_cams, gallery_cams: cameras from 0, -1 for an unknown one; None: unknown.
    cameras: "known": images of the query's identity and camera are left out; "single": none are; "auto": known when
        the cameras are.
    metrics: None for the default ones; a list of metrics instead of them; or a dict that changes parameters of the
        default ones: {"retrieval": {"ranks": [1, 20]}}.
    post_processors: applied to the descriptors before, such as ["query_expansion", {"type": "k_reciprocal", "k1": 20}].
    multi_query: the queries of one identity and camera are merged.
    single_gallery_shot: so many times, in a gallery with one drawn image of each identity; 0: the whole gallery.
    clothes: "changed" or "same": which images of the query's identity count, by query_clothes and gallery_clothes.
    query_names, gallery_names: what errors call the images. The same name with the same descriptor on both sides is
        one image, which is left out of its own ranking.
    device: where products of descriptors are computed: "cpu", "cuda", "cuda:N" or "auto".
    """
    query, gallery = _arrays.pair(query_features, gallery_features)
    settings = _settings(post_processors, device)
    settings.update(_evaluate_settings(metrics, cameras=cameras, clothes=clothes, multi_query=multi_query,
                                       single_gallery_shot=single_gallery_shot))
    _arrays.both_or_neither("cams", query_cams, gallery_cams)
    _arrays.both_or_neither("clothes", query_clothes, gallery_clothes)
    query_labels = _arrays.labels(len(query), "query", query_pids, query_cams, query_clothes, query_names)
    gallery_labels = _arrays.labels(len(gallery), "gallery", gallery_pids, gallery_cams, gallery_clothes, gallery_names)
    load_plugins()
    return _evaluation(_core.evaluate(query, gallery, query_labels, gallery_labels, settings))


def evaluate_distances(
    distances: npt.ArrayLike,
    query_pids: npt.ArrayLike,
    gallery_pids: npt.ArrayLike,
    query_cams: Optional[npt.ArrayLike] = None,
    gallery_cams: Optional[npt.ArrayLike] = None,
    *,
    cameras: str = "auto",
    metrics: Union[None, Sequence[Component], Mapping[str, Mapping[str, Any]]] = None,
    single_gallery_shot: int = 0,
    clothes: str = "any",
    query_clothes: Optional[npt.ArrayLike] = None,
    gallery_clothes: Optional[npt.ArrayLike] = None,
) -> Evaluation:
    """Judges the rankings that distances [Q, G] give, such as those of rerank(). The rest is as for evaluate()."""
    rows = _arrays.matrix(distances, "distances")
    settings = _evaluate_settings(metrics, cameras=cameras, clothes=clothes, single_gallery_shot=single_gallery_shot)
    _arrays.both_or_neither("cams", query_cams, gallery_cams)
    _arrays.both_or_neither("clothes", query_clothes, gallery_clothes)
    query_labels = _arrays.labels(rows.shape[0], "query", query_pids, query_cams, query_clothes, None)
    gallery_labels = _arrays.labels(rows.shape[1], "gallery", gallery_pids, gallery_cams, gallery_clothes, None)
    load_plugins()
    return _evaluation(_core.evaluate_distances(rows, query_labels, gallery_labels, settings))


def _post_process(query: npt.ArrayLike, gallery: npt.ArrayLike, post_processors: Sequence[Component], device: str,
                  origin: str) -> FloatArray:
    queries, images = _arrays.pair(query, gallery)
    settings = _settings(post_processors, device)
    load_plugins()
    out = np.empty((len(queries), len(images)), dtype=np.float32)
    _core.post_process(queries, images, out, settings, origin)
    return out


def rerank(
    query_features: npt.ArrayLike,
    gallery_features: npt.ArrayLike,
    k1: int = 20,
    k2: int = 6,
    lambda_value: float = 0.3,
    *,
    normalize: bool = True,
    device: str = "cpu",
) -> FloatArray:
    """k-reciprocal re-ranking (Zhong et al., CVPR 2017): distances [Q, G], smaller is nearer.

    The defaults are those of the paper. The descriptors are copied once. For other parameters and methods see
    post_process().

    normalize: rows are scaled to length 1 before, so that their cosine counts, as for evaluate() and match(). Without,
        neighbors are found by the Euclidean distance of the rows as they are.
    """
    components: list[Component] = ["normalize"] if normalize else []
    components.append({"type": "k_reciprocal", "k1": k1, "k2": k2, "lambda": float(lambda_value)})
    return _post_process(query_features, gallery_features, components, device, "kindred.rerank()")


def post_process(
    query_features: npt.ArrayLike,
    gallery_features: npt.ArrayLike,
    post_processors: Sequence[Component],
    *,
    device: str = "cpu",
) -> FloatArray:
    """The distances [Q, G] that post-processors make of descriptors; those of the cosine for an empty list.

    post_processors: in order, each a name or a dict with `type` and parameters: ["query_expansion",
        {"type": "k_reciprocal", "k1": 20}]. docs/post-processing.md lists them. Some use the length of rows: for rows
        that are not of length 1, begin with "normalize".
    """
    return _post_process(query_features, gallery_features, post_processors, device, "kindred.post_process()")


def match(
    query_features: npt.ArrayLike,
    gallery_features: npt.ArrayLike,
    top: int = 20,
    *,
    post_processors: Sequence[Component] = (),
    device: str = "cpu",
) -> Matches:
    """The `top` nearest gallery images of each query, by cosine distance or what the post-processors make of it.

    A smaller gallery is listed whole. Images at equal distances keep the order of the gallery.
    """
    queries, images = _arrays.pair(query_features, gallery_features)
    if top < 1:
        raise ValueError(f"top is {top}; ask for at least 1 image")
    settings = _settings(post_processors, device)
    load_plugins()
    indices, distances = _core.match(queries, images, top, settings)
    return Matches(np.asarray(indices), np.asarray(distances))
