#!/usr/bin/env python3
"""How visible equal payloads are, with the networks and without: Butteraugli, SSIMULACRA and PSNR, photo by photo, and whether every bit comes back.

    bench/seen.py [--program build/undertone] [--hiders lattice,inn] [--jobs 2] [--json FILE] PHOTOS CHANNEL=BPP...
    bench/seen.py /photos whatsapp=0.3 jpeg:75-95=0.15 webp:80=0.06

Random bytes of BPP net bits a pixel are hidden by each hider in each photo, sent through the channel (a range of JPEG qualities: every whole one) and revealed. Butteraugli's 3-norm and
maximum and SSIMULACRA 1 (Debian's libjxl-devtools; less is better) compare the sent picture with the photo. Means are over the photos that all hiders manage; "better" counts
those where the hider is below the first one, ratios are means of the photos' ratios, and the worst photo is named. Needs Python's standard library alone.
"""
import argparse
import json
import math
import os
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

MEASURES = {"butteraugli 3-norm": ("butteraugli_main", r"3-norm: ([0-9.]+)"), "butteraugli": ("butteraugli_main", r"^([0-9.]+)"),
            "ssimulacra 1": ("ssimulacra_main", r"^([0-9.]+)")}


def run(*command):
    return subprocess.run([str(c) for c in command], capture_output=True, text=True)


def seen(photo, sent):
    texts = {p: run(p, photo, sent).stdout for p in {program for program, _ in MEASURES.values()}}
    return {name: float(re.search(pattern, texts[program], re.M)[1]) for name, (program, pattern) in MEASURES.items()}


def ways(channel):
    m = re.fullmatch(r"jpeg:(\d+)-(\d+)", channel)
    return [f"jpeg:{q}" for q in range(int(m[1]), int(m[2]) + 1)] if m else [channel]


def comes_back(program, sent, channel, message, folder):
    for way in ways(channel):
        arrived = folder / ("arrived.webp" if way.startswith("webp") else "arrived.jpg")
        if run(program, "channel", sent, arrived, "--through", way).returncode:
            return False
        ok = run(program, "reveal", arrived, "-o", folder / "out", "--public").returncode == 0
        if not ok or (folder / "out").read_bytes() != message:
            return False
        for f in (arrived, folder / "out"):
            f.unlink()
    return True


def covers(a, folder):
    """PNG photos as they are; JPEG photos as the program shows them, upright and 1600 pixels wide at most, so that no channel has to fit them first."""
    found = sorted(p for p in a.photos.iterdir() if p.suffix.lower() in (".png", ".jpg", ".jpeg"))[: a.limit or None]
    out = []
    for p in found:
        if p.suffix.lower() != ".png":
            png = folder / f"{p.stem}.png"
            got = run(a.program, "channel", p, png, "--through", "resize:1600")
            if got.returncode:
                print(f"seen: {p}: {got.stderr.strip()}", file=sys.stderr)
                continue
            p = png
        out.append(p)
    return out


def one(a, photo, channel, bpp, hider):
    with tempfile.TemporaryDirectory() as d:
        folder = Path(d)
        head = photo.read_bytes()[16:24]
        pixels = int.from_bytes(head[:4], "big") * int.from_bytes(head[4:], "big")
        message = os.urandom(int(bpp * pixels / 8))
        (folder / "message").write_bytes(message)
        got = run(a.program, "hide", folder / "message", photo, "-o", folder / "sent.png", "--to", channel, "--codec", "raw", "--public", "--hider", hider, "--threads", "1",
                  "--min-psnr", a.min_psnr, "--json")
        if got.returncode:
            return {"error": (got.stderr.strip() or got.stdout.strip())[-200:]}
        row = seen(photo, folder / "sent.png") | {"PSNR dB": json.loads(got.stdout)["psnr_db"]}
        row["exact"] = comes_back(a.program, folder / "sent.png", channel, message, folder)
        return row


def report(channel, bpp, hiders, table):
    """table[hider][photo] -> lines of a table."""
    both = [i for i in range(len(table[hiders[0]])) if all("error" not in table[h][i] for h in hiders)]
    mean = lambda v: sum(v) / len(v) if v else math.nan
    for h in hiders:
        rows = table[h]
        cells = [f"{sum(r.get('exact', False) for r in rows)}/{len(rows)}", f"{mean([rows[i]['PSNR dB'] for i in both]):.2f} ({min((rows[i]['PSNR dB'] for i in both), default=math.nan):.2f})"]
        for m in MEASURES:
            text = f"{mean([rows[i][m] for i in both]):.4g}"
            if h != hiders[0]:
                ratios = [rows[i][m] / table[hiders[0]][i][m] for i in both]
                worst = max(range(len(both)), key=ratios.__getitem__)
                text += f" (x{mean(ratios):.3f}; worst x{ratios[worst]:.2f}, {table['names'][both[worst]]}; better on {sum(r < 1 for r in ratios)} of {len(both)})"
            cells.append(text)
        print(f"| {channel} | {bpp} | {h} | " + " | ".join(cells) + " |", flush=True)


def main(argv=None):
    ap = argparse.ArgumentParser(description="how visible equal payloads are, with the networks and without")
    ap.add_argument("--program", default="build/undertone")
    ap.add_argument("--hiders", default="lattice,inn")
    ap.add_argument("--jobs", type=int, default=2)
    ap.add_argument("--min-psnr", default="30")
    ap.add_argument("--limit", type=int, default=0)
    ap.add_argument("--json")
    ap.add_argument("photos", type=Path)
    ap.add_argument("rows", nargs="+", metavar="CHANNEL=BPP")
    a = ap.parse_args(argv)
    folder = tempfile.TemporaryDirectory()
    photos = covers(a, Path(folder.name))
    if not photos:
        print(f"seen: no PNG or JPEG photos in {a.photos}", file=sys.stderr)
        return 2
    hiders, kept = a.hiders.split(","), []
    print("| channel | net bit/pixel | hider | exact | PSNR dB, mean (worst) | " + " | ".join(MEASURES) + " |\n" + "|---" * (5 + len(MEASURES)) + "|", flush=True)
    with ThreadPoolExecutor(a.jobs) as pool:
        for row in a.rows:
            channel, bpp = row.rsplit("=", 1)
            table = {h: list(pool.map(lambda p: one(a, p, channel, float(bpp), h), photos)) for h in hiders}
            table["names"] = [p.stem for p in photos]
            report(channel, bpp, hiders, table)
            for h in hiders:
                for p, r in zip(photos, table[h]):
                    kept.append({"channel": channel, "bpp": float(bpp), "hider": h, "photo": p.stem} | r)
                    if "error" in r:
                        print(f"seen: {p.stem}, {channel}, {h}: {r['error']}", file=sys.stderr)
    if a.json:
        Path(a.json).write_text(json.dumps(kept, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
