"""How visible the difference of two pictures is, by models of seeing that are not ours and by those that are.

    python tools/visibility.py COVER STEGO [--json]
    python tools/visibility.py --rank PHOTOS [--crops 12]

Calls butteraugli_main and ssimulacra_main (Debian: libjxl-devtools; version 0.7 has SSIMULACRA 1 and no SSIMULACRA 2: where ssimulacra2 is on the PATH it is
called as well).  The second form asks how far the measures agree: one 256x256 crop of each photo is spoilt in ten ways, and the table has Spearman's
rank correlation of each measure with Butteraugli's 3-norm and SSIMULACRA 1, over all of them, and within photos (mean).  Butteraugli, SSIMULACRA 1 and Watson: less is better.  PSNR, MS-SSIM and SSIMULACRA 2: more is better.
"""
import argparse
import json
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch
from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from undertone_train.detect.pairs import photos  # noqa: E402
from undertone_train.hide.jpeg import jpeg, tables  # noqa: E402
from undertone_train.hide.resize import resize  # noqa: E402
from undertone_train.hide.rounding import Rounding, to_pixels  # noqa: E402
from undertone_train.hide.visibility import PUBLISHED, ms_ssim, watson  # noqa: E402
from undertone_train.hide.webp import webp  # noqa: E402

REFERENCES = ("butteraugli 3-norm", "ssimulacra 1")
NUMBER = r"(-?[0-9]+(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?)"
PROGRAMS = {"butteraugli_main": {"butteraugli": rf"^{NUMBER}\s*$", "butteraugli 3-norm": rf"3-norm: {NUMBER}"}, "ssimulacra_main": {"ssimulacra 1": rf"^{NUMBER}\s*$"},
            "ssimulacra2": {"ssimulacra 2": rf"^{NUMBER}\s*$"}}


def load(path):
    with Image.open(path) as im:
        return torch.tensor(np.array(im.convert("RGB"))).permute(2, 0, 1)[None].float()


def foreign(program, a, b):
    """{measure: value} of two PNG files; empty if the program is not installed."""
    if not shutil.which(program):
        return {}
    got = subprocess.run([program, a, b], capture_output=True, text=True, timeout=600)
    found = {name: re.search(pattern, got.stdout, re.M) for name, pattern in PROGRAMS[program].items()}
    if got.returncode or not all(found.values()):
        raise ValueError(f"{program} failed ({got.returncode}): {(got.stderr or got.stdout).strip()[:200]}")
    return {name: float(m[1]) for name, m in found.items()}


def measure(a, b):
    """Two tensors [1][3][h][w] of whole numbers -> {measure: value}."""
    if a.shape != b.shape:
        raise ValueError(f"the pictures differ in size: {a.shape[3]}x{a.shape[2]} and {b.shape[3]}x{b.shape[2]}")
    error = float((a - b).square().mean())
    rows = {"PSNR dB": 10 * np.log10(255**2 / error) if error else float("inf"), "MS-SSIM (ours)": float(ms_ssim(a, b)), "Watson (ours)": float(watson(a, b)),
            "Watson, published": float(watson(a, b, **PUBLISHED))}
    with tempfile.TemporaryDirectory() as d:  # PNG without colour profile or rotation, so that all programs see the same numbers
        paths = [str(Path(d) / f"{n}.png") for n in "ab"]
        for path, x in zip(paths, (a, b)):
            Image.fromarray(x[0].permute(1, 2, 0).byte().numpy()).save(path, compress_level=1)
        for program in PROGRAMS:
            rows |= foreign(program, *paths)
    return rows


def spoilt(x):
    """[1][3][h][w] -> ten changes of it: codecs, resizing, and luma noise of three kinds (white, of low and of high frequencies, where a hider works)."""
    g = torch.Generator().manual_seed(0)
    white = lambda: torch.randn(1, 1, *x.shape[2:], generator=g)
    low = torch.nn.functional.interpolate(white(), scale_factor=0.125, mode="area")
    low = torch.nn.functional.interpolate(low, size=x.shape[2:], mode="bicubic")
    high = white()
    high = high - torch.nn.functional.avg_pool2d(high, 5, 1, 2)
    yield from (jpeg(x, tables(q), "420") for q in (60, 80, 95))
    yield from (webp(x, q, Rounding("ste")) for q in (60, 90))
    yield resize(resize(x, *(n * 3 // 4 for n in x.shape[2:])), *x.shape[2:])
    for noise, level in ((white(), 2), (white(), 5), (low / low.std(), 2), (high / high.std(), 4)):
        yield to_pixels(x + level * noise)


def ranks(values):
    return np.argsort(np.argsort(values)).astype(float)


def rank(folder, count):
    found, table = photos(folder), []
    for path in found[:: max(1, len(found) // count)][:count]:
        x = load(path)
        y0, x0 = ((n - 256) // 2 // 8 * 8 for n in x.shape[2:])
        x = x[..., max(y0, 0) :, max(x0, 0) :][..., :256, :256]
        table.append([list(measure(x, y).items()) for y in spoilt(x)])
    names = [name for name, _ in table[0][0]]
    cube = np.array([[[value for _, value in row] for row in photo] for photo in table])  # [photo][change][measure]
    print(f"{cube.shape[0]} crops of {folder}, {cube.shape[1]} changes each\n\n| measure | " + " | ".join(f"{r}: all | within photos" for r in REFERENCES) + " |\n"
          + "|---|" + "---|" * (2 * len(REFERENCES)))
    spearman = lambda a, b: abs(np.corrcoef(ranks(a), ranks(b))[0, 1])
    for i, name in enumerate(names):
        cells = []
        for r in (names.index(r) for r in REFERENCES):
            cells += [spearman(cube[..., i].ravel(), cube[..., r].ravel()), np.mean([spearman(p[:, i], p[:, r]) for p in cube])]
        print(f"| {name} | " + " | ".join(f"{c:.2f}" for c in cells) + " |")


def main(argv=None):
    parser = argparse.ArgumentParser(description="how visible the difference of two pictures is")
    parser.add_argument("pictures", nargs="*", metavar="COVER STEGO")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--rank", metavar="PHOTOS")
    parser.add_argument("--crops", type=int, default=12)
    a = parser.parse_args(argv)
    if len(a.pictures) != (0 if a.rank else 2):
        parser.error("give COVER and STEGO, or --rank PHOTOS")
    missing = [p for p in ("butteraugli_main", "ssimulacra_main") if not shutil.which(p)]
    try:
        if a.rank:
            if missing:
                raise ValueError(f"{missing[0]} is not installed (Debian package libjxl-devtools)")
            rank(a.rank, a.crops)
            return 0
        rows = measure(*map(load, a.pictures))
    except (OSError, ValueError, subprocess.TimeoutExpired) as e:
        print(f"visibility: {e}", file=sys.stderr)
        return 2
    if a.json:
        print(json.dumps(rows))
    else:
        for name, value in rows.items():
            print(f"{name:20} {value:.5g}")
    for program in missing:
        print(f"visibility: {program} is not installed (Debian package libjxl-devtools); left out", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
