#!/usr/bin/env bash
# Hide, send, reveal: every error-correcting code, file format and kind of channel, bit for bit.
. "$2/tests/cli/lib/common.bash"
scene photo.png 640 480
voice voice.wav 16000
printf 'swordfish\n' >pass
key=(--passphrase-file pass)

# trip NAME OUT CHANNEL OPTIONS...; the picture is sent through $send if that is set, else through CHANNEL
trip() {
    local name=$1 out=$2 channel=$3 way
    shift 3
    ok hide voice.wav photo.png -o "$out" --to "$channel" "${key[@]}" --preview preview.wav "$@"
    present "$out"
    ok reveal "$out" -o direct.wav "${key[@]}"
    same direct.wav preview.wav
    for way in ${send:-$channel}; do
        ok channel "$out" received --through "$way"
        ok reveal received -o heard.wav "${key[@]}"
        same heard.wav preview.wav
    done
    is "$name: size of the preview" "$(stat -c %s preview.wav)" "$(stat -c %s voice.wav)"
    rm -f "$out" received direct.wav heard.wav preview.wav
    no_litter
}
kind() { od -A n -t x1 -N 12 "$1" | tr -d ' \n'; }

trip whatsapp sent.png whatsapp
trip "jpeg 75" sent.png jpeg:75
trip png sent.png png
send="jpeg:75 jpeg:83 jpeg:95" trip range sent.png jpeg:75-95
for fec in ldpc bch rs; do
    trip "$fec" sent.png jpeg:90 --fec $fec
done
trip "jpeg file" sent.jpg jpeg:75
trip "webp file" sent.webp jpeg:75
trip flac sent.png png --codec flac
trip opus sent.png jpeg:90 --codec opus --bitrate 8
trip spectrum sent.png jpeg:90 --codec spectrum --bitrate 8
trip "webp 80" sent.png webp:80 --min-psnr 32
trip "avif 60" sent.png avif:60 --min-psnr 32
trip "jpeg file through webp" sent.jpg webp:90 --min-psnr 32
send="jpeg:50 webp:80" trip "two unlike" sent.png jpeg:50-95 --to webp:80 --min-psnr 32
trip "two threads" sent.png jpeg:75 --threads 2

# several channels at once: each must come through
ok hide voice.wav photo.png -o sent.png --to whatsapp --to jpeg:75 --to png "${key[@]}" --preview preview.wav
for channel in whatsapp jpeg:75 png; do
    ok channel sent.png received --through $channel
    ok reveal received -o heard.wav "${key[@]}"
    same heard.wav preview.wav
done

# file formats are what the name says
ok hide voice.wav photo.png -o f.png --to jpeg:75 "${key[@]}"
matches "a PNG file" "$(kind f.png)" '^89504e47'
ok hide voice.wav photo.png -o f.JPG --to jpeg:75 "${key[@]}"
matches "a JPEG file" "$(kind f.JPG)" '^ffd8ff'
ok hide voice.wav photo.png -o f.webp --to jpeg:75 "${key[@]}"
matches "a WebP file" "$(kind f.webp)" '^52494646........57454250'

# any bytes
head -c 3000 /dev/urandom >bytes
ok hide bytes photo.png -o raw.png --to jpeg:75 --codec raw "${key[@]}"
ok channel raw.png raw.jpg --through jpeg:75
ok reveal raw.jpg -o bytes.back "${key[@]}"
same bytes bytes.back

# a Hamming code repairs one bit in seven, so only little gets through with errors to spare
head -c 64 /dev/urandom >few
ok hide few photo.png -o raw.png --to whatsapp --codec raw --fec hamming "${key[@]}"
ok channel raw.png raw.jpg --through whatsapp
ok reveal raw.jpg -o few.back "${key[@]}"
same few few.back

# compare
ok compare preview.wav heard.wav
matches "equal recordings" "$(cat out.txt)" identical
ok compare photo.png photo.png
matches "equal pictures" "$(cat out.txt)" identical
ok compare photo.png f.png
matches "different pictures" "$(cat out.txt)" 'PSNR [0-9.]+ dB'
refused 3 voice.wav compare photo.png voice.wav
ok capacity photo.png --to whatsapp
matches "capacity" "$(cat out.txt)" '[0-9] bytes'

# the words of the report
ok hide voice.wav photo.png -o sent.png --to whatsapp "${key[@]}" -v
for word in verified sha-256 PSNR whatsapp; do matches "report" "$(cat out.txt)" "$word"; done
ok hide voice.wav photo.png -o sent.png --to whatsapp "${key[@]}" -q
is "quiet" "$(cat out.txt)" ""
finish
