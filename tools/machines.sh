#!/usr/bin/env bash
# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# How this machine starts containers: which engine, with which settings; and what is made once and kept in the cache.
# Sourced by molecule.sh, judges.sh and kernels.sh after setup.sh; it defines functions, and does nothing else.

# Print podman or docker: HPC_MOLECULE_ENGINE, or the one that is installed and works; podman is installed if there is neither.
choose_engine() {
    local engine=${HPC_MOLECULE_ENGINE:-}
    case $engine in
    podman | docker) ;;
    '')
        engine=podman
        if ! command -v podman >/dev/null 2>&1 && command -v docker >/dev/null 2>&1 &&
            timeout 20 docker info >/dev/null 2>&1; then
            engine=docker
        fi
        ;;
    *) refuse "HPC_MOLECULE_ENGINE to be podman or docker" "'$engine'" "leave it out, or name one of the two" ;;
    esac
    printf '%s\n' "$engine"
}

# Print the address from which apt gets that suite, if any.
mirror_of() { # suite
    apt-get indextargets --format "\$(REPO_URI) \$(CODENAME) \$(COMPONENT)" 'Created-By: Packages' 2>/dev/null |
        awk -v suite="$1" '$2 == suite && $3 == "main" { print $1; exit }' || true
}

digest() { # reads the inputs of something
    sha256sum | cut -c1-16
}

# Run a command that makes a file or folder, once: staged next to it, published by one rename.
once() { # path, command...: gets the staged path as its last argument
    local path=$1 staged
    shift
    [ ! -e "$path" ] || return 0
    mkdir -p -- "$(dirname -- "$path")"
    staged=$path.new.$$
    rm -rf -- "$staged"
    if ! "$@" "$staged"; then
        rm -rf -- "$staged"
        return 1
    fi
    # Another run may have been faster, with the same result.
    mv -T -- "$staged" "$path" 2>/dev/null || rm -rf -- "$staged"
}

# Make an image of Debian with packages, none of which has recommended ones.
make_small_image() { # suite, packages, path
    local mirror log=$3.log
    # Where this machine gets one of the suites from, there is the other one.
    mirror=$(for suite in bookworm trixie; do mirror_of "$suite"; done | head -n 1)
    say "making an image of Debian $1, once (a minute): $2"
    if ! mmdebstrap --quiet --variant=minbase --include="$2" \
        --aptopt='Acquire::Languages "none"' --aptopt='APT::Install-Recommends "false"' \
        --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
        --dpkgopt='path-exclude=/usr/share/locale/*' \
        "$1" "$log.tar" ${mirror:+"$mirror"} >"$log" 2>&1 </dev/null || ! zstd --quiet --rm -1 "$log.tar" -o "$3"; then
        tail -n 20 -- "$log" >&2
        rm -f -- "$log" "$log.tar"
        refuse "mmdebstrap to make an image of Debian $1" "it could not, see above" "check that Debian's packages are reachable"
    fi
    rm -f -- "$log"
}

# Add such an image to IMAGES, imported into the engine's own storage.
setup_small_image() { # name, suite, packages
    local hash image archive
    hash=$({ printf '%s\n' "$2" "$3" && uname -m; } | digest)
    image=localhost/$1:$hash
    archive=$CACHE/images/$hash.tar.zst
    # shellcheck disable=SC2153  # as above
    if ! "$ENGINE" image inspect "$image" >/dev/null 2>&1; then
        once "$archive" make_small_image "$2" "$3"
        say "importing the image into $ENGINE"
        "$ENGINE" import "$archive" "$image" >/dev/null 2>&1 ||
            refuse "$ENGINE to import $archive" "it could not" "remove that file, and run it again"
    fi
    IMAGES+=("$image")
}

# Print soft:hard, at most what this shell may have.
limit() { # ulimit option, wanted
    local hard
    hard=$(ulimit "$1")
    if [ "$hard" = unlimited ] || [ "$hard" -gt "$2" ]; then
        hard=$2
    fi
    printf '%s:%s\n' "$hard" "$hard"
}

# Some machines let an ordinary user have no container network (no /dev/net/tun, say): tools/test.sh tells this from a failure.
cannot_here() {
    # shellcheck disable=SC2153  # the script that sources this one sets ENGINE
    printf 'setup: expected %s to start a container; found that it may not for %s, see above; remedy: %s\n' \
        "$ENGINE" "$(id -un)" "run make molecule as root, or on another machine" >&2
    exit 4
}

# An ordinary machine with cgroup v2 needs no settings. Some virtual machines do: a root without the right to raise limits,
# mixed cgroups, no journal. Only what makes the probe pass is used, and only for these runs.
setup_engine() { # the function that makes the probe; its argument is a log
    local settings=$CACHE/containers.conf log=$CACHE/engine.log.$$
    # Kept until the machine starts anew: the answer does not change before.
    local known
    # shellcheck disable=SC2153  # nor the image
    known=$CACHE/engine-$(printf '%s' "$ENGINE $IMAGE $1 $(cat /proc/sys/kernel/random/boot_id)" | digest)
    if [ -e "$known" ]; then
        [ ! -s "$known" ] || export CONTAINERS_CONF=$settings
        return
    fi
    if "$1" "$log"; then
        : >"$known"
    else
        if [ "$ENGINE" = podman ]; then
            # Limits that may be lowered to, never raised.
            {
                printf '[containers]\nlog_driver = "k8s-file"\ndefault_ulimits = ["nofile=%s", "nproc=%s"]\n' \
                    "$(limit -Hn 20000)" "$(limit -Hu 32768)"
                printf '[engine]\ncgroup_manager = "cgroupfs"\nevents_logger = "file"\nruntime = "runc"\n'
            } >"$settings.$$"
            mv -- "$settings.$$" "$settings"
            export CONTAINERS_CONF=$settings
        fi
        if [ "$ENGINE" = docker ] || ! "$1" "$log"; then
            tail -n 5 -- "$log" >&2
            rm -f -- "$log"
            is_root || cannot_here
            refuse "$ENGINE to start a container" "it could not, see above" \
                "repair it, or choose the other engine: HPC_MOLECULE_ENGINE=podman or docker"
        fi
        say "$ENGINE needs settings on this machine: $settings"
        echo settings >"$known"
    fi
    rm -f -- "$log"
}
