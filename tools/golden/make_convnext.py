"""Makes tests/golden/weights/convnext_expected.json: what other programs' ConvNeXt give for weights and images by
formula, and what they call their tensors.

    python3 make_convnext.py FACEBOOK OUT

FACEBOOK is models/convnext.py of facebookresearch/ConvNeXt. Made with Python 3.11, PyTorch 2.13.0, torchvision 0.29.1,
timm 1.0.31 and facebookresearch/ConvNeXt 048efcea89.
"""

import importlib.util
import sys

import torch
import torchvision
from timm.models import convnext

import formula

SIZE = (96, 40)  # the map of a stage has an odd width


def module(name, path):
    spec = importlib.util.spec_from_file_location(name, path)
    found = importlib.util.module_from_spec(spec)
    sys.modules[name] = found  # it registers its networks
    spec.loader.exec_module(found)
    return found


def facebook_map(network, images):
    for downsample, stage in zip(network.downsample_layers, network.stages):
        images = stage(downsample(images))
    return images


def dense_map(network, images):
    """With stride 1 in the last downsampling."""
    downsample = network.stages[3].downsample
    downsample[1].stride = (1, 1)
    downsample.insert(1, torch.nn.ZeroPad2d((0, 1, 0, 1)))
    return network.forward_features(images)


def main():
    facebook = module('facebook', sys.argv[1])
    timm_blocks = r'stages\.\d+\.blocks\.(\d+)\.'
    programs = {
        'timm': formula.network_entry(convnext.convnext_tiny(), timm_blocks, SIZE,
                                      lambda network, images: network.forward_features(images)),
        'ConvNeXt (Facebook)': formula.network_entry(facebook.ConvNeXt(), r'stages\.\d+\.(\d+)\.', SIZE, facebook_map),
        'torchvision': formula.network_entry(torchvision.models.convnext_tiny(), r'features\.[1357]\.(\d+)\.', SIZE,
                                             lambda network, images: network.features(images)),
    }
    others = {
        # timm's norm is made for maps of any size; it pools them to one pixel before.
        'normalized': formula.network_entry(convnext.convnext_tiny(), timm_blocks, SIZE,
                                            lambda network, images: network.head.norm(network.forward_features(images))),
        'last stride 1': formula.network_entry(convnext.convnext_tiny(), timm_blocks, SIZE, dense_map),
    }
    for other in others.values():
        del other['tensors']
    checksums = {}
    for size in ('tiny', 'small', 'base'):
        network = getattr(convnext, f'convnext_{size}')()
        checksums[size] = formula.checksum((key, value.shape) for key, value in network.state_dict().items()
                                           if not key.startswith('head.'))
    formula.write(sys.argv[2], {'programs': programs, 'timm': others, 'checksums': checksums})


if __name__ == '__main__':
    main()
