#!/usr/bin/env python3
"""Adds to tests/vectors/format the pictures whose carriers say their bits as the syndrome of a trellis code (spec/format.md, section 6):
one for every form of header and table, folded or not, with such a code or without, made by the program, sent through its channels, and some maltreated.
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
    photo, small, sent = (os.path.join(tmp, n) for n in ("photo.png", "small.png", "sent.png"))
    subprocess.run([os.path.join(build, "tools/render_scene"), photo, "264", "256"], check=True)
    Image.open(photo).crop((0, 0, 200, 160)).save(small)

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

    send("trellis-folded.jpg", "trellis, header folded", "public", ["jpeg:75"], "jpeg:75", long)
    send("trellis-as-sent.png", "trellis, read from pixels that no channel touched", "file", ["jpeg:75"], "png", text)
    send("trellis-folded-table.jpg", "trellis, header and custom table folded", "file", ["jpeg:75", "whatsapp"], "whatsapp", text)
    send("trellis-range.jpg", "trellis for a range, less than two carriers a bit", "public", ["jpeg:75-95"], "jpeg:83", long)
    send("trellis-whatsapp.jpg", "trellis through WhatsApp's table, nearly full", "file", ["whatsapp"], "whatsapp", long * 2)
    send("trellis-small.jpg", "trellis, header as it is: too small a photo to fold it", "public", ["jpeg:75"], "jpeg:75", text, cover=small)
    send("trellis-bch.jpg", "trellis and BCH code", "public", ["jpeg:90"], "jpeg:90", text, "--fec", "bch", cover=small)
    send("plain-header.jpg", "no trellis, header as it is", "public", ["jpeg:85+jpeg:75"], "jpeg:85+jpeg:75", text)
    send("plain-table.jpg", "no trellis, custom table as it is", "file", ["jpeg:85+jpeg:75", "whatsapp"], "jpeg:85+jpeg:75", text)
    send("plain-hamming.jpg", "no trellis, Hamming code", "file", ["jpeg:75"], "jpeg:75", text, "--fec", "hamming")

    folded = Image.open(os.path.join(out, "trellis-folded.jpg")).convert("RGB")
    a, rng = np.array(folded), np.random.RandomState(5)
    a[:, 80:200] = rng.randint(60, 200, a[:, 80:200].shape)
    put("trellis-noise.jpg", "public", jpeg(Image.fromarray(a), 75), KEY, "noise over half of the picture")
    put("trellis-hard.jpg", "public", jpeg(folded, 20), KEY, "compressed far too hard")
    put("trellis-cropped.jpg", "public", jpeg(folded.crop((5, 3, 259, 251)), 95), KEY, "cropped")
    table = Image.open(os.path.join(out, "trellis-folded-table.jpg")).convert("RGB")
    put("trellis-table-hard.jpg", "file", jpeg(table, 25), KEY, "custom table, compressed too hard")
    gentle = damaged(folded)
    put("trellis-damaged.jpg", "public", gentle, DAMAGED, "the header is still there, the rest is not")
    for name, kind in (("trellis-folded.jpg", "file"), ("trellis-range.jpg", "file"), ("trellis-small.jpg", "file"), ("plain-header.jpg", "file"),
                       ("trellis-as-sent.png", "public"), ("trellis-folded-table.jpg", "public"), ("trellis-whatsapp.jpg", "public"),
                       ("plain-hamming.jpg", "public")):
        want(name, kind, KEY, "another key")


def damaged(picture):
    """Coarser in some high frequencies, where neither salt nor header lie: as little as breaks the payload."""
    table = list(Image.open(os.path.join(out, "trellis-folded.jpg")).quantization[0])
    for first in range(60, 14, -2):
        f = io.BytesIO()
        picture.save(f, "JPEG", qtables=[[min(255, 2 * q) if i >= first else q for i, q in enumerate(table)]] * 2, subsampling=0)
        p = subprocess.run([os.path.join(build, "undertone"), "reveal", "-", "-o", os.devnull, "--public"], input=f.getvalue(), capture_output=True)
        if p.returncode == DAMAGED:
            return f.getvalue()
    raise SystemExit("nothing breaks the payload alone")


with tempfile.TemporaryDirectory() as tmp_dir:
    main(tmp_dir)
manifest = os.path.join(out, "MANIFEST")
kept = [line for line in open(manifest).read().splitlines() if not line.startswith(("trellis-", "plain-"))]
with open(manifest, "w") as f:
    f.write("\n".join(kept + lines) + "\n")
failing = sum(line.split()[3] != "0" for line in lines)
print(f"{len(lines)} vectors of trellis codes, {failing} of them must fail")
