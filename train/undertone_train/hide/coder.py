"""An ideal coder in a matched channel, as far as gradients need it: what syndrome coding at given prices does to a photo.

A carrier keeps its parity or turns over, with the probability that its price deserves (Filler, Judas, Fridrich 2011, eq. 5); the payload sets one
multiplier for all prices.  Where a cell's edge is and how far a coefficient has to move is as in src/stage/hide/place.c for one quantiser.

Coefficients are [batch][64][h][w], one 8x8 block a place (condition.py); tables [batch][64].
"""
import math

import torch

from .carriers import SPREAD
from .webp import dct, from_blocks

MARGIN = 0.3  # coefficient units that are kept from the edge of a cell, for 8-bit rounding


def moves(x, table):
    """-> (signed move to keep the parity, signed move to turn it over), both onto the nearest safe value."""
    q = table[:, :, None, None]
    r = x - q * torch.floor(x / q + 0.5)
    half = (q / 2 - MARGIN).clamp_min(0)
    keep = r.clamp(-half, half) - r
    side = torch.where(r < 0, -1.0, 1.0)
    return keep, side * (q - half) - r


def entropy(p):
    p = p.clamp(1e-7, 1 - 1e-7)
    return -(p * p.log2() + (1 - p) * (1 - p).log2())


def turn_probability(price, bits_per_pixel, iterations=30):
    """Prices (of turning over rather than keeping, >= about 0) of all carriers and the payload [batch] -> probabilities.

    The multiplier is found by bisection without gradient; one Newton step then gives it the gradient that the payload's constraint implies, so
    that making all prices dearer alike changes nothing.
    """
    n = price.shape[2] * price.shape[3] * 64
    want = bits_per_pixel * n
    flat = price.flatten(1)
    with torch.no_grad():
        lo, hi = torch.full_like(want, -12.0), torch.full_like(want, 12.0)
        scale = 1 / flat.mean(1)
        for _ in range(iterations):
            mid = (lo + hi) / 2
            got = entropy(torch.sigmoid(-flat * (scale * mid.exp())[:, None])).sum(1)
            lo, hi = torch.where(got > want, mid, lo), torch.where(got > want, hi, mid)
        multiplier = scale * ((lo + hi) / 2).exp()
        z = flat * multiplier[:, None]
        p = torch.sigmoid(-z)
        # d entropy / dz = -z p (1 - p) / ln 2, dz / d multiplier = z / multiplier
        slope = -(z.square() * p * (1 - p)).sum(1) / math.log(2) / multiplier
    if price.requires_grad:
        got = entropy(torch.sigmoid(-flat * multiplier[:, None])).sum(1)
        multiplier = multiplier - (got - got.detach()) / slope
    return torch.sigmoid(-flat * multiplier[:, None]).view_as(price)


def expected_change(x, table, weight, bits_per_pixel):
    """-> squared change expected of every coefficient, with gradients to the weights [batch][64][h][w] of the prices; DC carries nothing."""
    keep, turn = (m[:, 1:].square() for m in moves(x, table))
    p = turn_probability((turn - keep) * weight[:, 1:], bits_per_pixel)
    e = keep + p * (turn - keep)
    return torch.cat([torch.zeros_like(e[:, :1]), e], 1)


def add_noise(rgb, squared, generator=None):
    """The photo with Gaussian changes of that expected square: as visible as the coder's, but smooth in what it expects.  Pixels stay unrounded."""
    noise = torch.randn(squared.shape, generator=generator, device=squared.device) * (squared + 1e-8).sqrt()
    m = dct(8, rgb.dtype, rgb.device)
    luma = from_blocks(m.T @ noise.permute(0, 2, 3, 1).unflatten(-1, (8, 8)) @ m)
    return rgb + luma[:, None] * SPREAD.to(rgb)[None, :, None, None]
