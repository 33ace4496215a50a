#!/usr/bin/env bash
# --help, the manual page and both completions name the same commands and options.
. "$2/tests/cli/lib/common.bash"
man=$source_dir/man/undertone.1 bash_file=$source_dir/completions/undertone.bash zsh_file=$source_dir/completions/_undertone
for f in "$man" "$bash_file" "$zsh_file"; do [ -f "$f" ] || fail "$f is missing"; done
options_of_help() { "$undertone" "$1" --help | sed -n '/^Options:/,/^Exit status/p' | grep -o -E '^ +(-., )?--[a-z-]+' | grep -o -E '\-\-[a-z-]+' | sort -u; }
# in the manual page each command has a section "Ss NAME", its options as "It Fl ... Fl -name"
options_of_man() {
    { awk -v c="$1" '$1 == ".Ss" { on = ($2 == c) } on && $1 == ".It" && $2 == "Fl"' "$man"
      awk '$1 == ".Ss" { on = ($2 == "Every") } on && $1 == ".It" && $2 == "Fl"' "$man"; } |
        grep -o -E 'Fl -[a-z-]+' | sed 's/^Fl -/--/' | sort -u
}
options_of_bash() {
    bash -c '. "$1"; COMP_WORDS=(undertone "$2" --); COMP_CWORD=2; COMP_LINE="undertone $2 --"; _undertone; printf "%s\n" "${COMPREPLY[@]}"' \
        _ "$bash_file" "$1" | grep -o -E '^--[a-z-]+' | sort -u
}
options_of_zsh() {
    awk -v c="$1" '$0 ~ "^ *(" c ")\\)" || $0 ~ "^ *" c "\\)" { on = 1 } /;;/ { if (on) print; on = 0 } on' "$zsh_file" |
        grep -o -E '\-\-[a-z-]+' | cat - <(sed -n '/^ *common=(/,/^ *)/p' "$zsh_file" | grep -o -E '\-\-[a-z-]+') | sort -u
}
commands=$("$undertone" help | sed -n '/^Commands:/,/^$/p' | awk 'NR > 1 && NF { print $1 }' | sort)
is "commands" "$(tr '\n' ' ' <<<"$commands")" "capacity channel compare enhance hide keygen reveal "
for c in $commands; do
    help=$(options_of_help "$c")
    matches "options of $c" "$help" "--help"
    is "man page, $c" "$(options_of_man "$c" | tr '\n' ' ')" "$(tr '\n' ' ' <<<"$help")"
    is "bash completion, $c" "$(options_of_bash "$c" | tr '\n' ' ')" "$(tr '\n' ' ' <<<"$help")"
    is "zsh completion, $c" "$(options_of_zsh "$c" | tr '\n' ' ')" "$(tr '\n' ' ' <<<"$help")"
    is "help $c" "$("$undertone" help "$c")" "$("$undertone" "$c" --help)"
    for s in 0 2 3 4 5 6 7 8 130; do
        matches "exit statuses in help $c" "$("$undertone" help "$c" | sed -n '/^Exit status/,$p' | tr '\n' ' ')" "(^|[ ,:])$s "
    done
done
for s in 0 2 3 4 5 6 7 8 130; do
    if grep -q "^\.It $s\$" "$man"; then pass; else fail "exit status $s is not in the manual page"; fi
done
matches "version" "$("$undertone" --version)" '^undertone [0-9]+\.[0-9]+\.[0-9]+$'
if command -v man >/dev/null; then
    is "warnings of man" "$(LC_ALL=C MANWIDTH=80 man --warnings -l "$man" 2>&1 >/dev/null | head -n 5)" ""
fi
finish
