"""Makes tests/golden/weights/peers_expected.json: python3 make_peer_networks.py FAST_REID DEEP_PERSON_REID STRONG_BASELINE.

The arguments are clones of github.com/JDAI-CV/fast-reid (v1.3 and later), github.com/KaiyangZhou/deep-person-reid (1.4) and
github.com/michuanhaohao/reid-strong-baseline. What their networks give in evaluation for images by formula, with
weights by formula. Made with PyTorch 2.13 on a CPU; needs yacs, termcolor, gdown, tabulate and PyYAML, the test nothing.
"""

import importlib.util
import json
import math
import pathlib
import sys
import types
import zlib

import torch

SOURCES = [pathlib.Path(argument) for argument in sys.argv[1:4]]
IDENTITIES = 3


def values(name, shape):
    """For the element i: the fraction of 43758.5453 sin(12.9898 i + 78.233 k) less 0.5, k the name's CRC-32 modulo 1000,
    scaled by what the tensor is."""
    count = max(1, torch.Size(shape).numel())
    v = (torch.arange(count, dtype=torch.float64) * 12.9898 + 78.233 * (zlib.crc32(name.encode()) % 1000)).sin()
    v = v * 43758.5453
    u = (v - v.floor() - 0.5).view(shape)
    if name.endswith('.p'):
        return 3 + u
    if name.endswith('running_var'):
        return 1 + 0.5 * u
    if len(shape) > 1:
        return u * math.sqrt(24.0 / (count / shape[0]))
    return 0.7 + 0.2 * u if name.endswith('weight') else 0.2 * u


def images():
    """x[n, c, h, w] = sin(0.05 h + 0.11 w + 1.7 c + 0.9 n), [2, 3, 96, 32]"""
    n, c, h, w = torch.meshgrid(*[torch.arange(s, dtype=torch.float64) for s in (2, 3, 96, 32)], indexing='ij')
    return (0.05 * h + 0.11 * w + 1.7 * c + 0.9 * n).sin().float()


def module(name, path, package=None):
    spec = importlib.util.spec_from_file_location(package + '.' + name if package else name, path)
    found = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = found
    spec.loader.exec_module(found)
    return found


def filled(network):
    state = network.state_dict()
    network.load_state_dict({key: values(key, value.shape).to(value.dtype) if value.is_floating_point() else value
                             for key, value in state.items()})
    return network.eval()


def fast_reid(config):
    stub = types.ModuleType('torchvision.models.utils')
    stub.load_state_dict_from_url = None
    for name in ('torchvision', 'torchvision.models', 'torchvision.models.utils'):
        sys.modules.setdefault(name, stub)
    sys.path.insert(0, str(SOURCES[0]))
    from fastreid.config import get_cfg
    from fastreid.modeling.meta_arch import build_model
    cfg = get_cfg()
    cfg.merge_from_file(str(SOURCES[0] / 'configs/Market1501' / config))
    cfg.MODEL.DEVICE = 'cpu'
    cfg.MODEL.BACKBONE.PRETRAIN = False
    cfg.MODEL.HEADS.NUM_CLASSES = IDENTITIES
    network = build_model(cfg)
    network.pixel_mean.zero_()
    network.pixel_std.fill_(1)
    return network


def torchreid(name):
    resnet = sys.modules.get('resnet') or module('resnet', SOURCES[1] / 'torchreid/models/resnet.py')
    return getattr(resnet, name)(IDENTITIES, pretrained=False)


def strong_baseline(name):
    folder = SOURCES[2] / 'modeling'
    for package in ('modeling', 'modeling.backbones'):
        sys.modules.setdefault(package, types.ModuleType(package)).__path__ = []
    for file in ('resnet', 'senet', 'resnet_ibn_a'):
        module(file, folder / 'backbones' / (file + '.py'), 'modeling.backbones')
    return module('baseline', folder / 'baseline.py', 'modeling').Baseline(IDENTITIES, 1, '', 'bnneck', 'after', name, '')


def main():
    torch.set_num_threads(1)
    networks = {
        'fast-reid AGW_R50': lambda: fast_reid('AGW_R50.yml'),
        'fast-reid sbs_R50-ibn': lambda: fast_reid('sbs_R50-ibn.yml'),
        'fast-reid mgn_R50-ibn': lambda: fast_reid('mgn_R50-ibn.yml'),
        'torchreid resnet50': lambda: torchreid('resnet50'),
        'torchreid resnet50_fc512': lambda: torchreid('resnet50_fc512'),
        'torchreid resnext50_32x4d': lambda: torchreid('resnext50_32x4d'),
        'reid-strong-baseline resnet50': lambda: strong_baseline('resnet50'),
        'reid-strong-baseline resnet50_ibn_a': lambda: strong_baseline('resnet50_ibn_a'),
    }
    expected = {}
    for name, make in networks.items():
        network = filled(make())
        with torch.no_grad():
            feature = network(images())
        # Every eighth number tells as much as all of them.
        expected[name] = {'dim': feature.shape[1],
                          'every_eighth': [float('%.7g' % v) for v in feature.flatten()[::8]],
                          'tensors': {key: list(value.shape) for key, value in network.state_dict().items()
                                      if value.is_floating_point()}}
    target = pathlib.Path(__file__).parents[2] / 'tests/golden/weights/peers_expected.json'
    target.write_text(json.dumps(expected, separators=(',', ':')) + '\n')


if __name__ == '__main__':
    main()
