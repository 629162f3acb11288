"""Writes tests/golden/cmyk.jpg, a JPEG of four inks, which OpenCV reads but does not write: python3 tools/golden/make_cmyk.py"""

from pathlib import Path

import numpy as np
from PIL import Image

y, x = np.mgrid[0:12, 0:10]
ink = np.stack([20 * x % 256, 20 * y % 256, (9 * x + 9 * y) % 256, 10 * x * y % 256], -1).astype(np.uint8)
target = Path(__file__).parents[2] / "tests/golden/cmyk.jpg"
Image.fromarray(ink, "CMYK").save(target, quality=80)
