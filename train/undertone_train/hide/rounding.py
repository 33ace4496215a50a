"""Rounding and clipping, as a codec does them and as a gradient can pass them.

A codec rounds in two ways.  Its *coarse* rounding, the quantiser's, loses what the payload must survive.  Its *fine* ones (colour conversion, between the passes
of a transform) lose half a grey level at most.  Four modes say what each does forward and backward:

    mode     coarse forward               coarse backward   fine forward    fine backward
    ste      as the codec                 1                 as the codec    1
    hybrid   as the codec                 3 (x - round x)^2 as the codec    1
    soft     round x + (x - round x)^3    3 (x - round x)^2 none            1
    noise    x + uniform, 0 where round x 1                 none            1
             is 0

The cubic's gradient is the true one of `soft`.  `hybrid` keeps it but shows the network what the codec really gives: soft's error is too small by a fifth
(docs/HIDER.md).  Noise over the many coefficients that a codec makes zero would swamp the picture, so `noise` leaves those at zero.
"""
import torch

MODES = ("ste", "hybrid", "soft", "noise")


class _Floor(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x.floor()

    @staticmethod
    def backward(ctx, g):
        return g


def _quantise(x, bias):
    return torch.copysign((x.abs() + bias).floor(), x)


class _Coarse(torch.autograd.Function):
    """Away from zero from 1 - bias on; gradient 1, or the cubic's."""

    @staticmethod
    def forward(ctx, x, bias, cubic):
        r = _quantise(x, bias)
        ctx.cubic = cubic
        if cubic:
            ctx.save_for_backward(x - r)
        return r

    @staticmethod
    def backward(ctx, g):
        return (3 * ctx.saved_tensors[0].square() * g if ctx.cubic else g), None, None


def soft_round(x):
    """round(x) + (x - round(x))^3, halves to even; gradient 3 (x - round(x))^2."""
    r = x.detach().round()
    return r + (x - r) ** 3


class Rounding:
    """One mode's two roundings.  generator: the random numbers of `noise`."""

    def __init__(self, mode="hybrid", generator=None):
        if mode not in MODES:
            raise ValueError(f"rounding mode is {mode!r}; use one of {', '.join(MODES)}")
        self.mode, self.generator = mode, generator

    @property
    def real(self):
        """Whether forward is the codec's own arithmetic."""
        return self.mode in ("ste", "hybrid")

    def coarse(self, x, bias=0.5):
        """sign(x) floor(|x| + bias): a half is libjpeg's quantiser, which takes halves away from zero; less leaves a dead zone around zero."""
        if self.mode == "soft":
            r = _quantise(x.detach(), bias)
            return r + (x - r) ** 3
        if self.mode == "noise":
            u = torch.rand(x.shape, generator=self.generator, device=x.device, dtype=x.dtype) - 0.5
            return x + torch.where(_quantise(x.detach(), bias) == 0, -x.detach(), u)
        return _Coarse.apply(x, bias, self.mode == "hybrid")

    def fine(self, x, bias=0.5):
        """floor(x + bias) where the codec's arithmetic is wanted, else x."""
        return _Floor.apply(x + bias) if self.real else x

    def pixels(self, x):
        """To 0..255, and to whole numbers where the codec's arithmetic is wanted; no gradient where clipped."""
        return self.fine(x.clamp(0, 255))


def to_pixels(x):
    """What a lossless file keeps of a picture: rounded, clipped; gradient 1 inside 0..255, and 0 outside."""
    return Rounding("ste").pixels(x)
