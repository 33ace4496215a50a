#!/usr/bin/env python3
"""Makes tests/vectors/format: pictures that the program must open, and more that it must refuse.

Two writers.  Files named program-* come from the program itself, sent through its channels and then maltreated here.
Files named text-* come from this script alone: an independent writer of the low-bits mode, made from spec/format.md
(sections 1, 2, 5, 7), spec/seal.md and spec/payload.md, with other implementations of all primitives; with it come
messages that are authentic and lie.
Needs cryptography, argon2-cffi, Pillow, numpy.  Usage: tools/gen_format_vectors.py BUILD_DIR OUT_DIR
MANIFEST's lines: file (of an album several, joined by "+"), kind of key, key, exit status, SHA-256 of the output or "-", what it is.
"""
import hashlib
import io
import os
import subprocess
import sys
import tempfile

import numpy as np
from argon2.low_level import Type, hash_secret_raw
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from PIL import Image

OK, INPUT, KEY, DAMAGED, OTHER = 0, 3, 5, 6, 8
build, out = (os.path.abspath(p) for p in sys.argv[1:3])
os.makedirs(out, exist_ok=True)
lines = []


def put(name, data):
    with open(os.path.join(out, name), "wb") as f:
        f.write(data)


def want(name, kind, key, status, what, sha="-"):
    if kind == "public":
        key = "-"
    lines.append(f"{name} {kind} {key} {status} {sha} {what}")


# ---- the text once more: format.md section 1
class Stream:
    def __init__(self, key, domain):
        iv = domain.to_bytes(4, "little") + bytes(12)
        self.enc = Cipher(algorithms.AES(key), modes.CTR(iv)).encryptor()

    def u32(self):
        return int.from_bytes(self.enc.update(bytes(4)), "little")

    def below(self, n):
        return self.u32() * n >> 32


PUBLIC_STREAM = b"undertone format 1, salt's place"
PUBLIC = b"undertone public key 1: hides, does not protect"
SEG = 2048


# ---- seal.md
def derive(kind, key, salt):
    if kind == "public":
        secret = PUBLIC
    elif kind == "passphrase":
        secret = hash_secret_raw(key, salt, time_cost=3, memory_cost=65536, parallelism=1, hash_len=32, type=Type.ID)
    else:
        secret = bytes.fromhex(key.decode().strip().split(":")[1])
    return {n: HKDF(hashes.SHA256(), 32, salt, b"undertone 1 " + n.encode()).derive(secret)
            for n in ("payload", "header", "carrier", "dither")}


def seal(key, plain):
    parts = [plain[i:i + SEG] for i in range(0, len(plain), SEG)] or [b""]
    return b"".join(AESGCM(key).encrypt(bytes(7) + i.to_bytes(4, "big") + bytes([i == len(parts) - 1]), p, None)
                    for i, p in enumerate(parts))


def seal_header(key, plain):
    enc = Cipher(algorithms.AES(key), modes.GCM(bytes(12))).encryptor()
    return enc.update(plain) + enc.finalize() + enc.tag[:8]


# ---- payload.md
def varint(v):
    b = bytearray()
    while v >= 0x80:
        b.append(v & 0x7f | 0x80)
        v >>= 7
    return bytes(b + bytes([v]))


def raw_payload(data, total=None, sha=None, first=1 << 5 | 3 << 2):
    total = len(data) if total is None else total
    head = bytes([first]) + varint(total)
    body = head + (hashlib.sha256(data).digest() if sha is None else sha)
    payload = b""
    while True:
        room = SEG - len(body)
        payload += body + data[:room]
        data = data[room:]
        if not data:
            return payload
        body = head


# ---- format.md sections 5 and 7
def header(w, h, nsealed, **k):
    f = dict(version=1, mode=2, table=0, scale=0, fec=0, step=0, zero=0, bits=8 * nsealed, sealed=nsealed, w=w, h=h, zero2=0)
    f.update(k)
    return (bytes([f["version"], f["mode"], f["table"], f["scale"], f["fec"], f["step"]]) + f["zero"].to_bytes(2, "little") +
            f["bits"].to_bytes(4, "little") + f["sealed"].to_bytes(4, "little") + (f["w"] - 1).to_bytes(2, "little") +
            (f["h"] - 1).to_bytes(2, "little") + f["zero2"].to_bytes(4, "little"))


def bits(data):
    return np.unpackbits(np.frombuffer(data, np.uint8), bitorder="little")


def draw(stream, n, room, taken):
    places = []
    while len(places) < n:
        p = stream.below(room)
        if p not in taken:
            taken.add(p)
            places.append(p)
    return places


def low_bits(cover, keys, salt, head, sealed):
    """The picture, and where payload bits lie."""
    s = cover.reshape(-1).astype(int)
    room, taken = len(s), set()
    for places, data in ((draw(Stream(PUBLIC_STREAM, 1), 128, room, taken), salt),
                         (draw(Stream(keys["carrier"], 1), 256, room, taken), head)):
        for p, b in zip(places, bits(data)):
            s[p] = s[p] & ~1 | int(b)
    b, used = list(bits(sealed)), []
    free = room - len(taken)
    base, extra = divmod(len(b), free)
    stream, at = Stream(keys["carrier"], 2), 0
    for i in range(room):
        if i in taken:
            continue
        n = base
        if stream.below(free) < extra:
            n, extra = n + 1, extra - 1
        free -= 1
        for k in range(n):
            s[i] = s[i] & ~(1 << k) | int(b[at]) << k
            at += 1
        if n:
            used.append(i)
    assert at == len(b)
    return s.astype(np.uint8).reshape(cover.shape), used


def png(pixels):
    f = io.BytesIO()
    Image.fromarray(pixels).save(f, "PNG", optimize=True)
    return f.getvalue()


def cover(w, h, seed):
    y, x = np.mgrid[0:h, 0:w]
    r = np.random.RandomState(seed).randint(0, 4, (h, w, 3))
    return np.stack([(x * 3 + y) // 2 % 200 + 20, (x + 2 * y) % 180 + 40, (x * y) // 40 % 150 + 60], 2).astype(np.uint8) + r.astype(np.uint8)


keyfile = b"undertone-key-1:" + hashlib.sha256(b"format vectors, key file").hexdigest().encode() + b"\n"
other = b"undertone-key-1:" + hashlib.sha256(b"format vectors, another").hexdigest().encode() + b"\n"
phrase = "Grüße aus dem Unterton".encode()
put("a.key", keyfile)
put("b.key", other)
put("a.pass", phrase + b"\n")
put("b.pass", b"correct horse\n")
SALT = hashlib.sha256(b"format vectors, salt").digest()[:16]
file_of = {"public": "-", "passphrase": "a.pass", "file": "a.key"}
secret_of = {"public": b"", "passphrase": phrase, "file": keyfile}
text = b"Undertone format vectors: what the text says, the program must do.\n"


def message(name, payload, status, what, kind="public", sha="-", size=(40, 36), change=None, sealed_change=None, **lies):
    w, h = size
    keys = derive(kind, secret_of[kind], SALT)
    sealed = seal(keys["payload"], payload)
    if sealed_change:
        sealed = sealed_change(sealed)
    head = seal_header(keys["header"], header(**{"w": w, "h": h, "nsealed": len(sealed), **lies}))
    pixels, used = low_bits(cover(w, h, len(lines)), keys, SALT, head, sealed)
    if change:
        pixels = change(pixels, used)
    put(name, png(pixels))
    want(name, kind, file_of[kind], status, what, sha)


def whole(name, data, what, kind="public", size=(40, 36)):
    message(name, raw_payload(data), OK, what, kind, hashlib.sha256(data).hexdigest(), size)


def flip(which):
    def change(pixels, used):
        p = pixels.reshape(-1)
        p[which(used)] ^= 1
        return pixels
    return change


def places(n, head):
    """Salt's and header's places in the small picture, public key."""
    taken = set()
    salt = draw(Stream(PUBLIC_STREAM, 1), 128, n, taken)
    return draw(Stream(derive("public", b"", SALT)["carrier"], 1), 256, n, taken) if head else salt


def text_vectors():
    n = 40 * 36 * 3
    long = bytes((7 * i + i // 256) % 256 for i in range(5000))
    whole("text-public.png", text, "one bit in some samples")
    whole("text-file.png", text, "key file", "file")
    whole("text-passphrase.png", text, "passphrase", "passphrase")
    whole("text-empty.png", b"", "no bytes at all")
    whole("text-two-bits.png", long[:800], "two bits in some samples", size=(40, 36))
    whole("text-segments.png", long, "three segments", "file", size=(96, 81))
    whole("text-full.png", long[:(2 * (n - 384)) // 8 - 16 - 1 - 2 - 32], "every sample full")
    whole("text-smallest.png", b"", "hardly room for the header", size=(32, 16))
    for name, kind, key in (("text-file.png", "file", "b.key"), ("text-file.png", "public", "-"),
                            ("text-passphrase.png", "passphrase", "b.pass"), ("text-passphrase.png", "file", "a.key"),
                            ("text-public.png", "passphrase", "a.pass"), ("text-public.png", "file", "a.key")):
        want(name, kind, key, KEY, "another key")
    p = raw_payload(text)
    message("text-payload-flip.png", p, DAMAGED, "one payload bit flipped", change=flip(lambda used: used[37]))
    message("text-header-flip.png", p, KEY, "one header bit flipped", change=flip(lambda used: places(n, True)[200]))
    message("text-salt-flip.png", p, KEY, "one salt bit flipped", change=flip(lambda used: places(n, False)[5]))
    message("text-version-2.png", p, OTHER, "header of a future version", version=2)
    message("text-version-0.png", p, OTHER, "header of a version that never was", version=0)
    message("text-mode-3.png", p, KEY, "unknown mode", mode=3)
    message("text-mode-1.png", p, KEY, "lattice header among low bits", mode=1, table=50, scale=16, fec=1)
    message("text-table.png", p, KEY, "low-bits header with a table", table=50)
    message("text-zero.png", p, KEY, "reserved bytes used", zero=1)
    message("text-zero2.png", p, KEY, "reserved bytes used, at the end", zero2=1 << 31)
    message("text-wide.png", p, KEY, "another width", w=41)
    message("text-tall.png", p, KEY, "another height", h=35)
    message("text-turned.png", p, KEY, "width and height swapped", w=36, h=40)
    message("text-huge.png", p, INPUT, "claims far more bits than the picture has", sealed=(1 << 29) - 1, bits=(1 << 32) - 8)
    message("text-too-huge.png", p, KEY, "claims more bytes than allowed", sealed=(1 << 30) + 1, bits=8)
    message("text-bits.png", p, INPUT, "bits and bytes disagree", bits=8 * (len(p) + 16) + 8)
    message("text-no-bytes.png", p, KEY, "claims nothing", sealed=0, bits=0)
    message("text-15-bytes.png", p, INPUT, "claims fewer bytes than a tag", sealed=15, bits=120)
    message("text-one-less.png", p, DAMAGED, "claims one byte less", sealed=len(p) + 15, bits=8 * (len(p) + 15))
    message("text-swapped.png", raw_payload(long), DAMAGED, "two segments swapped", "file", size=(96, 81),
            sealed_change=lambda s: s[2064:4128] + s[:2064] + s[4128:])
    message("text-no-end.png", raw_payload(long), DAMAGED, "last segment left out", "file", size=(96, 81),
            sealed_change=lambda s: s[:4128])
    # authentic, and lying inside
    message("text-payload-version.png", raw_payload(text, first=2 << 5 | 3 << 2), INPUT, "payload of a future version")
    message("text-codec-0.png", raw_payload(text, first=1 << 5), INPUT, "codec 0")
    message("text-codec-7.png", raw_payload(text, first=1 << 5 | 7 << 2), INPUT, "codec 7")
    message("text-raw-band.png", raw_payload(text, first=1 << 5 | 3 << 2 | 1), INPUT, "raw with a bandwidth")
    message("text-nothing.png", b"", INPUT, "an empty segment")
    message("text-half-head.png", p[:20], INPUT, "ends within the first head")
    message("text-more.png", raw_payload(text, total=len(text) + 1), INPUT, "claims one byte more")
    message("text-less.png", raw_payload(text, total=len(text) - 1), INPUT, "claims one byte less")
    message("text-gigabytes.png", raw_payload(text, total=(1 << 35) - 1), INPUT, "claims 32 GiB")
    message("text-varint.png", p[:1] + bytes([p[1] | 0x80, 0]) + p[2:], INPUT, "a number not in its shortest form")
    message("text-long-varint.png", p[:1] + b"\xff" * 5 + b"\x01" + p[2:], INPUT, "a number too long")
    message("text-sha.png", raw_payload(text, sha=bytes(32)), DAMAGED, "another SHA-256")
    two = bytearray(raw_payload(long[:3000]))
    two[SEG + 1] ^= 1
    message("text-heads.png", bytes(two), INPUT, "heads that disagree", "file", size=(96, 81))
    opus = bytes([1 << 5 | 1 << 2 | 2]) + varint(16000) + bytes(32)
    message("text-opus-short.png", opus + bytes([0] * 3), INPUT, "too few packets")
    message("text-opus-long.png", opus + bytes([0] * 30), INPUT, "too many packets")
    message("text-opus-overrun.png", opus + bytes([0] * 16 + [239, 1]), INPUT, "a packet longer than the message")
    message("text-opus-1276.png", opus + bytes([244, 16 + 12]) + bytes(1276), INPUT, "a packet longer than any", size=(64, 60))
    message("text-opus-day.png", bytes([1 << 5 | 1 << 2]) + varint(1382400001) + bytes(32) + b"\0", INPUT, "longer than a day")
    message("text-opus-none.png", bytes([1 << 5 | 1 << 2]) + varint(0) + bytes(32), INPUT, "no samples")
    message("text-opus-band.png", bytes([1 << 5 | 1 << 2 | 3]) + varint(900) + bytes(32) + b"\0\0", INPUT, "bandwidth 3")
    flac = bytes([1 << 5 | 2 << 2]) + varint(16000) + bytes(32)
    message("text-flac-junk.png", flac + long[:300], INPUT, "no FLAC frames")
    message("text-flac-none.png", flac, INPUT, "no frame at all")
    put("text-nothing-hidden.png", png(cover(40, 36, 1)))
    want("text-nothing-hidden.png", "public", "-", KEY, "nothing hidden")
    put("text-tiny.png", png(cover(3, 2, 1)))
    want("text-tiny.png", "public", "-", KEY, "six pixels")
    whole_png = open(os.path.join(out, "text-public.png"), "rb").read()
    put("text-truncated.png", whole_png[:len(whole_png) * 2 // 3])
    want("text-truncated.png", "public", "-", INPUT, "file cut short")
    put("text-empty-file.png", b"")
    want("text-empty-file.png", "public", "-", INPUT, "empty file")
    put("text-junk.png", long[:400])
    want("text-junk.png", "public", "-", INPUT, "no picture")


# ---- payload.md, "Share", and fec.md, "Albums": the same again
def gf_mul(a, b):
    p = 0
    while b:
        p ^= a if b & 1 else 0
        a = a << 1 ^ (0x11d if a & 0x80 else 0)
        b >>= 1
    return p


GF_INVERSE = [0] + [next(x for x in range(1, 256) if gf_mul(a, x) == 1) for a in range(1, 256)]
GF_TABLE = np.array([[gf_mul(a, b) for b in range(256)] for a in range(256)], np.uint8)


def shares(payload, ndata, counts, needed, album=b"album of vectors", lies={}):
    length = -(-len(payload) // ndata)
    pieces = np.frombuffer(payload.ljust(ndata * length, b"\0"), np.uint8).reshape(ndata, length)
    symbols = list(pieces)
    for s in range(ndata, sum(counts)):
        total = np.zeros(length, np.uint8)
        for j in range(ndata):
            total ^= GF_TABLE[GF_INVERSE[s ^ j]][pieces[j]]
        symbols.append(total)
    parts, at = [], 0
    for i, n in enumerate(counts):
        f = dict(first=1 << 5 | 5 << 2, nphotos=len(counts), needed=needed, index=i, ndata=ndata, total=len(payload), counts=counts)
        f.update(lies)
        head = bytes([f["first"]]) + album + bytes([f["nphotos"], f["needed"], f["index"], f["ndata"] - 1]) + varint(f["total"]) + bytes(f["counts"])
        parts.append(head + b"".join(x.tobytes() for x in symbols[at:at + n]))
        at += n
    return parts


def album_vectors():
    data = bytes((5 * i + i // 200) % 256 for i in range(3000))
    sha = hashlib.sha256(data).hexdigest()
    payload = raw_payload(data)

    def photos(name, parts, size=(96, 81)):
        names = []
        for i, part in enumerate(parts):
            names.append(f"album-{name}-{i}.png")
            keys = derive("public", b"", hashlib.sha256(names[-1].encode()).digest()[:16])
            sealed = seal(keys["payload"], part)
            pixels, _ = low_bits(cover(*size, i), keys, hashlib.sha256(names[-1].encode()).digest()[:16],
                                 seal_header(keys["header"], header(*size, len(sealed))), sealed)
            put(names[-1], png(pixels))
        return names

    a = photos("any2", shares(payload, 7, [3, 4, 5], 2))
    for subset in ("01", "10", "02", "21", "120"):
        want("+".join(a[int(i)] for i in subset), "public", "-", OK, f"any 2 of 3, photos {subset}", sha)
    for i in range(3):
        want(a[i], "public", "-", INPUT, f"any 2 of 3, photo {i} alone")
    want(a[0] + "+" + a[0], "public", "-", INPUT, "the same photo twice")
    b = photos("all", shares(payload, 200, [90, 110], 2, album=b"another 16 bytes"))
    want(b[1] + "+" + b[0], "public", "-", OK, "all of 2, 200 pieces", sha)
    want(b[1] + "+" + a[0], "public", "-", INPUT, "photos of two albums")
    want(a[0] + "+text-public.png", "public", "-", INPUT, "an album's photo and one of its own")
    want(a[0] + "+" + a[1] + "+text-nothing-hidden.png", "public", "-", OK, "two photos, and one without a message", sha)
    c = photos("any1", shares(payload, 100, [100, 120], 1, album=bytes(16)))
    want(c[0], "public", "-", OK, "any 1 of 2, the pieces themselves", sha)
    want(c[1], "public", "-", OK, "any 1 of 2, sums only", sha)
    for name, what, lies in (("none", "no photos", dict(nphotos=0)), ("many", "65 photos", dict(nphotos=65)), ("needed", "none needed", dict(needed=0)),
                             ("more", "more needed than there are", dict(needed=4)), ("index", "a photo beyond the last", dict(index=3)),
                             ("poor", "photos needed that have too little", dict(needed=1)), ("long", "claims 32 GiB", dict(total=(1 << 35) - 1)),
                             ("short", "claims fewer bytes", dict(total=2000)), ("nothing", "claims no bytes", dict(total=0)),
                             ("zero", "a photo without symbols", dict(counts=[3, 0, 9])), ("sum", "257 symbols", dict(counts=[3, 4, 250])),
                             ("first", "an unknown kind", dict(first=1 << 5 | 6 << 2))):
        bad = photos("bad-" + name, shares(payload, 7, [3, 4, 5], 2, lies=lies)[:1])
        want(bad[0], "public", "-", INPUT, what)


def run(*args):
    subprocess.run([os.path.join(build, "undertone"), *args], check=True, stdout=subprocess.DEVNULL)


def sha_of(path):
    return hashlib.sha256(open(path, "rb").read()).hexdigest()


def jpeg(picture, quality):
    f = io.BytesIO()
    picture.save(f, "JPEG", quality=quality)
    return f.getvalue()


def program_vectors(tmp):
    photo, voice, words = (os.path.join(tmp, n) for n in ("photo.png", "voice.wav", "words"))
    subprocess.run([os.path.join(build, "tools/render_scene"), photo, "256", "256"], check=True)
    subprocess.run([os.path.join(build, "tools/render_voice"), voice, "9600"], check=True)
    with open(words, "wb") as f:
        f.write(text)
    keys = {"public": ["--public"], "passphrase": ["--passphrase-file", os.path.join(out, "a.pass")],
            "file": ["--key-file", os.path.join(out, "a.key")]}

    def send(name, what, kind, to, through, source, *options, size=None, ext=".png"):
        sent, preview, got = os.path.join(tmp, "sent" + ext), os.path.join(tmp, "p.wav"), os.path.join(out, name)
        cover_of = photo
        if size:
            cover_of = os.path.join(tmp, "small.png")
            Image.open(photo).crop((0, 0, *size)).save(cover_of)
        extra = ["--codec", "raw"] if source == words else ["--preview", preview]
        run("hide", source, cover_of, "-o", sent, *sum((["--to", t] for t in to), []), *keys[kind], *extra, *options)
        if through:
            run("channel", sent, got, "--through", through)
        else:
            os.replace(sent, got)
        want(name, kind, file_of[kind], OK, what, sha_of(words if source == words else preview))
        return Image.open(got).convert("RGB")

    j75 = send("program-jpeg75.jpg", "lattice through JPEG 75, voice", "file", ["jpeg:75"], "jpeg:75", voice, "--codec", "opus", "--bitrate", "6")
    send("program-jpeg90-range.jpg", "lattice for a range, received at 90", "public", ["jpeg:75-95"], "jpeg:90", words)
    send("program-whatsapp.jpg", "lattice through WhatsApp's table", "passphrase", ["whatsapp"], "whatsapp", words)
    send("program-custom.jpg", "lattice of a custom table, received at 75", "file", ["jpeg:75", "whatsapp"], "jpeg:75", words)
    run_custom = os.path.join(out, "program-custom.jpg")
    send("program-sent.jpg", "JPEG as sent", "public", ["jpeg:80"], None, words, ext=".jpg")
    for fec in ("bch", "rs"):
        send(f"program-{fec}.jpg", f"{fec} code", "public", ["jpeg:90"], "jpeg:90", words, "--fec", fec, size=(200, 184))
    send("program-lowbits.png", "low bits", "file", ["png"], None, words, size=(72, 56))
    send("program-lowbits.webp", "low bits in lossless WebP", "public", ["png"], None, words, size=(72, 56), ext=".webp")
    want("program-jpeg75.jpg", "file", "b.key", KEY, "another key file")
    want("program-jpeg75.jpg", "public", "-", KEY, "public instead of key file")
    want("program-whatsapp.jpg", "passphrase", "b.pass", KEY, "another passphrase")
    want("program-custom.jpg", "file", "b.key", KEY, "another key file")
    want("program-bch.jpg", "file", "a.key", KEY, "key file instead of public")

    def spoil(name, data, status, what):
        put(name, data)
        want(name, "file", "a.key", status, what)
    spoil("program-cropped.jpg", jpeg(j75.crop((3, 5, 250, 250)), 90), KEY, "cropped")
    spoil("program-resized.jpg", jpeg(j75.resize((192, 192), Image.BICUBIC), 90), KEY, "made smaller")
    spoil("program-hard.jpg", jpeg(j75, 5), KEY, "compressed far too hard")
    put("program-turned.jpg", jpeg(j75.transpose(Image.ROTATE_90), 90))
    as_75 = next(line.split()[4] for line in lines if line.startswith("program-jpeg75.jpg file a.key 0"))
    want("program-turned.jpg", "file", "a.key", 0, "lattice through JPEG 75, turned and saved at 90", as_75)
    spoil("program-wrong-table.jpg", jpeg(j75, 25), KEY, "compressed by a table far from the lattice's")
    # the salt has no redundancy: noise in every third of the other blocks leaves a message that is found, and broken
    blocks = [r // 12 for r in draw(Stream(PUBLIC_STREAM, 0), 128, 12 * 32 * 32, set())]
    a, rng = np.array(j75), np.random.RandomState(3)
    for b in range(0, 32 * 32):
        if b not in blocks and rng.rand() < 0.3:
            y, x = b // 32 * 8, b % 32 * 8
            a[y:y + 8, x:x + 8] = rng.randint(60, 200, (8, 8, 1))
    spoil("program-noise.jpg", jpeg(Image.fromarray(a), 75), DAMAGED, "noise in blocks that the salt does not need")
    a = np.array(j75)
    a[:64] = rng.randint(0, 256, a[:64].shape)
    spoil("program-noise-salt.jpg", jpeg(Image.fromarray(a), 75), KEY, "noise over a quarter of the picture")
    whole_jpeg = open(os.path.join(out, "program-jpeg75.jpg"), "rb").read()
    spoil("program-truncated.jpg", whole_jpeg[:len(whole_jpeg) // 3], INPUT, "file cut short")
    custom = Image.open(run_custom).convert("RGB")
    put("program-custom-hard.jpg", jpeg(custom, 15))
    want("program-custom-hard.jpg", "file", "a.key", KEY, "custom table, compressed too hard")
    put("program-plain.jpg", jpeg(Image.open(photo).convert("RGB"), 75))
    want("program-plain.jpg", "public", "-", KEY, "nothing hidden")
    p = Image.open(os.path.join(out, "program-lowbits.png")).convert("RGB")
    put("program-lowbits-lossy.jpg", jpeg(p, 95))
    want("program-lowbits-lossy.jpg", "file", "a.key", KEY, "low bits after JPEG 95")


text_vectors()
with tempfile.TemporaryDirectory() as tmp:
    program_vectors(tmp)
album_vectors()
manifest = os.path.join(out, "MANIFEST")
kept = [line for line in open(manifest).read().splitlines() if line.startswith("trellis-")] if os.path.exists(manifest) else []
with open(manifest, "w") as f:  # gen_trellis_vectors.py tells of what cannot be made again
    f.write("\n".join(lines + kept) + "\n")
subprocess.run([sys.executable, os.path.join(os.path.dirname(__file__), "gen_trellis_vectors.py"), build, out], check=True)
failing = sum(line.split()[3] != "0" for line in lines)
print(f"{len(lines)} vectors, {failing} of them must fail, {sum(os.path.getsize(os.path.join(out, n)) for n in os.listdir(out))} bytes")
