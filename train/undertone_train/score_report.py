"""Statistics over the files of a set, and tables in Markdown."""
import numpy as np

from . import metrics

BOOTSTRAP = 2000


def interval(values, seed=0):
    """95 % bootstrap interval of the mean over files."""
    values = np.asarray(values)
    picks = np.random.default_rng(seed).integers(len(values), size=(BOOTSTRAP, len(values)))
    return [float(v) for v in np.percentile(values[picks].mean(1), [2.5, 97.5])]


def summary(rows, noisy):
    """Statistics of each metric over files, and of the gain over the noisy file."""
    out = {}
    for m in metrics.NAMES:
        v, gain = np.array([r[m] for r in rows]), np.array([r[m] - n[m] for r, n in zip(rows, noisy)])
        out[m] = dict(mean=float(v.mean()), median=float(np.median(v)), p5=float(np.percentile(v, 5)), interval=interval(v), gain=float(gain.mean()),
                      gain_interval=interval(gain), worse=int((gain < -1e-6).sum()))
    return dict(files=len(rows), pesq_failed=sum(r["pesq_failed"] for r in rows), metrics=out)


def _gain(stats, digits=2):
    lo, hi = stats["gain_interval"]
    return f"{stats['gain']:+.{digits}f} ({lo:+.{digits}f} to {hi:+.{digits}f})"


def _pesq_table(rows, sums):
    yield "| system | kbit/s | WB-PESQ (95 %) | gain (95 %) | median | 5th percentile | worse |\n|---|---|---|---|---|---|---|"
    for row, s in zip(rows, sums):
        if s is None:
            yield f"| {row['system']} | | failed: {row['failed']} | | | | |"
            continue
        p, first = s["metrics"]["pesq"], row is rows[0]
        mean = f"{p['mean']:.2f} ({p['interval'][0]:.2f} to {p['interval'][1]:.2f})" + (f", {s['pesq_failed']} unscorable" if s["pesq_failed"] else "")
        cells = [row["system"], f"{row['kbps']:.1f}" if "kbps" in row else "", mean, "" if first else _gain(p), f"{p['median']:.2f}", f"{p['p5']:.2f}",
                 "" if first else str(p["worse"])]
        yield "| " + " | ".join(cells) + " |"


def _other_table(rows, sums):
    rest = [m for m in metrics.NAMES if m != "pesq"]
    yield "| system | " + " | ".join(f"{metrics.TITLES[m]} (gain, worse)" for m in rest) + " |\n" + "|---" * (1 + len(rest)) + "|"
    for row, s in zip(rows, sums):
        if s is None:
            continue
        cells = []
        for m in rest:
            v, digits = s["metrics"][m], 3 if m == "stoi" else 2
            cells.append(f"{v['mean']:.{digits}f}" + ("" if row is rows[0] else f" ({v['gain']:+.{digits}f}, {v['worse']})"))
        yield f"| {row['system']} | " + " | ".join(cells) + " |"


def tables(rows, items):
    """Markdown for each group of items: PESQ in full, then the other metrics.  rows[0] is the noisy one, that others gain over."""
    for group in dict.fromkeys(it.group for it in items):
        names = [it.name for it in items if it.group == group]
        noisy = [rows[0]["files"][n] for n in names]
        sums = [None if "failed" in row else summary([row["files"][n] for n in names], noisy) for row in rows]
        for row, s in zip(rows, sums):
            row.setdefault("groups", {})[group] = s
        yield f"\n{group}, {len(names)} files\n"
        yield from _pesq_table(rows, sums)
        yield ""
        yield from _other_table(rows, sums)
