"""Finds LibTorch and loads the engine."""

from __future__ import annotations

import os

from . import _build


def load() -> None:
    """Makes the libraries known that the engine is linked to. Throws ImportError when they do not fit.

    Built with the package `torch`, the engine uses its libraries: that package is imported, finds those of CUDA, and
    there is one LibTorch in the process, whose threads and GPU memory both share. Built with a LibTorch of the
    system, the dynamic linker finds it.
    """
    if not _build.torch_is_a_package:
        return
    try:
        import torch
    except ImportError as error:
        raise ImportError(f"kindred was built with the package torch {_build.torch_version}, which cannot be imported "
                          f"({error}); install it: pip install torch=={_build.torch_version}") from error
    version = str(torch.__version__).split("+")[0]
    if version != _build.torch_version:
        raise ImportError(f"{os.path.dirname(torch.__file__)} is torch {torch.__version__}, but kindred was built with "
                          f"{_build.torch_version} and fits no other; install that version, or build kindred again in "
                          "this environment: pip install --force-reinstall --no-deps SOURCE_FOLDER_OF_KINDRED")


#: Where lib/ lies. Links are not followed: in a build folder these files are links to the sources.
package_folder = os.path.dirname(os.path.abspath(__file__))
