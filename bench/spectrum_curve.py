#!/usr/bin/env python3
"""Quality over true bytes of `spectrum` and `opus`, on a folder of clean speech.  For makers; needs pesq, pystoi, soundfile.

    bench/spectrum_curve.py BUILD_DIR "GLOB" [KBPS ...]

Prints a table: asked rate; then, for each codec, the payload's kbit/s (every byte of it: heads, hash, padding), mean WB-PESQ
(the pesq package, ITU-T P.862.2), worst WB-PESQ and mean STOI, all against the codec's input.  Then the rates at which
each reaches WB-PESQ 3.0, 3.5, 3.8, 4.0 and 4.2, read off the curve by straight lines over log rate.
"""
import glob
import os
import subprocess
import sys
import tempfile

import numpy as np
import soundfile
from pesq import pesq
from pystoi import stoi

RATES = [4, 5, 6, 7.5, 9.2, 11, 12.7, 14.5, 16, 20, 24, 32]


def score(path, folder, codec):
    x, rate = soundfile.read(path, dtype="int16")
    assert rate == 16000 and x.ndim == 1, path
    y = np.fromfile(os.path.join(folder, os.path.basename(path) + f".{codec}.s16"), np.int16)
    x, y = x / 32768.0, y / 32768.0
    return pesq(16000, x, y, "wb"), stoi(x, y, 16000)


def measure(build, files, codec, kbps):
    with tempfile.TemporaryDirectory() as folder:
        text = subprocess.run([f"{build}/tools/payload_wave", codec, str(kbps), *files], env={**os.environ, "OUT": folder},
                              capture_output=True, text=True, check=True).stdout
        sizes = np.array([[float(v) for v in line.split()[-2:]] for line in text.splitlines()])
        scores = np.array([score(f, folder, codec) for f in files])
    return sizes[:, 0].sum() * 8 / sizes[:, 1].sum() / 1000, scores[:, 0].mean(), scores[:, 0].min(), scores[:, 1].mean()


def reach(rows, target):
    rows = sorted(rows)
    for (r0, p0, *_), (r1, p1, *_) in zip(rows, rows[1:]):
        if p0 < target <= p1:
            return f"{np.exp(np.interp(target, [p0, p1], np.log([r0, r1]))):.1f}"
    return "-"


def main():
    build, files = sys.argv[1], sorted(glob.glob(sys.argv[2]))
    rates = [float(v) for v in sys.argv[3:]] or RATES
    rows = {"opus": [], "spectrum": []}
    print(f"{len(files)} files\n| asked | opus kbit/s | WB-PESQ (worst) | STOI | spectrum kbit/s | WB-PESQ (worst) | STOI |\n|---|---|---|---|---|---|---|")
    for kbps in rates:
        line = f"| {kbps:g} |"
        for codec in rows:
            if codec == "opus" and not 5 <= kbps <= 40:
                line += " | | |"
                continue
            rows[codec].append(measure(build, files, codec, kbps))
            line += " {:.2f} | {:.2f} ({:.2f}) | {:.3f} |".format(*rows[codec][-1])
        print(line, flush=True)
    print("\n| WB-PESQ | opus | spectrum |\n|---|---|---|")
    for target in (3.0, 3.5, 3.8, 4.0, 4.2):
        print(f"| {target} | {reach(rows['opus'], target)} | {reach(rows['spectrum'], target)} | kbit/s")


if __name__ == "__main__":
    main()
