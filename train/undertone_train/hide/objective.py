"""What the hider is trained for: the payload must arrive, the change must not be seen, a detector must not tell.  Weights come from the config.

LLRs are ln P(0)/P(1), as everywhere in Undertone: positive says 0.
"""
import math
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional as F

from . import lpips
from .jpeg import to_ycc
from .perceptual import perceptual
from .rounding import Rounding
from .visibility import ms_ssim, watson


@dataclass
class LossConfig:
    bce: float = 1.0  # payload: cross-entropy of the LLRs, in bits for each bit
    l1: float = 0.0  # payload: distance of the received probability from the bit
    mse: float = 0.0  # picture: squared error over 255 squared
    perceptual: float = 1.0  # perceptual.py: of these measures the one that agrees best with Butteraugli and SSIMULACRA 1 together (docs/HIDER.md)
    ms_ssim: float = 0.0  # 1 - MS-SSIM
    watson: float = 0.0
    watson_luminance: float = 0.0  # visibility.py; Watson's own are 0.649, 0.7, 4 and 1
    watson_contrast: float = 0.7
    watson_pool: float = 2.0
    watson_chroma: float = 0.1
    lpips: float = 0.0
    lpips_net: str = "alex"
    lpips_classifier: str = ""  # files; see lpips.py
    lpips_linear: str = ""
    adversarial: float = 0.0  # cross-entropy of a detector towards "cover"

    def check(self):
        if self.lpips_net not in lpips.CHANNELS:
            raise ValueError(f"[loss] lpips_net is {self.lpips_net!r}; use one of {', '.join(lpips.CHANNELS)}")
        for name in ("bce", "l1", "mse", "perceptual", "ms_ssim", "watson", "lpips", "adversarial"):
            if not 0 <= getattr(self, name) < math.inf:
                raise ValueError(f"[loss] {name} is {getattr(self, name)}; weights are numbers of 0 or more")
        if not (0 <= self.watson_luminance <= 1 and 0 <= self.watson_contrast < 1 and 1 <= self.watson_pool <= 16 and 0 <= self.watson_chroma < math.inf):
            raise ValueError("[loss] watson_luminance is 0 to 1, watson_contrast 0 to below 1, watson_pool 1 to 16, watson_chroma 0 or more")
        if not self.bce + self.l1:
            raise ValueError("[loss] bce and l1 are both 0: nothing would carry the payload")
        return self


def payload_bits(llr, bits):
    """Mean cross-entropy in bits, 1 where the LLRs know nothing; 1 minus it is a rate that an ideal code reaches with these LLRs."""
    return F.softplus(llr * (2 * bits - 1)).mean() / math.log(2)


def payload_l1(llr, bits):
    """Mean |P(1) - bit|, half where nothing is known."""
    return torch.sigmoid(llr * (2 * bits - 1)).mean()


def judged(detector, rgb, channels=3):
    """A detector's logits [batch][2] (cover, stego) with gradients to the picture alone: its weights stay as they are, and its batch norms in evaluation."""
    x = to_ycc(rgb, Rounding("soft"))[0][:, None] if channels == 1 else rgb
    training, wanted = detector.training, [p.requires_grad for p in detector.parameters()]
    detector.eval().requires_grad_(False)
    try:
        return detector(x)
    finally:
        detector.train(training)
        for p, w in zip(detector.parameters(), wanted):
            p.requires_grad_(w)


def adversarial(logits):
    """Cross-entropy in bits towards "cover": 1 where the detector guesses."""
    return F.cross_entropy(logits, logits.new_zeros(len(logits), dtype=torch.long)) / math.log(2)


class Objective(nn.Module):
    """forward(cover, stego, llr, bits, logits) -> (loss, parts): logits are judged()'s, needed only if the config weighs them.

    Terms of weight 0 are not computed.  parts: each term unweighted, detached, and `rate`, the bits that arrive for each bit sent.
    """

    def __init__(self, config):
        super().__init__()
        self.config = config.check()
        self.lpips = lpips.load(config.lpips_net, config.lpips_classifier, config.lpips_linear) if config.lpips else None

    def forward(self, cover, stego, llr, bits, logits=None):
        c = self.config
        if c.adversarial and logits is None:
            raise ValueError("[loss] adversarial is above 0, but no detector judged the pictures")
        terms = dict(
            bce=lambda: payload_bits(llr, bits), l1=lambda: payload_l1(llr, bits), mse=lambda: (stego - cover).square().mean() / 255**2,
            perceptual=lambda: perceptual(cover, stego).mean(), ms_ssim=lambda: 1 - ms_ssim(cover, stego).mean(),
            watson=lambda: watson(cover, stego, c.watson_luminance, c.watson_contrast, c.watson_pool, c.watson_chroma).mean(),
            lpips=lambda: self.lpips(cover, stego).mean(), adversarial=lambda: adversarial(logits),
        )
        parts = {name: term() for name, term in terms.items() if getattr(c, name)}
        loss = sum(getattr(c, name) * value for name, value in parts.items())
        return loss, dict({k: v.detach() for k, v in parts.items()}, rate=1 - payload_bits(llr.detach(), bits))
