#!/usr/bin/env python3
"""Makes tests/vectors/seal/seal.txt with independent implementations (PyPI cryptography and argon2-cffi).
The text is the seal's specification once more, in Python; half of the vectors must NOT open.
Needs cryptography, argon2-cffi.  Usage: tools/gen_seal_vectors.py > tests/vectors/seal/seal.txt

Lines (hex; "-" is the empty string):
  keys   KIND KEY SALT PAYLOAD HEADER CARRIER DITHER
  badkey KIND KEY STATUS                   (ut_status)
  seal   KEY PLAIN_NBYTES SHA256(SEALED)   plain byte i = (7 i + i // 256) mod 256
  unseal KEY PLAIN_NBYTES STATUS LOST OPS  sealed as above, then changed by OPS, must give STATUS and LOST segments
         OPS: flip:BYTE:BIT cut:NBYTES swap:I:J copy:FROM:TO droplast zero:I
  header KEY PLAIN SEALED | header KEY bad SEALED
"""
import hashlib
from argon2.low_level import Type, hash_secret_raw
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives import hashes

SEG, TAG = 2048, 16
PUBLIC = b"undertone public key 1: hides, does not protect"


# RFC 5869, test case 1: the independent implementation itself
assert HKDF(hashes.SHA256(), 42, bytes(range(13)), bytes(range(0xf0, 0xfa))).derive(b"\x0b" * 22).hex() == (
    "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865")


def derive(kind, key, salt):
    if kind == "public":
        secret = PUBLIC
    elif kind == "passphrase":
        secret = hash_secret_raw(key, salt, time_cost=3, memory_cost=65536, parallelism=1, hash_len=32, type=Type.ID)
    else:
        secret = bytes.fromhex(key.decode().strip().split(":")[1])
    return [HKDF(hashes.SHA256(), 32, salt, b"undertone 1 " + n).derive(secret)
            for n in (b"payload", b"header", b"carrier", b"dither")]


def plain(n):
    return bytes((7 * i + i // 256) % 256 for i in range(n))


def nonce(i, last):
    return bytes(7) + i.to_bytes(4, "big") + bytes([last])


def seal(key, data):
    parts = [data[i:i + SEG] for i in range(0, len(data), SEG)] or [b""]
    return b"".join(AESGCM(key).encrypt(nonce(i, i == len(parts) - 1), p, None) for i, p in enumerate(parts))


def unseal_count(key, sealed):
    """(status, lost): what is authentic where it stands."""
    parts = [sealed[i:i + SEG + TAG] for i in range(0, len(sealed), SEG + TAG)]
    lost = 0
    for i, p in enumerate(parts):
        try:
            AESGCM(key).decrypt(nonce(i, i == len(parts) - 1), p, None)
        except Exception:
            lost += 1
    return (0 if not lost else -4 if lost == len(parts) else -5), lost


def change(sealed, ops):
    b = bytearray(sealed)
    full = SEG + TAG
    for op in ops.split(","):
        name, *arg = op.split(":")
        arg = [int(a) for a in arg]
        if name == "flip":
            b[arg[0]] ^= 1 << arg[1]
        elif name == "cut":
            del b[len(b) - arg[0]:]
        elif name == "swap":
            i, j = arg[0] * full, arg[1] * full
            b[i:i + full], b[j:j + full] = b[j:j + full], b[i:i + full]
        elif name == "copy":
            i, j = arg[0] * full, arg[1] * full
            b[j:j + full] = b[i:i + full]
        elif name == "droplast":
            del b[(len(b) - 1) // full * full:]
        elif name == "zero":
            b[arg[0] * full:(arg[0] + 1) * full] = bytes(full)
    return bytes(b)


def hexed(b):
    return b.hex() or "-"


salts = [bytes(range(16)), bytes(16), bytes(255 - 9 * i for i in range(16))]
keyfile = b"undertone-key-1:" + bytes(range(100, 132)).hex().encode()
good = [("public", b""), ("passphrase", b"correct horse battery staple"), ("passphrase", "Grüße, Welt".encode()),
        ("file", keyfile + b"\n"), ("file", keyfile), ("file", keyfile.upper().replace(b"UNDERTONE-KEY", b"undertone-key") + b"\r\n")]
for i, (kind, key) in enumerate(good):
    salt = salts[i % 3]
    print("keys", kind, hexed(key), hexed(salt), *[hexed(k) for k in derive(kind, key, salt)])
for kind, key, status in [("passphrase", b"", -1), ("passphrase", b"x" * 4097, -1), ("file", b"", -4),
                          ("file", keyfile[:-1], -4), ("file", keyfile + b"0", -4), ("file", keyfile[1:], -4),
                          ("file", keyfile.replace(b"-1:", b"-2:"), -4), ("file", b" " + keyfile, -4),
                          ("file", keyfile[:20] + b"g" + keyfile[21:], -4), ("file", b"\n" * 5000, -4)]:
    print("badkey", kind, hexed(key), status)

keys = derive("public", b"", salts[0])
other_salt, other_key = derive("public", b"", salts[1]), derive("file", keyfile, salts[0])
k = keys[0]
lengths = [0, 1, 15, 16, 2047, 2048, 2049, 4096, 10000]
for n in lengths:
    print("seal", hexed(k), n, hashlib.sha256(seal(k, plain(n))).hexdigest())
for n in lengths:
    print("unseal", hexed(k), n, 0, 0, "-")
full = SEG + TAG
for n, ops in [(10000, "flip:0:0"), (10000, "flip:2047:7"), (10000, "flip:2048:3"), (10000, "flip:2063:0"),
               (10000, "flip:2064:5"), (10000, f"flip:{10000 + 5 * 16 - 1}:1"), (10000, f"flip:{4 * full}:1"),
               (10000, "cut:1"), (10000, "cut:16"), (10000, f"cut:{10000 - 8192 + 16 - 7}"), (10000, "droplast"),
               (10000, "droplast,droplast"), (10000, "swap:0:1"), (10000, "swap:1:3"), (10000, "copy:0:1"),
               (10000, "copy:2:1"), (10000, "zero:2"), (10000, "zero:0,zero:1,zero:2,zero:3,flip:9000:0"),
               (4096, "swap:0:1"), (4096, "droplast"), (4096, "copy:1:0"), (1, "flip:0:0"), (1, "flip:16:7"),
               (0, "flip:3:3"), (1, "cut:1")]:
    print("unseal", hexed(k), n, *unseal_count(k, change(seal(k, plain(n)), ops)), ops)
for wrong in (other_salt[0], other_key[0], keys[1]):  # opened with a wrong key: sealed under k, key given second
    print("wrongkey", hexed(k), hexed(wrong), 5000)


def header(key, p):
    enc = Cipher(algorithms.AES(key), modes.GCM(bytes(12))).encryptor()
    return enc.update(p) + enc.finalize() + enc.tag[:8]


for p in (bytes(24), bytes(range(24)), b"\xff" * 24):
    h = header(keys[1], p)
    print("header", hexed(keys[1]), hexed(p), hexed(h))
h = header(keys[1], bytes(range(24)))
for i, bit in ((0, 0), (23, 7), (24, 0), (31, 7)):
    b = bytearray(h)
    b[i] ^= 1 << bit
    print("header", hexed(keys[1]), "bad", hexed(b))
print("header", hexed(other_salt[1]), "bad", hexed(h))
print("header", hexed(keys[0]), "bad", hexed(h))
