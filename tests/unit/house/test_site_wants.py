# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What site_look is given is what the roles' own tasks give to their modules: else a part could stand that differs."""

from __future__ import annotations

import pathlib
import typing as t

import pytest
import yaml

ROLES = pathlib.Path(__file__).resolve().parents[3] / "roles"


def load(path: str) -> t.Any:
    return yaml.safe_load((ROLES / path).read_text(encoding="utf-8"))


def options_of(path: str, module: str) -> dict[str, t.Any]:
    """The options of the only task of *module* in a file of tasks."""
    (found,) = [task["hpc.pytorch." + module] for task in load(path) if "hpc.pytorch." + module in task]
    return dict(found)


def with_null(options: dict[str, t.Any]) -> dict[str, t.Any]:
    """*options* as a variable has them, which cannot leave one out."""
    return {
        name: value.replace("default(omit", "default(none") if isinstance(value, str) else value
        for name, value in options.items()
    }


@pytest.mark.parametrize(
    "tasks, module, variables, name",
    [
        ("channel/tasks/main.yml", "conda_channel", "channel/vars/main.yml", "__channel_wanted"),
        ("conda/tasks/engine.yml", "conda_engine", "conda/vars/main/site.yml", "__conda_engine_options"),
        ("conda/tasks/method_rattler.yml", "conda_env", "conda/vars/main/site.yml", "__conda_base_options"),
    ],
)
def test_the_look_gets_the_options_of_the_task(tasks: str, module: str, variables: str, name: str) -> None:
    assert load(variables)[name] == with_null(options_of(tasks, module))


@pytest.mark.parametrize(
    "tasks, variables",
    [
        ("conda/tasks/modulefiles.yml", ["__conda_modulefiles", "__conda_modulefiles_only_root"]),
        ("conda/tasks/site.yml", ["__conda_activation_files"]),
        ("cuda/tasks/module.yml", ["__cuda_modulefiles", "__cuda_run_by_others"]),
        ("user_tools/tasks/main.yml", ["__user_tools_all", "__user_tools_only_root"]),
    ],
)
def test_the_look_gets_the_files_of_the_task(tasks: str, variables: list[str]) -> None:
    assert list(options_of(tasks, "host_files").values()) == ["{{ %s }}" % name for name in variables]


def test_the_look_gets_every_setting_of_the_condarc() -> None:
    wanted = load("conda/vars/main/main.yml")["__conda_condarc"]
    settings = load("conda/vars/main/site.yml")["__conda_base_part"]["settings"]["settings"]
    assert settings == ["{{ {'%s': __conda_condarc.%s} | to_nice_yaml(indent=2) }}" % (name, name) for name in wanted]
