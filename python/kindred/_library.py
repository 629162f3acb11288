"""Finds LibTorch before the engine is loaded, and keeps a second one out of the process.

Built with the package `torch`, the engine uses its libraries: that package is imported, finds those of CUDA, and there
is one LibTorch, whose threads and GPU memory both share. Built with a LibTorch of the system, the dynamic linker finds
it; a package `torch` with libraries of its own would then end the process without a word.
"""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.machinery
import os
import sys
import types
from collections.abc import Sequence
from typing import Optional

from . import _build

#: Where lib/ lies, as bytes. Links are not followed: in a build folder these files are links to the sources.
package_folder = os.path.dirname(os.path.abspath(os.fsencode(__file__)))

_build_again = "build kindred again in this environment: pip install --force-reinstall --no-deps SOURCE_FOLDER"


def load() -> None:
    """To be called before the engine is loaded. Throws ImportError when the LibTorch that is there does not fit."""
    if _build.torch_is_a_package:
        _import_torch()
    elif "torch" not in sys.modules:
        sys.meta_path.insert(0, _Guard())
    else:
        folder = os.path.dirname(str(sys.modules["torch"].__file__))
        if _brings_another(folder):
            raise ImportError(f"{_conflict(folder)}; it is imported already")


def _import_torch() -> None:
    try:
        torch = importlib.import_module("torch")
    except ImportError as error:
        raise ImportError(f"kindred was built with the package torch {_build.torch_version}, which cannot be imported "
                          f"({error}); install it: pip install torch=={_build.torch_version}") from error
    if str(torch.__version__).split("+")[0] != _build.torch_version:
        raise ImportError(f"{os.path.dirname(torch.__file__)} is torch {torch.__version__}, but kindred was built with "
                          f"{_build.torch_version} and fits no other; install that version, or {_build_again}")


def _brings_another(folder: str) -> bool:
    """Whether a package torch has a LibTorch of its own which is not that of the engine."""
    library = os.path.join(folder, "lib", os.path.basename(_build.torch_library))
    return os.path.exists(library) and not (
        os.path.exists(_build.torch_library) and os.path.samefile(library, _build.torch_library))


def _conflict(folder: str) -> str:
    return (f"kindred was built with LibTorch {_build.torch_version} of {os.path.dirname(_build.torch_library)}, and {folder} "
            f"has another, which cannot be used in one process; {_build_again}")


class _Guard(importlib.abc.MetaPathFinder):
    """A finder that lets nobody import a package torch with another LibTorch."""

    def find_spec(
        self, name: str, path: Optional[Sequence[str]] = None, target: Optional[types.ModuleType] = None
    ) -> Optional[importlib.machinery.ModuleSpec]:
        if name != "torch":
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        if spec is None or not spec.origin or not _brings_another(os.path.dirname(spec.origin)):
            return None
        spec.loader = _Refusing()
        return spec


class _Refusing(importlib.abc.Loader):
    """Whoever only looks whether there is a package torch is told so; its import fails."""

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> None:
        raise ImportError(_conflict(os.path.dirname(str(spec.origin))), name=spec.name)

    def exec_module(self, module: types.ModuleType) -> None:
        raise ImportError(_conflict(os.path.dirname(str(module.__file__))), name="torch")
