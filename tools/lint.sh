#!/usr/bin/env bash
# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Check that generated texts are current, then run ruff, mypy, ansible-lint, yamllint, antsibull-docs and antsibull-changelog.
# All but mypy read a copy of the sources.

# shellcheck source=tools/setup.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/setup.sh"

# shellcheck source=tools/sources.sh
. "$CHECKOUT/tools/sources.sh"

setup test
copy_sources
own_home "$SOURCES_ROOT/home"
cd -- "$SOURCES"
failed=()
python "$CHECKOUT/tools/generate.py" --check || failed+=("make generate")
ruff format --check --diff --quiet . || failed+=("ruff format")
ruff check --quiet . || failed+=("ruff check")
# In the checkout, where .collections makes the collection importable; pyproject.toml names its plugins.
(cd -- "$CHECKOUT" && mypy --cache-dir "$CACHE/mypy" && mypy --cache-dir "$CACHE/mypy" tools) || failed+=(mypy)
yamllint --strict . || failed+=(yamllint)
# Offline: nothing is fetched from Galaxy, and no second copy of the collection is installed that would be found first.
ANSIBLE_COLLECTIONS_PATH=$SOURCES_ROOT ansible-lint --nocolor --offline --strict --profile production || failed+=(ansible-lint)
antsibull-docs lint-collection-docs --plugin-docs . || failed+=("antsibull-docs lint-collection-docs")
antsibull-changelog lint || failed+=("antsibull-changelog lint")
antsibull-changelog lint-changelog-yaml changelogs/changelog.yaml || failed+=("antsibull-changelog lint-changelog-yaml")
if [ ${#failed[@]} -gt 0 ]; then
    printf 'lint failed: %s\n' "$(printf '%s, ' "${failed[@]}" | sed 's/, $//')" >&2
    exit 1
fi
