#!/usr/bin/env bash
# Each kind of key; the wrong one; nothing hidden; a picture spoilt on its way.
. "$2/tests/cli/lib/common.bash"
scene photo.png 480 360
voice voice.wav 8000
printf 'swordfish\n' >pass
printf 'swordfish\r\nsecond line\n' >pass-crlf
printf 'swordfish' >pass-no-newline
printf 'Swordfish\n' >other
ok keygen -o a.key -q
ok keygen -o b.key
is "mode of a key file" "$(stat -c %a a.key)" 600
if cmp -s a.key b.key; then fail "two keys are equal"; else pass; fi
cp a.key a.copy
refused 7 "exists" keygen -o a.key
same a.key a.copy
refused 7 . keygen -o nodir/a.key

hide() { ok hide voice.wav photo.png -o "$1" --to jpeg:75 --preview "$1.wav" "${@:2}"; }
hide pass.png --passphrase-file pass
hide file.png --key-file a.key
hide public.png --public
for p in pass pass-crlf pass-no-newline; do
    ok reveal pass.png -o heard.wav --passphrase-file $p -q
    same heard.wav pass.png.wav
done
ok reveal file.png -o heard.wav --key-file a.key
same heard.wav file.png.wav
ok reveal public.png -o heard.wav --public
same heard.wav public.png.wav
rm -f heard.wav

for wrong in "--passphrase-file other" "--key-file a.key" "--public"; do
    # shellcheck disable=SC2086
    refused 5 . reveal pass.png -o heard.wav $wrong
done
refused 5 . reveal file.png -o heard.wav --key-file b.key
refused 5 . reveal file.png -o heard.wav --passphrase-file pass
refused 5 . reveal public.png -o heard.wav --passphrase-file pass
refused 5 . reveal photo.png -o heard.wav --passphrase-file pass
refused 5 . reveal photo.png -o heard.wav --public

# passphrase from standard input
printf 'swordfish\n' | "$undertone" reveal pass.png -o heard.wav --passphrase-file - -q
is "passphrase on standard input" $? 0
same heard.wav pass.png.wav
rm -f heard.wav

# out of reach: the grid is gone, or the pixels are
for through in crop:0.5 resize:0.25 jpeg:1; do
    ok channel pass.png spoilt.png --through $through
    "$undertone" reveal spoilt.png -o heard.wav --passphrase-file pass >out.txt 2>err.txt
    rc=$?
    if [ $rc -eq 5 ] || [ $rc -eq 6 ]; then pass; else fail "reveal after $through: exit status $rc"; fi
    is "lines after $through" "$(wc -l <err.txt | tr -d ' ')" 1
    absent heard.wav "reveal after $through"
done
no_litter

# a passphrase typed at a terminal
if command -v script >/dev/null && script -qec true /dev/null >/dev/null 2>&1 </dev/null; then
    typed() { # LINES COMMAND...: types them, one after the other prompt
        local lines=$1
        shift
        { for l in $lines; do sleep 1; printf '%s\n' "$l"; done; sleep 1; } |
            timeout 120 script -qec "$undertone $*" /dev/null >typed.txt 2>&1
    }
    typed "swordfish" reveal pass.png -o typed.wav -q
    is "typed passphrase" $? 0
    same typed.wav pass.png.wav
    if grep -q swordfish typed.txt; then
        # script(1) echoes what it is fed before the program turns the echo off; only that one line may show
        is "echoes of the passphrase" "$(grep -c swordfish typed.txt)" 0
    else
        pass
    fi
    typed "one two" hide voice.wav photo.png -o typed.png --to png
    is "two different passphrases" $? 2
    absent typed.png
    typed "swordfish swordfish" hide voice.wav photo.png -o typed.png --to png -q
    is "the same passphrase twice" $? 0
    ok reveal typed.png -o typed2.wav --passphrase-file pass
fi
finish
