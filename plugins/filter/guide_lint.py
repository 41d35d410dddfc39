# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter guide_lint: the entry point of module_utils/_guide."""

from __future__ import annotations

DOCUMENTATION = r"""
name: guide_lint
short_description: Find what no longer works on a page of a guide
version_added: 1.0.0
author:
  - hpc.pytorch contributors (@hpc-pytorch)
description:
  - Reads a page about PyTorch on a cluster and reports each install line, activation and job script in it that does not
    work, or does not do what it says, with the line that does. It runs nothing of the page.
  - C(docs/guide-lint.md) explains each code.
extends_documentation_fragment:
  - hpc.pytorch.lint
  - hpc.pytorch.lint.text
positional: _input
options:
  _input:
    description: The text of the page.
    type: str
    required: true
  format:
    description: The page's format. By default its text decides.
    type: str
    choices: [markdown, rst, html]
  all_warnings:
    description: Whether to report every warning about a job script that P(hpc.pytorch.sbatch_lint#filter) has.
    type: bool
    default: false
seealso:
  - plugin: hpc.pytorch.guide_lint_files
    plugin_type: filter
  - plugin: hpc.pytorch.sbatch_lint
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Check a page
  ansible.builtin.debug:
    msg: "{{ lookup('ansible.builtin.file', 'pytorch.md') | hpc.pytorch.guide_lint }}"

- name: Refuse a page with a line that fails
  ansible.builtin.assert:
    that: errors | length == 0
    fail_msg: "{{ errors | map(attribute='message') | join('; ') }}"
  vars:
    errors: >-
      {{ lookup('ansible.builtin.file', 'pytorch.html') | hpc.pytorch.guide_lint(format='html')
         | selectattr('severity', 'eq', 'error') }}
"""

RETURN = r"""
_value:
  description: The findings, by line.
  type: list
  elements: dict
  contains:
    line:
      description: Number of the line on the page, from 1.
      type: int
    code:
      description: The kind of mistake.
      type: str
      sample: channel-ended
    severity:
      description: V(error) if the line fails, V(warning) if it does something else than it says.
      type: str
    message:
      description: What is wrong.
      type: str
    remedy:
      description: How to correct it, for an install line the line that works.
      type: str
"""

import typing as t

from ansible.errors import AnsibleFilterError
from ansible_collections.hpc.pytorch.plugins.module_utils._common.errors import UserError, shown


def guide_lint(
    text: t.Any,
    format: str | None = None,
    ignore: t.Sequence[str] = (),
    slurm_version: t.Any = None,
    all_warnings: bool = False,
) -> list[dict[str, t.Any]]:
    """See the documentation above."""
    # Not before: Ansible loads all filters of a collection with the first one.
    from ansible_collections.hpc.pytorch.plugins.module_utils._guide.finding import known_codes
    from ansible_collections.hpc.pytorch.plugins.module_utils._guide.page import FORMATS, format_of, lint_page
    from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.sbatch.version import parse

    try:
        if not isinstance(text, str):
            raise UserError("the input to be the text of a page", type(text).__name__, "read the file first")
        if format is not None and format not in FORMATS:
            raise UserError("format to be one of %s" % ", ".join(FORMATS), shown(format), "choose one, or leave it out")
        ignored = known_codes(ignore)
        slurm = parse(None if slurm_version is None else str(slurm_version))
    except UserError as error:
        raise AnsibleFilterError("guide_lint: %s" % error) from error
    found = lint_page(text, format or format_of("", text), "", slurm, all_warnings)
    return [each._asdict() for each in found if each.code not in ignored]


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"guide_lint": guide_lint}
