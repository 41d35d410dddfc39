#!/usr/bin/env bash
# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# The differential test: thousands of directives, to the sbatch of Debian 12 (Slurm 22.05) and of Debian 13 (24.11) and to
# sbatch_lint and sbatch_script. Each Slurm runs in a container of its own without a network. Arguments: how many scripts
# (400), and the seed (1). Every disagreement is printed that tests/judges/standing.yml does not explain.
#
# The images are made once and kept in the cache, named by a hash of their inputs.

# shellcheck source=tools/setup.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/setup.sh"
# shellcheck source=tools/machines.sh
. "$CHECKOUT/tools/machines.sh"

readonly SUITES=(bookworm trixie) PACKAGES=munge,slurmctld,slurmd,slurm-client,iproute2

# A container starts, and may give itself an address.
container_starts() { # log
    "$ENGINE" run --rm --network=none --cap-add=NET_ADMIN "$IMAGE" ip address add 127.0.0.2/8 dev lo >"$1" 2>&1
}

main() {
    local count=${1:-400} seed=${2:-1}
    case $count$seed in
    *[!0-9]*) refuse "a number of scripts and a seed" "'$*'" "give for example: make fuzz ARGS='5000 7'" ;;
    esac
    ENGINE=$(choose_engine)
    setup molecule "$ENGINE"
    IMAGES=()
    local suite
    for suite in "${SUITES[@]}"; do
        setup_small_image hpc-pytorch-judge "$suite" "$PACKAGES"
    done
    IMAGE=${IMAGES[0]}
    setup_engine container_starts
    HPC_MOLECULE_ID=$(printf '%s' "$CHECKOUT" | sha256sum | cut -c1-6)
    export HPC_MOLECULE_ID PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$CHECKOUT/.collections
    # The containers are named after the checkout. What is started must not hold the lock, which it might outlive.
    mkdir -p -- "$CACHE/molecule"
    wait_for_lock "$CACHE/molecule/$HPC_MOLECULE_ID.judges.lock" "of this checkout is asking its Slurms"
    python "$CHECKOUT/tests/judges/run.py" "$ENGINE" "$count" "$seed" "${IMAGES[@]}" </dev/null {LOCK}>&- &
    local judge=$!
    # It removes its containers before it ends.
    # shellcheck disable=SC2064 # the process is known now
    trap "kill $judge 2>/dev/null || true; wait $judge || true; exit 143" INT TERM
    wait $judge
}

main "$@"
