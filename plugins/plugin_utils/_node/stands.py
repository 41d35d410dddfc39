# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asks a node whether its files stand, before a module is sent to it. Private to hpc.pytorch.

A module costs a node twice as much as this question, most of it for Ansible's own code. A thousand nodes answer it at
each run. The question has only one answer, that all stands; whatever else comes back, the module runs.
"""

from __future__ import annotations

import json
import os
import shlex
import tempfile
import typing as t

from ansible import constants as C
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.plugins.action import ActionBase
from ansible_collections.hpc.pytorch.plugins.module_utils._common.bundle import make_script
from ansible_collections.hpc.pytorch.plugins.module_utils._node.request import ARGUMENTS

# Where a node has a Python that no variable names. Ansible would look for one at each run.
_PYTHONS = ("/usr/bin/python3", "/usr/libexec/platform-python")
_FIND_PYTHON = "for each in %s; do if [ -x $each ]; then exec $each %s; fi; done; exit 127"
# Not from the current folder, from variables or from site-packages: only the standard library.
_OPTIONS = "-I -S -"


def result_if_all_stands(
    action: ActionBase, arguments: t.Mapping[str, t.Any], task_vars: t.Mapping[str, t.Any]
) -> dict[str, t.Any] | None:
    """The result of ``node_files`` on a node where nothing is to be done; None if the module has to say."""
    python = _python(action, task_vars)
    params = _params(arguments)
    if python is None or params is None or not action._is_pipelining_enabled("new"):
        return None
    question = "%smain(%s, %r)\n" % (_program(), ascii(params), bool(action._task.diff))
    command = " ".join(filter(None, (action._compute_environment_string(), python)))
    answer = action._low_level_execute_command(command, in_data=question.encode("ascii"))
    return _result(answer) if answer["rc"] == 0 else None


def _result(answer: t.Mapping[str, t.Any]) -> dict[str, t.Any] | None:
    try:
        result = json.loads(answer["stdout"])
    except ValueError:
        return None
    if not isinstance(result, dict) or result.get("changed") is not False:
        return None
    return result


def _params(arguments: t.Mapping[str, t.Any]) -> dict[str, t.Any] | None:
    """The checked options; None if they are wrong, or if a path of them means something on the node alone."""
    validated = ArgumentSpecValidator(ARGUMENTS["argument_spec"]).validate(dict(arguments))
    if validated.error_messages:
        return None
    # Plain values, without what Ansible knows about where they come from.
    params: dict[str, t.Any] = json.loads(json.dumps(validated.validated_parameters))
    return None if any(each[:1] == "~" or "$" in each for each in _paths(arguments)) else params


def _paths(value: t.Any, key: str = "") -> t.Iterator[str]:
    """All texts of the options that may be paths."""
    if isinstance(value, t.Mapping):
        for name, each in value.items():
            yield from _paths(each, name)
    elif isinstance(value, (list, tuple)):
        for each in value:
            yield from _paths(each, key)
    elif isinstance(value, str) and key in ("path", "folder", "only_root", "home", "root", "tar"):
        yield value


def _python(action: ActionBase, task_vars: t.Mapping[str, t.Any]) -> str | None:
    """The command that runs a program from its standard input; None where only Ansible knows it."""
    if action._task.delegate_to or action._task.async_val or action._connection._shell.SHELL_FAMILY != "sh":
        return None
    named = action._templar.template(task_vars.get("ansible_python_interpreter") or "auto")
    if isinstance(named, str) and os.path.isabs(named):
        return "%s %s" % (shlex.quote(named), _OPTIONS)
    if isinstance(named, str) and named.startswith("auto"):
        return "/bin/sh -c " + shlex.quote(_FIND_PYTHON % (" ".join(_PYTHONS), _OPTIONS))
    return None


def _program() -> str:
    """The text of the program. Each host has a process of its own here, so the first one writes it for all."""
    path = os.path.join(C.DEFAULT_LOCAL_TMP, "hpc.pytorch-node.py")
    try:
        with open(path, encoding="ascii") as stream:
            return stream.read()
    except FileNotFoundError:
        text = make_script("_node.program")
        with tempfile.NamedTemporaryFile("w", dir=C.DEFAULT_LOCAL_TMP, encoding="ascii", delete=False) as new:
            new.write(text)
        os.replace(new.name, path)
        return text
