"""What a trained INN brings over mode 0's robust form: information through real codecs at equal visibility, judged by programs that had no part in training.

    python tools/judge_inn.py PACK.npz RUN [--channels webp:80,webp:70] [--crops 24] [--nfreq 10,15,21] [--at 12] [--json OUT]

PACK is the training pack; only photos that the run held out are used.  Plain and bent lattice hide random bits with the same keys at several cell widths; information is
counted from phases (by frequency and the receiver's eight classes, no model of the noise), so it is what an ideal code would carry.  Each crop's curve is read at the
visibility that mode 0 has at width --at and the middle --nfreq, and the crops are averaged; each hider has the number of frequencies that suits it best in the mean.  Classes: liveliness, eighths of the blocks by energy, as mode 0 has them; or trust, the network's.
"""
import argparse
import json
import os
import sys
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
import numpy as np  # noqa: E402
import torch  # noqa: E402

sys.path[:0] = [str(Path(__file__).resolve().parents[1]), str(Path(__file__).resolve().parent)]
from undertone_train.hide import carriers as cs  # noqa: E402
from undertone_train.hide.attacks import Attack, AttackConfig  # noqa: E402
from undertone_train.hide.crops import Crops, read  # noqa: E402
from undertone_train.hide.export_run import load  # noqa: E402
from undertone_train.hide.inn import Inn, InnConfig  # noqa: E402
from visibility import measure  # noqa: E402

MEASURES = ("butteraugli 3-norm", "ssimulacra 1", "Watson (ours)", "PSNR dB")


def liveliness(x):
    """Eighths of each picture's blocks by energy but DC's, [batch][64][h][w]."""
    e = x[:, 1:].square().sum(1)
    order = e.flatten(1).argsort(1).argsort(1).reshape(e.shape)
    return (order * 8 // e[0].numel()).unsqueeze(1).expand(x.shape)


@torch.no_grad()
def curve(net, cover, widths, nfreq, channels):
    """[(log visibility {measure: [crops]}, information {(channel, classes): [crops]})], one for each width."""
    out, frequency = [], torch.arange(64)[:, None, None]
    for width in widths:
        key, bits = cs.draw(cover.shape, [width] * len(cover), [nfreq] * len(cover), 0.84, torch.Generator().manual_seed(1))
        stego = torch.cat([net.embed(cover[i : i + 1], key.of([i]), bits[i : i + 1])[0] for i in range(len(cover))])
        seen = [measure(a[None], b[None]) for a, b in zip(cover, stego)]
        rates = {}
        for channel in channels:
            received = Attack(AttackConfig(channels=[channel], real=1, simulated=0, none=0))(stego, 0)[0]
            _, angle, say = net.read(received, key)
            for name, classes in (("all", torch.zeros_like(say)), ("liveliness", liveliness(cs.planes(received))), ("trust", net.classes(say))):
                got = []
                for i in range(len(cover)):
                    m = key.carriers[i]
                    share = m.sum() / (64 * m[0].numel())  # carriers a pixel
                    # by class and by frequency, each alone: together they are too many to count in a crop
                    by = [cs.information(angle[i][m], bits[i][m], g.expand(m.shape)[m]) for g in (classes[i], frequency)]
                    got.append(float(share) * max(by) if name != "all" else float(share) * by[1])
                rates[channel, name] = np.array(got)
        out.append(({n: np.array([s[n] for s in seen]) for n in MEASURES if n in seen[0]}, rates))
    return out


def at(curves, measure_name, key, wanted):
    """Each crop's information where its visibility is `wanted` [crops]; linear between widths, in logarithms (PSNR, which is one, as it is)."""
    scale = (lambda v: -v) if measure_name == "PSNR dB" else np.log
    seen = np.stack([scale(c[0][measure_name]) for c in curves], 1)
    rates = np.log(np.maximum(np.stack([c[1][key] for c in curves], 1), 1e-6))
    found = []
    for s, r, w in zip(seen, rates, scale(wanted)):
        order = np.argsort(s)
        s, r = s[order], r[order]
        inside = s[0] <= w <= s[-1]
        found.append(np.exp(np.interp(w, s, r)) if inside else np.nan)
    return np.array(found)


def main(argv=None):
    ap = argparse.ArgumentParser()
    ap.add_argument("pack")
    ap.add_argument("run")
    ap.add_argument("--channels", default="webp:80,webp:70")
    ap.add_argument("--crops", type=int, default=24)
    ap.add_argument("--nfreq", default="10,15,21")
    ap.add_argument("--at", type=float, default=12.0)
    ap.add_argument("--last", action="store_true", help="the last weights in place of the best validated")
    ap.add_argument("--json", type=Path)
    a = ap.parse_args(argv)
    torch.set_num_threads(1)
    try:
        net, meta = load(a.run, "last" if a.last else "best")
        d = meta["config"]["data"]
        cover = Crops(*read(a.pack), d["crop"], d["holdout"]).validation(a.crops)
    except (OSError, ValueError) as e:
        print(f"judge_inn: {e}", file=sys.stderr)
        return 2
    channels = a.channels.split(",")
    factors = (0.6, 0.8, 1.0, 1.25, 1.6)
    plain, counts = Inn(InnConfig(width=4, blocks=0)).eval(), [int(n) for n in a.nfreq.split(",")]
    curves = {(who, n): curve(m, cover, [a.at * f for f in factors], n, channels) for who, m in (("mode 0", plain), ("INN", net)) for n in counts}
    usual = curves["mode 0", counts[len(counts) // 2]][factors.index(1.0)]
    print(f"step {meta['step']}, {len(cover)} held-out crops of {tuple(cover.shape[2:])}, mode 0 at width {a.at:g}: " + ", ".join(f"{n} {usual[0][n].mean():.4g}" for n in usual[0]))
    print("\n| channel | equal (crops) | mode 0, bit/pixel (frequencies) | INN, its lattice, liveliness | INN, lattice and trust | gain (standard error) |\n|---|---|---|---|---|---|")
    rows = []
    for channel in channels:
        for name in usual[0]:
            got, chosen = [], []
            for who, how in (("mode 0", "liveliness"), ("INN", "liveliness"), ("INN", "trust")):
                by = {n: at(curves[who, n], name, (channel, how), usual[0][name]) for n in counts}
                whole = {n: v for n, v in by.items() if np.isfinite(v).sum() * 2 > len(v)} or by
                chosen.append(max(whole, key=lambda n: np.nanmean(whole[n])))
                got.append(by[chosen[-1]])
            ok = np.isfinite(np.stack(got)).all(0)
            got = [g[ok] for g in got]
            ratio = got[2].mean() / got[0].mean()
            residual = got[2] - ratio * got[0]
            se = residual.std() / np.sqrt(max(len(residual), 1)) / got[0].mean()
            rows.append(dict(channel=channel, measure=name, crops=int(ok.sum()), nfreq=chosen, rates=[float(g.mean()) for g in got], gain=float(ratio), error=float(se)))
            print(f"| {channel} | {name} ({ok.sum()}) | " + " | ".join(f"{g.mean():.4f} ({n})" for g, n in zip(got, chosen)) + f" | {100 * (ratio - 1):+.1f} % ({100 * se:.1f}) |", flush=True)
    if a.json:
        a.json.write_text(json.dumps(rows, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
