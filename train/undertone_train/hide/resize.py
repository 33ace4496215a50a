"""Resizing as src/channel/resize.c (and Pillow) does it, with gradients: separable, the kernel widened when shrinking, edges renormalised, across first, rounded between.

Lanczos-3 with 16-bit taps equals `undertone channel --through resize:F` bit for bit; bicubic (Keys 1981, a = -1/2) and area (box) are for platforms that use
those; one axis at a time, all three equal Pillow's to one grey level (its taps have more bits).
"""
import functools
import math

import torch

from .rounding import Rounding


def _lanczos(x):
    return 0.0 if abs(x) >= 3 else 1.0 if abs(x) < 1e-9 else 3 * math.sin(math.pi * x) * math.sin(math.pi * x / 3) / (math.pi * x) ** 2


def _bicubic(x):
    x = abs(x)
    return 1.5 * x**3 - 2.5 * x**2 + 1 if x < 1 else -0.5 * (x**3 - 5 * x**2 + 8 * x - 4) if x < 2 else 0.0


def _area(x):
    return float(-0.5 < x <= 0.5)


KERNELS = {"lanczos": (_lanczos, 3.0), "bicubic": (_bicubic, 2.0), "area": (_area, 0.5)}


@functools.lru_cache(maxsize=256)
def taps(old, new, kernel="lanczos"):
    """[new][old], float64: multiples of 2^-16, each row's sum exactly 1; what rounding leaves over goes to the first largest tap."""
    if kernel not in KERNELS:
        raise ValueError(f"resizing kernel is {kernel!r}; use one of {', '.join(KERNELS)}")
    f, support = KERNELS[kernel]
    scale = old / new
    stretch = max(scale, 1.0)
    m = torch.zeros(new, old, dtype=torch.float64)
    for i in range(new):
        centre = (i + 0.5) * scale
        hi = max(min(math.floor(centre + support * stretch + 0.5), old), 1)
        lo = min(max(math.floor(centre - support * stretch + 0.5), 0), hi - 1)
        values = [f((k - centre + 0.5) / stretch) for k in range(lo, hi)]
        total = sum(values)
        whole = [round(v / total * 65536) for v in values] if len(values) > 1 else [65536]
        whole[whole.index(max(whole))] += 65536 - sum(whole)
        m[i, lo:hi] = torch.tensor(whole, dtype=torch.float64) / 65536
    return m


def new_size(size, factor):
    """A side's new length, as the channel resize:FACTOR has it."""
    return max((size * round(factor * 10**6) + 500_000) // 10**6, 1)


def resize(rgb, h, w, kernel="lanczos", rounding=None):
    """[batch][3][old h][old w] in 0..255 -> [batch][3][h][w]; in the codec's own arithmetic unless the rounding is soft or noise."""
    rounding = rounding or Rounding()
    x = rounding.pixels(rgb)
    dtype = torch.float64 if rounding.real else rgb.dtype  # 255 times taps of 16 bits: exact in 53 bits, not in 24
    across, down = (taps(old, new, kernel).to(rgb.device, dtype) for old, new in zip(rgb.shape[:-3:-1], (w, h)))
    x = x.to(dtype)
    if x.shape[-1] != w:
        x = rounding.pixels(x @ across.T)
    if x.shape[-2] != h:
        x = rounding.pixels(down @ x)
    return x.to(rgb.dtype)
