"""More bits at equal visibility: what the INN is trained for, and how a run's weights are compared."""
import math

import numpy as np
import torch
from torch.nn import functional as F

from . import carriers as cs
from .objective import payload_bits
from .perceptual import perceptual
from .visibility import ms_ssim, watson

WIDTHS = (0.7, 1.0, 1.4)


def log_visibility(cover, stego):
    """[batch]: mean logarithm of three measures that all grow as the change's strength; together they agree better with what judges us than each alone."""
    lengths = perceptual(cover, stego).clamp_min(1e-4), watson(cover, stego).clamp_min(1e-4), (1 - ms_ssim(cover, stego)).clamp_min(1e-8).sqrt()
    return sum(w * v.log() for w, v in zip((0.5, 0.25, 0.25), lengths))


@torch.no_grad()
def plain(cover, key, bits):
    """Mode 0's robust form with that key."""
    return cs.add(cover, torch.where(key.carriers, -key.alpha * cs.error(cs.planes(cover), key, bits), 0))


def exchange(cover, stego, llr, flat, key, bits, weight):
    """-> (loss, parts).  Both of each crop: what the LLRs (of the carriers, [n]) lack, and how much more visible the change is than mode 0's with that key.

    A rate I changes by about 1.9 sqrt(I (1 - I)) when all cells grow until the change is e times as visible (weight; measured, docs/HIDER.md), so the two may be added.
    The square keeps the cells' size from running away.
    """
    usual = log_visibility(cover, plain(cover, key, bits))
    count = key.carriers.sum((1, 2, 3))
    row = torch.arange(len(cover), device=cover.device).repeat_interleave(count)
    lacking = F.softplus(llr * (2 * flat - 1)) / math.log(2)
    bce = torch.zeros_like(usual).index_add(0, row, lacking) / count
    rate = (1 - bce).detach().clamp(0.02, 0.98)
    more = log_visibility(cover, stego) - usual
    loss = (bce + weight * (rate * (1 - rate)).sqrt() * more + more.square()).mean()
    return loss, dict(bce=bce.mean().detach(), rate=1 - bce.mean().detach(), more=more.mean().detach())


@torch.no_grad()
def equal_rates(net, cover, key, bits, channels):
    """{channel: rate}, bits a carrier by calibrated LLRs, where the change is as visible as mode 0's with that key; channels: {name: function of a batch}."""
    usual, seen, rates = float(log_visibility(cover, plain(cover, key, bits)).mean()), [], {name: [] for name in channels}
    for factor in WIDTHS:
        wider = cs.Key(key.carriers, key.dither, key.width * factor, key.alpha)
        stego, _ = net.embed(cover, wider, bits)
        seen.append(float(log_visibility(cover, stego).mean()))
        for name, channel in channels.items():
            llr = net.read(channel(stego), wider, None, bits)[0]
            rates[name].append(max(float(1 - payload_bits(llr[key.carriers], bits[key.carriers])), 1e-4))
    return {name: float(np.exp(np.interp(usual, seen, np.log(r)))) for name, r in rates.items()}
