"""Before, after and clean as spectrograms, for the README, from an example that is made here: espeak-ng speaks, and the noise is computed.

    python tools/spectrograms.py OUT.png SPEC [--snr DB] [--text TEXT]        (needs matplotlib, espeak-ng)

SPEC: a run or checkpoint folder, or a command with {in} and {out}, as for undertone_train.score.
"""
import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))
from undertone_train.data import RATE, active_rms, db, decode, to_int16  # noqa: E402
from undertone_train.metrics import si_sdr  # noqa: E402
from undertone_train.score import Checkpoint, Command, Failed  # noqa: E402

TEXT = "The ferry leaves at a quarter past six. Bring the letters, and meet me under the clock."
FLOOR_DB, TOP_DB = -75, 0


def speech(text):
    with tempfile.TemporaryDirectory() as d:
        path = Path(d) / "voice.wav"
        subprocess.run(["espeak-ng", "-v", "en-gb", "-s", "150", "-w", str(path), text], check=True)
        return 0.3 * decode(path)


def street(n, seed=7):
    """An engine's hum, wind that comes and goes, and clatter: nothing recorded."""
    rng, t = np.random.default_rng(seed), np.arange(n) / RATE
    phase = 2 * np.pi * np.cumsum(62 + 6 * np.sin(2 * np.pi * 0.23 * t)) / RATE
    hum = sum(np.sin(k * phase + k) / k for k in range(1, 12))
    spectrum = np.fft.rfft(rng.standard_normal(n))
    f = np.fft.rfftfreq(n, 1 / RATE)
    wind = np.fft.irfft(spectrum / (1 + (f / 500)) ** 0.8, n) * (1 + 0.6 * np.sin(2 * np.pi * 0.4 * t + 1))
    clatter = np.zeros(n)
    for at in rng.integers(0, n - 4000, size=max(1, n // 9000)):
        burst = rng.standard_normal(4000) * np.exp(-np.arange(4000) / 300)
        clatter[at : at + 4000] += burst * np.sin(2 * np.pi * rng.uniform(1500, 5000) * t[:4000])
    unit = lambda x: x / np.sqrt(np.mean(x**2))
    return 0.6 * unit(hum) + unit(wind) + 0.5 * unit(clatter)


def example(text, snr_db):
    """(clean, noisy), int16."""
    clean = np.pad(speech(text), RATE // 4)
    noise = street(len(clean))
    mix = clean + noise * (active_rms(clean) / np.sqrt(np.mean(noise**2)) / db(snr_db))
    gain = min(1, 0.95 / np.abs(mix).max())
    return to_int16(clean * gain), to_int16(mix * gain)


def spectrogram(wave, n=512, hop=96):
    frames = np.lib.stride_tricks.sliding_window_view(wave.astype(float) / 32768, n)[::hop] * np.hanning(n)
    return 20 * np.log10(np.abs(np.fft.rfft(frames)).T + 1e-6)


def draw(path, rows, seconds):
    import io

    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
    from PIL import Image

    fig, axes = plt.subplots(len(rows), 1, figsize=(8.6, 5.6), dpi=100, sharex=True, facecolor="white", layout="constrained")
    top = max(spectrogram(w).max() for _, w in rows)
    for axis, (title, wave) in zip(axes, rows):
        image = axis.imshow(spectrogram(wave) - top, origin="lower", aspect="auto", cmap="magma", vmin=FLOOR_DB, vmax=TOP_DB,
                            extent=(0, seconds, 0, RATE / 2000), interpolation="bilinear")
        axis.set_title(title, loc="left", fontsize=10)
        axis.set_ylabel("kHz", fontsize=9)
        axis.tick_params(labelsize=8)
    axes[-1].set_xlabel("seconds", fontsize=9)
    fig.colorbar(image, ax=axes, label="dB below the loudest", pad=0.01)
    buffer = io.BytesIO()
    fig.savefig(buffer, format="png")
    Image.open(buffer).convert("RGB").quantize(64, dither=Image.Dither.NONE).save(path, optimize=True)


def main(argv=None):
    ap = argparse.ArgumentParser(prog="python tools/spectrograms.py")
    ap.add_argument("out")
    ap.add_argument("system")
    ap.add_argument("--snr", type=float, default=5)
    ap.add_argument("--text", default=TEXT)
    a = ap.parse_args(argv)
    try:
        system = Checkpoint(a.system) if Path(a.system).is_dir() else Command(a.system)
        clean, noisy = example(a.text, a.snr)
        after = system(noisy)
    except (Failed, OSError, ValueError, subprocess.CalledProcessError) as e:
        print(f"spectrograms: {e}", file=sys.stderr)
        return 2
    before_db, after_db = si_sdr(clean, noisy), si_sdr(clean, after)
    draw(a.out, [(f"before: a synthetic voice in synthetic street noise, SI-SDR {before_db:.1f} dB", noisy),
                 (f"after: SI-SDR {after_db:.1f} dB", after), ("the voice alone", clean)], len(clean) / RATE)
    print(f"{a.out}: {Path(a.out).stat().st_size / 1000:.0f} kB; SI-SDR {before_db:.2f} dB before, {after_db:.2f} dB after")
    return 0


if __name__ == "__main__":
    sys.exit(main())
