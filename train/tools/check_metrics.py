"""Compares the PESQ proxy and our STOI with the `pesq` and `pystoi` packages over a folder of clean/ and noisy/ pairs, and four blends of each.

    python tools/check_metrics.py FOLDER        (development only: the pesq package's C code may be run, not shipped)
"""
import sys
from pathlib import Path

import numpy as np
import soundfile
import torch
from pesq import pesq
from pystoi import stoi
from scipy.stats import spearmanr

sys.path.insert(0, str(Path(__file__).parents[1]))
from undertone_train.losses import PesqProxy, Stoi  # noqa: E402


def main(folder):
    torch.set_num_threads(1)
    proxy, own = PesqProxy(), Stoi()
    rows = []
    for path in sorted(Path(folder, "clean").iterdir()):
        clean, noisy = (soundfile.read(Path(folder, d, path.name), dtype="float32")[0] for d in ("clean", "noisy"))
        n = min(len(clean), len(noisy))
        for share in (0.0, 0.5, 0.8, 0.95):
            mix = share * clean[:n] + (1 - share) * noisy[:n]
            y, x = torch.tensor(mix)[None], torch.tensor(clean[:n])[None]
            rows.append((proxy(y, x)[0].item(), pesq(16000, clean[:n], mix, "wb"), own(y, x).item(), stoi(clean[:n], mix, 16000)))
    p, q, s, t = np.array(rows).T
    print(f"PESQ proxy: {len(p)} signals, Pearson {np.corrcoef(p, q)[0, 1]:.3f}, Spearman {spearmanr(p, q)[0]:.3f}, bias {np.mean(p - q):+.2f}")
    print(f"STOI: greatest difference {np.abs(s - t).max():.4f}")


if __name__ == "__main__":
    main(sys.argv[1])
