#!/usr/bin/env bash
# src/ is layered: a folder includes only folders before it, a stage never another stage.
. "$2/tests/cli/lib/common.bash"
order=(base kern stage channel media pipeline cli)
rank() {
    local i
    for i in "${!order[@]}"; do
        if [ "${order[$i]}" = "$1" ]; then echo "$i"; return; fi
    done
    echo -1
}
# check_include FILE INCLUDED: prints why not, if not
check_include() {
    local from=${1%%/*} to=${2%%/*} from_stage to_stage
    if [ "$2" = undertone.h ]; then return; fi
    if [ "$(rank "$to")" -lt 0 ]; then echo "$1 includes $2, which is in no layer"; return; fi
    if [ "$(rank "$to")" -gt "$(rank "$from")" ]; then
        echo "$1 includes $2, of a later layer"
        return
    fi
    if [ "$from" = stage ] && [ "$to" = stage ]; then
        from_stage=$(cut -d/ -f2 <<<"$1") to_stage=$(cut -d/ -f2 <<<"$2")
        if [ "$from_stage" != "$to_stage" ]; then echo "$1 includes another stage's $2"; fi
    fi
}
# the check itself must be able to fail
matches "a layer upwards" "$(check_include base/buf.c pipeline/job.h)" "later layer"
matches "stage to stage" "$(check_include stage/fec/a.c stage/seal/seal.h)" "another stage"
is "downwards" "$(check_include pipeline/hide.c stage/fec/fec.h)" ""

cd "$source_dir/src" || exit 1
is "folders in src" "$(for d in */; do [ "$(rank "${d%/}")" -ge 0 ] || echo "$d"; done)" ""
nincludes=0
while IFS=: read -r file line; do
    included=$(sed 's/^[^"]*"\([^"]*\)".*/\1/' <<<"$line")
    case $included in */* | undertone.h) ;; *) included=$(dirname "$file")/$included ;; esac
    nincludes=$((nincludes + 1))
    is "$file" "$(check_include "$file" "$included")" ""
done < <(grep -rn --include='*.[ch]' '^[[:space:]]*#[[:space:]]*include[[:space:]]*"' . | sed 's/^\.\///; s/:[0-9]*:/:/')
if [ "$nincludes" -lt 10 ]; then fail "only $nincludes #include lines found"; fi
finish
