"""Training of a detector network on a pack of pairs, and its P_E on photos it never saw.

    python -m undertone_train.detect.network CONFIG.toml [--smoke] [--out DIR] [--pack FILE.npz] [--steps N] [--max-seconds N]

Cover and stego picture of a tile share a batch and its flip or turn.  One fold of photos is the test, the next one chooses the best weights, the others
train.  A run lives in its folder: last/ (gone on with by the same command), best/, log.jsonl, result.json.
"""
import argparse
import json
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F

from .. import checkpoint
from ..config import read_as
from .pairs import folds, photo_of, read_pack
from .pe import error_at, interval, p_e
from .srnet import SRNet
from .zhunet import ZhuNet

NETS = {"srnet": SRNet, "zhunet": ZhuNet}
SAVE_SECONDS = 5


@dataclass
class RunConfig:
    out: str = "runs/detect"
    steps: int = 20000
    batch: int = 16  # pairs
    optimizer: str = "adamax"  # as SRNet's paper; sgd as Zhu-Net's
    lr: float = 1e-3
    lr_end: float = 1e-4  # for the last tenth of the steps
    weight_decay: float = 2e-4
    seed: int = 0
    bf16: str = "auto"  # auto: on CUDA only; on, off
    log_every: int = 50
    validate_every: int = 500
    checkpoint_seconds: float = 120


@dataclass
class DataConfig:
    pack: str = ""  # made by undertone_train.detect.pairs
    folds: int = 5
    test: int = 0  # the fold that tests; the next one validates


@dataclass
class ModelConfig:
    net: str = "srnet"
    init: str = ""  # a run at a higher rate to start from: faint signals are learnt from loud ones


@dataclass
class Config:
    run: RunConfig = field(default_factory=RunConfig)
    data: DataConfig = field(default_factory=DataConfig)
    model: ModelConfig = field(default_factory=ModelConfig)


def read(path):
    c = read_as(path, Config)
    if c.model.net not in NETS:
        raise ValueError(f"[model] net is {c.model.net!r}; use one of {sorted(NETS)}")
    if c.run.optimizer not in ("adamax", "sgd"):
        raise ValueError(f"[run] optimizer is {c.run.optimizer!r}; use adamax or sgd")
    return c


def made_up_pairs(count=20, size=64, seed=0):
    """Smooth pictures and the same with a loud +-4: for --smoke, where any detector must succeed."""
    rng = np.random.default_rng(seed)
    coarse = torch.tensor(rng.uniform(40, 215, (count, 1, size // 16, size // 16)), dtype=torch.float32)
    cover = F.interpolate(coarse, size=(size, size), mode="bicubic").numpy() + rng.normal(0, 1, (count, 1, size, size))
    stego = cover + rng.choice([-4, 4], cover.shape)
    return *(np.clip(np.rint(x), 0, 255).astype(np.uint8) for x in (cover, stego)), [f"p{i}.0" for i in range(count)]


def turn(x, which):
    """One of the eight flips and turns, which in 0..7, of the last two axes."""
    x = torch.rot90(x, which % 4, (-2, -1))
    return x.transpose(-2, -1) if which > 3 else x


class Trainer:
    def __init__(self, config, pairs, started, max_seconds=0):
        self.config, self.started, self.max_seconds = config, started, max_seconds
        r, d = config.run, config.data
        self.out, self.device = Path(r.out), torch.device("cuda" if torch.cuda.is_available() else "cpu")
        cover, stego, self.names = pairs
        self.pixels = torch.tensor(np.stack([cover, stego], 1))  # [n][2][c][h][w]
        fold = folds(self.names, d.folds, r.seed)
        self.test, self.validation = (np.flatnonzero(fold == (d.test + i) % d.folds) for i in range(2))
        self.train_rows = np.flatnonzero((fold != d.test % d.folds) & (fold != (d.test + 1) % d.folds))
        if min(map(len, (self.test, self.validation, self.train_rows))) == 0:
            raise ValueError(f"[data] folds {d.folds}: train, validation and test need at least one photo each (three folds or more)")
        torch.manual_seed(r.seed)
        self.net = NETS[config.model.net](cover.shape[1]).to(self.device)
        if config.model.init:
            found = checkpoint.find(Path(config.model.init) / "best")
            if found is None:
                raise ValueError(f"{config.model.init}: no best/ to start from")
            self.net.load_state_dict(checkpoint.load_tensors(found, "weights"))
        kind = torch.optim.Adamax if r.optimizer == "adamax" else lambda p, **k: torch.optim.SGD(p, momentum=0.9, **k)
        self.opt = kind(self.net.parameters(), lr=r.lr, weight_decay=r.weight_decay)
        self.autocast = r.bf16 == "on" or (r.bf16 == "auto" and self.device.type == "cuda")
        self.step, self.best = 0, 2.0
        self._resume()

    def say(self, row):
        print("  ".join(f"{k} {v:.4g}" if isinstance(v, float) else f"{k} {v}" for k, v in row.items()), flush=True)
        self.out.mkdir(parents=True, exist_ok=True)
        with open(self.out / "log.jsonl", "a") as f:
            f.write(json.dumps(row) + "\n")

    def _resume(self):
        found = checkpoint.find(self.out / "last")
        if found is None:
            return
        meta = json.loads((found / "meta.json").read_text())
        if meta["config"]["model"]["net"] != self.config.model.net or meta["config"]["data"] != asdict(self.config.data):
            raise ValueError(f"{found}: was trained as another net or on other data; choose another run.out")
        self.net.load_state_dict(checkpoint.load_tensors(found, "weights"))
        checkpoint.restore_optimizer(self.opt, checkpoint.load_tensors(found, "optim"))
        self.step, self.best = meta["step"], meta["best"]

    def save(self, name):
        groups = {"weights": self.net.state_dict()}
        if name == "last":
            groups["optim"] = checkpoint.optimizer_tensors(self.opt)
        checkpoint.save(self.out / name, groups, dict(step=self.step, best=self.best, config=asdict(self.config), torch=torch.__version__))

    def batch(self):
        """Follows from seed and step alone: an epoch is a permutation of the training tiles, so a resumed run goes on where it was."""
        r, n = self.config.run, len(self.train_rows)
        rng = np.random.default_rng([r.seed, self.step])
        places = np.arange(self.step * r.batch, (self.step + 1) * r.batch)
        orders = {e: np.random.default_rng([r.seed, int(e), 1]).permutation(n) for e in np.unique(places // n)}
        rows = [self.train_rows[orders[p // n][p % n]] for p in places]
        pairs = [turn(self.pixels[i], int(rng.integers(8))) for i in rows]
        x = torch.cat([torch.stack([p[k] for p in pairs]) for k in range(2)])
        return x.to(self.device).float(), torch.arange(2, device=self.device).repeat_interleave(len(rows))

    def train_step(self):
        r = self.config.run
        for group in self.opt.param_groups:
            group["lr"] = r.lr if self.step < 0.9 * r.steps else r.lr_end
        self.net.train()
        x, label = self.batch()
        with torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=self.autocast):
            logits = self.net(x)
        loss = F.cross_entropy(logits.float(), label)
        self.opt.zero_grad()
        loss.backward()
        self.opt.step()
        self.step += 1
        return loss.item(), (logits.argmax(1) != label).float().mean().item()

    @torch.no_grad()
    def scores(self, rows):
        """Logit differences [2][rows]: above 0 is stego."""
        self.net.eval()
        out = []
        for i in range(0, len(rows), 16):
            x = self.pixels[rows[i:i + 16]].to(self.device).float()
            logits = self.net(x.flatten(0, 1)).unflatten(0, (-1, 2))
            out.append((logits[..., 1] - logits[..., 0]).cpu())
        return torch.cat(out).numpy().T

    def validate(self):
        value = p_e(*self.scores(self.validation))
        self.say(dict(event="validation", step=self.step, p_e=value))
        if value < self.best:
            self.best = value
            self.save("best")

    def train(self):
        """-> True when all steps are done, False when time ran out first."""
        r, saved = self.config.run, time.monotonic()
        self.say(dict(event="start", net=self.config.model.net, step=self.step, device=str(self.device), train=len(self.train_rows),
                      validation=len(self.validation), test=len(self.test), parameters=sum(p.numel() for p in self.net.parameters())))
        while self.step < r.steps:
            loss, wrong = self.train_step()
            if self.step % r.log_every == 0:
                self.say(dict(step=self.step, loss=loss, wrong=wrong, seconds=round(time.monotonic() - self.started, 1)))
            if self.step % r.validate_every == 0 or self.step == r.steps:
                self.validate()
            now = time.monotonic()
            if self.max_seconds and now - self.started > self.max_seconds - SAVE_SECONDS:
                break
            if now - saved > r.checkpoint_seconds:
                self.save("last")
                saved = now
        self.save("last")
        return self.step >= r.steps

    def result(self):
        """The best weights on the test fold: what this run is for."""
        found = checkpoint.find(self.out / "best")
        if found:
            self.net.load_state_dict(checkpoint.load_tensors(found, "weights"))
        groups = [photo_of(self.names[i]) for i in self.test]
        c, s = self.scores(self.test)

        def fixed(cover, stego):
            return error_at(cover, stego, 0.0)

        row = dict(event="result", net=self.config.model.net, step=self.step, pairs=len(self.test), p_e=p_e(c, s), p_e_interval=interval(c, s, groups),
                   fixed=fixed(c, s), fixed_interval=interval(c, s, groups, fixed))
        self.say(row)
        (self.out / "result.json").write_text(json.dumps(row, indent=1) + "\n")
        return row


def main(argv=None):
    started = time.monotonic()
    ap = argparse.ArgumentParser(prog="python -m undertone_train.detect.network")
    ap.add_argument("config")
    ap.add_argument("--smoke", action="store_true", help="a few steps on made-up pictures")
    ap.add_argument("--out")
    ap.add_argument("--pack")
    ap.add_argument("--init", help="run to start from, in place of the configuration's")
    ap.add_argument("--steps", type=int)
    ap.add_argument("--max-seconds", type=float, default=0)
    a = ap.parse_args(argv)
    try:
        c = read(a.config)
        c.run.out = a.out or c.run.out + ("-smoke" if a.smoke else "")
        c.data.pack, c.model.init = a.pack or c.data.pack, a.init or c.model.init
        if a.smoke:
            c.run.steps, c.run.batch, c.run.log_every, c.run.validate_every, c.model.init = 4, 2, 1, 2, ""
        c.run.steps = a.steps or c.run.steps
        if not a.smoke and not c.data.pack:
            raise ValueError("[data] pack names no file; make one with undertone_train.detect.pairs")
        trainer = Trainer(c, made_up_pairs() if a.smoke else read_pack(c.data.pack), started, a.max_seconds)
    except (ValueError, OSError) as e:
        print(f"undertone_train: {e}", file=sys.stderr)
        return 2
    if trainer.train():
        trainer.result()
    return 0


if __name__ == "__main__":
    sys.exit(main())
