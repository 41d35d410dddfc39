#!/usr/bin/env bash
# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Release a version: changelog, commit, checks, what can be published in out/VERSION, and last the tag. All of it is made in a
# clone; the checkout gets the commit and the tag only if everything has passed. Nothing is pushed or uploaded.

# shellcheck source=tools/setup.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/setup.sh"

version=${1:-}
[ $# = 1 ] && [ -n "$version" ] || refuse "a version" "$*" "make release VERSION=1.2.0"
setup release
cd -- "$CHECKOUT"
git rev-parse --git-dir >/dev/null || refuse "a git checkout at $CHECKOUT" "git does not accept it, see above" "clone the project with git"
branch=$(git symbolic-ref --quiet --short HEAD) || refuse "a branch" "a commit that is on none" "git switch main"
dirty=$(git status --porcelain)
[ -z "$dirty" ] || refuse "a checkout without changes" "$(printf '%s' "$dirty" | head -3 | tr '\n' ' ')" "commit or remove them"
mapfile -t tags < <(git tag --list)
python "$CHECKOUT/tools/release_version.py" "$CHECKOUT" "$version" "${tags[@]}"
out=$CHECKOUT/out/$version
[ ! -e "$out" ] || refuse "no $out yet" "one from an earlier try" "remove it"
begin=$(git rev-parse HEAD)

work=$(mktemp -d -- "${TMPDIR:-/tmp}/hpc.pytorch-release.XXXXXX")
trap 'rm -rf -- "$work"' EXIT
# Laid out as an installed collection: antsibull-changelog and ansible-doc find the plugins there.
clone=$work/ansible_collections/hpc/pytorch
git clone --quiet --no-tags --single-branch --branch "$branch" "file://$CHECKOUT" "$clone"
# Who makes the release, where only the checkout's own settings say it.
for name in user.name user.email; do
    value=$(git config "$name") && git -C "$clone" config "$name" "$value"
done

say "writing the changelog of $version"
python "$CHECKOUT/tools/release_version.py" --write "$clone" "$version" "${tags[@]}"
(cd -- "$clone" && ANSIBLE_COLLECTIONS_PATH=$work antsibull-changelog release </dev/null)
git -C "$clone" add --all
git -C "$clone" commit --quiet --message "Release $version"
git -C "$clone" tag --annotate --message "Release $version" "$version"

say "checking it"
"$clone/tools/lint.sh" </dev/null
"$clone/tools/dist.sh" "$work/dist" </dev/null

# From here on only renames and references.
[ "$(git rev-parse HEAD)" = "$begin" ] && [ -z "$(git status --porcelain)" ] ||
    refuse "the checkout to stay as it was" "changes that were made in the meantime" "run it again"
git fetch --quiet "$clone" "$branch"
mkdir -p -- "$CHECKOUT/out"
mv -- "$work/dist" "$out"
git merge --quiet --ff-only FETCH_HEAD || { rm -rf -- "$out"; exit 1; }
git fetch --quiet "$clone" "refs/tags/$version:refs/tags/$version"
say "released $version: see $out; nothing has been pushed or uploaded yet (git push origin $branch $version)"
