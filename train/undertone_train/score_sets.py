"""The sets that systems are scored on: fixed lists of (clean, noisy) pairs of 16-bit recordings, none of them heard in training.

  voicebank  the pairs of ROOT/speech/test/voicebank-demand as they are
  unseen     each speaker of ROOT/speech/dev/librispeech twice, under DEMAND noise (noisy minus clean of the pairs above) and under a noise held out
             from training, at SNRs spread evenly over -5..20 dB
  competing  each of these speakers with another of them talking too, 5, 3, 8 and 12 dB quieter in active level (the rule of docs/TRAINING.md,
             without rooms), and once more at 5 dB with noise at 10 dB

SNR: active level of the speech over the RMS of the noise, as in training.  The speakers' recordings are freed of what lies under 20 Hz.  Everything follows from the seed and the files.
"""
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .data import RATE, active_rms, db, decode, held_out, to_int16
from .pack import load_pack

SECONDS = 8  # no mixture is longer
GAPS_DB = (5, 3, 8, 12)
HELD = "held-out noise"
HOLDOUT = 0.04  # [data] holdout of every configuration


@dataclass
class Item:
    name: str
    group: str
    clean: np.ndarray  # int16
    noisy: np.ndarray  # int16
    note: dict  # how it was mixed


def _pairs(root):
    folder = Path(root) / "speech" / "test" / "voicebank-demand"
    out = []
    for path in sorted((folder / "clean").glob("*.flac")):
        clean, noisy = decode(path), decode(folder / "noisy" / path.name)
        n = min(len(clean), len(noisy))
        out.append((path.stem, clean[:n], noisy[:n]))
    if not out:
        raise ValueError(f"{folder}: no pairs clean/NAME.flac, noisy/NAME.flac here")
    return out


def published_pesq(root):
    """{pair: WB-PESQ of its noisy file as published}."""
    rows = (Path(root) / "speech" / "test" / "voicebank-demand" / "noisy_pesq.tsv").read_text().splitlines()
    return {cells[0]: float(cells[2]) for cells in (r.split("\t") for r in rows[1:])}


def voicebank(root):
    return [Item(name, "VoiceBank+DEMAND", to_int16(clean), to_int16(noisy), {}) for name, clean, noisy in _pairs(root)]


def _without_dc(wave):
    """Nothing under 20 Hz.  Two of the dev recordings are nearly all offset (-0.26 and -0.04 of full scale): levels and SI-SDR would be those of the offset."""
    f = np.fft.rfftfreq(len(wave), 1 / RATE)
    return np.fft.irfft(np.fft.rfft(wave) * np.clip((f - 15) / 10, 0, 1), len(wave)).astype(np.float32)


def _speakers(root):
    files = sorted((Path(root) / "speech" / "dev" / "librispeech").glob("*.flac"))
    if len(files) < 2:
        raise ValueError(f"{root}/speech/dev/librispeech: needs recordings of two speakers or more")
    return [(p.stem.split("-")[0], _without_dc(decode(p))[: SECONDS * RATE]) for p in files]


def noises(root, pack, holdout=HOLDOUT):
    """({kind: [(name, wave)]}, what to print).  The held-out ones come from the pack that training reads, by the split that training makes."""
    bank = load_pack(pack, ("noise",))
    names = sorted(held_out(bank.noise, "noise", holdout))
    away = [(n, np.concatenate(bank.noise[n]).astype(np.float32) / 32768) for n in names]
    line = f"Held out from training: {len(names)} of {len(bank.noise)} noises, {', '.join(names)}"
    return {"DEMAND noise": [(n, noisy - clean) for n, clean, noisy in _pairs(root)], HELD: away}, [line]


def _repeat(wave, n, fade=RATE // 20):
    """A short noise repeats, each turn cross-faded into the next at equal power."""
    out = wave
    ramp = np.sqrt(np.linspace(0, 1, fade, dtype=np.float32))
    while len(out) < n:
        joint = out[-fade:] * ramp[::-1] + wave[:fade] * ramp
        out = np.concatenate([out[:-fade], joint, wave[fade:]])
    return out


def _noise_at(rng, wave, speech, snr_db):
    """A stretch of the noise that is not a pause of it, at that SNR."""
    n = len(speech)
    wave = _repeat(wave, n)
    whole = np.sqrt(np.mean(wave**2))
    for _ in range(20):
        start = rng.integers(len(wave) - n + 1)
        part = wave[start : start + n]
        rms = np.sqrt(np.mean(part**2))
        if rms > 0.3 * whole:
            break
    return part * (active_rms(speech) / max(rms, 1e-6) / db(snr_db))


def _item(name, group, clean, rest, note):
    """As 16-bit files would hold them; both quieter where the mixture would clip."""
    mix = clean + rest
    gain = min(1, 0.98 / max(np.abs(mix).max(), np.abs(clean).max()))
    return Item(name, group, to_int16(clean * gain), to_int16(mix * gain), note)


def unseen(root, pack, seed):
    rng, out = np.random.default_rng([seed, 1]), []
    speakers, (kinds, lines) = _speakers(root), noises(root, pack)
    for group, pool in kinds.items():
        snrs = rng.permutation(np.linspace(-5, 20, len(speakers)))
        order = rng.permutation(len(pool))
        for i, ((speaker, wave), snr) in enumerate(zip(speakers, snrs)):
            name, noise = pool[order[i % len(pool)]]
            note = dict(speaker=speaker, noise=name, snr_db=round(float(snr), 2), held_out=group == HELD)
            out.append(_item(f"{speaker}+{name.replace('/', '-')}", group, wave, _noise_at(rng, noise, wave, snr), note))
    return out, lines


def competing(root, pack, seed):
    rng, out = np.random.default_rng([seed, 2]), []
    speakers, (kinds, lines) = _speakers(root), noises(root, pack)
    pool = [(*n, group == HELD) for group, kind in kinds.items() for n in kind]
    for turn, (gap, noisy) in enumerate([(g, False) for g in GAPS_DB] + [(GAPS_DB[0], True)]):
        for i, (speaker, wave) in enumerate(speakers):
            other, theirs = speakers[(i + 1 + turn % (len(speakers) - 1)) % len(speakers)]
            n = min(len(wave), len(theirs))
            wave, theirs = wave[:n], theirs[:n]
            rest = theirs * (active_rms(wave) / active_rms(theirs) / db(gap))
            note = dict(speaker=speaker, other=other, gap_db=gap)
            if noisy:
                name, noise, away = pool[rng.integers(len(pool))]
                rest = rest + _noise_at(rng, noise, wave, 10)
                note.update(noise=name, snr_db=10, held_out=away)
            group = f"{gap} dB quieter" + (", noise at 10 dB" if noisy else "")
            out.append(_item(f"{speaker}+{other}-{gap}{'n' if noisy else ''}", group, wave, rest, note))
    return out, lines


def build(name, root, pack=None, seed=0):
    """(items, lines that say what they are made of)."""
    if name == "voicebank":
        return voicebank(root), []
    if name not in ("unseen", "competing"):
        raise ValueError(f"there is no set {name!r}; use voicebank, unseen or competing")
    if not pack:
        raise ValueError(f"the set {name} needs --pack, the pack that training read, to know which noises it did not hear")
    return {"unseen": unseen, "competing": competing}[name](root, pack, seed)


def cached(name, root, pack, seed, folder):
    """build(), kept in the folder: decoding a pack takes half a minute."""
    stamp = [(p.name, p.stat().st_size, p.stat().st_mtime) for p in sorted(Path(pack).glob("*.utpack"))] if pack else []
    source = Path(__file__).read_bytes()
    key = hashlib.sha256(repr((name, str(root), stamp, seed)).encode() + source).hexdigest()[:16]
    path = Path(folder) / f"set-{name}-{key}.npz"
    if path.exists():
        with np.load(path) as z:
            heads, lines = json.loads(str(z["heads"]))
            return [Item(*h[:2], z[f"c{i}"], z[f"n{i}"], h[2]) for i, h in enumerate(heads)], lines
    items, lines = build(name, root, pack, seed)
    path.parent.mkdir(parents=True, exist_ok=True)
    waves = {f"{k}{i}": w for i, it in enumerate(items) for k, w in (("c", it.clean), ("n", it.noisy))}
    np.savez(path, heads=json.dumps([[(it.name, it.group, it.note) for it in items], lines]), **waves)
    return items, lines


def fingerprint(items):
    """Changes with any sample of the set."""
    h = hashlib.sha256()
    for it in items:
        h.update(it.clean.tobytes() + it.noisy.tobytes())
    return h.hexdigest()[:12]
