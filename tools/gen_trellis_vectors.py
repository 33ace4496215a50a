#!/usr/bin/env python3
"""Adds to tests/vectors/format the pictures whose carriers say their bits as the syndrome of a trellis code (spec/format.md, section 6):
quiet headers, headers and tables on the preamble's lattice, folded or not, with such a code or without, made by the program, sent through its channels, and some
maltreated.  Those called trellis-*, but for trellis-folded-table, were made by writers before there was a quiet header: they cannot be made again, must go on being
read, and are kept as they are.
gen_format_vectors.py runs it last; by itself it replaces its own lines of MANIFEST only.
Needs Pillow and numpy.  Usage: tools/gen_trellis_vectors.py BUILD_DIR OUT_DIR
"""
import hashlib
import io
import os
import subprocess
import sys
import tempfile

import numpy as np
from PIL import Image

OK, KEY, DAMAGED = 0, 5, 6
build, out = (os.path.abspath(p) for p in sys.argv[1:3])
text = b"Undertone format vectors: which carriers say a bit is the writer's choice.\n"
long = bytes((11 * i + i // 256) % 256 for i in range(1500))
key = {"public": ["--public"], "file": ["--key-file", os.path.join(out, "a.key")]}
lines = []


def run(*args):
    subprocess.run([os.path.join(build, "undertone"), *args], check=True, stdout=subprocess.DEVNULL)


def want(name, kind, status, what, sha="-"):
    lines.append(f"{name} {kind} {'a.key' if kind == 'file' else '-'} {status} {sha} {what}")


def put(name, kind, data, status, what):
    with open(os.path.join(out, name), "wb") as f:
        f.write(data)
    want(name, kind, status, what)


def jpeg(picture, quality):
    f = io.BytesIO()
    picture.save(f, "JPEG", quality=quality)
    return f.getvalue()


def main(tmp):
    photo, small, least, sent = (os.path.join(tmp, n) for n in ("photo.png", "small.png", "least.png", "sent.png"))
    subprocess.run([os.path.join(build, "tools/render_scene"), photo, "264", "256"], check=True)
    Image.open(photo).crop((0, 0, 200, 160)).save(small)
    Image.open(photo).crop((0, 0, 112, 88)).save(least)

    def send(name, what, kind, to, through, data, *options, cover=photo):
        source = os.path.join(tmp, "data")
        with open(source, "wb") as f:
            f.write(data)
        run("hide", source, cover, "-o", sent, "--codec", "raw", *sum((["--to", t] for t in to), []), *key[kind], "--min-psnr", "30", *options)
        if through == "png":
            os.replace(sent, os.path.join(out, name))
        else:
            run("channel", sent, os.path.join(out, name), "--through", through)
        want(name, kind, OK, what, hashlib.sha256(data).hexdigest())

    send("quiet.jpg", "quiet header", "public", ["jpeg:75"], "jpeg:75", long)
    send("quiet-as-sent.png", "quiet header, read from pixels that no channel touched", "file", ["jpeg:75"], "png", text)
    send("quiet-range.jpg", "quiet header of two carriers a bit, for a range", "public", ["jpeg:75-95"], "jpeg:83", long)
    send("quiet-whatsapp.jpg", "quiet header in WhatsApp's table, nearly full", "file", ["whatsapp"], "whatsapp", long * 2)
    send("quiet-small.jpg", "quiet header in a small photo", "public", ["jpeg:75"], "jpeg:75", text, cover=small)
    send("quiet-least.jpg", "quiet header of two carriers a bit: hardly room for it", "file", ["jpeg:90"], "jpeg:90", text[:9], cover=least)
    send("quiet-bch.jpg", "quiet header and BCH code", "public", ["jpeg:90"], "jpeg:90", text, "--fec", "bch", cover=small)
    send("trellis-folded-table.jpg", "trellis, header and custom table folded", "file", ["jpeg:75", "whatsapp"], "whatsapp", text)
    send("plain-header.jpg", "no trellis, header as it is", "public", ["jpeg:85+jpeg:75"], "jpeg:85+jpeg:75", text)
    send("plain-table.jpg", "no trellis, custom table as it is", "file", ["jpeg:85+jpeg:75", "whatsapp"], "jpeg:85+jpeg:75", text)
    send("plain-hamming.jpg", "no trellis, Hamming code", "file", ["jpeg:75"], "jpeg:75", text, "--fec", "hamming")

    quiet = Image.open(os.path.join(out, "quiet.jpg")).convert("RGB")
    a, rng = np.array(quiet), np.random.RandomState(5)
    a[:, 80:200] = rng.randint(60, 200, a[:, 80:200].shape)
    put("quiet-noise.jpg", "public", jpeg(Image.fromarray(a), 75), KEY, "noise over half of the picture")
    put("quiet-hard.jpg", "public", jpeg(quiet, 20), KEY, "compressed far too hard")
    put("quiet-cropped.jpg", "public", jpeg(quiet.crop((5, 3, 259, 251)), 95), KEY, "cropped")
    quiet.transpose(Image.Transpose.ROTATE_90).save(os.path.join(out, "quiet-turned.png"))
    want("quiet-turned.png", "public", OK, "turned by a right angle", hashlib.sha256(long).hexdigest())
    put("quiet-damaged.jpg", "public", damaged(quiet), DAMAGED, "the header is still there, the rest is not")
    table = Image.open(os.path.join(out, "trellis-folded-table.jpg")).convert("RGB")
    put("trellis-table-hard.jpg", "file", jpeg(table, 25), KEY, "custom table, compressed too hard")
    for name, kind in (("quiet.jpg", "file"), ("quiet-range.jpg", "file"), ("quiet-small.jpg", "file"), ("quiet-bch.jpg", "file"), ("quiet-least.jpg", "public"),
                       ("plain-header.jpg", "file"), ("quiet-as-sent.png", "public"), ("quiet-whatsapp.jpg", "public"),
                       ("trellis-folded-table.jpg", "public"), ("plain-hamming.jpg", "public")):
        want(name, kind, KEY, "another key")


def damaged(picture):
    """Coarser in some high frequencies, where the header does not lie: as little as breaks the payload."""
    table = list(Image.open(os.path.join(out, "quiet.jpg")).quantization[0])
    for first in range(60, 22, -2):
        f = io.BytesIO()
        picture.save(f, "JPEG", qtables=[[min(255, 2 * q) if i >= first else q for i, q in enumerate(table)]] * 2, subsampling=0)
        p = subprocess.run([os.path.join(build, "undertone"), "reveal", "-", "-o", os.devnull, "--public"], input=f.getvalue(), capture_output=True)
        if p.returncode == DAMAGED:
            return f.getvalue()
    raise SystemExit("nothing breaks the payload alone")


with tempfile.TemporaryDirectory() as tmp_dir:
    main(tmp_dir)
manifest = os.path.join(out, "MANIFEST")
ours = {tuple(line.split()[:2]) for line in lines}
kept = [line for line in open(manifest).read().splitlines() if tuple(line.split()[:2]) not in ours]
with open(manifest, "w") as f:
    f.write("\n".join(kept + lines) + "\n")
failing = sum(line.split()[3] != "0" for line in lines)
print(f"{len(lines)} vectors of trellis codes, {failing} of them must fail")
