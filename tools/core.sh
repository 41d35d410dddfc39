#!/usr/bin/env bash
# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# The venv of another ansible-core than the oldest one. Sourced by cores.sh and sanity.sh after setup.sh; it defines
# functions, and does nothing else.

# shellcheck source=tools/cores.env
. "$CHECKOUT/tools/cores.env"
readonly CORES CORE_OLDEST

# Print the value of a series in a list such as "2.19=3.11 2.20=3.12"; nothing if it has none.
value_of() { # series, list
    local entry
    for entry in $2; do
        [ "${entry%%=*}" != "$1" ] || printf '%s\n' "${entry#*=}"
    done
}

# Print the names of a list such as "2.19=3.11 2.20=3.12".
names_of() { # list
    local entry
    for entry in $1; do
        printf '%s\n' "${entry%%=*}"
    done
}

# Print paths of Pythons of that minor version: those that HPC_TEST_PYTHONS names, on PATH, and where version managers
# keep them.
pythons_of() { # minor
    local name=python3.$1 path folder
    local named folders
    IFS=: read -r -a named <<<"${HPC_TEST_PYTHONS:-}"
    for path in "${named[@]}"; do
        [ "${path##*/}" != "$name" ] || printf '%s\n' "$path"
    done
    IFS=: read -r -a folders <<<"${PATH:-}"
    for folder in "${SYSTEM_FOLDERS[@]}" "${folders[@]}" "${PYENV_ROOT:-$HOME/.pyenv}"/versions/*/bin \
        "${ASDF_DATA_DIR:-$HOME/.asdf}"/installs/python/*/bin "${UV_PYTHON_INSTALL_DIR:-$HOME/.local/share/uv/python}"/*/bin; do
        [ ! -x "$folder/$name" ] || printf '%s\n' "$folder/$name"
    done
}

# Print "version<TAB>path" of the oldest Python here that a series runs on; nothing if there is none.
core_python() { # series
    local oldest known minor candidate version path whole
    oldest=$(value_of "$1" "$CORES")
    if [ -z "$oldest" ]; then
        known=$(names_of "$CORES")
        refuse "a series of ansible-core" "'$1'" "name one of: ${known//$'\n'/ }"
    fi
    for ((minor = ${oldest#3.}; minor <= ${PYTHON_NEWEST#3.}; minor++)); do
        while read -r candidate; do
            IFS=$'\t' read -r version path whole <<<"$(probe_python "$candidate")"
            if [ "${version%.*}" = "3.$minor" ] && [ "$whole" = yes ]; then
                printf '%s\t%s\n' "$version" "$path"
                return
            fi
        done < <(pythons_of "$minor")
    done
    return 0
}

# Set VENV, and put it first on PATH: the one with that series of ansible-core. Returns 4 if no Python here runs it.
setup_core() { # series; after setup test
    local chosen version python
    [ "$1" != "$CORE_OLDEST" ] || return 0
    chosen=$(core_python "$1") || return 1
    if [ -z "$chosen" ]; then
        say "NOT RUN: ansible-core $1, for want of a Python $(value_of "$1" "$CORES") to $PYTHON_NEWEST; name one in HPC_TEST_PYTHONS"
        return 4
    fi
    IFS=$'\t' read -r version python <<<"$chosen"
    setup_venv "$CACHE" "$version" "$python" "$CHECKOUT/requirements/core-$1.txt"
    PATH=$VENV/bin:$PATH
}
