#!/usr/bin/env bash
# Inputs that are not what they should be: each is refused with one clear line and no file.
. "$2/tests/cli/lib/common.bash"
scene photo.png 320 240
voice voice.wav 16000
printf 'swordfish\n' >pass
key=(--passphrase-file pass)
hide() { refused "$1" "$2" hide "$3" "$4" -o out.png --to png "${key[@]}"; }
ok channel photo.png photo.jpg --through jpeg:90

: >empty
echo "Dear reader, this is plain text and no picture." >text.txt
mkdir folder
head -c 20000 photo.png >cut.png
head -c 4000 photo.jpg >cut.jpg
head -c 3 photo.jpg >stub.jpg
head -c 60 voice.wav >short.wav
head -c 30 voice.wav >cut.wav
voice none.wav 0
printf '\x89\x50\x4e\x47\x0d\x0a\x1a\x0a\x00\x00\x00\x0d\x49\x48\x44\x52\x00\x00\xea\x60\x00\x00\xea\x60\x08\x02\x00\x00\x00\x0f\xb0\xe2\x15\x00\x00\x00\x11\x49\x44\x41\x54\x78\x9c\x63\x60\x18\x05\xa3\x60\x14\x0c\x77\x00\x00\x03\xe8\x00\x01\xb3\xa6\xd3\x46\x00\x00\x00\x00\x49\x45\x4e\x44\xae\x42\x60\x82' >bomb.png

for command in hide capacity reveal channel compare; do
    run() { # STATUS PATTERN PICTURE
        case $command in
        hide) hide "$1" "$2" voice.wav "$3" ;;
        capacity) refused "$1" "$2" capacity "$3" ;;
        reveal) refused "$1" "$2" reveal "$3" -o out.wav "${key[@]}" ;;
        channel)
            refused "$1" "$2" channel "$3" out.png --through png
            absent out.png
            ;;
        compare) refused "$1" "$2" compare "$3" photo.png ;;
        esac
    }
    run 3 missing.png missing.png
    run 3 "folder is a directory" folder
    run 3 "empty is empty" empty
    run 3 text.txt text.txt
    run 3 cut.png cut.png
    run 3 cut.jpg cut.jpg
    run 3 stub.jpg stub.jpg
    start=$SECONDS
    run 3 bomb.png bomb.png
    if [ $((SECONDS - start)) -gt 5 ]; then fail "$command took $((SECONDS - start)) s for a header bomb"; fi
    if [ "$(id -u)" -ne 0 ]; then
        cp photo.png locked.png
        chmod 0 locked.png
        run 3 locked.png locked.png
        rm -f locked.png
    fi
done

hide 3 missing.wav missing.wav photo.png
hide 3 "folder is a directory" folder photo.png
hide 3 "empty is empty" empty photo.png
hide 3 text.txt text.txt photo.png
hide 3 cut.wav cut.wav photo.png
hide 3 none.wav none.wav photo.png
hide 3 . photo.png photo.png

# sound and picture the wrong way round
hide 3 . photo.png voice.wav

# the smallest of everything
scene one.png 1 1
scene eight.png 8 8
hide 4 . voice.wav one.png
hide 4 . voice.wav eight.png
refused 5 . reveal one.png -o out.wav "${key[@]}"
refused 5 . reveal eight.png -o out.wav "${key[@]}"
voice sample.wav 1
ok hide sample.wav photo.png -o tiny.png --to png "${key[@]}" --preview tiny.wav -q
ok reveal tiny.png -o tiny-heard.wav "${key[@]}" -q
same tiny.wav tiny-heard.wav

# hours at a low rate: said to be too long, and soon
voice hours.wav 21600000 2000
start=$SECONDS
refused 4 "fit" hide hours.wav photo.png -o out.png --to jpeg:75 "${key[@]}"
limit=60
if [ $((SECONDS - start)) -gt $limit ]; then fail "three hours of sound took $((SECONDS - start)) s to refuse"; fi
rm -f hours.wav

refused 2 . hide voice.wav photo.png -o out.png --to nowhere "${key[@]}"
refused 2 . hide voice.wav photo.png -o out.png --to jpeg:0 "${key[@]}"
refused 2 . hide voice.wav photo.png -o out.png --to jpeg:101 "${key[@]}"
refused 2 . hide voice.wav photo.png -o out.png --to "" "${key[@]}"
refused 2 . hide voice.wav photo.png -o out.png --to ../../etc/passwd "${key[@]}"
refused 2 . channel photo.png out.png --through "jpeg:75+"
refused 2 . channel photo.png out.png --through "$(printf 'png+%.0s' {1..500})png"
echo nothing >text.key
refused 5 . hide voice.wav photo.png -o out.png --to png --key-file text.key
finish
