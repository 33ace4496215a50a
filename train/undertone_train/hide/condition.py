"""The network that looks at a photo's luma blocks and says something of each coefficient: parallel channel and spatial attention.

Planes are [batch][c][rows][columns], one value a block of 8x8 pixels; coefficient planes have c = 64, row-major frequencies, orthonormal DCT of level-shifted luma.
Everything is local (a window of blocks), so that the runtime can do a photo of any size in tiles (src/stage/hide/condition.c computes the same).
"""
import torch
from torch import nn
from torch.nn import functional as F

NINPUTS = 128
FINE, COARSE = 4.0, 48.0  # coefficient units at which the two input scales are half way


def features(x):
    """Coefficients [..][64][h][w] -> [..][128][h][w] in -1..1: magnitudes on two scales; DC, the brightness, keeps its sign."""
    m = x.abs()
    fine, coarse = m / (FINE + m), m / (COARSE + m)
    dc = x[..., :1, :, :] / 1024
    return torch.cat([dc, fine[..., 1:, :, :], dc, coarse[..., 1:, :, :]], -3)


class Attention(nn.Module):
    """Depthwise 3x3, pointwise, then a gate for each channel and one for each place, side by side, added; a residual block.

    The channel gate looks at means over 5x5 blocks (inside the picture) rather than over the whole picture, which tiles could not know.
    channel, spatial: switch a gate off for the ablation; with neither the block is a plain one.
    """

    def __init__(self, width, channel=True, spatial=True):
        super().__init__()
        self.depthwise = nn.Conv2d(width, width, 3, padding=1, groups=width)
        self.mix = nn.Conv2d(width, width, 1)
        self.squeeze = nn.Conv2d(width, width // 4, 1) if channel else None
        self.excite = nn.Conv2d(width // 4, width, 1) if channel else None
        self.spatial = nn.Conv2d(2, 1, 3, padding=1) if spatial else None
        self.out = nn.Conv2d(width, width, 1)

    def forward(self, h):
        r = F.relu(self.mix(self.depthwise(h)))
        gate = 0
        if self.squeeze is not None:
            mean = F.avg_pool2d(r, 5, 1, 2, count_include_pad=False)
            gate = gate + torch.sigmoid(self.excite(F.relu(self.squeeze(mean))))
        if self.spatial is not None:
            gate = gate + torch.sigmoid(self.spatial(torch.cat([r.mean(1, keepdim=True), r.amax(1, keepdim=True)], 1)))
        return h + self.out(r * gate if self.squeeze is not None or self.spatial is not None else r)


class Condition(nn.Module):
    """[batch][inputs][h][w] -> [batch][outputs][h][w].  The last layer starts at zero: a new network says nothing.  Sees 3 blocks further for each attention block (3x3, 5x5 or 3x3)."""

    def __init__(self, inputs=NINPUTS, width=48, blocks=3, outputs=64, channel=True, spatial=True):
        super().__init__()
        self.inp = nn.Conv2d(inputs, width, 1)
        self.blocks = nn.ModuleList(Attention(width, channel, spatial) for _ in range(blocks))
        self.outp = nn.Conv2d(width, outputs, 1)
        nn.init.zeros_(self.outp.weight)
        nn.init.zeros_(self.outp.bias)

    def forward(self, x):
        h = self.inp(x)
        for block in self.blocks:
            h = block(h)
        return self.outp(F.relu(h))
