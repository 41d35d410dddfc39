#!/usr/bin/env bash
# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# What the commands of the Makefile need before they start: a home, a cache, system packages, a Python, a venv.
# Sourced by the other scripts of this folder; it defines functions and sets CHECKOUT, and does nothing else.
# Only the link .venv is written inside the checkout.

set -euo pipefail
unset CDPATH
# A caller's Python or Ansible settings must not reach into ours; all settings are in ansible.cfg of the checkout.
unset PYTHONHOME PYTHONPATH PYTHONUSERBASE PYTHONSTARTUP PYTHONSAFEPATH PYTHONOPTIMIZE PYTHONWARNINGS PYTHONPLATLIBDIR
unset VIRTUAL_ENV BASH_ENV ENV
unset PIP_TARGET PIP_PREFIX PIP_ROOT PIP_USER PIP_REQUIRE_VIRTUALENV PIP_NO_DEPS PIP_CONSTRAINT PIP_DRY_RUN PIP_PYTHON
# A make that runs inside has arguments of its own.
unset MAKEFLAGS MFLAGS MAKEOVERRIDES MAKELEVEL ARGS
unset ANSIBLE_COLLECTIONS_PATH ANSIBLE_ROLES_PATH ANSIBLE_INVENTORY ANSIBLE_LIBRARY

CHECKOUT=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd -P)
readonly CHECKOUT
# shellcheck source=tools/pythons.env
. "$CHECKOUT/tools/pythons.env"
readonly PYTHON_OLDEST PYTHON_NEWEST
# The system's own is taken before anything on PATH: every user of the machine can read it.
SYSTEM_PYTHON=/usr/bin/python3
SYSTEM_FOLDERS=(/usr/bin /usr/local/bin)

say() {
    printf 'setup: %s\n' "$*" >&2
}

# Print expected, found and remedy, as everywhere in this collection, and end.
refuse() { # expected, found, remedy
    printf 'setup: expected %s; found %s; remedy: %s\n' "$1" "$2" "$3" >&2
    exit 1
}

is_root() {
    [ "$(id -u)" = 0 ]
}

# A folder of our own: root must not keep what it executes in another user's home directory (sudo may leave HOME as it was).
is_own_writable_folder() {
    [ -d "$1" ] && [ -O "$1" ] && [ -w "$1" ] && [ -x "$1" ]
}

# Set HOME to a folder that can be written: as given, by the user database, or a private one below TMPDIR.
# Ansible, pip and the modules all keep something there.
setup_home() {
    local given=${HOME:-} known private
    if [ -n "$given" ] && is_own_writable_folder "$given"; then
        return
    fi
    known=$(getent passwd "$(id -u)" 2>/dev/null | cut -d: -f6) || true
    if [ -n "$known" ] && is_own_writable_folder "$known"; then
        HOME=$known
    else
        private=${TMPDIR:-/tmp}/hpc.pytorch-$(id -u)
        mkdir -m 0700 -- "$private" 2>/dev/null || true
        # Another user may have made it first: a link, a folder of theirs, or one that others can write.
        if [ -L "$private" ] || ! is_own_writable_folder "$private" || [ "$(stat -c %a -- "$private")" != 700 ]; then
            refuse "a home that you own and can write, or a place for a private folder below ${TMPDIR:-/tmp}" \
                "HOME=${given:-(not set)} and $private, neither of them usable" \
                "set HOME or TMPDIR to a folder of yours"
        fi
        HOME=$private
    fi
    export HOME
    say "HOME=${given:-(not set)} is not a folder that you own and can write: using $HOME"
}

# Print the folder for what can be made again: ${XDG_CACHE_HOME:-~/.cache}/hpc.pytorch.
setup_cache() {
    local base=${XDG_CACHE_HOME:-} cache
    case $base in
    /*) ;;
    *) base=$HOME/.cache ;; # the specification ignores relative ones
    esac
    cache=$base/hpc.pytorch
    if ! mkdir -p -- "$cache" 2>/dev/null || ! is_own_writable_folder "$cache"; then
        say "$cache is not a folder that you own and can write: using $HOME/.cache/hpc.pytorch"
        cache=$HOME/.cache/hpc.pytorch
        mkdir -p -- "$cache" 2>/dev/null || true
        is_own_writable_folder "$cache" ||
            refuse "a cache folder that you own and can write" "$cache" "set XDG_CACHE_HOME to a folder of yours"
    fi
    printf '%s\n' "$cache"
}

# Ansible refuses other encodings; a fresh machine often has no locale set, or one that is not installed.
setup_locale() {
    if [ "$(locale charmap 2>/dev/null)" != UTF-8 ]; then
        export LC_ALL=C.UTF-8
    fi
}

# Give the programs that come next a home of their own: what the caller has in ~/.ansible, ~/.config and the like is not
# meant for them. ssh does not follow: it asks the user database, not HOME.
own_home() { # folder
    mkdir -p -- "$1"
    local name
    for name in "${!ANSIBLE_@}" "${!MOLECULE_@}" "${!CONDA_@}" "${!MAMBA_@}" XDG_{CONFIG,DATA,CACHE,STATE}_HOME; do
        [ "$name" = ANSIBLE_CONFIG ] || unset "$name"
    done
    export HOME=$1
}

# Wait until no other run has the lock, and keep it until the shell ends. Sets LOCK, which what is started should not hold.
wait_for_lock() { # file, what is waited for
    exec {LOCK}>"$1"
    if ! flock -n "$LOCK"; then
        say "another run $2: waiting for it"
        flock "$LOCK" || say "locks do not work at $1: going on without one"
    fi
}

# --- system packages ---------------------------------------------------------------------------------------------

# Print the packages of the given lists that are missing. A line: package [command or /path that proves it] [# why]
missing_packages() { # list file...
    local package probe
    cat -- "$@" | sed 's/#.*//' | while read -r package probe; do
        case $probe in
        '') [ -z "$package" ] || package_installed "$package" || printf '%s\n' "$package" ;;
        /*) [ -e "$probe" ] || printf '%s\n' "$package" ;;
        *) command -v -- "$probe" >/dev/null 2>&1 || printf '%s\n' "$package" ;;
        esac
    done
}

package_installed() {
    case $(dpkg-query -W -f='${db:Status-Abbrev}' "$1" 2>/dev/null) in
    ?i*) return 0 ;;
    esac
    return 1
}

# Install them as root; otherwise name them and end, before anything else has happened.
require_packages() { # why, package...
    local why=$1
    shift
    [ $# -gt 0 ] || return 0
    if ! is_root; then
        refuse "the system package$([ $# = 1 ] || echo s) $*, $why" "not installed" "sudo apt-get install $*"
    fi
    command -v apt-get >/dev/null 2>&1 ||
        refuse "the system package$([ $# = 1 ] || echo s) $*, $why" "not installed, and no apt-get here" \
            "install what this system calls them"
    say "installing system packages: $* ($why)"
    if apt-cache show "$@" >/dev/null 2>&1 && install_packages "$@"; then
        return
    fi
    say "the package lists are missing or old: apt-get update"
    if ! update_package_lists || ! install_packages "$@"; then
        refuse "apt-get to install $*" "it could not, see above" "repair apt, or install them by hand"
    fi
}

install_packages() {
    DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends -o DPkg::Lock::Timeout=300 \
        -o Dpkg::Use-Pty=0 install "$@" </dev/null >/dev/null
}

update_package_lists() {
    DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300 update </dev/null >/dev/null
}

# --- Python ------------------------------------------------------------------------------------------------------

# Print "version<TAB>path<TAB>whole" for an interpreter, where whole is yes or the first library that it lacks.
# A pyenv shim or a venv prints the interpreter behind it. Nothing is printed for what does not run.
probe_python() {
    timeout 60 "$1" -I -c '
import importlib, sys
lacks = "yes"
for name in ("ssl", "zlib", "ctypes", "venv", "ensurepip"):
    try:
        module = importlib.import_module(name)
        # An empty folder that a removed package left passes for a package, too.
        name == "ensurepip" and module.version()
    except Exception:
        lacks = name
        break
print("%d.%d.%d\t%s\t%s" % (sys.version_info[:3] + (getattr(sys, "_base_executable", "") or sys.executable, lacks)))
' 2>/dev/null </dev/null || true
}

version_fits() { # X.Y.Z
    local minor=${1#3.}
    minor=${minor%%.*}
    case $1 in
    3.*) [ "$minor" -ge "${PYTHON_OLDEST#3.}" ] && [ "$minor" -le "${PYTHON_NEWEST#3.}" ] ;;
    *) return 1 ;;
    esac
}

# Print "version<TAB>path" of the Python to use: PYTHON where it is set; otherwise the system's own, which every user of
# this machine can read, as far as it fits; otherwise the first on PATH that does, newest name first.
choose_python() {
    local candidate version path whole system_lacks='' directory name seen=''
    if [ -n "${PYTHON:-}" ]; then
        IFS=$'\t' read -r version path whole <<<"$(probe_python "$PYTHON")"
        [ -n "$version" ] || refuse "PYTHON to name a Python $PYTHON_OLDEST to $PYTHON_NEWEST" \
            "'$PYTHON', which does not run" "leave PYTHON out, or name one that runs"
        version_fits "$version" || refuse "PYTHON to name a Python $PYTHON_OLDEST to $PYTHON_NEWEST" \
            "'$PYTHON', which is $version" "leave PYTHON out, or name another one"
        [ "$whole" = yes ] || lacking_library "$version" "$path" "$whole"
        printf '%s\t%s\n' "$version" "$path"
        return
    fi
    local candidates=("$SYSTEM_PYTHON")
    local directories
    IFS=: read -r -a directories <<<"${PATH:-}"
    local tried=() minor
    for ((minor = ${PYTHON_NEWEST#3.}; minor >= ${PYTHON_OLDEST#3.}; minor--)); do
        tried+=("python3.$minor")
    done
    for name in "${tried[@]}" python3; do
        for directory in "${SYSTEM_FOLDERS[@]}" "${directories[@]}"; do
            [ -x "$directory/$name" ] && [ ! -d "$directory/$name" ] && candidates+=("$directory/$name")
        done
    done
    for candidate in "${candidates[@]}"; do
        [ -x "$candidate" ] || continue
        IFS=$'\t' read -r version path whole <<<"$(probe_python "$candidate")"
        [ -n "$version" ] || continue
        seen="$seen${seen:+, }$version at $candidate"
        version_fits "$version" || continue
        if [ "$whole" = yes ]; then
            printf '%s\t%s\n' "$version" "$path"
            return
        fi
        # Root repairs the system's own at once; an ordinary user may have another one that is complete.
        if is_root && [ "$candidate" = "$SYSTEM_PYTHON" ]; then
            lacking_library "$version" "$path" "$whole"
            printf '%s\t%s\n' "$version" "$path"
            return
        fi
        [ -n "$system_lacks" ] || system_lacks="$version"$'\t'"$path"$'\t'"$whole"
    done
    if [ -n "$system_lacks" ]; then
        IFS=$'\t' read -r version path whole <<<"$system_lacks"
        lacking_library "$version" "$path" "$whole"
        printf '%s\t%s\n' "$version" "$path"
        return
    fi
    if [ -z "$seen" ]; then
        require_packages "for Python $PYTHON_OLDEST to $PYTHON_NEWEST" python3-venv
        IFS=$'\t' read -r version path whole <<<"$(probe_python "$SYSTEM_PYTHON")"
        seen=${version:-none}
        if [ "$whole" = yes ] && version_fits "$version"; then
            printf '%s\t%s\n' "$version" "$path"
            return
        fi
    fi
    refuse "a Python $PYTHON_OLDEST to $PYTHON_NEWEST" "$seen" "install one, or name it: make PYTHON=/path/to/python3"
}

# Debian leaves venv and ensurepip out of python3: name the package, or install it as root.
lacking_library() { # version, path, library
    local package=python3-venv
    case $2:$3 in
    "${SYSTEM_PYTHON%/*}"/*:venv | "${SYSTEM_PYTHON%/*}"/*:ensurepip)
        [ "$(readlink -f "$2")" = "$(readlink -f "$SYSTEM_PYTHON")" ] || package=python${1%.*}-venv
        require_packages "for the venv that Ansible lives in" "$package"
        IFS=$'\t' read -r _ _ whole <<<"$(probe_python "$2")"
        [ "$whole" = yes ] && return
        ;;
    esac
    refuse "a Python with venv, pip and ssl" "$2 ($1), which lacks the library '$whole'" \
        "name another one: make PYTHON=/path/to/python3"
}

# --- venv --------------------------------------------------------------------------------------------------------

# Print the name that a venv has in the cache: by the interpreter and by what is asked for.
venv_name() { # version, python, requirement file...
    local version=$1 python=$2
    shift 2
    printf 'venv-%s\n' "$({ printf '%s\n' 1 "$version" "$python" && sed -E 's/(^|[[:space:]]+)#.*//; s/[[:space:]]+$//; /^$/d' -- "$@"; } | sha256sum | cut -c1-16)"
}

# A venv is whole when its last step has left the mark and its interpreter still starts.
venv_is_whole() {
    [ -e "$1/.complete" ] && "$1/bin/python" -I -c '' 2>/dev/null
}

# Set VENV to a venv with the given requirement files, made where it is missing. Venvs cannot be moved: each is made in a
# folder of its own, and then published by renaming a link onto its name. The lock spares double work, no more.
setup_venv() { # cache, version, python, requirement file...
    local cache=$1 version=$2 python=$3 name link folder locked=no lock
    shift 3
    name=$(venv_name "$version" "$python" "$@")
    link=$cache/$name
    if ! venv_is_whole "$link"; then
        exec {lock}>"$link.lock"
        if flock -n "$lock"; then
            locked=yes
        else
            say "another run is making the same venv: waiting for it"
            if flock "$lock"; then
                locked=yes
            else
                say "locks do not work in $cache: going on without one"
            fi
        fi
        if ! venv_is_whole "$link"; then
            # What an interrupted run left behind; only the holder of the lock can know that nobody is at it.
            [ $locked = no ] || find "$cache" -mindepth 1 -maxdepth 1 -type d -name "$name.*" -exec rm -rf -- {} +
            folder=$(mktemp -d -- "$link.XXXXXX")
            say "making a venv with Python $version ($python) and $(requirement_names "$@"), once"
            fill_venv "$folder" "$python" "$@"
            : >"$folder/.complete"
            publish_link "$folder" "$link"
        fi
        exec {lock}>&-
    fi
    VENV=$(readlink -f -- "$link")
}

fill_venv() { # folder, python, requirement file...
    local folder=$1 python=$2 file
    local arguments=()
    shift 2
    for file; do
        arguments+=(-r "$file")
    done
    # The lock is this shell's: what is started here must not hold it when this shell is gone.
    if ! "$python" -I -m venv "$folder" >&2 {lock}>&-; then
        rm -rf -- "$folder"
        refuse "$python to make a venv in $folder" "it failed, see above" "name another one: make PYTHON=/path/to/python3"
    fi
    if ! pip_install "$folder" "${arguments[@]}" </dev/null >&2 {lock}>&-; then
        rm -rf -- "$folder"
        refuse "pip to install $(requirement_names "$@")" "it could not, see above" \
            "check that a package index is reachable (pip config list), and run it again"
    fi
}

# Install into a venv. Of pip's settings only those apply that say how an index is reached: a user's target, constraint
# or require-virtualenv is not meant for this venv.
pip_install() ( # folder, argument...
    settings=$1/pip-settings name=
    "$1/bin/python" -I "$CHECKOUT/tools/pip_settings.py" "$settings" "$(dirname -- "$1")/pip" || return 1
    for name in "${!PIP_@}"; do
        unset "$name"
    done
    export PIP_CONFIG_FILE=$settings
    "$1/bin/python" -m pip install -qq --no-input --disable-pip-version-check --progress-bar off "${@:2}" || return 1
    rm -- "$settings"
)

requirement_names() {
    local file names=''
    for file; do
        names="$names${names:+, }${file#"$CHECKOUT/"}"
    done
    printf '%s\n' "$names"
}

publish_link() { # target, link
    local staged
    staged=$2.new.$$
    ln -sfn -- "$1" "$staged"
    mv -fT -- "$staged" "$2"
}

# --- the two set-ups ---------------------------------------------------------------------------------------------

# Set VENV and CACHE for: site (ansible-playbook alone), test (that, the engine's libraries and the checkers), release (that,
# and Galaxy's check) or molecule (a venv of its own, and the system packages of the container engine).
setup() { # site, test, release, or molecule with podman or docker
    local what=$1 engine=${2:-} version python
    local requirements=("$CHECKOUT/requirements/controller.txt") packages=("$CHECKOUT/requirements/debian-site.txt")
    local everything=("${requirements[@]}" "$CHECKOUT/roles/conda/files/engine-requirements.txt" "$CHECKOUT/requirements/test.txt")
    if [ "$what" = test ]; then
        requirements=("${everything[@]}")
        packages+=("$CHECKOUT/requirements/debian-test.txt")
    elif [ "$what" = release ]; then
        requirements=("${everything[@]}" "$CHECKOUT/requirements/release.txt")
    elif [ "$what" = molecule ]; then
        requirements+=("$CHECKOUT/roles/conda/files/engine-requirements.txt" "$CHECKOUT/requirements/molecule.txt")
        packages+=("$CHECKOUT/requirements/debian-molecule.txt")
        if [ "$engine" = podman ]; then
            packages+=("$CHECKOUT/requirements/debian-podman.txt")
            is_root || packages+=("$CHECKOUT/requirements/debian-podman-rootless.txt")
        fi
    fi
    setup_locale
    setup_home
    local missing
    mapfile -t missing < <(missing_packages "${packages[@]}")
    require_packages "for make $what" "${missing[@]}"
    local chosen
    chosen=$(choose_python)
    IFS=$'\t' read -r version python <<<"$chosen"
    CACHE=$(setup_cache)
    setup_venv "$CACHE" "$version" "$python" "${requirements[@]}"
    PATH=$VENV/bin:$PATH
    # Where tests, benches and faults keep what they make once: they have a home of their own. And the Python of this venv,
    # which a test names when it calls a script of this folder.
    export PATH ANSIBLE_CONFIG="$CHECKOUT/ansible.cfg" PIP_DISABLE_PIP_VERSION_CHECK=1 HPC_TEST_CACHE=$CACHE
    export HPC_TEST_PYTHON=$python
    # Another run in this checkout may be proving that nothing is written into it.
    [ "$what" != test ] || export PYTHONDONTWRITEBYTECODE=1
    # .venv is for people and editors; the one for tests holds all that the other one does.
    if [ "$what" = test ] || { [ "$what" = site ] && [ ! -e "$CHECKOUT/.venv/bin/pytest" ]; }; then
        publish_link "$VENV" "$CHECKOUT/.venv" 2>/dev/null || say "no link .venv: the checkout cannot be written"
    fi
}
