#!/usr/bin/env bash
# Installs what is missing from Debian 12 to build, test or demonstrate Undertone.
# Usage: tools/install_deps.sh build|check|demo|fuzz
set -euo pipefail
purpose=${1:-build}

packages=(cmake make gcc libc6-dev pkg-config
    libjpeg-dev libpng-dev libwebp-dev libheif-dev liblcms2-dev
    libsndfile1-dev libavformat-dev libavcodec-dev libavutil-dev libswresample-dev libsoxr-dev libopus-dev libflac-dev
    libssl-dev libargon2-dev)
case $purpose in
build) ;;
check)
    packages+=(libasan8 libubsan1 libjpeg-turbo-progs)
    if [ "${CI:-}" = true ]; then packages+=(clang qemu-user gcc-aarch64-linux-gnu libc6-dev-arm64-cross); fi
    ;;
demo) packages+=(espeak-ng sox) ;;
fuzz) packages+=(clang) ;;
*)
    echo "install_deps.sh: unknown purpose $purpose; one of build, check, demo, fuzz" >&2
    exit 2
    ;;
esac

missing=()
if command -v dpkg-query >/dev/null; then
    for p in "${packages[@]}"; do
        status=$(dpkg-query -W -f '${Status}' "$p" 2>/dev/null) || status=
        # a virtual package, or another version's name, is no reason to stop here
        case $status in *"ok installed"*) ;; *) missing+=("$p") ;; esac
    done
else
    # Not a Debian: whoever builds here provides the libraries; CMake names what it does not find.
    for tool in cmake cc pkg-config; do
        command -v $tool >/dev/null || { echo "install_deps.sh: $tool is missing and this is not Debian; install it" >&2; exit 1; }
    done
fi
[ ${#missing[@]} -eq 0 ] && exit 0

echo "Installing from Debian: ${missing[*]}"
if [ "$(id -u)" -eq 0 ]; then
    as_root=()
elif command -v sudo >/dev/null; then
    as_root=(sudo)
else
    echo "install_deps.sh: neither root nor sudo; as root, run: apt-get install ${missing[*]}" >&2
    exit 1
fi
apt() { "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o Dpkg::Use-Pty=0 "$@"; }
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! { apt update && apt install --no-install-recommends "${missing[@]}"; } >"$log" 2>&1; then
    tail -n 20 "$log" >&2
    echo "install_deps.sh: apt-get could not install ${missing[*]}" >&2
    exit 1
fi
