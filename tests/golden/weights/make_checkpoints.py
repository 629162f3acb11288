"""Makes the checkpoints of this folder that hold more than weights, with PyTorch: python3 make_checkpoints.py

The tests need the files only, neither Python nor PyTorch.
"""

import argparse
import os

import torch
from torch import nn

torch.manual_seed(7)


class Hostile:
    def __reduce__(self):
        return os.system, ('touch /tmp/kindred_was_here',)


class Config(dict):
    """A class of the program that wrote the file."""


def main():
    state = nn.Sequential(nn.Conv2d(2, 3, 1), nn.BatchNorm2d(3)).state_dict()
    other = {key: value + 1 for key, value in state.items()}
    config = Config(lr=0.1)
    config.frozen = True
    # A loss beside the weights, the command line, an object with items and attributes, one that would run a command.
    torch.save({'loss': torch.tensor(0.5), 'args': argparse.Namespace(lr=0.1, arch='resnet50'), 'cfg': config,
                'hook': Hostile(), 'epoch': 3, 'state_dict': state}, 'objects.pth')
    torch.save({'checkpoint': [{'net_dict': {'params': state}}], 'best_acc': torch.tensor([0.9])}, 'nested.pth')
    torch.save({'teacher': {'backbone': state}, 'student': other, 'epoch': 3}, 'teacher_student.pth')
    torch.save({'ema_weights': state, 'loss': torch.tensor(0.5)}, 'own_key.pth')
    torch.save({'model': nn.Linear(2, 2), 'epoch': 3}, 'module_inside.pth')


if __name__ == '__main__':
    main()
