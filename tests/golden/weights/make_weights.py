"""Makes the files of this folder with PyTorch (written with 2.13): python3 make_weights.py

The networks are written here from the papers and the public layouts of names, independently of Kindred: a ResNet
with torchvision's names and an SE-ResNet with Cadene's, of two stages and an eighth of the channels. What they
give for images by formula is in expected.json. The tests need the files only, neither Python nor PyTorch.
"""

import collections
import json
import math
import os
import zipfile

import numpy
import torch
from torch import nn

torch.manual_seed(7)


class Basic(nn.Module):
    def __init__(self, channels_in, channels, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(channels_in, channels, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.downsample = None
        if stride != 1 or channels_in != channels:
            self.downsample = nn.Sequential(nn.Conv2d(channels_in, channels, 1, stride, bias=False),
                                            nn.BatchNorm2d(channels))

    def forward(self, x):
        y = self.bn2(self.conv2(self.bn1(self.conv1(x)).relu()))
        return (y + (x if self.downsample is None else self.downsample(x))).relu()


class ResNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 8, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(8)
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        self.layer1 = nn.Sequential(Basic(8, 8, 1))
        self.layer2 = nn.Sequential(Basic(8, 16, 2))
        self.fc = nn.Linear(16, 10)

    def features(self, x):
        return self.layer2(self.layer1(self.maxpool(self.bn1(self.conv1(x)).relu())))

    def features_as_fast_reid(self, x):
        pooled = nn.functional.max_pool2d(self.bn1(self.conv1(x)).relu(), 3, 2, ceil_mode=True)
        return self.layer2(self.layer1(pooled))

    def features_as_strong_baseline(self, x):
        return self.layer2(self.layer1(self.maxpool(self.bn1(self.conv1(x)))))


class Squeeze(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.fc1 = nn.Conv2d(channels, channels // 16, 1)
        self.fc2 = nn.Conv2d(channels // 16, channels, 1)

    def forward(self, x):
        return x * self.fc2(self.fc1(x.mean((2, 3), keepdim=True)).relu()).sigmoid()


class SeBottleneck(nn.Module):
    def __init__(self, channels_in, planes, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(channels_in, planes, 1, stride, bias=False)
        self.bn1 = nn.BatchNorm2d(planes)
        self.conv2 = nn.Conv2d(planes, planes, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(planes)
        self.conv3 = nn.Conv2d(planes, 4 * planes, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(4 * planes)
        self.se_module = Squeeze(4 * planes)
        self.downsample = nn.Sequential(nn.Conv2d(channels_in, 4 * planes, 1, stride, bias=False),
                                        nn.BatchNorm2d(4 * planes))

    def forward(self, x):
        y = self.bn1(self.conv1(x)).relu()
        y = self.bn2(self.conv2(y)).relu()
        return (self.se_module(self.bn3(self.conv3(y))) + self.downsample(x)).relu()


class SeResNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer0 = nn.Sequential(collections.OrderedDict([
            ('conv1', nn.Conv2d(3, 8, 7, 2, 3, bias=False)), ('bn1', nn.BatchNorm2d(8)), ('relu1', nn.ReLU()),
            ('pool', nn.MaxPool2d(3, 2, ceil_mode=True))]))
        self.layer1 = nn.Sequential(SeBottleneck(8, 8, 1))
        self.layer2 = nn.Sequential(SeBottleneck(32, 16, 2))
        self.last_linear = nn.Linear(64, 10)

    def features(self, x):
        return self.layer2(self.layer1(self.layer0(x)))


def make(network):
    """Statistics and weights of batch norms that are neither 0 nor 1, as after a training."""
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias, 0, 0.2)
            module.running_mean.normal_(0, 0.2)
            module.running_var.uniform_(0.5, 2)
            module.num_batches_tracked.fill_(123)
    return network.eval()


def images():
    """x[n, c, h, w] = sin(0.05 h + 0.11 w + 1.7 c + 0.9 n), [2, 3, 32, 16]"""
    n, c, h, w = torch.meshgrid(*[torch.arange(s, dtype=torch.float64) for s in (2, 3, 32, 16)], indexing='ij')
    return (0.05 * h + 0.11 * w + 1.7 * c + 0.9 * n).sin().float()


def save(value, name, **options):
    torch.save(value, name + '.pth', **options)
    torch.save(value, name + '_legacy.pth', _use_new_zipfile_serialization=False, **options)


class Hostile:
    def __reduce__(self):
        return os.system, ('touch /tmp/kindred_was_here',)


def rewritten(source, target, compression, change):
    """The records of an archive once more."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, 'w', compression) as new:
        for info in old.infolist():
            new.writestr(zipfile.ZipInfo(info.filename), change(info.filename, old.read(info)),
                         compress_type=compression)


def main():
    resnet = make(ResNet())
    se_resnet = make(SeResNet())
    save(resnet.state_dict(), 'resnet')
    # As the public file, which PyTorch 0.3 wrote, without counters of batches, and from DataParallel.
    state = {'module.' + key: value for key, value in se_resnet.state_dict().items()
             if not key.endswith('num_batches_tracked')}
    save(state, 'se_resnet_parallel')
    with torch.no_grad():
        expected = {'resnet': resnet.features(images()), 'se_resnet': se_resnet.features(images()),
                    'resnet_as_fast_reid': resnet.features_as_fast_reid(images()),
                    'resnet_as_strong_baseline': resnet.features_as_strong_baseline(images())}
    with open('expected.json', 'w') as file:
        json.dump({name: {'shape': list(value.shape), 'values': [float('%.9g' % v) for v in value.flatten()]}
                   for name, value in expected.items()}, file)

    small = nn.Sequential(nn.Conv2d(2, 3, 1), nn.BatchNorm2d(3))
    optimizer = torch.optim.SGD(small.parameters(), 0.1, momentum=0.9)
    small(torch.ones(2, 2, 1, 1)).sum().backward()
    optimizer.step()
    schedule = torch.optim.lr_scheduler.MultiStepLR(optimizer, [2, 4])
    save({'state_dict': small.state_dict(), 'epoch': 3, 'rank1': numpy.float64(0.5),
          'optimizer': optimizer.state_dict(), 'scheduler': schedule.state_dict()}, 'checkpoint')
    torch.save({'model': small.state_dict(), 'iteration': 5}, 'checkpoint_model.pth', pickle_protocol=4)

    shared = torch.arange(6, dtype=torch.float32)
    save({'f64': torch.tensor([0.5, math.pi], dtype=torch.float64), 'f16': torch.tensor([0.5, -2]).half(),
          'bf16': torch.tensor([0.5, -2]).bfloat16(), 'i64': torch.tensor([-2 ** 40, 3]),
          'i32': torch.tensor([-5, 6], dtype=torch.int32), 'i16': torch.tensor([-5, 6], dtype=torch.int16),
          'i8': torch.tensor([-5, 6], dtype=torch.int8), 'u8': torch.tensor([250, 6], dtype=torch.uint8),
          'bool': torch.tensor([True, False]), 'scalar': torch.tensor(7.0), 'empty': torch.empty(0, 3),
          'transposed': shared.view(2, 3).t(), 'tail': shared[4:], 'parameter': nn.Parameter(torch.tensor([1.5])),
          'number': 3}, 'types')

    torch.save(small, 'module.pth')
    save({'weight': torch.ones(2), 'extra': Hostile()}, 'hostile')
    save(7, 'number')
    torch.jit.script(small).save('script.pth')
    torch.serialization.set_crc32_options(False)
    torch.save({'weight': torch.ones(2)}, 'no_checksum.pth')
    torch.serialization.set_crc32_options(True)
    torch.save({'weight': torch.ones(2)}, 'plain.pth')
    rewritten('plain.pth', 'compressed.pth', zipfile.ZIP_DEFLATED, lambda name, data: data)
    rewritten('plain.pth', 'big_endian.pth', zipfile.ZIP_STORED,
              lambda name, data: b'big' if name.endswith('byteorder') else data)
    os.remove('plain.pth')


if __name__ == '__main__':
    main()
