"""What the robust form works on: luma's DCT coefficients, which of them carry bits, the scalar Costa scheme's aims, and what a received phase says.

The same arithmetic as src/stage/hide/scs.c and embed.c, on planes [batch][64][rows][columns] (one value a block of 8x8 pixels, row-major frequencies) in float.
Costa's scheme: Eggers, Baeuml, Tzschoppe, Girod 2003.  Cells of bit 0 and 1 alternate, `width` each, shifted by the dither: 64 phases are two cells.
"""
import math
from dataclasses import dataclass

import torch

from .jpeg import to_ycc
from .rounding import Rounding, to_pixels
from .webp import dct, from_blocks, in_blocks

PHASES = 64
SPREAD = torch.tensor([0.299, 0.587, 0.114]) / (0.299**2 + 0.587**2 + 0.114**2)  # the least change of R, G, B for a unit of luma: 0.67, 1.31, 0.25


def zigzag():
    """Natural index of each place in JPEG's order of frequencies."""
    order = sorted(((i, j) for i in range(8) for j in range(8)), key=lambda p: (p[0] + p[1], p[0] if (p[0] + p[1]) % 2 else p[1]))
    return [8 * i + j for i, j in order]


ZIGZAG = zigzag()


def planes(rgb, rounding=None):
    """[batch][3][h][w] in 0..255 -> luma coefficients [batch][64][h // 8][w // 8]; pixels beyond whole blocks are ignored."""
    y = to_ycc(rgb, rounding or Rounding("ste"))[0]
    h, w = (n // 8 * 8 for n in y.shape[-2:])
    m = dct(8, y.dtype, y.device)
    return (m @ in_blocks(y[..., :h, :w] - 128, 8) @ m.T).flatten(-2).permute(0, 3, 1, 2)


def add(rgb, change):
    """rgb with a change of luma coefficients, as 8-bit pixels: R, G and B move by SPREAD, grey pictures' alike; clipped and rounded, gradients straight through."""
    m = dct(8, rgb.dtype, rgb.device)
    luma = from_blocks(m.T @ change.permute(0, 2, 3, 1).unflatten(-1, (8, 8)) @ m)
    luma = torch.nn.functional.pad(luma, (0, rgb.shape[-1] - luma.shape[-1], 0, rgb.shape[-2] - luma.shape[-2]))
    grey = (rgb.amax(1, keepdim=True) == rgb.amin(1, keepdim=True)).flatten(1).all(1)[:, None]
    share = torch.where(grey, torch.ones_like(SPREAD).to(rgb), SPREAD.to(rgb))[..., None, None]
    return to_pixels(rgb + share * luma[:, None])


@dataclass
class Key:
    """What sender and receiver share about a batch.  carriers bool and dither (0..63), both [batch][64][h][w]; width, alpha [batch][1][1][1]."""

    carriers: torch.Tensor
    dither: torch.Tensor
    width: torch.Tensor
    alpha: float

    def of(self, rows):
        return Key(self.carriers[rows], self.dither[rows], self.width[rows], self.alpha)


def draw(shape, width, nfreq, alpha, generator):
    """A key and bits for pictures [batch][3][h][w] of that shape: the nfreq lowest frequencies of each carry (DC never).  width, nfreq: a number for each picture."""
    n, h, w = shape[0], shape[-2] // 8, shape[-1] // 8
    carriers = torch.zeros(n, 64, h, w, dtype=torch.bool)
    for i, k in enumerate(nfreq):
        carriers[i, ZIGZAG[1 : 1 + int(k)]] = True
    dither = torch.randint(0, PHASES, carriers.shape, generator=generator).float()
    bits = torch.randint(0, 2, carriers.shape, generator=generator).float()
    return Key(carriers, dither, torch.as_tensor(width, dtype=torch.float32).reshape(-1, 1, 1, 1).expand(n, 1, 1, 1), alpha), bits


def phase(u, key):
    """Radians: 0 at a centre of bit 0, pi at one of bit 1."""
    return math.pi / key.width * u + key.dither * (2 * math.pi / PHASES)


def error(u, key, bits):
    """How far u lies from the nearest centre of its bit, in coefficient units: -width..width; ut_scs_aim moves by -alpha times this."""
    p = phase(u, key) / math.pi - bits
    return key.width * (p - 2 * (p / 2 + 0.5).floor())


def concentration(cosine):
    """kappa of a von Mises density whose mean cosine is that (Mardia and Jupp 2000; the usual approximation, exact at both ends)."""
    r = cosine.clamp(0.01, 0.97)
    return r * (2 - r * r) / (1 - r * r)


def blind_cosine(angle, carriers):
    """Mean cosine of the phases about what was sent, [batch][1][1][1], from the doubled angle, in which both bits coincide (as scs.c does); of a wrapped Gaussian."""
    n = carriers.sum((1, 2, 3), keepdim=True).clamp_min(1)
    double = (torch.cos(2 * angle) * carriers).sum((1, 2, 3), keepdim=True) / n
    return double.clamp(0.004, 0.98) ** 0.25


def information(angle, bits, groups=None, bins=32):
    """Bits that carriers bring, each [n], by counts of phases about what was sent: no model of the noise.  groups [n]: counted apart (frequency, class), averaged.

    As ut_scs_measured: both sides of the centre count alike, and what chance alone would show is taken off (Miller 1955).
    """
    off = torch.remainder(angle + math.pi * bits, 2 * math.pi)
    at = (torch.minimum(off, 2 * math.pi - off) * (bins / math.pi)).long().clamp(0, bins - 1)
    groups = torch.zeros_like(at) if groups is None else groups.long()
    counts = torch.bincount(groups * bins + at, minlength=(int(groups.max()) + 1) * bins).reshape(-1, bins).double()
    n = counts.sum(1)
    p = counts / n.clamp_min(1)[:, None]
    both = p + p.flip(1)
    bits_each = torch.where(p > 0, p * torch.log2(2 * p / both.clamp_min(1e-30)), 0).sum(1)
    chance = (bins / 2) / (2 * n.clamp_min(1) * math.log(2))
    return float(((bits_each - chance).clamp_min(0) * n).sum() / n.sum())
