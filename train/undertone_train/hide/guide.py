"""The guide: a network that sets what changing each coefficient costs, for the sender's syndrome coding in matched channels and JPEG ranges.

    python -m undertone_train.hide.guide CONFIG.toml [--smoke] [--out DIR] [--pack FILE.npz] [--max-seconds N]

Trained through an ideal coder (coder.py) to carry a payload where it is seen least (seen.py) and detected least: by a statistical model of the cover, and,
if the config names one, by a detector that learns beside it.  The receiver needs nothing of it.  A run lives in its folder: last/ (gone on with by the same command), best/, log.jsonl.
"""
import argparse
import json
import math
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import nn

from .. import checkpoint
from ..config import read_as
from .adversary import NETS as DETECTORS
from .adversary import Adversary
from .carriers import planes
from .coder import add_noise, expected_change
from .condition import Condition, features
from .config import AdversaryConfig
from .crops import Crops, made_up
from .crops import read as read_pack
from .jpeg import tables
from .objective import adversarial, judged
from .profiles import profile
from .rounding import Rounding, to_pixels
from .seen import bands, fitted, parts

RANGE = 3.0  # prices are multiplied by exp(-3) to exp(3)
SAVE_SECONDS = 5


@dataclass
class RunConfig:
    out: str = "runs/guide"
    steps: int = 4000
    batch: int = 8
    lr: float = 2e-3
    warmup: int = 50
    weight_decay: float = 1e-4
    clip: float = 1.0
    ema: float = 0.995
    seed: int = 0
    threads: int = 1
    log_every: int = 20
    validate_every: int = 200
    checkpoint_seconds: float = 120


@dataclass
class DataConfig:
    pack: str = ""  # made by undertone_train.hide.crops
    crop: int = 192  # of the pack's pictures, at any place, so that an old JPEG grid does not help
    holdout: float = 0.15
    validation: int = 48


@dataclass
class ModelConfig:
    width: int = 48
    blocks: int = 3
    channel: bool = True  # attention's two gates, for the ablation
    spatial: bool = True


@dataclass
class LossConfig:
    butteraugli: float = 0.45  # seen.py's two fits; logarithms, so that photos and payloads count alike
    ssimulacra: float = 0.4
    detected: float = 0.15  # deflection()
    adversarial: float = 0.0  # cross-entropy of [adversary] towards "cover", in bits
    least_rate: float = 0.02  # bits per pixel; drawn evenly on a logarithmic scale
    most_rate: float = 0.55
    whatsapp: float = 0.4  # share of crops with that table; the others have IJG qualities
    qualities: list = field(default_factory=lambda: [60, 95])


@dataclass
class Config:
    run: RunConfig = field(default_factory=RunConfig)
    data: DataConfig = field(default_factory=DataConfig)
    model: ModelConfig = field(default_factory=ModelConfig)
    loss: LossConfig = field(default_factory=LossConfig)
    adversary: AdversaryConfig = field(default_factory=AdversaryConfig)


def read(path):
    c = read_as(path, Config)
    if c.adversary.net and c.adversary.net not in DETECTORS:
        raise ValueError(f"[adversary] net is {c.adversary.net!r}; use one of {', '.join(DETECTORS)}")
    if c.loss.adversarial and not c.adversary.net:
        raise ValueError("[loss] adversarial is above 0, but [adversary] names no net")
    if not 0 < c.loss.least_rate <= c.loss.most_rate <= 0.9:
        raise ValueError("[loss] rates are bits per pixel: 0 < least_rate <= most_rate <= 0.9")
    return c


class Guide(nn.Module):
    """Coefficients [batch][64][h][w] -> factors on their prices, the same shape; a new guide says 1 everywhere."""

    def __init__(self, config=None):
        super().__init__()
        self.config = c = config or ModelConfig()
        self.net = Condition(width=c.width, blocks=c.blocks, channel=c.channel, spatial=c.spatial)

    def forward(self, x):
        return torch.exp(RANGE * torch.tanh(self.net(features(x))))


def deflection(x, squared, table):
    """How far a detector that knows every coefficient's variance is deflected, [batch]: the sum of (change / variance)^2.

    As MiPOD's (Sedighi, Cogranne, Fridrich 2016, eq. 9) for a Gaussian cover, in the DCT domain; variances are the photo's own over 3x3 blocks,
    and what the quantiser adds.
    """
    v = nn.functional.avg_pool2d(x.square(), 3, 1, 1, count_include_pad=False) + table[:, :, None, None].square() / 12 + 1
    return (squared / v)[:, 1:].square().mean((1, 2, 3))


class Judge:
    """Terms of the loss, each about proportional to the size of the change, so that their logarithms can be added."""

    def __init__(self, config, device):
        self.config = config
        self.seen = {name: fitted(name).to(device).requires_grad_(False) for name in ("butteraugli", "ssimulacra")}

    def __call__(self, rgb, stego, x, table, squared):
        e = parts(bands(rgb), bands(stego))
        terms = {name: net.of_parts(*e).log() / net.shape[1] for name, net in self.seen.items()}
        return terms | dict(detected=deflection(x, squared, table).log() / 4)

    def total(self, terms):
        return sum(getattr(self.config, name) * v.mean() for name, v in terms.items())


def draw_channels(rng, count, loss):
    """-> (tables [count][64], bits per pixel [count])."""
    low, high = loss.qualities
    t = [profile("whatsapp").tables(0)[0] if rng.random() < loss.whatsapp else tables(int(rng.integers(low, high + 1)))[0] for _ in range(count)]
    r = np.exp(rng.uniform(math.log(loss.least_rate), math.log(loss.most_rate), count))
    return torch.stack(t).reshape(count, 64).float(), torch.tensor(r, dtype=torch.float32)


class Trainer:
    def __init__(self, config, pack, max_seconds=0):
        self.config, self.max_seconds, self.started = config, max_seconds, time.monotonic()
        r, m, d = config.run, config.model, config.data
        torch.manual_seed(r.seed)
        torch.set_num_threads(r.threads)
        self.out, self.device = Path(r.out), torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.crops = Crops(*pack, d.crop, d.holdout, r.seed)
        self.held = self.crops.validation(d.validation)
        self.net = Guide(m).to(self.device)
        self.ema = Guide(m).to(self.device).requires_grad_(False)
        self.ema.load_state_dict(self.net.state_dict())
        self.opt = torch.optim.AdamW(self.net.parameters(), lr=r.lr, weight_decay=r.weight_decay)
        self.judge = Judge(config.loss, self.device)
        self.adversary = Adversary(config.adversary, self.device) if config.adversary.net else None
        self.step, self.best = 0, math.inf
        found = checkpoint.find(self.out / "last")
        if found:
            meta = json.loads((found / "meta.json").read_text())
            if meta["config"]["model"] != asdict(m):
                raise ValueError(f"{found}: was trained as another net; choose another run.out")
            self.net.load_state_dict(checkpoint.load_tensors(found, "weights"))
            self.ema.load_state_dict(checkpoint.load_tensors(found, "ema"))
            checkpoint.restore_optimizer(self.opt, checkpoint.load_tensors(found, "optim"))
            self.step, self.best = meta["step"], meta["best"]
            if self.adversary:
                self.adversary.restore(found, meta)

    def say(self, row):
        print("  ".join(f"{k} {v:.4f}" if isinstance(v, float) else f"{k} {v}" for k, v in row.items()), flush=True)
        self.out.mkdir(parents=True, exist_ok=True)
        with open(self.out / "log.jsonl", "a") as f:
            f.write(json.dumps(row) + "\n")

    def save(self, name):
        groups = {"ema": self.ema.state_dict()}
        meta = dict(step=self.step, best=self.best, config=asdict(self.config) | {"kind": "guide"}, torch=torch.__version__)
        if name == "last":
            groups |= {"weights": self.net.state_dict(), "optim": checkpoint.optimizer_tensors(self.opt)}
            if self.adversary:
                self.adversary.save_into(groups, meta)
        checkpoint.save(self.out / name, groups, meta)

    def listen(self, rgb, stego, terms):
        """The detector's turn, then what the guide hears of it."""
        shown = to_pixels(stego)
        if self.step % self.config.adversary.every == 0:
            self.adversary.learn(rgb, shown)
        if self.config.loss.adversarial and self.adversary.ready:
            terms["adversarial"] = adversarial(judged(self.adversary.net, shown, self.config.adversary.channels))

    def train_step(self):
        r = self.config.run
        rng = np.random.default_rng([r.seed, self.step, 1])
        rate = r.lr * min(1, (self.step + 1) / r.warmup) * (0.5 + 0.5 * math.cos(math.pi * min(1, self.step / r.steps)) + 0.02)
        for g in self.opt.param_groups:
            g["lr"] = rate
        rgb = self.crops.batch(self.step, r.batch).to(self.device)
        table, bpp = (t.to(self.device) for t in draw_channels(rng, r.batch, self.config.loss))
        generator = torch.Generator(self.device).manual_seed(int(rng.integers(2**31)))
        x = planes(rgb, Rounding("soft"))
        squared = expected_change(x, table, self.net(x), bpp)
        stego = add_noise(rgb, squared, generator)
        terms = self.judge(rgb, stego, x, table, squared)
        if self.adversary:
            self.listen(rgb, stego, terms)
        loss = self.judge.total(terms)
        self.opt.zero_grad()
        loss.backward()
        norm = nn.utils.clip_grad_norm_(self.net.parameters(), r.clip)
        if torch.isfinite(norm):
            self.opt.step()
        self.step += 1
        with torch.no_grad():
            keep = min(r.ema, (1 + self.step) / (10 + self.step))
            for a, b in zip(self.ema.parameters(), self.net.parameters()):
                a.lerp_(b, 1 - keep)
        return loss.item(), norm.item()

    @torch.no_grad()
    def validate(self):
        """Each term against prices without a guide, as a ratio: below 1 is better."""
        sums, rng = {}, np.random.default_rng(1)
        for i, crop in enumerate(self.held):
            rgb = crop[None].to(self.device)
            table, bpp = (t.to(self.device) for t in draw_channels(rng, 1, self.config.loss))
            x, got = planes(rgb, Rounding("soft")), []
            for w in (self.ema(x), torch.ones_like(x)):
                squared = expected_change(x, table, w, bpp)
                got.append(self.judge(rgb, add_noise(rgb, squared, torch.Generator(self.device).manual_seed(i)), x, table, squared))
            for name in got[0]:
                sums.setdefault(name, []).append((got[0][name] - got[1][name]).item())
        means = {k: float(np.mean(v)) for k, v in sums.items()}
        total = sum(getattr(self.config.loss, k) * v for k, v in means.items())
        self.say(dict(event="validation", step=self.step, **{k: math.exp(v) for k, v in means.items()}, total=total))
        if total < self.best:
            self.best = total
            self.save("best")

    def train(self):
        """-> True when all steps are done, False when time ran out first."""
        r, saved = self.config.run, time.monotonic()
        self.say(dict(event="start", step=self.step, device=str(self.device), parameters=sum(p.numel() for p in self.net.parameters()), crops=len(self.crops.train)))
        while self.step < r.steps:
            loss, norm = self.train_step()
            if self.step % r.log_every == 0:
                self.say(dict(step=self.step, loss=loss, norm=norm, seconds=round(time.monotonic() - self.started, 1)))
            if self.step % r.validate_every == 0 or self.step == r.steps:
                self.validate()
            now = time.monotonic()
            if now - saved > r.checkpoint_seconds:
                self.save("last")
                saved = now
            if self.max_seconds and now - self.started > self.max_seconds - SAVE_SECONDS:
                break
        self.save("last")
        return self.step >= r.steps


def smoke(c):
    c.run.steps, c.run.batch, c.run.validate_every, c.run.log_every = 12, 4, 6, 4
    c.model.width, c.model.blocks, c.data.crop, c.data.validation, c.data.holdout, c.adversary.ahead = 16, 1, 64, 4, 0.3, 2


def main(argv=None):
    parser = argparse.ArgumentParser(description="trains the guide, the network that sets the prices of changes")
    parser.add_argument("config")
    parser.add_argument("--smoke", action="store_true", help="a few steps on made-up pictures")
    parser.add_argument("--out")
    parser.add_argument("--pack", help="in place of [data] pack")
    parser.add_argument("--max-seconds", type=float, default=0)
    a = parser.parse_args(argv)
    try:
        c = read(a.config)
        if a.out:
            c.run.out = a.out
        if a.pack:
            c.data.pack = a.pack
        if a.smoke:
            smoke(c)
        done = Trainer(c, made_up() if a.smoke else read_pack(c.data.pack), a.max_seconds).train()
    except (OSError, ValueError) as e:
        print(f"guide: {e}", file=sys.stderr)
        return 2
    print("done" if done else "time is up; the same command goes on")
    return 0


if __name__ == "__main__":
    sys.exit(main())
