"""How well can trained detectors tell our pictures from untouched ones?  One command:

    python -m undertone_train.detect.judge PHOTOS --program build/undertone --work DIR --out results.json [--keep DIR]

Cuts tiles, hides random bytes in them with the program, writes covers the same way without a message, sends both through the channel, takes features,
trains detectors afresh in folds that never share a photo, and prints P_E.  A detector knows program, channel and rate, not the key, and has only these
photos to learn from: a better-fed one may see more.  Each finished tile is kept in --work, so the same command goes on after an interruption.
"""
import argparse
import json
import sys
import time
import zlib
from pathlib import Path

import numpy as np
from PIL import Image

from . import dctr, rich
from .controls import change_coefficients, lsb_replacement
from .fld import Ensemble
from .pairs import Program, cut, folds, load, photo_of
from .pe import error_at, interval, p_e

SENT = "as sent"
LSB_RATES, AC_SHARE = (0.1, 0.4), 0.1
KINDS = {"dctr": ("dctr",), "rich": ("rich",), "both": ("dctr", "rich")}


def quality(view):
    """The quality of a view that is a JPEG file, else None."""
    return float(view.split(":")[1]) if view.startswith("jpeg:") and view[5:].isdigit() else None


def features(luma, planes, view):
    return {"dctr": dctr.features(luma, dctr.step(quality(view))), "rich": rich.features(planes)}


class Maker:
    """Makes every version of one tile and takes its features: {(version, view): {kind: vector}}."""

    def __init__(self, program, channels, payloads, work, keep, seed):
        self.program, self.channels, self.payloads, self.work, self.keep, self.seed = program, channels, payloads, Path(work), keep, seed

    def make(self, name, tile):
        self.rng = np.random.default_rng([self.seed, zlib.crc32(name.encode())])
        self.name, self.found, self.reports = name, {}, {}
        plain, cover = self.work / "tile.png", self.work / "cover.png"
        Image.fromarray(tile).save(plain)
        self.program.through(plain, "png", cover)  # covers go through the program's own writer too
        self._views(cover, "cover", self.channels)
        if name.endswith(".0"):
            self._controls(tile)
            for channel in self.channels:
                for rate in self.payloads:
                    stego = self.work / "stego.png"
                    report = self.program.hide_rate(cover, rate, channel, stego, self.rng)
                    if report is not None:
                        version = f"{channel}@{rate}"
                        self.reports[version] = {k: report[k] for k in ("net_bpp", "psnr_db")}
                        self._views(stego, version, [channel])
        return self.found, self.reports

    def _views(self, path, version, channels):
        self._take(path, version, SENT)
        for channel in channels:
            out = self.work / "received"
            self.program.through(path, channel, out)
            self._take(out, version, channel)

    def _take(self, path, version, view):
        luma, planes = load(path)
        self.found[version, view] = features(luma, planes, view)
        if self.keep:
            with Image.open(path) as im:
                suffix = {"JPEG": "jpg"}.get(im.format, im.format.lower())
            folder = Path(self.keep) / view.replace(" ", "-") / version
            folder.mkdir(parents=True, exist_ok=True)
            (folder / f"{self.name}.{suffix}").write_bytes(Path(path).read_bytes())
        return luma, planes

    def _controls(self, tile):
        for rate in LSB_RATES:
            planes = lsb_replacement(tile, rate, self.rng)
            self.found[f"LSB replacement@{rate}", SENT] = features(planes @ np.array([0.299, 0.587, 0.114], np.float32), planes.transpose(2, 0, 1), SENT)
        for channel in self.channels:
            if quality(channel) is None:
                continue
            self.program.through(self.work / "cover.png", channel, self.work / "received")
            with Image.open(self.work / "received") as im:
                im.draft("YCbCr", None)
                table = np.array(im.quantization[0], np.float64).reshape(8, 8)
                ycc = np.asarray(im)
            for share in (0, AC_SHARE):
                changed = np.dstack([change_coefficients(ycc[..., 0], table, share, self.rng), ycc[..., 1:]])
                rgb = np.asarray(Image.fromarray(changed, "YCbCr").convert("RGB"))
                self.found[f"AC changes@{share}", channel] = features(changed[..., 0], rgb.transpose(2, 0, 1), channel)


def collect(maker, source, say):
    """source yields (name, tile) -> (names, {(version, view): {kind: {name: vector}}}, {version: [reports]}); from the work folder where it has them."""
    table, reports, names, started = {}, {}, [], time.monotonic()
    settings = json.dumps([maker.channels, maker.payloads, maker.program.keys, maker.seed])
    for name, tile in source:
        path = maker.work / f"{name}.npz"
        if path.exists():
            with np.load(path, allow_pickle=False) as z:
                data = {k: z[k] for k in z.files}
            if str(data.pop("settings")) != settings:
                raise ValueError(f"{path}: made with other settings; choose another --work")
        else:
            found, made = maker.make(name, tile)
            data = {"|".join((*key, kind)): v for key, kinds in found.items() for kind, v in kinds.items()}
            data["reports"] = np.array(json.dumps(made))
            np.savez(maker.work / "new.npz", settings=np.array(settings), **data)
            (maker.work / "new.npz").rename(path)
        names.append(name)
        for version, report in json.loads(str(data.pop("reports"))).items():
            reports.setdefault(version, []).append(report)
        for key, v in data.items():
            version, view, kind = key.split("|")
            table.setdefault((version, view), {}).setdefault(kind, {})[name] = v
        if len(names) % 50 == 0:
            say(f"{len(names)} tiles, {time.monotonic() - started:.0f} s")
    return names, table, reports


def trees(seed):
    """Boosted trees of scikit-learn, if it is there; scores like Ensemble's."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    class Trees:
        oob_error = None

        def fit(self, cover, stego, groups):
            self.model = HistGradientBoostingClassifier(max_iter=80, max_depth=3, learning_rate=0.1, max_features=0.05, max_bins=32, random_state=seed)
            self.model.fit(np.concatenate([cover, stego]), np.repeat([0, 1], len(cover)))
            return self

        def score(self, x):
            return self.model.predict_proba(x)[:, 1]

    return Trees()


def cross_validate(cover, stego, names, count, fresh, seed=0):
    """Each tile is scored by a detector that saw nothing of its photo: (scores of cover, of stego)."""
    fold, groups = folds(names, count, seed), np.array([photo_of(n) for n in names])
    scores = np.zeros((2, len(names)))
    for k in range(count):
        held = fold == k
        detector = fresh().fit(cover[~held], stego[~held], groups[~held])
        scores[0, held], scores[1, held] = detector.score(cover[held]), detector.score(stego[held])
    return scores, groups


def judge(cover, stego, names, count, detector, seed=0, draws=1000):
    """cover, stego {kind: [n][d]}; detector such as "rich fld" -> a row of results."""
    kinds, classifier = detector.split()
    c, s = (np.concatenate([x[k] for k in KINDS[kinds]], axis=1) for x in (cover, stego))
    fresh = (lambda: Ensemble(seed=seed)) if classifier == "fld" else (lambda: trees(seed))
    scores, groups = cross_validate(c, s, names, count, fresh, seed)
    low, high = interval(*scores, groups, p_e, draws)
    fixed_low, fixed_high = interval(*scores, groups, error_at, draws)
    return dict(detector=detector, pairs=len(names), p_e=p_e(*scores), p_e_low=low, p_e_high=high,
                fixed=error_at(*scores), fixed_low=fixed_low, fixed_high=fixed_high)


def comparisons(table, channels, payloads):
    """Yields (what, channel, view, rate, cover version and stego version) in the order of the report; None for the stego version: cover against cover."""
    for view in (SENT, *channels):
        yield "cover against cover", view, view, 0, "cover", None
    for rate in LSB_RATES:
        yield "LSB replacement", SENT, SENT, rate, "cover", f"LSB replacement@{rate}"
    for channel in channels:
        if ("AC changes@0", channel) in table:
            yield "AC changes", channel, channel, AC_SHARE, "AC changes@0", f"AC changes@{AC_SHARE}"
    for channel in channels:
        for view in (SENT, channel):
            for rate in payloads:
                yield "undertone", channel, view, rate, "cover", f"{channel}@{rate}"


def pairs_of(table, view, cover, stego, seed):
    """-> (names, cover {kind: [n][d]}, stego).  Cover against cover: tiles 0 and 1 of a photo, which of them plays the stego picture drawn at random."""
    a = table.get((cover, view), {})
    b = a if stego is None else table.get((stego, view), {})
    if not a or not b:
        return [], {}, {}
    have, theirs = next(iter(a.values())), next(iter(b.values()))
    names = sorted(n for n in have if n.endswith(".0") and (photo_of(n) + ".1" in have if stego is None else n in theirs))
    if stego is None:
        flip = np.random.default_rng(seed).integers(0, 2, len(names))
        mine = [photo_of(n) + f".{f}" for n, f in zip(names, flip)]
        other = [photo_of(n) + f".{1 - f}" for n, f in zip(names, flip)]
    else:
        mine = other = names
    return names, {k: np.stack([a[k][n] for n in mine]) for k in a}, {k: np.stack([b[k][n] for n in other]) for k in b}


def report(rows):
    """Markdown, one line for each comparison and detector."""
    lines = ["| hiding | channel | picture seen | bit/pixel | pairs | PSNR dB | detector | P_E (95 %) | error at fixed threshold (95 %) |", "|" + "---|" * 9]
    for r in rows:
        psnr = f"{r['psnr_db']:.1f}" if r["psnr_db"] is not None else ""
        rate = f"{r['net_bpp']:.3f}" if r["net_bpp"] is not None else f"{r['rate']:g}" if r["rate"] else ""
        lines.append(f"| {r['what']} | {r['channel']} | {r['view']} | {rate} | {r['pairs']} | {psnr} | {r['detector']} "
                     f"| {r['p_e']:.3f} ({r['p_e_low']:.3f} to {r['p_e_high']:.3f}) | {r['fixed']:.3f} ({r['fixed_low']:.3f} to {r['fixed_high']:.3f}) |")
    return "\n".join(lines)


def run(a, say):
    work = Path(a.work)
    work.mkdir(parents=True, exist_ok=True)
    program = Program(a.program, work, a.keys)
    maker = Maker(program, a.channels, a.payloads, work, a.keep, a.seed)
    names, table, reports = collect(maker, cut(a.photos, a.tile, 2, a.limit), say)
    if not names:
        raise ValueError(f"{a.photos}: no photo holds a tile of {a.tile} pixels")
    rows = []
    for what, channel, view, rate, cover, stego in comparisons(table, a.channels, a.payloads):
        used, c, s = pairs_of(table, view, cover, stego, a.seed)
        made = reports.get(stego, [])
        mean = {k: float(np.mean([m[k] for m in made])) if made else None for k in ("net_bpp", "psnr_db")}
        if len(used) < 2 * a.folds:
            say(f"{what} {channel} {rate}: only {len(used)} pairs; left out")
            continue
        for detector in a.detectors:
            row = dict(what=what, channel=channel, view=view, rate=rate, **mean, **judge(c, s, used, a.folds, detector, a.seed, a.draws))
            rows.append(row)
            say(f"{what}, {channel}, {view}, {rate:g}: {detector} {row['p_e']:.3f}")
    photos_used = len({photo_of(n) for n in names})
    return dict(program=program.version(), photos=photos_used, tile=a.tile, folds=a.folds, keys=a.keys, seed=a.seed, rows=rows)


def main(argv=None):
    ap = argparse.ArgumentParser(prog="python -m undertone_train.detect.judge", description="P_E of freshly trained detectors.")
    ap.add_argument("photos", help="folder of photos; each gives one tile to hide in and one more for cover against cover")
    ap.add_argument("--program", required=True)
    ap.add_argument("--work", required=True, help="folder for finished tiles")
    ap.add_argument("--out", help="results as JSON")
    ap.add_argument("--keep", help="folder that keeps the pictures as VIEW/VERSION/TILE, for networks; those of tiles already in --work are not made again")
    ap.add_argument("--channels", nargs="+", default=["jpeg:75", "webp:80"])
    ap.add_argument("--payloads", nargs="+", type=float, default=[0.02, 0.05, 0.1], help="net bit/pixel")
    ap.add_argument("--detectors", nargs="+", default=["dctr fld", "rich fld", "both fld"], choices=[f"{k} {c}" for k in KINDS for c in ("fld", "trees")])
    ap.add_argument("--keys", default="fresh", choices=["fresh", "public"])
    ap.add_argument("--tile", type=int, default=256)
    ap.add_argument("--folds", type=int, default=5)
    ap.add_argument("--limit", type=int, default=0, help="use this many photos; 0: all")
    ap.add_argument("--draws", type=int, default=1000, help="of the bootstrap")
    ap.add_argument("--seed", type=int, default=0)
    a = ap.parse_args(argv)
    try:
        results = run(a, lambda line: print(line, flush=True))
    except (ValueError, OSError) as e:
        print(f"undertone_train: {e}", file=sys.stderr)
        return 2
    print(report(results["rows"]))
    if a.out:
        Path(a.out).write_text(json.dumps(results, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
