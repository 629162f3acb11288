"""Makes tests/golden/pillow_resize.json: what Pillow 13.0.0 makes of an image by formula; the test needs the JSON only.

Columns first: called once, Pillow (11.3, 12.0 and 13.0 were tried) scales the rows first where it finds that cheaper, and
the pixels that it rounds in between are others.
"""

import json
import pathlib

import numpy
from PIL import Image

FILTERS = {'linear': Image.Resampling.BILINEAR, 'cubic': Image.Resampling.BICUBIC}
# from height, width to height, width: smaller, larger, both, one direction alone
SIZES = [(23, 17, 6, 5), (7, 5, 16, 9), (12, 4, 5, 10), (9, 9, 9, 4), (8, 6, 3, 6), (40, 3, 2, 2)]


def image(height, width):
    """Pixel (y, x), channel c in BGR: (37 y y + 91 x + 53 c + 17 x y) modulo 256."""
    y, x, c = numpy.meshgrid(numpy.arange(height), numpy.arange(width), numpy.arange(3), indexing='ij')
    return ((37 * y * y + 91 * x + 53 * c + 17 * x * y) % 256).astype(numpy.uint8)


def main():
    cases = []
    for height, width, new_height, new_width in SIZES:
        for name, kind in FILTERS.items():
            # Pillow treats channels alike: their order does not matter.
            columns = Image.fromarray(image(height, width)).resize((new_width, height), kind)
            resized = columns.resize((new_width, new_height), kind)
            cases.append({'from': [height, width], 'to': [new_height, new_width], 'interpolation': name,
                          'pixels': numpy.asarray(resized).flatten().tolist()})
    target = pathlib.Path(__file__).parents[2] / 'tests/golden/pillow_resize.json'
    target.write_text('[\n' + ',\n'.join(json.dumps(case, separators=(',', ':')) for case in cases) + '\n]\n')


if __name__ == '__main__':
    main()
