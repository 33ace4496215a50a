#!/usr/bin/env python3
"""Writes tests/vectors/image: small image files made by other implementations, and what must come out of them.

Needs Pillow (13.0.0 was used), pillow-heif (1.8.1), NumPy and scikit-image (0.26.0).  Every picture is computed here; none is taken from
anywhere.  index.txt has a line a file:

    file width height format bits grey alpha cmyk orientation expected

expected: sha256:HEX of the RGB bytes, followed by the alpha bytes if there are any; or near:FILE, a PNG that the
decoded pixels must resemble (HEIC and AVIF: YUV to RGB conversion differs between implementations).
figures.txt has PSNR and SSIM of pairs of files from scikit-image.
"""
import hashlib
import io
import struct
import sys
import zlib
from pathlib import Path

import numpy as np
import pillow_heif
from PIL import Image, ImageCms
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

OUT = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent.parent / "tests" / "vectors" / "image")
W, H = 53, 38
DEEP = 10  # pillow-heif's bits a sample for 16-bit pictures
INDEX = []
pillow_heif.register_heif_opener()


def picture(w=W, h=H):
    """Smooth ramps, an edge and a little fixed noise: RGB, uint8."""
    y, x = np.mgrid[0:h, 0:w].astype(np.float64)
    r = 30 + 190 * x / w
    g = 40 + 150 * y / h + 20 * np.sin(x / 4)
    b = np.where((x - w / 2) ** 2 + (y - h / 2) ** 2 < (h / 3) ** 2, 210, 70)
    noise = np.random.default_rng(1).integers(-6, 7, (h, w, 3))
    return np.clip(np.stack([r, g, b], -1) + noise, 0, 255).astype(np.uint8)


def alpha(w=W, h=H):
    y, x = np.mgrid[0:h, 0:w]
    return ((x * 5 + y * 3) % 256 * (x > 4)).astype(np.uint8)


def add(name, data, rgb, a=None, fmt="PNG", bits=8, grey=0, cmyk=0, orientation=1, near=None):
    (OUT / name).write_bytes(data)
    h, w = rgb.shape[:2]
    if near:
        save(near, rgb if a is None else np.dstack([rgb, a]), "PNG")
        expected = f"near:{near}"
    else:
        digest = hashlib.sha256(rgb.tobytes() + (b"" if a is None else a.tobytes()))
        expected = f"sha256:{digest.hexdigest()}"
    INDEX.append(f"{name} {w} {h} {fmt} {bits} {grey} {int(a is not None)} {cmyk} {orientation} {expected}")


def save(name, array, fmt, **kw):
    Image.fromarray(array).save(OUT / name, fmt, **kw)


def coded(image, fmt, **kw):
    f = io.BytesIO()
    image.save(f, fmt, **kw)
    return f.getvalue()


def decoded(data, mode="RGB"):
    return np.asarray(Image.open(io.BytesIO(data)).convert(mode))


def chunk(kind, body):
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(rows, w, h, depth, colour, interlace=0, extra=b""):
    """rows: filtered byte rows, already in file order."""
    head = struct.pack(">IIBBBBB", w, h, depth, colour, 0, 0, interlace)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + extra + chunk(b"IDAT", zlib.compress(b"".join(rows), 9))
            + chunk(b"IEND", b""))


def plain_rows(a):
    return [b"\0" + r.tobytes() for r in a]


def adam7_rows(a):
    passes = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
    return [r for x, y, dx, dy in passes for r in plain_rows(a[y::dy, x::dx])]


def pngs(rgb, a):
    grey = rgb[..., 1]
    three = np.repeat(grey[..., None], 3, -1)
    add("rgb.png", coded(Image.fromarray(rgb), "PNG"), rgb)
    add("rgba.png", coded(Image.fromarray(np.dstack([rgb, a])), "PNG"), rgb, a)
    add("grey.png", coded(Image.fromarray(grey), "PNG"), three, grey=1)
    add("grey_alpha.png", coded(Image.fromarray(np.dstack([grey, a]), "LA"), "PNG"), three, a, grey=1)
    add("interlaced.png", png(adam7_rows(rgb), W, H, 8, 2, 1), rgb)
    add("interlaced_alpha.png", png(adam7_rows(np.dstack([rgb, a])), W, H, 8, 6, 1), rgb, a)
    deep = np.random.default_rng(2).integers(0, 65536, (H, W, 3)).astype(np.uint16)
    eight = ((deep.astype(np.uint32) * 2 + 257) // 514).astype(np.uint8)  # round(v / 257)
    add("rgb16.png", png(plain_rows(deep.astype(">u2")), W, H, 16, 2), eight, bits=16)
    add("grey16.png", png(plain_rows(deep[..., 0].astype(">u2")), W, H, 16, 0), np.repeat(eight[..., :1], 3, -1), bits=16,
        grey=1)
    bit = (grey > 110).astype(np.uint8)
    add("grey1.png", png(plain_rows(np.packbits(bit, axis=1)), W, H, 1, 0), np.repeat(bit[..., None] * 255, 3, -1),
        bits=1, grey=1)
    p = Image.fromarray(rgb).quantize(12)
    see = bytes([0, 60, 128, 200])
    pal = np.asarray(p.getpalette()[:36], np.uint8).reshape(12, 3)
    index = np.asarray(p)
    opacity = np.array(list(see) + [255] * 8, np.uint8)[index]
    add("palette_trns.png", coded(p, "PNG", transparency=see, bits=4), pal[index], opacity, bits=4)
    key = tuple(int(v) for v in rgb[3, 5])
    hidden = np.where((rgb == key).all(-1), 0, 255).astype(np.uint8)
    add("rgb_trns.png", png(plain_rows(rgb), W, H, 8, 2, 0, chunk(b"tRNS", struct.pack(">HHH", *key))), rgb, hidden)


def jpegs(rgb):
    image = Image.fromarray(rgb)
    kinds = {"q75.jpg": dict(quality=75), "q90_444.jpg": dict(quality=90, subsampling=0),
             "q60_422.jpg": dict(quality=60, subsampling=1), "progressive.jpg": dict(quality=80, progressive=True),
             "rgb.jpg": dict(quality=85, keep_rgb=True)}
    whatsapp = [int(v) for line in (Path(__file__).parent.parent / "data/profiles/whatsapp.profile").open()
                if line.startswith("luma") for v in line.split("=")[1].split()]
    f = io.BytesIO(coded(image, "JPEG", quality=67))
    chroma = list(Image.open(f).quantization[1])
    kinds["whatsapp.jpg"] = dict(qtables=[whatsapp, chroma], subsampling=2)
    for name, kw in kinds.items():
        data = coded(image, "JPEG", **kw)
        add(name, data, decoded(data), fmt="JPEG")
    data = coded(image.convert("L"), "JPEG", quality=85)
    add("grey.jpg", data, np.repeat(decoded(data, "L")[..., None], 3, -1), fmt="JPEG", grey=1)
    # Pillow writes CMYK as Adobe does, inverted, and gives it back upright: 255 is full ink
    ink = np.dstack([255 - rgb, np.full((H, W), 40, np.uint8)])
    data = coded(Image.fromarray(ink, "CMYK"), "JPEG", quality=95)
    back = 255 - np.asarray(Image.open(io.BytesIO(data))).astype(np.uint32)
    add("cmyk.jpg", data, ((back[..., :3] * back[..., 3:] + 127) // 255).astype(np.uint8), fmt="JPEG", cmyk=1)


def tiff(orientation, big):
    """IFD0 with orientation and a pointer to an EXIF IFD with the pixel dimensions."""
    e = ">" if big else "<"
    entry = lambda tag, kind, v: struct.pack(e + "HHI", tag, kind, 1) + (
        struct.pack(e + "HH", v, 0) if kind == 3 else struct.pack(e + "I", v))
    ifd0 = struct.pack(e + "H", 2) + entry(0x112, 3, orientation) + entry(0x8769, 4, 38) + struct.pack(e + "I", 0)
    sub = struct.pack(e + "H", 2) + entry(0xA002, 4, 4000) + entry(0xA003, 3, 3000) + struct.pack(e + "I", 0)
    return (b"MM\0*" if big else b"II*\0") + struct.pack(e + "I", 8) + ifd0 + sub


TURN = {2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_270, 7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_90}


def oriented(rgb):
    image = Image.fromarray(rgb)
    for o in range(1, 9):
        data = coded(image, "JPEG", quality=88, exif=b"Exif\0\0" + tiff(o, o % 2 == 0))
        seen = Image.open(io.BytesIO(data)).convert("RGB")
        add(f"orientation{o}.jpg", data, np.asarray(seen.transpose(TURN[o]) if o > 1 else seen), fmt="JPEG", orientation=o)
    add("orientation6.png", coded(image, "PNG", exif=tiff(6, True)), np.asarray(image.transpose(TURN[6])), orientation=6)
    data = coded(image, "WEBP", lossless=True, exif=tiff(8, False))
    add("orientation8.webp", data, np.asarray(image.transpose(TURN[8])), fmt="WebP", orientation=8)


def webps(rgb, a):
    image, both = Image.fromarray(rgb), Image.fromarray(np.dstack([rgb, a]))
    icc = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    icc[24:36] = struct.pack(">6H", 2026, 1, 1, 0, 0, 0)  # the creation date
    icc = bytes(icc)
    data = coded(image, "WEBP", quality=80, icc_profile=icc)
    add("lossy.webp", data, decoded(data), fmt="WebP")
    data = coded(both, "WEBP", quality=70)
    seen = decoded(data, "RGBA")
    add("lossy_alpha.webp", data, seen[..., :3].copy(), seen[..., 3].copy(), fmt="WebP")
    add("lossless.webp", coded(image, "WEBP", lossless=True), rgb, fmt="WebP")
    add("lossless_alpha.webp", coded(both, "WEBP", lossless=True, exact=True), rgb, a, fmt="WebP")
    (OUT / "icc.jpg").write_bytes(coded(image, "JPEG", icc_profile=icc, exif=b"Exif\0\0" + tiff(1, False)))
    (OUT / "icc.png").write_bytes(coded(image, "PNG", icc_profile=icc, exif=tiff(1, False)))
    (OUT / "icc.expected").write_bytes(icc)
    (OUT / "exif.expected").write_bytes(tiff(1, False))


def heifs(rgb, a):
    image = Image.fromarray(picture(64, 48))
    f = io.BytesIO()
    image.save(f, "HEIF", quality=80, exif=b"Exif\0\0" + tiff(1, False))
    add("photo.heic", f.getvalue(), decoded(f.getvalue()), fmt="HEIC", near="photo_heic.png")
    f = io.BytesIO()
    exif = image.getexif()
    exif[0x112] = 6  # pillow-heif turns this into a rotation box ("irot")
    image.save(f, "HEIF", quality=80, exif=exif.tobytes())
    add("rotated.heic", f.getvalue(), decoded(f.getvalue()), fmt="HEIC", near="rotated_heic.png")
    deep = np.asarray(image).astype(np.uint16) * 257
    f = io.BytesIO()
    pillow_heif.encode("RGB;16", image.size, deep.astype("<u2").tobytes(), f, quality=90, chroma=444)
    add("deep.heic", f.getvalue(), decoded(f.getvalue()), fmt="HEIC", bits=DEEP, near="deep_heic.png")
    data = coded(image, "AVIF", quality=80)
    add("photo.avif", data, decoded(data), fmt="AVIF", near="photo_avif.png")
    both = Image.fromarray(np.dstack([rgb, a]))
    data = coded(both, "AVIF", quality=85, subsampling="4:4:4")
    seen = decoded(data, "RGBA")
    add("alpha.avif", data, seen[..., :3].copy(), seen[..., 3].copy(), fmt="AVIF", near="alpha_avif.png")


def luma(rgb):
    return rgb.astype(np.float64) @ np.array([0.299, 0.587, 0.114])


def figures(rgb):
    lines = []
    for name in ("q75.jpg", "q60_422.jpg", "whatsapp.jpg"):
        b = decoded((OUT / name).read_bytes())
        psnr = peak_signal_noise_ratio(rgb, b, data_range=255)
        ssim = structural_similarity(luma(rgb), luma(b), gaussian_weights=True, sigma=1.5, use_sample_covariance=False,
                                     data_range=255)
        lines.append(f"rgb.png {name} {psnr:.9f} {ssim:.9f}")
    (OUT / "figures.txt").write_text("\n".join(lines) + "\n")


def resized(rgb, a):
    for w, h in ((20, 14), (101, 60), (53, 9), (7, 70)):
        image = Image.fromarray(rgb).resize((w, h), Image.Resampling.LANCZOS)
        image.save(OUT / f"lanczos_{w}x{h}.png")


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    rgb, a = picture(), alpha()
    pngs(rgb, a)
    jpegs(rgb)
    oriented(rgb)
    webps(rgb, a)
    heifs(rgb, a)
    figures(rgb)
    resized(rgb, a)
    (OUT / "index.txt").write_text("\n".join(INDEX) + "\n")


main()
