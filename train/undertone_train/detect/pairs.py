"""Pairs of pictures for a detector: tiles of photos, the program that hides in them, and splits that never share a photo.

    python -m undertone_train.detect.pairs COVERS STEGO OUT.npz [--rgb]

packs two folders of equally named pictures (judge --keep leaves such) for training on a machine that has no image library: uint8 cover and stego
[n][c][h][w], and names [n].
"""
import argparse
import json
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
from PIL import Image

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".bmp")
LUMA = np.array([0.299, 0.587, 0.114], np.float32)


def photos(folder):
    found = sorted(p for p in Path(folder).iterdir() if p.suffix.lower() in SUFFIXES)
    if not found:
        raise ValueError(f"{folder}: no photos in this folder")
    return found


def photo_of(tile):
    """Tile names are PHOTO.NUMBER; everything of one photo stays on one side of a split."""
    return tile.rsplit(".", 1)[0]


def tiles(picture, size, count, seed):
    """picture uint8 [h][w][3] -> up to count tiles that do not overlap, at multiples of 8, so that the tile keeps the grid of a JPEG photo."""
    size = size // 8 * 8
    h, w = picture.shape[:2]
    spots = [(y * size, x * size) for y in range(h // size) for x in range(w // size)]
    # the same shift for all, so that tiles are not always the photo's corner
    rng = np.random.default_rng(seed)
    dy, dx = (int(rng.integers((n % size) // 8 + 1)) * 8 for n in (h, w))
    chosen = rng.permutation(len(spots))[:count]
    return [picture[spots[i][0] + dy:, spots[i][1] + dx:][:size, :size] for i in chosen]


def cut(folder, size, count, limit=0):
    """Yields (tile name, uint8 [size][size][3]): up to count tiles of every photo, in a fixed random order, so that limit takes a fair sample."""
    used = 0
    for path in sorted(photos(folder), key=lambda p: zlib.crc32(p.stem.encode())):
        with Image.open(path) as im:
            picture = np.asarray(im.convert("RGB"))
        found = tiles(picture, size, count, zlib.crc32(path.stem.encode()))
        if not found:
            continue
        for i, tile in enumerate(found):
            yield f"{path.stem}.{i}", tile
        used += 1
        if used == limit:
            return


def folds(names, count, seed=0):
    """Fold of each tile, [n] in 0..count-1: photos are dealt out at random, tiles follow their photo."""
    all_photos = np.unique([photo_of(n) for n in names])
    if len(all_photos) < count:
        raise ValueError(f"{len(all_photos)} photos do not fill {count} folds")
    order = np.random.default_rng(seed).permutation(len(all_photos))
    fold = {str(all_photos[p]): i % count for i, p in enumerate(order)}
    return np.array([fold[photo_of(n)] for n in names])


def load(path):
    """-> (luma float32 [h][w], planes uint8 [3][h][w]).  A JPEG's luma is its own Y plane, never turned into RGB and back."""
    with Image.open(path) as im:
        if im.format == "JPEG":
            im.draft("YCbCr", None)
            y = np.asarray(im)[..., 0].astype(np.float32)
            return y, np.asarray(im.convert("RGB")).transpose(2, 0, 1)
        rgb = np.asarray(im.convert("RGB"))
    return rgb.astype(np.float32) @ LUMA, rgb.transpose(2, 0, 1)


class Program:
    """The undertone command.  Messages are random bytes; each picture has a fresh key unless keys is "public"."""

    def __init__(self, path, work, keys="fresh"):
        self.path, self.work, self.keys, self.overhead = str(path), Path(work), keys, None
        if keys not in ("fresh", "public"):
            raise ValueError(f"keys are {keys!r}; use fresh or public")

    def _run(self, *arguments):
        return subprocess.run([self.path, *map(str, arguments)], capture_output=True, text=True)

    def version(self):
        return self._run("--version").stdout.strip().splitlines()[0]

    def through(self, source, channel, out):
        done = self._run("channel", source, out, "--through", channel, "-q")
        if done.returncode:
            raise ValueError(f"{source}: {done.stderr.strip()}")

    def hide(self, cover, message, channel, out):
        """-> its JSON report, or None where the message does not fit (exit status 4)."""
        voice, key = self.work / "m.bin", self.work / "m.key"
        voice.write_bytes(message)
        secret = ["--public"]
        if self.keys == "fresh":
            key.unlink(missing_ok=True)
            self._run("keygen", "-o", key, "-q")
            secret = ["--key-file", key]
        done = self._run("hide", voice, cover, "-o", out, "--codec", "raw", "--to", channel, *secret, "--threads", 1, "--json")
        if done.returncode == 4:
            return None
        if done.returncode:
            raise ValueError(f"hiding {len(message)} bytes in {cover} for {channel}: {done.stderr.strip() or done.stdout.strip()}")
        return json.loads(done.stdout)

    def hide_rate(self, cover, rate, channel, out, rng):
        """Random bytes for a net rate in bit/pixel: the payload, that is message and its own header, before sealing and error correction."""
        with Image.open(cover) as im:
            target = round(rate * im.width * im.height / 8)
        if self.overhead is None:
            report = self.hide(cover, rng.bytes(64), "png", out)
            if report is None:
                raise ValueError(f"{cover}: too small for 64 bytes")
            self.overhead = report["payload_bytes"] - 64
        if target <= self.overhead:
            raise ValueError(f"{rate} bit/pixel of {cover} is {target} bytes; the header alone is {self.overhead}")
        return self.hide(cover, rng.bytes(target - self.overhead), channel, out)


def read_pack(path):
    """-> (cover, stego uint8 [n][c][h][w], names [n])."""
    with np.load(path, allow_pickle=False) as z:
        missing = {"cover", "stego", "names"} - set(z.files)
        if missing:
            raise ValueError(f"{path}: lacks {sorted(missing)}; packs are made by undertone_train.detect.pairs")
        cover, stego, names = z["cover"], z["stego"], z["names"]
    if cover.shape != stego.shape or cover.ndim != 4 or len(names) != len(cover) or cover.dtype != np.uint8 or stego.dtype != np.uint8:
        raise ValueError(f"{path}: cover {cover.shape} and stego {stego.shape} are not pairs of pictures")
    return cover, stego, [str(n) for n in names]


def pack(covers, stego, out, rgb=False):
    theirs = {p.stem: p for p in photos(stego)}
    both = [(p, theirs[p.stem]) for p in photos(covers) if p.stem in theirs]
    if not both:
        raise ValueError(f"{covers} and {stego} share no names")

    def pixels(path):
        luma, planes = load(path)
        return planes if rgb else np.clip(np.rint(luma), 0, 255).astype(np.uint8)[None]

    stacks = [np.stack([pixels(pair[i]) for pair in both]) for i in range(2)]
    np.savez_compressed(out, cover=stacks[0], stego=stacks[1], names=np.array([p.stem for p, _ in both]))
    return len(both)


def main(argv=None):
    ap = argparse.ArgumentParser(prog="python -m undertone_train.detect.pairs")
    ap.add_argument("covers")
    ap.add_argument("stego")
    ap.add_argument("out")
    ap.add_argument("--rgb", action="store_true", help="three colours instead of luma")
    a = ap.parse_args(argv)
    try:
        n = pack(a.covers, a.stego, a.out, a.rgb)
    except (ValueError, OSError) as e:
        print(f"undertone_train: {e}", file=sys.stderr)
        return 2
    print(f"{a.out}: {n} pairs, {Path(a.out).stat().st_size} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
