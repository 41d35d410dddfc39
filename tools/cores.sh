#!/usr/bin/env bash
# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Every supported series of ansible-core (tools/cores.env), each in a venv of its own: ansible-test sanity, and
# tests/site/cores, which plays site.yml on inventories/local. Arguments choose series. With --venv, only make the venv of
# one series and print its path. The exit status is 4 if that has no Python here.

# shellcheck source=tools/setup.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/setup.sh"
# shellcheck source=tools/core.sh
. "$CHECKOUT/tools/core.sh"

setup test
cd -- "$CHECKOUT"

if [ "${1:-}" = --venv ]; then
    setup_core "$2" || exit $?
    printf '%s\n' "$VENV"
    exit 0
fi

series=("$@")
[ $# -gt 0 ] || mapfile -t series < <(names_of "$CORES")
failed=()
left_out=()
for core in "${series[@]}"; do
    rc=0
    venv=$(tools/cores.sh --venv "$core") || rc=$?
    case $rc in
    0) ;;
    4) left_out+=("ansible-core $core") && continue ;;
    *) failed+=("the venv of $core") && continue ;;
    esac
    printf '\n=== ansible-core %s\n' "$core"
    without=$(value_of "$core" "$CORES_WITHOUT")
    [ -z "$without" ] || left_out+=("sanity test $without of $core")
    HPC_CORE=$core tools/sanity.sh ${without:+--skip-test "$without"} || failed+=("sanity of $core")
    HPC_TEST_CORES=$venv python -m pytest tests/site/cores -k 'not sanity' || failed+=("whole runs of $core")
done
[ ${#left_out[@]} = 0 ] || printf '\nNOT RUN: %s\n' "$(printf '%s, ' "${left_out[@]}" | sed 's/, $//')" >&2
if [ ${#failed[@]} -gt 0 ]; then
    printf '\nmake cores failed: %s\n' "$(printf '%s, ' "${failed[@]}" | sed 's/, $//')" >&2
    exit 1
fi
