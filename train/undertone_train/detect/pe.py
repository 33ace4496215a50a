"""The detection error P_E = min over thresholds of (P_FA + P_MD) / 2, covers and stego pictures equally likely: 0.5 is guessing, 0 is certainty."""
import numpy as np


def p_e(cover, stego):
    """Scores (higher: more likely stego) -> P_E over all thresholds, those that say all or nothing included, so never above 0.5."""
    cover, stego = np.sort(cover), np.sort(stego)
    t = np.unique(np.concatenate([cover, stego]))
    false_alarm = 1 - np.searchsorted(cover, t, side="right") / len(cover)
    missed = np.searchsorted(stego, t, side="right") / len(stego)
    return float(min(0.5, ((false_alarm + missed) / 2).min()))


def error_at(cover, stego, threshold=0.5):
    """(P_FA + P_MD) / 2 at a threshold fixed before these scores were seen; a score on it counts half."""
    above = [np.mean(np.asarray(s) > threshold) + 0.5 * np.mean(np.asarray(s) == threshold) for s in (cover, stego)]
    return float((above[0] + 1 - above[1]) / 2)


def interval(cover, stego, groups, statistic=p_e, draws=1000, level=0.95, seed=0):
    """Bootstrap over photos, all tiles of a photo together: (low, high).

    The minimum over thresholds is taken anew in each draw, and leans low when there is little to find; error_at does not.
    """
    names, which = np.unique(groups, return_inverse=True)
    rows = [np.flatnonzero(which == i) for i in range(len(names))]
    rng = np.random.default_rng(seed)
    cover, stego = np.asarray(cover), np.asarray(stego)
    values = []
    for _ in range(draws):
        take = np.concatenate([rows[i] for i in rng.integers(len(names), size=len(names))])
        values.append(statistic(cover[take], stego[take]))
    return tuple(float(v) for v in np.quantile(values, [(1 - level) / 2, (1 + level) / 2]))
