"""A stand-in for AVIF, with gradients: 4:2:0, blocks of 8x8 predicted as in webp.py, one transform size, a flat quantiser with a dead zone.

AV1 chooses among dozens of predictions, transforms of 4 to 64 and several filters; none of that is modelled.  STEPS is fitted so that the error's power is the real
codec's (tools/check_attacks.py --fit-avif, training photos, libavif as Pillow has it), and that is all it promises; docs/HIDER.md has what differs.
"""
import numpy as np
import torch
from torch.nn import functional as F

from .jpeg import _grow, _up, to_rgb, to_ycc
from .rounding import Rounding
from .webp import coded

QUALITIES = (30, 40, 50, 60, 70, 80, 90, 95)
STEPS = (57.87, 41.64, 27.07, 17.97, 11.43, 7.97, 4.15, 2.51)
CHROMA_STEPS = (28.4, 20.77, 15.39, 11.19, 8.38, 5.87, 4.57, 3.4)
DEAD = 0.35  # a half would be no dead zone


def step_of(quality, steps=STEPS):
    """Between the fitted qualities the step's logarithm is a straight line."""
    if not QUALITIES[0] <= quality <= QUALITIES[-1]:
        raise ValueError(f"AVIF quality is {quality}; the model was fitted for {QUALITIES[0]} to {QUALITIES[-1]}")
    return float(np.exp(np.interp(quality, QUALITIES, np.log(steps))))


def with_steps(rgb, luma, chroma, rounding):
    """luma, chroma: quantiser steps [batch], in grey levels of an orthonormal transform."""
    h, w = rgb.shape[-2:]
    x = F.pad(rounding.pixels(rgb), (0, _up(w, 16) - w, 0, _up(h, 16) - h), mode="replicate")
    bias = torch.full((8, 8), DEAD, dtype=rgb.dtype, device=rgb.device)
    bias[0, 0] = 0.5
    planes = []
    for i, plane in enumerate(to_ycc(x, rounding)):
        if i:
            plane = rounding.fine(F.avg_pool2d(plane[:, None], 2)[:, 0])
        steps = (chroma if i else luma).to(rgb)[:, None, None, None, None].expand(-1, 1, 1, 8, 8)
        plane = rounding.pixels(coded(plane, 8, 8, steps, bias, rounding))
        planes.append(_grow(plane[:, : -(-h // 2), : -(-w // 2)], 2, 2, rounding)[:, :h, :w] if i else plane[:, :h, :w])
    return to_rgb(*planes, rounding)


def avif(rgb, quality, rounding=None):
    """-> a picture as far from rgb as AVIF's.  rgb [batch][3][h][w] in 0..255; quality: a number, or one for each picture."""
    each = [float(q) for q in torch.as_tensor(quality).reshape(-1).expand(len(rgb))]
    luma, chroma = (torch.tensor([step_of(q, s) for q in each]) for s in (STEPS, CHROMA_STEPS))
    return with_steps(rgb, luma, chroma, rounding or Rounding())
