"""Training, one command for each stage.

    python -m undertone_train.run CONFIG.toml [--smoke] [--out DIR] [--init DIR] [--pack DIR] [--max-seconds N] [--steps N]
    torchrun --nproc_per_node 2 -m undertone_train.run CONFIG.toml

A run lives in its folder: last/ (resumed from automatically), best/ (EMA weights of the best validation), log.jsonl.
--max-seconds stops and saves before that many seconds have passed since the start of the command; the same command then goes on.
"""
import argparse
import contextlib
import copy
import json
import math
import os
import sys
import threading
import time
from pathlib import Path

import numpy as np
import torch
import torch.distributed as dist
from torch.utils.data import DataLoader

from . import checkpoint
from .config import read, shrink
from .data import Bank, MixDataset, Mixer, made_up_bank
from .dccrn import Dccrn, ModelConfig, parameter_count
from .losses import PesqProxy, StageA, StageB, Stoi, si_sdr
from .metrics import segmental_snr
from .metricgan import Discriminator, Guard, Labeller, Replay, discriminator_pairs
from .pack import load_pack

SAVE_SECONDS = 8  # kept back for the last save when time is limited


class World:
    """Processes of one run: gradients are averaged here by hand, which works for any mix of models."""

    def __init__(self):
        self.size = int(os.environ.get("WORLD_SIZE", 1))
        self.rank = int(os.environ.get("RANK", 0))
        cuda = torch.cuda.is_available()
        local = int(os.environ.get("LOCAL_RANK", 0))
        self.device = torch.device("cuda", local) if cuda else torch.device("cpu")
        if cuda:
            torch.cuda.set_device(self.device)
        if self.size > 1:
            dist.init_process_group("nccl" if cuda else "gloo")

    def average_gradients(self, module):
        if self.size == 1:
            return
        grads = [p.grad for p in module.parameters() if p.grad is not None]
        flat = torch.cat([g.flatten() for g in grads])
        dist.all_reduce(flat)
        flat /= self.size
        for g, part in zip(grads, flat.split([g.numel() for g in grads])):
            g.copy_(part.view_as(g))

    def same(self, module):
        """Everyone starts from process 0's weights."""
        if self.size > 1:
            for t in [*module.parameters(), *module.buffers()]:
                dist.broadcast(t.data, 0)

    def from_first(self, value):
        """Process 0's number, so that all agree on time and on stopping."""
        if self.size == 1:
            return value
        t = torch.tensor([float(value)], dtype=torch.float64, device=self.device)
        dist.broadcast(t, 0)
        return t.item()

    def close(self):
        if self.size > 1:
            dist.destroy_process_group()


class Ema:
    """Exponential average of weights and statistics; starts fast, so that early validations mean something."""

    def __init__(self, model, decay):
        self.decay, self.steps = decay, 0
        self.state = {k: v.detach().clone() for k, v in model.state_dict().items()}

    @torch.no_grad()
    def update(self, model):
        self.steps += 1
        d = min(self.decay, (1 + self.steps) / (10 + self.steps))
        for k, v in model.state_dict().items():
            if v.is_floating_point():
                self.state[k].lerp_(v, 1 - d)
            else:
                self.state[k].copy_(v)


def replica(model):
    """A second copy of the network on the same weights and statistics, with gradients of its own."""
    twin = copy.deepcopy(model)
    for mine, theirs in zip([*twin.parameters(), *twin.buffers()], [*model.parameters(), *model.buffers()]):
        mine.data = theirs.data
    return twin


class Asynchronous:
    """[run] threads > 1: each thread computes gradients on its own replica, and one optimiser applies them as they arrive, so a gradient may be one
    step old.  On a shared CPU this waits for nobody, where data-parallel processes run at the pace of the slowest core."""

    def __init__(self, trainer, source):
        self.trainer, self.source, self.lock, self.ready, self.stopping = trainer, source, threading.Lock(), threading.Semaphore(0), False
        self.rows, self.failure = [], None
        self.threads = [threading.Thread(target=self._work, args=(i,), daemon=True) for i in range(trainer.config.run.threads)]
        for t in self.threads:
            t.start()

    def _work(self, number):
        cores = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, {cores[number % len(cores)]})
        if number:  # what the machine's other users want goes first, but not on the first core
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 10)
        model = replica(self.trainer.model)
        try:
            while not self.stopping:
                with self.lock:
                    mix, target = next(self.source)
                parts, _ = self.trainer.gradients(model, mix, target)
                with self.lock:
                    if self.stopping:
                        break
                    for p, q in zip(self.trainer.model.parameters(), model.parameters()):
                        p.grad, q.grad = q.grad, None
                    self.rows.append(self.trainer.apply(parts))
                self.ready.release()
        except BaseException as e:  # the main thread raises it
            self.failure = e
            self.ready.release()

    def step(self):
        self.ready.acquire()
        if self.failure:
            raise self.failure
        return self.rows.pop(0)

    def close(self):
        self.stopping = True
        for t in self.threads:
            t.join()


def load_bank(data):
    if data.pack:
        return load_pack(data.pack)
    if data.layout:
        return Bank.from_layout(data.layout, data.root)
    return made_up_bank()


class Trainer:
    def __init__(self, config, world, started, max_seconds=0):
        self.config, self.world, self.started, self.max_seconds = config, world, started, max_seconds
        r = config.run
        self.out = Path(r.out)
        if r.batch % world.size:
            raise ValueError(f"[run] batch {r.batch} does not divide among {world.size} processes")
        if r.threads > 1 and (r.stage == "C" or world.size > 1 or world.device.type != "cpu"):
            raise ValueError("[run] threads > 1 is for stages A and B in one process on a CPU")
        torch.manual_seed(r.seed)
        self.model = Dccrn(config.model).to(world.device)
        m = config.model
        self.stage_a = StageA(m.n_fft, m.win_length, m.hop, **config.loss_a).to(world.device)
        self.stage_b = StageB(**config.loss_b).to(world.device) if r.stage != "A" else None
        self.step, self.trained, self.best = 0, 0.0, -math.inf
        if r.init:
            self._init_from(r.init)
        world.same(self.model)
        self.ema = Ema(self.model, r.ema)
        self.opt = torch.optim.AdamW(self.model.parameters(), r.lr, betas=(0.9, 0.99), weight_decay=r.weight_decay)
        self.autocast = r.bf16 == "on" or (r.bf16 == "auto" and world.device.type == "cuda")
        if r.compile:
            self.model._net = torch.compile(self.model._net)
        self.gan = Gan(config, world) if r.stage == "C" else None
        self._resume()
        train, held = load_bank(config.data).split(config.data.holdout)
        if world.rank == 0:  # so that a score can prove that its noises were not heard
            self.out.mkdir(parents=True, exist_ok=True)
            (self.out / "held.json").write_text(json.dumps(dict(speech=sorted(held.speech), noise=sorted(held.noise)), indent=1) + "\n")
        self.mixer = Mixer(train, config.mix, seed=r.seed)
        held = MixDataset(Mixer(held, config.mix, seed=987654321), config.data.validation)
        self.validation = [held[i] for i in range(len(held))] if world.rank == 0 else []
        self.say(dict(event="start", stage=r.stage, step=self.step, parameters=parameter_count(self.model), device=str(world.device),
                      processes=world.size, speech_hours=round(train.hours("speech"), 2), noise_hours=round(train.hours("noise"), 2)))

    def say(self, row):
        if self.world.rank:
            return
        print("  ".join(f"{k} {v:.4g}" if isinstance(v, float) else f"{k} {v}" for k, v in row.items()), flush=True)
        self.out.mkdir(parents=True, exist_ok=True)
        with open(self.out / "log.jsonl", "a") as f:
            f.write(json.dumps(row) + "\n")

    def _init_from(self, folder):
        found = checkpoint.find(Path(folder) / "best") or checkpoint.find(Path(folder) / "last") or checkpoint.find(folder)
        if found is None:
            raise ValueError(f"{folder}: no checkpoint to start from")
        meta = json.loads((found / "meta.json").read_text())
        if ModelConfig.from_dict(meta["config"]["model"]) != self.config.model:
            raise ValueError(f"{found}: its [model] differs from this configuration's")
        self.model.load_state_dict(checkpoint.load_tensors(found, "ema"))

    def _resume(self):
        found = checkpoint.find(self.out / "last")
        if found is None:
            return
        meta = json.loads((found / "meta.json").read_text())
        if ModelConfig.from_dict(meta["config"]["model"]) != self.config.model or meta["config"]["run"]["stage"] != self.config.run.stage:
            raise ValueError(f"{found}: was trained with another model or stage; choose another run.out")
        self.model.load_state_dict(checkpoint.load_tensors(found, "weights"))
        self.ema.state = {k: v.to(self.world.device) for k, v in checkpoint.load_tensors(found, "ema").items()}
        checkpoint.restore_optimizer(self.opt, checkpoint.load_tensors(found, "optim"))
        self.step, self.trained, self.best, self.ema.steps = meta["step"], meta["trained_seconds"], meta["best"], meta["step"]
        if self.gan:
            self.gan.restore(found, meta)

    def save(self):
        if self.world.rank:
            return
        groups = {"weights": self.model.state_dict(), "ema": self.ema.state, "optim": checkpoint.optimizer_tensors(self.opt)}
        meta = dict(step=self.step, trained_seconds=self.trained, best=self.best, config=self.config.to_dict(), torch=torch.__version__)
        if self.gan:
            self.gan.save_into(groups, meta)
        checkpoint.save(self.out / "last", groups, meta)

    def progress(self):
        r = self.config.run
        return max(self.step / r.steps, self.trained / r.schedule_seconds if r.schedule_seconds else 0)

    def batches(self):
        """Example numbers follow from the step, so a resumed run goes on with mixtures it has not heard."""
        w, b = self.world, self.config.run.batch
        mine = range(w.rank, b, w.size)

        def numbers():
            step = self.step
            while True:
                yield [step * b + i for i in mine]
                step += 1

        r = self.config.run
        loader = DataLoader(MixDataset(self.mixer, 1 << 62), batch_sampler=numbers(), num_workers=r.workers,
                            prefetch_factor=4 if r.workers else None, pin_memory=w.device.type == "cuda")
        for mix, target in loader:
            yield mix.to(w.device, non_blocking=True), target.to(w.device, non_blocking=True)

    def enhance(self, mix, model=None):
        with torch.autocast(self.world.device.type, dtype=torch.bfloat16, enabled=self.autocast):
            return (model or self.model)(mix)

    def train_step(self, mix, target):
        parts, wave = self.gradients(self.model, mix, target)
        row = self.apply(parts)
        if self.gan:
            self.gan.discriminator_step(wave, target, mix, row)
        return row

    def gradients(self, model, mix, target):
        """Leaves gradients in model's parameters; returns (parts of the loss, output)."""
        r = self.config.run
        model.train()
        wave, spectrum = self.enhance(mix, model)
        loss, parts = self.stage_a(wave, spectrum, target, mix)
        if self.stage_b:
            extra, more = self.stage_b(wave, target, mix, ramp=min(1, (self.step + 1) / max(r.ramp, 1)))
            loss, parts = loss + extra, {**parts, **more}
        if self.gan:
            loss = loss + self.gan.generator_loss(wave, target, parts)
        model.zero_grad(set_to_none=True)
        loss.backward()
        return dict(loss=loss.detach(), **parts), wave.detach()

    def apply(self, parts):
        """One step of the optimiser with the gradients in self.model."""
        r = self.config.run
        rate = r.lr * min(1, (self.step + 1) / r.warmup) * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * min(1, self.progress()))))
        for group in self.opt.param_groups:
            group["lr"] = rate
        self.world.average_gradients(self.model)
        norm = torch.nn.utils.clip_grad_norm_(self.model.parameters(), r.clip)
        if torch.isfinite(norm):  # the norm is of averaged gradients, so all processes skip together
            self.opt.step()
            self.ema.update(self.model)
        self.step += 1
        return dict(step=self.step, norm=norm, rate=rate, **parts)

    def train(self):
        """Returns True when the schedule is finished, False when time ran out first."""
        r, first = self.config.run, self.step
        source, hogs, lock = self.batches(), None, contextlib.nullcontext()
        if r.threads > 1 and self.progress() < 1:
            hogs = Asynchronous(self, source)
            lock = hogs.lock
        try:
            return self._train(first, source, hogs, lock)
        finally:
            if hogs:
                hogs.close()

    def _train(self, first, source, hogs, lock):
        r, last_save, mark, slowest = self.config.run, time.monotonic(), time.monotonic(), 0.0
        while self.progress() < 1:
            t0 = time.monotonic()
            row = hogs.step() if hogs else self.train_step(*next(source))
            step = row["step"]
            if self.gan and step == first + 1:
                self.gan.pretrain(self, source)
            if step % r.log_every == 0:
                rate = r.log_every / max(time.monotonic() - mark, 1e-6)
                mark = time.monotonic()
                self.say(dict(**{k: v if k == "step" else float(v) for k, v in row.items()}, audio_s_per_s=rate * r.batch * self.config.mix.seconds))
            if step % r.validate_every == 0:
                with lock:
                    self.validate()
            self.trained = self.world.from_first(self.trained + time.monotonic() - t0)
            slowest = max(slowest, time.monotonic() - t0)
            used = self.world.from_first(time.monotonic() - self.started)
            if self.max_seconds and used + slowest + SAVE_SECONDS > self.max_seconds:
                with lock:
                    self.save()
                self.say(dict(event="out of time", step=self.step, progress=self.progress()))
                return False
            if time.monotonic() - last_save > r.checkpoint_seconds:
                with lock:
                    self.save()
                last_save = time.monotonic()
        if hogs:
            hogs.close()
        if self.step % r.validate_every and self.step > first:  # the schedule's end is where weights are best
            self.validate()
        self.save()
        self.say(dict(event="finished", step=self.step))
        return True

    @torch.no_grad()
    def validate(self):
        """EMA weights on fixed mixtures of held-out speakers and noises; also keeps the best."""
        if self.world.rank == 0:
            model = copy.deepcopy(self.model)  # other threads may be using the weights themselves
            model.load_state_dict(self.ema.state)
            model.eval()
            rows, ssnr = [], []
            for i in range(0, len(self.validation), 8):
                mix, target = (torch.from_numpy(np.stack(x)).to(self.world.device) for x in zip(*self.validation[i : i + 8]))
                wave = self.enhance(mix, model)[0].float()
                rows.append(torch.stack([si_sdr(mix, target), si_sdr(wave, target), *self._scores(mix, wave, target)], 1))
                ssnr += [[segmental_snr(c, w) for w in pair] for c, *pair in zip(*(x.cpu().numpy() for x in (target, mix, wave)))]
            rows = torch.cat(rows)
            names = ("sisdr_in", "sisdr", "stoi_in", "stoi", "proxy_in", "proxy")
            row = dict(zip(names, (rows.clamp(-60, 60).mean(0)).tolist()))  # a clean input has infinite SI-SDR
            row["ssnr_in"], row["ssnr"] = np.mean(ssnr, 0).tolist()
            score = row["proxy"] + 0.05 * row["sisdr"] + 2 * row["stoi"]
            self.say(dict(event="validation", step=self.step, **row, score=score))
            if math.isfinite(score) and score > self.best:
                self.best = score
                checkpoint.save(self.out / "best", {"ema": self.ema.state}, dict(step=self.step, validation=row, config=self.config.to_dict()))
        if self.gan:
            g = self.gan.guard
            g.saw({name: self.world.from_first(row[name] if self.world.rank == 0 else math.nan) for name in g.WATCHED})

    def _scores(self, mix, wave, target):
        if not hasattr(self, "_metrics"):
            self._metrics = Stoi().to(self.world.device), PesqProxy().to(self.world.device)
        stoi, proxy = self._metrics
        return stoi(mix, target), stoi(wave, target), proxy(mix, target)[0], proxy(wave, target)[0]


class Gan:
    """The discriminator's side of stage C."""

    def __init__(self, config, world):
        g = config.gan
        self.config, self.world = g, world
        self.net = Discriminator(g.width, g.experts).to(world.device)
        world.same(self.net)
        self.opt = torch.optim.AdamW(self.net.parameters(), g.lr, betas=(0.8, 0.99))
        self.labeller = Labeller(g.labels, g.label_workers)
        self.replay = Replay(g.replay, seed=world.rank)
        self.guard = Guard(g.max_error, g.max_drop_db)
        self.rng = np.random.default_rng([config.run.seed, world.rank])

    def generator_loss(self, wave, target, parts):
        is_open = self.world.from_first(float(self.guard.open)) > 0
        parts["gan_open"] = float(is_open)
        if not is_open:
            return 0.0
        for p in self.net.parameters():
            p.requires_grad_(False)
        score = self.net(wave, target)
        for p in self.net.parameters():
            p.requires_grad_(True)
        loud = (target.square().mean(-1) > 1e-6).float()
        parts["gan_pesq"], parts["gan_stoi"] = score.detach().mean(0)
        return self.config.weight * ((1 - score).square().sum(1) * loud).sum() / loud.sum().clamp_min(1)

    def discriminator_step(self, wave, target, mix, parts):
        outs, refs = discriminator_pairs(wave, target, mix, self.rng)
        labels = self.labeller(outs, refs)
        if self.replay.items:
            n = max(1, round(self.config.replay_share * len(outs)))
            o, c, l = self.replay.draw(n)
            both = torch.cat([outs, o.to(outs)]), torch.cat([refs, c.to(refs)]), torch.cat([labels, l])
        else:
            both = outs, refs, labels
        self.replay.add(outs, refs, labels)
        o, c, l = both
        l = l.to(o)
        known = l.isfinite().all(1)
        errors = ((self.net(o, c) - torch.where(known[:, None], l, 0)) ** 2).sum(1) * known
        loss = errors.sum() / known.sum().clamp_min(1)
        self.opt.zero_grad(set_to_none=True)
        loss.backward()
        self.world.average_gradients(self.net)
        if torch.isfinite(torch.nn.utils.clip_grad_norm_(self.net.parameters(), 5.0)):
            self.opt.step()
        if known.any():
            self.guard.saw_error(loss.item() / 2)
        parts["gan_error"] = float(self.guard.error if self.guard.error is not None else math.nan)

    def pretrain(self, trainer, source):
        for _ in range(self.config.pretrain):
            mix, target = next(source)
            with torch.no_grad():
                wave = trainer.enhance(mix)[0].float()
            self.discriminator_step(wave, target, mix, {})
            used = self.world.from_first(time.monotonic() - trainer.started)
            if trainer.max_seconds and used > trainer.max_seconds / 2:
                break
        trainer.validate()
        trainer.say(dict(event="discriminator ready", error=float(self.guard.error or math.nan)))

    def save_into(self, groups, meta):
        groups["disc"] = self.net.state_dict()
        groups["disc_optim"] = checkpoint.optimizer_tensors(self.opt)
        meta["guard"] = dict(error=self.guard.error, start=self.guard.start, now=self.guard.now)

    def restore(self, folder, meta):
        """The replay buffer is not kept: it fills again."""
        self.net.load_state_dict(checkpoint.load_tensors(folder, "disc"))
        checkpoint.restore_optimizer(self.opt, checkpoint.load_tensors(folder, "disc_optim"))
        g = meta["guard"]
        self.guard.error, self.guard.start, self.guard.now = g["error"], g["start"], g["now"]


def main(argv=None):
    started = time.monotonic()
    ap = argparse.ArgumentParser(prog="python -m undertone_train.run")
    ap.add_argument("config")
    ap.add_argument("--smoke", action="store_true", help="a few steps of a tiny net on made-up sounds")
    ap.add_argument("--out")
    ap.add_argument("--init")
    ap.add_argument("--pack")
    ap.add_argument("--steps", type=int)
    ap.add_argument("--max-seconds", type=float, default=0)
    a = ap.parse_args(argv)
    try:
        config = read(a.config)
        config = shrink(config) if a.smoke else config
        if a.pack and not a.smoke:
            config.data.pack, config.data.layout = a.pack, ""
        config.run.steps = a.steps or config.run.steps
        config.run.init = a.init if a.init is not None else ("" if a.smoke else config.run.init)
        config.run.out = a.out or config.run.out + ("-smoke" if a.smoke else "")
        world = World()
        trainer = Trainer(config, world, started, a.max_seconds)
    except (ValueError, OSError) as e:
        print(f"undertone_train: {e}", file=sys.stderr)
        return 2
    trainer.train()
    total = sum(p.double().abs().sum() for p in trainer.model.parameters()).item()
    print(f"process {world.rank} weight sum {total:.9e}", flush=True)
    if trainer.gan:
        trainer.gan.labeller.close()
    world.close()
    return 0


def leave(code):
    """After a run of several processes without the interpreter's own way out: there, with all work done and the group closed, PyTorch 2.13's threads abort one run in twenty or so."""
    if int(os.environ.get("WORLD_SIZE", 1)) > 1:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)


if __name__ == "__main__":
    leave(main())
