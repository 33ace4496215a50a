#!/usr/bin/env bash
# SIGINT, SIGTERM and SIGHUP: exit status 130, one line, nothing left behind.
. "$2/tests/cli/lib/common.bash"
command -v timeout >/dev/null || skip "no timeout here"
scene photo.png 3200 2400
hours=
voice voice.wav 480000
printf 'swordfish\n' >pass
stop() { # SIGNAL SECONDS COMMAND...
    local rc start=$SECONDS
    timeout --preserve-status -s "$1" -k 60 "$2" "$undertone" "${@:3}" >out.txt 2>err.txt </dev/null
    rc=$?
    is "exit status after $1" $rc 130
    if [ $((SECONDS - start)) -gt 20 ]; then fail "$1 took $((SECONDS - start)) s to end it"; fi
    is "lines after $1: $(cat err.txt)" "$(wc -l <err.txt | tr -d ' ')" 1
    matches "message after $1" "$(cat err.txt)" '^undertone: interrupted'
    is "files after $1" "$(ls -A | tr '\n' ' ')" "err.txt ${hours:+hours.wav }out.txt pass photo.png voice.wav "
}
for signal in INT TERM HUP; do
    stop $signal 0.7 hide voice.wav photo.png -o out.png --preview p.wav --to whatsapp --to jpeg:75-95 --passphrase-file pass
done
# an hour to enhance, streamed into a file
voice hours.wav 7200000 2000
hours=1
stop INT 0.7 enhance hours.wav -o out.wav --model "$source_dir/tests/vectors/enhance/tiny.safetensors"
rm hours.wav
hours=
# while waiting for input
mkfifo pipe
exec 3<>pipe
timeout --preserve-status -s INT -k 20 0.5 "$undertone" reveal - -o out.wav --passphrase-file pass >out.txt 2>err.txt <&3
is "exit status while reading" $? 130
matches "message while reading" "$(cat err.txt)" '^undertone: interrupted'
absent out.wav
exec 3>&-
no_litter
finish
