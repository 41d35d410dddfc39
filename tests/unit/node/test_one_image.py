# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The test one_image, and the lists of the roles on which it and the node layer rest."""

from __future__ import annotations

import pathlib
import re

import pytest
import yaml
from ansible.errors import AnsibleTemplateError
from ansible_collections.hpc.pytorch.plugins.test.one_image import NAMES, one_image

CHECKOUT = pathlib.Path(__file__).resolve().parents[3]
ROLES = ("conda", "cuda")
# The toolkit of an image is not checked.
NOT_IN_FILES = {"conda_node_files", "cuda_node_files", "cuda_node_toolkit", "cuda_version"}


def variables_of_node_files() -> set[str]:
    """The roles' public variables from which the lists are made, also through private ones in another file."""
    found: set[str] = set()
    for role in ROLES:
        texts: dict[str, str] = {}
        for path in (CHECKOUT / "roles" / role / "vars/main").glob("*.yml"):
            texts.update({name: str(value) for name, value in yaml.safe_load(path.read_text()).items()})
        pending, seen = ["%s_node_files" % role], set()
        while pending:
            name = pending.pop()
            if name not in seen:
                seen.add(name)
                pending += re.findall(r"\b_*(?:conda|cuda)_[a-z_]+\b", texts.get(name, ""))
        found |= {name for name in seen if not name.startswith("__")}
    return found - NOT_IN_FILES


def test_each_variable_that_decides_about_a_file_is_compared() -> None:
    # Names of keys in a dict of the role's are among them, and are those of variables.
    compared = {name for name in NAMES if not name.startswith("node_")}
    assert variables_of_node_files() - {"conda_module_name"} == compared


@pytest.mark.parametrize("name", NAMES)
def test_a_variable_that_differs_is_named_with_both_hosts(name: str) -> None:
    hosts = {"a": {name: "/x"}, "b": {name: "/x"}, "c": {name: "/y"}, "d": {}}
    assert one_image(["a", "b"], hosts)
    with pytest.raises(AnsibleTemplateError, match="expected one %s .*'/x' for a and '/y' for c.*--limit" % name):
        one_image(["a", "b", "c"], hosts)
    with pytest.raises(AnsibleTemplateError, match="none for d and '/y' for c"):
        one_image(["d", "c"], hosts)


def test_an_empty_value_is_none_where_the_roles_default_is_empty() -> None:
    same = {"cuda_home": "", "cuda_lib_folder": "", "cuda_ld_library_path": False}
    assert one_image(["a", "b"], {"a": same, "b": {}})
    for name, value in (("conda_module_path_profile", False), ("cuda_expose", []), ("conda_expose", [])):
        with pytest.raises(AnsibleTemplateError, match=name):
            one_image(["a", "b"], {"a": {name: value}, "b": {}})


def test_no_host_is_refused() -> None:
    with pytest.raises(AnsibleTemplateError, match="--limit"):
        one_image([], {})
