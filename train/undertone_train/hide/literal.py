"""The literature's forms of a learned hider, in our own code, to compare with: an invertible network with the payload as a second branch, and two pairs of encoder and decoder.

    Literal     two branches, picture and payload, in affine couplings: HiNet's manner (Jing, Deng, Xu, Wang, Guan 2021), after Haar's transform; at the receiver
                a constant or noise stands for the branch that was not sent.
    HiDDeN      Zhu, Kaplan, Johnson, Fei-Fei 2018: features of the picture, the message repeated at every place beside them, a new picture; and back.
    SteganoGan  Zhang, Cuesta-Infante, Xu, Veeramachaneni 2019: densely connected, D bits a pixel, a critic ([adversary] net = "critic").

All are fully convolutional.  The payload is `planes` bits for each cell of `cell` x `cell` pixels, repeated over the cell; the decoder averages over it.
embed(cover, key, bits) -> (stego as 8-bit pixels, None); read(received, key) -> LLRs [batch][planes][h / cell][w / cell].  There is no key: it is None.
"""
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional as F

from .rounding import to_pixels


@dataclass
class PlanesConfig:
    planes: int = 1
    cell: int = 8
    width: int = 32

    def check(self):
        if self.planes < 1 or self.cell < 1 or self.width < 4:
            raise ValueError("[model] planes and cell are 1 or more, width 4 or more")
        return self


@dataclass
class LiteralConfig(PlanesConfig):
    couplings: int = 4  # HiNet has 16
    clamp: float = 1.0  # of the logarithm of a coupling's scale, either way
    auxiliary: str = "zero"  # or gauss: what the receiver takes for the branch that stayed behind

    def check(self):
        if self.cell % 2 or self.auxiliary not in ("zero", "gauss"):
            raise ValueError("[model] cell is even, auxiliary is zero or gauss")
        return super().check()


@dataclass
class HiddenConfig(PlanesConfig):
    width: int = 64
    encoder: int = 4  # layers, as in the paper
    decoder: int = 7


@dataclass
class SteganoConfig(PlanesConfig):
    cell: int = 1


def layer(inputs, outputs, act=nn.ReLU):
    return nn.Sequential(nn.Conv2d(inputs, outputs, 3, padding=1), nn.BatchNorm2d(outputs), act())


def haar(x):
    """[..][c][h][w] -> [..][4 c][h / 2][w / 2]: orthonormal averages, then differences across, down and both."""
    a, b, c, d = x[..., 0::2, 0::2], x[..., 0::2, 1::2], x[..., 1::2, 0::2], x[..., 1::2, 1::2]
    return torch.cat([a + b + c + d, a - b + c - d, a + b - c - d, a - b - c + d], -3) / 2


def unhaar(x):
    s, v, h, d = x.chunk(4, -3)
    rows = [torch.stack([(s + v + h + d) / 2, (s - v + h - d) / 2], -1).flatten(-2), torch.stack([(s + v - h - d) / 2, (s - v - h + d) / 2], -1).flatten(-2)]
    return torch.stack(rows, -2).flatten(-3, -2)


class Hider(nn.Module):
    """What the three share."""

    def __init__(self, config):
        super().__init__()
        self.config = config.check()
        self.loudness = nn.Parameter(torch.tensor(1.0))  # of LLRs

    def draw(self, shape, generator):
        c = self.config
        if shape[-2] % max(c.cell, 2) or shape[-1] % max(c.cell, 2):
            raise ValueError(f"[data] crop {tuple(shape[-2:])} is no multiple of cell {c.cell}")
        return None, torch.randint(0, 2, (shape[0], c.planes, shape[-2] // c.cell, shape[-1] // c.cell), generator=generator).float()

    def spread(self, bits):
        """+1 for 0 and -1 for 1 (as LLRs have it), repeated over each cell."""
        return (1 - 2 * bits).repeat_interleave(self.config.cell, -1).repeat_interleave(self.config.cell, -2)

    def llrs(self, x):
        return self.loudness.exp() * F.avg_pool2d(x, self.config.cell)


class Dense(nn.Module):
    """HiNet's dense block, smaller: each layer sees all before it; the last starts at zero, so that a new network changes nothing."""

    def __init__(self, inputs, outputs, width, layers=3):
        super().__init__()
        self.layers = nn.ModuleList(nn.Conv2d(inputs + i * width, width, 3, padding=1) for i in range(layers))
        self.out = nn.Conv2d(inputs + layers * width, outputs, 3, padding=1)
        nn.init.zeros_(self.out.bias)
        nn.init.normal_(self.out.weight, std=1e-3)

    def forward(self, x):
        for conv in self.layers:
            x = torch.cat([x, F.leaky_relu(conv(x), 0.2)], 1)
        return self.out(x)


class Branches(nn.Module):
    """picture += f(payload); payload = payload * exp(r(picture)) + n(picture)."""

    def __init__(self, picture, payload, c):
        super().__init__()
        self.f, self.r, self.n = Dense(payload, picture, c.width), Dense(picture, payload, c.width), Dense(picture, payload, c.width)
        self.clamp = c.clamp

    def scale(self, x):
        return torch.exp(self.clamp * torch.tanh(self.r(x)))

    def forward(self, x, m):
        x = x + self.f(m)
        return x, m * self.scale(x) + self.n(x)

    def reverse(self, x, m):
        m = (m - self.n(x)) / self.scale(x)
        return x - self.f(m), m


class Literal(Hider):
    kind = "literal"

    def __init__(self, config):
        super().__init__(config)
        self.couplings = nn.ModuleList(Branches(12, 4 * config.planes, config) for _ in range(config.couplings))

    def embed(self, cover, key, bits):
        x, m = haar(cover / 127.5 - 1), haar(self.spread(bits))
        for coupling in self.couplings:
            x, m = coupling(x, m)
        return to_pixels((unhaar(x) + 1) * 127.5), None

    def read(self, received, key=None):
        x = haar(received / 127.5 - 1)
        m = x.new_zeros(len(x), 4 * self.config.planes, *x.shape[-2:])
        if self.config.auxiliary == "gauss":
            m = torch.randn(m.shape, generator=torch.Generator(m.device).manual_seed(0), device=m.device)
        for coupling in reversed(self.couplings):
            x, m = coupling.reverse(x, m)
        return self.llrs(unhaar(m))


class HiDDeN(Hider):
    kind = "hidden"

    def __init__(self, config):
        super().__init__(config)
        w = config.width
        self.look = nn.Sequential(*(layer(3 if i == 0 else w, w) for i in range(config.encoder)))
        self.join = layer(w + 3 + config.planes, w)
        self.paint = nn.Conv2d(w, 3, 1)
        self.decode = nn.Sequential(*(layer(3 if i == 0 else w, w) for i in range(config.decoder)), layer(w, config.planes), nn.Conv2d(config.planes, config.planes, 1))

    def embed(self, cover, key, bits):
        x = cover / 127.5 - 1
        y = x + self.paint(self.join(torch.cat([self.look(x), self.spread(bits), x], 1)))  # the paper paints the whole picture; what is added is learnt sooner
        return to_pixels((y + 1) * 127.5), None

    def read(self, received, key=None):
        return self.llrs(self.decode(received / 127.5 - 1))


class SteganoGan(Hider):
    kind = "steganogan"

    def __init__(self, config):
        super().__init__(config)
        w, d, act = config.width, config.planes, nn.LeakyReLU
        self.first = layer(3, w, act)
        self.encode = nn.ModuleList([layer(w + d, w, act), layer(2 * w + d, w, act), nn.Conv2d(3 * w + d, 3, 3, padding=1)])
        self.decode = nn.ModuleList([layer(3, w, act), layer(w, w, act), layer(2 * w, w, act), nn.Conv2d(3 * w, d, 3, padding=1)])

    def embed(self, cover, key, bits):
        x, m = cover / 127.5 - 1, self.spread(bits)
        seen = [self.first(x)]
        for conv in self.encode:
            out = conv(torch.cat([*seen, m], 1))
            seen.append(out)
        return to_pixels((x + out + 1) * 127.5), None

    def read(self, received, key=None):
        seen = [self.decode[0](received / 127.5 - 1)]
        for conv in self.decode[1:]:
            seen.append(conv(torch.cat(seen, 1)))
        return self.llrs(seen[-1])
