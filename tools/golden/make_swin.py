"""Makes tests/golden/weights/swin_expected.json: what other programs' Swin Transformers give for weights and images by
formula, and what they call their tensors.

    python3 make_swin.py MICROSOFT SOLIDER OUT

MICROSOFT is models/swin_transformer.py of microsoft/Swin-Transformer, SOLIDER is model/backbones/swin_transformer.py
of tinyvision/SOLIDER-REID. Made with Python 3.11, PyTorch 2.13.0, torchvision 0.29.1, timm 1.0.31,
microsoft/Swin-Transformer f82860bfb5 and tinyvision/SOLIDER-REID 8c08e1c325.
"""

import importlib.util
import sys
import types

import timm
import torch
import torch.nn.functional as functional
import torchvision

import formula

LAYERS = r'(?:layers|stages)\.\d+\.blocks\.(\d+)\.'


def module(name, path):
    spec = importlib.util.spec_from_file_location(name, path)
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


def solider(path):
    """SOLIDER's module; of mmcv and OpenCV it uses nothing here."""
    runner = types.ModuleType('mmcv.runner')
    runner.load_checkpoint = None
    sys.modules.update({'mmcv': types.ModuleType('mmcv'), 'mmcv.runner': runner, 'cv2': types.ModuleType('cv2')})
    return module('solider', path)


def solider_map(network, images, weight):
    """The network writes its weight to the GPU unless it is given."""
    weights = torch.tensor([[weight, 1 - weight]], dtype=torch.float64).expand(len(images), 2)
    return network(images, weights)[1][-1]


def table_entry(heads=3, window=7, wanted=3):
    """A table of relative positions as SOLIDER-REID and Microsoft make it for another window."""
    side, new_side = 2 * window - 1, 2 * wanted - 1
    table = formula.values('table', (side * side, heads))
    square = table.permute(1, 0).reshape(1, heads, side, side)
    resized = functional.interpolate(square, size=(new_side, new_side), mode='bicubic')
    return {'window': window, 'wanted': wanted, 'heads': heads,
            'values': formula.rounded(resized.view(heads, -1).permute(1, 0))}


def main():
    microsoft = module('microsoft', sys.argv[1])
    reid = solider(sys.argv[2])
    to_map = lambda pixels: pixels.permute(0, 3, 1, 2)

    def microsoft_map(network, images):
        tokens = network.pos_drop(network.patch_embed(images))
        for layer in network.layers:
            tokens = layer(tokens)
        return to_map(network.norm(tokens).view(len(images), 3, 3, -1))

    programs = {
        # Sizes that give whole windows in every stage: there timm and Microsoft need no padding.
        'timm': formula.network_entry(
            timm.create_model('swin_tiny_patch4_window7_224', img_size=(192, 96), window_size=3), LAYERS, (192, 96),
            lambda network, images: to_map(network.forward_features(images))),
        'Swin Transformer (Microsoft)': formula.network_entry(
            microsoft.SwinTransformer(img_size=96, window_size=3), LAYERS, (96, 96), microsoft_map),
        # Sizes that do not.
        'torchvision': formula.network_entry(
            torchvision.models.swin_t(), r'features\.[1357]\.(\d+)\.', (96, 40),
            lambda network, images: to_map(network.norm(network.features(images)))),
        'SOLIDER': formula.network_entry(
            reid.swin_tiny_patch4_window7_224(semantic_weight=0.2), LAYERS, (96, 40),
            lambda network, images: solider_map(network, images, 0.2)),
    }
    # 94 x 42: not even whole patches.
    others = {
        'plain': formula.network_entry(
            reid.swin_tiny_patch4_window7_224(semantic_weight=-1), LAYERS, (94, 42),
            lambda network, images: network(images)[1][-1]),
        'last stride 1': formula.network_entry(
            reid.SwinTransformer(strides=(4, 2, 2, 1), semantic_weight=-1), LAYERS, (96, 40),
            lambda network, images: network(images)[1][-1]),
    }
    for other in others.values():
        del other['tensors']
    checksums = {}
    for size in ('tiny', 'small', 'base'):
        network = timm.create_model(f'swin_{size}_patch4_window7_224')
        checksums[size] = formula.checksum(
            (key, value.shape) for key, value in network.state_dict().items() if not key.startswith('head.'))
    formula.write(sys.argv[3], {'programs': programs, 'SOLIDER without semantic weight': others, 'checksums': checksums,
                                'table': table_entry()})


if __name__ == '__main__':
    main()
