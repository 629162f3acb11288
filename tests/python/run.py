"""Runs the tests of one file of this folder, as ctest starts them: run.py test_NAME.

Exit code 77: NumPy is missing, so nothing was tested.
"""
import sys
import unittest

try:
    import numpy  # noqa: F401
except ImportError as error:
    print(f"SKIPPED: {sys.executable} has no NumPy ({error}), so the Python package was not tested; install "
          "python3-numpy, or name another Python in KINDRED_PYTHON and configure again")
    sys.exit(77)

unittest.main(module=sys.argv[1], argv=sys.argv[1:], verbosity=2)
