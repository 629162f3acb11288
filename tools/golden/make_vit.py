"""Makes tests/golden/weights/vit_expected.json: what other programs' vision transformers give for weights and images by
formula, and what they call their tensors.

    python3 make_vit.py TRANSREID DINOV2 DEIT OUT

TRANSREID, DINOV2 and DEIT are checkouts of damo-cv/TransReID, facebookresearch/dinov2 and facebookresearch/deit. The
networks differ from the published ones in width and depth alone. Made with Python 3.11, PyTorch 2.13.0, torchvision
0.29.1, timm 1.0.31, damo-cv/TransReID dec5504, facebookresearch/dinov2 b8931f7 and facebookresearch/deit 7e160fe.
"""

import collections.abc
import contextlib
import functools
import io
import pathlib
import sys
import types

import torch

# A torchvision that was built for another PyTorch lacks its operators, but still has its transformer.
register_fake, torch.library.register_fake = torch.library.register_fake, lambda name: lambda function: function

import timm  # noqa: E402
import timm.layers  # noqa: E402
import timm.models.deit  # noqa: E402
import timm.models.vision_transformer  # noqa: E402
import torchvision.models.vision_transformer  # noqa: E402

import formula  # noqa: E402

torch.library.register_fake = register_fake

DIM, DEPTH, HEADS, CLASSES = 32, 2, 4, 5


def values(name, shape):
    return (1 if name.endswith('running_var') else 0) + formula.values(name, shape)


def filled(network):
    """The network with weights by formula, in 64 bits and in evaluation."""
    network.load_state_dict({key: values(key, value.shape) if value.is_floating_point() else value
                             for key, value in network.state_dict().items()})
    return network.double().eval()


def images(height, width):
    return formula.images(height, width).double()


def lines(network):
    return formula.tensor_lines(network, r'(?:.*\.)?(?:blocks\.|encoder_layer_)(\d+)\.')


def tokens_of(network, tokens, extra):
    """The class token and the mean of the grid's."""
    return {'tensors': lines(network), 'class': formula.rounded(tokens[:, 0]), 'mean': formula.rounded(tokens[:, extra:].mean(1))}


def timm_case(make, extra, **options):
    network = filled(make(img_size=(64, 32), patch_size=16, embed_dim=DIM, depth=DEPTH, num_heads=HEADS,
                          num_classes=CLASSES, **options))
    return tokens_of(network, network.forward_features(images(64, 32)), extra)


def torchvision_case():
    network = filled(torchvision.models.vision_transformer.VisionTransformer(64, 16, DEPTH, HEADS, DIM, 4 * DIM,
                                                                             num_classes=CLASSES))
    x = network._process_input(images(64, 64))
    tokens = network.encoder(torch.cat([network.class_token.expand(2, -1, -1), x], 1))
    return tokens_of(network, tokens, 1)


def dinov2_case(registers):
    sys.path.insert(0, sys.argv[2])
    from dinov2.layers import MemEffAttention, NestedTensorBlock
    from dinov2.models.vision_transformer import DinoVisionTransformer
    network = filled(DinoVisionTransformer(
        img_size=56, patch_size=14, embed_dim=DIM, depth=DEPTH, num_heads=HEADS, mlp_ratio=4, init_values=1e-5,
        block_chunks=0, num_register_tokens=registers,
        block_fn=functools.partial(NestedTensorBlock, attn_class=MemEffAttention)))
    features = network.forward_features(images(56, 56))
    return {'tensors': lines(network), 'class': formula.rounded(features['x_norm_clstoken']),
            'mean': formula.rounded(features['x_norm_patchtokens'].mean(1))}


def deit3_case():
    sys.path.insert(0, sys.argv[3])
    import models_v2
    network = filled(models_v2.vit_models(
        img_size=(64, 32), patch_size=16, embed_dim=DIM, depth=DEPTH, num_heads=HEADS, qkv_bias=True, num_classes=CLASSES,
        norm_layer=functools.partial(torch.nn.LayerNorm, eps=1e-6), block_layers=models_v2.Layer_scale_init_Block))
    tokens = []
    hook = network.norm.register_forward_hook(lambda module, inputs, output: tokens.append(output))
    network.forward_features(images(64, 32))
    hook.remove()
    return tokens_of(network, tokens[0], 1)


def transreid_module(name, change=lambda text: text):
    module = types.ModuleType(name)
    module.__package__ = name.rpartition('.')[0]
    sys.modules[name] = module
    exec(change((pathlib.Path(sys.argv[1]) / (name.replace('.', '/') + '.py')).read_text()), module.__dict__)
    return module


def transreid():
    six = types.ModuleType('torch._six')
    six.container_abcs = collections.abc
    sys.modules['torch._six'] = six
    resnet = types.ModuleType('model.backbones.resnet')
    resnet.ResNet = resnet.Bottleneck = None
    losses = types.ModuleType('loss.metric_learning')
    losses.Arcface = losses.Cosface = losses.AMSoftmax = losses.CircleLoss = None
    for package in ('model', 'model.backbones', 'loss'):
        sys.modules[package] = types.ModuleType(package)
        sys.modules[package].__path__ = []
    sys.modules['model.backbones.resnet'] = resnet
    sys.modules['loss.metric_learning'] = losses
    vit = transreid_module('model.backbones.vit_pytorch')
    return vit, transreid_module('model.make_model',
                                 lambda text: text.replace('self.in_planes = 768', f'self.in_planes = {DIM}'))


def transreid_case(vit, models, jpm, camera, view, size):
    """Stride 12; with the jigsaw patch module 12 blocks, which its names count on."""
    def network(img_size, stride_size, **options):
        options.pop('drop_path_rate')
        return vit.TransReID(img_size=img_size, patch_size=16, stride_size=stride_size, embed_dim=DIM,
                             depth=12 if jpm else DEPTH, num_heads=HEADS, mlp_ratio=4, qkv_bias=True, num_classes=CLASSES,
                             norm_layer=functools.partial(torch.nn.LayerNorm, eps=1e-6), **options)

    names = types.SimpleNamespace
    config = names(
        MODEL=names(LAST_STRIDE=1, PRETRAIN_PATH='', NAME='transformer', PRETRAIN_CHOICE='', COS_LAYER=False,
                    NECK='bnneck', TRANSFORMER_TYPE='small', SIE_CAMERA=camera > 0, SIE_VIEW=view > 0, SIE_COE=3.0,
                    STRIDE_SIZE=[12, 12], DROP_PATH=0.0, DROP_OUT=0.0, ATT_DROP_RATE=0.0, JPM=jpm,
                    ID_LOSS_TYPE='softmax', SHUFFLE_GROUP=2, SHIFT_NUM=5, DEVIDE_LENGTH=4, RE_ARRANGE=True),
        TEST=names(NECK_FEAT='before'), INPUT=names(SIZE_TRAIN=list(size)))
    with contextlib.redirect_stdout(io.StringIO()):
        if jpm:
            model = models.build_transformer_local(CLASSES, camera, view, config, {'small': network}, rearrange=True)
        else:
            model = models.build_transformer(CLASSES, camera, view, config, {'small': network})
    filled(model)
    sides = {'cam_label': torch.tensor([2, 0]), 'view_label': torch.tensor([1, 1])}
    case = {'tensors': lines(model), 'before': formula.rounded(model(images(*size), **sides))}
    model.neck_feat = 'after'
    case['after'] = formula.rounded(model(images(*size), **sides))
    scores, _ = model.train()(images(*size), **sides)
    case['logits'] = formula.rounded(torch.cat(scores, 1) if jpm else scores)
    return case


def position_cases(vit):
    def source(tokens):
        return formula.values('pos_embed', (1, tokens, 2))

    def resized(tokens, rows, columns):
        with contextlib.redirect_stdout(io.StringIO()):
            return vit.resize_pos_embed(source(tokens), torch.zeros(1, rows * columns + 1, 2), rows, columns)

    sample = timm.layers.resample_abs_pos_embed
    return {'bicubic_14x14_to_5x3': formula.rounded(sample(source(197), [5, 3])),
            'bicubic_3x3_to_5x4': formula.rounded(sample(source(10), [5, 4])),
            'bicubic_7x3_to_4x2': formula.rounded(sample(source(22), [4, 2], old_size=[7, 3])),
            'bilinear_14x14_to_5x3': formula.rounded(resized(197, 5, 3)),
            'bilinear_3x3_to_5x4': formula.rounded(resized(10, 5, 4))}


def sizes():
    """Parameters of the published networks, less their classifiers."""
    names = {'tiny': 'vit_tiny_patch16_224', 'small': 'deit_small_patch16_224', 'base': 'vit_base_patch16_224',
             'large': 'vit_large_patch16_224', 'distilled': 'deit_base_distilled_patch16_224',
             'registers': 'vit_small_patch14_reg4_dinov2'}
    with torch.device('meta'):
        return {key: sum(p.numel() for p in timm.create_model(name, num_classes=0).parameters())
                for key, name in names.items()}


@torch.no_grad()
def main():
    vit, models = transreid()
    vision = timm.models.vision_transformer.VisionTransformer
    cases = {
        'timm': timm_case(vision, 1),
        'timm_distilled': timm_case(timm.models.deit.VisionTransformerDistilled, 2),
        'timm_registers': timm_case(vision, 5, reg_tokens=4, no_embed_class=True, init_values=1e-5),
        'torchvision': torchvision_case(),
        'dinov2': dinov2_case(0),
        'dinov2_registers': dinov2_case(4),
        'deit3': deit3_case(),
        'transreid': transreid_case(vit, models, True, 3, 2, (64, 40)),
        'transreid_camera': transreid_case(vit, models, False, 3, 0, (64, 32)),
        'transreid_plain': transreid_case(vit, models, False, 0, 0, (64, 32)),
    }
    formula.write(sys.argv[4], {'programs': cases, 'positions': position_cases(vit), 'parameters': sizes()})


if __name__ == '__main__':
    main()
