#!/bin/sh
# A constructor-style installer, made by the project's scenario "adopt": a script with an archive behind it.
# usage: installer.sh -b -p PREFIX
set -eu
prefix=
while getopts bp: option; do
    case $option in
    b) ;;
    p) prefix=$OPTARG ;;
    *) exit 2 ;;
    esac
done
[ -n "$prefix" ] || { echo "usage: $0 -b -p PREFIX" >&2; exit 2; }
[ ! -e "$prefix" ] || { echo "ERROR: File or directory already exists: '$prefix'" >&2; exit 1; }
mkdir -p "$prefix"
line=$(awk '/^@@END_HEADER@@$/ { print NR + 1; exit }' "$0")
tail -n "+$line" "$0" | tar -xzf - -C "$prefix"
echo "installed into $prefix"
exit 0
# Where the archive begins: never run.
# shellcheck disable=SC2317
@@END_HEADER@@
