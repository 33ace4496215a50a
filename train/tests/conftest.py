import numpy as np
import pytest
import soundfile
import torch

torch.set_num_threads(1)
RATE = 16000


def voice(seconds, seed, pitch_hz=None):
    """A made-up voice: harmonics of a wandering pitch, syllables of about a quarter second, pauses; float32, peak 0.5."""
    rng = np.random.default_rng(seed)
    n = int(seconds * RATE)
    t = np.arange(n) / RATE
    f0 = (pitch_hz or rng.uniform(90, 220)) * (1 + 0.1 * np.sin(2 * np.pi * rng.uniform(0.5, 2) * t))
    phase = 2 * np.pi * np.cumsum(f0) / RATE
    formants = rng.uniform([300, 900, 2200], [800, 1800, 3000])
    wave = np.zeros(n)
    for k in range(1, 30):
        level = sum(np.exp(-(((k * f0 - f) / 250) ** 2)) for f in formants) + 0.02
        wave += level * np.sin(k * phase)
    wave += 0.05 * rng.standard_normal(n)
    wave *= np.clip(np.sin(2 * np.pi * rng.uniform(1.5, 3) * t + rng.uniform(0, 6)), 0, 1) ** 0.5
    return (0.5 * wave / np.abs(wave).max()).astype(np.float32)


@pytest.fixture(scope="session")
def tree(tmp_path_factory):
    """A DNS-Challenge-shaped tree: 4 readers, 3 noises, 2 room responses."""
    root = tmp_path_factory.mktemp("dns")
    for name in ("clean", "noise", "rir"):
        (root / name).mkdir()
    rng = np.random.default_rng(1)
    for i in range(4):
        soundfile.write(root / "clean" / f"book_{i:05d}_chp_0001_reader_{i:05d}_0.wav", voice(4, i), RATE)
    for i in range(3):
        soundfile.write(root / "noise" / f"n{i}.wav", 0.1 * rng.standard_normal(3 * RATE), RATE)
    for i in range(2):
        h = rng.standard_normal(4000) * np.exp(-np.arange(4000) / 800) * 0.2
        h[20] = 1
        soundfile.write(root / "rir" / f"r{i}.wav", 0.5 * h, RATE)
    return root
