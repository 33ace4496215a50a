"""A model of lossy WebP (VP8), with gradients.  Not exact: an encoder's choices depend on everything it did before; docs/HIDER.md has its error beside the real one's.

What is as in VP8 (RFC 6386): BT.601 in limited range, 4:2:0, 4x4 transforms of what is left after prediction, the two step tables, a loop filter that smooths
edges of blocks where they are faint.  As in libwebp: chroma averaged in a gamma of 0.8, the quality's way to a step, dead zones.  What is approximated: all
luma blocks are predicted 4x4 by one of four modes (VP8 has ten, and 16x16), from neighbours that a first pass has coded, all blocks at once; no segments.

Pictures are [batch][3][h][w], RGB, 0..255.
"""
import functools
import math

import torch
from torch.nn import functional as F

from .jpeg import _grow, _up
from .rounding import Rounding

# RFC 6386, 14.1.  A coefficient is twice the orthonormal one.
DC_STEPS = [*range(4, 11), *range(10, 18), 17, 18, 19, 20, 20, 21, 21, 22, 22, 23, 23, 24, 25, 25, *range(26, 38), *range(37, 47), *range(46, 77), *range(76, 90),
            91, 93, 95, 96, 98, 100, 101, 102, *range(104, 119, 2), *range(122, 141, 2), 143, 145, 148, 151, 154, 157]
AC_STEPS = [*range(4, 59), *range(60, 117, 2), *range(119, 174, 3), *range(177, 230, 4), 234, 239, 245, 249, *range(254, 285, 5)]
DEAD_LUMA, DEAD_CHROMA = (96 / 256, 110 / 256), (110 / 256, 115 / 256)  # DC, AC: libwebp's rounding, a half would be none


def step_index(quality):
    """libwebp's quality, 0 to 100, as an index into the step tables."""
    if not 0 <= quality <= 100:
        raise ValueError(f"WebP quality is {quality}; use 0 to 100")
    c = quality / 100
    return int(127 * (1 - (c * 2 / 3 if c < 0.75 else 2 * c - 1) ** (1 / 3)))


@functools.lru_cache(maxsize=16)
def dct(n, dtype=torch.float32, device=None):
    """Orthonormal, [frequency][sample]."""
    k = torch.arange(n, dtype=torch.float64)
    m = torch.cos((2 * k[None] + 1) * k[:, None] * math.pi / (2 * n)) * math.sqrt(2 / n)
    m[0] /= math.sqrt(2)
    return m.to(device, dtype)


def in_blocks(x, n):
    """[..][h][w] -> [..][h/n][w/n][n][n]."""
    return x.unflatten(-1, (-1, n)).unflatten(-3, (-1, n)).transpose(-3, -2)


def from_blocks(x):
    return x.transpose(-3, -2).flatten(-4, -3).flatten(-2)


def predictions(plane, n):
    """What blocks of n x n can be guessed from the row above and the column to the left: [4 modes][batch][h/n][w/n][n][n] (mean, vertical, horizontal, both slopes)."""
    p = F.pad(plane[:, None], (1, 0, 1, 0), mode="replicate")[:, 0]
    top = p[:, 0:-1:n, 1:].unflatten(-1, (-1, n))[:, :, :, None, :]
    left = p[:, 1:, 0:-1:n].unflatten(-2, (-1, n)).transpose(-1, -2)[..., None]
    corner = p[:, 0:-1:n, 0:-1:n][..., None, None]
    mean = (top.mean(-1, keepdim=True) + left.mean(-2, keepdim=True)) / 2
    shape = (*corner.shape[:3], n, n)
    return torch.stack([mean.expand(shape), top.expand(shape), left.expand(shape), (top + left - corner).clamp(0, 255)])


def coded(plane, n, size, steps, bias, rounding, passes=2):
    """samples [batch][h][w] -> as decoded: predicted in blocks of n, what is left transformed in blocks of size and quantised by steps [batch][1][1][size][size].

    bias: [size][size].  The decoder predicts from what it decoded, which is known block after block; passes take the last pass's result for it.
    """
    t = dct(size, plane.dtype, plane.device)
    known, blocks = plane, in_blocks(plane, n)
    split = (lambda x: x) if n == size else (lambda x: in_blocks(x, size))
    with torch.no_grad():
        cost = (t @ split(blocks - predictions(plane, n)) @ t.T).abs().flatten(4).sum(-1)
        choice = cost.argmin(0)[None, ..., None, None].expand(1, *blocks.shape)
    for _ in range(passes):
        guess = predictions(known, n).gather(0, choice)[0]
        left = t @ split(blocks - guess) @ t.T
        scale = steps if n == size else steps[:, :, :, None, None]
        left = t.T @ (rounding.coarse(left / scale, bias) * scale) @ t
        out = (guess + (left if n == size else from_blocks(left))).clamp(0, 255)
        known = plane + (from_blocks(out) - plane).detach()  # the gradient goes straight to the neighbours
    return from_blocks(out)


def _filter_edges(x, every, level, outer):
    """VP8's normal loop filter across the vertical edges at multiples of `every`.  level [batch][1][1]; outer: the wider one of macroblock edges."""
    w = x.shape[-1]
    if w <= every:
        return x
    at = torch.arange(every, w, every, device=x.device)
    p3, p2, p1, p0, q0, q1, q2, q3 = (x[..., at + k] for k in range(-4, 4))
    with torch.no_grad():
        edge = 3 * level + 4 if outer else 3 * level
        flat = lambda *v: torch.stack([(a - b).abs() for a, b in zip(v, v[1:])]).amax(0) <= level
        on = ((p0 - q0).abs() * 2 + (p1 - q1).abs() / 2 <= edge) & flat(p3, p2, p1, p0) & flat(q0, q1, q2, q3) & (level > 0)
    if outer:
        d = torch.where(on, (p1 - q1 + 3 * (q0 - p0)).clamp(-128, 127), 0)
        shares = (27 / 128, 18 / 128, 9 / 128)
    else:
        d = torch.where(on, 3 * (q0 - p0), 0)
        shares = (1 / 8, 1 / 16)
    x = x.clone()
    for k, s in enumerate(shares):
        x[..., at - 1 - k] = x[..., at - 1 - k] + s * d
        x[..., at + k] = x[..., at + k] - s * d
    return x


def loop_filter(plane, level, macroblock):
    for _ in range(2):
        inner = _filter_edges(plane, 4, level, False)
        keep = torch.arange(plane.shape[-1], device=plane.device)
        near = ((keep + 4) % macroblock < 8).to(plane.dtype)  # samples that only a macroblock's edge moves much
        outer = _filter_edges(plane, macroblock, level, True)
        plane = (outer * near + inner * (1 - near)).transpose(-1, -2)
    return plane


def to_yuv(rgb, rounding):
    """Y [batch][h][w], U and V of half the size; sides even."""
    r, g, b = (rgb / 65536).unbind(1)
    y = rounding.fine(16839 * r + 33059 * g + 6420 * b + 16)
    light = (rgb.clamp(0, 255) + 1e-3) ** 0.8
    mean = F.avg_pool2d(light, 2) ** 1.25
    r, g, b = (mean / 65536).unbind(1)
    return y, rounding.fine(-9719 * r - 19081 * g + 28800 * b + 128), rounding.fine(28800 * r - 24116 * g - 4684 * b + 128)


def to_rgb(y, u, v, rounding):
    y = y * (19077 / 16384)
    planes = (y + v * (26149 / 16384) - 14234 / 64, y - u * (6419 / 16384) - v * (13320 / 16384) + 8708 / 64, y + u * (33050 / 16384) - 17685 / 64)
    return rounding.fine(torch.stack(planes, 1), 0.0).clamp(0, 255)


def webp(rgb, quality, rounding=None):
    """-> about what a decoder shows after lossy WebP.  quality: a number, or one for each picture, 0 to 100."""
    rounding = rounding or Rounding()
    h, w = rgb.shape[-2:]
    index = torch.tensor([step_index(float(q)) for q in torch.as_tensor(quality).reshape(-1).expand(len(rgb))])
    ac, dc = (torch.tensor(t, dtype=rgb.dtype)[index].to(rgb.device)[:, None, None] for t in (AC_STEPS, DC_STEPS))
    level = (torch.floor(ac / 4) * 300 / 256).floor().clamp(0, 63)
    x = F.pad(rounding.pixels(rgb), (0, _up(w, 16) - w, 0, _up(h, 16) - h), mode="replicate")
    planes = []
    for i, plane in enumerate(to_yuv(x, rounding)):
        steps = (ac[..., None, None] / 2).expand(-1, 1, 1, 4, 4).clone()
        steps[..., 0, 0] = (dc.clamp(max=132) if i else dc) / 2
        bias = torch.full((4, 4), (DEAD_CHROMA if i else DEAD_LUMA)[1], dtype=rgb.dtype, device=rgb.device)
        bias[0, 0] = (DEAD_CHROMA if i else DEAD_LUMA)[0]
        plane = rounding.pixels(coded(plane, 8 if i else 4, 4, steps, bias, rounding))
        planes.append(rounding.pixels(loop_filter(plane, level, 8 if i else 16)))
    y, u, v = planes
    up = lambda p: _grow(p, 2, 2, rounding)[:, :h, :w]
    return to_rgb(y[:, :h, :w], up(u[:, : -(-h // 2), : -(-w // 2)]), up(v[:, : -(-h // 2), : -(-w // 2)]), rounding)
