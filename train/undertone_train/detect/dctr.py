"""Phase-aware histograms of DCT residuals: where a picture once met a JPEG grid, and whether something moved there.

V. Holub, J. Fridrich, "Low-complexity features for JPEG steganalysis using undecimated DCT", IEEE TIFS 10(2), 2015: filter the decompressed luma with
the 64 patterns of the 8x8 DCT at every pixel, quantise the magnitudes with step q, and count them separately for each position of the window on the
8x8 grid.  Positions that mirror one another are merged (64 to 25), as there.  Here patterns (k,l) and (l,k) are merged as well (64 to 36), which makes
the features equal for all eight flips and turns, and smaller: 36 x 25 x (t + 1), 4,500 for t = 4.

The magnitudes come from 8-bit luma, not from a decoder's unrounded output.
"""
import numpy as np

PATTERNS = [(k, l) for k in range(8) for l in range(k, 8)]


def dct_matrix():
    """[8][8], orthonormal: row k is the cosine of frequency k."""
    k, x = np.mgrid[:8, :8]
    d = np.cos(np.pi * k * (2 * x + 1) / 16) / 2
    d[0] /= np.sqrt(2)
    return d.astype(np.float32)


def _fold(n):
    """Classes 0..4 of window offsets 0..n-1: offsets o and 8-o mirror one another."""
    o = np.arange(n) % 8
    return np.minimum(o, 8 - o)


def step(quality):
    """The paper's quantiser: 4 at quality 75, finer for better pictures; None is a picture that no codec touched last."""
    return 1.0 if quality is None else max(8 * (2 - quality / 50), 0.5)


def features(luma, q=4.0, t=4):
    """luma [h][w] (0 to 255, the grid starting at its corner) -> float32 [36 x 25 x (t+1)]; the five counts of each (pattern, class) sum to 1
    (to 0 where a picture is too small to show the class)."""
    luma = np.asarray(luma, np.float32)
    d, h, w = dct_matrix(), luma.shape[0] - 7, luma.shape[1] - 7
    rows = np.stack([luma[i:i + h] for i in range(8)])  # [8][h][W]
    down = np.tensordot(d, rows, 1)  # [k][h][W]
    place = (5 * _fold(h)[:, None] + _fold(w)[None]) * (t + 1)  # [h][w]
    hist = np.zeros((8, 8, 25, t + 1))
    for k in range(8):
        across = np.stack([down[k][:, i:i + w] for i in range(8)])
        for l, u in enumerate(np.tensordot(d, across, 1)):
            # the small constant keeps exact ties of mirrored sums on one side
            level = np.minimum(np.abs(u) / q + 0.5 - 1e-4, t).astype(np.int64)
            hist[k, l] = np.bincount((place + level).ravel(), minlength=25 * (t + 1)).reshape(25, t + 1)
    # merged with the transposed pattern, whose classes are transposed too
    mirrored = hist.reshape(8, 8, 5, 5, t + 1).transpose(1, 0, 3, 2, 4).reshape(hist.shape)
    both = np.stack([(hist + mirrored)[k, l] for k, l in PATTERNS])
    return (both / np.maximum(both.sum(-1, keepdims=True), 1)).astype(np.float32).ravel()
