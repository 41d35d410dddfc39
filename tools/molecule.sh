#!/usr/bin/env bash
# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# The Molecule scenarios: a cluster in containers. Without arguments all of them, one after the other; with the name of one
# that one; "packages" only makes sure that what they need is installed; otherwise the arguments are Molecule's own, for
# example: tools/molecule.sh converge -s default
#
# What takes long is made once and kept in the cache, named by a hash of its inputs: the image, the channel, the wheels of
# the engine, the CUDA toolkit. All of it can be deleted; the next run makes it again.

# shellcheck source=tools/setup.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/setup.sh"
# shellcheck source=tools/machines.sh
. "$CHECKOUT/tools/machines.sh"

readonly SCENARIOS=(default user adopt grow jobs)

# The image has the system of this machine, so that the interpreter that the channel packs runs there as well.
suite() {
    # shellcheck source=/dev/null
    (. /etc/os-release && case ${ID:-} in debian | ubuntu) printf '%s\n' "$VERSION_CODENAME" ;; *) echo bookworm ;; esac)
}

# --- image -------------------------------------------------------------------------------------------------------

image_packages() {
    sed 's/#.*//; /^[[:space:]]*$/d' "$CHECKOUT/molecule/shared/image-packages.txt" | paste -sd,
}

make_image() { # path
    local mirror log=$1.log
    mirror=$(mirror_of "$(suite)")
    say "making the image of the cluster's machines, once (Debian packages; about a minute)"
    if ! mmdebstrap --quiet --variant=minbase --include="$(image_packages)" --components=main,universe \
        --aptopt='Acquire::Languages "none"' --aptopt='APT::Install-Recommends "false"' \
        --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
        --dpkgopt='path-exclude=/usr/share/locale/*' \
        --customize-hook="$(printf '%q' "$CHECKOUT/molecule/shared/image-setup.sh") \"\$1\"" \
        "$(suite)" "$log.tar" ${mirror:+"$mirror"} >"$log" 2>&1 || ! zstd --quiet --rm -1 "$log.tar" -o "$1"; then
        tail -n 20 -- "$log" >&2
        rm -f -- "$log" "$log.tar"
        refuse "mmdebstrap to make an image of Debian packages" "it could not, see above" "check that Debian's packages are reachable"
    fi
    rm -f -- "$log"
}

# Set IMAGE, imported into the engine's own storage.
setup_image() {
    local hash archive
    hash=$({ suite && image_packages && cat -- "$CHECKOUT/molecule/shared/image-setup.sh" && uname -m; } | digest)
    IMAGE=localhost/hpc-pytorch-molecule:$hash
    archive=$CACHE/images/$hash.tar.zst
    "$ENGINE" image inspect "$IMAGE" >/dev/null 2>&1 && return
    once "$archive" make_image
    say "importing the image into $ENGINE"
    "$ENGINE" import "$archive" "$IMAGE" >/dev/null 2>"$archive.log.$$" || {
        cat -- "$archive.log.$$" >&2
        rm -f -- "$archive.log.$$"
        refuse "$ENGINE to import $archive" "it could not, see above" "remove that file, and run it again"
    }
    rm -f -- "$archive.log.$$"
}

# --- engine ------------------------------------------------------------------------------------------------------

# A machine with systemd starts and answers.
engine_works() {
    local name=hpc-pytorch-probe-$$ rc=0
    local options=(--systemd=always)
    [ "$ENGINE" = podman ] || options=(--privileged --cgroupns=private --tmpfs=/run --tmpfs=/run/lock)
    {
        "$ENGINE" network create "$name" && "$ENGINE" run --detach --rm --name "$name" --network "$name" "${options[@]}" "$IMAGE" /sbin/init &&
            timeout 30 "$ENGINE" exec "$name" /bin/sh -c 'until systemctl show --property=Version >/dev/null 2>&1; do sleep 0.2; done'
    } >"$1" 2>&1 || rc=1
    "$ENGINE" rm --force "$name" >/dev/null 2>&1 || true
    "$ENGINE" network rm "$name" >/dev/null 2>&1 || true
    return $rc
}

# --- what the machines find on the site's mirror -----------------------------------------------------------------

fetch_wheels() { # folder, pip's further arguments
    python -m pip --no-input --disable-pip-version-check download --quiet --only-binary=:all: --dest "$1" \
        --python-version "$IMAGE_PYTHON" --implementation cp --abi "cp${IMAGE_PYTHON/./}" --abi abi3 --abi none \
        --platform "manylinux_2_28_$(uname -m)" --platform "manylinux_2_17_$(uname -m)" --platform "manylinux2014_$(uname -m)" \
        --platform "manylinux_2_5_$(uname -m)" --platform "manylinux1_$(uname -m)" --platform any "${@:2}" </dev/null >&2
}

make_wheels() { # path
    say "fetching the wheels of the engine and of the users' envs, once"
    fetch_wheels "$1" --requirement "${WHEEL_LISTS[0]}" &&
        # All that the users need is listed: torch is the channel's.
        fetch_wheels "$1" --no-deps --requirement "${WHEEL_LISTS[1]}"
}

make_cuda() { # path
    say "unpacking a CUDA toolkit, once"
    python "$CHECKOUT/tests/site/cuda/nvcc_tree.py" "$1"
}

make_channel() { # path
    say "publishing the starter channel, once (a torch and what it needs: minutes)"
    ansible localhost -i localhost, -c local -e ansible_python_interpreter="$VENV/bin/python" -m hpc.pytorch.conda_channel \
        -a "{\"path\": \"$1\", \"python\": [\"$SYSTEM_PYTHON\"], \"wheels\": $CHANNEL_WHEELS, \"executable\": \"$VENV/bin/python\"}" \
        </dev/null >"$1.log" 2>&1 && rm -f -- "$1.log" && return
    tail -n 20 -- "$1.log" >&2
    rm -f -- "$1.log"
    refuse "conda_channel to publish the starter channel" "it could not, see above" "check that a package index is reachable"
}

setup_site() {
    CHANNEL_WHEELS='["torch==2.13.0", "numpy==2.4.*", "pip"]'
    local version path
    IFS=$'\t' read -r version path _ <<<"$(probe_python "$SYSTEM_PYTHON")"
    [ -n "$version" ] || refuse "a system Python at $SYSTEM_PYTHON" "none that runs" "apt-get install python3"
    IMAGE_PYTHON=${version%.*}
    WHEEL_LISTS=("$CHECKOUT/roles/conda/files/engine-lock.txt" "$CHECKOUT/molecule/shared/wheels.txt")
    WHEELS=$CACHE/molecule/wheels-$({ echo "$IMAGE_PYTHON" && cat -- "${WHEEL_LISTS[@]}"; } | digest)
    NVCC=$CACHE/molecule/cuda-$(cat -- "$CHECKOUT"/tests/site/cuda/nvcc* | digest)
    CHANNEL=$CACHE/molecule/channel-$({ echo "$version $path $CHANNEL_WHEELS" && find "$CHECKOUT"/plugins/module_utils/_channel "$CHECKOUT"/plugins/module_utils/_common -name "*.py" -print0 | LC_ALL=C sort -z | xargs -0 cat --; } | digest)
    once "$WHEELS" make_wheels
    once "$NVCC" make_cuda
    once "$CHANNEL" make_channel
}

# --- scenarios ---------------------------------------------------------------------------------------------------

run_scenario() { # name
    local log rc=0 begin=$SECONDS
    log=$(mktemp -- "${TMPDIR:-/tmp}/hpc.pytorch-molecule.XXXXXX")
    printf '\n=== molecule: %s\n' "$1"
    molecule -c molecule/base.yml test --destroy always -s "$1" </dev/null 2>&1 {LOCK}>&- | tee -- "$log" || rc=1
    if [ $rc != 0 ]; then
        python "$CHECKOUT/tools/molecule_log.py" "$1" <"$log" >&2
    else
        printf 'molecule: %s passed in %d s\n' "$1" "$((SECONDS - begin))"
    fi
    rm -f -- "$log"
    return $rc
}

# Molecule, its Ansible and its pytest get a home of their own. The engine keeps its images where this user has them.
leave_home() {
    local data=${XDG_DATA_HOME:-$HOME/.local/share} config=${XDG_CONFIG_HOME:-$HOME/.config}
    # podman fails if the folder is named and has no config.json.
    [ ! -e "$HOME/.docker/config.json" ] || export DOCKER_CONFIG=${DOCKER_CONFIG:-$HOME/.docker}
    own_home "$CACHE/molecule/home"
    is_root || export XDG_DATA_HOME=$data XDG_CONFIG_HOME=$config
}

# Interrupted: remove every machine, volume and network of this checkout.
remove_machines() {
    local kind
    "$ENGINE" ps --all --quiet --filter "name=^hpc-pytorch-$HPC_MOLECULE_ID-" | xargs -r "$ENGINE" rm --force
    for kind in volume network; do
        "$ENGINE" "$kind" ls --quiet --filter "name=^hpc-pytorch-$HPC_MOLECULE_ID-" | xargs -r "$ENGINE" "$kind" rm
    done
} >/dev/null 2>&1

main() {
    ENGINE=$(choose_engine)
    setup molecule "$ENGINE"
    [ "$*" != packages ] || return 0
    setup_image
    setup_engine engine_works
    setup_site
    cd -- "$CHECKOUT"
    HPC_MOLECULE_ID=$(printf '%s' "$CHECKOUT" | sha256sum | cut -c1-6)
    export HPC_MOLECULE_ENGINE=$ENGINE HPC_MOLECULE_IMAGE=$IMAGE HPC_MOLECULE_PYTHON=$IMAGE_PYTHON HPC_MOLECULE_ID
    export HPC_MOLECULE_CHANNEL=$CHANNEL HPC_MOLECULE_WHEELS=$WHEELS HPC_MOLECULE_NVCC=$NVCC
    leave_home
    # The scenarios' own settings, not those of ansible.cfg.
    unset ANSIBLE_CONFIG
    export MOLECULE_GLOB="$CHECKOUT/molecule/*/molecule.yml" ANSIBLE_NOCOLOR=1 NO_COLOR=1 PYTHONDONTWRITEBYTECODE=1

    local scenarios=("${SCENARIOS[@]}") failed=() scenario
    if [ $# -gt 1 ] || { [ $# = 1 ] && [ ! -e "molecule/$1/molecule.yml" ]; }; then
        exec molecule -c molecule/base.yml "$@"
    elif [ $# = 1 ]; then
        scenarios=("$1")
    fi
    # The machines are named after the checkout. What is started must not hold the lock, which it might outlive.
    wait_for_lock "$CACHE/molecule/$HPC_MOLECULE_ID.lock" "of this checkout is using its machines"
    trap 'remove_machines || true; exit 130' INT
    trap 'remove_machines || true; exit 143' TERM
    for scenario in "${scenarios[@]}"; do
        run_scenario "$scenario" || failed+=("$scenario")
    done
    if [ ${#failed[@]} -gt 0 ]; then
        printf '\nmolecule failed: %s\n' "$(printf '%s, ' "${failed[@]}" | sed 's/, $//')" >&2
        exit 1
    fi
}

main "$@"
