#!/usr/bin/env bash
# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Every test there is: lint and ansible-test sanity side by side with the unit tests, then a cluster in containers, then the
# whole runs.
# pytest's closing line is the last one where all is well; where something else failed, its name is.

# shellcheck source=tools/setup.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/setup.sh"

setup test
cd -- "$CHECKOUT"
# An ordinary user learns now, not in half an hour, which package the containers lack.
tools/molecule.sh packages </dev/null

logs=$(mktemp -d -- "${TMPDIR:-/tmp}/hpc.pytorch-test.XXXXXX")
background=
finish() {
    # Interrupted: what still runs in the background is ours to end, with all that it has started.
    [ -z "$background" ] || kill -- "-$background" 2>/dev/null || true
    rm -rf -- "$logs"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

failed=()
begin=$SECONDS
headline() {
    printf '\n=== %s (%d s)\n' "$1" "$((SECONDS - begin))"
}

# The two share the cores with the unit tests, one after the other, in a process group of their own.
set -m
{
    tools/sanity.sh >"$logs/sanity" 2>&1 || : >"$logs/sanity.failed"
    tools/lint.sh >"$logs/lint" 2>&1 || : >"$logs/lint.failed"
    : >"$logs/done"
} </dev/null &
background=$!
set +m

headline 'unit tests (lint and sanity run beside them)'
python -m pytest tests/unit </dev/null || failed+=('unit tests')

wait "$background" || true
background=
for check in sanity lint; do
    headline "$check"
    cat -- "$logs/$check" || true
    [ ! -e "$logs/$check.failed" ] || failed+=("$check")
done
[ -e "$logs/done" ] || failed+=('lint and sanity, which were ended from outside')

headline 'molecule: a cluster in containers'
molecule=0
tools/molecule.sh </dev/null || molecule=$?
case $molecule in
0) ;;
4) printf '\nNOT RUN: the Molecule scenarios, as this user may start no machines here (see above). CI runs them as root.\n' >&2 ;;
*) failed+=('molecule') ;;
esac

headline 'whole runs'
python -m pytest tests/site </dev/null || failed+=('whole runs')

if [ ${#failed[@]} -gt 0 ]; then
    printf '\nmake test failed: %s\n' "$(printf '%s, ' "${failed[@]}" | sed 's/, $//')" >&2
    exit 1
fi
