#!/usr/bin/env bash
# The whole of Undertone in one go: a voice and a scene made here, hidden, sent through WhatsApp's codec, revealed.
# Usage: tools/demo.sh BUILD-FOLDER; everything goes to demo/.
set -euo pipefail
cd "$(dirname "$0")/.."
build=${1:-build}
undertone=$build/undertone
out=demo
channel=whatsapp
mkdir -p $out

step() { printf '\n%s. %s\n' "$1" "$2"; }
sha() { sha256sum "$1" | cut -d ' ' -f 1; }

step 1 "A voice: espeak-ng reads a letter ($out/voice.wav)"
espeak-ng -v en-gb -s 170 -w $out/espeak.wav "$(cat <<'TEXT'
Dear friend. This is a letter that nobody will see, although it travels in plain sight. It was spoken in a
kitchen, on an ordinary evening, while the kettle sang and the rain drew lines on the window. Somebody asked whether a
picture of a lake could carry a voice across the world, through machines that squeeze every photograph they
touch, and whether the voice would arrive whole. Not nearly whole, not good enough to guess the rest, but
whole, to the last bit. So here it is. The mountain in this picture was never climbed, and the lake was never
sailed, because both were made of numbers on the same evening. But the words are real. If you can hear
them, then every one of the bits found its way home, and you may pour yourself a cup of tea. Give my love to
everyone at the table, and tell the children that the fox came back to the garden on Tuesday. Goodbye for now.
TEXT
)"
# a room's worth of level, and the rate that Undertone works at
sox $out/espeak.wav -r 16000 -c 1 -b 16 $out/voice.wav gain -n -3
rm -f $out/espeak.wav
seconds=$(soxi -D $out/voice.wav)
echo "   $seconds s of speech, $(stat -c %s $out/voice.wav) bytes"

step 2 "A photo: rendered here, 1600 x 1200 ($out/scene.png)"
$build/tools/render_scene $out/scene.png 1600 1200

step 3 "Hide the voice so that it survives $channel ($out/sent.png)"
echo "correct horse battery staple" >$out/passphrase
$undertone hide $out/voice.wav $out/scene.png -o $out/sent.png --to $channel --passphrase-file $out/passphrase \
    --preview $out/preview.wav -v | sed 's/^/   /'

step 4 "Send it: $channel makes a smaller JPEG of it ($out/received.jpg)"
$undertone channel $out/sent.png $out/received.jpg --through $channel | sed 's/^/   /'

step 5 "Reveal the voice from what was received ($out/heard.wav)"
$undertone reveal $out/received.jpg -o $out/heard.wav --passphrase-file $out/passphrase -v | sed 's/^/   /'

step 6 "Compare"
preview=$(sha $out/preview.wav) heard=$(sha $out/heard.wav)
echo "   sender's preview  $preview"
echo "   receiver's voice  $heard"
printf '   preview against the original recording: '
$undertone compare $out/voice.wav $out/preview.wav
printf '   sent against the scene:                 '
$undertone compare $out/scene.png $out/sent.png
printf '   received against the scene:             '
$undertone compare $out/scene.png $out/received.jpg
$undertone channel $out/scene.png $out/plain.jpg --through $channel -q
printf '   what %s alone does to the scene:  ' $channel
$undertone compare $out/scene.png $out/plain.jpg
rm -f $out/plain.jpg
$build/tools/side_by_side $out/scene.png $out/sent.png $out/side-by-side.png 440 24

echo
echo "Look at $out/side-by-side.png (before, after, difference magnified 24 times); listen to $out/heard.wav."
if [ "$preview" = "$heard" ]; then
    echo "The receiver heard exactly what the sender previewed, bit for bit."
else
    echo "The receiver did NOT hear what the sender previewed." >&2
    exit 1
fi
