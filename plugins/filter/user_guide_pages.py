# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter user_guide_pages: the entry point of plugin_utils/_user_guide."""

from __future__ import annotations

DOCUMENTATION = r"""
name: user_guide_pages
short_description: Make the pages of a guide for a cluster's users
version_added: 1.0.0
author:
  - hpc.pytorch contributors (@hpc-pytorch)
description:
  - Makes the pages from the variables of the role P(hpc.pytorch.user_guide#role). It belongs to that role.
positional: _input, hostvars, groups, host, slurm
options:
  _input:
    description:
      - What the inventory says about the site, by the keys V(conda), V(jupyter), V(kernels), V(cuda), V(tools), V(job)
        and V(env).
      - It can have V(runner), V(sbatch) or V(bash), which a page without Slurm is for; V(modules), whether the login
        shell of such a machine has modules; and V(tools_bin), the folder with the commands for users.
    type: dict
    required: true
  hostvars:
    description: The variables of all hosts.
    type: dict
    required: true
  groups:
    description: The groups of the inventory.
    type: dict
    required: true
  host:
    description: The host whose variables are in O(_input).
    type: str
    required: true
  slurm:
    description:
      - The result of M(hpc.pytorch.slurm_info). Without V(partitions), only the inventory counts. If it says that the
        only machine of the inventory has no Slurm, the page is for a machine without it.
    type: dict
    required: true
  languages:
    description: The languages.
    type: list
    elements: str
    choices: [en, zh]
    default: [en, zh]
  formats:
    description: The formats.
    type: list
    elements: str
    choices: [markdown, html]
    default: [markdown, html]
  texts:
    description: Texts of the site in place of those of the collection, by language and key.
    type: dict
    default: {}
  extra:
    description: Sections of the site's own.
    type: list
    elements: dict
    default: []
  outputs:
    description: What the commands of the page printed, by their ids.
    type: dict
    default: {}
"""

EXAMPLES = r"""
# As the role user_guide calls it.
- name: Make the pages
  ansible.builtin.set_fact:
    pages: "{{ facts | hpc.pytorch.user_guide_pages(hostvars, groups, inventory_hostname, slurm, languages=['en']) }}"
"""

RETURN = r"""
_value:
  description: The files.
  type: list
  elements: dict
  contains:
    name:
      description: The name of the file.
      type: str
      sample: pytorch.zh.md
    content:
      description: The text of the file.
      type: str
"""

import typing as t

from ansible.errors import AnsibleFilterError
from ansible_collections.hpc.pytorch.plugins.module_utils._common.errors import UserError, shown


def user_guide_pages(
    facts: t.Mapping[str, t.Any],
    hostvars: t.Any,
    groups: t.Mapping[str, t.Sequence[str]],
    host: str,
    slurm: t.Mapping[str, t.Any],
    languages: t.Sequence[str] = ("en", "zh"),
    formats: t.Sequence[str] = ("markdown", "html"),
    texts: t.Mapping[str, t.Any] | None = None,
    extra: t.Sequence[t.Mapping[str, t.Any]] = (),
    outputs: t.Mapping[str, str] | None = None,
) -> list[dict[str, str]]:
    """See the documentation above."""
    # Not before: Ansible loads all filters of a collection with the first one.
    from ansible_collections.hpc.pytorch.plugins.plugin_utils._user_guide.collect import site_of
    from ansible_collections.hpc.pytorch.plugins.plugin_utils._user_guide.page import RENDERERS, extra_of, make_pages
    from ansible_collections.hpc.pytorch.plugins.plugin_utils._user_guide.texts import LANGUAGES

    try:
        _require("user_guide_languages", languages, LANGUAGES)
        _require("user_guide_formats", formats, RENDERERS)
        site = site_of(facts, hostvars, groups, host, slurm)
        printed = {str(name): str(text) for name, text in (outputs or {}).items()}
        pages = make_pages(site, languages, formats, texts or {}, extra_of(extra, languages), printed)
    except UserError as error:
        raise AnsibleFilterError("user_guide_pages: %s" % error) from error
    return [page._asdict() for page in pages]


def _require(option: str, given: t.Sequence[str], known: t.Iterable[str]) -> None:
    names = list(known)
    if isinstance(given, str) or not given or not set(given) <= set(names) or len(set(given)) < len(given):
        raise UserError(
            "%s to be a list of %s, each once" % (option, ", ".join(names)), shown(given), "correct %s" % option
        )


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"user_guide_pages": user_guide_pages}
