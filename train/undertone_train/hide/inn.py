"""The invertible network of the robust form: where a coefficient lies is bent by what its surroundings are, and the scalar Costa scheme hides in the bent place.

    latent u = forward(x);  u moves to its bit's cell;  x' = inverse(u');  the receiver takes u of what arrives.

Each coupling transforms the payload's carriers of one parity of (row + column of the frequency + block's column + row + number of the coupling); all else is
its context and passes through, so that the inverse knows what the forward way knew (Dinh, Sohl-Dickstein, Bengio 2017).  Of a carrier x, with a and t said by the context,

    g(x) = x + a tau x / (tau + |x|) + t

grows with x since a > -1, has slope 1 + a at 0 (steps finer or coarser by up to e^1.4) and about 1 far out, where a slope would multiply a large x by any error of a.
A third network, trust, says from what arrived how far each carrier is to be believed.  All of it starts as the identity, which is mode 0's robust form.
src/stage/hide/inn.c computes the same; weights go there by hide/export_run.py.
"""
from dataclasses import dataclass

import torch
from torch import nn

from . import carriers as cs
from .condition import Condition, features

BEND, SHIFT, TAU = 1.4, 2.0, 32.0
NCLASSES, TRUST = 8, 0.5  # a class of trust is a factor of e^0.5 in concentration


@dataclass
class InnConfig:
    couplings: int = 2
    width: int = 48
    blocks: int = 3
    channel: bool = True  # attention's two gates, for the ablation
    spatial: bool = True
    trust: bool = True
    cells: tuple = (8.0, 20.0)  # cell widths of training, drawn on a logarithmic scale
    nfreq: tuple = (8, 24)
    alpha: float = 0.84

    def check(self):
        if self.couplings < 1 or self.blocks < 0 or self.width < 4:
            raise ValueError("[model] couplings is 1 or more, blocks 0 or more, width 4 or more")
        if not (0 < self.cells[0] <= self.cells[1] and 1 <= self.nfreq[0] <= self.nfreq[1] <= 63 and 0 < self.alpha <= 1):
            raise ValueError("[model] cells are two rising numbers above 0, nfreq two of 1 to 63, alpha is above 0 and at most 1")
        return self


def bend(x, a, t):
    return x + a * (TAU * x / (TAU + x.abs())) + t


def unbend(u, a, t):
    """The x with bend(x) = u: the positive root of x^2 + b x - tau |u - t|, in the form that does not cancel for either sign of b."""
    v = u - t
    w = v.abs()
    b = TAU + a * TAU - w
    root = (b * b + 4 * TAU * w).sqrt()
    return torch.where(b >= 0, 2 * TAU * w / (b.clamp_min(0) + root), (root - b) / 2) * v.sign()


def parity(shape, k, device):
    """bool [64][h][w]: what coupling k transforms, were all of it carriers."""
    f, y, x = (torch.arange(n, device=device) for n in shape[-3:])
    return (((f // 8 + f % 8 + k)[:, None, None] + y[:, None] + x) & 1) == 0


class Inn(nn.Module):
    kind = "inn"

    def __init__(self, config):
        super().__init__()
        self.config = c = config.check()
        gates = dict(channel=c.channel, spatial=c.spatial)
        self.couplings = nn.ModuleList(Condition(width=c.width, blocks=c.blocks, outputs=128, **gates) for _ in range(c.couplings))
        self.trust = Condition(width=c.width, blocks=c.blocks, outputs=64, **gates) if c.trust else None
        # Training's reading only: what else the receiver's concentration depends on.  The program measures that of each photo (scs.c).
        self.level = nn.Parameter(torch.zeros(64))

    def _say(self, k, x, turned):
        scale, shift = self.couplings[k](features(torch.where(turned, 0, x))).chunk(2, 1)
        return torch.expm1(BEND * torch.tanh(scale.float())), SHIFT * torch.tanh(shift.float())

    def to_latent(self, x, carriers):
        """Coefficients and the payload's carriers (bool), both [batch][64][h][w] -> latent."""
        for k in range(len(self.couplings)):
            turned = carriers & parity(x.shape, k, x.device)
            x = torch.where(turned, bend(x, *self._say(k, x, turned)), x)
        return x

    def from_latent(self, u, carriers):
        for k in reversed(range(len(self.couplings))):
            turned = carriers & parity(u.shape, k, u.device)
            u = torch.where(turned, unbend(u, *self._say(k, u, turned)), u)
        return u

    def embed(self, cover, key, bits):
        """-> (stego as 8-bit pixels, latent sent).  What the lattice adds is treated as noise that no parameter moves: it is detached."""
        x = cs.planes(cover)
        u = self.to_latent(x, key.carriers)
        move = torch.where(key.carriers, -key.alpha * cs.error(u.detach(), key, bits), 0)
        sent = u + move
        # Context is whole-number luma on both ends, so x itself is exact; only carriers change.
        change = torch.where(key.carriers, self.from_latent(sent, key.carriers) - x, 0)
        return cs.add(cover, change), sent

    @torch.no_grad()
    def settle(self, cover, key, bits, rounds=12, margin=0.8):
        """stego whose own reading has every bit within margin of half a cell, as far as rounds reach: pixels clip and round, and what they make of context shifts others."""
        stego, _ = self.embed(cover, key, bits)
        for _ in range(rounds):
            x = cs.planes(stego)
            u = self.to_latent(x, key.carriers)
            off = cs.error(u, key, bits)
            wrong = key.carriers & (off.abs() > margin * key.width / 2)
            if not wrong.any():
                break
            back = self.from_latent(u - torch.where(wrong, off, 0), key.carriers)
            stego = cs.add(stego, torch.where(wrong, back - x, 0))
        return stego

    def read(self, received, key, sent=None, bits=None):
        """-> (LLRs, phases in radians, log trust), each [batch][64][h][w] and of no meaning outside the carriers.

        sent, for training: the latent's own gradient is left out of the phase, since the lattice follows it.  bits, for training: the mean concentration is then
        taken from them, as the header tells the receiver; else from the phases.
        """
        x = cs.planes(received)
        u = self.to_latent(x, key.carriers)
        if sent is not None:
            u = u - sent + sent.detach()
        angle = cs.phase(u, key)
        say = self.trust(features(x)).float() if self.trust is not None else torch.zeros_like(u)
        with torch.no_grad():
            if bits is None:
                cosine = cs.blind_cosine(angle, key.carriers)
            else:
                n = key.carriers.sum((1, 2, 3), keepdim=True).clamp_min(1)
                cosine = (torch.cos(angle - torch.pi * bits) * key.carriers).sum((1, 2, 3), keepdim=True) / n
            kappa = cs.concentration(cosine)
        llr = 2 * kappa * torch.exp((TRUST * say + self.level[:, None, None]).clamp(-4, 4)) * torch.cos(angle)
        return llr, angle, say

    def classes(self, say):
        """The eight classes that the program's header tabulates."""
        return (4 + say).floor().clamp(0, NCLASSES - 1)
