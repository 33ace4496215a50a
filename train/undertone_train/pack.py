"""Packs a corpus into a few files of a given total size, and reads them back.

    python -m undertone_train.pack LAYOUT ROOT OUT --limit-mib 56 [--mode bytes|pcm] [--part dev] [--kinds speech,noise,rir]

A shard is: 8 bytes "UTPACK01", the index length as a little-endian 64-bit number, a JSON index, then the recordings end to end.
Mode "bytes" keeps compressed files as they are (Opus stays Opus); mode "pcm" stores 16 kHz int16 little-endian.
Speakers take turns, so that a small pack still has all of them.  The same seed gives the same pack.
"""
import argparse
import json
import struct
import sys
from pathlib import Path

import numpy as np

from .data import LAYOUTS, Bank, decode, load, to_int16

MAGIC = b"UTPACK01"
SHARES = {"speech": 0.70, "noise": 0.27, "rir": 0.03}  # of the limit; what a kind leaves over goes to speech


def _turns(recs, rng):
    """Recordings in order of speakers taking turns, each speaker's shuffled."""
    groups = {}
    for r in recs:
        groups.setdefault(r.speaker, []).append(r)
    queues = [groups[name] for name in sorted(groups)]
    for q in queues:
        rng.shuffle(q)
    rng.shuffle(queues)
    while queues:
        yield from (q.pop() for q in queues)
        queues = [q for q in queues if q]


def _payload(rec, mode):
    if mode == "bytes" and rec.minus is None:
        blob = rec.path.read_bytes()
        decode(rec.path)  # better to learn here that it cannot be read than on the machine that trains
        return "file", blob
    return "pcm", to_int16(load(rec)).astype("<i2").tobytes()


def _write_shard(path, entries, blobs):
    index = json.dumps(entries, separators=(",", ":")).encode()
    with open(path, "wb") as f:
        f.write(MAGIC + struct.pack("<Q", len(index)) + index)
        f.writelines(blobs)


def pack(recordings, out, limit_bytes, mode="bytes", shard_bytes=32 << 20, seed=0, kinds=("speech", "noise", "rir")):
    """Writes OUT/shard-NNN.utpack and returns {kind: (recordings, bytes)}."""
    out, rng = Path(out), np.random.default_rng(seed)
    out.mkdir(parents=True, exist_ok=True)
    if any(out.glob("*.utpack")):
        raise ValueError(f"{out}: already holds a pack; remove it or name another folder")
    left, report, chosen = limit_bytes, {}, []
    for kind in ("rir", "noise", "speech"):
        recs = [r for r in recordings if r.kind == kind and kind in kinds]
        room = left if kind == "speech" else min(left, int(limit_bytes * SHARES[kind]))
        taken = used = 0
        for rec in _turns(recs, rng):
            if used + (rec.path.stat().st_size if mode == "bytes" else 0) > room:  # no need to decode what cannot fit
                if kind == "speech" and room - used < limit_bytes // 200:
                    break
                continue
            try:
                form, blob = _payload(rec, mode)
            except ValueError as e:
                print(f"left out: {e}", file=sys.stderr)
                continue
            entry = dict(kind=kind, speaker=rec.speaker, name=rec.name, form=form, nbytes=len(blob))
            cost = len(blob) + len(json.dumps(entry, separators=(",", ":"))) + 32  # 32: offset, comma, the header's share
            if used + cost > room:
                if kind == "speech" and room - used < limit_bytes // 200:
                    break
                continue
            chosen.append((entry, blob))
            taken, used = taken + 1, used + cost
        left -= used
        report[kind] = (taken, used)
    if not chosen:
        raise ValueError("nothing fits the limit, or there is nothing to pack")
    shard, entries, blobs, size = 0, [], [], 0
    for entry, blob in chosen:
        if size and size + len(blob) > shard_bytes:
            _write_shard(out / f"shard-{shard:03d}.utpack", entries, blobs)
            shard, entries, blobs, size = shard + 1, [], [], 0
        entries.append({**entry, "offset": size})
        blobs.append(blob)
        size += len(blob)
    _write_shard(out / f"shard-{shard:03d}.utpack", entries, blobs)
    return report


def read_shard(path, kinds=None):
    """Yields (index entry, float32 wave), of some kinds only where they are given."""
    data = Path(path).read_bytes()
    if data[:8] != MAGIC or len(data) < 16:
        raise ValueError(f"{path}: not a pack; make one with python -m undertone_train.pack")
    (n,) = struct.unpack("<Q", data[8:16])
    if n > len(data) - 16:
        raise ValueError(f"{path}: cut short inside its index; copy it again")
    base = 16 + n
    for entry in json.loads(data[16:base]):
        if kinds and entry["kind"] not in kinds:
            continue
        start, end = base + entry["offset"], base + entry["offset"] + entry["nbytes"]
        if not base <= start <= end <= len(data):
            raise ValueError(f"{path}: cut short at {entry['name']}; copy it again")
        blob = data[start:end]
        yield entry, decode(blob) if entry["form"] == "file" else np.frombuffer(blob, "<i2").astype(np.float32) / 32768


def load_pack(folder, kinds=None):
    """A folder of shards as a Bank."""
    shards = sorted(Path(folder).glob("*.utpack"))
    if not shards:
        raise ValueError(f"{folder}: no .utpack files here")
    bank = Bank()
    for shard in shards:
        for entry, wave in read_shard(shard, kinds):
            bank.add(entry["kind"], entry["speaker"], wave)
    return bank


def main(argv=None):
    ap = argparse.ArgumentParser(prog="python -m undertone_train.pack")
    ap.add_argument("layout", choices=sorted(LAYOUTS))
    ap.add_argument("root")
    ap.add_argument("out")
    ap.add_argument("--limit-mib", type=float, default=56)
    ap.add_argument("--shard-mib", type=float, default=32)
    ap.add_argument("--mode", choices=["bytes", "pcm"], default="bytes")
    ap.add_argument("--part", help="train, dev or test, for the layouts that have parts")
    ap.add_argument("--kinds", default="speech,noise,rir")
    ap.add_argument("--seed", type=int, default=0)
    a = ap.parse_args(argv)
    recs = LAYOUTS[a.layout](a.root, **({"part": a.part} if a.part else {}))
    report = pack(recs, a.out, int(a.limit_mib * 2**20), a.mode, int(a.shard_mib * 2**20), a.seed, a.kinds.split(","))
    for kind, (n, size) in report.items():
        print(f"{kind:7s} {n:6d} of {sum(r.kind == kind for r in recs):6d} recordings, {size / 2**20:6.1f} MiB")


if __name__ == "__main__":
    main()
