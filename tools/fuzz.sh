#!/usr/bin/env bash
# Runs every fuzz target for a minute (FUZZ_SECONDS), its corpus in a temporary folder.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${FUZZ_SECONDS:-60}
cmake -S . -B build-fuzz -DCMAKE_C_COMPILER=clang -DCMAKE_BUILD_TYPE=RelWithDebInfo -DUT_FUZZ=ON -DUT_BENCH=OFF
cmake --build build-fuzz -j"${JOBS:-2}"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
failed=0 n=0
for source in tests/fuzz/fuzz_*.c; do
    [ -e "$source" ] || break
    name=$(basename "$source" .c)
    n=$((n + 1))
    mkdir -p "$folder/$name"
    seeds=()
    if [ -d "tests/fuzz/seeds/$name" ]; then seeds=("tests/fuzz/seeds/$name"); fi
    case $name in
    fuzz_image) seeds=(tests/vectors/image) ;;
    fuzz_reveal) seeds=(tests/vectors/format) ;;
    fuzz_enhance_model) seeds=(tests/vectors/enhance) ;;
    fuzz_hider_model) seeds=(tests/vectors/hide) ;;
    esac
    echo "== $name, $seconds s"
    if ! ASAN_OPTIONS=allocator_may_return_null=1 UBSAN_OPTIONS=halt_on_error=1 "build-fuzz/tests/$name" -max_total_time="$seconds" -timeout=120 \
        -rss_limit_mb=4096 -print_final_stats=1 -verbosity=0 -artifact_prefix="$PWD/build-fuzz/" \
        "$folder/$name" "${seeds[@]}"; then
        echo "fuzz: $name found a fault; the input is in build-fuzz/" >&2
        failed=$((failed + 1))
    fi
done
echo "$n targets, $failed with faults"
[ "$failed" -eq 0 ]
