"""The hider's networks in C against PyTorch: same random weights of the default size, same 12 megapixels, two threads each, in turns.

    python tools/bench_hider.py [--program ../build/bench/bench_hider] [--rounds 3] [--threads 2] [--size 4000x3000]

PyTorch runs a stripe of the photo (its intermediate tensors would not fit otherwise) and is scaled up by area, in its favour: no stripe's rim is computed twice."""
import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from gen_hide_vectors import couple, network

from undertone_train.hide.condition import features
from undertone_train.hide.export import export_guide, export_inn


def seconds(f):
    start = time.perf_counter()
    with torch.inference_mode():
        f()
    return time.perf_counter() - start


if __name__ == "__main__":
    a = argparse.ArgumentParser()
    a.add_argument("--program", default="../build/bench/bench_hider")
    a.add_argument("--rounds", type=int, default=3)
    a.add_argument("--threads", type=int, default=2)
    a.add_argument("--size", default="4000x3000")
    a = a.parse_args()
    torch.set_num_threads(a.threads)
    torch.manual_seed(1)
    columns, rows = (int(n) // 8 for n in a.size.split("x"))
    stripe = min(rows, 96)
    guide, nets, trust = network(64, 48, 3), [network(128, 48, 3) for _ in range(2)], network(64, 48, 3)
    x = 60 * torch.randn(64, stripe, columns)

    def forward():
        u = x
        for net in nets:
            u = couple(u, net(features(u)[None])[0])

    with tempfile.TemporaryDirectory() as folder:
        paths = [str(Path(folder) / name) for name in ("guide.safetensors", "inn.safetensors")]
        export_guide(guide, paths[0])
        export_inn(nets, trust, paths[1])
        c, t = [], {"guide": [], "forward": []}
        for _ in range(a.rounds):
            c.append(json.loads(subprocess.run([a.program, "--threads", str(a.threads), "--size", a.size, "--guide", paths[0], "--inn", paths[1]],
                                               capture_output=True, text=True, check=True).stdout))
            t["guide"].append(seconds(lambda: guide(features(x)[None])) * rows / stripe)
            t["forward"].append(seconds(forward) * rows / stripe)
    median = {k: statistics.median(r[k] for r in c) for k in c[0] if k.endswith("_s") or k == "peak_mib"}
    print(json.dumps(median))
    for k, v in t.items():
        print(f"{k}: C {median[k + '_s']:.2f} s, PyTorch {statistics.median(v):.2f} s, C is {statistics.median(v) / median[k + '_s']:.1f} times as fast")
