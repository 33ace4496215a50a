#!/bin/sh
# Makes tests/vectors/audio: one self-made sound (one second of tones at 300 + 1200 Hz under a slow swell) in every
# format that ut_audio_read takes.  Needs sox with AMR, and ffmpeg.  Usage: tools/gen_audio_vectors.sh
set -eu
cd "$(dirname "$0")/../tests/vectors/audio"
t=$(mktemp -d)
trap 'rm -rf "$t"' EXIT
synth() { # rate channels
    sox -D -r "$1" -c 1 -b 24 -n "$t/m.wav" synth 1.0 sine 300 sine 1200 remix - tremolo 3 60 gain -n -6
    if [ "$2" = 2 ]; then sox -D "$t/m.wav" "$t/$1-$2.wav" remix 1 1v0.5; else mv "$t/m.wav" "$t/$1-$2.wav"; fi
}
synth 16000 1; synth 48000 1; synth 44100 2; synth 8000 1; synth 96000 1
sox -D "$t/16000-1.wav" -b 16 mono16.wav
sox -D "$t/8000-1.wav" -b 8 -e unsigned-integer 8k_u8.wav
sox -D "$t/16000-1.wav" -b 24 s24.wav trim 0 0.5
sox -D "$t/16000-1.wav" -b 32 s32.wav trim 0 0.25
sox -D "$t/16000-1.wav" -b 32 -e floating-point float.wav trim 0 0.25
sox -D "$t/8000-1.wav" -e mu-law 8k_ulaw.wav
sox -D "$t/44100-2.wav" -b 16 "$t/44s.wav"
sox -D "$t/44s.wav" 44k_stereo.wav trim 0 0.2
sox -D "$t/96000-1.wav" -b 16 "$t/96.wav" trim 0 0.25
q="ffmpeg -v error -y -bitexact -i"
$q "$t/96.wav" -map_metadata -1 96k.flac
$q 44k_stereo.wav -map_metadata -1 44k_stereo.flac
$q "$t/44s.wav" -c:a libvorbis -q:a 1 vorbis.ogg
$q "$t/48000-1.wav" -c:a libopus -b:a 24k opus.opus
$q "$t/44s.wav" -c:a libmp3lame -b:a 64k mp3.mp3
$q "$t/44s.wav" -c:a aac -b:a 64k aac.m4a
$q "$t/44s.wav" -c:a aac -b:a 64k -f adts adts.aac
sox -D "$t/8000-1.wav" -C 7 -t amr-nb amr.amr
$q amr.amr -c copy amr.3gp
$q "$t/48000-1.wav" -c:a libopus -b:a 24k opus.webm
ls -l
