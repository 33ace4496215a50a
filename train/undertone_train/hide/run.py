"""Training of a hider, whichever [model] names: the same crops, attack layer, losses and adversary for all.

    python -m undertone_train.hide.run CONFIG.toml [--smoke] [--out DIR] [--init DIR] [--pack FILE.npz] [--steps N] [--max-seconds N]

A run lives in its folder: last/ (gone on with by the same command), best/ (EMA weights of the best validation), log.jsonl.
"""
import argparse
import copy
import json
import math
import sys
import time
from pathlib import Path

import numpy as np
import torch

from .. import checkpoint
from ..run import Ema
from . import carriers as cs
from .adversary import Adversary
from .attacks import Attack, AttackConfig
from .config import read, shrink
from .crops import Crops, made_up
from .crops import read as read_crops
from .exchange import equal_rates, exchange, log_visibility
from .objective import Objective, adversarial, judged, payload_bits, payload_l1

SAVE_SECONDS = 5


class Trainer:
    def __init__(self, config, started, max_seconds=0):
        self.config, self.started, self.max_seconds = config, started, max_seconds
        r, d = config.run, config.data
        self.out, self.device = Path(r.out), torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.crops = Crops(*(read_crops(d.pack) if d.pack else made_up()), d.crop, d.holdout, r.seed)
        torch.manual_seed(r.seed)
        self.net = config.network().to(self.device)
        self.attack, self.objective = Attack(config.attack), Objective(config.loss).to(self.device)
        self.opt = torch.optim.AdamW(self.net.parameters(), r.lr, betas=(0.9, 0.99), weight_decay=r.weight_decay)
        self.ema = Ema(self.net, r.ema)
        self.adversary = Adversary(config.adversary, self.device) if config.adversary.net else None
        # not the INN: its two ends must say the same of the same context, and its transforms are no networks
        self.autocast = config.kind != "inn" and (r.bf16 == "on" or (r.bf16 == "auto" and self.device.type == "cuda"))
        self.step, self.trained, self.best = 0, 0.0, -math.inf
        if r.init:
            self._init_from(r.init)
        self._resume()

    def say(self, row):
        print("  ".join(f"{k} {v:.4g}" if isinstance(v, float) else f"{k} {v}" for k, v in row.items()), flush=True)
        self.out.mkdir(parents=True, exist_ok=True)
        with open(self.out / "log.jsonl", "a") as f:
            f.write(json.dumps(row) + "\n")

    def _init_from(self, folder):
        found = checkpoint.find(Path(folder) / "best") or checkpoint.find(Path(folder) / "last")
        if found is None:
            raise ValueError(f"{folder}: no checkpoint to start from")
        meta = json.loads((found / "meta.json").read_text())
        if any(meta["config"][k] != json.loads(json.dumps(self.config.to_dict()))[k] for k in ("kind", "model")):
            raise ValueError(f"{found}: its [model] differs from this configuration's")
        self.net.load_state_dict(checkpoint.load_tensors(found, "ema"))
        self.ema = Ema(self.net, self.config.run.ema)

    def _resume(self):
        found = checkpoint.find(self.out / "last")
        if found is None:
            return
        meta = json.loads((found / "meta.json").read_text())
        mine = json.loads(json.dumps(self.config.to_dict()))
        if any(meta["config"][k] != mine[k] for k in ("kind", "model", "adversary")):
            raise ValueError(f"{found}: was trained with another model or adversary; choose another run.out")
        self.net.load_state_dict(checkpoint.load_tensors(found, "weights"))
        self.ema.state = {k: v.to(self.device) for k, v in checkpoint.load_tensors(found, "ema").items()}
        checkpoint.restore_optimizer(self.opt, checkpoint.load_tensors(found, "optim"))
        self.step, self.trained, self.best, self.ema.steps = (meta[k] for k in ("step", "trained_seconds", "best", "step"))
        if self.adversary:
            self.adversary.restore(found, meta)

    def save(self, name):
        groups, meta = {"ema": self.ema.state}, dict(step=self.step, trained_seconds=self.trained, best=self.best, config=self.config.to_dict(), torch=torch.__version__)
        if name == "last":
            groups |= {"weights": self.net.state_dict(), "optim": checkpoint.optimizer_tensors(self.opt)}
            if self.adversary:
                self.adversary.save_into(groups, meta)
        checkpoint.save(self.out / name, groups, meta)

    def draw(self, shape, step):
        """The batch's key and bits, from seed and step alone."""
        g, c = torch.Generator().manual_seed(self.config.run.seed * 1_000_003 + step), self.config.model
        if self.config.kind != "inn":
            key, bits = self.net.draw(shape, g)
            return key, bits.to(self.device)
        rng = np.random.default_rng([self.config.run.seed, step, 2])
        width = np.exp(rng.uniform(*np.log(c.cells), shape[0]))
        key, bits = cs.draw(shape, width, rng.integers(c.nfreq[0], c.nfreq[1] + 1, shape[0]), c.alpha, g)
        return cs.Key(*(t.to(self.device) for t in (key.carriers, key.dither, key.width)), key.alpha), bits.to(self.device)

    def payload(self, net, received, key, bits, sent=None):
        """LLRs and bits, [n] each."""
        if self.config.kind != "inn":
            return net.read(received, key).flatten(), bits.flatten()
        llr = net.read(received, key, sent, bits)[0]
        return llr[key.carriers], bits[key.carriers]

    def losses(self, cover, stego, llr, flat, key, bits):
        r, a = self.config.run, self.config.adversary
        listening = self.adversary is not None and self.adversary.ready
        logits = None
        if self.adversary:
            logits = judged(self.adversary.net, stego, a.channels) if listening else stego.new_zeros(len(stego), 2)
        if r.aim == "weighted":
            loss, parts = self.objective(cover, stego, llr, flat, logits)
            if self.step < r.ramp:  # bits first: a network that must not be seen from the start learns to do nothing
                sent = self.config.loss.bce * payload_bits(llr, flat) + self.config.loss.l1 * payload_l1(llr, flat)
                loss = sent + self.step / r.ramp * (loss - sent)
            return loss, parts
        loss, parts = exchange(cover, stego, llr, flat, key, bits, r.exchange)
        if listening:
            hunted = adversarial(logits)
            loss, parts = loss + self.config.loss.adversarial * hunted, dict(parts, adversarial=hunted.detach())
        return loss, parts

    def train_step(self):
        r = self.config.run
        self.net.train()
        cover = self.crops.batch(self.step, r.batch).to(self.device)
        key, bits = self.draw(cover.shape, self.step)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.autocast):
            stego, sent = self.net.embed(cover, key, bits)
        stego = stego.float()
        received, _ = self.attack(stego, self.step)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.autocast):
            llr, flat = self.payload(self.net, received, key, bits, sent)
        loss, parts = self.losses(cover, stego, llr.float(), flat, key, bits)
        self.opt.zero_grad(set_to_none=True)
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(self.net.parameters(), r.clip)
        rate = r.lr * min(1, (self.step + 1) / r.warmup) * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * min(1, self.progress()))))
        for group in self.opt.param_groups:
            group["lr"] = rate
        if torch.isfinite(norm):
            self.opt.step()
            self.ema.update(self.net)
        if self.adversary and self.step % self.config.adversary.every == 0:
            parts["fooled"] = self.adversary.learn(cover, stego)
        self.step += 1
        return dict(step=self.step, loss=loss.detach(), norm=norm, lr=rate, **parts)

    def progress(self):
        r = self.config.run
        return max(self.step / r.steps, self.trained / r.schedule_seconds if r.schedule_seconds else 0)

    @torch.no_grad()
    def validate(self):
        """EMA weights on held-out crops, through the real codecs of [data] channels; the same keys each time.  The best score's weights are kept."""
        r, c, d = self.config.run, self.config.loss, self.config.data
        net = copy.deepcopy(self.net)
        net.load_state_dict(self.ema.state)
        net.eval()
        cover = self.crops.validation(d.validation)[..., : d.crop, : d.crop].contiguous().to(self.device)
        key, bits = self.draw(cover.shape, 0xFFFFFF)
        channels = {name: lambda x, a=Attack(AttackConfig(channels=[name], real=1, simulated=0, none=0)): a(x, 0)[0] for name in d.channels}
        stego, row = net.embed(cover, key, bits)[0], {}
        for name, channel in {"png": lambda x: x, **channels}.items():
            llr, flat = self.payload(net, channel(stego), key, bits)
            row[name], row[f"{name} wrong"] = float(1 - payload_bits(llr, flat)), float(((llr < 0) != (flat > 0.5)).float().mean())
        row["psnr"] = float((10 * torch.log10(255**2 / (cover - stego).square().mean((1, 2, 3)).clamp_min(1e-6))).mean())
        row["seen"] = float(log_visibility(cover, stego).mean())
        if r.aim == "exchange":
            equal = equal_rates(net, cover, key, bits, channels)
            row |= {f"{name} at mode 0's visibility": v for name, v in equal.items()}
            score = float(np.mean(list(equal.values())))
        else:  # less the objective's own price of the picture; none before all of it counts
            zero = torch.zeros(1, device=self.device)
            price = float(self.objective(cover, stego, zero, zero, zero.new_zeros(1, 2))[0])
            score = c.bce * float(np.mean([row[name] for name in channels])) - price if self.step >= r.ramp else -math.inf
        self.say(dict(event="validation", step=self.step, **row, score=score if math.isfinite(score) else None))
        if math.isfinite(score) and score > self.best:
            self.best = score
            self.save("best")

    def train(self):
        """-> True when the schedule is finished, False when time ran out first."""
        r, saved = self.config.run, time.monotonic()
        self.say(dict(event="start", model=self.config.kind, step=self.step, device=str(self.device), train=len(self.crops.train), held=len(self.crops.held),
                      parameters=sum(p.numel() for p in self.net.parameters())))
        if self.step == 0:
            self.validate()
        done = 0
        while self.progress() < 1:
            t0 = time.monotonic()
            row = self.train_step()
            if self.step % r.log_every == 0:
                self.say({k: v if k == "step" else float(v) for k, v in row.items()} | dict(seconds=round(self.trained, 1)))
            if self.step % r.validate_every == 0:
                self.validate()
            now = time.monotonic()
            self.trained, done = self.trained + now - t0, max(done, now - t0)
            if self.max_seconds and now - self.started + done + SAVE_SECONDS > self.max_seconds:
                self.save("last")
                self.say(dict(event="out of time", step=self.step, progress=self.progress()))
                return False
            if now - saved > r.checkpoint_seconds:
                self.save("last")
                saved = now
        if self.step % r.validate_every:
            self.validate()
        self.save("last")
        self.say(dict(event="finished", step=self.step))
        return True


def main(argv=None):
    started = time.monotonic()
    ap = argparse.ArgumentParser(prog="python -m undertone_train.hide.run")
    ap.add_argument("config")
    ap.add_argument("--smoke", action="store_true", help="a few steps on made-up pictures")
    ap.add_argument("--out")
    ap.add_argument("--init", help="a run whose best EMA weights to start from")
    ap.add_argument("--pack")
    ap.add_argument("--steps", type=int)
    ap.add_argument("--max-seconds", type=float, default=0)
    a = ap.parse_args(argv)
    try:
        c = read(a.config)
        c.run.out, c.data.pack = a.out or c.run.out + ("-smoke" if a.smoke else ""), a.pack or c.data.pack
        c.run.init = a.init or ("" if a.smoke else c.run.init)
        if a.smoke:
            shrink(c)
        elif not c.data.pack:
            raise ValueError("[data] pack names no file; make one with undertone_train.hide.crops")
        c.run.steps = a.steps or c.run.steps
        trainer = Trainer(c, started, a.max_seconds)
    except (ValueError, OSError) as e:
        print(f"undertone_train: {e}", file=sys.stderr)
        return 2
    trainer.train()
    return 0


if __name__ == "__main__":
    sys.exit(main())
