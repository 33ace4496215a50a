"""How often the speech detector is right about whole recordings.  A check: nothing is fitted here.

    PYTHONPATH=train train/.venv/bin/python train/tools/check_speech.py build/tools/speech_features DATA [MUSIC_FOLDER...]

Speech: the dev speakers as they are, and with each of six noises at 0, 5 and 10 dB; the noisy test files.  Not speech: the noises of DATA (the detector
was fitted on them), and pieces of music, 40 s and 10 s long.  Noises in which people talk are counted apart: they are neither.
"""
import argparse
import subprocess
from pathlib import Path

import numpy as np
from fit_speech import VOICES

from undertone_train.data import RATE, SOUND, active_rms, db, decode, shared, to_int16


def share(binary, wave):
    text = subprocess.run([binary, "whole"], input=to_int16(wave).astype("<i2").tobytes(), stdout=subprocess.PIPE, check=True).stdout.split()
    return float(text[0]), text[1] == b"1"


def row(binary, name, waves):
    got = [share(binary, w) for w in waves.values()]
    shares = np.array([g[0] for g in got])
    print(f"| {name} | {sum(g[1] for g in got)} of {len(got)} | {np.nanmin(shares):.2f} / {np.nanmedian(shares):.2f} / {np.nanmax(shares):.2f} |", flush=True)


def noisy(dev, noise, snr_db, rng):
    out, names = {}, sorted(noise)
    for speaker in sorted(dev):
        wave = dev[speaker]
        for i in rng.choice(len(names), 6, replace=False):
            n = np.tile(noise[names[i]], -(-len(wave) // len(noise[names[i]])))[: len(wave)]
            mix = wave + n * (active_rms(wave) / float(np.sqrt(np.mean(n**2))) / db(snr_db))
            out[speaker, i] = mix * min(1, 0.98 / np.abs(mix).max())
    return out


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("binary")
    ap.add_argument("data", type=Path)
    ap.add_argument("music", nargs="*", type=Path)
    a = ap.parse_args()
    noise, voices, rng = {}, {}, np.random.default_rng(7)
    for r in shared(a.data):
        if r.kind == "noise":
            try:
                wave = decode(r.path)[: 60 * RATE]
            except ValueError as e:
                print(e)
                continue
            if np.sqrt(np.mean(wave**2)) > 1e-4:
                (voices if VOICES.search(r.speaker) else noise)[r.speaker] = wave
    dev = {r.name: (w := decode(r.path)) - w.mean() for r in shared(a.data, "dev") if r.kind == "speech"}
    print("| recordings | judged speech | share of speech: least / median / greatest |\n|---|---|---|")
    row(a.binary, "dev, clean", dev)
    for snr_db in (10, 5, 0):
        row(a.binary, f"dev, noise at {snr_db} dB", noisy(dev, noise, snr_db, rng))
    row(a.binary, "test, noisy", {p.stem: decode(p) for p in sorted((a.data / "speech/test/voicebank-demand/noisy").iterdir())})
    row(a.binary, "only noise", noise)
    row(a.binary, "noise with voices in it", voices)
    for folder in a.music:
        pieces = {p.stem: decode(p)[20 * RATE : 60 * RATE] for p in sorted(folder.rglob("*")) if p.suffix.lower() in SOUND}
        pieces = {k: v for k, v in pieces.items() if len(v) >= 10 * RATE}
        row(a.binary, f"music, {folder.name}, 40 s", pieces)
        row(a.binary, f"music, {folder.name}, 10 s", {(k, i): v[i : i + 10 * RATE] for k, v in pieces.items() for i in range(0, len(v) - 10 * RATE + 1, 10 * RATE)})


if __name__ == "__main__":
    main()
