"""Training pictures for the hider: one small file of crops, so that the accelerator's machine needs neither photos nor time to cut them.

    python -m undertone_train.hide.crops PHOTOS OUT.npz [--size 256] [--each 1] [--limit N]

uint8 pixels [n][3][size][size] and names [n], PHOTO.NUMBER.
"""
import argparse
import sys
import zlib

import numpy as np
import torch
from torch.nn import functional as F

from ..detect.pairs import cut, photo_of


def make(folder, out, size=256, each=1, limit=0):
    names, pixels = zip(*cut(folder, size, each, limit))
    np.savez_compressed(out, pixels=np.stack(pixels).transpose(0, 3, 1, 2), names=np.array(names))
    return len(names)


def read(path):
    try:
        with np.load(path, allow_pickle=False) as z:
            pixels, names = z["pixels"], [str(n) for n in z["names"]]
    except (KeyError, EOFError, ValueError) as e:
        raise ValueError(f"{path}: not a pack of crops ({e}); make one with undertone_train.hide.crops") from None
    if pixels.dtype != np.uint8 or pixels.ndim != 4 or pixels.shape[1] != 3 or len(names) != len(pixels) or not len(names):
        raise ValueError(f"{path}: not a pack of crops; make one with undertone_train.hide.crops")
    return pixels, names


def made_up(count=12, size=64, seed=0):
    """Smooth colours with texture: for --smoke."""
    rng = np.random.default_rng(seed)
    coarse = torch.tensor(rng.uniform(30, 225, (count, 3, size // 16, size // 16)), dtype=torch.float32)
    x = F.interpolate(coarse, size=(size, size), mode="bicubic").numpy() + rng.normal(0, 4, (count, 3, size, size))
    return np.clip(np.rint(x), 0, 255).astype(np.uint8), [f"p{i}.0" for i in range(count)]


class Crops:
    """batch(step) follows from seed and step alone, so that a resumed run goes on where it was; held-out photos are chosen by name, the same in every run."""

    def __init__(self, pixels, names, crop, holdout, seed=0):
        if crop % 8 or not 8 <= crop <= pixels.shape[-1]:
            raise ValueError(f"[data] crop is {crop}; use a multiple of 8 up to the pack's {pixels.shape[-1]}")
        held = np.array([zlib.crc32(photo_of(n).encode()) % 1000 < 1000 * holdout for n in names])
        if held.all() or not held.any():
            raise ValueError(f"[data] holdout {holdout} leaves no photos on one side of {len(names)} crops")
        self.pixels, self.crop, self.seed = pixels, crop, seed
        self.train, self.held = np.flatnonzero(~held), np.flatnonzero(held)

    def batch(self, step, count):
        """float [count][3][crop][crop]: permuted photos, random places, the eight flips and turns."""
        rng = np.random.default_rng([self.seed, step])
        n, out = len(self.train), []
        for p in range(step * count, (step + 1) * count):
            row = self.train[np.random.default_rng([self.seed, p // n, 1]).permutation(n)[p % n]]
            y, x = rng.integers(0, self.pixels.shape[-1] - self.crop + 1, 2)
            tile = np.rot90(self.pixels[row, :, y : y + self.crop, x : x + self.crop], rng.integers(4), (1, 2))
            out.append(tile[:, ::-1] if rng.integers(2) else tile)
        return torch.tensor(np.stack(out)).float()

    def validation(self, count):
        """Held-out crops, whole but for the last row of blocks' odd offset: five pixels in, so that an old JPEG grid does not help."""
        size = (self.pixels.shape[-1] - 5) // 8 * 8
        rows = self.held[np.linspace(0, len(self.held) - 1, min(count, len(self.held))).astype(int)]
        return torch.tensor(self.pixels[rows][:, :, 5 : 5 + size, 5 : 5 + size]).float()


def main(argv=None):
    ap = argparse.ArgumentParser(prog="python -m undertone_train.hide.crops")
    ap.add_argument("photos")
    ap.add_argument("out")
    ap.add_argument("--size", type=int, default=256)
    ap.add_argument("--each", type=int, default=1)
    ap.add_argument("--limit", type=int, default=0)
    a = ap.parse_args(argv)
    try:
        print(f"{make(a.photos, a.out, a.size, a.each, a.limit)} crops")
    except (ValueError, OSError) as e:
        print(f"crops: {e}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
