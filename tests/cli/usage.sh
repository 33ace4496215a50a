#!/usr/bin/env bash
# What the command refuses before it does any work.
. "$2/tests/cli/lib/common.bash"
printf 'x' >voice.wav
printf 'x' >photo.png
refused 2 "no command given"
refused 2 "did you mean hide" hid
refused 2 "unknown command" frobnicate
refused 2 "unknown command" help frobnicate
refused 2 "too few arguments" hide
refused 2 "too few arguments" hide voice.wav
refused 2 "unexpected argument" compare photo.png photo.png more
refused 2 "say where" hide voice.wav photo.png --public
refused 2 "say where" reveal photo.png --public
refused 2 "did you mean --fec" hide voice.wav photo.png -o o.png --fex ldpc
refused 2 "did you mean --bitrate" hide voice.wav photo.png -o o.png --bitrat 8
refused 2 "unknown option" hide voice.wav photo.png -o o.png --zzzzzz
refused 2 "unknown option -z" hide voice.wav photo.png -o o.png -z
refused 2 "needs a value" hide voice.wav photo.png --public -o
refused 2 "needs a value" hide voice.wav photo.png --public -o o.png --codec
refused 2 "takes no value" hide voice.wav photo.png -o o.png --public=yes
refused 2 "twice" hide voice.wav photo.png -o o.png --codec opus --codec flac --public
refused 2 "one of auto, opus" hide voice.wav photo.png -o o.png --codec mp3 --public
refused 2 "one of auto, ldpc" hide voice.wav photo.png -o o.png --fec turbo --public
for n in "" abc 1x nan inf -5 0 1e9 " 8"; do
    refused 2 "number" hide voice.wav photo.png -o o.png --public "--bitrate=$n"
done
for n in "" 0 -1 2.5 99999999999999999999 x; do
    refused 2 "whole number" hide voice.wav photo.png -o o.png --public "--threads=$n"
done
refused 2 "number" hide voice.wav photo.png -o o.png --public --min-psnr nan
refused 2 "cannot tell the format" hide voice.wav photo.png -o o.gif --public
refused 2 "cannot tell the format" hide voice.wav photo.png -o out --public
refused 2 "does not go with" hide voice.wav photo.png -o o.png --format jpg --public
refused 2 "empty" hide voice.wav photo.png -o "" --format png --public
refused 2 "only one of" hide voice.wav photo.png -o o.png --public --key-file k
refused 2 "only one of" reveal photo.png -o o.wav --passphrase-file p --key-file k
refused 2 "used otherwise" hide voice.wav photo.png -o o.png --public --preview voice.wav
refused 2 "used otherwise" hide voice.wav photo.png -o o.png --public --preview photo.png
ln -s voice.wav link.wav
refused 2 "used otherwise" hide voice.wav photo.png -o o.png --public --preview link.wav
refused 2 "raw" hide voice.wav photo.png -o o.png --public --codec raw --preview p.wav
refused 2 "json" hide voice.wav photo.png -o - --public --json
refused 2 "read only once" hide - - -o o.png --public
refused 2 "name the channel" channel photo.png out.png
refused 2 "name the file" keygen
refused 2 "help takes one" help hide reveal
: >emptypass
printf '\nsecret\n' >blankpass
printf '%5000s\n' x >longpass
refused 3 "emptypass is empty" hide voice.wav photo.png -o o.png --passphrase-file emptypass
refused 2 "first line of blankpass is empty" hide voice.wav photo.png -o o.png --passphrase-file blankpass
refused 2 "longer than" hide voice.wav photo.png -o o.png --passphrase-file longpass
refused 3 "nokey" hide voice.wav photo.png -o o.png --key-file nokey
# no key and no terminal
if command -v setsid >/dev/null; then
    setsid -w "$undertone" reveal photo.png -o o.wav >out.txt 2>err.txt </dev/null
    is "no key, no terminal" $? 2
    matches "no key, no terminal" "$(cat err.txt)" "no terminal to ask"
fi
# help goes to standard output, wherever it stands among the options
for c in "--help" "-h" "help" "hide --help" "reveal -h" "hide voice.wav --nonsense-not-reached --help"; do
    # shellcheck disable=SC2086
    "$undertone" $c >out.txt 2>err.txt
    rc=$?
    if [[ $c == *nonsense* ]]; then
        is "status of $c" $rc 2
    else
        is "status of $c" $rc 0
        matches "output of $c" "$(head -n 1 out.txt)" "^Usage: undertone"
        is "errors of $c" "$(cat err.txt)" ""
    fi
done
# a name may not move the cursor of a terminal
name=$(printf 'a\033[31m\nb')
refused 3 'a\?\[31m\?b' reveal "$name" -o o.wav --public
"$undertone" --help >/dev/full 2>err.txt
is "help on a full disk" $? 7
is "lines" "$(wc -l <err.txt | tr -d ' ')" 1
finish
