#!/usr/bin/env python3
"""Test vectors of the block codes, from other implementations: reedsolo's encoder for Reed-Solomon, galois' generator
polynomials for BCH (parity by division of integers here), plain division for Hamming as in spec/fec.md.

Prints one line per case: kind, step's name, payload bytes, SHA-256 of the code bits (packed, most significant first).
Byte i of the payload is the top byte of x after i + 1 steps of x = 1664525 x + 1013904223 mod 2^32, from x = its length.

    tools/gen_fec_vectors.py > tests/vectors/fec/blocks.txt        (needs galois and reedsolo)
"""
import hashlib

import galois
import reedsolo

HAMMING = {3: 0xb, 4: 0x13, 5: 0x25, 7: 0x83}
SIZES = [1, 2, 31, 500, 3000]


def payload(n):
    x, out = n, bytearray()
    for _ in range(n):
        x = (1664525 * x + 1013904223) % 2**32
        out.append(x >> 24)
    return bytes(out)


def bits(data):
    return [b >> (7 - i) & 1 for b in data for i in range(8)]


def remainder(value, poly):
    degree = poly.bit_length() - 1
    while value.bit_length() > degree:
        value ^= poly << (value.bit_length() - 1 - degree)
    return value


def blocks(data, most):
    n = -(-len(data) // most)
    per = -(-len(data) // n)
    return [data[i:i + per] for i in range(0, len(data), per)]


def rs(data, k):
    coder, out = reedsolo.RSCodec(255 - k, fcr=0, prim=0x11d), []
    for b in blocks(data, k):
        out += bits(bytes(coder.encode(b)))
    return out


def bch(data, t):
    code = galois.BCH(8191, d=2 * t + 1, extension_field=galois.GF(2**13, irreducible_poly=0x201b))
    g = int(code.generator_poly)
    parity = g.bit_length() - 1
    out = []
    for b in blocks(data, (8191 - parity) // 8):
        r = remainder(int.from_bytes(b, "big") << parity, g)
        out += bits(b) + [r >> (parity - 1 - i) & 1 for i in range(parity)]
    return out


def hamming(data, r, k, overall, most):
    out = []
    parts = [data] if len(data) <= most else [data[i:i + most] for i in range(0, len(data), most)]
    for part in parts:
        b = bits(part)
        for i in range(0, len(b), k):
            w = b[i:i + k]
            v = remainder(int("".join(map(str, w)), 2) << r, HAMMING[r])
            w = w + [v >> (r - 1 - j) & 1 for j in range(r)]
            out += w + ([sum(w) % 2] if overall else [])
    return out


def show(kind, name, n, b):
    b = b + [0] * (-len(b) % 8)
    packed = bytes(int("".join(map(str, b[i:i + 8])), 2) for i in range(0, len(b), 8))
    print(kind, name.replace(" ", "_"), n, hashlib.sha256(packed).hexdigest())


print("# kind step payload_nbytes sha256; from tools/gen_fec_vectors.py")
for n in SIZES:
    d = payload(n)
    for k in (63, 95, 127, 159, 191, 207, 223, 239):
        show(3, f"rs(255,{k})", n, rs(d, k))
    for t in (16, 24, 32, 64, 128):
        show(2, f"bch t={t}", n, bch(d, t))
    for name, r, k, overall, most in (("7,4", 3, 4, 0, 8), ("15,11", 4, 11, 0, 11), ("31,26", 5, 26, 0, 13),
                                      ("72,64", 7, 64, 1, 8), ("127,120", 7, 120, 0, 15)):
        show(4, f"hamming({name})", n, hamming(d, r, k, overall, most))
