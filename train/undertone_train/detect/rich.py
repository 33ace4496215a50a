"""A small cousin of the spatial rich model: co-occurrences of truncated noise residuals.

J. Fridrich, J. Kodovsky, "Rich models for steganalysis of digital images", IEEE TIFS 7(3), 2012; the third kind of count, across colours, after
M. Goljan, J. Fridrich, R. Cogranne, "Rich model for steganalysis of color images", WIFS 2014.  Only linear residuals, none of the minima and maxima:

residual                      taps                                  quantiser steps
first, second, third order    (-1 1), (1 -2 1)/2, (1 -3 3 -1)/3     1, 2
3x3, 5x5                      second differences, centre tap 1      1/2, 1

Each is rounded, cut off at +-2 and counted: four neighbours along the residual's own direction and across it (horizontal and vertical together), and the
three colours of one pixel.  A count and that of the negated residual, and of the reversed order, are one feature.  Fixed length: SIZE.
"""
import numpy as np

T = 2
KB = np.array([[-1, 2, -1], [2, -4, 2], [-1, 2, -1]], np.float32) / 4
KV = np.array([[-1, 2, -2, 2, -1], [2, -6, 8, -6, 2], [-2, 8, -12, 8, -2], [2, -6, 8, -6, 2], [-1, 2, -2, 2, -1]], np.float32) / 12
LINES = [np.array(a, np.float32) for a in ([-1, 1], [0.5, -1, 0.5], [1 / 3, -1, 1, -1 / 3])]
STEPS = (1.0, 2.0)
ORDER = 4


def _merge(dims):
    """Index [(2T+1)^dims] -> merged index: negation and (for neighbours) reversal."""
    n = 2 * T + 1
    digits = np.array(np.unravel_index(np.arange(n**dims), (n,) * dims))
    keys = [digits, n - 1 - digits]
    if dims == ORDER:
        keys += [k[::-1] for k in keys]
    least = np.min([np.ravel_multi_index(tuple(k), (n,) * dims) for k in keys], axis=0)
    return np.unique(least, return_inverse=True)[1]


NEIGHBOURS, COLOURS = _merge(ORDER), _merge(3)
# lines are counted along and across, the square residuals once; all of them in colours
COUNT = 2 * len(STEPS) * len(LINES) + 2 * len(STEPS)
SIZE = COUNT * (NEIGHBOURS.max() + 1) + (len(LINES) + 2) * len(STEPS) * (COLOURS.max() + 1)


def _filter(planes, kernel):
    """Valid correlation of [c][h][w] with a small kernel; taps in order of their position, so that zero taps cost nothing."""
    kh, kw = kernel.shape
    h, w = planes.shape[1] - kh + 1, planes.shape[2] - kw + 1
    out = np.zeros((planes.shape[0], h, w), np.float32)
    for (y, x), tap in np.ndenumerate(kernel):
        if tap:
            out += tap * planes[:, y:y + h, x:x + w]
    return out


def _levels(residual, step):
    """Symmetric rounding, so that a negated residual has negated levels: int8 in 0..2T."""
    a = np.minimum(np.floor(np.abs(residual) / step + 0.5 - 1e-4), T)
    return (np.copysign(a, residual) + T).astype(np.int64)


def _counts(index, merged):
    c = np.bincount(merged[index.ravel()], minlength=merged.max() + 1)
    return c / max(c.sum(), 1)


def _line(levels):
    """Co-occurrence index of four neighbours along the last axis."""
    n, w = 2 * T + 1, levels.shape[-1] - ORDER + 1
    return sum(levels[..., i:i + w] * n**i for i in range(ORDER))


def _colour(levels):
    if levels.shape[0] == 1:
        levels = np.repeat(levels, 3, axis=0)
    n = 2 * T + 1
    return levels[0] + n * levels[1] + n * n * levels[2]


def features(planes):
    """planes [c][h][w], c 1 or 3, values 0 to 255 -> float32 [SIZE]; equal for all eight flips and turns of the picture."""
    planes = np.ascontiguousarray(planes, np.float32)
    turned = np.ascontiguousarray(planes.transpose(0, 2, 1))
    out = []
    for taps in LINES:
        pair = [_filter(p, taps[None]) for p in (planes, turned)]
        for step in STEPS:
            levels = [_levels(r, step) for r in pair]
            out.append(sum(_counts(_line(v), NEIGHBOURS) for v in levels) / 2)
            out.append(sum(_counts(_line(v.transpose(0, 2, 1)), NEIGHBOURS) for v in levels) / 2)
            out.append(sum(_counts(_colour(v), COLOURS) for v in levels) / 2)
    for kernel in (KB, KV):
        r = _filter(planes, kernel)
        for step in STEPS:
            v = _levels(r, step / 2)
            out.append(sum(_counts(_line(x), NEIGHBOURS) for x in (v, v.transpose(0, 2, 1))) / 2)
            out.append(_counts(_colour(v), COLOURS))
    return np.concatenate(out).astype(np.float32)
