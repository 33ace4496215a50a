"""C against PyTorch on one thread each, with the same weights, the same sound, in turns.

    python tools/bench_c.py [--program ../build/bench/bench_enhance] [--seconds 10] [--rounds 5] [--json OUT] [MODEL.safetensors ...]

Without models, random weights of the shipping configuration and of the paper's CL.  Times are processor seconds (a busy machine then disturbs them less);
each round runs one program after the other, and medians are compared.  RTF: seconds of work for a second of sound."""
import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
import torch  # noqa: E402

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from random_model import SIZES, worn  # noqa: E402

from undertone_train import export  # noqa: E402
from undertone_train.dccrn import Dccrn, ModelConfig, macs_per_second  # noqa: E402

RATE = 16000
GOALS = {"ship": 0.06, "cl": 0.15}  # RTF


def run_c(program, model, seconds):
    got = subprocess.run([program, model, str(seconds), "1"], capture_output=True, text=True, check=True)
    return json.loads(got.stdout)


def run_torch(model, wave):
    start = time.process_time()
    with torch.inference_mode():
        model(wave)
    return time.process_time() - start


def compare(name, path, model, a):
    config, wave = model.config, 0.1 * torch.randn(1, round(a.seconds * RATE))
    run_torch(model, wave)
    c, t = [], []
    for _ in range(a.rounds):
        c.append(run_c(a.program, path, a.seconds))
        t.append(run_torch(model, wave))
    seconds = statistics.median(r["seconds"] for r in c)
    row = dict(name=name, gmacs=macs_per_second(config) / 1e9, kernels=c[0]["kernels"], audio_seconds=a.seconds, c_seconds=seconds,
               torch_seconds=statistics.median(t), rtf=seconds / a.seconds, working_mb=c[0]["working_mb"])
    row["ratio"] = row["torch_seconds"] / row["c_seconds"]
    row["ratio_of_fastest"] = min(t) / min(r["seconds"] for r in c)  # the least disturbed runs
    return row


def main():
    ap = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ap.add_argument("models", nargs="*", type=Path)
    ap.add_argument("--program", default=Path(__file__).resolve().parents[2] / "build" / "bench" / "bench_enhance")
    ap.add_argument("--seconds", type=float, default=10)
    ap.add_argument("--rounds", type=int, default=5)
    ap.add_argument("--json", type=Path)
    a = ap.parse_args()
    torch.set_num_threads(1)
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        # The norms of an exported file are folded in for good; PyTorch then runs its own module with fresh weights, which takes the same time.
        jobs = [(p.stem, p, Dccrn(export.read_model(p)[0]).eval()) for p in a.models]
        for size in () if jobs else ("ship", "cl"):
            path = Path(folder) / f"{size}.safetensors"
            model = worn(ModelConfig(**SIZES[size]), 0, steps=1)
            export.write_model(path, model)
            jobs.append((size, path, model))
        print("| model | GMAC/s | kernels | C, s | PyTorch, s | faster by | by the fastest runs | RTF in C | goal | working memory, MB |\n|---|---|---|---|---|---|---|---|---|---|")
        for name, path, model in jobs:
            r = compare(name, path, model, a)
            rows.append(r)
            print(f"| {name} | {r['gmacs']:.2f} | {r['kernels']} | {r['c_seconds']:.4f} | {r['torch_seconds']:.4f} | {r['ratio']:.2f} | {r['ratio_of_fastest']:.2f} | {r['rtf']:.4f} "
                  f"| {GOALS.get(name, '')} | {r['working_mb']:.0f} |", flush=True)
    if a.json:
        a.json.write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
