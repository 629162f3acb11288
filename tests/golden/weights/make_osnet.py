"""Makes osnet_expected.json of this folder: python3 make_osnet.py FOLDER, with torchreid's osnet.py and osnet_ain.py.

What torchreid's networks give in evaluation for images by formula, with weights by formula, so that no weights need to
be kept. The test needs the JSON file only, neither Python nor PyTorch.
"""

import importlib.util
import json
import sys
import zlib

import torch


def module(name):
    spec = importlib.util.spec_from_file_location(name, sys.argv[1] + '/' + name + '.py')
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


def values(name, shape):
    """For the element i of a tensor: sin(0.37 i + CRC-32 of its name modulo 1000), scaled by what it is."""
    count = max(1, torch.Size(shape).numel())
    wave = (torch.arange(count, dtype=torch.float64) * 0.37 + zlib.crc32(name.encode()) % 1000).sin().view(shape)
    if name.endswith('running_var'):
        return 1 + 0.5 * wave
    if len(shape) == 1 and name.endswith('weight'):
        return 1 + 0.2 * wave
    return (0.1 if len(shape) == 1 else 0.15) * wave


def images():
    """x[n, c, h, w] = sin(0.05 h + 0.11 w + 1.7 c + 0.9 n), [2, 3, 64, 32]"""
    n, c, h, w = torch.meshgrid(*[torch.arange(s, dtype=torch.float64) for s in (2, 3, 64, 32)], indexing='ij')
    return (0.05 * h + 0.11 * w + 1.7 * c + 0.9 * n).sin().float()


def main():
    plain, ain = module('osnet'), module('osnet_ain')
    channels = [16, 64, 96, 128]
    layers = [2, 2, 2]
    networks = {
        'osnet': plain.OSNet(7, [plain.OSBlock] * 3, layers, channels),
        'osnet_ibn': plain.OSNet(7, [plain.OSBlock] * 3, layers, channels, IN=True),
        'osnet_ain': ain.OSNet(7, [[ain.OSBlockINin, ain.OSBlockINin], [ain.OSBlock, ain.OSBlockINin],
                                   [ain.OSBlockINin, ain.OSBlock]], layers, channels, conv1_IN=True),
    }
    expected = {}
    for name, network in networks.items():
        state = network.state_dict()
        network.load_state_dict({key: values(key, value.shape).to(value.dtype) if value.is_floating_point() else value
                                 for key, value in state.items()})
        with torch.no_grad():
            feature = network.eval()(images())
        expected[name] = {'tensors': {key: list(value.shape) for key, value in state.items()},
                          'feature': [float('%.9g' % v) for v in feature.flatten()]}
    with open('osnet_expected.json', 'w') as file:
        json.dump(expected, file)


if __name__ == '__main__':
    main()
