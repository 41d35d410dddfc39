#!/usr/bin/env bash
# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# ansible-test sanity, every test, without an ignore file. Arguments go to ansible-test. HPC_CORE names another series of
# ansible-core than the oldest (tools/cores.env).
#
# ansible-test makes a venv for some of its tests and downloads get-pip.py for it from a server of its own, unless that file
# is in its cache already. So tools/get_pip.py is put there; it does the same with Python's own pip and a package index.
# ansible-test also drops most of the environment before it runs pip, so pip's settings are passed in a pip.conf. Both files
# are in a home directory of ansible-test's own, in the cache, so the user's home directory is not changed.

# shellcheck source=tools/setup.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/setup.sh"

# shellcheck source=tools/sources.sh
. "$CHECKOUT/tools/sources.sh"
# shellcheck source=tools/core.sh
. "$CHECKOUT/tools/core.sh"

setup test
core=${HPC_CORE:-$CORE_OLDEST}
setup_core "$core" || exit $?
copy_sources

# A folder for each: the venvs in it are named by their Python alone.
home=$CACHE/ansible-test-$core
mkdir -p -- "$home/.ansible/test/cache" "$home/.config/pip"
# ansible-test keeps venvs in its home, and makes them without a lock.
wait_for_lock "$home/lock" "is making or using ansible-test's venvs"
python "$CHECKOUT/tools/pip_settings.py" "$home/.config/pip/pip.conf" "$CACHE/pip"
# The file's name has the version of pip that ansible-test wants, which is in its code.
version=$(python -c '
from ansible_test._internal import python_requirements
from ansible_test._internal.host_configs import NativePythonConfig
import sys
version = "%d.%d" % sys.version_info[:2]
print(python_requirements.get_venv_packages(NativePythonConfig(version=version, path=sys.executable))["pip"])
')
cp -- "$CHECKOUT/tools/get_pip.py" "$home/.ansible/test/cache/get_pip_${version//./_}.py"

cd -- "$SOURCES"
own_home "$home"
python_version=$(python -c 'import sys; print("%d.%d" % sys.version_info[:2])')
# Golden files are output of the project, not its sources.
ansible-test sanity --local --exclude tests/unit/golden/ --python "$python_version" --color no "$@" </dev/null {LOCK}>&-
