#!/usr/bin/env bash
# The format's vectors (tools/gen_format_vectors.py): what must open gives these very bytes, what must fail fails so.
. "$2/tests/cli/lib/common.bash"
vectors=$source_dir/tests/vectors/format
nopen=0 nfail=0
while read -r file kind key status sha what; do
    case $kind in
    public) option=(--public) ;;
    passphrase) option=(--passphrase-file "$vectors/$key") ;;
    file) option=(--key-file "$vectors/$key") ;;
    *) fail "MANIFEST: kind of key $kind" && continue ;;
    esac
    IFS=+ read -r -a files <<<"$file" # an album's
    files=("${files[@]/#/$vectors/}")
    if [ "$status" = 0 ]; then
        nopen=$((nopen + 1))
        ok reveal "${files[@]}" -o out "${option[@]}"
        is "SHA-256 from $file ($what)" "$(sha256sum <out 2>/dev/null | cut -d ' ' -f 1)" "$sha"
    else
        nfail=$((nfail + 1))
        refused "$status" . reveal "${files[@]}" -o out "${option[@]}"
    fi
    rm -f out
done <"$vectors/MANIFEST"
if [ "$nopen" -lt 10 ] || [ "$nfail" -lt "$nopen" ]; then fail "MANIFEST: $nopen to open, $nfail to refuse"; fi
matches "a newer format" "$("$undertone" reveal "$vectors/text-version-2.png" -o out --public 2>&1)" 'newer'
finish
