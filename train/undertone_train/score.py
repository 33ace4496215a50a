"""Scores systems on a set of (clean, noisy) recordings and prints Markdown.

    python -m undertone_train.score --set voicebank --data DATA [--pack PACK] --system NAME=SPEC ... [options]

The noisy row always comes first; SPEC of the others is one of
  noisy, clean       the set's own recordings
  a folder           a run or checkpoint of undertone_train.run: its EMA weights, in PyTorch, at the level the C program uses
  a command          with {in} and {out}, run for each file: "build/undertone enhance {in} -o {out}"
--code "build/tools/code_voice {in} {out} opus {kbps}" --kbps 6,12 adds rows in which the systems' outputs are also coded (--coded NAMES: those only).

A row that fails is reported as such and the exit status is 1.  Scores are remembered by content in --cache.  Needs the pesq and pystoi packages.
"""
import argparse
import hashlib
import json
import re
import shlex
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import soundfile

from . import metrics, score_sets
from .data import RATE, active_rms, db, to_int16
from .score_report import tables

LEVEL_DB, MOST_UP_DB = -26, 40  # as src/stage/enhance: the network's input level, and no more gain than this


class Failed(Exception):
    """A system that gave no usable output: its row says so."""


class Checkpoint:
    """A run's EMA weights on whole recordings: what the network can do, without the C program's chunks."""

    def __init__(self, folder):
        import torch

        from . import checkpoint
        from .dccrn import Dccrn, ModelConfig

        found = next((f for f in map(checkpoint.find, (folder, Path(folder) / "best", Path(folder) / "last")) if f), None)
        if found is None:
            raise Failed(f"{folder}: no checkpoint here")
        meta = json.loads((found / "meta.json").read_text())
        self.torch, self.model = torch, Dccrn(ModelConfig.from_dict(meta["config"]["model"]))
        self.model.load_state_dict(checkpoint.load_tensors(found, "ema"))
        self.model.eval()
        self.about = f"{found}, stage {meta['config']['run']['stage']}, step {meta['step']}"
        held = found.parent / "held.json"
        self.held = set(json.loads(held.read_text())["noise"]) if held.exists() else None

    def __call__(self, noisy):
        wave = noisy.astype(np.float32) / 32768
        level = active_rms(wave)
        if level <= 0:
            return noisy
        gain = min(db(LEVEL_DB) / level, db(MOST_UP_DB))
        with self.torch.no_grad():
            out = self.model(self.torch.from_numpy(wave * np.float32(gain))[None])[0][0].float().numpy() / gain
        if not np.isfinite(out).all():
            raise Failed("gave samples that are not finite")
        return to_int16(out)


class Command:
    """A program run once for each recording; WAV in, WAV of as many samples out.  Remembers the "kbps" it prints."""

    def __init__(self, template, **fill):
        self.words = shlex.split(template)
        for name, value in fill.items():
            self.words = [w.replace("{" + name + "}", value) for w in self.words]
        if "{in}" not in " ".join(self.words) or "{out}" not in " ".join(self.words):
            raise Failed(f"{template}: is no folder, and no command with {{in}} and {{out}}")
        self.about, self.kbps = " ".join(self.words), []

    def __call__(self, noisy):
        with tempfile.TemporaryDirectory() as d:
            source, result = Path(d) / "in.wav", Path(d) / "out.wav"
            soundfile.write(source, noisy, RATE, subtype="PCM_16")
            words = [w.replace("{in}", str(source)).replace("{out}", str(result)) for w in self.words]
            try:
                done = subprocess.run(words, capture_output=True, text=True, timeout=600)
            except (OSError, subprocess.TimeoutExpired) as e:
                raise Failed(str(e)) from None
            if done.returncode:
                said = done.stderr.strip().splitlines()
                raise Failed(f"{words[0]}: status {done.returncode}: {said[-1] if said else 'no message'}")
            if not result.exists():
                raise Failed(f"{words[0]}: wrote no output")
            out, rate = soundfile.read(result, dtype="int16")
        if rate != RATE or out.shape != noisy.shape:
            raise Failed(f"{words[0]}: gave {out.shape} samples at {rate} Hz for {noisy.shape} at {RATE}")
        self.kbps += [float(x) for x in re.findall(r"^kbps ([\d.]+)", done.stdout, re.M)]
        return out


class Once:
    """A stage that does not work on the same samples twice: the coded rows share it."""

    def __init__(self, stage):
        self.stage, self.about, self.kbps, self.memo = stage, stage.about, getattr(stage, "kbps", []), {}

    def __call__(self, wave):
        key = hashlib.sha256(wave.tobytes()).digest()
        if key not in self.memo:
            self.memo[key] = self.stage(wave)
        return self.memo[key]


@dataclass
class Row:
    name: str
    source: str = "noisy"  # or clean: which recordings of the set go in
    stages: list = field(default_factory=list)  # what they go through; a Failed where one cannot be made


class Scorer:
    """metrics.score with a memory."""

    def __init__(self, path):
        self.path, self.fresh = Path(path) if path else None, 0
        source = Path(metrics.__file__).read_bytes()
        self.salt = hashlib.sha256(json.dumps(metrics.versions()).encode() + source).digest()
        self.known = json.loads(self.path.read_text()) if self.path and self.path.exists() else {}

    def __call__(self, clean, degraded):
        key = hashlib.sha256(self.salt + clean.tobytes() + b"|" + degraded.tobytes()).hexdigest()[:32]
        if key not in self.known:
            self.known[key] = metrics.score(*(w.astype(np.float32) / 32768 for w in (clean, degraded)))
            self.fresh += 1
        return self.known[key]

    def save(self):
        if self.path and self.fresh:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            spare = self.path.with_suffix(".new")
            spare.write_text(json.dumps(self.known))
            spare.replace(self.path)


def check_set(items, scorer, published):
    """The measuring itself: identical files must score the perfect PESQ, and noisy files what was published.  Returns lines to print."""
    off = max(abs(scorer(it.clean, it.clean)["pesq"] - metrics.PERFECT_PESQ) for it in items)
    lines = [f"WB-PESQ of identical files: {metrics.PERFECT_PESQ} within {off:.4f}"]
    if off > 0.001:
        raise ValueError(lines[0] + "; this pesq package does not measure what others report")
    if published:
        error = {it.name: abs(scorer(it.clean, it.noisy)["pesq"] - published[it.name]) for it in items if it.name in published}
        worst = max(error, key=error.get)
        lines.append(f"WB-PESQ of the noisy files: as published within {error[worst]:.4f} (worst {worst})")
        if error[worst] > 0.01:
            raise ValueError(lines[-1] + "; the files or the pesq package differ from those published")
    return lines


def check_unheard(system, items):
    """A run says which noises it did not hear; the set's must be among them."""
    if getattr(system, "held", None) is not None:
        heard = {it.note["noise"] for it in items if it.note.get("held_out")} - system.held
        if heard:
            raise Failed(f"was trained on noises of this set: {', '.join(sorted(heard))}; give --pack the pack of its training")


def run_row(row, items, scorer):
    """One system on all items -> result with per-file scores, or with "failed"."""
    start = time.monotonic()
    out = dict(system=row.name, about=[s.about for s in row.stages if not isinstance(s, Failed)], files={})
    at = ""
    try:
        for stage in row.stages:
            check_unheard(getattr(stage, "stage", stage), items)
        for it in items:
            at, wave = f"{it.name}: ", getattr(it, row.source)
            for stage in row.stages:
                if isinstance(stage, Failed):
                    at = ""
                    raise stage
                wave = stage(wave)
            out["files"][it.name] = dict(scorer(it.clean, wave), group=it.group, **it.note)
    except Failed as e:
        out["failed"] = f"{at}{e}"
    for s in row.stages:  # the last stage that codes says the rate
        if getattr(s, "kbps", []):
            out["kbps"] = float(np.mean(s.kbps))
    return dict(out, seconds=round(time.monotonic() - start, 1))


def parse(argv):
    ap = argparse.ArgumentParser(prog="python -m undertone_train.score", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--set", default="voicebank", choices=["voicebank", "unseen", "competing"])
    ap.add_argument("--data", required=True, help="the data folder")
    ap.add_argument("--pack", help="the pack that training read: tells which noises it did not hear")
    ap.add_argument("--system", action="append", default=[], metavar="NAME=SPEC")
    ap.add_argument("--code", help="command with {in}, {out} and {kbps}")
    ap.add_argument("--kbps", default="", help="6,9,12,16")
    ap.add_argument("--coded", help="names of the systems to code, with commas")
    ap.add_argument("--seed", type=int, default=0)
    ap.add_argument("--limit", type=int, help="the first N files of each group only: no figure to report")
    ap.add_argument("--json", help="everything, file by file")
    ap.add_argument("--cache", default="runs/score-cache", help="folder")
    return ap.parse_args(argv)


def attempt(make, *args, **fill):
    try:
        return make(*args, **fill)
    except (Failed, ValueError, OSError) as e:
        return Failed(str(e))


def plan(a):
    """The rows that the options ask for."""
    rates = [k for k in a.kbps.split(",") if k]
    if bool(rates) != bool(a.code):
        raise ValueError("--code and --kbps go together")
    names = {given.partition("=")[0] for given in a.system}
    coded = set(a.coded.split(",")) if a.coded else names
    if coded - names:
        raise ValueError(f"--coded: there is no system called {', '.join(sorted(coded - names))}")
    rows = [Row("noisy")]
    for given in a.system:
        name, _, spec = given.partition("=")
        if not spec:
            raise ValueError(f"--system {given}: write NAME=SPEC")
        if spec in ("noisy", "clean"):
            row = Row(name, spec)
        else:
            made = attempt(Checkpoint if Path(spec).is_dir() else Command, spec)
            row = Row(name, "noisy", [made if isinstance(made, Failed) else Once(made)])
        rows.append(row)
        if name in coded:
            rows += [Row(f"{name} at {k} kbit/s", row.source, [*row.stages, attempt(Command, a.code, kbps=k)]) for k in rates]
    return rows


def main(argv=None):
    a = parse(argv)
    try:
        scorer = Scorer(Path(a.cache) / "scores.json")
        items, lines = score_sets.cached(a.set, a.data, a.pack, a.seed, a.cache)
        if a.limit:
            seen = {}
            items = [it for it in items if seen.setdefault(it.group, []).append(it) or len(seen[it.group]) <= a.limit]
        lines = lines + check_set(items, scorer, score_sets.published_pesq(a.data) if a.set == "voicebank" else None)
        rows = plan(a)
    except (ValueError, OSError) as e:
        print(f"score: {e}", file=sys.stderr)
        return 2
    packages = ", ".join(f"{k} {v}" for k, v in metrics.versions().items())
    print(f"Set {a.set}, {len(items)} files{' (LIMITED)' if a.limit else ''}, seed {a.seed}, fingerprint {score_sets.fingerprint(items)}; {packages}.",
          *lines, sep="  \n", flush=True)
    results = []
    for row in rows:
        results.append(run_row(row, items, scorer))
        print(f"{row.name}: {results[-1].get('failed') or str(results[-1]['seconds']) + ' s'}", file=sys.stderr, flush=True)
        scorer.save()
    print("\n".join(tables(results, items)), flush=True)
    if a.json:
        about = dict(set=a.set, seed=a.seed, limit=a.limit, fingerprint=score_sets.fingerprint(items), packages=metrics.versions(), checks=lines)
        Path(a.json).write_text(json.dumps(dict(about, rows=results), indent=1) + "\n")
    return int(any("failed" in r for r in results))


if __name__ == "__main__":
    sys.exit(main())
