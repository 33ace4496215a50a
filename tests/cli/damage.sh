#!/usr/bin/env bash
# A picture that was spoilt on its way: exit status 0 only if every bit is there; --partial writes what survived.
. "$2/tests/cli/lib/common.bash"
scene photo.png 640 480
voice voice.wav 128000
printf 'swordfish\n' >pass
key=(--passphrase-file pass)
spoil() { "$tools/spoil" "$@" || fail "spoil $*"; }
# Over lossy channels the error correction mends small blots; in the low bits nothing does, but segments open one by one.
ok hide voice.wav photo.png -o mended.png --to jpeg:75 --preview mended.wav "${key[@]}"
ok hide voice.wav photo.png -o low.png --to png --preview low.wav "${key[@]}"

nwhole=0 npartial=0 nlost=0
for what in "mended 0" "mended 0.001" "mended 0.002" "mended 0.3" "low 0" "low 0.00001" "low 0.0001" "low 0.0004" "low 0.9"; do
    read -r name share <<<"$what"
    cp $name.png sent.png
    cp $name.wav preview.wav
    rm -f heard.wav part.wav
    spoil sent.png spoilt.png blot $share
    "$undertone" reveal spoilt.png -o heard.wav "${key[@]}" >out.txt 2>err.txt
    rc=$?
    "$undertone" reveal spoilt.png -o part.wav "${key[@]}" --partial --json >part.json 2>part.txt
    rc_part=$?
    json_valid part.json
    case $rc in
    0)
        nwhole=$((nwhole + 1))
        is "--partial, $share gone" $rc_part 0
        same heard.wav preview.wav
        same part.wav preview.wav
        matches "exact, $share gone" "$(cat part.json)" '"exact": true'
        ;;
    5 | 6)
        is "--partial, $share gone" $rc_part $rc
        absent heard.wav "reveal with $share gone"
        is "lines, $share gone" "$(wc -l <err.txt | tr -d ' ')" 1
        is "lines with --partial, $share gone" "$(wc -l <part.txt | tr -d ' ')" 1
        matches "error object, $share gone" "$(tr -d '\n ' <part.json)" "\"error\":\{\"status\":$rc,"
        if [ -e part.wav ]; then
            npartial=$((npartial + 1))
            matches "partial, $share gone" "$(cat part.txt)" "only part .* of [0-9]+ segments lost.*wrote part.wav"
            matches "not exact, $share gone" "$(cat part.json)" '"exact": false'
            is "length of what survived" "$(stat -c %s part.wav)" "$(stat -c %s preview.wav)"
        else
            nlost=$((nlost + 1))
            echo "$name, $share gone: $(cat part.txt)"
        fi
        ;;
    *) fail "exit status with $share gone: $rc: $(cat err.txt)" ;;
    esac
    no_litter
done
echo "$nwhole whole, $npartial partial, $nlost lost"
if [ $nwhole -lt 2 ]; then fail "the code repaired only $nwhole of the spoilt pictures"; fi
if [ $npartial -lt 1 ]; then fail "no message came back in part"; fi
if [ $nlost -lt 2 ]; then fail "only $nlost of the spoilt pictures were beyond repair"; fi

# the grid is not where it was; upside down it is found
spoil sent.png spoilt.png shift
refused 5 . reveal spoilt.png -o heard.wav "${key[@]}"
spoil sent.png spoilt.png rotate
ok reveal spoilt.png -o heard.wav "${key[@]}"
same heard.wav low.wav
finish
