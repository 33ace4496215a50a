"""An ensemble of Fisher linear discriminants.

J. Kodovsky, J. Fridrich, V. Holub, "Ensemble classifiers for steganalysis of digital media", IEEE TIFS 7(2), 2012: each member sees a random choice of
features and a bootstrap of the training pairs, projects on Sw^-1 (m1 - m0), and places its threshold where it errs least; members vote.  Number of
features a member sees: by the error on pairs left out of its bootstrap.
"""
import numpy as np


def fisher(cover, stego, ridge=1e-6):
    """[n][d] each -> (w [d], threshold, error): stego where x @ w > threshold; error is (P_FA + P_MD) / 2 on these examples."""
    m0, m1 = cover.mean(0), stego.mean(0)
    a, b = cover - m0, stego - m1
    sw = (a.T @ a + b.T @ b) / max(len(cover) + len(stego) - 2, 1)
    sw[np.diag_indices_from(sw)] += ridge * max(np.trace(sw) / len(sw), 1e-12)
    w = np.linalg.solve(sw, m1 - m0)
    scores = np.concatenate([cover @ w, stego @ w])
    order = np.argsort(scores, kind="stable")
    is_stego = np.concatenate([np.zeros(len(cover)), np.ones(len(stego))])[order]
    # threshold after the i-th smallest: missed stego below it, false alarms above it
    errors = (np.cumsum(is_stego) / len(stego) + 1 - np.cumsum(1 - is_stego) / len(cover)) / 2
    s = scores[order]
    errors[:-1][s[1:] == s[:-1]] = 1  # no threshold fits between equal scores
    i = int(np.argmin(errors[:-1])) if len(s) > 1 else 0
    return w, (s[i] + s[i + 1]) / 2, errors[i]


class Ensemble:
    """fit(cover, stego, groups): row i of both is one tile, with and without a message; groups[i] names its photo."""

    def __init__(self, members=61, sizes=(50, 100, 200, 400), seed=0):
        self.members, self.sizes, self.seed = members, sizes, seed

    def fit(self, cover, stego, groups):
        both = np.concatenate([cover, stego])
        self.centre, scale = both.mean(0), both.std(0)
        self.used = np.flatnonzero(scale > 1e-9)
        if not len(self.used):
            raise ValueError("no feature varies over the training examples")
        self.scale = scale[self.used]
        c, s = self._prepare(cover), self._prepare(stego)
        best = None
        for size in sorted({min(n, len(self.used)) for n in self.sizes}):
            parts, error = self._members(c, s, np.asarray(groups), size)
            if best is None or error < best[0]:
                best = (error, size, parts)
        self.oob_error, self.size, self.parts = best
        return self

    def _prepare(self, x):
        return ((x - self.centre)[:, self.used] / self.scale).astype(np.float64)

    def _members(self, c, s, groups, size):
        rng = np.random.default_rng([self.seed, size])
        names, which = np.unique(groups, return_inverse=True)
        rows = [np.flatnonzero(which == i) for i in range(len(names))]
        parts, votes, seen = [], np.zeros((2, len(c))), np.zeros(len(c))
        for _ in range(self.members):
            pick = rng.choice(c.shape[1], size, replace=False)
            drawn = rng.integers(len(names), size=len(names))
            take = np.concatenate([rows[i] for i in drawn])
            out = np.flatnonzero(~np.isin(which, drawn))
            w, threshold, _ = fisher(c[take][:, pick], s[take][:, pick])
            parts.append((pick, w, threshold))
            seen[out] += 1
            for k, x in enumerate((c, s)):
                votes[k, out] += x[out][:, pick] @ w > threshold
        known = seen > 0
        if not known.any():
            return parts, 0.5
        share = votes[:, known] / seen[known]
        wrong = np.stack([share[0] > 0.5, share[1] < 0.5]) + 0.5 * (share == 0.5)
        return parts, wrong.mean()

    def score(self, x):
        """Share of members that vote stego: [n] in 0 to 1, decision above 0.5."""
        x = self._prepare(x)
        return np.mean([x[:, pick] @ w > threshold for pick, w, threshold in self.parts], axis=0)
