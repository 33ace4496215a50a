#!/usr/bin/env bash
# Builds and runs every test twice, plain and under AddressSanitizer and UndefinedBehaviorSanitizer.
# Closes with one line: N passed, N failed, N skipped.  Exit status 0 only if none failed.
set -euo pipefail
cd "$(dirname "$0")/.."
jobs=${JOBS:-2}
passed=0 failed=0 skipped=0

configure_and_build() { # FOLDER CMAKE-ARGUMENTS...
    local folder=$1
    shift
    echo "== building $folder"
    cmake -S . -B "$folder" -DUT_WERROR=ON "$@" >"$folder.log" 2>&1 &&
        cmake --build "$folder" -j"$jobs" >>"$folder.log" 2>&1 ||
        { tail -n 60 "$folder.log" >&2; echo "check: building $folder failed; all of it is in $folder.log" >&2; exit 1; }
    rm -f "$folder.log"
}

run_tests() { # FOLDER
    local results list
    echo "== testing $1"
    results=$(mktemp)
    (cd "$1" && ctest -j"$jobs" --output-on-failure --output-junit "$results") || true
    list=$(grep -o '<testcase [^>]*' "$results" || true)
    rm -f "$results"
    local n_run n_skip n_all
    n_all=$(grep -c . <<<"$list" || true)
    n_run=$(grep -c 'status="run"' <<<"$list" || true)
    n_skip=$(grep -c -E 'status="(notrun|disabled)"' <<<"$list" || true)
    passed=$((passed + n_run)) skipped=$((skipped + n_skip)) failed=$((failed + n_all - n_run - n_skip))
    if [ "$n_all" -eq 0 ]; then
        echo "check: no test ran in $1" >&2
        failed=$((failed + 1))
    fi
}

configure_and_build build -DUT_SANITIZE=OFF
configure_and_build build-asan -DUT_SANITIZE=ON -DCMAKE_BUILD_TYPE=RelWithDebInfo -DUT_BENCH=OFF
if [ "${CI:-}" = true ]; then
    configure_and_build build-clang -DCMAKE_C_COMPILER=clang
fi
run_tests build
export ASAN_OPTIONS=detect_leaks=1:abort_on_error=0:allocator_may_return_null=1
export UBSAN_OPTIONS=print_stacktrace=1
run_tests build-asan
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
