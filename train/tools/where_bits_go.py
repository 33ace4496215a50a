"""Pictures of where the changes go, with the guide and without: a map over the photo's blocks, and each frequency's share.

    python tools/where_bits_go.py RUN PHOTO... -o ../docs/img/guide.png [--bpp 0.3] [--channel whatsapp|QUALITY]

One row a photo: its liveliness (so that the maps can be read without the photo), squared change expected of each block at the usual prices and at the guide's, on one scale
(dark: none), what the guide's attention says of places (the last block's spatial gate), and 8x8 squares: frequencies' shares of the change, usual and guided.
"""
import argparse
import sys
from pathlib import Path

import numpy as np
import torch
from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from undertone_train.hide.carriers import planes  # noqa: E402
from undertone_train.hide.coder import expected_change  # noqa: E402
from undertone_train.hide.condition import features  # noqa: E402
from undertone_train.hide.export_run import load  # noqa: E402
from undertone_train.hide.jpeg import tables  # noqa: E402
from undertone_train.hide.profiles import profile  # noqa: E402
from undertone_train.hide.rounding import Rounding  # noqa: E402

CELL, GAP = 2, 6  # pixels a block, between pictures
STOPS = np.array([[0, 0, 20], [60, 15, 110], [170, 50, 90], [245, 135, 50], [255, 240, 170]], float)


def coloured(x):
    """0..1 [h][w] -> uint8 [h][w][3], dark to light."""
    x = np.clip(x, 0, 1) * (len(STOPS) - 1)
    i = np.minimum(x.astype(int), len(STOPS) - 2)
    f = (x - i)[..., None]
    return (STOPS[i] * (1 - f) + STOPS[i + 1] * f + 0.5).astype(np.uint8)


def usual(x):
    """The prices without a guide (src/stage/hide/cost.c)."""
    return ((((x[:, 1:].square().sum(1, keepdim=True)) + 60) / 1500) ** -0.08).expand_as(x)


def spatial_gate(net, x):
    kept = []
    hook = net.blocks[-1].spatial.register_forward_hook(lambda _, __, y: kept.append(torch.sigmoid(y[0, 0])))
    net(features(x))
    hook.remove()
    return kept[0].numpy()


def grown(a, k):
    return a.repeat(k, 0).repeat(k, 1)


@torch.no_grad()
def row(net, path, table, bpp):
    rgb = torch.tensor(np.array(Image.open(path).convert("RGB"))).permute(2, 0, 1)[None].float()
    rgb = rgb[..., : rgb.shape[2] // 8 * 8, : rgb.shape[3] // 8 * 8]
    x = planes(rgb, Rounding("soft"))
    changes = [expected_change(x, table, w, torch.tensor([bpp]))[0] for w in (usual(x), net(x))]
    maps = [c.sum(0).sqrt().numpy() for c in changes]
    top = np.quantile(np.stack(maps), 0.99)
    shares = [(c.sum((1, 2)) / c.sum()).reshape(8, 8).numpy() for c in changes]
    most = max(s.max() for s in shares)
    lively = np.log1p(x[0, 1:].square().sum(0).numpy()) / np.log1p(64 * 64 * 100)
    gate = spatial_gate(net.net, x)
    gate = (gate - gate.min()) / max(gate.max() - gate.min(), 1e-6)
    pictures = [grown(coloured(m), CELL) for m in (lively, maps[0] / top, maps[1] / top, gate)]
    h, k = pictures[0].shape[0], pictures[0].shape[0] // 8
    for s in shares:
        square = np.full((h, 8 * k, 3), 255, np.uint8)
        square[: 8 * k] = grown(coloured((s / most) ** 0.5), k)
        pictures.append(square)
    quiet = lively < np.median(lively)
    energy = [float(np.square(m)[quiet].sum() / np.square(m).sum()) for m in maps]
    print(f"{path.stem}: share of the change in the quieter half of the blocks {100 * energy[0]:.1f} % usual, {100 * energy[1]:.1f} % guided; "
          f"in the eight lowest frequencies {100 * sum(shares[0].flat[i] for i in (1, 8, 16, 9, 2, 3, 10, 17)):.0f} %, {100 * sum(shares[1].flat[i] for i in (1, 8, 16, 9, 2, 3, 10, 17)):.0f} %")
    return pictures


def mosaic(rows):
    widths = [max(r[i].shape[1] for r in rows) for i in range(len(rows[0]))]
    out = np.full((sum(r[0].shape[0] + GAP for r in rows), sum(w + GAP for w in widths), 3), 255, np.uint8)
    y = 0
    for r in rows:
        x = 0
        for p, w in zip(r, widths):
            out[y : y + p.shape[0], x : x + p.shape[1]] = p
            x += w + GAP
        y += r[0].shape[0] + GAP
    return out


def main(argv=None):
    ap = argparse.ArgumentParser()
    ap.add_argument("run")
    ap.add_argument("photos", nargs="+", type=Path)
    ap.add_argument("-o", "--out", required=True)
    ap.add_argument("--bpp", type=float, default=0.3)
    ap.add_argument("--channel", default="whatsapp")
    a = ap.parse_args(argv)
    t = tables(int(a.channel)) if a.channel.isdigit() else profile(a.channel).tables(0)
    net = load(a.run)[0]
    rows = [row(net, p, t[0].reshape(1, 64).float(), a.bpp) for p in a.photos]
    Path(a.out).parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(mosaic(rows)).quantize(64).save(a.out, optimize=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
