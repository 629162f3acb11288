"""The exceptions of Kindred. Their texts are those of the launcher: where, what is wrong, what is allowed, what to do."""

from __future__ import annotations

import sys
import types
import warnings
from typing import Optional


class Error(Exception):
    """Something that the caller can mend. Base of all errors of Kindred."""


class RecipeError(Error, ValueError):
    """A parameter of a component or of a function is unknown, or its value is not allowed."""


class ComponentError(Error, ValueError):
    """The parameters of a component are valid by themselves but do not suit the data."""


class DataError(Error):
    """A file or an array is missing, damaged, or does not fit."""


class PluginError(Error):
    """A plugin cannot be used."""


class KindredWarning(UserWarning):
    """Something to know about a result, such as more neighbors asked for than there are images."""


for _class in (Error, RecipeError, ComponentError, DataError, PluginError, KindredWarning):
    _class.__module__ = "kindred"  # where users find them


def warn(text: str) -> None:
    """Warns at the line outside of this package that has led here."""
    level = 1
    frame: Optional[types.FrameType] = sys._getframe()
    while frame is not None and str(frame.f_globals.get("__name__")).split(".")[0] == "kindred":
        frame, level = frame.f_back, level + 1
    warnings.warn(text, KindredWarning, stacklevel=level)
