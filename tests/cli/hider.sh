#!/usr/bin/env bash
# --hider: the learned hider's weights here are tiny and random; that messages come back through what they do is all that counts.
. "$2/tests/cli/lib/common.bash"
guide=$source_dir/tests/vectors/hide/guide_weights.safetensors inn=$source_dir/tests/vectors/hide/inn_weights.safetensors
field() { tr -d '\n' <out.txt | grep -o "\"$1\": [^,}]*" | head -n 1 | sed 's/.*: //; s/ *$//'; } # of the JSON in out.txt
scene photo.png 512 384
head -c 150 "$source_dir/LICENSE" >text
hide() { ok hide text photo.png -o "$1" --codec raw --public --json "${@:2}"; }

# a guide is the sender's alone
auto='"lattice"'
[ ! -f "$source_dir/models/hide-guide.safetensors" ] || auto='"guided lattice"'
hide auto.png --to jpeg:75
is "hider by itself" "$(field hider)" "$auto"
hide noisy.png --to webp:90 --to jpeg:75
is "hider of noisy channels by itself" "$(field hider)" '"lattice"'
auto='"lattice"'
[ ! -f "$source_dir/models/hide-inn.safetensors" ] || auto='"inn"'
hide webp.png --to webp:90
is "hider of WebP by itself" "$(field hider)" "$auto"
ok channel webp.png arrived.webp --through webp:90
ok reveal arrived.webp -o out --public
same out text
hide lattice.png --to jpeg:75 --hider lattice
is "hider" "$(field hider)" '"lattice"'
hide guided.png --to jpeg:75 --hider inn --hider-weights "$guide"
json_valid out.txt
is "hider" "$(field hider)" '"guided lattice"'
ok channel guided.png arrived.jpg --through jpeg:75
ok reveal arrived.jpg -o out --public
same out text
hide low.png --to png --hider inn --hider-weights "$guide"
is "hider" "$(field hider)" '"low bits"'

# the receiver needs the invertible network that the sender had
hide inn.png --to webp:90 --hider inn --hider-weights "$inn"
is "hider" "$(field hider)" '"inn"'
ok channel inn.png arrived.webp --through webp:90
ok reveal arrived.webp -o out --public --hider-weights "$inn"
same out text
rm out
refused 8 'hidden with the network [0-9a-f]{8} and this program has' reveal arrived.webp -o out --public
sed 's/"kind"/"kin_"/' "$inn" >other.safetensors
refused 3 'not the weights of an INN' reveal arrived.webp -o out --public --hider-weights other.safetensors
refused 3 'cannot open' reveal arrived.webp -o out --public --hider-weights missing.safetensors

# weights that an older program hid with are found where models lie, by their id
older=$source_dir/models/hide-inn-$(sha256sum "$inn" | cut -c 1-8).safetensors
if cp "$inn" "$older" 2>/dev/null; then
    ok reveal arrived.webp -o out --public
    rm "$older"
    same out text
    rm out
fi

# files that are none
: >nothing.safetensors
mkdir -p folder.safetensors
for bad in nothing folder; do
    refused 3 $bad.safetensors hide text photo.png -o x.png --codec raw --public --to jpeg:75 --hider inn --hider-weights $bad.safetensors
    refused 3 $bad.safetensors reveal arrived.webp -o x --public --hider-weights $bad.safetensors
done

# in an album too
scene other.png 512 384 2
ok hide text photo.png other.png -o a.png -o b.png --codec raw --public --to webp:90 --hider inn --hider-weights "$inn"
ok reveal b.png a.png -o out --public --hider-weights "$inn"
same out text

refused 2 'goes with --hider inn' hide text photo.png -o x.png --codec raw --public --hider-weights "$guide"
refused 2 'auto' hide text photo.png -o x.png --codec raw --public --hider magic
refused 3 'kind "inn"' hide text photo.png -o x.png --codec raw --public --to jpeg:75 --hider inn --hider-weights "$inn"
refused 3 'kind "guide"' hide text photo.png -o x.png --codec raw --public --to webp:90 --hider inn --hider-weights "$guide"
head -c 5000 "$guide" >cut.safetensors
refused 3 'not a usable weight file' hide text photo.png -o x.png --codec raw --public --to jpeg:75 --hider inn --hider-weights cut.safetensors
finish
