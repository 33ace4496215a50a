"""How far a change of a photo is seen: errors in bands of three colour channels, each masked by what the photo itself has there.

Ours, in the manner of Butteraugli and of SSIMULACRA: opponent colours of cube roots of light, differences of Gaussians as bands, masking by the photo's
activity, a high power mean over the picture.  Its constants are fitted (train/tools/fit_seen.py) so that its logarithm follows those programs'
figures on training photos with a hider's kind of changes.  It needs no one's weights.  Good for gradients; figures that we report come from the programs themselves.
"""
import functools
import json
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F

from .perceptual import linear, opponent

SIGMAS = (1.0, 2.2, 4.5)  # pixels; above the first, between them, below the last: four bands
CELL = 4  # errors and masks are averaged over cells of so many pixels a side
NERRORS, NMASKS = 12, 8


@functools.lru_cache(maxsize=32)
def _blurring(n, sigma, dtype, device):
    """[n][n]: a Gaussian's rows, the ends repeated.  Products with it take an eighth of the time of PyTorch's convolutions of one channel."""
    r = int(2.5 * sigma + 1)
    t = torch.arange(-r, r + 1, dtype=torch.float64)
    g = torch.exp(-t * t / (2 * sigma * sigma))
    m = torch.zeros(n, n, dtype=torch.float64)
    i = torch.arange(n)
    for k, v in zip(range(-r, r + 1), g / g.sum()):
        m.index_put_((i, (i + k).clamp(0, n - 1)), v.expand(n), accumulate=True)
    return m.to(device, dtype)


def blur(x, sigma):
    h, w = x.shape[-2:]
    return _blurring(h, sigma, x.dtype, x.device) @ x @ _blurring(w, sigma, x.dtype, x.device).T


def bands(rgb):
    """-> [batch][12][h][w]: four bands of each of three channels, fine to coarse."""
    x, out = opponent(linear(rgb)), []
    for sigma in SIGMAS:
        low = blur(x, sigma)
        out.append(x - low)
        x = low
    out.append(x)
    return torch.stack(out, 2).flatten(1, 2)


def parts(cover_bands, stego_bands):
    """-> (errors [batch][12][h/4][w/4], masks [batch][8][h/4][w/4]): what the fitted constants weigh."""
    e = F.avg_pool2d((stego_bands - cover_bands).square(), CELL)
    a = F.avg_pool2d(cover_bands[:, [4, 5, 6]].abs(), CELL)  # lightness
    dark = F.avg_pool2d(cover_bands[:, 7:8], CELL)
    near, far = blur(a, 0.8), blur(a, 2.5)
    least = -F.max_pool2d(-near[:, :1], 3, 1, 1)  # the smoothest place near by: an edge masks less than a texture
    return e, torch.cat([near, far, least, dark], 1)


class Seen(nn.Module):
    """forward(cover, stego) -> [batch], about proportional to the change's size; 0 for equal pictures."""

    def __init__(self, power=3.0):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(NERRORS))  # logarithms
        self.mask = nn.Parameter(torch.full((2, NMASKS - 1), -1.0))  # logarithms: of masking of fine bands (two finest) and of coarse ones
        self.floor = nn.Parameter(torch.full((2,), -4.0))
        self.strength = nn.Parameter(torch.full((2,), 1.0))
        self.light = nn.Parameter(torch.zeros(2))
        self.shape = nn.Parameter(torch.tensor([0.0, 1.0]))  # log scale, exponent
        self.high = nn.Parameter(torch.tensor(0.0))  # share of the maximum-like norm
        self.power = power

    def of_parts(self, e, m):
        total = 0
        for i, (first, last) in enumerate(((0, 2), (2, 4))):
            activity = torch.einsum("c,bcyx->byx", self.mask[i].exp(), m[:, :-1]) + self.floor[i].exp()
            gain = activity ** (-2 * self.strength[i]) * (1 + m[:, -1].clamp_min(0) * 10) ** self.light[i]
            rows = [4 * c + k for c in range(3) for k in range(first, last)]
            total = total + gain * torch.einsum("c,bcyx->byx", self.weight[rows].exp(), e[:, rows])
        total = blur(total[:, None], 0.7)[:, 0].flatten(1) + 1e-12
        norm = lambda p: (total ** (p / 2)).mean(1) ** (1 / p)
        share = torch.sigmoid(self.high)
        return self.shape[0].exp() * ((1 - share) * norm(self.power) + share * norm(4 * self.power)) ** self.shape[1]

    def forward(self, cover, stego):
        return self.of_parts(*parts(bands(cover), bands(stego)))


def fitted(name):
    """The fit to `butteraugli` (its 3-norm) or to `ssimulacra` (SSIMULACRA 1)."""
    c = json.loads((Path(__file__).parent / "seen.json").read_text())[name]
    net = Seen(c["power"])
    net.load_state_dict({k: torch.tensor(v) for k, v in c["constants"].items()})
    return net
