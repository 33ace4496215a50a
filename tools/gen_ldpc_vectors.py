#!/usr/bin/env python3
"""Test vectors of the LDPC family, written from spec/fec.md alone and independent of the C code.

Prints one line per case: step, payload bytes, z, t, blocks, code bits, SHA-256 of the code bits (packed, most significant
first, the last byte padded with zeros).  Byte i of the payload is the top byte of x after i + 1 steps of
x = 1664525 x + 1013904223 mod 2^32, from x = the payload's length.  Checks H c = 0 for every block.

    tools/gen_ldpc_vectors.py > tests/vectors/fec/ldpc.txt        (needs numpy)
"""
import hashlib
import numpy as np

LADDER = [(18, 9, 15, 12), (30, 10, 24, 12), (45, 15, 12, 12), (60, 20, 12, 12), (72, 24, 12, 12),
          (90, 36, 8, 12), (99, 36, 10, 12), (108, 36, 12, 12), (120, 22, 12, 12), (126, 24, 11, 12),
          (135, 25, 11, 12), (144, 28, 10, 12), (150, 28, 9, 12), (155, 28, 8, 12), (160, 28, 8, 12),
          (162, 30, 8, 12), (165, 29, 8, 12), (168, 28, 8, 4), (171, 30, 7, 4), (175, 40, 5, 4)]
SIZES = [1, 32, 500, 3000, 9001]


def ceil_div(a, b):
    return -(-a // b)


def plan(step, nbytes):
    ninfo, _, _, tmax = LADDER[step]
    most = (360 * ninfo - 16 * tmax) // 8
    per = ceil_div(nbytes, ceil_div(nbytes, most))
    t = min(tmax, (8 * per * 180 // ninfo) // 1600)
    return per, ceil_div(nbytes, per), t, ceil_div(8 * per + 16 * t, ninfo)


def base_graph(step, z):
    """Edges of the information columns: a list of (column, shift) per row."""
    ninfo, nhigh, high, _ = LADDER[step]
    nrows = 180 - ninfo
    of_row, of_col = [[] for _ in range(nrows)], [[] for _ in range(180)]

    def connect(c, r, s):
        of_row[r].append((c, s))
        of_col[c].append((r, s))

    for r in range(nrows):
        connect(ninfo + r, r, 0)
        connect(ninfo + r, (r + 1) % nrows, 0 if r + 1 < nrows else z - 1)
    x = 1000 * ninfo + z

    def below(k):
        nonlocal x
        x = (1664525 * x + 1013904223) % 2**32
        return (x >> 16) * k >> 16

    for c in list(range(nhigh, ninfo)) + list(range(nhigh - 1, -1, -1)):
        for _ in range(high if c < nhigh else 3):
            free = [r for r in range(nrows) if r not in {q for q, _ in of_col[c]}]
            least = min(len(of_row[r]) for r in free)
            rows = [r for r in free if len(of_row[r]) == least]
            a, b = below(len(rows)), below(z)
            if not of_col[c]:
                connect(c, rows[a], 0)
                continue
            depth = {(r, -s % z): 1 for r, s in of_col[c]}
            front, level = list(depth), 1
            while 1 <= len(front) <= 64 and level < 8:
                level += 1
                new = []
                for r, i in front:
                    for col, s in of_row[r]:
                        for q, u in of_col[col]:
                            at = (q, (i + s - u) % z)
                            if at not in depth:
                                depth[at] = level
                                new.append(at)
                front = new
            walk = ((r, (b + i) % z) for r in rows[a:] + rows[:a] for i in range(z))
            best, best_depth = None, 0
            for at in walk:
                d = depth.get(at, 1 << 30)
                if d > best_depth:
                    best, best_depth = at, d
                if d == 1 << 30:
                    break
            connect(c, best[0], -best[1] % z)
    return [[(c, s) for c, s in row if c < ninfo] for row in of_row]


def gf_mul(a, b):
    p = 0
    while b:
        if b & 1:
            p ^= a
        a = a << 1 ^ (0x1002D if a & 0x8000 else 0)
        b >>= 1
    return p


def generator(t):
    """Product of the minimal polynomials, bit i the coefficient of x^i."""
    g, alpha = 1, 1
    for j in range(1, 2 * t):
        alpha = gf_mul(alpha, 2)
        if j % 2 == 0:
            continue
        poly, root, seen = [1], alpha, set()  # lowest power first, times (x + root) for each conjugate
        while root not in seen:
            seen.add(root)
            poly = [gf_mul(lo, root) ^ hi for lo, hi in zip(poly + [0], [0] + poly)]
            root = gf_mul(root, root)
        assert all(v in (0, 1) for v in poly)
        m = sum(v << i for i, v in enumerate(poly))
        prod = 0
        for i in range(m.bit_length()):
            if m >> i & 1:
                prod ^= g << i
        g = prod
    return g


def outer_parity(payload, t):
    g, rem = generator(t), int.from_bytes(payload, "big") << 16 * t
    while rem.bit_length() > 16 * t:
        rem ^= g << (rem.bit_length() - 16 * t - 1)
    return [rem >> i & 1 for i in range(16 * t - 1, -1, -1)]


def encode_block(payload, rows, ninfo, z, t):
    sent = list(np.unpackbits(np.frombuffer(payload, np.uint8))) + (outer_parity(payload, t) if t else [])
    info = np.zeros(ninfo * z, np.uint8)
    info[:len(sent)] = sent
    info = info.reshape(ninfo, z)
    sums = np.zeros((len(rows), z), np.uint8)
    for r, row in enumerate(rows):
        for c, s in row:
            sums[r] ^= np.roll(info[c], -s)
    parity = (np.cumsum(sums.T.reshape(-1).astype(np.int64)) % 2).astype(np.uint8).reshape(z, len(rows)).T
    before = np.roll(parity, 1, axis=0)
    before[0] = np.concatenate([[0], parity[-1, :-1]])
    assert not ((sums + parity + before) % 2).any(), "H c != 0"
    return np.concatenate([np.array(sent, np.uint8), parity.reshape(-1)])


def main():
    print("# step payload_nbytes z t nblocks code_nbits sha256; from tools/gen_ldpc_vectors.py")
    for step, (ninfo, _, _, _) in enumerate(LADDER):
        for nbytes in SIZES:
            per, nblocks, t, z = plan(step, nbytes)
            x, payload = nbytes, bytearray()
            for _ in range(nbytes):
                x = (1664525 * x + 1013904223) % 2**32
                payload.append(x >> 24)
            rows = base_graph(step, z)
            bits = np.concatenate([encode_block(bytes(payload[i * per:(i + 1) * per]), rows, ninfo, z, t)
                                   for i in range(nblocks)])
            print(step, nbytes, z, t, nblocks, len(bits), hashlib.sha256(np.packbits(bits).tobytes()).hexdigest(), flush=True)


main()
