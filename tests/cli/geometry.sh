#!/usr/bin/env bash
# What was resized, cropped, turned or mirrored on its way comes back, and reveal says what happened.
. "$2/tests/cli/lib/common.bash"
scene photo.png 768 512
head -c 600 photo.png >secret
key=(--public --codec raw)

# back NAME PATTERN: `received` reveals to the secret, and the report tells of it
back() {
    ok reveal received -o got --public --json
    same got secret
    matches "$1: what reveal says" "$(cat out.txt)" "$2"
    rm -f got received
}

for channel in resize:0.75+jpeg:85 crop:0.9+jpeg:85 resize:1.5+jpeg:85; do
    ok hide secret photo.png -o sent.png --to $channel "${key[@]}" --min-psnr 32
    ok channel sent.png received --through $channel
    case $channel in
    resize:0.75*) back $channel 'was resized from 768x512 to 576x384' ;;
    resize*) back $channel 'was resized from 768x512 to 1152x768' ;;
    *) back $channel 'was cropped to 691x461 of 768x512 at \(38,25\)' ;;
    esac
done
# as it was sent it still reads without any search
ok reveal sent.png -o got --public
same got secret

# turned without loss, by another program
if command -v jpegtran >/dev/null; then
    for channel in jpeg:75 jpeg:75-95 whatsapp; do
        ok hide secret photo.png -o sent.png --to $channel "${key[@]}"
        ok channel sent.png received.jpg --through ${channel%-95}
        jpegtran -perfect -rotate 90 -outfile received received.jpg || fail "jpegtran -rotate 90"
        back "$channel rotated" 'was turned by 90 degrees clockwise'
        jpegtran -perfect -rotate 270 -outfile received received.jpg || fail "jpegtran -rotate 270"
        back "$channel rotated" 'was turned by 90 degrees anticlockwise'
        jpegtran -perfect -flip horizontal -outfile received received.jpg || fail "jpegtran -flip"
        back "$channel mirrored" 'was mirrored'
    done
else
    echo "jpegtran is missing: lossless turning was not tried" >&2
fi

# no scale can be told from a picture that leaves nothing of it
refused 4 'resize:0.05' hide secret photo.png -o tiny.png --to resize:0.05+jpeg:85 "${key[@]}"

finish
