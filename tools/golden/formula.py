"""Weights and images by formula, for the scripts of this folder: so golden files hold results alone.

tests/golden/formula_values.h computes the same.
"""

import json
import re
import zlib

import torch

torch.set_num_threads(1)


def waves(count, name):
    """count numbers in [-0.5, 0.5) that look random."""
    steps = torch.arange(count, dtype=torch.float64) * 12.9898 + 78.233 * (zlib.crc32(name.encode()) % 1000)
    return (steps.sin() * 43758.5453).frac().abs() - 0.5


def values(name, shape):
    """Vectors (and [C, 1, 1]) are scales around 1 or offsets around 0; all else has the variance 1 / fan-in."""
    count = max(1, torch.Size(shape).numel())
    wave = waves(count, name).view(shape)
    if count == shape[0]:
        scale = name.endswith(('weight', 'gamma', 'layer_scale'))
        return (1 + 0.4 * wave if scale else 0.2 * wave).float()
    return (wave * (12 / (count / shape[0])) ** 0.5).float()


def images(height, width):
    """x[n, c, h, w] = sin(0.05 h + 0.11 w + 1.7 c + 0.9 n), [2, 3, height, width]"""
    n, c, h, w = torch.meshgrid(*[torch.arange(s, dtype=torch.float64) for s in (2, 3, height, width)],
                                indexing='ij')
    return (0.05 * h + 0.11 * w + 1.7 * c + 0.9 * n).sin().float()


def is_derived(name):
    return name.endswith(('relative_position_index', 'attn_mask'))


def filled(network):
    """The network with weights by formula, in 64 bits and in evaluation."""
    state = network.state_dict()
    network.load_state_dict({key: value if is_derived(key) else values(key, value.shape)
                             for key, value in state.items()})
    network.double()
    network.eval()
    return network


def shape_text(shape):
    return 'x'.join(str(length) for length in shape)


def tensor_lines(network, block):
    """'NAME SHAPE' for each tensor; 'layers.2.blocks.0-5.norm1.weight 384' stands for six of them.

    block is a pattern with one group, the number of a block.
    """
    found = {}
    for name, value in network.state_dict().items():
        match = re.match(block, name)
        key = (name, '', '') if match is None else (name[:match.start(1)], name[match.end(1):], '-')
        numbers = found.setdefault(key + (shape_text(value.shape),), [])
        if match is not None:
            numbers.append(int(match.group(1)))
    lines = []
    for (before, after, kind, shape), numbers in found.items():
        if kind == '':
            lines.append(f'{before} {shape}')
        elif len(numbers) > 1 and numbers == list(range(len(numbers))):
            lines.append(f'{before}0-{numbers[-1]}{after} {shape}')
        else:
            lines += [f'{before}{number}{after} {shape}' for number in numbers]
    return lines


def checksum(tensors):
    """CRC-32 of the sorted lines 'NAME SHAPE\\n' of (name, shape)."""
    lines = sorted(f'{name} {shape_text(shape)}\n' for name, shape in tensors)
    return zlib.crc32(''.join(lines).encode())


def rounded(tensor):
    return [float('%.8g' % value) for value in tensor.flatten()]


def map_entry(last):
    """About a hundred values of a map, an odd distance apart."""
    every = last.numel() // 100 | 1
    return {'shape': list(last.shape), 'every': every, 'values': rounded(last.flatten()[::every])}


def network_entry(network, block, size, output):
    """What output(network, images), a map, is for images of that size, and the names of the tensors."""
    lines = tensor_lines(network, block)
    network = filled(network)
    with torch.no_grad():
        last = output(network, images(*size).double())
    return {'tensors': lines, 'height': size[0], 'width': size[1], **map_entry(last)}


def write(path, content):
    with open(path, 'w') as file:
        json.dump(content, file, indent=0)
        file.write('\n')
