#!/usr/bin/env python3
"""Writes tests/vectors/fec/words.txt: words of Hamming, BCH and Reed-Solomon codes by other implementations.

    python3 -m venv v && v/bin/pip install galois reedsolo bchlib && v/bin/python tools/gen_fec_words.py

One case a line, fields separated by spaces, bytes in hexadecimal ("-": none):
    hamming R K OVERALL data word           word: bits, padded with zeros to bytes   (galois)
    bch     M T data parity errors state            errors: places of wrong bits, with commas   (bchlib, galois)
    rs      NROOTS data parity errors erasures state  errors: place:difference, with commas       (reedsolo)
state: "ok" if the other implementation gets the data back, "lost" if it reports failure.
"""
import pathlib
import random

import bchlib
import galois
import numpy as np
import reedsolo

OUT = pathlib.Path(__file__).resolve().parent.parent / "tests/vectors/fec/words.txt"
POLY = {3: 0xB, 4: 0x13, 5: 0x25, 6: 0x43, 7: 0x83, 8: 0x11D, 9: 0x211, 10: 0x409, 11: 0x805, 12: 0x1053, 13: 0x201B, 14: 0x402B}
rng = random.Random(20240611)


def hexed(b):
    return bytes(b).hex() or "-"


def listed(items):
    return ",".join(map(str, items)) or "-"


def bits_of(b):
    return np.unpackbits(np.frombuffer(bytes(b), np.uint8))


def hamming():
    for r, k, overall in ((3, 4, 0), (4, 11, 0), (5, 26, 0), (7, 64, 1), (7, 120, 0)):
        n = 2**r - 1
        code = galois.BCH(n, n - r, extension_field=galois.GF(2**r, irreducible_poly=POLY[r]))
        for nbytes in (1, 2, 7, 8, 11, 13, 15):
            data = rng.randbytes(nbytes)
            left, word = bits_of(data), []
            while len(left):
                part, left = left[:k], left[k:]
                w = np.array(code.encode(galois.GF2(part)), np.uint8)
                word += list(w) + ([int(w.sum()) & 1] if overall else [])
            yield f"hamming {r} {k} {overall} {hexed(data)} {hexed(np.packbits(np.array(word, np.uint8)))}"


def flip(b, places):
    b = bytearray(b)
    for p in places:
        b[p // 8] ^= 0x80 >> p % 8
    return bytes(b)


def bch_galois(m, t, data):
    """Words by the generator polynomial that galois finds; what must be decoded is known."""
    field = galois.GF(2**m, irreducible_poly=POLY[m])
    roots = [field.primitive_element**i for i in range(1, 2 * t, 2)]
    minimal = {tuple(int(c) for c in r.minimal_poly().coeffs) for r in roots}
    nparity, g = 0, 1
    for f in minimal:
        f = int("".join(map(str, f)), 2)
        nparity += f.bit_length() - 1
        product = 0
        for i in range(f.bit_length()):
            product ^= (g << i) if f >> i & 1 else 0
        g = product
    rem = int.from_bytes(data, "big") << nparity
    while rem.bit_length() > nparity:
        rem ^= g << (rem.bit_length() - 1 - nparity)
    pad = -nparity % 8
    parity = (rem << pad).to_bytes((nparity + pad) // 8, "big")
    for nerr in (1, t):
        places = rng.sample(range(8 * len(data) + nparity), nerr)
        yield f"bch {m} {t} {hexed(data)} {hexed(parity)} {listed(places)} ok"


def bch():
    for m, t, nbytes in ((5, 2, 2), (7, 3, 9), (8, 5, 20), (9, 3, 40), (10, 4, 100), (11, 8, 150), (12, 12, 300), (13, 16, 997),
                         (13, 16, 30), (13, 24, 984), (13, 32, 971), (13, 48, 500), (13, 64, 919), (13, 96, 867),
                         (13, 128, 815), (13, 160, 400), (13, 192, 300), (13, 224, 200), (13, 256, 100), (14, 12, 1900)):
        data = rng.randbytes(nbytes)
        try:
            c = bchlib.BCH(t, prim_poly=POLY[m])
        except RuntimeError:  # too long for it
            yield from bch_galois(m, t, data)
            continue
        parity = c.encode(data)
        nbits = 8 * nbytes + c.ecc_bits
        if m <= 10:  # a third opinion
            g = galois.BCH(2**m - 1, 2**m - 1 - c.ecc_bits,
                           extension_field=galois.GF(2**m, irreducible_poly=POLY[m]))
            word = np.array(g.encode(galois.GF2(bits_of(data))), np.uint8)
            assert g.t == t and np.packbits(word).tobytes() == np.packbits(
                np.concatenate([bits_of(data), bits_of(parity)[: c.ecc_bits]])).tobytes()
        for nerr in (1, t, t + 1):
            places = rng.sample(range(nbits), nerr)
            bad = flip(data + bytes(parity), places)
            d, p = bytearray(bad[:nbytes]), bytearray(bad[nbytes:])
            n = c.decode(d, p)
            if n >= 0:
                c.correct(d, p)
            ok = n == nerr and bytes(d) == data
            if n >= 0 and not ok:
                continue  # the other implementation took it for another word: nothing to compare
            yield f"bch {m} {t} {hexed(data)} {hexed(parity)} {listed(places)} {'ok' if ok else 'lost'}"


def rs():
    for nroots in (16, 32, 48, 64, 96, 128, 160, 192):
        c = reedsolo.RSCodec(nroots, nsize=255, fcr=0, prim=0x11D, generator=2)
        for nbytes in (1, (255 - nroots) // 2, 255 - nroots):
            data = rng.randbytes(nbytes)
            word = bytes(c.encode(data))
            n = len(word)
            for nerr, neras in ((nroots // 2, 0), (nroots // 2 + 1, 0), (0, nroots), (nroots // 4, nroots // 2),
                                (nroots // 4 + 1, nroots // 2)):
                if nerr + neras > n:
                    continue
                places = rng.sample(range(n), nerr + neras)
                bad = bytearray(word)
                for p in places:
                    bad[p] ^= rng.randrange(1, 256)
                errors = listed(f"{p}:{bad[p] ^ word[p]}" for p in places)
                eras = sorted(places[nerr:])
                try:
                    got = bytes(c.decode(bytes(bad), erase_pos=eras or None)[0])
                    if got != data:
                        continue
                    state = "ok"
                except reedsolo.ReedSolomonError:
                    state = "lost"
                yield f"rs {nroots} {hexed(data)} {hexed(word[nbytes:])} {errors} {hexed(eras)} {state}"


OUT.parent.mkdir(parents=True, exist_ok=True)
lines = [*hamming(), *bch(), *rs()]
OUT.write_text("# tools/gen_fec_words.py\n" + "\n".join(lines) + "\n")
print(f"{len(lines)} cases, {sum(l.endswith('lost') for l in lines)} beyond repair, {OUT.stat().st_size} bytes")
