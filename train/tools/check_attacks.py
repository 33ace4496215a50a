"""The attack layer beside the real codecs, on photos.

    python tools/check_attacks.py PHOTOS [--crops 24] [--fit-avif] [--json OUT]

Prints tables for docs/HIDER.md from one 256x256 crop of each photo, photos evenly spread over the folder: JPEG's layer against libjpeg-turbo in every rounding mode; the
models of WebP and AVIF against the real codecs (error's rms for each frequency of the 8x8 DCT); resizing against Pillow's; wrong bits of a plain lattice through each; processor time.  --fit-avif finds the steps of hide/avif.py instead.
"""
import argparse
import io
import json
import os
import sys
import time
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
import numpy as np  # noqa: E402
import torch  # noqa: E402
from PIL import Image, features  # noqa: E402

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from undertone_train.detect.pairs import photos  # noqa: E402
from undertone_train.hide import avif, jpeg, resize, webp  # noqa: E402
from undertone_train.hide.rounding import MODES, Rounding  # noqa: E402

SIZE = 256
PILLOW = {"444": 0, "422": 1, "420": 2}


def crops(folder, count):
    """uint8-valued [n][3][256][256]: the middle of each photo, at an odd place, so that no old JPEG grid coincides."""
    found, out = photos(folder), []
    for path in found[:: max(1, len(found) // count)][:count]:
        with Image.open(path) as im:
            a = np.asarray(im.convert("RGB"))
        y, x = ((n - SIZE) // 2 | 1 for n in a.shape[:2])
        if y > 0 and x > 0:
            out.append(torch.tensor(a[y : y + SIZE, x : x + SIZE].copy()).permute(2, 0, 1).float())
    if not out:
        raise ValueError(f"{folder}: no photo is larger than {SIZE}x{SIZE}")
    return torch.stack(out)


def real(x, kind, **options):
    out = []
    for p in x:
        file = io.BytesIO()
        Image.fromarray(p.permute(1, 2, 0).byte().numpy()).save(file, kind, **options)
        out.append(torch.tensor(np.array(Image.open(file).convert("RGB"))).permute(2, 0, 1).float())
    return torch.stack(out)


def psnr(a, b):
    """Of each picture, [n]; infinite where equal."""
    return 10 * torch.log10(255**2 / (a - b).square().mean((1, 2, 3)))


def spectrum(error):
    """rms of an RGB error for luma and the two chroma signals, [3][8][8]."""
    planes = jpeg.to_ycc(error + 128, Rounding("soft"))
    m = webp.dct(8)
    return torch.stack([(m @ webp.in_blocks(p - 128, 8) @ m.T).square().mean((0, 1, 2)).sqrt() for p in planes])


def timed(f):
    start = time.process_time()
    out = f()
    return out, time.process_time() - start


def check_jpeg(x):
    print("\n| JPEG | sampling | photos to JPEG, dB | " + " | ".join(f"{m}: layer to decoder, mean (least) dB" for m in MODES) + " | most grey levels off in ste | soft's error power |\n"
          + "|---|---|---|" + "---|" * (len(MODES) + 2))
    rows = []
    for q in (50, 75, 90):
        for s in ("420", "422", "444"):
            want = real(x, "JPEG", quality=q, subsampling=PILLOW[s])
            got = {m: jpeg.jpeg(x, jpeg.tables(q), s, Rounding(m, torch.Generator().manual_seed(0))) for m in MODES}
            db = {m: psnr(y, want) for m, y in got.items()}
            kind = float((got["soft"] - x).square().mean() / (want - x).square().mean())
            most = float((got["ste"] - want).abs().max())
            rows.append(dict(quality=q, sampling=s, most=most, kind=kind, **{m: [float(d.mean()), float(d.min())] for m, d in db.items()}))
            cells = ["exact" if torch.isinf(d).all() else f"{d.mean():.2f} ({d.min():.2f})" for d in db.values()]
            print(f"| {q} | {s} | {psnr(x, want).mean():.2f} | " + " | ".join(cells) + f" | {most:.0f} | {kind:.3f} |", flush=True)
    return rows


def check_model(name, model, x, settings):
    print(f"\n{name}: error's rms, model (real), luma / Cb / Cr; model over real for each frequency of luma\n\n"
          "| quality | PSNR real | PSNR model | model to real, mean (least) dB | correlation of errors | luma | Cb | Cr | frequency ratios: least, median, most |\n|---|---|---|---|---|---|---|---|---|")
    rows = []
    for q in settings:
        want = real(x, name, quality=q, **({"method": 4} if name == "WEBP" else {"speed": 6}))
        got = model(x, q, Rounding("ste"))
        a, b, apart = spectrum(want - x), spectrum(got - x), psnr(got, want)
        ratio = (b / a)[0].flatten()
        like = float(torch.corrcoef(torch.stack([(want - x).flatten(), (got - x).flatten()]))[0, 1])
        power = lambda s: s.square().mean((1, 2)).sqrt().tolist()
        cells = " | ".join(f"{m:.2f} ({r:.2f})" for m, r in zip(power(b), power(a)))
        print(f"| {q} | {psnr(x, want).mean():.2f} | {psnr(x, got).mean():.2f} | {apart.mean():.2f} ({apart.min():.2f}) | {like:.2f} | {cells} | {ratio.min():.2f}, {ratio.median():.2f}, {ratio.max():.2f} |", flush=True)
        rows.append(dict(quality=q, real=a.tolist(), model=b.tolist(), correlation=like, apart=apart.tolist()))
    return rows


def check_resize(x):
    """Beside Pillow's resizing, to the smaller size."""
    print("\n| resize | kernel | layer to Pillow, mean (least) dB | most grey levels off |\n|---|---|---|---|")
    filters, rows = {"lanczos": Image.Resampling.LANCZOS, "bicubic": Image.Resampling.BICUBIC, "area": Image.Resampling.BOX}, []
    for factor in (0.6, 0.75, 0.95):
        n = round(SIZE * factor)
        for kernel, pillow in filters.items():
            want = torch.stack([torch.tensor(np.array(Image.fromarray(p.permute(1, 2, 0).byte().numpy()).resize((n, n), pillow))).permute(2, 0, 1).float() for p in x])
            got = resize.resize(x, n, n, kernel, Rounding("ste"))
            db, most = psnr(got, want), float((got - want).abs().max())
            print(f"| {factor:g} | {kernel} | " + ("exact" if not most else f"{db.mean():.2f} ({db.min():.2f})") + f" | {most:.0f} |", flush=True)
            rows.append(dict(factor=factor, kernel=kernel, db=db.tolist(), most=most))
    return rows


def lattice(x, step, seed=0):
    """A bit in each of the first six AC coefficients of every luma block, by parity of multiples of step -> (picture, bits, how to read them); the same change in R, G and B."""
    m, y = webp.dct(8), jpeg.to_ycc(x, Rounding("soft"))[0]
    c = m @ webp.in_blocks(y, 8) @ m.T
    at = [(0, 1), (1, 0), (2, 0), (1, 1), (0, 2), (0, 3)]
    bits = torch.randint(0, 2, (*c.shape[:3], len(at)), generator=torch.Generator().manual_seed(seed))
    moved = c.clone()
    for k, (u, v) in enumerate(at):
        moved[..., u, v] = 2 * step * ((c[..., u, v] / step - bits[..., k]) / 2).round() + step * bits[..., k]
    change = webp.from_blocks(m.T @ (moved - c) @ m)
    read = lambda z: torch.stack([(m @ webp.in_blocks(jpeg.to_ycc(z, Rounding("soft"))[0], 8) @ m.T)[..., u, v] / step for u, v in at], -1).round() % 2
    return (x + change[:, None]).round().clamp(0, 255), bits, read


def check_lattice(x, step=14.0):
    print(f"\nWrong bits of a plain lattice, step {step:g}, six coefficients a block, without error correction\n\n| channel | real | model |\n|---|---|---|")
    stego, bits, read = lattice(x, step)
    rows = []
    channels = {f"JPEG {q}": (lambda q=q: real(stego, "JPEG", quality=q, subsampling=2), lambda q=q: jpeg.jpeg(stego, jpeg.tables(q), "420")) for q in (50, 75)}
    channels |= {f"WEBP {q}": (lambda q=q: real(stego, "WEBP", quality=q, method=4), lambda q=q: webp.webp(stego, q)) for q in (50, 75, 80, 90)}
    channels |= {f"AVIF {q}": (lambda q=q: real(stego, "AVIF", quality=q, speed=6), lambda q=q: avif.avif(stego, q)) for q in (60, 75, 90)}
    for name, ways in channels.items():
        rows.append(dict(channel=name, wrong=[float((read(way()) != bits).float().mean()) for way in ways]))
        print(f"| {name} | " + " | ".join(f"{100 * w:.2f} %" for w in rows[-1]["wrong"]) + " |", flush=True)
    return rows


def fit_avif(x):
    """For each quality, the steps whose error has the real one's power in luma and in chroma, by bisection on the logarithm."""
    found = []
    for q in avif.QUALITIES:
        want = spectrum(real(x, "AVIF", quality=q, speed=6) - x).square()
        goal = [want[0].mean(), want[1:].mean()]
        low, high = [0.5, 0.5], [120.0, 120.0]
        for _ in range(11):
            mid = [(a * b) ** 0.5 for a, b in zip(low, high)]
            got = spectrum(avif.with_steps(x, *(torch.full((len(x),), m) for m in mid), Rounding("ste")) - x).square()
            for i, power in enumerate((got[0].mean(), got[1:].mean())):
                (high if power > goal[i] else low)[i] = mid[i]
        found.append([(a * b) ** 0.5 for a, b in zip(low, high)])
        print(q, [round(v, 2) for v in found[-1]], flush=True)
    print("STEPS =", tuple(round(a, 2) for a, _ in found), "\nCHROMA_STEPS =", tuple(round(b, 2) for _, b in found))


def check_time(x):
    x = x[:4].clone().requires_grad_()
    print("\n| layer | mode | forward, ms a crop | forward and backward |\n|---|---|---|---|")
    layers = {"jpeg:75 4:2:0": lambda r: jpeg.jpeg(x, jpeg.tables(75), "420", r), "webp:80": lambda r: webp.webp(x, 80, r), "avif:60": lambda r: avif.avif(x, 60, r),
              "resize:0.75": lambda r: resize.resize(x, 192, 192, "lanczos", r)}
    for name, f in layers.items():
        for mode in ("hybrid", "soft"):
            f(Rounding(mode)).sum().backward()
            ahead = [timed(lambda: f(Rounding(mode)))[1] for _ in range(5)]
            both = [timed(lambda: f(Rounding(mode)).sum().backward())[1] for _ in range(5)]
            print(f"| {name} | {mode} | " + " | ".join(f"{sorted(t)[2] / len(x) * 1000:.1f}" for t in (ahead, both)) + " |")


def main(argv=None):
    parser = argparse.ArgumentParser()
    parser.add_argument("photos")
    parser.add_argument("--crops", type=int, default=24)
    parser.add_argument("--fit-avif", action="store_true")
    parser.add_argument("--json", type=Path)
    a = parser.parse_args(argv)
    torch.set_num_threads(1)
    try:
        x = crops(a.photos, a.crops)
    except (OSError, ValueError) as e:
        print(f"check_attacks: {e}", file=sys.stderr)
        return 2
    if a.fit_avif:
        fit_avif(x)
        return 0
    print(f"{len(x)} crops of {SIZE}x{SIZE} from {a.photos}; libjpeg-turbo {features.version('libjpeg_turbo')}, libwebp {features.version('webp')}, libavif {features.version('avif')}")
    rows = dict(jpeg=check_jpeg(x), webp=check_model("WEBP", webp.webp, x, (50, 75, 80, 90)), avif=check_model("AVIF", avif.avif, x, (50, 60, 75, 90)), resize=check_resize(x), lattice=check_lattice(x))
    check_time(x)
    if a.json:
        a.json.write_text(json.dumps(rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
