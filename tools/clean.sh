#!/usr/bin/env bash
# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Remove what the tools left in the checkout, and this project's venvs and caches. The next run makes all of it again.

# shellcheck source=tools/setup.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/setup.sh"

setup_home
cache=$(setup_cache)
cd -- "$CHECKOUT"
rm -rf -- .venv .ansible .cache .pytest_cache .ruff_cache .mypy_cache .hypothesis tests/output out
find plugins roles tests tools -type d -name __pycache__ -prune -exec rm -rf -- {} +
find "$cache" -mindepth 1 -maxdepth 1 \( -name 'venv-*' -o -name 'ansible-test*' -o -name mypy -o -name molecule -o -name pip -o -name images -o -name channels -o -name 'engine-*' \) -exec rm -rf -- {} +
say "removed the tools' leftovers here and what $cache held for them; .site stays (make undo)"
