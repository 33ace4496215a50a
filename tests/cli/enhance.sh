#!/usr/bin/env bash
# enhance, and hide's use of it.  The model here is tiny and has random weights: what it does to a voice is of no matter, that it does it is.
. "$2/tests/cli/lib/common.bash"
tiny=$source_dir/tests/vectors/enhance/tiny.safetensors
sound() { "$tools/render_sound" "$@" || fail "render_sound $*"; } # OUT.wav KIND SAMPLES [RATE]
nsamples() { echo $((($(stat -c %s "$1") - 44) / 2)); }
field() { tr -d '\n' <out.txt | grep -o "\"$1\": [^,}]*" | head -n 1 | sed 's/.*: //; s/ *$//'; } # of the JSON in out.txt
enhance() { ok enhance "$1" -o "$2" --model "$tiny" "${@:3}"; }

voice voice.wav 240000
enhance voice.wav out.wav
is "length" "$(nsamples out.wav)" 240000
if cmp -s voice.wav out.wav; then fail "the network did nothing"; else pass; fi
matches "report" "$(cat out.txt)" '^Wrote out.wav from voice.wav \(15.0 s\)'
matches "report" "$(cat out.txt)" '  enhance   (noise lowered by [0-9.]+ dB|done; )'
enhance voice.wav quiet.wav -q
is "quiet" "$(cat out.txt)" ""
same out.wav quiet.wav
enhance voice.wav v.wav -v
matches "steps" "$(cat out.txt)" '  listen .*speech'
enhance voice.wav json.wav --json
json_valid out.txt
is "done" "$(field done)" true
is "model" "$(field model)" '"tiny"'
is "audio_s" "$(field audio_s)" 15
is "output_bytes" "$(field output_bytes)" 480044

# neither threads nor the way in and out change a sample
for n in 1 2 5; do
    enhance voice.wav threads.wav --threads $n
    same out.wav threads.wav
done
"$undertone" enhance - -o - --model "$tiny" <voice.wav 2>report.txt >piped.wav
is "standard input to standard output" $? 0
same out.wav piped.wav
matches "report goes to standard error" "$(cat report.txt)" '^Wrote standard output'
# shellcheck disable=SC2002
cat voice.wav | "$undertone" enhance - -o piped.wav -q --model "$tiny"
same out.wav piped.wav
{ head -c 7 >/dev/null; "$undertone" enhance - -o piped.wav -q --model "$tiny"; } < <(printf 1234567; cat voice.wav)
same out.wav piped.wav
mkfifo pipe
cat voice.wav >pipe &
enhance pipe piped.wav
wait
same out.wav piped.wav

# the strength mixes; without any there is nothing to do, and no model is needed
ok enhance voice.wav -o zero.wav --strength 0
same voice.wav zero.wav
matches "strength 0" "$(cat out.txt)" 'off: strength 0'
enhance voice.wav half.wav --strength 0.5
matches "strength 0.5" "$(cat out.txt)" 'strength 0.5'
difference() { "$undertone" compare "$1" "$2" --json >out.txt && field si_sdr_db; }
if [ "$(awk "BEGIN { print ($(difference voice.wav half.wav) > $(difference voice.wav out.wav)) }")" = 1 ]; then pass; else fail "half the strength is not nearer to the input"; fi

# any format and rate; 16 kHz comes out
for rate in 8000 11025 22050 44100 48000; do
    voice rate.wav $((rate * 2)) $rate
    enhance rate.wav rate-out.wav
    is "samples from $rate Hz" "$(nsamples rate-out.wav)" 32000
done
for f in 44k_stereo.wav 44k_stereo.flac 8k_ulaw.wav float.wav s24.wav vorbis.ogg opus.opus mp3.mp3 aac.m4a amr.amr opus.webm; do
    enhance "$source_dir/tests/vectors/audio/$f" any.wav
    present any.wav
done
enhance voice.wav out.flac
matches "a FLAC file" "$(head -c 4 out.flac)" fLaC
ok compare out.flac out.wav
matches "FLAC and WAV" "$(cat out.txt)" identical
ok enhance voice.wav -o whole.flac --strength 0
ok compare whole.flac voice.wav
matches "FLAC as it was" "$(cat out.txt)" identical

# lengths and sounds at the edges
for n in 1 2 319 16000 183200 183201; do
    voice short.wav $n
    enhance short.wav short-out.wav
    is "samples of $n" "$(nsamples short-out.wav)" $n
done
sound silence.wav silence 200000
enhance silence.wav out0.wav
same silence.wav out0.wav
for kind in dc full odd noise; do
    sound $kind.wav $kind 40000
    enhance $kind.wav $kind-out.wav --force
    is "samples of $kind" "$(nsamples $kind-out.wav)" 40000
done

# what is not speech is left alone, and that is said
for kind in music noise; do
    sound $kind.wav $kind 480000
    enhance $kind.wav alone.wav
    same $kind.wav alone.wav
    matches "$kind" "$(cat out.txt)" 'left alone: music or other sounds'
    enhance $kind.wav alone.wav --json
    is "$kind done" "$(field done)" false
    enhance $kind.wav forced.wav --force
    if cmp -s $kind.wav forced.wav; then fail "--force did nothing to $kind"; else pass; fi
done

# outputs: in place, whole or not at all, links and modes as they were
cp voice.wav place.wav
chmod 640 place.wav
ln -s place.wav link.wav
enhance place.wav place.wav
same place.wav out.wav
cp voice.wav place.wav
enhance voice.wav link.wav
same place.wav out.wav
is "still a link" "$(readlink link.wav)" place.wav
is "mode is kept" "$(stat -c %a place.wav)" 640
no_litter
mkdir folder
refused 7 nodir enhance voice.wav -o nodir/x.wav --model "$tiny"
refused 2 format enhance voice.wav -o folder --model "$tiny"
refused 7 "No space" enhance voice.wav -o /dev/full --model "$tiny"
"$undertone" enhance voice.wav -o - --model "$tiny" >/dev/full 2>err.txt
is "standard output on a full disk" $? 7
is "lines" "$(wc -l <err.txt | tr -d ' ')" 1

# inputs that are no recordings
: >empty.wav
head -c 60000 voice.wav >cut.wav
head -c 30 voice.wav >stub.wav
voice none.wav 0
echo "Dear reader" >text.wav
for f in missing empty cut stub none text; do refused 3 "$f.wav" enhance $f.wav -o x.wav --model "$tiny"; done
refused 3 "directory" enhance folder -o x.wav --model "$tiny"
echo old >kept.wav
refused 3 cut enhance cut.wav -o kept.wav --model "$tiny"
is "the old file" "$(cat kept.wav)" old

# usage
for s in -0.1 1.1 nan x ""; do refused 2 "number from 0 to 1" enhance voice.wav -o x.wav "--strength=$s"; done
refused 2 "say where" enhance voice.wav
refused 2 "end it in .wav or .flac" enhance voice.wav -o x.mp3
refused 2 "json" enhance voice.wav -o - --json
refused 2 "did you mean --force" enhance voice.wav -o x.wav --forse
refused 3 "no model named 'nosuch'" enhance voice.wav -o x.wav --model nosuch
refused 3 "nosuch.safetensors" enhance voice.wav -o x.wav --model ./nosuch.safetensors
refused 3 . enhance voice.wav -o x.wav --model ./voice.wav
head -c 9000 "$tiny" >broken.safetensors
refused 3 broken.safetensors enhance voice.wav -o x.wav --model broken.safetensors
for extra in "--no-enhance --strength 0.5" "--no-enhance --model m" "--codec raw --strength 1"; do
    # shellcheck disable=SC2086
    refused 2 "do not go with" hide voice.wav photo.png -o x.png --public $extra
done

# hide enhances by the same path, and the receiver gets exactly the preview
scene photo.png 1000 800
hide() { ok hide "$1" photo.png -o sent.png --to png --public --preview preview.wav "${@:2}"; }
hide voice.wav --codec flac --model "$tiny"
same preview.wav out.wav
matches "enhance in the report" "$(cat out.txt)" '  enhance   (noise lowered by|done; )'
ok reveal sent.png -o heard.wav --public
same heard.wav preview.wav
hide voice.wav --codec opus --model "$tiny" --json
json_valid out.txt
is "done" "$(field done)" true
ok reveal sent.png -o heard.wav --public
same heard.wav preview.wav
hide voice.wav --codec flac --no-enhance
same preview.wav voice.wav
matches "off" "$(cat out.txt)" $'  enhance   off\n'
hide music.wav --codec opus --model "$tiny"
matches "music" "$(cat out.txt)" '  enhance   left alone: music'
hide voice.wav --codec flac --model "$tiny" --strength 0.5
same preview.wav half.wav

# the model that is built in, if one is
if [ -e "$source_dir/models/enhance.safetensors" ]; then
    ok enhance voice.wav -o built.wav --json
    is "built-in model" "$(field model)" '"enhance"'
    ok enhance voice.wav -o named.wav --model enhance
    same built.wav named.wav
    hide voice.wav --codec flac
    same preview.wav built.wav
else
    refused 8 "no model" enhance voice.wav -o x.wav
    hide voice.wav --codec flac
    same preview.wav voice.wav
    matches "no model" "$(cat out.txt)" '  enhance   off: this build has no model'
    refused 8 "no model" hide voice.wav photo.png -o x.png --public --strength 1
fi
no_litter
finish
