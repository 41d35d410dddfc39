# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the roles want of a site, judged by site_look: a part stands only as long as its role would change nothing."""

from __future__ import annotations

import json
import typing as t

import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._site.look import look_at
from ansible_collections.hpc.pytorch.plugins.modules.site_look import PART

DEFAULTS = {name: option.get("default") for name, option in PART.items()}
PARTS = ("channel", "engine", "conda", "user_tools")
# What differs from the site as it is, and the parts that then do not stand.
VARIANTS: list[tuple[dict[str, t.Any], list[str]]] = [
    ({}, []),
    ({"channel_update": True}, ["channel"]),
    ({"channel_with_dependencies": False}, ["channel"]),
    ({"channel_path": "ROOT/other"}, ["channel"]),
    ({"conda_engine_prefix": "ROOT/other"}, ["engine"]),
    ({"conda_prefix": "ROOT/other"}, ["engine", "conda"]),
    ({"conda_base_packages": ["tool>=0"]}, ["conda"]),
    ({"conda_channels": ["file://ROOT/channel", "file://ROOT/upstream"]}, ["conda"]),
    ({"conda_channel_priority": "flexible"}, ["conda"]),
    ({"conda_envs_dirs": ["/srv/envs"]}, ["conda"]),
    ({"conda_pkgs_dirs": ["/srv/pkgs"]}, ["conda"]),
    ({"conda_module_name": "miniforge"}, ["conda"]),
    ({"conda_module_name": "a b"}, ["engine", "conda"]),
    ({"conda_modulefiles_dir": "ROOT/other"}, ["conda", "user_tools"]),
    ({"conda_method": "installer"}, ["conda"]),
    ({"conda_method": "existing"}, ["conda"]),
    ({"user_tools_python": "/usr/bin/python3"}, ["user_tools"]),
    ({"user_tools_prefix": "ROOT/other"}, ["user_tools"]),
    ({"user_tools_state": "absent"}, ["user_tools"]),
    ({"user_tools_module_name": "tools"}, ["user_tools"]),
    ({"user_tools_module_name": "a b"}, ["user_tools"]),
    ({"user_tools_names": ["sbatch-lint"]}, ["user_tools"]),
    # Less is wanted, and what there is stays.
    ({"conda_expose": ["bashrc"]}, []),
    ({"user_tools_module": False}, []),
]


@pytest.fixture(scope="module")
def variants(site: t.Any, playbook_run: t.Callable[..., t.Any]) -> list[dict[str, t.Any]]:
    """For each of VARIANTS, a host of its own: the parts that its roles want, and which of them stand."""
    hosts = {
        "v%02d" % number: {**site.variables, **json.loads(json.dumps(changes).replace("ROOT", str(site.root)))}
        for number, (changes, _parts) in enumerate(VARIANTS)
    }
    roles = ("channel", "conda", "user_tools")
    tasks: list[dict[str, t.Any]] = [
        {"ansible.builtin.import_role": {"name": "hpc.pytorch." + role, "tasks_from": "wants", "public": False}}
        for role in roles
    ]
    parts = "{{ %s }}" % " + ".join(role + "_site_wants" for role in roles)
    tasks.append({"hpc.pytorch.site_look": {"parts": parts}, "register": "looked"})
    result = "{{ {'parts': %s, 'stands': looked.stands} | to_json }}" % parts.strip("{} ")
    place = "%s/{{ inventory_hostname }}.json" % site.root
    tasks.append({"ansible.builtin.copy": {"dest": place, "content": result, "mode": "0644"}})
    (site.root / "variants.json").write_text(json.dumps([{"hosts": "all", "gather_facts": False, "tasks": tasks}]))
    (site.root / "variants.yml").write_text(json.dumps({"all": {"hosts": hosts}}))
    run = playbook_run("-i", str(site.root / "variants.yml"), str(site.root / "variants.json"))
    assert run.rc == 0, run.output
    return [json.loads((site.root / ("%s.json" % name)).read_text()) for name in hosts]


@pytest.mark.parametrize("number", range(len(VARIANTS)), ids=lambda number: str(VARIANTS[number][0]))
def test_another_value_of_a_variable(variants: list[dict[str, t.Any]], number: int) -> None:
    stands = variants[number]["stands"]
    assert [name for name in PARTS if not stands[name]] == VARIANTS[number][1]


@pytest.fixture
def differing(variants: list[dict[str, t.Any]]) -> t.Callable[..., list[str]]:
    """Which parts of a variant, by default of the site as it is, do not stand now."""

    def call(changes: t.Mapping[str, t.Any] | None = None) -> list[str]:
        number = next(number for number, (given, _parts) in enumerate(VARIANTS) if given == (changes or {}))
        stands = look_at([{**DEFAULTS, **part} for part in variants[number]["parts"]])["stands"]
        return [name for name in PARTS if not stands[name]]

    return call


@pytest.mark.parametrize(
    "path, part",
    [
        ("conda/.condarc", "conda"),
        ("conda/etc/profile.d/conda.sh", "conda"),
        ("conda/bin/activate", "conda"),
        ("modulefiles/anaconda3.lua", "conda"),
        ("modulefiles/anaconda3", "conda"),
        ("tools/bin/sbatch-lint", "user_tools"),
        ("tools/bin/torch-verdict", "user_tools"),
        ("tools/share/man/man1/torch-verdict.1", "user_tools"),
        ("modulefiles/hpc-pytorch-tools.lua", "user_tools"),
        ("modulefiles/hpc-pytorch-tools", "user_tools"),
        # The engine's lock, and the Python that it was made with.
        ("engine/requirements.txt", "engine"),
        ("engine/.condarc", "engine"),
        ("engine/bin/python", "engine"),
    ],
)
def test_a_file_that_is_gone_or_was_changed(
    site: t.Any, differing: t.Callable[..., list[str]], path: str, part: str
) -> None:
    file = site.root / path
    kept = file.rename(file.with_name(".condarc.kept"))
    assert differing() == [part]
    file.write_text("channels:\n- defaults\n")
    assert differing() == [part]
    file.unlink()
    kept.rename(file)
    assert differing() == []


@pytest.mark.parametrize("path, part", [("conda/bin/activate", "conda"), ("tools/bin/sbatch-lint", "user_tools")])
def test_a_file_of_another_mode(site: t.Any, differing: t.Callable[..., list[str]], path: str, part: str) -> None:
    file = site.root / path
    mode = file.stat().st_mode
    file.chmod(0o600)
    assert differing() == [part]
    file.chmod(mode)
    assert differing() == []


def test_an_admins_own_settings_in_the_condarc(site: t.Any, differing: t.Callable[..., list[str]]) -> None:
    condarc = site.root / "conda/.condarc"
    before = condarc.read_text()
    condarc.write_text(before + "ssl_verify: /etc/ssl/site.pem\n")
    assert differing() == []
    condarc.write_text(before.replace("strict", "flexible"))
    assert differing() == ["conda"]
    condarc.write_text(before)


def test_a_base_that_lacks_a_package(site: t.Any, differing: t.Callable[..., list[str]]) -> None:
    record = next((site.root / "conda/conda-meta").glob("tool-*.json"))
    kept = record.rename(site.root / "kept")
    assert differing() == ["conda"]
    kept.rename(record)
    assert differing() == []


def test_a_base_that_got_a_conda_keeps_its_activation(site: t.Any, differing: t.Callable[..., list[str]]) -> None:
    conda, activate = site.root / "conda/bin/conda", site.root / "conda/bin/activate"
    kept = activate.rename(site.root / "kept")
    assert differing() == ["conda"]
    conda.touch()
    assert differing() == []
    assert differing({"conda_method": "existing"}) == ["conda"]
    kept.rename(activate)
    assert differing({"conda_method": "existing"}) == []
    conda.unlink()
    assert differing({"conda_method": "existing"}) == ["conda"]


@pytest.mark.parametrize("what", ["tool-*", "repodata.json"])
def test_a_channel_that_lacks_an_archive_or_its_index(
    site: t.Any, differing: t.Callable[..., list[str]], what: str
) -> None:
    file = next((site.root / "channel").glob("*/" + what))
    kept = file.rename(site.root / "kept")
    assert differing() == ["channel"]
    # A rename changes a time that nobody can set back, so the channel's role reads the archive once more.
    kept.rename(file)
    assert differing() == ["channel"]
    run = site()
    assert run.rc == 0 and differing() == [], run.output
