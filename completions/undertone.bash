# bash completion for undertone(1)
_undertone()
{
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} command=${COMP_WORDS[1]-} words=
    local common='-q --quiet -v --verbose -h --help' key='--passphrase-file --key-file --public'
    local channels='whatsapp jpeg:75 jpeg:75-95 jpeg:90 png webp:80 avif:60 resize:0.75+jpeg:85 any'
    COMPREPLY=()
    if [ "$COMP_CWORD" -eq 1 ]; then
        words='hide reveal capacity enhance channel compare keygen help --help --version'
        mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
        return
    fi
    case $prev in
        --to | --through) words=$channels ;;
        --codec) words='auto opus flac raw spectrum' ;;
        --fec) words='auto ldpc bch rs hamming' ;;
        --hider) words='auto lattice inn' ;;
        --format) words='png jpg webp' ;;
        --profile-dir)
            mapfile -t COMPREPLY < <(compgen -d -- "$cur")
            return
            ;;
        --any | --bitrate | --min-psnr | --threads | --strength) return ;;
    esac
    if [ -z "$words" ] && [[ $cur == -* ]]; then
        case $command in
            hide) words="-o --output --any --format --to --codec --bitrate --no-enhance --strength --model $key --fec --hider --hider-weights --preview --min-psnr --strip --profile-dir --threads --json $common" ;;
            reveal) words="-o --output $key --partial --hider-weights --threads --json $common" ;;
            capacity) words="--to --min-psnr --profile-dir --threads --json $common" ;;
            enhance) words="-o --output --strength --model --force --threads --json $common" ;;
            channel) words="--through --profile-dir $common" ;;
            compare) words="--json $common" ;;
            keygen) words="-o --output $common" ;;
        esac
    elif [ "$command" = help ]; then
        words='hide reveal capacity enhance channel compare keygen'
    fi
    if [ -n "$words" ]; then
        mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
    else
        mapfile -t COMPREPLY < <(compgen -f -- "$cur")
    fi
}
complete -o filenames -F _undertone undertone
