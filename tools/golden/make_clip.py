"""Makes tests/golden/clip_expected.json: python3 make_clip.py CLIP CLIP-REID OUT.json

CLIP and CLIP-REID are checkouts of github.com/openai/CLIP and github.com/Syliz517/CLIP-ReID. What their own code gives
for images, weights and labels by formula, so that no weights need to be kept; the tests need the JSON file only. Made
with CLIP d05afc4, CLIP-ReID eb1898b, Python 3.11, PyTorch 2.13, on the CPU in 32-bit floats.

torchvision and timm, which the two import, are not used; empty stand-ins will do. CLIP-ReID's model is built by its own classes, with what needs a GPU or a download replaced. Its transformers have two
blocks of their full width, with ten that do nothing between the first and the last, which its code numbers 0 and 11.
"""

import importlib
import json
import sys
import types
import zlib

import torch
from torch import nn

torch.set_num_threads(1)

WIDTH, TEXT_WIDTH, DIM, VOCABULARY = 768, 512, 512, 49408
IDENTITIES, CAMERAS, VIEWS = 5, 3, 2
TEXTS = ['A photo of a X X X X person.', 'A photo of a X X X X vehicle.', "it's a dog's  LIFE, isn't it?",
         'they\'re 2 tall; 1984 (really)...', 'hello-world_42\tpedestrian', 'a!?']


def values(name, shape):
    """u = frac(43758.5453 sin(12.9898 i + 78.233 k)) - 0.5 for the element i, with k the CRC-32 of the name modulo
    1000; scaled by what the tensor is."""
    count = max(1, torch.Size(shape).numel())
    wave = (torch.arange(count, dtype=torch.float64) * 12.9898 + 78.233 * (zlib.crc32(name.encode()) % 1000)).sin()
    u = (wave * 43758.5453).frac()
    u = torch.where(u < 0, u + 1, u).view(shape) - 0.5
    if name.endswith('running_var'):
        return 1 + u
    if len(shape) <= 1:
        return 1 + 0.4 * u if name.endswith('weight') else 0.2 * u
    if 'embed' in name or 'ctx' in name:
        return u
    return u * (12 * shape[0] / count) ** 0.5


def fill(state):
    return {name: values(name, list(tensor.shape)).float() if tensor.is_floating_point() else tensor
            for name, tensor in state.items()}


def images(height, width):
    """x[n, c, h, w] = sin(0.05 h + 0.11 w + 1.7 c + 0.9 n), [4, 3, height, width]"""
    n, c, h, w = torch.meshgrid(*[torch.arange(s, dtype=torch.float64) for s in (4, 3, height, width)], indexing='ij')
    return (0.05 * h + 0.11 * w + 1.7 * c + 0.9 * n).sin().float()


def some(tensor, most=24):
    """Numbers of each row, evenly chosen."""
    rows = tensor.detach().float().reshape(tensor.shape[0], -1)
    return [[float('%.7g' % v) for v in row] for row in rows[:, ::max(1, rows.shape[1] // most)]]


def shapes(state):
    return {name: list(tensor.shape) for name, tensor in state.items()}


def forms(names):
    """Names of tensors with their shapes, in short: {"layer1.#.conv1.weight": [[shape, [numbers]], ...]}"""
    found = {}
    for name, shape in names.items():
        parts = name.split('.')
        at = next((i for i, part in enumerate(parts) if part.isdigit()), None)
        numbers = [] if at is None else [int(parts[at])]
        if at is not None:
            parts[at] = '#'
        entries = found.setdefault('.'.join(parts), [])
        same = next((entry for entry in entries if entry[0] == shape), None)
        if same is None:
            entries.append([shape, numbers])
        else:
            same[1].extend(numbers)
    return found


def openai_parts(model):
    """The parts of OpenAI's networks, and the tensors of its published ViT-B/16 and RN50."""
    expected = {}
    networks = {
        'vit': (model.VisionTransformer(32, 16, WIDTH, 2, WIDTH // 64, DIM), images(32, 32)),
        'resnet': (model.ModifiedResNet((3, 4, 6, 3), 1024, 32, 64, 64), images(64, 64)),
    }
    for name, (network, batch) in networks.items():
        state = {'visual.' + key: tensor for key, tensor in network.state_dict().items()}
        network.load_state_dict({key[len('visual.'):]: tensor for key, tensor in fill(state).items()})
        with torch.no_grad():
            expected[name] = {'projected': some(network.eval()(batch))}
    with torch.device('meta'):
        whole = {'ViT-B/16': model.CLIP(512, 224, 12, 768, 16, 77, VOCABULARY, 512, 8, 12),
                 'RN50': model.CLIP(1024, 224, (3, 4, 6, 3), 64, None, 77, VOCABULARY, 512, 8, 12)}
    for name, network in whole.items():
        names = shapes(network.state_dict())
        names.update({scalar: [] for scalar in ('input_resolution', 'context_length', 'vocab_size')})
        expected.setdefault('published', {})[name] = forms(names)
    return expected


def clip_state(vit, text_layers=2):
    """A file of OpenAI's, without values."""
    from model.clip import model
    if vit:
        visual = model.VisionTransformer(14, 14, 16, 16, WIDTH, 2, WIDTH // 64, DIM)
    else:
        visual = model.ModifiedResNet((3, 4, 6, 3), 1024, 32, 49, 64)
    state = {'visual.' + key: tensor for key, tensor in visual.state_dict().items()}
    text = model.CLIP(DIM if vit else 1024, 224, 1, 64, 16, 16, 77, VOCABULARY, TEXT_WIDTH, 8, text_layers, 1, 1)
    state.update({key: tensor for key, tensor in text.state_dict().items() if not key.startswith('visual.')})
    return state


def with_idle_blocks(blocks):
    return nn.Sequential(blocks[0], *[nn.Identity() for _ in range(10)], blocks[1])


def reid_model(name, stride, size, neck_feat):
    make = importlib.import_module('model.make_model_clipreid')
    from model.clip import clip
    vit = name == 'ViT-B-16'

    def load(_, height, width, vision_stride):
        network = clip.build_model(fill(clip_state(vit)), height, width, vision_stride)
        if vit:
            network.visual.transformer.resblocks = with_idle_blocks(network.visual.transformer.resblocks)
        return network

    make.load_clip_to_cpu = load
    space = types.SimpleNamespace
    cfg = space(MODEL=space(NAME=name, COS_LAYER=False, NECK='bnneck', SIE_COE=3.0, STRIDE_SIZE=[stride, stride],
                            SIE_CAMERA=vit, SIE_VIEW=vit),
                TEST=space(NECK_FEAT=neck_feat), INPUT=space(SIZE_TRAIN=size), DATASETS=space(NAMES='market1501'))
    return make.build_transformer(IDENTITIES, CAMERAS, VIEWS, cfg)


def trained_file(model):
    """Its state, the last block of the image encoder numbered 1."""
    return {key.replace('image_encoder.transformer.resblocks.11.', 'image_encoder.transformer.resblocks.1.'): tensor
            for key, tensor in model.state_dict().items()}


def reid_parts():
    from loss.softmax_loss import CrossEntropyLabelSmooth
    from loss.supcontrast import SupConLoss
    expected = {}
    for key, name, stride in (('reid_vit', 'ViT-B-16', 12), ('reid_resnet', 'RN50', 16)):
        size = [64, 32]
        model = reid_model(name, stride, size, 'before')
        entry = {'adapted': some(model.image_encoder.positional_embedding[1:].flatten()[None] if stride == 12 else
                                 model.image_encoder.attnpool.positional_embedding[1:].flatten()[None], 48)}
        names = shapes(trained_file(model))
        filled = {old: values(new, names[new]).float() if tensor.is_floating_point() else tensor
                  for (old, tensor), new in zip(model.state_dict().items(), names)}
        model.load_state_dict(filled)
        # Those of RN50's image encoder are the published ones.
        entry['tensors'] = forms({new: shape for new, shape in names.items()
                                  if stride == 12 or not new.startswith('image_encoder.')})
        batch = images(*size)
        cameras, views = torch.tensor([0, 2, 1, 2]), torch.tensor([1, 0, 1, 1])
        side = {'cam_label': cameras, 'view_label': views} if stride == 12 else {}
        with torch.no_grad():
            for neck_feat in ('before', 'after'):
                model.neck_feat = neck_feat
                entry['descriptor_' + neck_feat] = some(model.eval()(batch, **side))
            logits, features, projected = model.train()(batch, **side)
            if stride == 12:
                plain = model.eval()(batch, get_image=True)
                entry['without_side'] = some(plain)
        for label, tensor in zip(('logits', 'logits.projected'), logits):
            entry[label] = some(tensor)
        for label, tensor in zip(('penultimate', 'global', 'projected'), features):
            entry[label] = some(tensor)
        expected[key] = entry
    # Both stages' losses, with the text encoder and the prompts by formula of OpenAI's and CLIP-ReID's names.
    model = reid_model('ViT-B-16', 16, [64, 32], 'before')
    with torch.no_grad():
        ctx = model.prompt_learner.cls_ctx
        ctx.copy_(values('prompts.cls_ctx', list(ctx.shape)).float())
        texts = model(label=torch.arange(IDENTITIES), get_text=True)
    labels = torch.tensor([0, 1, 1, 3, 0, 2])
    features = (4 * values('features.embed', [6, DIM])).float().requires_grad_()
    contrast = SupConLoss('cpu')
    ctx.requires_grad_()
    of_images = model(label=labels, get_text=True)
    loss = contrast(features, of_images, labels, labels) + contrast(of_images, features, labels, labels)
    loss.backward()
    smooth = CrossEntropyLabelSmooth(num_classes=IDENTITIES, use_gpu=False)
    second = smooth(features.detach() @ texts.t(), labels)
    expected['texts'] = {'features': some(texts), 'first_loss': loss.item(), 'prompt_gradient': some(ctx.grad),
                         'feature_gradient': some(features.grad), 'second_loss': second.item(),
                         'tensors': forms(shapes(clip_state(True)))}
    return expected


def tokenizer_parts(folder):
    """Tokens of texts, and the merges that could take part in them with their lines."""
    tokenizer = importlib.import_module('clip.simple_tokenizer').SimpleTokenizer(
        folder + '/clip/bpe_simple_vocab_16e6.txt.gz')
    used = {}

    class Ranks(dict):
        def __contains__(self, pair):
            return super().__contains__(pair)

        def get(self, pair, other=None):
            found = super().get(pair, other)
            if pair in self:
                used[' '.join(pair)] = found
            return found

    tokenizer.bpe_ranks = Ranks(tokenizer.bpe_ranks)
    tokenizer.cache.clear()
    return {'texts': [[text, tokenizer.encode(text)] for text in TEXTS], 'merges': used}


def main():
    clip_folder, reid_folder, out = sys.argv[1:4]
    sys.path.insert(0, clip_folder)
    expected = openai_parts(importlib.import_module('clip.model'))
    expected['tokenizer'] = tokenizer_parts(clip_folder)
    sys.path.insert(0, reid_folder)
    nn.Module.to = lambda self, *_, **__: self
    torch.Tensor.cuda = lambda self, *_, **__: self
    expected.update(reid_parts())
    with open(out, 'w') as file:
        file.write('{\n' + ',\n'.join(json.dumps(key) + ': ' + json.dumps(value, separators=(',', ':'))
                                      for key, value in expected.items()) + '\n}\n')


if __name__ == '__main__':
    main()
