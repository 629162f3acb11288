"""The commands that are disturbed, each in a folder of its own, and what they begin with."""

import shutil
from pathlib import Path

SOURCES = Path(__file__).resolve().parent.parent.parent
_RECIPES = ("tiny.toml", "tiny_pipeline.toml")

# Stands for a program of the tests, in place of the launcher and its command.
ADDITIONS = "gallery_additions"

# Where one of these fails, a command that shows what it could read says what it could not.
READING_CALLS = ("look", "stat", "read")


class Command:
    """A command in a folder of its own.

    make(stock, work): what lies in the folder before; arguments(stock, work): those of the launcher;
    again(stock, work): those with which a user goes on after an error, where they are not the same;
    shows_what_it_can: whether another result is right that lacks what could not be read, where the command or the
    result says what that is."""

    def __init__(self, name, arguments, make=None, again=None, shows_what_it_can=False):
        self.name = name
        self.arguments = arguments
        self.again = again or arguments
        self.shows_what_it_can = shows_what_it_can
        self.make = make or (lambda stock, work: None)


def _copied(source, target):
    def make(stock, work):
        shutil.copytree(stock / source, work / target)
    return make


_SMALL = ["--set", "train.epochs=3", "--set", "train.checkpoint_every=1", "--set", "schedule.warmup_epochs=1"]

_STUDY = """recipe = "tiny.toml"
seeds = [1]
set.train.epochs = 3
set.schedule.warmup_epochs = 1

[[variant]]
name = "flipped"

[[variant]]
name = "plain"
set.augmentation.horizontal_flip.enabled = false
"""


def _model(stock):
    return stock / "trained/model/model.safetensors"


def _search(stock, gallery, *more):
    return ["search", "--weights", _model(stock), "--gallery", gallery, "--image", stock / "person.png", *more]


def _search_and_keep(stock, work):
    return _search(stock, stock / "data", "--keep", work / "gallery", "--sheet", work / "sheet.png")


def _search_kept(stock, work):
    if not (work / "gallery/gallery.log").exists():
        return _search_and_keep(stock, work)
    return _search(stock, work / "gallery", "--sheet", work / "sheet.png")


COMMANDS = [
    Command("train", lambda s, w: ["train", s / "tiny.toml", "--run-dir", w / "run", *_SMALL]),
    # A trained model, whose training goes on: the model that is there must not get lost.
    Command("extend", lambda s, w: ["train", s / "tiny.toml", "--run-dir", w / "run", *_SMALL, "--set",
                                    "train.epochs=4"], _copied("trained", "run")),
    Command("pipeline", lambda s, w: ["run", s / "tiny_pipeline.toml", "--run-dir", w / "run"]),
    # A finished pipeline of another recipe: what it has made is kept until the new results are there.
    Command("again", lambda s, w: ["run", s / "tiny_pipeline.toml", "--run-dir", w / "run", "--set",
                                   "dataset.distractors=7"], _copied("pipeline", "run")),
    Command("study", lambda s, w: ["study", s / "study.toml", "--run-dir", w / "study"]),
    Command("embed", lambda s, w: ["embed", "--weights", _model(s), "--data", s / "data", "--out", w / "features"],
            _copied("other_features", "features")),
    Command("match", lambda s, w: ["match", s / "features", "--out", w / "rankings", "--distances",
                                   w / "rankings/distances.npy", "--post", "k_reciprocal"],
            _copied("other_rankings", "rankings")),
    Command("evaluate", lambda s, w: ["evaluate", s / "features", "--out", w / "scores", "--json",
                                      w / "scores/extra.json", "--per-query", w / "scores/queries.csv"]),
    Command("export", lambda s, w: ["export", "--weights", _model(s), "--to", "torchscript", "--out",
                                    w / "model.pt"]),
    Command("gallery", _search_and_keep, again=_search_kept, shows_what_it_can=True),
    Command("search", lambda s, w: _search(s, w / "gallery"), _copied("gallery", "gallery")),
    # Not the launcher, but a program of an application.
    Command("add", lambda s, w: [ADDITIONS, w / "gallery"]),
    Command("convert", lambda s, w: ["data", "convert", s / "data", "--layout", "market1501", "--format", "png",
                                     "--size", "32", "16", "--out", w / "data"]),
    Command("report", lambda s, w: ["report", w / "run"], _copied("pipeline", "run"), shows_what_it_can=True),
    Command("label", lambda s, w: ["label", s / "features", "--labeler", "dbscan_jaccard", "--set",
                                   "labeler.k1=6", "--out", w / "labels"]),
    Command("submit", lambda s, w: ["submit", "--rankings", s / "other_rankings/matches.csv", "--data",
                                    s / "data", "--writer", "ranking_csv", "--out", w / "submission"]),
]


def make_stock(stock, must):
    """What the commands begin with, made without faults.

    must(*arguments): runs the launcher, which must not fail."""
    stock.mkdir()
    for recipe in _RECIPES:
        shutil.copy(SOURCES / "tests/e2e" / recipe, stock)
    tiny = stock / "tiny.toml"
    (stock / "study.toml").write_text(_STUDY)
    must("data", "convert", tiny, "--layout", "market1501", "--out", stock / "data")
    must("train", tiny, "--run-dir", stock / "trained", *_SMALL)
    must("run", stock / "tiny_pipeline.toml", "--run-dir", stock / "pipeline")
    must("embed", "--weights", _model(stock), "--data", stock / "data", "--out", stock / "features")
    must("embed", "--weights", stock / "pipeline/final/model.safetensors", "--data", stock / "data", "--out",
         stock / "other_features")
    must("match", stock / "other_features", "--out", stock / "other_rankings", "--top", "1000")
    shutil.copy(next((stock / "data").rglob("*query*/*")), stock / "person.png")
    must("search", "--weights", _model(stock), "--gallery", stock / "data", "--image", stock / "person.png",
         "--keep", stock / "gallery")
