#!/usr/bin/env bash
# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Run every test, in two lanes: a cluster in containers, which waits for other programs most of the time, runs in the
# background next to lint, unit tests, sanity and whole runs, one after the other.
#
# The last line is pytest's closing line where everything passed. Otherwise it names the parts that failed.

# shellcheck source=tools/setup.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/setup.sh"
# shellcheck source=tools/cores.env
. "$CHECKOUT/tools/cores.env"

setup test
cd -- "$CHECKOUT"
# An ordinary user learns now, not in half an hour, which package the containers need.
tools/molecule.sh packages </dev/null

core=0
newest=$(tools/cores.sh --venv "$CORE_NEWEST" </dev/null) || core=$?

logs=$(mktemp -d -- "${TMPDIR:-/tmp}/hpc.pytorch-test.XXXXXX")
background=
finish() {
    # Interrupted: end the background process group, with all that it has started.
    if [ -n "$background" ]; then
        kill -- "-$background" 2>/dev/null || true
        # It removes its machines before it ends.
        wait "$background" 2>/dev/null || true
    fi
    rm -rf -- "$logs"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

failed=()
times=()
begin=$SECONDS
headline() {
    printf '\n=== %s (%d s)\n' "$1" "$((SECONDS - begin))"
}

# Run a command as a part of the tests: note how long it takes, and its name if it fails.
part() { # name, command...
    local name=$1 start=$SECONDS rc=0
    shift
    headline "$name"
    "$@" </dev/null || rc=$?
    [ $rc = 0 ] || failed+=("$name")
    times+=("$((SECONDS - start)) s $name")
}

# With lower priority than the cluster, whose jobs have time limits of minutes.
run_pytest() { # folder
    nice -n 5 python -m pytest "$1" --numprocesses="$(nproc)" --dist=loadfile --durations=20
}

# Print the output as it comes, up to the closing lines, which go to a file.
hold_closing_lines() { # file
    awk -v rest="$1" '
        /^=+ (FAILURES|ERRORS|warnings summary|slowest [0-9]+ durations|short test summary info) =+$/ || / in [0-9.]+s/ { held = 1 }
        held { print >rest; next }
        { print; fflush() }'
}

# With containers; where this user may start none, that is no failure.
differential() {
    tools/judges.sh || judges=$?
    [ $judges = 0 ] || [ $judges = 4 ]
}

# As above.
kernels_in_jobs() {
    tools/kernels.sh -q || kernels=$?
    [ $kernels = 0 ] || [ $kernels = 4 ]
}

# On the newest ansible-core as well, where this machine has a Python for it.
whole_runs() {
    : >"$logs/closing"
    HPC_TEST_CORES=$newest run_pytest tests/site 2>&1 | hold_closing_lines "$logs/closing"
}

# In a process group of its own, so that an interrupt ends all of it.
set -m
{
    start=$SECONDS rc=0
    tools/molecule.sh >"$logs/molecule" 2>&1 || rc=$?
    printf '%d %d\n' "$rc" "$((SECONDS - start))" >"$logs/molecule.end"
} </dev/null &
background=$!
set +m

part lint tools/lint.sh
part 'unit tests' run_pytest tests/unit
part sanity tools/sanity.sh
part 'whole runs' whole_runs
judges=0
part judges differential
kernels=0
part kernels kernels_in_jobs

wait "$background" || true
background=
headline 'molecule: a cluster in containers'
cat -- "$logs/molecule" || true
read -r molecule seconds 2>/dev/null <"$logs/molecule.end" || molecule=killed seconds=0
times+=("$seconds s molecule, next to the others")
case $molecule in
0) ;;
4) printf '\nNOT RUN: the Molecule scenarios, as this user may start no machines here (see above). CI runs them as root.\n' >&2 ;;
*) failed+=('molecule') ;;
esac

case $core in
0) ;;
4) printf '\nNOT RUN: ansible-core %s, as no Python here runs it (see above).\n' "$CORE_NEWEST" >&2 ;;
*) failed+=("ansible-core $CORE_NEWEST") ;;
esac
[ $judges != 4 ] || printf '\nNOT RUN: the differential test, as this user may start no containers here (see above). CI runs it as root.\n' >&2

[ $kernels != 4 ] || printf '\nNOT RUN: kernels in Slurm jobs, as this user may start no containers here (see above). CI runs it as root.\n' >&2

headline 'times'
printf '%s\n' "${times[@]}"
# Nothing comes after pytest's own closing lines.
printf '\n'
cat -- "$logs/closing"

if [ ${#failed[@]} -gt 0 ]; then
    printf '\nmake test failed: %s\n' "$(printf '%s, ' "${failed[@]}" | sed 's/, $//')" >&2
    exit 1
fi
