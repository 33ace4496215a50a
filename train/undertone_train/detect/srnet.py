"""SRNet: a residual network without pooling in its first seven layers, so that a faint signal is not averaged away.

M. Boroumand, M. Chen, J. Fridrich, "Deep residual network for steganalysis of digital images", IEEE TIFS 14(5), 2019: twelve layers of four types,
no bias in convolutions.  Layer widths as there: 64, 16, 5 x 16 (unpooled residuals), 16, 64, 128, 256 (pooled residuals), 512, global average, two
logits.  For one input channel: 4,776,962 parameters.
"""
import torch
from torch import nn


def conv_bn(inputs, outputs, kernel=3, stride=1):
    return nn.Sequential(nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False), nn.BatchNorm2d(outputs))


class Residual(nn.Module):
    """Types 2 and 3: two convolutions beside a shortcut; pooled: half the size, and the shortcut is a strided 1x1 convolution."""

    def __init__(self, inputs, outputs, pooled):
        super().__init__()
        self.first, self.second = conv_bn(inputs, outputs), conv_bn(outputs, outputs)
        self.pool = nn.AvgPool2d(3, 2, 1) if pooled else nn.Identity()
        self.shortcut = conv_bn(inputs, outputs, 1, 2) if pooled else nn.Identity()

    def forward(self, x):
        return self.shortcut(x) + self.pool(self.second(torch.relu(self.first(x))))


class SRNet(nn.Module):
    """[n][c][h][w], values 0 to 255 -> logits [n][2]: cover, stego."""

    def __init__(self, channels=1):
        super().__init__()
        pooled = [(16, 16), (16, 64), (64, 128), (128, 256)]
        self.front = nn.Sequential(conv_bn(channels, 64), nn.ReLU(), conv_bn(64, 16), nn.ReLU())
        self.middle = nn.Sequential(*(Residual(16, 16, False) for _ in range(5)), *(Residual(a, b, True) for a, b in pooled))
        self.top = nn.Sequential(conv_bn(256, 512), nn.ReLU(), conv_bn(512, 512))
        self.head = nn.Linear(512, 2)
        for m in self.modules():
            if isinstance(m, nn.Conv2d):
                nn.init.kaiming_normal_(m.weight, nonlinearity="relu")
        nn.init.normal_(self.head.weight, std=0.01)
        nn.init.zeros_(self.head.bias)

    def forward(self, x):
        return self.head(self.top(self.middle(self.front(x))).mean((2, 3)))
