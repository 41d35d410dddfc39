# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs hpc.pytorch.torch_report on the controller."""

from __future__ import annotations

import datetime
import os
import typing as t

from ansible import constants
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display
from ansible_collections.hpc.pytorch.plugins.module_utils._common.errors import UserError
from ansible_collections.hpc.pytorch.plugins.module_utils._files.paths import require_absolute
from ansible_collections.hpc.pytorch.plugins.modules.torch_report import ARGUMENT_SPEC
from ansible_collections.hpc.pytorch.plugins.plugin_utils._report import files
from ansible_collections.hpc.pytorch.plugins.plugin_utils._report.build import make_report
from ansible_collections.hpc.pytorch.plugins.plugin_utils._report.collect import collect, name_inventory, partitions_of
from ansible_collections.hpc.pytorch.plugins.plugin_utils._report.compare import differs
from ansible_collections.hpc.pytorch.plugins.plugin_utils._report.history import refresh
from ansible_collections.hpc.pytorch.plugins.plugin_utils._report.html import make_page
from ansible_collections.hpc.pytorch.plugins.plugin_utils._report.query import select
from ansible_collections.hpc.pytorch.plugins.plugin_utils._report.schema import Report
from ansible_collections.hpc.pytorch.plugins.plugin_utils._report.styles import STYLES
from ansible_collections.hpc.pytorch.plugins.plugin_utils._report.table import Line, describe_nodes, make_table
from ansible_collections.hpc.pytorch.plugins.plugin_utils._version import collection_version

display = Display()

# By the formats of the module's option.
FILES = {"json": files.JSON, "html": files.HTML}


class Options(t.NamedTuple):
    """The options of torch_report, see its documentation."""

    hosts: t.Sequence[str]
    formats: t.Sequence[str]
    folder: str | None
    keep: int
    interval: int | None
    query: str | None

    @classmethod
    def of(cls, given: t.Mapping[str, t.Any], hosts_of_play: t.Sequence[str]) -> Options:
        """The options from the arguments of the task.

        :raises UserError: one of them makes no sense.
        """
        folder = os.path.expanduser(given["folder"]) if given["folder"] else None
        require_absolute("folder", folder, existing=True, where=" on the controller")
        if given["keep"] < 0:
            raise UserError("keep to be 0 or more", str(given["keep"]), "leave it out to keep no earlier report")
        if given["interval"] is not None and given["interval"] < 1:
            raise UserError(
                "interval to be at least 1 second", str(given["interval"]), "leave it out if no timer runs the check"
            )
        hosts = hosts_of_play if given["hosts"] is None else given["hosts"]
        return cls(**dict(given, hosts=hosts, folder=os.path.normpath(folder) if folder else None))


class ActionModule(ActionBase):
    """Reads the results of all hosts, prints the table, writes the files, and answers the query."""

    TRANSFERS_FILES = False
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        result = super().run(tmp, task_vars)
        variables = task_vars or {}
        _spec, given = self.validate_argument_spec(ARGUMENT_SPEC)
        try:
            result.update(self._report(Options.of(given, variables.get("ansible_play_hosts_all", [])), variables))
        except UserError as error:
            result.update(error.as_result(), failed=True)
        return result

    def _report(self, options: Options, variables: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
        problem: UserError | None = None
        last: Report | None = None
        if options.folder is not None:
            try:
                last = files.read_last(options.folder)
            except UserError as error:
                # The check is done: what it found is shown before the task fails.
                problem = error
        report = _make_report(options, variables, last)
        lines = make_table(report)
        if "table" in options.formats:
            _show(lines)
        if problem is not None:
            raise problem
        answer: dict[str, t.Any] = {
            "totals": dict(report["totals"]),
            "changes": dict(report["changes"]),
            "table": [line.text for line in lines],
            "files": [],
            "changed": False,
        }
        if options.folder is not None:
            answer.update(self._write(options.folder, options, report, last))
        if options.query:
            answer["selected"] = select(options.query, report)
        return answer

    def _write(self, folder: str, options: Options, report: Report, last: Report | None) -> dict[str, t.Any]:
        found_more = last is None or differs(last, report)
        written = report if last is None or found_more else refresh(last, report)
        makers: dict[str, t.Callable[[], bytes]] = {
            "json": lambda: files.dump(written),
            "html": lambda: make_page(written).encode("utf-8"),
        }
        # The next report is compared with the JSON, so there is no page without it.
        wanted = [name for name in makers if name in options.formats or (name == "json" and "html" in options.formats)]
        paths = {name: os.path.join(folder, FILES[name]) for name in wanted}
        if "html" in paths:
            files.require_ours(paths["html"])
        # As dnf reports no change for a refreshed cache: the times of the check are new in the files, the state is not.
        changed = bool(paths) and (found_more or not all(map(os.path.lexists, paths.values())))
        if paths and not self._task.check_mode:
            contents = {path: makers[name]() for name, path in paths.items()}
            replaced = last["generated"] if last is not None and found_more else None
            files.replace(folder, contents, replaced, options.keep)
        answer: dict[str, t.Any] = {"changed": changed, "files": list(paths.values())}
        if self._task.diff and answer["changed"]:
            answer["diff"] = {
                "before": describe_nodes(last) if last is not None else "",
                "after": describe_nodes(report),
                "before_header": os.path.join(folder, files.JSON),
                "after_header": os.path.join(folder, files.JSON),
            }
        return answer


def _make_report(options: Options, variables: t.Mapping[str, t.Any], last: Report | None) -> Report:
    groups, hostvars = variables["groups"], variables["hostvars"]
    generated = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    nodes = list(collect(options.hosts, groups, partitions_of(groups, hostvars), hostvars, generated))
    inventory = name_inventory(variables.get("ansible_inventory_sources") or [])
    generator = "hpc.pytorch %s" % collection_version()
    return make_report(nodes, last, inventory, generator, generated, options.interval)


def _show(lines: t.Sequence[Line]) -> None:
    for line in lines:
        colour = STYLES[line.verdict].terminal if line.verdict else None
        # Display prints no colours if the output is not a terminal, or if ANSIBLE_NOCOLOR is set.
        display.display(line.text, color=getattr(constants, colour) if colour else None)
