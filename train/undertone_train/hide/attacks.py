"""What happens to pictures in training: each of a batch goes through a channel, by the real codec, by its differentiable model, or not at all.

The mixture of the three is MBRS's (Jia et al. 2021).  Which picture gets what depends on (seed, step, its place in the batch) and nothing else.

Channels are written as for the program, with ranges where it has none:

    jpeg:50-95   jpeg:75:444   webp:70-90   avif:60   whatsapp   resize:0.5-0.9   resize:0.75:bicubic   resize:0.7-1+jpeg:80-95

A profile is its JPEG encoder alone: training crops are smaller than what platforms shrink.  A chain that resizes ends by resizing back, as the receiver does once
it knows the size, so that input and output always have one shape.
"""
import io
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np
import torch
from PIL import Image

from . import avif, webp
from .jpeg import SUBSAMPLING, jpeg, tables
from .profiles import profile
from .resize import KERNELS, new_size, resize
from .rounding import MODES, Rounding, to_pixels

GRADIENTS = ("model", "identity", "none")


@dataclass
class AttackConfig:
    channels: list = field(default_factory=lambda: ["jpeg:50-95", "whatsapp"])
    weights: list = field(default_factory=list)  # how often each; empty: equally
    real: float = 0.3  # shares of the batch
    simulated: float = 0.5
    none: float = 0.2
    rounding: str = "hybrid"  # of the models (rounding.py)
    real_gradient: str = "model"  # of the real codec: its model's, the identity, or none (then only the decoder learns from it)
    seed: int = 0
    workers: int = 0  # threads that run real codecs

    def check(self):
        if self.rounding not in MODES:
            raise ValueError(f"[attack] rounding is {self.rounding!r}; use one of {', '.join(MODES)}")
        if self.real_gradient not in GRADIENTS:
            raise ValueError(f"[attack] real_gradient is {self.real_gradient!r}; use one of {', '.join(GRADIENTS)}")
        shares = (self.real, self.simulated, self.none)
        if min(shares) < 0 or abs(sum(shares) - 1) > 1e-6:
            raise ValueError(f"[attack] real, simulated and none are {shares}; they are shares and sum to 1")
        if not self.channels:
            raise ValueError("[attack] channels is empty")
        if self.weights and (len(self.weights) != len(self.channels) or min(self.weights) < 0 or not sum(self.weights) > 0):
            raise ValueError("[attack] weights: one for each channel, none negative, not all zero")
        return self


@dataclass(frozen=True)
class Step:
    """One step of a channel with its choices open; drawn, least equals most."""

    kind: str  # jpeg, webp, avif, resize
    least: float
    most: float
    how: str = ""  # jpeg: subsampling; resize: kernel
    profile: str = ""

    @property
    def group(self):
        """Steps of one group run in one batch."""
        return (self.kind, self.how, self.least if self.kind == "resize" else None)


# Kind -> (what an argument must be, whole numbers only, least, most).
_STEPS = {"jpeg": ("a quality of 1 to 100", True, 1, 100), "webp": ("a quality of 0 to 100", False, 0, 100),
          "avif": (f"a quality of {avif.QUALITIES[0]} to {avif.QUALITIES[-1]}", False, avif.QUALITIES[0], avif.QUALITIES[-1]),
          "resize": ("a factor of 0.05 to 4", False, 0.05, 4)}
_RANGE = re.compile(r"([0-9]+(?:\.[0-9]+)?)(?:-([0-9]+(?:\.[0-9]+)?))?")


def parse(channel):
    """-> tuple of Steps; a message that names the step if there is a mistake."""
    steps = []
    for text in channel.split("+"):
        name, _, rest = text.partition(":")
        if name == "png" and not rest:
            continue
        if name not in _STEPS:
            if rest:
                raise ValueError(f"channel step {text!r}: a profile takes no argument here")
            p = profile(name)
            steps.append(Step("jpeg", *(p.quality or (0, 0)), p.subsampling, p.name))
            continue
        what, whole, least, most = _STEPS[name]
        argument, _, how = rest.partition(":")
        m = _RANGE.fullmatch(argument)
        low, high = (float(m[1]), float(m[2] or m[1])) if m else (1, 0)
        if not least <= low <= high <= most or (whole and (low % 1 or high % 1)):
            raise ValueError(f"channel step {text!r}: {name} takes {what}, or a range of them")
        known = {"jpeg": SUBSAMPLING, "resize": KERNELS}.get(name, {})
        if how and how not in known:
            raise ValueError(f"channel step {text!r}: {how!r} is none of {', '.join(known) or 'its options, it has none'}")
        steps.append(Step(name, low, high, how or {"jpeg": "420", "resize": "lanczos"}.get(name, "")))
    return tuple(steps)


def draw(step, rng):
    if step.kind == "jpeg":
        value = float(rng.integers(int(step.least), int(step.most) + 1))
    else:
        value = round(float(rng.uniform(step.least, step.most)), 3)
    return Step(step.kind, value, value, step.how, step.profile)


@dataclass(frozen=True)
class Item:
    """What one picture of a batch goes through."""

    way: str  # real, simulated, none
    channel: str
    steps: tuple


def jpeg_tables(steps):
    """[batch][2][8][8] of drawn jpeg steps."""
    return torch.stack([profile(s.profile).tables(int(s.least)) if s.profile else tables(s.least) for s in steps])


def _encode(step, table, pixels):
    """uint8 [h][w][3] through the real codec."""
    options = {"webp": dict(quality=step.least, method=4), "avif": dict(quality=round(step.least), speed=6)}.get(step.kind)
    if options is None:
        options = dict(qtables=[t.flatten().int().tolist() for t in table], subsampling={"444": 0, "422": 1, "420": 2}[step.how])
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, step.kind.upper(), **options)
    return np.array(Image.open(file).convert("RGB"))


class Attack:
    """attack(rgb, step) -> (received, plan).  rgb, received: [batch][3][h][w] in 0..255; plan: the Items."""

    def __init__(self, config):
        self.config = config.check()
        self.channels = [(c, parse(c)) for c in config.channels]
        w = np.array(config.weights or [1.0] * len(self.channels), float)
        self.shares = w / w.sum()
        self.pool = ThreadPoolExecutor(config.workers) if config.workers else None

    def plan(self, step, count):
        c, items = self.config, []
        for i in range(count):
            rng = np.random.default_rng([c.seed, step, i])
            way = ("real", "simulated", "none")[rng.choice(3, p=[c.real, c.simulated, c.none])]
            name, steps = self.channels[rng.choice(len(self.channels), p=self.shares)]
            items.append(Item(way, "png", ()) if way == "none" else Item(way, name, tuple(draw(s, rng) for s in steps)))
        return items

    def _model(self, x, steps, rounding):
        first = steps[0]
        if first.kind == "jpeg":
            return jpeg(x, jpeg_tables(steps), first.how, rounding)
        model = {"webp": webp.webp, "avif": avif.avif}[first.kind]
        return model(x, [s.least for s in steps], rounding)

    def _real(self, x, steps, rounding):
        pixels = to_pixels(x.detach()).permute(0, 2, 3, 1).byte().cpu().numpy()
        table = jpeg_tables(steps) if steps[0].kind == "jpeg" else [None] * len(steps)
        run = self.pool.map if self.pool else map
        y = torch.tensor(np.stack(list(run(_encode, steps, table, pixels)))).permute(0, 3, 1, 2).to(x)
        how = self.config.real_gradient
        if how == "none" or not (torch.is_grad_enabled() and x.requires_grad):
            return y
        base = self._model(x, steps, rounding) if how == "model" else to_pixels(x)
        return base + (y - base).detach()

    def _chain(self, x, items, rounding):
        h, w = x.shape[-2:]
        for k, step in enumerate(items[0].steps):
            steps = [item.steps[k] for item in items]
            if step.kind == "resize":
                x = resize(x, *(new_size(n, step.least) for n in x.shape[-2:]), step.how, rounding)
            else:
                x = (self._real if items[0].way == "real" else self._model)(x, steps, rounding)
        return resize(x, h, w, "lanczos", rounding) if x.shape[-2:] != (h, w) else x

    def __call__(self, rgb, step):
        plan = self.plan(step, len(rgb))
        groups = {}
        for i, item in enumerate(plan):
            groups.setdefault((item.way, *(s.group for s in item.steps)), []).append(i)
        out = [None] * len(rgb)
        generator = torch.Generator(rgb.device).manual_seed(self.config.seed * 1_000_003 + step)
        for (way, *_), rows in groups.items():
            if way == "none":
                got = to_pixels(rgb[rows])
            else:  # what the real codec is given must be whole numbers all the way
                got = self._chain(rgb[rows], [plan[i] for i in rows], Rounding("hybrid" if way == "real" else self.config.rounding, generator))
            for i, y in zip(rows, got):
                out[i] = y
        return torch.stack(out), plan
