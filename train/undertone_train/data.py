"""Corpora, and mixtures made on the fly.

A corpus layout is a function root -> list of `Recording`.  `Bank` holds decoded sound as 16 kHz int16 in memory (10 hours are 1.15 GB),
shared by forked loader processes.  `Mixer.example(i)` depends on (seed, i) alone: not on worker, rank or order.
"""
import io
import re
from dataclasses import dataclass, field, fields
from pathlib import Path

import numpy as np
import soundfile

RATE = 16000
SOUND = {".wav", ".flac", ".opus", ".ogg", ".mp3"}


@dataclass
class Recording:
    kind: str  # speech, noise or rir
    speaker: str  # who talks; for other kinds the file's own name
    name: str
    path: Path
    minus: Path = None  # sound to subtract: the clean twin of a noisy file leaves its noise


def decode(source):
    """Path or bytes -> 16 kHz mono float32.  The first channel: mixing channels down would comb-filter."""
    try:
        data, rate = soundfile.read(io.BytesIO(source) if isinstance(source, bytes) else str(source), dtype="float32", always_2d=True)
    except soundfile.LibsndfileError as e:
        raise ValueError(f"{'packed recording' if isinstance(source, bytes) else source}: cannot be decoded ({e})") from None
    wave = data[:, 0]
    if rate != RATE:
        import soxr

        wave = soxr.resample(wave, rate, RATE)
    return np.ascontiguousarray(wave)


def _sounds(folder):
    files = sorted(p for p in Path(folder).rglob("*") if p.suffix.lower() in SOUND)
    if not files:
        raise ValueError(f"{folder}: no sound files here")
    return files


def _subfolders(root, pattern):
    found = [p for p in sorted(Path(root).iterdir()) if p.is_dir() and re.match(pattern, p.name)]
    if not found:
        raise ValueError(f"{root}: no folder named like {pattern}")
    return [f for p in found for f in _sounds(p)]


def dns(root):
    """DNS-Challenge: clean*, noise*, and rir* or impulse_responses* under root; a reader's number in the name is the speaker."""
    out = []
    for p in _subfolders(root, "clean"):
        m = re.search(r"reader_(\d+)", p.name)
        out.append(Recording("speech", m.group(1) if m else p.parent.name, p.stem, p))
    out += [Recording("noise", p.stem, p.stem, p) for p in _subfolders(root, "noise")]
    if any(re.match("rir|impulse_responses", p.name) for p in Path(root).iterdir()):
        out += [Recording("rir", p.stem, p.stem, p) for p in _subfolders(root, "rir|impulse_responses")]
    return out


def voicebank(root, part="train"):
    """VoiceBank+DEMAND: clean_{part}set*/p226_001.wav beside noisy_{part}set*/p226_001.wav; noise is their difference."""
    clean = {p.stem: p for p in _subfolders(root, f"clean_{part}set")}
    out = [Recording("speech", n.split("_")[0], n, p) for n, p in clean.items()]
    for p in _subfolders(root, f"noisy_{part}set"):
        if p.stem not in clean:
            raise ValueError(f"{p}: no clean file of that name")
        out.append(Recording("noise", p.stem, p.stem, p, clean[p.stem]))
    return out


def librispeech(root):
    """LibriSpeech: any depth of SPEAKER-CHAPTER-UTTERANCE files."""
    return [Recording("speech", p.stem.split("-")[0], p.stem, p) for p in _sounds(root)]


def vctk(root):
    """VCTK: wav48*/p225/p225_001*.  Of two microphones only the first is taken."""
    return [Recording("speech", p.parent.name, p.stem, p) for p in _subfolders(root, "wav48") if not p.stem.endswith("_mic2")]


def _shared_speaker(corpus, stem):
    cut = {"librispeech": r"[^-]+", "speechocean762": r"[^-]+", "emodb": r"\d\d", "ljspeech": r"LJ"}.get(corpus)
    m = re.match(cut, stem) if cut else None
    return f"{corpus}/{m.group() if m else stem}"


def shared(root, part="train"):
    """The project's own data folder: speech/{part}/CORPUS/*, noise/train/SOURCE/*, noise/rir/*."""
    root = Path(root)
    out = [Recording("speech", _shared_speaker(p.parent.name, p.stem), p.stem, p) for p in _sounds(root / "speech" / part)]
    out += [Recording("noise", f"{p.parent.name}/{p.stem}", p.stem, p) for p in _sounds(root / "noise" / "train")]
    return out + [Recording("rir", p.stem, p.stem, p) for p in _sounds(root / "noise" / "rir")]


LAYOUTS = {"dns": dns, "voicebank": voicebank, "librispeech": librispeech, "vctk": vctk, "shared": shared}


def load(rec):
    wave = decode(rec.path)
    if rec.minus is not None:
        clean = decode(rec.minus)
        n = min(len(wave), len(clean))
        wave = wave[:n] - clean[:n]
    return wave


def to_int16(wave):
    return np.clip(np.rint(wave * 32768), -32768, 32767).astype(np.int16)


def held_out(names, kind, share, seed=0):
    """Which speakers or noises (`kind`) training never hears: follows from the set of names alone."""
    names = sorted(names)
    if len(names) < 2:
        raise ValueError(f"cannot hold out a part of {len(names)} {kind} sources")
    np.random.default_rng([seed, len(kind)]).shuffle(names)
    return names[: min(max(1, round(share * len(names))), len(names) - 1)]


class Bank:
    """Decoded recordings of each kind, grouped by speaker: bank.speech["speaker"] is a list of int16 arrays."""

    def __init__(self):
        self.speech, self.noise, self.rir = {}, {}, {}

    def add(self, kind, speaker, wave):
        if len(wave) and np.isfinite(wave).all() and np.abs(wave).max() > 1e-4:  # a silent file would make every level infinite
            getattr(self, kind).setdefault(speaker, []).append(to_int16(wave))

    @classmethod
    def from_layout(cls, layout, root, **options):
        bank = cls()
        for rec in LAYOUTS[layout](root, **options):
            bank.add(rec.kind, rec.speaker, load(rec))
        return bank

    def split(self, share, seed=0):
        """(rest, held out): held-out speakers and noises appear in no training mixture; room responses stay in both."""
        rest, held = Bank(), Bank()
        for kind in ("speech", "noise"):
            names = getattr(self, kind)
            away = set(held_out(names, kind, share, seed))
            for name in sorted(names):
                getattr(held if name in away else rest, kind)[name] = names[name]
        rest.rir = held.rir = self.rir
        return rest, held

    def hours(self, kind):
        return sum(len(w) for ws in getattr(self, kind).values() for w in ws) / RATE / 3600


@dataclass
class MixConfig:
    seconds: float = 2.0
    snr_db: list = field(default_factory=lambda: [-5.0, 20.0])
    level_db: list = field(default_factory=lambda: [-36.0, -16.0])  # active level of the target, dB below full scale
    p_noise: float = 0.9  # the rest teaches to leave clean speech alone
    p_second_noise: float = 0.2
    p_babble: float = 0.0  # noise made of 3 to 8 training voices talking at once
    p_tilt: float = 0.0  # noise through a random smooth equaliser, up to +-8 dB: a few hours of noise have few colours
    p_reverb: float = 0.3
    p_competing: float = 0.2
    competing_db: list = field(default_factory=lambda: [3.0, 15.0])  # how much louder the target is
    p_clip: float = 0.05
    p_band: float = 0.05
    early_ms: float = 50.0

    @classmethod
    def from_dict(cls, d):
        unknown = set(d) - {f.name for f in fields(cls)}
        if unknown:
            raise ValueError(f"[mix] has unknown keys {sorted(unknown)}")
        return cls(**d)


def active_rms(wave):
    """RMS over the 20 ms frames within 40 dB of the loudest, so that pauses do not count; 0 for silence."""
    n = len(wave) // 320 * 320
    power = (wave[:n].reshape(-1, 320) ** 2).mean(1) if n else np.array([np.mean(wave**2)])
    loud = power[power > power.max() * 1e-4]
    return float(np.sqrt(loud.mean())) if loud.size else 0.0


def convolve(wave, h):
    size = 1 << (len(wave) + len(h) - 2).bit_length()
    out = np.fft.irfft(np.fft.rfft(wave, size) * np.fft.rfft(h, size), size)
    return out[: len(wave)].astype(np.float32)


def lowpass(wave, cutoff_hz):
    """Raised-cosine edge 300 Hz wide, no delay."""
    f = np.fft.rfftfreq(len(wave), 1 / RATE)
    gain = 0.5 + 0.5 * np.cos(np.pi * np.clip((f - cutoff_hz) / 300, 0, 1))
    return np.fft.irfft(np.fft.rfft(wave) * gain, len(wave)).astype(np.float32)


def equalise(rng, wave, most_db=8.0):
    """A random smooth gain over frequency, given at eight points an octave apart, no delay."""
    f = np.fft.rfftfreq(len(wave), 1 / RATE)
    octave = np.log2(np.maximum(f, 62.5) / 62.5)
    gain = np.interp(octave, np.arange(8), rng.uniform(-most_db, most_db, 8))
    return np.fft.irfft(np.fft.rfft(wave) * db(gain), len(wave)).astype(np.float32)


def db(x):
    return 10 ** (x / 20)


class Mixer:
    """Mixtures from a bank.  The steps and the rule for competing speakers are in docs/TRAINING.md."""

    def __init__(self, bank, config=None, seed=0):
        self.bank, self.config, self.seed = bank, config or MixConfig(), seed
        self.samples = round(self.config.seconds * RATE)
        self.names = {k: sorted(getattr(bank, k)) for k in ("speech", "noise", "rir")}
        if not self.names["speech"] or (self.config.p_noise > 0 and not self.names["noise"]):
            raise ValueError("the data hold no speech or no noise: nothing can be mixed")

    def _pick(self, rng, kind, name=None):
        name = name or self.names[kind][rng.integers(len(self.names[kind]))]
        waves = getattr(self.bank, kind)[name]
        return name, waves[rng.integers(len(waves))]

    def _crop(self, rng, wave):
        """A random stretch as float32; a shorter recording lands somewhere in silence."""
        n, out = self.samples, np.zeros(self.samples, np.float32)
        if len(wave) >= n:
            start = rng.integers(len(wave) - n + 1)
            return wave[start : start + n].astype(np.float32) / 32768
        start = rng.integers(n - len(wave) + 1)
        out[start : start + len(wave)] = wave.astype(np.float32) / 32768
        return out

    def _speech(self, rng, name):
        """A stretch with at least half a second of talk where five tries find one."""
        for _ in range(5):
            wave = self._crop(rng, self._pick(rng, "speech", name)[1])
            power = (wave[: self.samples // 320 * 320].reshape(-1, 320) ** 2).mean(1)
            if (power > max(power.max() * 1e-3, 1e-8)).sum() >= min(25, len(power) // 4):
                break
        return wave

    def _noise(self, rng):
        wave = self._pick(rng, "noise")[1]
        if len(wave) < self.samples:  # short noises repeat
            wave = np.tile(wave, -(-self.samples // len(wave)))
        return self._crop(rng, wave)

    def _babble(self, rng, talker):
        """Several others talking at once, each at its own level, some of them from farther away."""
        others = [n for n in self.names["speech"] if n != talker] or [talker]
        out = np.zeros(self.samples, np.float32)
        for _ in range(rng.integers(3, 9)):
            wave = self._crop(rng, self._pick(rng, "speech", others[rng.integers(len(others))])[1])
            out += wave * (db(rng.uniform(-6, 6)) / max(active_rms(wave), 1e-4))
        if self.names["rir"] and rng.random() < 0.5:
            out = convolve(out, self._room(rng)[0])
        return out * np.float32(0.05)

    def _some_noise(self, rng, talker):
        c = self.config
        noise = self._babble(rng, talker) if rng.random() < c.p_babble else self._noise(rng)
        return equalise(rng, noise) if rng.random() < c.p_tilt else noise

    def _room(self, rng):
        """(whole, early) response with the direct path at time zero and unit energy in the early part."""
        h = self._pick(rng, "rir")[1][: 2 * RATE].astype(np.float32) / 32768
        h = h[np.argmax(np.abs(h)) :]
        cut = round(self.config.early_ms * RATE / 1000)
        early = h.copy()
        early[cut:] = 0
        scale = 1 / max(np.sqrt((early**2).sum()), 1e-6)
        return h * scale, early * scale

    def example(self, index):
        """(mixture, target), float32 arrays of `samples`."""
        c, rng = self.config, np.random.default_rng([self.seed, index])
        talker = self.names["speech"][rng.integers(len(self.names["speech"]))]
        target = self._speech(rng, talker)
        reverb = bool(self.names["rir"]) and rng.random() < c.p_reverb
        tail = np.zeros_like(target)
        if reverb:
            whole, early = self._room(rng)
            dry = target
            target = convolve(dry, early)
            tail = convolve(dry, whole - early)
        level = max(active_rms(target), 1e-4)
        mix = target + tail
        if rng.random() < c.p_competing and len(self.names["speech"]) > 1:
            mix = mix + self._competing(rng, talker, level, reverb)
        if rng.random() < c.p_noise:
            noise = self._some_noise(rng, talker)
            if rng.random() < c.p_second_noise:
                noise = noise + self._some_noise(rng, talker)
            rms = float(np.sqrt(np.mean(noise**2)))
            if rms > 1e-6:
                mix = mix + noise * (level / rms / db(rng.uniform(*c.snr_db)))
        return self._finish(rng, mix, target, level)

    def _competing(self, rng, talker, level, reverb):
        others = [n for n in self.names["speech"] if n != talker]
        wave = self._speech(rng, others[rng.integers(len(others))])
        if reverb:  # farther away: 6 dB more of the late part than the same room gives the target
            whole, early = self._room(rng)
            wave = convolve(wave, early + 2 * (whole - early))
        return wave * (level / max(active_rms(wave), 1e-4) / db(rng.uniform(*self.config.competing_db)))

    def _finish(self, rng, mix, target, level):
        c = self.config
        gain = db(rng.uniform(*c.level_db)) / level
        gain = min(gain, 0.99 / max(np.abs(mix).max(), np.abs(target).max(), 1e-6))
        mix, target = mix * gain, target * gain
        if rng.random() < c.p_band:  # both: inventing the missing band is not this model's task
            cutoff = rng.uniform(3000, 7000)
            mix, target = lowpass(mix, cutoff), lowpass(target, cutoff)
        if rng.random() < c.p_clip:  # the mixture alone: undoing it is
            limit = np.abs(mix).max() * rng.uniform(0.2, 0.8)
            mix = np.clip(mix, -limit, limit)
        return mix.astype(np.float32), target.astype(np.float32)


class MixDataset:
    """Map-style set for torch's DataLoader; indices are example numbers."""

    def __init__(self, mixer, length):
        self.mixer, self.length = mixer, length

    def __len__(self):
        return self.length

    def __getitem__(self, index):
        return self.mixer.example(int(index))


def made_up_bank(seed=0, speakers=6, seconds=4.0):
    """Buzzes and noises for smoke runs: no corpus needed, and nothing to learn about speech from it."""
    rng, bank = np.random.default_rng(seed), Bank()
    t = np.arange(int(seconds * RATE)) / RATE
    for s in range(speakers):
        f0 = rng.uniform(90, 220) * (1 + 0.05 * np.sin(2 * np.pi * rng.uniform(0.5, 2) * t))
        phase = 2 * np.pi * np.cumsum(f0) / RATE
        wave = sum(np.sin(k * phase) / k for k in range(1, 25)) * np.clip(np.sin(2 * np.pi * rng.uniform(1, 3) * t), 0, 1)
        bank.add("speech", f"s{s}", (0.2 * wave).astype(np.float32))
        bank.add("noise", f"n{s}", (0.1 * rng.standard_normal(len(t))).astype(np.float32))
    h = rng.standard_normal(3000) * np.exp(-np.arange(3000) / 600) * 0.1
    h[0] = 0.9
    bank.add("rir", "r", h.astype(np.float32))
    return bank
