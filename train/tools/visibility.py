"""How visible the difference of two pictures is, by models of seeing that are not ours and by those that are.

    python tools/visibility.py COVER STEGO [--json]
    python tools/visibility.py --rank PHOTOS [--crops 12] [--first 0]

Calls butteraugli_main and ssimulacra_main (Debian: libjxl-devtools; version 0.7 has SSIMULACRA 1 and no SSIMULACRA 2: where ssimulacra2 is on the PATH it is
called as well).  The second form asks how far the measures agree: crops of 256x256 are spoilt by a hider's luma noise, and by codecs, and a table has
Spearman's rank correlation of each measure with Butteraugli's 3-norm and SSIMULACRA 1, over all changes, and within photos (mean).  A second has what each says of
the same noise put into smooth or into textured blocks.  Butteraugli, SSIMULACRA 1, perceptual and Watson: less is better.  PSNR, MS-SSIM, SSIMULACRA 2: more.
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
from torch.nn import functional as F

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from undertone_train.detect.pairs import photos  # noqa: E402
from undertone_train.hide.jpeg import jpeg, tables, to_ycc  # noqa: E402
from undertone_train.hide.perceptual import perceptual  # noqa: E402
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
    rows = {"PSNR dB": 10 * np.log10(255**2 / error) if error else float("inf"), "MS-SSIM (ours)": float(ms_ssim(a, b)), "perceptual (ours)": float(perceptual(a, b)), "Watson (ours)": float(watson(a, b)),
            "Watson, published": float(watson(a, b, **PUBLISHED))}
    return rows | referees(a, b)


def referees(a, b):
    """What the installed programs that are not ours say of two pictures."""
    rows = {}
    with tempfile.TemporaryDirectory() as d:  # PNG without colour profile or rotation, so that all programs see the same numbers
        paths = [str(Path(d) / f"{n}.png") for n in "ab"]
        for path, x in zip(paths, (a, b)):
            Image.fromarray(x[0].permute(1, 2, 0).byte().numpy()).save(path, compress_level=1)
        for program in PROGRAMS:
            rows |= foreign(program, *paths)
    return rows


PLACES = ("evenly", "smooth", "textured")


def hiders_noise(x):
    """[1][3][h][w] -> luma noise as a hider makes it: white, of low and of high frequencies, of several strengths, each PLACES in turn with the same energy."""
    g = torch.Generator().manual_seed(0)
    white, low, high = (torch.randn(1, 1, *x.shape[2:], generator=g) for _ in range(3))
    low = F.interpolate(F.avg_pool2d(low, 8), size=x.shape[2:], mode="bicubic")
    high = high - F.avg_pool2d(high, 5, 1, 2)
    y = to_ycc(x, Rounding("soft"))[0][:, None]
    lively = F.avg_pool2d(y * y, 8) - F.avg_pool2d(y, 8).square()  # of 8x8 blocks; the upper half is called textured
    textured = F.interpolate((lively > lively.median()).float(), scale_factor=8, mode="nearest")
    for noise, levels in ((white, (1, 2, 4, 8)), (low, (1, 2, 4)), (high, (1, 2, 4, 8))):
        for level in levels:
            for place in (torch.ones_like(textured), 1 - textured, textured):
                put = noise * place
                yield to_pixels(x + put * level / put.square().mean().sqrt())


def codecs(x):
    yield from (jpeg(x, tables(q), "420") for q in (60, 80, 95))
    yield from (webp(x, q, Rounding("ste")) for q in (60, 90))
    yield resize(resize(x, *(n * 3 // 4 for n in x.shape[2:])), *x.shape[2:])


def spearman(a, b):
    a, b = (np.argsort(np.argsort(v)) for v in (a.ravel(), b.ravel()))
    return abs(np.corrcoef(a, b)[0, 1])


def badness(name, v):
    """A measure as something that grows with what is seen: PSNR as the rms error, MS-SSIM as the root of what it lacks to 1, both lengths of the change."""
    return 10 ** (-v / 20) if name == "PSNR dB" else (1 - v) ** 0.5 if "SSIM (" in name else 100 - v if name == "ssimulacra 2" else v


def agreement(names, cube):
    """cube: [photo][change][measure]."""
    print("| measure | " + " | ".join(f"{r}: all | within photos" for r in REFERENCES) + " | mean |\n|---|" + "---|" * (2 * len(REFERENCES) + 1))
    for i, name in enumerate(names):
        cells = []
        for r in (names.index(r) for r in REFERENCES):
            cells += [spearman(cube[..., i], cube[..., r]), np.mean([spearman(p[:, i], p[:, r]) for p in cube])]
        print(f"| {name} | " + " | ".join(f"{c:.2f}" for c in (*cells, np.mean(cells))) + " |")


def placement(names, cube):
    print("\n| measure | smooth : evenly | textured : evenly | pairs of places ordered as by " + " | as by ".join(REFERENCES) + " |\n|---|---|---|" + "---|" * len(REFERENCES))
    v = np.stack([badness(name, cube[..., i]) for i, name in enumerate(names)], -1).reshape(len(cube), -1, len(PLACES), len(names))
    ratio = np.exp((np.log(v[:, :, 1:]) - np.log(v[:, :, :1])).mean((0, 1)))  # [smooth, textured][measure]
    order = np.sign(v[:, :, [0, 1, 0]] - v[:, :, [1, 2, 2]])
    for i, name in enumerate(names):
        same = [100 * (order[..., i] == order[..., names.index(r)]).mean() for r in REFERENCES]
        print(f"| {name} | {ratio[0, i]:.2f} | {ratio[1, i]:.2f} | " + " | ".join(f"{s:.0f} %" for s in same) + " |")


def crops(folder, count, first):
    found = photos(folder)
    for path in found[first :: max(1, len(found) // count)][:count]:
        x = load(path)
        y0, x0 = (max(0, (n - 256) // 2 // 8 * 8) for n in x.shape[2:])
        yield x[..., y0:, x0:][..., :256, :256]


def single_scales(a, b):
    """The perceptual measure by its first, second and third scale alone: which frequencies the foreign measures look at."""
    return {f"perceptual, scale {k + 1} alone": float(perceptual(a, b, [float(i == k) for i in range(3)] + [0.0] * 3)) for k in range(3)}


def rank(folder, count, first):
    found = list(crops(folder, count, first))
    for title, changes in (("Luma noise", hiders_noise), ("Codecs and resizing", codecs)):
        table = [[list((measure(x, y) | single_scales(x, y)).items()) for y in changes(x)] for x in found]
        names = [name for name, _ in table[0][0]]
        cube = np.array([[[value for _, value in row] for row in photo] for photo in table])
        print(f"\n{title}: {cube.shape[0]} crops of {folder}, {cube.shape[1]} changes each\n")
        agreement(names, cube)
        if changes is hiders_noise:
            placement(names, cube)


def main(argv=None):
    parser = argparse.ArgumentParser(description="how visible the difference of two pictures is")
    parser.add_argument("pictures", nargs="*", metavar="COVER STEGO")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--rank", metavar="PHOTOS")
    parser.add_argument("--crops", type=int, default=12)
    parser.add_argument("--first", type=int, default=0, help="of the folder's photos, sorted by name, the first to take")
    a = parser.parse_args(argv)
    if len(a.pictures) != (0 if a.rank else 2):
        parser.error("give COVER and STEGO, or --rank PHOTOS")
    missing = [p for p in ("butteraugli_main", "ssimulacra_main") if not shutil.which(p)]
    try:
        if a.rank:
            if missing:
                raise ValueError(f"{missing[0]} is not installed (Debian package libjxl-devtools)")
            rank(a.rank, a.crops, a.first)
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
