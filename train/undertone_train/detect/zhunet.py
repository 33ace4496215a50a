"""Zhu-Net: trainable high-pass kernels, separable convolutions, spatial pyramid pooling.

R. Zhang, F. Zhu, J. Liu, G. Liu, "Depth-wise separable convolutions and multi-level pooling for an efficient spatial CNN-based steganalysis", IEEE
TIFS 15, 2020: thirty kernels that start as the rich model's residuals (Fridrich, Kodovsky 2012), two separable blocks with a shortcut around them, four
basic blocks, averages over 4x4, 2x2 and 1x1 parts (2,688 values), 1,024 hidden units.

One departure: the paper trims 25 of the kernels to 3x3.  The eight of third order have four taps in a row, which a 3x3 cannot hold, so they stay 5x5
here: 17 and 13 kernels instead of 25 and 5, which is 128 more weights.  For three colours every colour has its own thirty maps.
"""
import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from .rich import KB, KV

AROUND = [(0, 1), (1, 1), (1, 0), (1, -1), (0, -1), (-1, -1), (-1, 0), (-1, 1)]


def _taps(size, offsets):
    k = np.zeros((size, size), np.float32)
    for (y, x), v in offsets.items():
        k[size // 2 + y, size // 2 + x] = v
    return k


def kernels():
    """-> ([17][3][3], [13][5][5]), each scaled so that its centre tap is +-1, and each summing to 0."""
    small = [_taps(3, {(0, 0): -1, d: 1}) for d in AROUND]
    small += [_taps(3, {(0, 0): -1, d: 0.5, (-d[0], -d[1]): 0.5}) for d in AROUND[:4]]
    small.append(KB.copy())
    edge = KB.copy()
    edge[2] = 0  # the part at and above the centre; its taps sum to zero by themselves
    small += [np.rot90(edge, i) for i in range(4)]
    large = [_taps(5, {(0, 0): -1, d: 1, (2 * d[0], 2 * d[1]): -1 / 3, (-d[0], -d[1]): 1 / 3}) for d in AROUND]
    large.append(KV.copy())
    half = KV.copy()
    half[3:] = 0
    large += [np.rot90(half, i) for i in range(4)]
    return np.stack(small), np.stack(large)


def basic(inputs, outputs, pooled):
    layers = [nn.Conv2d(inputs, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()]
    return nn.Sequential(*layers, *([nn.AvgPool2d(5, 2, 2)] if pooled else []))


class Separable(nn.Module):
    """Each map is filtered twice by itself, then all are mixed; the first block takes magnitudes between."""

    def __init__(self, width, magnitude):
        super().__init__()
        self.magnitude = magnitude
        self.alone = nn.Conv2d(width, 2 * width, 3, padding=1, groups=width, bias=False)
        self.mixed = nn.Conv2d(2 * width, width, 1, bias=False)
        self.norm = nn.BatchNorm2d(width)

    def forward(self, x):
        x = self.alone(x)
        return torch.relu(self.norm(self.mixed(x.abs() if self.magnitude else x)))


class ZhuNet(nn.Module):
    """[n][c][h][w], values 0 to 255 -> logits [n][2]: cover, stego."""

    def __init__(self, channels=1):
        super().__init__()
        self.channels, width = channels, 30 * channels
        self.small, self.large = (nn.Parameter(torch.tensor(k[:, None]).repeat(channels, 1, 1, 1)) for k in kernels())
        self.separable = nn.Sequential(Separable(width, True), Separable(width, False))
        self.blocks = nn.Sequential(basic(width, 32, True), basic(32, 32, True), basic(32, 64, True), basic(64, 128, False))
        self.hidden, self.head = nn.Linear(128 * (16 + 4 + 1), 1024), nn.Linear(1024, 2)
        for m in self.modules():
            if isinstance(m, nn.Conv2d):
                nn.init.kaiming_normal_(m.weight, nonlinearity="relu")

    def forward(self, x):
        x = torch.cat([F.conv2d(x, self.small, padding=1, groups=self.channels), F.conv2d(x, self.large, padding=2, groups=self.channels)], 1)
        x = self.blocks(x + self.separable(x))
        pooled = torch.cat([F.adaptive_avg_pool2d(x, n).flatten(1) for n in (4, 2, 1)], 1)
        return self.head(torch.relu(self.hidden(pooled)))
