"""Hiders of the literature's forms beside one another on real pictures: what they carry, and whether it comes back bit for bit.

    python tools/compare_hiders.py PHOTOS RUN [RUN ...] [--crops 24] [--size 256] [--jpeg 75] [--json OUT]

RUN: folders of undertone_train.hide.run (their best EMA weights).  One crop of each photo, the middle, hides random bits.  Columns: raw payload; share of crops whose bits all
come back from the 8-bit picture, and from real JPEG (4:2:0), with nothing to correct errors; wrong bits; what an ideal code would carry, by the share of wrong bits (1 - H) and by
the LLRs; PSNR.  An INN run hides with [model] alpha at the cell width --width, in the 15 lowest frequencies, settled.
"""
import argparse
import io
import json
import os
import sys
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
import numpy as np  # noqa: E402
import torch  # noqa: E402
from PIL import Image  # noqa: E402

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from undertone_train import checkpoint  # noqa: E402
from undertone_train.detect.pairs import photos  # noqa: E402
from undertone_train.hide import carriers as cs  # noqa: E402
from undertone_train.hide.config import MODELS  # noqa: E402
from undertone_train.hide.objective import payload_bits  # noqa: E402


def crops(folder, count, size):
    found, out = photos(folder), []
    for path in found[:: max(1, len(found) // count)][:count]:
        with Image.open(path) as im:
            a = np.asarray(im.convert("RGB"))
        y, x = ((n - size) // 2 for n in a.shape[:2])
        if min(y, x) >= 0:
            out.append(torch.tensor(a[y : y + size, x : x + size].copy()).permute(2, 0, 1).float())
    if not out:
        raise ValueError(f"{folder}: no photo of {size}x{size} or more")
    return torch.stack(out)


def through_jpeg(x, quality):
    out = []
    for p in x:
        file = io.BytesIO()
        Image.fromarray(p.permute(1, 2, 0).byte().numpy()).save(file, "JPEG", quality=quality, subsampling=2)
        out.append(torch.tensor(np.array(Image.open(file).convert("RGB"))).permute(2, 0, 1).float())
    return torch.stack(out)


def load(run):
    found = checkpoint.find(Path(run) / "best")
    if found is None:
        raise ValueError(f"{run}: no best/")
    meta = json.loads((found / "meta.json").read_text())
    network, settings = MODELS[meta["config"]["kind"]]
    net = network(settings(**meta["config"]["model"]))
    net.load_state_dict(checkpoint.load_tensors(found, "ema"))
    return net.eval(), meta


def entropy(p):
    return 0.0 if p <= 0 or p >= 1 else float(-p * np.log2(p) - (1 - p) * np.log2(1 - p))


@torch.no_grad()
def judge(net, x, quality, width):
    """A row: per-crop results averaged."""
    g = torch.Generator().manual_seed(0)
    rows = []
    for i in range(len(x)):
        cover = x[i : i + 1]
        if net.kind == "inn":
            key, bits = cs.draw(cover.shape, [width], [15], net.config.alpha, g)
            stego, pick = net.settle(cover, key, bits), key.carriers
        else:
            key, bits = net.draw(cover.shape, g)
            stego, pick = net.embed(cover, key, bits)[0], torch.ones_like(bits, dtype=torch.bool)
        row = dict(payload=float(pick.sum()) / cover[0, 0].numel(), psnr=float(10 * torch.log10(255**2 / (cover - stego).square().mean().clamp_min(1e-9))))
        for name, y in (("png", stego), ("jpeg", through_jpeg(stego, quality))):
            llr = net.read(y, key)
            llr = (llr[0] if isinstance(llr, tuple) else llr)[pick]
            sent = bits[pick]
            wrong = float(((llr < 0) != (sent > 0.5)).float().mean())
            row |= {f"{name} wrong": wrong, f"{name} exact": float(wrong == 0), f"{name} hard": row["payload"] * (1 - entropy(wrong)),
                    f"{name} soft": row["payload"] * max(0.0, float(1 - payload_bits(llr, sent)))}
        rows.append(row)
    return {k: float(np.mean([r[k] for r in rows])) for k in rows[0]}


def main(argv=None):
    ap = argparse.ArgumentParser()
    ap.add_argument("photos")
    ap.add_argument("runs", nargs="+")
    ap.add_argument("--crops", type=int, default=24)
    ap.add_argument("--size", type=int, default=256)
    ap.add_argument("--jpeg", type=int, default=75)
    ap.add_argument("--width", type=float, default=16.0)
    ap.add_argument("--json", type=Path)
    a = ap.parse_args(argv)
    torch.set_num_threads(1)
    try:
        x, nets = crops(a.photos, a.crops, a.size), [(run, *load(run)) for run in a.runs]
    except (OSError, ValueError) as e:
        print(f"compare_hiders: {e}", file=sys.stderr)
        return 2
    print(f"{len(x)} crops of {a.size}x{a.size} from {a.photos}; no error correction; bit/pixel\n\n| run | trained | raw payload | exact without a channel | wrong bits there | ideal code there, hard (soft) | exact after JPEG {a.jpeg} "
          "| wrong bits there | ideal code there, hard (soft) | PSNR dB |\n|---|---|---|---|---|---|---|---|---|---|")
    rows = []
    for run, net, meta in nets:
        r = judge(net, x, a.jpeg, a.width)
        rows.append(dict(run=Path(run).name, kind=net.kind, step=meta["step"], seconds=meta["trained_seconds"], **r))
        cells = [f"{100 * r[f'{n} exact']:.0f} % | {100 * r[f'{n} wrong']:.2f} % | {r[f'{n} hard']:.4f} ({r[f'{n} soft']:.4f})" for n in ("png", "jpeg")]
        print(f"| {Path(run).name} | {meta['step']} steps, {meta['trained_seconds'] / 60:.0f} min | {r['payload']:.4f} | {cells[0]} | {cells[1]} | {r['psnr']:.2f} |", flush=True)
    if a.json:
        a.json.write_text(json.dumps(rows, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
