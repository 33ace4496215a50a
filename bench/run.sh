#!/usr/bin/env bash
# make bench: every figure of docs/RESULTS.md.  JSON goes to out/bench/, tables to the terminal.  `QUICK=1` takes less time.
set -euo pipefail
build=${1:-build}
root=$(cd "$(dirname "$0")/.." && pwd)
data=${UT_DATA:-$root/../shared/data}
out=$root/out/bench
mkdir -p "$out"
b=$build/bench
echo "# $(date -u +%F), $(git -C "$root" rev-parse --short HEAD 2>/dev/null || echo 'no commit'), $(nproc) cores: $(grep -m1 'model name' /proc/cpuinfo | cut -d: -f2)"

if [ -x "$b/bench_fec" ]; then
    echo; echo "## Error correction (one core)"
    "$b/bench_fec" ${QUICK:+--quick} --table | tee "$out/fec.md"
    "$b/bench_fec" --quick >"$out/fec.json"
fi

kodak=$data/covers/test/kodak
if [ -d "$kodak" ]; then
    echo; echo "## Hiding in the Kodak photos: random bytes at the stated rate, through the real codecs"
    "$b/bench_hide" --table --plain --json "$out/hide.json" "$kodak" | tee "$out/hide.md"
    echo; echo "The greatest payload at 40 dB:"
    for c in whatsapp jpeg:75 jpeg:90 jpeg:75-95 jpeg:50-95 jpeg:85+jpeg:75 webp:80 avif:60; do
        "$b/bench_hide" --max --only "$c" "$kodak" | { [ $c = whatsapp ] && cat || tail -n +3; }
    done | tee "$out/most.md"
    echo; echo "## The table of payload against PSNR that capacity shows, tried"
    for to in whatsapp jpeg:75 jpeg:75-95; do "$b/bench_trade" --to $to "$kodak"/kodim0[147].png; done | tee "$out/trade.md"
    if command -v python3 >/dev/null && command -v butteraugli_main >/dev/null && command -v ssimulacra_main >/dev/null; then
        echo; echo "## What is seen of equal payloads, with the networks and without"
        python3 "$root/bench/seen.py" --program "$build/undertone" --json "$out/seen.json" "$kodak" whatsapp=0.3 jpeg:75-95=0.15 jpeg:75=0.5 webp:80=0.06 webp:80=0.03 webp:90=0.15 | tee "$out/seen.md"
    else
        echo; echo "skipped: what is seen needs python3, butteraugli_main and ssimulacra_main (libjxl-devtools)"
    fi
else
    echo; echo "skipped: $kodak is not here, so there are no photos to hide in"
fi

photos=$data/covers/test/photos
if [ -d "$photos" ]; then
    echo; echo "## Camera photos through whatsapp at 40 dB"
    "$b/bench_capacity" --table "$photos"/*.jpg | tee "$out/capacity.md"
    "$b/bench_capacity" "$photos"/*.jpg >"$out/capacity.json"
else
    echo; echo "skipped: $photos is not here"
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$build/tools/render_scene" "$work/photo.png" 4000 3000 >/dev/null
if command -v espeak-ng >/dev/null && command -v sox >/dev/null; then
    for _ in 1 2 3 4 5 6 7 8 9 10 11 12; do
        echo "The boat left the harbour before sunrise, and nobody on the quay noticed that the light had been changed."
    done >"$work/text"
    espeak-ng -f "$work/text" -w "$work/long.wav"
    sox "$work/long.wav" -r 16000 -c 1 -b 16 "$work/voice.wav" trim 0 60
else
    "$build/tools/render_voice" "$work/voice.wav" 960000 >/dev/null
fi
if [ -x "$b/bench_payload" ]; then
    echo; echo "## Payload codecs"
    "$b/bench_payload" "$work/voice.wav" | tee "$out/payload.json"
fi
echo; echo "## A 12-megapixel photo and 60 s of speech, the command as a whole (median of 3)"
"$b/bench_speed" --table "$build/undertone" "$work/photo.png" "$work/voice.wav" "$work" | tee "$out/speed.md"
"$b/bench_speed" "$build/undertone" "$work/photo.png" "$work/voice.wav" "$work" >"$out/speed.json"

python=${UT_PYTHON:-$root/train/.venv/bin/python}
if [ -x "$b/bench_enhance" ] && "$python" -c 'import torch' 2>/dev/null; then
    echo; echo "## The enhancer's network, C against PyTorch, one thread each, same weights, in turns (medians)"
    OMP_NUM_THREADS=1 "$python" "$root/train/tools/bench_c.py" --program "$b/bench_enhance" ${QUICK:+--rounds 3} --json "$out/enhance.json" | tee "$out/enhance.md"
else
    echo; echo "skipped: no PyTorch at $python (make train-setup), so the enhancer's network has nothing to be compared with"
fi
if ls "$root"/models/hide-*.safetensors >/dev/null 2>&1; then
    echo; echo "## The learned hider's networks on 12 megapixels, two threads"
    "$b/bench_hider" | tee "$out/hider.json"
fi
