#!/usr/bin/env bash
# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# More of what make test does with few: directives through real Slurms (tools/judges.sh), and odd texts through the linter.
# Arguments: how many scripts (5000), and the seed (the time of day).

# shellcheck source=tools/setup.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/setup.sh"

count=${1:-5000} seed=${2:-$(date +%s)}
failed=()
"$CHECKOUT/tools/judges.sh" "$count" "$seed" || failed+=(judges)
HPC_FUZZ_EXAMPLES=$count HPC_FUZZ_SEED=$seed "$CHECKOUT/tools/unit.sh" "$CHECKOUT/tests/unit/slurm/test_lint_any_text.py" || failed+=(texts)
if [ ${#failed[@]} -gt 0 ]; then
    printf "make fuzz failed: %s; again: make fuzz ARGS='%s %s'\n" "${failed[*]}" "$count" "$seed" >&2
    exit 1
fi
