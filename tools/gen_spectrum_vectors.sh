#!/usr/bin/env bash
# Makes tests/vectors/spectrum: payloads of synthetic voice at several rates, and random bytes behind good heads, which
# drive the decoder to its limits.  MANIFEST's lines: file, SHA-256 of the decoded samples, what it is.
# Usage: tools/gen_spectrum_vectors.sh BUILD_DIR OUT_DIR
set -euo pipefail
build=$(realpath "$1") here=$(realpath "$(dirname "$0")/..")
mkdir -p "$2"
out=$(realpath "$2")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
payload=$here/src/stage/payload
parts=()
for part in range net model pitch transform tables nets; do parts+=("$payload/spectrum_$part.c"); done
gcc -std=c11 -O2 -D_POSIX_C_SOURCE=200809L -I "$here/include" -I "$here/src" -o "$work/decode" "$here/tests/cli/lib/decode_spectrum.c" \
    "$payload/payload_spectrum_decode.c" "$payload/payload_stream.c" "$here/src/base/buf.c" "$here/src/base/err.c" "${parts[@]}"
rm -f "$out"/*
vector() { # NAME WHAT...: the file is there
    local name=$1
    shift
    echo "$name $("$work/decode" "$out/$name" | sha256sum | cut -d ' ' -f 1) $*" >>"$out/MANIFEST"
}
"$build/tools/render_voice" "$work/voice.wav" 48000 16000 7
"$build/tools/render_voice" "$work/short.wav" 333 16000 8
for kbps in 4 9 16 32; do
    OUT=$work "$build/tools/payload_wave" spectrum $kbps "$work/voice.wav" >/dev/null
    cp "$work/voice.wav.spectrum.payload" "$out/voice-$kbps.bin"
    vector "voice-$kbps.bin" "three seconds of synthetic voice at $kbps kbit/s"
done
OUT=$work "$build/tools/payload_wave" spectrum 12 "$work/short.wav" >/dev/null
cp "$work/short.wav.spectrum.payload" "$out/short.bin"
vector short.bin "333 samples"
for quality in 0 100 160 255; do
    python3 - $quality >"$out/random-$quality.bin" <<'PY'
import hashlib, sys
def varint(v):
    out = b""
    while v >= 128:
        out, v = out + bytes([v & 127 | 128]), v >> 7
    return out + bytes([v])
quality, frames = int(sys.argv[1]), 101
head = bytes([1 << 5 | 4 << 2]) + varint(16000) + bytes(32) + varint(0) + varint(frames) + bytes([quality])
body = b"".join(hashlib.sha256(b"%d %d" % (quality, i)).digest() for i in range(64))
sys.stdout.buffer.write((head + body)[:2048])
PY
    vector "random-$quality.bin" "random bytes at quality $quality"
done
