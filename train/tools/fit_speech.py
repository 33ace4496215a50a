"""Fits the speech detector: src/stage/enhance/speech_weights.inc from training data, nothing else.

    PYTHONPATH=train train/.venv/bin/python train/tools/fit_speech.py build/tools/speech_features DATA src/stage/enhance/speech_weights.inc [MUSIC_FOLDER...]

DATA is laid out as undertone_train.data.shared wants it.  Speech: blocks of 4 s, clean, with noise at 0 to 25 dB, and with music 5 to 20 dB below.
Not speech: noises and music.  Noises in which people talk are left out: they are neither.  The features come from the C code itself.
Prints figures for speakers, noises and pieces held out of a first fit, then fits all.
"""
import argparse
import re
import subprocess
import zlib
from pathlib import Path

import numpy as np

from undertone_train.data import RATE, SOUND, active_rms, db, decode, shared, to_int16

SECONDS = 4
N = SECONDS * RATE
FEATURES = ["syllables", "flutter", "together", "change", "glide", "voicing", "held", "dynamics"]
VOICES = re.compile(r"speechdnn_noises/n([1-9]|1[0-7]|8[3-9]|9[0-3])$|airport|cafe|crowd|bar|restaurant|office|supermarket|subway|carousel|church|temple|"
                    r"library|laboratory|tuning|busy-street|coffee|city|[Bb]abble|Announce|Neighbor|night-village|silence|kitchen")


def held_out(name):
    return zlib.crc32(name.encode()) % 10 < 3


def block(rng, wave):
    wave = wave.astype(np.float32)
    if len(wave) < N:
        wave = np.tile(wave, -(-N // len(wave)))
    start = rng.integers(len(wave) - N + 1)
    return wave[start : start + N]


def load(data, music):
    """{kind: {name: wave}}; at most three recordings of a speaker, in one piece."""
    rng, speech, noise, pieces = np.random.default_rng(1), {}, {}, {}
    for r in shared(data):
        if r.kind == "speech":
            speech.setdefault(r.speaker, []).append(r)
        elif r.kind == "noise" and not VOICES.search(r.speaker):
            try:
                noise[r.speaker] = decode(r.path)[: 60 * RATE]
            except ValueError as e:
                print(e)
    names = sorted(speech)
    rng.shuffle(names)
    speech = {n: np.concatenate([decode(r.path) for r in rng.permutation(np.array(speech[n], object))[:3]]) for n in names[:400]}
    for folder in music:
        for p in sorted(p for p in Path(folder).rglob("*") if p.suffix.lower() in SOUND):
            wave = decode(p)[20 * RATE : 60 * RATE]
            if len(wave) >= 10 * RATE:
                pieces[p.stem] = wave
    return {"speech": speech, "noise": {k: v for k, v in noise.items() if np.abs(v).max() > 1e-3}, "music": pieces}


def examples(bank, seed=3):
    """(int16 block, is speech, kind, held out)"""
    rng, out = np.random.default_rng(seed), []

    def add(wave, speech, kind, held):
        level = active_rms(wave)
        if level > 1e-5:
            out.append((to_int16(wave * (db(rng.uniform(-50, -16)) / level)), speech, kind, held))

    def other(kind, held):
        names = [n for n in sorted(bank[kind]) if held_out(n) == held]
        while True:
            wave = block(rng, bank[kind][names[rng.integers(len(names))]])
            rms = float(np.sqrt(np.mean(wave**2)))
            if rms > 1e-4:
                return wave / rms

    for name in sorted(bank["speech"]):
        held = held_out(name)
        wave = block(rng, bank["speech"][name])
        level = active_rms(wave)
        if level < 1e-4:
            continue
        add(wave, 1, "clean", held)
        add(wave + other("noise", held) * level / db(rng.uniform(0, 6)), 1, "noise, 0 to 6 dB", held)
        add(wave + other("noise", held) * level / db(rng.uniform(0, 25)), 1, "noise, 0 to 25 dB", held)
        if bank["music"] and rng.random() < 0.4:
            add(wave + other("music", held) * level / db(rng.uniform(5, 20)), 1, "music, 5 to 20 dB", held)
    for kind, most in (("noise", 6), ("music", 10)):
        for name in sorted(bank[kind]):
            for _ in range(min(most, max(1, len(bank[kind][name]) // N))):
                add(block(rng, bank[kind][name]), 0, "only " + kind, held_out(name))
    return out


def measure(binary, blocks):
    text = subprocess.run([binary, str(N)], input=np.concatenate(blocks).astype("<i2").tobytes(), stdout=subprocess.PIPE, check=True).stdout
    return np.array([[float(v) for v in line.split()] for line in text.decode().splitlines()])


def fit(x, y, ridge=1.0):
    """Logistic regression by Newton's method on standardised features, both classes weighing the same: weights on the features as they are, and bias."""
    mean, std = x.mean(0), x.std(0)
    a = np.c_[(x - mean) / std, np.ones(len(x))]
    w, b = np.where(y == 1, 0.5 / (y == 1).mean(), 0.5 / (y == 0).mean()), np.zeros(a.shape[1])
    penalty = np.diag([ridge] * (a.shape[1] - 1) + [0.0])
    for _ in range(50):
        p = 1 / (1 + np.exp(-a @ b))
        b -= np.linalg.solve((a * (w * p * (1 - p))[:, None]).T @ a + penalty, a.T @ (w * (p - y)) + penalty @ b)
    return np.r_[b[:-1] / std, b[-1] - (b[:-1] * mean / std).sum()]


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("binary")
    ap.add_argument("data")
    ap.add_argument("out", type=Path)
    ap.add_argument("music", nargs="*")
    a = ap.parse_args()
    ex = examples(load(a.data, a.music))
    x = measure(a.binary, [e[0] for e in ex])
    y, kind, held = (np.array([e[i] for e in ex]) for i in (1, 2, 3))
    first = fit(x[~held], y[~held])
    said = np.c_[x, np.ones(len(x))] @ first > 0
    for k in sorted(set(kind)):
        rows = [f"{said[(kind == k) & h].mean():.3f} of {((kind == k) & h).sum()}" for h in (~held, held) if ((kind == k) & h).any()]
        print(f"{k:20s} judged speech: fitted {rows[0]}" + (f", held out {rows[1]}" if len(rows) > 1 else ""))
    weights = fit(x, y)
    lines = [f"    {v:.6g}, /* {n} */" for n, v in zip(FEATURES + ["bias"], weights)]
    a.out.write_text("    /* train/tools/fit_speech.py */\n" + "\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
