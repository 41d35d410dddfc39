# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs hpc.pytorch.torch_report: all of it happens on the controller."""

from __future__ import annotations

import datetime
import os
import typing as t

from ansible import constants
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display
from ansible_collections.hpc.pytorch.plugins.module_utils._common.errors import UserError
from ansible_collections.hpc.pytorch.plugins.plugin_utils._report import files
from ansible_collections.hpc.pytorch.plugins.plugin_utils._report.build import make_report
from ansible_collections.hpc.pytorch.plugins.plugin_utils._report.collect import collect, name_inventory, partitions_of
from ansible_collections.hpc.pytorch.plugins.plugin_utils._report.compare import differs
from ansible_collections.hpc.pytorch.plugins.plugin_utils._report.html import make_page
from ansible_collections.hpc.pytorch.plugins.plugin_utils._report.lines import describe_nodes
from ansible_collections.hpc.pytorch.plugins.plugin_utils._report.query import select
from ansible_collections.hpc.pytorch.plugins.plugin_utils._report.schema import Report
from ansible_collections.hpc.pytorch.plugins.plugin_utils._report.table import Line, make_table

display = Display()

COLOURS = {"failed": "COLOR_ERROR", "unreachable": "COLOR_UNREACHABLE", "not_checked": "COLOR_SKIP"}
FORMATS = ("table", "json", "html")


class ActionModule(ActionBase):
    """Reads the facts of all hosts once, prints the table, writes the files, selects."""

    TRANSFERS_FILES = False
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        result = super().run(tmp, task_vars)
        _spec, options = self.validate_argument_spec(
            {
                "hosts": {"type": "list", "elements": "str"},
                "formats": {"type": "list", "elements": "str", "choices": list(FORMATS), "default": list(FORMATS)},
                "folder": {"type": "str"},
                "keep": {"type": "int", "default": 0},
                "query": {"type": "str"},
            }
        )
        try:
            result.update(self._report(options, task_vars or {}))
        except UserError as error:
            result.update(error.as_result(), failed=True)
        return result

    def _report(self, options: t.Mapping[str, t.Any], task_vars: dict[str, t.Any]) -> dict[str, t.Any]:
        folder = _absolute(options["folder"])
        if options["keep"] < 0:
            raise UserError("keep to be 0 or more", str(options["keep"]), "leave it out to keep no earlier report")
        hosts = options["hosts"] if options["hosts"] is not None else task_vars.get("ansible_play_hosts_all", [])
        groups, hostvars = task_vars["groups"], task_vars["hostvars"]
        generated = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
        nodes = list(collect(hosts, groups, partitions_of(groups, hostvars), hostvars, generated))
        problem: UserError | None = None
        last: Report | None = None
        if folder is not None:
            try:
                last = files.read_last(folder)
            except UserError as error:
                # Said at the end: the check is done, what it found is shown first.
                problem = error
        sources = task_vars.get("ansible_inventory_sources") or []
        report = make_report(
            nodes, last, name_inventory(sources), "hpc.pytorch %s" % files.collection_version(), generated
        )
        lines = make_table(report)
        if "table" in options["formats"]:
            _show(lines)
        if problem is not None:
            raise problem
        answer = {
            "totals": dict(report["totals"]),
            "changes": dict(report["changes"]),
            "table": [line.text for line in lines],
            "files": [],
            "changed": False,
        }
        if folder is not None:
            answer.update(self._write(folder, options["formats"], options["keep"], report, last))
        if options["query"]:
            answer["selected"] = select(options["query"], report)
        return answer

    def _write(
        self, folder: str, formats: t.Sequence[str], keep: int, report: Report, last: Report | None
    ) -> dict[str, t.Any]:
        makers: dict[str, t.Callable[[], bytes]] = {
            "json": lambda: files.dump(report),
            "html": lambda: make_page(report).encode("utf-8"),
        }
        # The JSON is what the next report is compared with, so the page never goes without it.
        wanted = [name for name in makers if name in formats or (name == "json" and "html" in formats)]
        paths = {name: os.path.join(folder, {"json": files.JSON, "html": files.HTML}[name]) for name in wanted}
        # Of two reports that differ in times alone, the one that lies there stands.
        stale = bool(paths) and (last is None or differs(last, report) or not all(map(os.path.lexists, paths.values())))
        if stale and "html" in paths:
            files.require_ours(paths["html"])
        if stale and not self._task.check_mode:
            try:
                os.makedirs(folder, exist_ok=True)
                contents = {name: makers[name]() for name in wanted}
                for name in wanted:
                    if last is not None:
                        files.keep_earlier(paths[name], last["generated"], keep)
                    files.write(paths[name], contents[name])
            except OSError as error:
                raise UserError(
                    "to write the report into %s" % folder,
                    "%s: %s" % (error.strerror, error.filename),
                    "name a folder in torch_check_report_dir that the user of ansible-playbook can write",
                ) from error
        answer: dict[str, t.Any] = {"changed": stale, "files": list(paths.values())}
        if self._task.diff and answer["changed"]:
            answer["diff"] = {
                "before": describe_nodes(last) if last is not None else "",
                "after": describe_nodes(report),
                "before_header": os.path.join(folder, files.JSON),
                "after_header": os.path.join(folder, files.JSON),
            }
        return answer


def _show(lines: t.Sequence[Line]) -> None:
    for line in lines:
        colour = COLOURS.get(line.verdict or "")
        # Display leaves colours out where the output is no terminal, or ANSIBLE_NOCOLOR says so.
        display.display(line.text, color=getattr(constants, colour) if colour else None)


def _absolute(folder: str | None) -> str | None:
    if not folder:
        return None
    expanded = os.path.expanduser(folder)
    if not os.path.isabs(expanded) or "\0" in expanded:
        raise UserError(
            "folder to be an absolute path on the controller", repr(folder), "give the whole path, starting with / or ~"
        )
    return os.path.normpath(expanded)
