"""P_E of freshly trained detectors for hiders of the literature's forms, on tiles as undertone_train.detect.judge cuts them (docs/DETECT.md).

    python tools/judge_hiders.py PHOTOS RUN [RUN ...] [--limit 120] [--jpeg 75]

RUN: folders of undertone_train.hide.run (hide-literal, hide-hidden, hide-steganogan). Their payload is what they were trained for. `dctr`; `rich`, as sent (8-bit pixels)
and after JPEG, five folds of photos.
"""
import argparse
import io
import sys
from pathlib import Path

import numpy as np
import torch
from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from compare_hiders import load as load_run  # noqa: E402
from undertone_train.detect.judge import SENT, features, judge  # noqa: E402
from undertone_train.detect.pairs import cut, load  # noqa: E402


def vectors(pixels, view):
    """uint8 [h][w][3] as it is seen -> one vector."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, *(("PNG",) if view == SENT else ("JPEG",)), **({} if view == SENT else dict(quality=int(view.split(":")[1]), subsampling=2)))
    file.seek(0)
    return features(*load(file), view)


def stacked(rows):
    return {kind: np.stack([r[kind] for r in rows]) for kind in rows[0]}


@torch.no_grad()
def stego(net, tile, generator):
    x = torch.tensor(tile.copy()).permute(2, 0, 1)[None].float()
    key, bits = net.draw(x.shape, generator)
    return net.embed(x, key, bits)[0][0].permute(1, 2, 0).byte().numpy(), bits[0].numel() / (x.shape[2] * x.shape[3])


def main(argv=None):
    ap = argparse.ArgumentParser()
    ap.add_argument("photos")
    ap.add_argument("runs", nargs="+")
    ap.add_argument("--limit", type=int, default=120)
    ap.add_argument("--jpeg", type=int, default=75)
    a = ap.parse_args(argv)
    torch.set_num_threads(1)
    views = (SENT, f"jpeg:{a.jpeg}")
    tiles = list(cut(a.photos, 256, 1, a.limit))
    names = [n for n, _ in tiles]
    covers = {v: stacked([vectors(t, v) for _, t in tiles]) for v in views}
    print("| run | raw bit/pixel | " + " | ".join(f"P_E {v}" for v in views) + " (dctr; rich) |\n" + "|---" * (2 + len(views)) + "|", flush=True)
    for run in a.runs:
        net, generator = load_run(run)[0], torch.Generator().manual_seed(0)
        made = [stego(net, t, generator) for _, t in tiles]
        cells = []
        for v in views:
            changed = stacked([vectors(s, v) for s, _ in made])
            found = [judge(covers[v], changed, names, 5, d) for d in ("dctr fld", "rich fld")]
            cells.append("; ".join(f"{f['p_e']:.3f} ({f['p_e_low']:.3f} to {f['p_e_high']:.3f})" for f in found))
        print(f"| {Path(run).name} | {made[0][1]:.4f} | " + " | ".join(cells) + " |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
