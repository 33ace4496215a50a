#!/usr/bin/env python3
"""Makes tests/vectors/audio/stoi.txt: STOI by PyPI's pystoi, SI-SDR by its formula, on sounds that
tests/unit/test_audio.c makes again from the same integer recipe.  Needs numpy, pystoi.
Usage: tools/gen_stoi_vectors.py > tests/vectors/audio/stoi.txt"""
import numpy as np
from pystoi import stoi

M64 = (1 << 64) - 1


class Rand:  # xorshift64*, as in tests/check.h
    def __init__(self, seed):
        self.s = seed

    def __call__(self):
        s = self.s
        s ^= s >> 12
        s = (s ^ s << 25) & M64
        s ^= s >> 27
        self.s = s
        return (s * 2685821657736338717 & M64) >> 32


def sounds(n, seed, noise):
    """Integer only: a sawtooth whose pitch steps, gated like syllables, through a moving average; plus white noise."""
    r = Rand(seed)
    ref, deg = np.zeros(n, np.int16), np.zeros(n, np.int16)
    phase, gate, pitch, last = 0, 0, 100, 0
    for i in range(n):
        if i % 2000 == 0:
            gate = r() % 4 * 4000
            pitch = 90 + r() % 160
        if i % 16000 >= 13000:
            gate = 0
        phase = (phase + pitch * 4096) % (16000 * 4096)
        saw = phase // (16000 * 4096 // 256) - 128
        hiss = r() % 64 - 32
        last = (3 * last + (saw * gate + hiss * gate // 2) // 128 * 4) // 7
        ref[i] = max(-32768, min(32767, last * 8))
        deg[i] = max(-32768, min(32767, int(ref[i]) * 3 // 4 + (r() % (2 * noise + 1) - noise)))
    return ref, deg


def si_sdr(s, x):
    s, x = s.astype(float) - s.mean(), x.astype(float) - x.mean()
    t = (s @ x) / (s @ s) * s
    return 10 * np.log10((t @ t) / ((x - t) @ (x - t)))


print("# samples seed noise stoi si_sdr_db")
for n, seed, noise in [(32000, 1, 10), (32000, 2, 300), (48000, 3, 1500), (48001, 4, 6000), (20000, 5, 20000)]:
    ref, deg = sounds(n, seed, noise)
    print(n, seed, noise, "%.9f %.9f" % (stoi(ref / 32768, deg / 32768, 16000), si_sdr(ref, deg)))
