"""Fits the constants of undertone_train/hide/seen.py to Butteraugli's 3-norm and SSIMULACRA 1, on training photos.

    python tools/fit_seen.py PACK.npz [--crops 90] [--out undertone_train/hide/seen.json]

Each crop of the pack (undertone_train.hide.crops) is changed four times as an ideal coder would at random prices, payloads and tables; a quarter of the crops is held
out, and the table says how far the fit is off there.  Needs Debian's libjxl-devtools.  Three minutes of one core.
"""
import argparse
import json
import math
import sys
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from undertone_train.hide.carriers import planes  # noqa: E402
from undertone_train.hide.coder import add_noise, expected_change  # noqa: E402
from undertone_train.hide.crops import read  # noqa: E402
from undertone_train.hide.guide import LossConfig, draw_channels  # noqa: E402
from undertone_train.hide.rounding import Rounding, to_pixels  # noqa: E402
from undertone_train.hide.seen import Seen, bands, parts  # noqa: E402
from visibility import referees, spearman  # noqa: E402

CHANGES, STEPS = 4, 700
FITS = {"butteraugli": ("butteraugli 3-norm", 3.0, 1.0), "ssimulacra": ("ssimulacra 1", 2.0, 2.0)}  # measure, norm, first exponent


def prices(x, rng):
    """[1][64][h][w]: some power of some liveliness, tilted over the frequencies, and at times random from block to block."""
    energy = x[:, 1:].square().sum(1, keepdim=True)
    near = F.avg_pool2d(energy, 3, 1, 1, count_include_pad=False)
    least = -F.max_pool2d(-energy, 3, 1, 1)
    lively = (energy, near, least)[rng.integers(3)] + rng.choice([20, 60, 200, 1000])
    k = torch.arange(64)
    tilt = ((k // 8) ** 2 + (k % 8) ** 2).clamp_min(1)[None, :, None, None] / 16
    noise = torch.tensor(rng.normal(0, rng.choice([0, 0.7]), energy.shape)).float().exp()
    return (lively / 1500) ** -float(rng.choice([0, 0.15, 0.3, 0.5, 0.8])) * tilt ** -float(rng.choice([-0.5, -0.2, 0, 0.2, 0.5, 0.8])) * noise


def gather(pixels, rng):
    """-> (errors, masks, {measure: [n]})."""
    errors, masks, found = [], [], []
    for cover in pixels:
        x = torch.tensor(cover)[None].float()
        c, own = planes(x, Rounding("soft")), bands(x)
        for _ in range(CHANGES):
            table, bpp = draw_channels(rng, 1, LossConfig(least_rate=0.12))
            y = to_pixels(add_noise(x, expected_change(c, table, prices(c, rng), bpp)))
            e, m = parts(own, bands(y))
            errors.append(e)
            masks.append(m)
            found.append(referees(x, y))
    return torch.cat(errors), torch.cat(masks), {k: np.array([f[k] for f in found]) for k in found[0]}


def fit(errors, masks, truth, power, exponent, train):
    y = torch.tensor(truth).float().log()
    net = Seen(power)
    with torch.no_grad():
        net.shape[1] = exponent
        net.shape[0] = (y - net.of_parts(errors, masks).log()).mean()
    opt = torch.optim.Adam(net.parameters(), 0.05)
    for step in range(STEPS):
        if step == 5 * STEPS // 7:
            opt.param_groups[0]["lr"] = 0.01
        rows = train[torch.randperm(len(train))[:64]]
        loss = F.huber_loss(net.of_parts(errors[rows], masks[rows]).log(), y[rows], delta=0.3)
        opt.zero_grad()
        loss.backward()
        opt.step()
    with torch.no_grad():
        return net, net.of_parts(errors, masks).log() - y, y


def main(argv=None):
    ap = argparse.ArgumentParser()
    ap.add_argument("pack")
    ap.add_argument("--crops", type=int, default=90)
    ap.add_argument("--out", default=str(Path(__file__).resolve().parents[1] / "undertone_train/hide/seen.json"))
    a = ap.parse_args(argv)
    torch.manual_seed(0)
    torch.set_num_threads(1)
    rng = np.random.default_rng(5)
    pixels = read(a.pack)[0]
    pixels = pixels[rng.permutation(len(pixels))[: a.crops]]
    with torch.no_grad():
        errors, masks, truth = gather(pixels, rng)
    cut = len(pixels) * 3 // 4 * CHANGES
    out = {}
    print("| measure | off by, rms of the logarithm, fitted crops | held out | changes of one held-out crop against each other | they differ by | rank correlation, held out |\n|---|---|---|---|---|---|")
    for name, (measure, power, exponent) in FITS.items():
        net, off, y = fit(errors, masks, truth[measure], power, exponent, torch.arange(cut))
        rms = lambda v: math.sqrt(v.square().mean())
        within = lambda v: rms(v.reshape(-1, CHANGES) - v.reshape(-1, CHANGES).mean(1, keepdim=True))
        agree = spearman((y + off)[cut:].numpy(), y[cut:].numpy())
        print(f"| {measure} | {rms(off[:cut]):.3f} | {rms(off[cut:]):.3f} | {within(off[cut:]):.3f} | {within(y[cut:]):.3f} | {agree:.3f} |", flush=True)
        out[name] = dict(power=power, constants={k: torch.round(v, decimals=4).tolist() for k, v in net.state_dict().items()})
    Path(a.out).write_text(json.dumps(out, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
