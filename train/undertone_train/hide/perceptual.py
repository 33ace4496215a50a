"""How visible a change is: error in opponent colours at six scales, over the contrast that hides it.  Ours; in the manner of SSIMULACRA 2 and Butteraugli, but neither.

Colours: linear light, mixed to three cone-like signals and put through cube roots (matrix and bias of JPEG XL's XYB, ISO/IEC 18181-1), then X = (L - M) / 2,
Y = (L + M) / 2, S - Y.  A scale halves the linear picture.  At each scale and in each colour, with Gaussian windows:

    q = variance of the change / (FLOOR + variance of the cover) ** MASK

which with MASK 1 and the stego's variance added below the line would be 1 - SSIM's contrast-structure term.  The cover alone masks, so that a hider gains nothing by making the picture
busier; and the square root of q is a length of the change, so that the measure is about proportional to its strength.  sqrt(q) is pooled over the picture by a
mean of POOL-th powers, then colours and scales by their weights.

Y's FLOOR, MASK, POOL and SCALE_WEIGHTS are round numbers near the best mean rank agreement with Butteraugli's 3-norm and SSIMULACRA 1, of luma noise on six
TRAINING photos (docs/HIDER.md); colours' floors and weights are guesses.  No person was asked.
"""
import functools

import torch
from torch.nn import functional as F

SCALES, STEP = 6, 4  # windows are read every STEP pixels, which a Gaussian of sigma 2 allows
SIGMA = 2.0
FLOOR = (6e-6, 3e-4, 6e-4)  # of X, Y, S - Y, squared: below about this contrast nothing is masked
MASK = 0.75
POOL = 4.0
COLOUR_WEIGHTS = (0.3, 1.0, 0.1)
SCALE_WEIGHTS = (2.0, 1.0, 1.0, 1.0, 1.0, 1.0)  # finest first
MIX = ((0.30, 0.622, 0.078), (0.23, 0.692, 0.078), (0.24342269, 0.20476745, 0.55180986))
BIAS = 0.0037930734
TINY = 1e-8  # under the square root, so that its slope at no change is finite


def linear(rgb):
    """sRGB 0..255 -> linear light 0..1; values outside, which a picture in training may have, are held at the ends."""
    v = (rgb / 255).clamp(0, 1)
    return torch.where(v <= 0.04045, v / 12.92, ((v.clamp_min(0.04045) + 0.055) / 1.055) ** 2.4)


def opponent(light):
    """Linear RGB [batch][3][h][w] -> X, Y, S - Y."""
    m = torch.tensor(MIX, dtype=light.dtype, device=light.device)
    l, mm, s = ((torch.einsum("oc,bchw->bohw", m, light) + BIAS) ** (1 / 3)).unbind(1)
    y = (l + mm) / 2
    return torch.stack([(l - mm) / 2, y, s - y], 1)


@functools.lru_cache(maxsize=32)
def _windows(n, dtype, device):
    """[ceil(n / STEP)][n]: Gaussian windows around every STEP-th pixel, each of sum one, those at the edges too."""
    centre = torch.arange((n - 1) % STEP / 2, n, STEP, dtype=torch.float64)
    w = torch.exp(-((torch.arange(n)[None] - centre[:, None]) ** 2) / (2 * SIGMA**2))
    return (w / w.sum(1, keepdim=True)).to(device, dtype)


def _mean(x):
    h, w = (_windows(n, x.dtype, x.device) for n in x.shape[-2:])
    return h @ (x @ w.T)


def _variance(x):
    return (_mean(x * x) - _mean(x).square()).clamp_min(0)


def scales(rgb):
    """The picture in opponent colours at each scale of 8x8 or more."""
    light = linear(rgb)
    for k in range(SCALES):
        yield opponent(light)
        if min(light.shape[-2:]) < 16:
            return
        light = F.avg_pool2d(light, 2)


def perceptual(cover, stego, scale_weights=SCALE_WEIGHTS):
    """Pictures [batch][3][h][w], RGB, 0..255 -> [batch]; 0 where equal, about proportional to a small change's strength (0.03 for white luma noise of 45 dB).

    Gradients go to the stego alone.  Sides of 8 or more; under 256 there are fewer scales.
    """
    if min(cover.shape[-2:]) < 8:
        raise ValueError(f"the perceptual measure needs sides of 8 or more, not {tuple(cover.shape[-2:])}")
    with torch.no_grad():
        covers = list(scales(cover))
        floor = torch.tensor(FLOOR, dtype=cover.dtype, device=cover.device)[:, None, None]
        hides = [(floor + _variance(a)) ** -MASK for a in covers]
    colours = torch.tensor(COLOUR_WEIGHTS, dtype=cover.dtype, device=cover.device)
    total, weights = 0, scale_weights[: len(covers)]
    for weight, a, hide, b in zip(weights, covers, hides, scales(stego)):
        seen = (_variance(b - a) * hide + TINY).sqrt() - TINY**0.5
        total = total + weight / sum(weights) * (seen.pow(POOL).mean((2, 3)) + TINY**POOL).pow(1 / POOL) @ colours
    return total
