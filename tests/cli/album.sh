#!/usr/bin/env bash
# Albums: one recording over several photos, through a real channel, from every sufficient subset in any order; and what is refused.
. "$2/tests/cli/lib/common.bash"
scene a.png 480 320 1
scene b.png 640 400 2
scene c.png 320 320 3
voice voice.wav 32000
printf 'swordfish\n' >pass
printf 'other\n' >other
"$undertone" keygen -o key -q || fail keygen
key=(--key-file key)

# any two of three, each photo through JPEG 75
ok hide voice.wav a.png b.png c.png -o two --any 2 --to jpeg:75 "${key[@]}" --preview two.wav -v
for word in "any 2 of which" two/a.png two/b.png two/c.png verified sha-256; do matches "report" "$(cat out.txt)" "$word"; done
is "pictures" "$(ls two | tr '\n' ' ')" "a.png b.png c.png "
for f in a b c; do ok channel two/$f.png $f.jpg --through jpeg:75; done
for subset in "a b" "b a" "a c" "c a" "b c" "c b" "a b c" "c a b"; do
    photos=()
    for f in $subset; do photos+=("$f.jpg"); done
    ok reveal "${photos[@]}" -o heard.wav "${key[@]}"
    same heard.wav two.wav
    rm -f heard.wav
done
refused 3 "1 of 2 needed photos is here: one more of this album is needed" reveal b.jpg -o x.wav "${key[@]}"
refused 3 "same photo" reveal b.jpg two/b.png -o x.wav "${key[@]}"
ok reveal b.jpg two/b.png c.jpg -o heard.wav "${key[@]}"
same heard.wav two.wav
matches "the same photo twice" "$(cat out.txt)" "b.png: not used: it is the same photo of the album as b.jpg"

# all of three, one -o for each, of any format
ok hide voice.wav a.png b.png c.png -o a3.png -o b3.jpg -o c3.webp --to jpeg:90 "${key[@]}" --preview three.wav
matches "all are needed" "$(cat out.txt)" "all of which are needed"
ok reveal c3.webp a3.png b3.jpg -o heard.wav "${key[@]}"
same heard.wav three.wav
refused 3 "2 of 3 needed photos are here: one more of this album is needed" reveal c3.webp b3.jpg -o x.wav "${key[@]}"
refused 3 "1 of 3 needed photos is here: 2 more of this album are needed" reveal c3.webp -o x.wav "${key[@]}"
"$undertone" reveal c3.webp b3.jpg -o part.wav "${key[@]}" --partial >out.txt 2>err.txt
is "part of an album" $? 6
is "length of the part" "$(stat -c %s part.wav)" "$(stat -c %s three.wav)"

# wrong combinations
refused 3 "c3.webp belongs to another album than a.jpg" reveal a.jpg c3.webp b.jpg -o x.wav "${key[@]}"
ok hide voice.wav a.png -o alone.png --to jpeg:90 "${key[@]}"
refused 3 "alone.png holds a message of its own" reveal a.jpg alone.png c.jpg -o x.wav "${key[@]}"
refused 5 "in any of the 2 pictures" reveal a.jpg b.jpg -o x.wav --passphrase-file pass
refused 5 "in any of the 2 pictures" reveal a.png b.png -o x.wav "${key[@]}"

# photos that give nothing are passed over if the others suffice
ok channel two/b.png spoilt.jpg --through jpeg:20
head -c 3000 two/a.png >cut.png
ok reveal c.jpg spoilt.jpg cut.png a.jpg -o heard.wav "${key[@]}"
same heard.wav two.wav
matches "a spoilt photo" "$(cat out.txt)" "spoilt.jpg: not used: no message for this key"
matches "a cut photo" "$(cat out.txt)" "cut.png: not used: "
refused 6 "one more of this album is needed; spoilt.jpg cannot be used: " reveal c.jpg spoilt.jpg -o x.wav "${key[@]}"
ok reveal c.jpg spoilt.jpg a.jpg -o heard.wav "${key[@]}" --json
json_valid out.txt
for member in '"photos_needed": 2' '"photos_used": 2' '"used": false' '"exact": true'; do matches "JSON" "$(cat out.txt)" "$member"; done

# the low bits, any file, and one photo of which any suffices
head -c 20000 /dev/urandom >bytes
ok hide bytes a.png b.png c.png -o low --any 1 --to png --codec raw "${key[@]}" --json
json_valid out.txt
for f in a b c; do
    ok reveal low/$f.png -o back "${key[@]}"
    same bytes back
done
head -c 200000 /dev/urandom >bytes
ok hide bytes a.png b.png c.png -o low --to png --codec raw "${key[@]}"
ok reveal low/b.png low/c.png low/a.png -o back "${key[@]}"
same bytes back

# what is refused before any work, leaving everything as it is
hide=(hide voice.wav a.png b.png --to jpeg:75 "${key[@]}")
refused 2 "say where" "${hide[@]}"
refused 2 "whole number from 1 to 2" "${hide[@]}" -o new --any 3
refused 2 "whole number from 1 to 2" "${hide[@]}" -o new --any 0
refused 2 "for several photos" hide voice.wav a.png -o x.png --any 1 "${key[@]}"
refused 2 "given twice" hide voice.wav a.png -o x.png -o y.png "${key[@]}"
refused 2 "given twice" hide voice.wav a.png ./a.png -o new "${key[@]}"
cp a.png same.png
refused 2 "same photo" hide voice.wav a.png same.png -o new --to jpeg:75 "${key[@]}"
refused 2 "one for each|one -o for each" "${hide[@]}" -o new.png
refused 2 "2 photos need one folder" hide voice.wav a.png b.png -o x.png -o y.png -o z.png "${key[@]}"
refused 2 "standard output" "${hide[@]}" -o - -o y.png
refused 2 "used otherwise" "${hide[@]}" -o x.png -o x.png
refused 2 "used otherwise" "${hide[@]}" -o a.png -o x.png
refused 2 "used otherwise" "${hide[@]}" -o .
refused 2 "used otherwise" "${hide[@]}" -o x.png -o y.png --preview y.png
mkdir sub
cp c.png sub/a.png
refused 2 "would both become" hide voice.wav a.png sub/a.png -o new "${key[@]}"
refused 7 "cannot make the folder" "${hide[@]}" -o no/such/new
refused 3 "missing.png" hide voice.wav a.png missing.png -o new "${key[@]}"
# all or nothing: the second photo is none, is too small, or the recording too long
printf 'x' >none.png
refused 3 none.png hide voice.wav a.png none.png -o new "${key[@]}"
scene tiny.png 16 16
refused 4 . hide voice.wav a.png tiny.png -o new --to jpeg:75 "${key[@]}"
voice long.wav 4000000
refused 4 "these photos carry" hide long.wav a.png b.png -o new --to jpeg:75 --no-enhance "${key[@]}"
absent new
# no room for the second picture
if [ "$(id -u)" -eq 0 ] && mkdir small && mount -t tmpfs -o size=600k tmpfs small 2>/dev/null; then
    (cd small && ! "$undertone" hide ../voice.wav ../a.png ../b.png -o album --to jpeg:75 --key-file ../key >../out.txt 2>../err.txt)
    is "message" "$(grep -c -E '^undertone: .*No space' err.txt)" 1
    is "files on the full disk" "$(ls -A small)" ""
    umount small
fi

# interrupted: no folder, no picture
if command -v timeout >/dev/null; then
    scene d.png 3200 2400 4
    scene f.png 3200 2400 5
    timeout --preserve-status -s INT -k 60 1.2 "$undertone" hide voice.wav d.png f.png -o new --to whatsapp --to jpeg:75-95 "${key[@]}" >out.txt 2>err.txt
    is "exit status when interrupted" $? 130
    matches "interrupted" "$(cat err.txt)" '^undertone: interrupted'
    absent new
fi

# an old folder's other files stay, pictures of the same name are replaced
echo old >two/a.png
echo mine >two/mine.txt
ok "${hide[@]}" -o two/
ok reveal two/b.png two/a.png -o heard.wav "${key[@]}"
is "another file in the folder" "$(cat two/mine.txt)" mine

# what an album carries, and a photo at other PSNRs
ok capacity a.png b.png c.png --to jpeg:75 --json
json_valid out.txt
ok capacity a.png b.png c.png --to jpeg:75
for line in "any  1 suffices" "any  2 suffice" "any  3 suffice" "As an album of 3 photos, through jpeg:75"; do matches "capacity" "$(cat out.txt)" "$line"; done
numbers=$(sed -n 's/^ *any .* \([0-9,]*\) bytes.*/\1/p' out.txt | tr -d ,)
is "growing with the number needed" "$(sort -n <<<"$numbers")" "$numbers"
ok capacity a.png --to jpeg:75
matches "table" "$(cat out.txt)" "48.00 dB .*forecast"
matches "table" "$(cat out.txt)" "dB .*measured"
no_litter
finish
