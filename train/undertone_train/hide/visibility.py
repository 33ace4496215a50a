"""How visible a change is, without foreign weights: two models of seeing, on pictures [batch][3][h][w] in 0..255, each [batch], 0 where nothing changed.

ms_ssim     multi-scale structural similarity on luma (Wang, Simoncelli and Bovik 2003).  Its masking is what its contrast term has: the same change weighs less
            where the picture's own variance is high.  Nothing is added to that.
watson      error of 8x8 DCT coefficients over what is just visible there, in the manner of Watson 1993: a table of thresholds (contrast sensitivity), raised or
            lowered by the block's brightness (luminance masking), raised in coefficients that are large themselves (contrast masking), and pooled.
            PUBLISHED are the paper's constants, the colours being ours; the defaults depart from it in what agreed better with Butteraugli on training photos:
            luminance masking off, squares in place of fourth powers, colours a tenth.  They suit Butteraugli alone (docs/HIDER.md): perceptual.py is the default.

Both judge a screen of some distance and brightness; neither is a measurement with people.
"""
import functools

import torch
from torch.nn import functional as F

from .jpeg import CHROMA, LUMA, to_ycc
from .rounding import Rounding
from .webp import dct, in_blocks

SCALE_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
WINDOW, SIGMA = 11, 1.5
C1, C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2

# Just visible amplitudes in an orthonormal DCT at 1024 (mid-grey) DC, from Watson 1993 after Ahumada and Peterson 1992.
LUMA_THRESHOLDS = torch.tensor([
    1.40, 1.01, 1.16, 1.66, 2.40, 3.43, 4.79, 6.56, 1.01, 1.45, 1.32, 1.52, 2.00, 2.71, 3.67, 4.93, 1.16, 1.32, 2.24, 2.59, 2.98, 3.64, 4.60, 5.88,
    1.66, 1.52, 2.59, 3.77, 4.55, 5.30, 6.28, 7.60, 2.40, 2.00, 2.98, 4.55, 6.15, 7.46, 8.71, 10.17, 3.43, 2.71, 3.64, 5.30, 7.46, 9.62, 11.58, 13.51,
    4.79, 3.67, 4.60, 6.28, 8.71, 11.58, 14.50, 17.29, 6.56, 4.93, 5.88, 7.60, 10.17, 13.51, 17.29, 21.15,
]).reshape(8, 8)
# A stand-in, for want of such a table of colour: luma's thresholds times the ratio of T.81's two tables.
CHROMA_THRESHOLDS = LUMA_THRESHOLDS * CHROMA / LUMA
PUBLISHED = dict(luminance=0.649, contrast=0.7, pool=4.0, chroma=1.0)
DARKEST = 128.0  # DC of grey 16: below, a threshold falls no further (Watson's power law would reach zero at black)


@functools.lru_cache(maxsize=4)
def _window(dtype, device):
    t = torch.arange(WINDOW, dtype=torch.float64) - WINDOW // 2
    g = torch.exp(-(t**2) / (2 * SIGMA**2))
    return (g / g.sum()).to(device, dtype)


@functools.lru_cache(maxsize=32)
def _band(n, dtype, device):
    """The window as a matrix [n][n - WINDOW + 1]: on a processor a product is ten times as fast as torch's convolution of one channel, gradients included."""
    g, m = _window(dtype, device), torch.zeros(n, n - WINDOW + 1, dtype=dtype, device=device)
    for k in range(WINDOW):
        m.diagonal(-k).fill_(float(g[k]))
    return m


def _blur(x):
    return _band(x.shape[-2], x.dtype, x.device).T @ (x @ _band(x.shape[-1], x.dtype, x.device))


def _similarity(a, b):
    """Means over the picture of (luminance times contrast-structure, contrast-structure), [batch] each."""
    n = len(a)
    ma, mb, aa, bb, ab = _blur(torch.cat([a, b, a * a, b * b, a * b])).split(n)
    va, vb, vab = aa - ma * ma, bb - mb * mb, ab - ma * mb
    structure = (2 * vab + C2) / (va + vb + C2)
    return ((2 * ma * mb + C1) / (ma * ma + mb * mb + C1) * structure).mean((1, 2, 3)), structure.mean((1, 2, 3))


def ms_ssim(a, b):
    """-> [batch], 1 for equal pictures.  At sides under 176 with fewer scales, their weights made to sum to one; sides of 11 at least."""
    if min(a.shape[-2:]) < WINDOW:
        raise ValueError(f"MS-SSIM needs sides of {WINDOW} or more, not {tuple(a.shape[-2:])}")
    scales = sum(min(a.shape[-2:]) >> k >= WINDOW for k in range(len(SCALE_WEIGHTS)))
    weights = [w / sum(SCALE_WEIGHTS[:scales]) for w in SCALE_WEIGHTS[:scales]]
    a, b = (to_ycc(x, Rounding("soft"))[0][:, None] for x in (a, b))
    out = 1.0
    for k, w in enumerate(weights):
        whole, structure = _similarity(a, b)
        out = out * (whole if k == scales - 1 else structure).clamp_min(1e-4) ** w
        a, b = F.avg_pool2d(a, 2), F.avg_pool2d(b, 2)
    return out


def watson_slack(cover, thresholds, luma_dc=None, luminance=0.649, contrast=0.7):
    """What each DCT coefficient of blocks [..][8][8] may change before it is seen; luma_dc [..][1][1] sets the brightness, the blocks' own if not given."""
    dc = cover[..., :1, :1] if luma_dc is None else luma_dc
    base = thresholds * ((dc + 1024).clamp_min(DARKEST) / 1024) ** luminance
    masked = cover.abs() ** contrast * base ** (1 - contrast)
    own = torch.ones_like(thresholds)
    own[0, 0] = 0  # DC masks nothing
    return torch.maximum(base, masked * own)


def watson(cover, stego, luminance=0.0, contrast=0.7, pool=2.0, chroma=0.1):
    """Pooled error over slack, [batch]; on two grids of blocks, so that nothing hides on the edges of one.  The slack is the cover's and gets no gradient.

    luminance, contrast: exponents of masking, 0 for none; pool: of the mean over coefficients; chroma: weight of each of Cb and Cr beside luma's 1.
    """
    total = 0
    for shift in (0, 4):
        h, w = ((n - shift) // 8 * 8 for n in cover.shape[-2:])
        if h < 8 or w < 8:
            raise ValueError(f"Watson's model needs sides of 12 or more, not {tuple(cover.shape[-2:])}")
        m, luma_dc = dct(8, cover.dtype, cover.device), None
        planes = (to_ycc(x[..., shift : shift + h, shift : shift + w], Rounding("soft")) for x in (cover, stego))
        for i, (a, b) in enumerate(zip(*planes)):
            a, b = (m @ in_blocks(x - 128, 8) @ m.T for x in (a, b))
            luma_dc = a[..., :1, :1] if i == 0 else luma_dc
            slack = watson_slack(a.detach(), (CHROMA_THRESHOLDS if i else LUMA_THRESHOLDS).to(a), luma_dc.detach(), luminance, contrast)
            total = total + (chroma if i else 1) * ((b - a) / slack).abs().pow(pool).mean((1, 2, 3, 4)) / 2
    return (total + 1e-12) ** (1 / pool) - 1e-12 ** (1 / pool)
