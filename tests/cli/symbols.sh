#!/usr/bin/env bash
# libundertone.so exports the functions that undertone.h declares, and nothing else.
. "$2/tests/cli/lib/common.bash"
command -v nm >/dev/null || skip "no nm here"
library=$(dirname "$undertone")/libundertone.so
[ -e "$library" ] || { fail "$library is missing"; finish; }
tr '\n' ' ' <"$source_dir/include/undertone.h" | grep -o 'UT_API [^;{]*;' | grep -o 'ut_[a-z0-9_]* *(' | tr -d ' (' | sort -u >declared.txt
# names that begin with _ are the compiler's and the sanitizers' own
nm -D --defined-only "$library" | awk '{ print $NF }' | sed 's/@.*//' | grep -v '^_' | sort -u >exported.txt
if [ "$(wc -l <declared.txt)" -lt 10 ]; then fail "found only $(wc -l <declared.txt) declarations"; fi
is "declared but not exported" "$(comm -23 declared.txt exported.txt | tr '\n' ' ')" ""
is "exported but not declared" "$(comm -13 declared.txt exported.txt | tr '\n' ' ')" ""
finish
