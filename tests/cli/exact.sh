#!/usr/bin/env bash
# The decoder of `spectrum` gives the same samples whatever compiled it: those whose SHA-256 is in the vectors' MANIFEST.
. "$2/tests/cli/lib/common.bash"
vectors=$source_dir/tests/vectors/spectrum payload=$source_dir/src/stage/payload
sources=("$source_dir/tests/cli/lib/decode_spectrum.c" "$payload/payload_spectrum_decode.c" "$payload/payload_stream.c"
    "$source_dir/src/base/buf.c" "$source_dir/src/base/err.c")
for part in range net model pitch transform tables nets; do sources+=("$payload/spectrum_$part.c"); done
nvariants=0
# variant NAME RUNNER COMPILER...: builds, decodes every vector, compares
variant() {
    local name=$1 runner=$2 file sha what
    shift 2
    for tool in "$1" ${runner:+"${runner%% *}"}; do
        if ! command -v "$tool" >/dev/null; then
            echo "exact: without $name: there is no $tool here"
            return
        fi
    done
    if ! "$@" -std=c11 -D_POSIX_C_SOURCE=200809L -I "$source_dir/include" -I "$source_dir/src" -o decode "${sources[@]}" >build.log 2>&1; then
        if [ -n "$runner" ] || [[ $name == *m32* ]]; then
            echo "exact: without $name: it does not build here: $(grep -m 1 -i error build.log)"
        else
            fail "$name does not build: $(cat build.log)"
        fi
        return
    fi
    nvariants=$((nvariants + 1))
    while read -r file sha what; do
        is "$name: SHA-256 of $file ($what)" "$($runner ./decode "$vectors/$file" | sha256sum | cut -d ' ' -f 1)" "$sha"
    done <"$vectors/MANIFEST"
}
for compiler in gcc clang; do
    for level in -O0 -O3; do variant "$compiler $level" "" $compiler $level; done
done
variant "gcc -O3 -march=native -ffast-math" "" gcc -O3 -march=native -ffast-math
variant "gcc -O2 -m32" "" gcc -O2 -m32
for level in -O0 -O3; do
    variant "aarch64 $level" qemu-aarch64 aarch64-linux-gnu-gcc $level -static
done
variant "s390x, big-endian" qemu-s390x s390x-linux-gnu-gcc -O2 -static
if [ "$(grep -c . "$vectors/MANIFEST")" -lt 8 ]; then fail "MANIFEST: too few vectors"; fi
echo "exact: $nvariants builds compared"
if [ "$nvariants" -eq 0 ] && ! command -v gcc clang >/dev/null; then skip "no compiler here"; fi
finish
