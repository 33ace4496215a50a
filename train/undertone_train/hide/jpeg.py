"""JPEG as libjpeg-turbo computes it, with gradients: the whole way from RGB to the receiver's RGB.

In the modes `ste` and `hybrid` (rounding.py) the forward way equals the library's islow transforms, box subsampling, "fancy" upsampling and fixed-point colours bit for
bit (tests/test_hide_jpeg.py).  Each of its whole-number steps is floor(A x + b) with A linear, so the same code has a gradient once floor is given one.
Sources: ITU-T T.81 (Annexes A and K), T.871 (colours), Loeffler, Ligtenberg and Moschytz 1989 (the transform whose rounded constants decide last bits).

Pictures are [batch][3][h][w], RGB, 0..255, any h and w.
"""
import functools
import math

import torch
from torch.nn import functional as F

from .rounding import Rounding

SUBSAMPLING = {"444": (1, 1), "422": (1, 2), "420": (2, 2)}  # rows and columns that share a chroma sample

# Annex K, tables K.1 and K.2, row by row.
LUMA = torch.tensor([
    16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55, 14, 13, 16, 24, 40, 57, 69, 56, 14, 17, 22, 29, 51, 87, 80, 62,
    18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92, 49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99,
]).reshape(8, 8)
CHROMA = torch.tensor([
    17, 18, 24, 47, 99, 99, 99, 99, 18, 21, 26, 66, 99, 99, 99, 99, 24, 26, 56, 99, 99, 99, 99, 99, 47, 66, 99, 99, 99, 99, 99, 99,
] + 32 * [99]).reshape(8, 8)


def tables(quality):
    """The tables [2][8][8] (luma, chroma; row by row, float32) of an IJG quality, 1 to 100."""
    if not 1 <= quality <= 100 or quality != int(quality):
        raise ValueError(f"JPEG quality is {quality}; use a whole number from 1 to 100")
    scale = 5000 // int(quality) if quality < 50 else 200 - 2 * int(quality)
    return ((torch.stack([LUMA, CHROMA]) * scale + 50) // 100).clamp(1, 255).float()


def transform_matrix():
    """[frequency][sample] whole numbers, 8192 sqrt(8) times the orthonormal DCT, as the factored transform with twelve 13-bit constants has it.

    The factors add up rounded constants, so an entry may be one off its own rounded value.  The inverse is the transpose.
    """
    fix = lambda v: round(8192 * v)
    c = [math.sqrt(2) * math.cos(k * math.pi / 16) for k in range(8)]
    m = torch.zeros(8, 8, dtype=torch.float64)
    turn, less, more = fix(c[6]), fix(c[2] + c[6]), fix(c[2] - c[6])  # rotation of the even part in three products
    for i, (second, sixth) in enumerate(((turn + more, turn), (turn, turn - less), (-turn, less - turn), (-turn - more, -turn))):
        for n in (i, 7 - i):
            m[0, n], m[2, n], m[6, n] = 8192, second, sixth
            m[4, n] = 8192 if i in (0, 3) else -8192
    # Odd part: from x[i] - x[7-i] for i = 3, 2, 1, 0 to the frequencies 7, 5, 3, 1.  Each input has a constant of its own, each pair in `shared` one for
    # its sum, and all four one.
    own = (-c[1] + c[3] + c[5] - c[7], c[1] + c[3] - c[5] + c[7], c[1] + c[3] + c[5] - c[7], c[1] + c[3] - c[5] - c[7])
    shared = {(0, 3): c[7] - c[3], (1, 2): -c[1] - c[3], (0, 2): -c[3] - c[5], (1, 3): c[5] - c[3]}
    odd = torch.diag(torch.tensor([fix(v) for v in own], dtype=torch.float64)) + fix(c[3])
    for pair, v in shared.items():
        for a in pair:
            odd[a, list(pair)] += fix(v)
    for frequency, row in zip((7, 5, 3, 1), odd):
        for i, v in zip((3, 2, 1, 0), row):
            m[frequency, i], m[frequency, 7 - i] = v, -v
    return m


@functools.lru_cache(maxsize=16)
def _matrix(dtype, device):
    return transform_matrix().to(device, dtype)


def _rows(x, m):
    """m applied to each run of eight along the last axis, [..][h][w]."""
    return (x.unflatten(-1, (-1, 8)) @ m.T).flatten(-2)


def _columns(x, m):
    return (m @ x.unflatten(-2, (-1, 8))).flatten(-3, -2)


def through_table(plane, table, rounding):
    """One component's way to the receiver: samples [batch][h][w] in 0..255, sides multiples of 8; table [8][8] or [batch][8][8]."""
    dtype = torch.float64 if rounding.real else plane.dtype  # sums of up to 2^31, exact in 53 bits
    m = _matrix(dtype, plane.device)
    table = table.to(plane.device, dtype).expand(len(plane), 8, 8).repeat(1, plane.shape[-2] // 8, plane.shape[-1] // 8)
    x = rounding.fine(_rows(plane.to(dtype) - 128, m) / 2**11)
    x = rounding.fine(_columns(x, m) / 2**15)  # 8 times the orthonormal transform
    x = rounding.coarse(x / (8 * table)) * table
    x = rounding.fine(_columns(x, m.T) / 2**11)
    x = rounding.fine(_rows(x, m.T) / 2**18) + 128
    return x.clamp(0, 255).to(plane.dtype)


def to_ycc(rgb, rounding):
    r, g, b = (rgb / 65536).unbind(1)
    y = rounding.fine(19595 * r + 38470 * g + 7471 * b)
    half = 0.5 - 2**-16  # the library's rounding of chroma is a hair low, so that 255.5 stays 255
    cb = rounding.fine(-11059 * r - 21709 * g + 32768 * b + 128, half)
    cr = rounding.fine(32768 * r - 27439 * g - 5329 * b + 128, half)
    return y, cb, cr


def to_rgb(y, cb, cr, rounding):
    b, r = (cb - 128) / 65536, (cr - 128) / 65536
    planes = y + rounding.fine(91881 * r), y + rounding.fine(-22554 * b - 46802 * r), y + rounding.fine(116130 * b)
    return torch.stack(planes, 1).clamp(0, 255)


def _extend(plane, h, w):
    """The last row and column repeated up to h x w."""
    return F.pad(plane[:, None], (0, w - plane.shape[-1], 0, h - plane.shape[-2]), mode="replicate")[:, 0]


def _up(n, k):
    return -(-n // k) * k


def _shrink(plane, vertical, horizontal, rounding):
    """Box subsampling as the encoder does it, padded to whole blocks.  The halves go down in even columns and up in odd ones, so that no grey level is favoured."""
    plane = _extend(plane, _up(plane.shape[-2], vertical), _up(plane.shape[-1], 8 * horizontal))
    if horizontal == 2:
        count = 2 * vertical
        total = plane.unflatten(-2, (-1, vertical)).sum(-2) if vertical == 2 else plane
        total = total[..., 0::2] + total[..., 1::2]
        bias = torch.tensor([(count // 2 - 1) / count, 0.5], device=plane.device, dtype=plane.dtype).repeat(total.shape[-1] // 2)
        plane = rounding.fine(total / count, bias)
    return _extend(plane, _up(plane.shape[-2], 8), plane.shape[-1])


def _neighbours(x, axis):
    """For each sample of an axis, the one before it and the one after it; the ends repeat."""
    n = x.shape[axis]
    return (torch.cat([x.narrow(axis, 0, 1), x.narrow(axis, 0, n - 1)], axis), torch.cat([x.narrow(axis, 1, n - 1), x.narrow(axis, n - 1, 1)], axis))


def _grow(plane, vertical, horizontal, rounding):
    """The decoder's triangle filter: three parts of the nearest sample and one of the next, along each subsampled axis."""
    if horizontal == 1:
        return plane
    if plane.shape[-1] <= 2:  # the library repeats samples here
        plane = plane.repeat_interleave(2, -1)
        return plane.repeat_interleave(2, -2) if vertical == 2 else plane
    weight, biases = 4, (0.25, 0.5)
    if vertical == 2:
        above, below = _neighbours(plane, -2)
        plane = torch.stack([3 * plane + above, 3 * plane + below], -2).flatten(-3, -2)
        weight, biases = 16, (0.5, 0.4375)
    left, right = ((3 * plane + x) / weight for x in _neighbours(plane, -1))
    return torch.stack([rounding.fine(left, biases[0]), rounding.fine(right, biases[1])], -1).flatten(-2)


def jpeg(rgb, table, subsampling="420", rounding=None):
    """-> what a decoder shows of rgb after JPEG.  table: [2][8][8] or [batch][2][8][8], row by row."""
    if subsampling not in SUBSAMPLING:
        raise ValueError(f"JPEG subsampling is {subsampling!r}; use one of {', '.join(SUBSAMPLING)}")
    rounding = rounding or Rounding()
    v, horizontal = SUBSAMPLING[subsampling]
    h, w = rgb.shape[-2:]
    table = torch.as_tensor(table).expand(len(rgb), 2, 8, 8)
    planes = []
    for i, plane in enumerate(to_ycc(rounding.pixels(rgb), rounding)):
        a, b = (v, horizontal) if i else (1, 1)
        got = through_table(_shrink(plane, a, b, rounding), table[:, min(i, 1)], rounding)
        planes.append(_grow(got[:, : -(-h // a), : -(-w // b)], a, b, rounding)[:, :h, :w])
    return to_rgb(*planes, rounding)
