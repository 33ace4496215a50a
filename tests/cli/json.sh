#!/usr/bin/env bash
# --json: one valid object on standard output, for results and for errors.
. "$2/tests/cli/lib/common.bash"
scene photo.png 320 240
voice voice.wav 4000
printf 'swordfish\n' >pass
printf 'other\n' >other
key=(--passphrase-file pass)
name=$(printf 'q"\\u\t\303\251\377 .png') # quote, backslash, tab, UTF-8, and a byte that is none
cp photo.png "$name"
ok hide voice.wav "$name" -o "$name" --to png "${key[@]}" --json
json_valid out.txt
for member in output sha256 psnr_db verified steps seconds codec payload_bytes; do
    matches "member $member" "$(cat out.txt)" "\"$member\": "
done
cp "$name" sent.png
ok reveal sent.png -o heard.wav "${key[@]}" --json
json_valid out.txt
matches "exact" "$(cat out.txt)" '"exact": true'
ok capacity photo.png --to jpeg:75 --json
json_valid out.txt
ok compare photo.png photo.png --json
json_valid out.txt
matches "infinite PSNR" "$(cat out.txt)" '"psnr_db": null'
matches "identical" "$(cat out.txt)" '"identical": true'
ok compare voice.wav voice.wav --json
json_valid out.txt
error() { # STATUS COMMAND...
    refused "$1" . "${@:2}"
    json_valid out.txt
    matches "error object of: ${*:2}" "$(tr -d '\n ' <out.txt)" "^\{\"error\":\{\"status\":$1,\"message\":\".+\"\}\}$"
    if command -v python3 >/dev/null; then
        is "the same message twice" "undertone: $(python3 -c 'import json; print(json.load(open("out.txt"))["error"]["message"])')" "$(cat err.txt)"
    fi
}
error 2 hide voice.wav photo.png -o o.png --public --json --fex
error 2 hide --json
error 3 reveal missing.png -o o.wav --public --json
error 5 reveal sent.png -o o.wav --passphrase-file other --json
error 7 reveal sent.png -o nodir/o.wav --json "${key[@]}"
error 4 hide voice.wav <(scene /dev/stdout 8 8) -o o.png --to jpeg:75 --public --json
# numbers do not follow the locale
for l in de_DE.UTF-8 fr_FR.UTF-8; do
    LC_ALL=$l "$undertone" compare photo.png sent.png --json >out.txt 2>/dev/null
    json_valid out.txt
done
finish
