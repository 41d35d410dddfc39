#!/usr/bin/env bash
# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Kernels of a real Jupyter server in jobs of real Slurms (22.05 and 24.11, Debian's), each in a container without a network.
# Arguments go to pytest.
#
# The images, the wheels and JupyterLab's own conda are made once and kept in the cache, named by a hash of their inputs.

# shellcheck source=tools/setup.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/setup.sh"
# shellcheck source=tools/machines.sh
. "$CHECKOUT/tools/machines.sh"

# Debian's releases, and their Pythons.
readonly SUITES=(bookworm:3.11 trixie:3.13)
readonly PACKAGES=munge,slurmctld,slurmd,slurm-client,iproute2,python3-venv
readonly NEEDS=$CHECKOUT/tests/kernels/inside/requirements.txt

# For the container's Python, which has no network.
download_wheels() { # Python, folder
    local platform platforms=() machine
    machine=$(uname -m)
    for platform in manylinux_2_28 manylinux2014 manylinux_2_17 manylinux_2_12 manylinux_2_5; do
        platforms+=(--platform "${platform}_$machine")
    done
    say "downloading the packages of a Jupyter server, once"
    python -m pip download --quiet --disable-pip-version-check --only-binary=:all: --python-version "$1" \
        "${platforms[@]}" --dest "$2" --requirement "$NEEDS"
}

# A container starts, and may give itself an address.
container_starts() { # log
    "$ENGINE" run --rm --network=none --cap-add=NET_ADMIN "$IMAGE" ip address add 127.0.0.2/8 dev lo >"$1" 2>&1
}

run_tests() { # image, Python, pytest arguments...
    local image=$1 python=$2 hash wheels
    shift 2
    hash=$({ printf '%s\n' "$image" && cat -- "$NEEDS"; } | digest)
    wheels=$CACHE/kernels/$hash/wheels
    once "$wheels" download_wheels "$python"
    mkdir -p -- "$CACHE/kernels/$hash/conda"
    # One run at a time: the container is named after the checkout, and JupyterLab's conda is shared. What is started must not
    # hold the lock, which it might outlive.
    wait_for_lock "$CACHE/kernels/$hash.lock" "of these kernels is going on"
    python "$CHECKOUT/tests/kernels/run.py" "$ENGINE" "$image" "$wheels" "$CACHE/kernels/$hash/conda" "$@" \
        </dev/null {LOCK}>&- &
    local tests=$!
    # It removes its container before it ends.
    # shellcheck disable=SC2064 # the process is known now
    trap "kill $tests 2>/dev/null || true; wait $tests || true; exit 143" INT TERM
    wait $tests
}

main() {
    local suite number
    ENGINE=$(choose_engine)
    setup molecule "$ENGINE"
    IMAGES=()
    for suite in "${SUITES[@]}"; do
        setup_small_image hpc-pytorch-kernels "${suite%:*}" "$PACKAGES"
    done
    IMAGE=${IMAGES[0]}
    setup_engine container_starts
    mkdir -p -- "$CACHE/molecule"
    HPC_MOLECULE_ID=$(printf '%s' "$CHECKOUT" | sha256sum | cut -c1-6)
    export HPC_MOLECULE_ID PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$CHECKOUT/.collections
    for number in "${!SUITES[@]}"; do
        suite=${SUITES[number]}
        printf "kernels in jobs of Debian %s's Slurm\n" "${suite%:*}"
        run_tests "${IMAGES[number]}" "${suite#*:}" "$@"
    done
}

main "$@"
