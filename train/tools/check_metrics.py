"""Compares the PESQ proxy and our STOI with the `pesq` and `pystoi` packages over a folder of clean/ and noisy/ pairs, and four blends of each.

    python tools/check_metrics.py FOLDER [NAME=RUN ...]        (development only: the pesq package's C code may be run, not shipped)

With runs, their outputs for the noisy files are compared too.  A network that was trained on the proxy may learn to please it: then the proxy's bias on
the network's outputs exceeds that on other signals of the same true PESQ, and its gain exceeds the true gain.
"""
import sys
from pathlib import Path

import numpy as np
import torch
from scipy.stats import spearmanr

sys.path.insert(0, str(Path(__file__).parents[1]))
from undertone_train import metrics  # noqa: E402
from undertone_train.data import decode, to_int16  # noqa: E402
from undertone_train.losses import PesqProxy, Stoi  # noqa: E402
from undertone_train.score import Checkpoint  # noqa: E402


class Agreement:
    def __init__(self):
        self.proxy, self.stoi = PesqProxy(), Stoi()

    def row(self, clean, wave):
        """proxy, PESQ, our STOI, pystoi."""
        from pystoi import stoi

        y, x = torch.tensor(wave)[None], torch.tensor(clean)[None]
        with torch.no_grad():
            return self.proxy(y, x)[0].item(), metrics.wb_pesq(clean, wave)[0], self.stoi(y, x).item(), stoi(clean, wave, metrics.RATE)


def say(name, rows):
    p, q, s, t = np.array(rows).T
    print(f"{name}: {len(p)} signals; PESQ proxy: Pearson {np.corrcoef(p, q)[0, 1]:.3f}, Spearman {spearmanr(p, q)[0]:.3f}, bias {np.mean(p - q):+.2f} "
          f"(spread {np.std(p - q):.2f}); STOI: greatest difference {np.abs(s - t).max():.4f}")


def say_exploited(name, rows, noisy, others):
    """The proxy's bias on a network's outputs against what it has on unenhanced signals of the same true PESQ."""
    p, q = np.array(rows).T[:2]
    op, oq = np.array(others).T[:2]
    expected = np.polyval(np.polyfit(oq, op - oq, 2), q)
    n = np.array(noisy).T
    print(f"{name}: proxy's gain over noisy {np.mean(p - n[0]):+.2f}, true gain {np.mean(q - n[1]):+.2f}; "
          f"proxy above what unenhanced signals of that PESQ get: {np.mean(p - q - expected):+.2f}")


def main(folder, runs):
    torch.set_num_threads(1)
    agreement, blends, pairs = Agreement(), {}, []
    for path in sorted(Path(folder, "clean").iterdir()):
        clean, noisy = (decode(Path(folder, d, path.name)) for d in ("clean", "noisy"))
        n = min(len(clean), len(noisy))
        pairs.append((clean[:n], noisy[:n]))
        for share in (0.0, 0.5, 0.8, 0.95):
            blends.setdefault(share, []).append(agreement.row(clean[:n], share * clean[:n] + (1 - share) * noisy[:n]))
    everything = [r for rows in blends.values() for r in rows]
    say("noisy and blends", everything)
    for given in runs:
        name, _, spec = given.partition("=")
        system = Checkpoint(spec or name)
        rows = [agreement.row(c, system(to_int16(n)).astype(np.float32) / 32768) for c, n in pairs]
        say(name, rows)
        say_exploited(name, rows, blends[0.0], everything)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
