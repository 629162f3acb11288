"""The two networks of kindred-bench's comparison with PyTorch, as their papers and the recipes define them.

mgn       MGN (Wang et al., ACM MM 2018) on SE-ResNet50 (Hu et al., CVPR 2018): configs/naic/base.toml
resnet50  ResNet50 (He et al., CVPR 2016) with last stride 1 and a BN neck (Luo et al., CVPRW 2019):
          configs/market1501/bag_of_tricks_resnet50.toml

Both give in training what their losses are on, in evaluation the descriptor, not normalized.
"""
import copy

import torch
from torch import nn
from torch.nn import functional


class Squeeze(nn.Module):
    """Scales each channel by what the whole map's mean says of it."""

    def __init__(self, channels, reduction=16):
        super().__init__()
        self.fc1 = nn.Conv2d(channels, channels // reduction, 1)
        self.fc2 = nn.Conv2d(channels // reduction, channels, 1)

    def forward(self, map):
        squeezed = functional.adaptive_avg_pool2d(map, 1)
        return map * torch.sigmoid(self.fc2(functional.relu(self.fc1(squeezed), inplace=True)))


class Bottleneck(nn.Module):
    """With squeeze and excitation the stride is that of the first convolution, else that of the second."""

    def __init__(self, inputs, planes, stride, squeezes, downsamples):
        super().__init__()
        first, second = (stride, 1) if squeezes else (1, stride)
        self.conv1 = nn.Conv2d(inputs, planes, 1, stride=first, bias=False)
        self.bn1 = nn.BatchNorm2d(planes)
        self.conv2 = nn.Conv2d(planes, planes, 3, stride=second, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(planes)
        self.conv3 = nn.Conv2d(planes, 4 * planes, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(4 * planes)
        self.squeeze = Squeeze(4 * planes) if squeezes else nn.Identity()
        self.downsample = None
        if downsamples:
            self.downsample = nn.Sequential(
                nn.Conv2d(inputs, 4 * planes, 1, stride=stride, bias=False), nn.BatchNorm2d(4 * planes)
            )

    def forward(self, input):
        map = functional.relu(self.bn1(self.conv1(input)), inplace=True)
        map = functional.relu(self.bn2(self.conv2(map)), inplace=True)
        map = self.squeeze(self.bn3(self.conv3(map)))
        map = map + (input if self.downsample is None else self.downsample(input))
        return functional.relu(map, inplace=True)


def stage(inputs, planes, count, stride, squeezes):
    blocks = [Bottleneck(inputs, planes, stride, squeezes, True)]
    blocks += [Bottleneck(4 * planes, planes, 1, squeezes, False) for _ in range(count - 1)]
    return nn.Sequential(*blocks)


def stem(squeezes):
    pooling = nn.MaxPool2d(3, 2, ceil_mode=True) if squeezes else nn.MaxPool2d(3, 2, padding=1)
    return nn.Sequential(
        nn.Conv2d(3, 64, 7, stride=2, padding=3, bias=False), nn.BatchNorm2d(64), nn.ReLU(inplace=True), pooling
    )


class Resnet50Neck(nn.Module):
    def __init__(self, identities):
        super().__init__()
        self.trunk = nn.Sequential(
            stem(False),
            stage(64, 64, 3, 1, False),
            stage(256, 128, 4, 2, False),
            stage(512, 256, 6, 2, False),
            stage(1024, 512, 3, 1, False),
        )
        self.neck = nn.BatchNorm1d(2048)
        self.neck.bias.requires_grad_(False)
        self.classifier = nn.Linear(2048, identities, bias=False)

    def forward(self, images):
        pooled = functional.adaptive_avg_pool2d(self.trunk(images), 1).flatten(1)
        neck = self.neck(pooled)
        if not self.training:
            return neck
        return pooled, self.classifier(neck)

    def losses(self, outputs, labels):
        pooled, logits = outputs
        return functional.cross_entropy(logits.float(), labels, label_smoothing=0.1) + triplet(pooled.float(), labels, 0.3)

    def optimizers(self):
        return [torch.optim.Adam([p for p in self.parameters() if p.requires_grad], lr=3.5e-6, weight_decay=5e-4)]


class Mgn(nn.Module):
    """The branches are copies of the network after the first block of its third stage."""

    parts = 8

    def __init__(self, identities, dim=256):
        super().__init__()
        third = stage(512, 256, 6, 2, True)
        self.trunk = nn.Sequential(stem(True), stage(64, 64, 3, 1, True), stage(256, 128, 4, 2, True), third[0])
        self.branches = nn.ModuleList()
        for number in range(3):
            # The first branch, which has no stripes, keeps the stride of the last stage.
            fourth = stage(1024, 512, 3, 2 if number == 0 else 1, True)
            self.branches.append(nn.Sequential(*(copy.deepcopy(block) for block in third[1:]), *fourth))
        self.reductions = nn.ModuleList(
            nn.Sequential(nn.Conv2d(2048, dim, 1, bias=False), nn.BatchNorm2d(dim)) for _ in range(self.parts)
        )
        self.classifiers = nn.ModuleList(nn.Linear(dim, identities) for _ in range(self.parts))
        self.centers = nn.Parameter(torch.randn(identities, self.parts * dim))

    def forward(self, images):
        map = self.trunk(images)
        maps = [branch(map) for branch in self.branches]
        pooled = [functional.adaptive_max_pool2d(own, 1) for own in maps]
        for stripes in (2, 3):
            pooled += functional.adaptive_max_pool2d(maps[stripes - 1], (stripes, 1)).split(1, dim=2)
        reduced = [reduction(own).flatten(1) for reduction, own in zip(self.reductions, pooled)]
        descriptor = torch.cat(reduced, 1)
        if not self.training:
            return descriptor
        logits = [classifier(functional.relu(own)) for classifier, own in zip(self.classifiers, reduced)]
        return reduced[:3], logits, descriptor

    def losses(self, outputs, labels):
        reduced, logits, descriptor = outputs
        loss = sum(functional.cross_entropy(own.float(), labels) for own in logits)
        loss = loss + sum(triplet(own.float(), labels, 1.0) for own in reduced)
        own = functional.embedding(labels, self.centers, sparse=True)
        to_centers = (descriptor.float() - own).pow(2).sum(1)
        return loss + 8e-5 * to_centers.mean()

    def optimizers(self):
        new = [p for part in (self.reductions, self.classifiers) for p in part.parameters()]
        old = [p for part in (self.trunk, self.branches) for p in part.parameters()]
        groups = [{"params": old, "lr": 5e-5}, {"params": new, "lr": 5e-4}]
        return [
            torch.optim.SGD(groups, lr=5e-5, momentum=0.9, weight_decay=5e-4),
            torch.optim.SGD([self.centers], lr=5e-3),
        ]


def triplet(features, labels, margin):
    """The farthest image of the same identity against the nearest of another (Hermans et al., 2017)."""
    squares = features.pow(2).sum(1)
    squared = squares[:, None] + squares[None, :] - 2 * features @ features.t()
    distances = squared.clamp_min(1e-12).sqrt()
    same = labels[:, None] == labels[None, :]
    farthest = distances.masked_fill(~same, 0).amax(1)
    nearest = distances.masked_fill(same, float("inf")).amin(1)
    return functional.relu(margin + farthest - nearest).mean()


def build(name, identities):
    return {"mgn": Mgn, "resnet50": Resnet50Neck}[name](identities)


def network_parameters(network):
    """Those of the network itself: centers belong to a loss."""
    return sum(p.numel() for name, p in network.named_parameters() if name != "centers")


def flops_of_forward(network, height, width):
    """FLOP of convolutions and linear layers for one image in the network's mode; a product and a sum are two."""
    counted = []

    def count(module, _, output):
        if isinstance(module, nn.Conv2d):
            counted.append(2 * output.numel() * module.weight[0].numel())
        else:
            counted.append(2 * output.numel() * module.in_features)

    handles = [m.register_forward_hook(count) for m in network.modules() if isinstance(m, (nn.Conv2d, nn.Linear))]
    with torch.no_grad():
        # Two, for batch norms in training.
        network(torch.zeros(2, 3, height, width))
    for handle in handles:
        handle.remove()
    return sum(counted) / 2
