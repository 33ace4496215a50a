# What the command's tests share.  A test begins with:  . "$2/tests/cli/lib/common.bash"
# shellcheck shell=bash
set -u
undertone=$1 source_dir=$2
tools=$(cd "$(dirname "$undertone")" && pwd)/tools
undertone=$(cd "$(dirname "$undertone")" && pwd)/$(basename "$undertone")
work=$(mktemp -d)
trap 'cd /; rm -rf "$work"' EXIT
cd "$work" || exit 1
nchecks=0 nfailed=0

pass() { nchecks=$((nchecks + 1)); }
fail() {
    nchecks=$((nchecks + 1)) nfailed=$((nfailed + 1))
    echo "FAILED: $*" >&2
}
# is WHAT GOT WANTED
is() { if [ "$2" = "$3" ]; then pass; else fail "$1: got '$2', wanted '$3'"; fi; }
# matches WHAT TEXT PATTERN
matches() { if [[ $2 =~ $3 ]]; then pass; else fail "$1: '$2' does not match '$3'"; fi; }
absent() { if [ -e "$1" ] || [ -L "$1" ]; then fail "$1 should not exist${2:+ after: $2}"; else pass; fi; }
present() { if [ -s "$1" ]; then pass; else fail "$1 should exist and not be empty"; fi; }
same() { if cmp -s "$1" "$2"; then pass; else fail "$1 and $2 differ"; fi; }
no_litter() {
    local left
    left=$(find "${1:-.}" -name '.undertone-*' 2>/dev/null)
    is "temporary files left" "$left" ""
}
# ok COMMAND...: must succeed with nothing on standard error
ok() {
    local rc
    "$undertone" "$@" >out.txt 2>err.txt </dev/null
    rc=$?
    is "exit status of: undertone $*" $rc 0
    is "standard error of: undertone $*" "$(cat err.txt)" ""
}
# refused STATUS PATTERN COMMAND...: must fail so, with one line on standard error and no file
refused() {
    local status=$1 pattern=$2 rc outputs o i
    shift 2
    outputs=()
    for ((i = 1; i <= $#; i++)); do
        if [ "${!i}" = -o ] || [ "${!i}" = --preview ]; then
            o=$((i + 1))
            if [ "$o" -le $# ] && [ ! -e "${!o}" ]; then outputs+=("${!o}"); fi
        fi
    done
    "$undertone" "$@" >out.txt 2>err.txt </dev/null
    rc=$?
    is "exit status of: undertone $* ($(head -c 300 err.txt))" $rc "$status"
    is "lines on standard error of: undertone $*" "$(wc -l <err.txt | tr -d ' ')" 1
    matches "message of: undertone $*" "$(head -n 1 err.txt)" '^undertone: .'
    matches "message of: undertone $*" "$(cat err.txt)" "$pattern"
    for o in ${outputs[@]+"${outputs[@]}"}; do absent "$o" "undertone $*"; done
    no_litter
}
scene() { "$tools/render_scene" "$@" || fail "render_scene $*"; } # OUT.png WIDTH HEIGHT [SEED]
voice() { "$tools/render_voice" "$@" || fail "render_voice $*"; } # OUT.wav SAMPLES [RATE [SEED]]
json_valid() {
    if command -v python3 >/dev/null; then
        if python3 -c 'import json,sys; json.load(open(sys.argv[1]), parse_constant=lambda c: sys.exit("not JSON: " + c))' "$1" >/dev/null 2>json_err.txt; then pass; else fail "$1 is not JSON: $(cat json_err.txt "$1")"; fi
    elif [ "$(head -c 1 "$1")" = "{" ] && [ "$(tail -c 2 "$1")" = "}" ]; then
        pass
    else
        fail "$1 is not a JSON object"
    fi
}
skip() {
    echo "skipped: $*"
    exit 77
}
finish() {
    echo "$nchecks checks, $nfailed failed"
    [ "$nchecks" -gt 0 ] && [ "$nfailed" -eq 0 ]
    exit $?
}
