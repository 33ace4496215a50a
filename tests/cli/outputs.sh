#!/usr/bin/env bash
# Where results go: pipes, full disks, missing and read-only folders; files appear whole or not at all.
. "$2/tests/cli/lib/common.bash"
scene photo.png 320 240
voice voice.wav 4000
printf 'swordfish\n' >pass
key=(--passphrase-file pass)
hide=(hide voice.wav photo.png --to png "${key[@]}")

ok "${hide[@]}" -o sent.png --preview preview.wav
refused 7 nodir "${hide[@]}" -o nodir/sent.png
refused 7 nodir "${hide[@]}" -o other.png --preview nodir/p.wav
refused 7 nodir reveal sent.png -o nodir/heard.wav "${key[@]}"
mkdir folder
refused 7 directory reveal sent.png -o folder "${key[@]}"
if [ "$(id -u)" -ne 0 ]; then
    mkdir locked
    chmod 555 locked
    refused 7 locked reveal sent.png -o locked/heard.wav "${key[@]}"
    cp photo.png fixed.png
    chmod 444 fixed.png
    refused 7 fixed.png "${hide[@]}" -o fixed.png
fi

# pipes
"$undertone" hide - photo.png -o - --format png --to png "${key[@]}" <voice.wav 2>report.txt | "$undertone" reveal - -o - "${key[@]}" 2>report2.txt >heard.wav
is "pipe" "${PIPESTATUS[*]}" "0 0"
same heard.wav preview.wav
matches "report goes to standard error" "$(cat report.txt)" "^Hid"
"$undertone" hide voice.wav - -o - --to png "${key[@]}" -q <photo.png >piped.png
is "photo on standard input" $? 0
ok reveal piped.png -o heard.wav "${key[@]}"
same heard.wav preview.wav
"$undertone" reveal sent.png -o /dev/stdout "${key[@]}" -q >stdout.wav
same stdout.wav preview.wav
"$undertone" reveal - -o x.wav "${key[@]}" </dev/null 2>err.txt
is "empty standard input" $? 3
absent x.wav
"$undertone" reveal sent.png -o - "${key[@]}" -q 2>/dev/null | true
is "a reader that leaves" "$([ "${PIPESTATUS[0]}" -eq 7 ] || [ "${PIPESTATUS[0]}" -eq 0 ] && echo fine)" fine

# what was there is replaced whole, keeps its mode, and links stay links
echo old >target.png
chmod 640 target.png
ln -s target.png link.png
ok "${hide[@]}" -o link.png
is "still a link" "$(readlink link.png)" target.png
is "mode is kept" "$(stat -c %a target.png)" 640
ok reveal target.png -o heard.wav "${key[@]}"
cp photo.png self.png
ok hide voice.wav self.png -o self.png --to png "${key[@]}"
ok reveal self.png -o heard.wav "${key[@]}"
same heard.wav preview.wav
# a failure leaves the old file as it was
echo old >kept.wav
printf 'other\n' >other
refused 5 . reveal sent.png -o kept.wav --passphrase-file other
is "the old file" "$(cat kept.wav)" old
# mode of a new file follows the umask
(umask 027 && "$undertone" reveal sent.png -o masked.wav "${key[@]}" -q)
is "umask" "$(stat -c %a masked.wav)" 640

# full disks
for target in /dev/full; do
    refused 7 "No space" reveal sent.png -o $target "${key[@]}"
    refused 7 "No space" "${hide[@]}" -o $target --format png
done
"$undertone" reveal sent.png -o - "${key[@]}" >/dev/full 2>err.txt
is "standard output on a full disk" $? 7
is "lines" "$(wc -l <err.txt | tr -d ' ')" 1
"$undertone" "${hide[@]}" -o - --preview late.wav >/dev/full 2>err.txt
is "picture on a full disk" $? 7
absent late.wav
is "device is still one" "$(stat -c %F /dev/full)" "character special file"
no_litter
if [ "$(id -u)" -eq 0 ] && mkdir small && mount -t tmpfs -o size=64k tmpfs small 2>/dev/null; then
    head -c 40000 /dev/zero >small/filler
    # `refused` looks for no file and no litter
    (cd small && ! "$undertone" hide ../voice.wav ../photo.png -o sent.png --to png --passphrase-file ../pass >../out.txt 2>../err.txt)
    is "message" "$(grep -c -E '^undertone: .*No space' err.txt)" 1
    is "files on the full disk" "$(ls -A small)" filler
    umount small
else
    echo "no tmpfs here: the part with a really full disk is left out"
fi
finish
