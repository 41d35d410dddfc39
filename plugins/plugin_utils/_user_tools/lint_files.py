# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The findings of sbatch-lint and guide-lint in files, for the filters of that name. Private to hpc.pytorch."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError
from ansible_collections.hpc.pytorch.plugins.module_utils._common.errors import UserError
from ansible_collections.hpc.pytorch.plugins.module_utils._user_tools.lint.command import Linter, Question
from ansible_collections.hpc.pytorch.plugins.module_utils._user_tools.lint.findings import version_of


def lint_files(
    name: str, linter: Linter, paths: t.Sequence[str], ignore: t.Iterable[str], slurm_version: t.Any
) -> list[dict[str, t.Any]]:
    """The findings by file and line, each a dictionary.

    :arg name: of the filter, for its messages.
    :raises AnsibleFilterError: a file cannot be read, there is no such code, or no such version.
    """
    try:
        question = Question(linter.known(ignore), version_of(None if slurm_version is None else str(slurm_version)))
        checked = [linter.check(path, question) for path in linter.paths(paths)]
    except UserError as error:
        raise AnsibleFilterError("%s: %s" % (name, error)) from error
    return [dict(file=each.path, **found._asdict()) for each in checked for found in each.findings]
