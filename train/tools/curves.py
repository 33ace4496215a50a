"""Training curves of one or more runs, one after another, as a PNG.

    python tools/curves.py OUT.png RUN [RUN ...]        (runs in the order of their stages; needs matplotlib)

From each run's log.jsonl: loss, learning rate, and the validation's SI-SDR, STOI and PESQ proxy beside those of its unprocessed mixtures.
Where a resumed run logged a step twice the later line counts.
"""
import json
import sys
from pathlib import Path

import numpy as np

PANELS = [("loss", "training loss", None), ("sisdr", "SI-SDR, dB", "sisdr_in"), ("stoi", "STOI", "stoi_in"), ("proxy", "PESQ proxy", "proxy_in"),
          ("rate", "learning rate", None)]


def read(run):
    """(stage, {step: training row}, {step: validation row})."""
    path = Path(run) / "log.jsonl"
    if not path.exists():
        raise ValueError(f"{path}: no such log; name the folder of a run")
    stage, training, validation = "?", {}, {}
    for line in path.read_text().splitlines():
        row = json.loads(line)
        if row.get("event") == "start":
            stage = row["stage"]
        elif row.get("event") == "validation":
            validation[row["step"]] = row
        elif "loss" in row:
            training[row["step"]] = row
    if not training and not validation:
        raise ValueError(f"{path}: holds no training yet")
    return stage, training, validation


def smooth(values, width):
    """Centred running mean, narrower at the ends."""
    width = max(1, min(width, len(values)))
    kernel = np.ones(width)
    return np.convolve(values, kernel, "same") / np.convolve(np.ones(len(values)), kernel, "same")


def series(rows, key, start):
    steps = sorted(s for s in rows if key in rows[s])
    return np.array(steps) + start, np.array([rows[s][key] for s in steps], float)


def draw_run(axes, run, start, colour):
    """Draws one run from that step on; returns the step where the next begins."""
    stage, training, validation = read(run)
    for axis, (key, _, reference) in zip(axes, PANELS):
        if reference is None:
            x, y = series(training, key, start)
            if key == "loss" and len(y):
                axis.plot(x, y, color=colour, alpha=0.25, linewidth=0.8)
                y = smooth(y, 9)
            axis.plot(x, y, color=colour, label=f"stage {stage}")
        else:
            x, y = series(validation, key, start)
            axis.plot(x, y, color=colour, marker="o", markersize=2.5)
            axis.plot(*series(validation, reference, start), color="0.55", linestyle="--", linewidth=1)
    end = start + max([*training, *validation])
    for axis in axes:
        axis.axvline(end, color="0.85", linewidth=0.8, zorder=0)
    return end


def main(argv):
    if len(argv) < 2:
        print(__doc__, file=sys.stderr)
        return 2
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    fig, grid = plt.subplots(2, 3, figsize=(10, 5), dpi=110, facecolor="white", layout="constrained")
    axes, start = grid.flat[:5], 0
    try:
        for i, run in enumerate(argv[1:]):
            start = draw_run(axes, run, start, f"C{i}")
    except ValueError as e:
        print(f"curves: {e}", file=sys.stderr)
        return 2
    for axis, (key, title, reference) in zip(axes, PANELS):
        axis.set_title(title + (", validation" if reference else ""), fontsize=10)
        axis.set_xlabel("step", fontsize=8)
        axis.tick_params(labelsize=8)
        axis.grid(color="0.93")
    axes[4].set_yscale("log")
    legend = grid.flat[5]
    legend.axis("off")
    handles, labels = axes[0].get_legend_handles_labels()
    handles.append(plt.Line2D([], [], color="0.55", linestyle="--", linewidth=1))
    legend.legend(handles, [*labels, "unprocessed mixtures"], loc="center", frameon=False)
    fig.savefig(argv[0])
    print(f"{argv[0]}: {Path(argv[0]).stat().st_size / 1000:.0f} kB, {start} steps of {len(argv) - 1} runs")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
