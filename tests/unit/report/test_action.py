# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""torch_report and the role's entry point report by a real ansible-playbook, hosts with generated results."""

from __future__ import annotations

import json
import os
import pathlib
import re
import subprocess
import sys
import typing as t

import pytest

from .generate import KINDS, make_cluster, make_inventory, make_result

LONG_AGO = "2026-01-01T08:00:00Z"
CHECKOUT = pathlib.Path(__file__).resolve().parents[3]

# The report is made on the controller: no host is connected to. run_once: the role's arguments are validated for one
# host, not for each.
ROLE = {
    "hosts": "login:compute",
    "gather_facts": False,
    "connection": "ansible.builtin.ssh",
    "become": True,
    "tasks": [
        {
            "ansible.builtin.include_role": {
                "name": "hpc.pytorch.torch_check",
                "tasks_from": "report",
                "apply": {"run_once": True},
            },
            "run_once": True,
        }
    ],
}


class Run(t.NamedTuple):
    """How it ended."""

    status: int
    output: str
    changed: int


class Site:
    """An inventory, a play and a folder for the report."""

    def __init__(self, path: pathlib.Path, hosts: dict[str, dict[str, t.Any]]) -> None:
        self.hosts = hosts
        self.path = path
        self.folder = path / "new" / "report"

    def run(
        self, *arguments: str, play: t.Mapping[str, t.Any] | None = None, folder: str | None = None, **variables: t.Any
    ) -> Run:
        inventory = self.path / "campus.json"
        inventory.write_text(json.dumps(make_inventory(self.hosts)))
        playbook = self.path / "play.json"
        playbook.write_text(json.dumps([ROLE if play is None else play]))
        variables["torch_check_report_dir"] = str(self.folder) if folder is None else folder
        command = [str(pathlib.Path(sys.executable).with_name("ansible-playbook")), "-i", str(inventory)]
        # An attempt to connect would fail.
        command += ["-e", json.dumps(dict(variables, ansible_ssh_executable="/nonexistent")), *arguments, str(playbook)]
        done = subprocess.run(
            command,
            cwd=CHECKOUT,
            env=dict(os.environ, ANSIBLE_CONFIG=str(CHECKOUT / "ansible.cfg"), PYTHONDONTWRITEBYTECODE="1"),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            check=False,
        )
        return Run(done.returncode, done.stdout, sum(int(count) for count in re.findall(r"changed=(\d+)", done.stdout)))

    def age(self, report: dict[str, t.Any]) -> None:
        """Make the report in the folder, and *report*, an old one."""
        now = report["generated"]
        for name in ("report.json", "report.html"):
            path = self.folder / name
            path.write_text(path.read_text(encoding="utf-8").replace(now, LONG_AGO), encoding="utf-8")
        report.update(self.report)

    @property
    def report(self) -> dict[str, t.Any]:
        return json.loads((self.folder / "report.json").read_text(encoding="utf-8"))

    @property
    def files(self) -> dict[str, tuple[int, int]]:
        return {path.name: (path.stat().st_mtime_ns, path.stat().st_mode & 0o777) for path in self.folder.iterdir()}


@pytest.fixture
def site(tmp_path: pathlib.Path) -> Site:
    return Site(tmp_path, make_cluster(30))


@pytest.mark.slow
def test_the_files_are_written_once_and_again_when_something_has_changed(site):
    checked = site.run("--check", "--diff")
    assert checked.status == 0 and checked.changed == 1, checked.output
    assert "+titan-0001: ok; torch 2.13.0; 4 x NVIDIA TITAN V (7.0, 12 GiB)" in checked.output
    assert not site.folder.parent.exists()

    first = site.run()
    assert first.status == 0 and first.changed == 1, first.output
    assert "\x1b" not in first.output
    assert "\ntorch on campus: 30 nodes: 2 failed, 1 unreachable, 1 not_checked, 2 cpu_only" in first.output
    assert {name: mode for name, (_time, mode) in site.files.items()} == {"report.json": 0o644, "report.html": 0o644}
    assert "TITAN V" in (site.folder / "report.html").read_text(encoding="utf-8")
    report = site.report
    assert report["last_checked"] == report["generated"] and report["interval"] is None

    # The same again, much later: no change, no diff and no earlier report, and the files have the time of the check.
    site.age(report)
    for variables in site.hosts.values():
        variables["torch_check_result"].update(seconds=77.0, output="at 0x7f3a")
    before = site.files
    checked = site.run("--check", "--diff", torch_check_report_keep=1)
    assert checked.status == 0 and checked.changed == 0, checked.output
    assert site.files == before and site.report == report
    again = site.run("--diff", torch_check_report_keep=1)
    assert again.status == 0 and again.changed == 0, again.output
    assert "+++" not in checked.output + again.output
    assert set(site.files) == {"report.json", "report.html"}
    same = site.report
    assert same["generated"] == report["generated"] < same["last_checked"] and same["changes"] == report["changes"]
    assert {node["seconds"] for node in same["nodes"]} == {77.0}
    assert {node["checked"] for node in same["nodes"]} == {None, same["last_checked"]}
    assert {node["since"] for node in same["nodes"]} == {report["generated"]}
    page = (site.folder / "report.html").read_text(encoding="utf-8")
    assert 'Last checked <time datetime="%s">' % same["last_checked"] in page
    assert 'In this state since <time datetime="%s">' % report["generated"] in page
    report = same

    site.hosts["titan-0001"]["torch_check_result"] = make_result("failed", KINDS[0], 1, 1)
    third = site.run("--diff", torch_check_report_keep=1)
    assert third.status == 0 and third.changed == 1, third.output
    assert (
        "-titan-0001: ok; torch 2.13.0" in third.output
        and "+titan-0001: failed; no_driver; torch 2.13.0" in third.output
    )
    assert "  verdict ok -> failed: titan-0001\n" in third.output
    assert site.report["changes"]["since"] == report["generated"]
    stamp = re.sub(r"[^0-9TZ]", "", report["generated"])
    earlier = site.folder / ("report-%s.json" % stamp)
    assert json.loads(earlier.read_text(encoding="utf-8")) == report
    assert (site.folder / ("report-%s.html" % stamp)).exists()


@pytest.mark.slow
def test_a_limited_run_keeps_the_other_nodes(site):
    assert site.run().status == 0
    first = {node["name"]: node for node in site.report["nodes"]}
    for variables in site.hosts.values():
        variables["torch_check_result"]["torch"]["version"] = "2.14.0"
    run = site.run("--limit", "titan-0001", torch_check_report_interval=3600)
    assert run.status == 0, run.output
    assert site.report["interval"] == 3600
    second = {node["name"]: node for node in site.report["nodes"]}
    assert second.pop("titan-0001")["torch"]["version"] == "2.14.0"
    del first["titan-0001"]
    assert second == first
    assert [change["node"] for change in site.report["changes"]["nodes"]] == ["titan-0001"]


@pytest.mark.slow
def test_a_query_is_answered_and_a_wrong_one_comes_after_the_report(site):
    run = site.run(torch_check_query="nodes[?verdict=='unreachable'].name", torch_check_report=False)
    assert run.status == 0 and re.search(r"__torch_check_reported.selected:\s+- titan-0006\n", run.output), run.output
    assert "torch on campus" not in run.output and not site.folder.exists()
    run = site.run(torch_check_query="nodes[", torch_check_report=["table", "json"])
    assert run.status == 2 and "torch on campus" in run.output
    assert "found 'nodes[' at column 7: Invalid jmespath expression: Incomplete expression" in " ".join(
        run.output.split()
    )
    assert list(site.files) == ["report.json"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("prepare", "arguments", "expected"),
    [
        (
            lambda folder: (folder / "report.json").write_text("{}"),
            {},
            "expected no file at {folder}/report.json, or a report that",
        ),
        (
            lambda folder: (folder / "report.json").write_text("half"),
            {},
            "expected no file at {folder}/report.json, or a report that",
        ),
        (
            lambda folder: (folder / "report.html").write_text("mine"),
            {},
            "expected no file at {folder}/report.html, or a report that",
        ),
        (
            lambda folder: None,
            {"folder": "here/report"},
            "expected folder to be an absolute path on the controller; found 'here/report'",
        ),
        (lambda folder: None, {"torch_check_report_keep": -1}, "expected keep to be 0 or more; found -1"),
        (lambda folder: None, {"torch_check_report_interval": 0}, "expected interval to be at least 1 second; found 0"),
        (
            lambda folder: None,
            {"folder": "/proc/nothing/report"},
            "expected a writable folder at /proc/nothing/report; found",
        ),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_overwritten(site, prepare, arguments, expected):
    site.folder.mkdir(parents=True)
    prepare(site.folder)
    before = {path.name: path.read_bytes() for path in site.folder.iterdir()}
    run = site.run(**arguments)
    assert run.status == 2
    assert expected.format(folder=site.folder) in " ".join(run.output.split()), run.output
    assert {path.name: path.read_bytes() for path in site.folder.iterdir()} == before


@pytest.mark.slow
def test_a_link_in_the_place_of_the_report_is_replaced_not_followed(site):
    site.folder.mkdir(parents=True)
    target = site.path / "precious"
    os.symlink(target, site.folder / "report.html")
    run = site.run()
    assert run.status == 0, run.output
    assert not target.exists() and not (site.folder / "report.html").is_symlink()


@pytest.mark.slow
def test_what_a_node_says_is_no_template_and_the_role_is_not_fooled(site):
    evil = "{{ lookup('ansible.builtin.pipe', 'touch %s') }}" % (site.path / "pwned")
    # As a module's result arrives: through a fact.
    play = dict(
        ROLE,
        tasks=[
            {
                "ansible.builtin.set_fact": {"torch_check_result": "{{ answer.stdout | from_json }}"},
                "vars": {"answer": {"stdout": "{{ lookup('file', answer_file) }}"}},
            },
            *ROLE["tasks"],
        ],
    )
    answer = site.path / "answer"
    answer.write_text(json.dumps({"verdict": "failed", "reasons": [{"code": "odd", "message": evil, "remedy": evil}]}))
    run = site.run(play=play, answer_file=str(answer), torch_check_query="nodes[0].reasons[0].message")
    assert run.status == 0, run.output
    assert not (site.path / "pwned").exists()
    assert site.report["nodes"][0]["reasons"][0]["message"] == evil
    assert "touch %s" % site.path in " ".join(run.output.split())


@pytest.mark.slow
def test_hosts_without_a_result_are_failed_and_said_to_be(site):
    del site.hosts["titan-0001"]["torch_check_result"]
    run = site.run()
    assert run.status == 0, run.output
    assert re.search(r"\nfailed: no_result, 1 node\n  titan-0001\n", run.output)


@pytest.mark.slow
def test_a_name_in_slurm_that_makes_no_sense_is_no_reason_to_have_no_report(site):
    site.hosts["titan-0001"]["torch_check_slurm_node"] = "{{ nothing }}"
    site.hosts["titan-0002"]["torch_check_slurm_node"] = "{{ inventory_hostname | upper }}"
    run = site.run()
    assert run.status == 0, run.output
    found = {node["name"]: node["slurm_node"] for node in site.report["nodes"]}
    assert (found["titan-0001"], found["titan-0002"], found["titan-0003"]) == (None, "TITAN-0002", "titan-0003")
    assert found["login01"] is None
