# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The site layer of site.yml: a role runs for each part that differs, and for no other."""

from __future__ import annotations

import json
import os
import pathlib
import typing as t

import pytest


def test_an_unchanged_site_is_checked_by_one_module(site: t.Any) -> None:
    for arguments in ((), ("--diff",), ("--check", "--diff")):
        run = site(*arguments)
        assert run.rc == 0 and run.recap["changed"] == 0, run.output
        assert [module.rpartition(".")[2] for module in run.counts.modules["localhost"]] == ["site_look"]


def test_the_role_of_a_part_that_differs_runs_and_no_other(site: t.Any) -> None:
    modulefile, command = site.root / "modulefiles/anaconda3", site.root / "tools/bin/sbatch-lint"
    modulefile.unlink()
    assert site.ran("--diff") == ["conda"]
    command.chmod(0o600)
    venv = (site.root / "engine").resolve()
    (venv / ".condarc").unlink()
    # The channel's role makes the engine as well.
    assert site.ran() == list(site.RUNS)
    run = site("--diff")
    assert run.rc == 0 and "+prepend-path PATH %s/conda/bin" % site.root in run.output, run.output
    assert modulefile.exists() and command.stat().st_mode & 0o777 == 0o755 and (venv / ".condarc").is_symlink()
    assert site.ran() == []


def test_a_channel_is_not_published_where_no_channels_name_it(site: t.Any) -> None:
    run = site("--check", conda_channels=None, conda_method="existing")
    # What the role finds, much later.
    assert "found no bin/conda" in " ".join(run.output.split()) and site.RUNS["channel"] not in run.output, run.output


def test_a_condarc_that_only_a_parser_can_read_is_left_to_the_role(site: t.Any) -> None:
    condarc = site.root / "conda/.condarc"
    before = condarc.read_text()
    condarc.write_text(before + 'ssl_verify: "/etc/ssl/site.pem"\n')
    run = site()
    assert run.rc == 0 and run.recap["changed"] == 0 and site.RUNS["conda"] in run.output, run.output
    condarc.write_text(before)


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"conda_module_name": "a b"}, "expected conda_module_name to consist of the letters"),
        ({"user_tools_module_name": "a b"}, "expected user_tools_module_name to consist of the letters"),
        (
            {"conda_channels": ["https://user:pw@host/channel"]},
            "expected conda_channels without passwords",
        ),
        ({"conda_method": "rattlr"}, "value of conda_method must be one of"),
        ({"conda_method": "existing"}, "expected a conda base with bin/conda and bin/activate"),
        ({"conda_method": "installer"}, "expected conda_installer to be an https address"),
        ({"channel_upstream": []}, "expected an upstream channel for packages"),
    ],
    ids=str,
)
def test_a_value_that_is_refused_is_refused_by_its_role(site: t.Any, changes: dict[str, t.Any], message: str) -> None:
    run = site("-v", **changes)
    assert run.rc != 0 and message in " ".join(run.output.split()), run.output
    assert "pw@" not in run.output


def test_a_bare_machine_in_check_mode(site: t.Any, tmp_path: pathlib.Path) -> None:
    text = json.dumps(site.variables).replace(str(site.root), str(tmp_path / "bare"))
    changes = dict(json.loads(text), channel_upstream=site.variables["channel_upstream"])
    assert site.ran("--diff", **changes) == list(site.RUNS)
    assert os.listdir(tmp_path) == []
