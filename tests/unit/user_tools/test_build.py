# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of the tools: the same bytes everywhere, nothing but our own code, and a Python that they find."""

from __future__ import annotations

import io
import os
import pathlib
import subprocess
import sys
import zipfile

import pytest
import yaml
from ansible.errors import AnsibleFilterError
from ansible_collections.hpc.pytorch.plugins.filter.user_tool_files import user_tool_files
from ansible_collections.hpc.pytorch.plugins.plugin_utils._user_tools.build import TOOLS, files, program

OURS = "ansible_collections/hpc/pytorch/plugins/module_utils/"


def version_in_galaxy() -> str:
    text = (pathlib.Path(__file__).parents[3] / "galaxy.yml").read_text(encoding="utf-8")
    return str(yaml.safe_load(text)["version"])


def archive(name: str) -> zipfile.ZipFile:
    return zipfile.ZipFile(io.BytesIO(program(name)))


@pytest.mark.parametrize("name", TOOLS)
def test_the_same_code_gives_the_same_bytes(name: str) -> None:
    script = "import sys; sys.path.insert(0, %r)\n" % str(pathlib.Path(__file__).parents[3] / ".collections")
    script += "from ansible_collections.hpc.pytorch.plugins.plugin_utils._user_tools.build import program\n"
    script += "sys.stdout.buffer.write(program(%r))" % name
    environment = dict(os.environ, PYTHONHASHSEED="7", TZ="Pacific/Auckland")
    done = subprocess.run([sys.executable, "-c", script], env=environment, stdout=subprocess.PIPE, check=True)
    assert done.stdout == program(name)


def test_a_tool_has_what_it_needs_and_no_more() -> None:
    lint, verdict = (set(archive(name).namelist()) for name in ("sbatch-lint", "torch-verdict"))
    assert {"__main__.py", OURS + "_slurm/lint/script.py"} <= lint
    assert {"__main__.py", OURS + "_torch/run.py", OURS + "_torch/probe/main.py"} <= verdict
    assert not [name for name in lint if "/_torch/" in name or "/_conda/" in name]
    assert not [name for name in verdict if "/_slurm/" in name or "/_conda/" in name or "/fleet/" in name]


@pytest.mark.parametrize("name", TOOLS)
def test_a_tool_imports_nothing_of_ansible(name: str) -> None:
    for path in archive(name).namelist():
        text = archive(name).read(path).decode()
        assert "from ansible." not in text and "import ansible\n" not in text, path


@pytest.mark.parametrize("name", TOOLS)
def test_a_tool_needs_no_package(name: str, prefix: pathlib.Path) -> None:
    """Without site-packages, as -S runs it."""
    done = subprocess.run(
        [sys.executable, "-IS", str(prefix / "bin" / name), "--help"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(name + " - ")


@pytest.mark.parametrize("name", TOOLS)
def test_a_tool_says_which_version_it_is(name: str, tool) -> None:
    done = tool(name, "--version")
    assert (done.returncode, done.stdout, done.stderr) == (0, "%s (hpc.pytorch) %s\n" % (name, version_in_galaxy()), "")


@pytest.mark.parametrize("name", ["sbatch-lint", "guide-lint"])
@pytest.mark.parametrize(
    "arguments, found",
    [
        ([], "expected at least one "),
        (["--json", "--sarif", "one"], "expected one of --json and --sarif; found both"),
        (["--list", "--sarif"], "expected --list alone or with --json"),
        (["--list", "one"], "expected --list alone or with --json"),
        (["-", "-"], "expected - once; found - twice"),
        (["--fail-on", "info", "one"], "invalid choice"),
    ],
)
def test_the_linters_refuse_the_same_contradictions(tool, name: str, arguments: list[str], found: str) -> None:
    done = tool(name, *arguments)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert found in done.stderr


def test_python_star_variables_and_the_current_folder_have_no_effect(tool, tmp_path) -> None:
    for name in ("zipfile", "argparse", "json"):
        (tmp_path / (name + ".py")).write_text("raise SystemExit('foreign')")
    done = tool("sbatch-lint", "--list", PYTHONPATH=str(tmp_path), PYTHONHOME="/nowhere")
    assert (done.returncode, done.stderr) == (0, "")


@pytest.fixture
def searching(tmp_path: pathlib.Path) -> pathlib.Path:
    """sbatch-lint that finds a Python by itself, with a /usr/bin of the test's own."""
    path = tmp_path / "sbatch-lint"
    start, zipped = program("sbatch-lint").split(b"\nPK", 1)
    start = start.replace(b"/usr/bin/", b"%s/usr/" % bytes(tmp_path)).replace(b"/usr/local/bin/", b"/-/")
    path.write_bytes(start + b"\nPK" + zipped)
    path.chmod(0o755)
    (tmp_path / "usr").mkdir()
    (tmp_path / "bin").mkdir()
    return path


def run(path: pathlib.Path) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": str(path.parent / "bin")}
    return subprocess.run([str(path), "--list"], env=environment, capture_output=True, text=True, check=False)


def old(path: pathlib.Path) -> None:
    path.write_text("#!/bin/sh\nexit 1\n")
    path.chmod(0o755)


def good(path: pathlib.Path, mark: str = "") -> None:
    path.write_text('#!/bin/sh\n%s\nexec "%s" "$@"\n' % ("echo '%s' >&2" % mark if mark else "", sys.executable))
    path.chmod(0o755)


def test_it_takes_the_systems_python_before_the_one_on_path(searching: pathlib.Path, tmp_path: pathlib.Path) -> None:
    good(tmp_path / "usr/python3")
    good(tmp_path / "bin/python3", "of the environment")
    assert (run(searching).returncode, run(searching).stderr) == (0, "")


@pytest.mark.parametrize("newer", ["bin/python3", "usr/python3.12", "usr/python3.8"])
def test_it_passes_over_a_python_that_is_too_old(searching: pathlib.Path, tmp_path: pathlib.Path, newer: str) -> None:
    old(tmp_path / "usr/python3")
    good(tmp_path / newer)
    assert (run(searching).returncode, run(searching).stderr) == (0, "")


def test_without_a_python_it_says_so_in_one_line(searching: pathlib.Path, tmp_path: pathlib.Path) -> None:
    old(tmp_path / "usr/python3")
    done = run(searching)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("sbatch-lint: expected Python 3.8 or newer") and done.stderr.count("\n") == 1


@pytest.mark.parametrize("version, status", [((3, 6, 15), 2), ((2, 7, 18), 2), ((3, 8, 0), 0)])
def test_an_older_python_that_runs_the_file_itself_says_which_it_needs(version: tuple[int, ...], status: int) -> None:
    text = archive("torch-verdict").read("__main__.py").decode().replace("from ansible_collections", "sys.exit() #")
    code = "import sys\nsys.version_info = %r\nexec(%r)" % (version, text)
    done = subprocess.run([sys.executable, "-c", code], stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == status
    assert done.stderr.startswith("torch-verdict needs Python 3.8 or newer, and ") is (status == 2)


def test_a_python_of_the_sites_choice_is_the_only_one() -> None:
    assert b"for python in '/opt/my python'; do" in program("sbatch-lint", "/opt/my python")


def test_the_filter_makes_what_host_files_takes() -> None:
    command, page = user_tool_files(["sbatch-lint"], "/opt/tools/")
    assert (command["path"], command["mode"]) == ("/opt/tools/bin/sbatch-lint", "0755")
    assert (page["path"], page["mode"]) == ("/opt/tools/share/man/man1/sbatch-lint.1", "0644")
    assert user_tool_files(["sbatch-lint"], "/opt", state="absent") == [
        {"path": "/opt/bin/sbatch-lint", "state": "absent"},
        {"path": "/opt/share/man/man1/sbatch-lint.1", "state": "absent"},
    ]
    with pytest.raises(AnsibleFilterError, match="expected names of tools; found 'sbatch'; remedy: choose from"):
        user_tool_files(["sbatch"], "/opt")


def test_each_tool_has_a_page_for_man() -> None:
    pages = [content.decode() for path, content, _mode in files(TOOLS) if path.endswith(".1")]
    assert [page.split(" ")[1] for page in pages] == ['"SBATCH\\-LINT"', '"TORCH\\-VERDICT"', '"GUIDE\\-LINT"']
    for page in pages:
        assert [line for line in page.split("\n") if line.startswith(".SH")] == [
            ".SH NAME",
            ".SH SYNOPSIS",
            ".SH DESCRIPTION",
            ".SH OPTIONS",
            ".SH EXIT STATUS",
            ".SH EXAMPLES",
        ]
