# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""kill -9 while a real conda, mamba or micromamba is at work."""

from __future__ import annotations

import pathlib
import typing as t

from fault_kill import row
from lab import Lab, Row
from real_tool import VARIABLE, RealTool, real_tools

# It names them. Without it the family is not run, and the page keeps its section.
NEEDS = VARIABLE
# The page also keeps the rows of tools that are not named.
KEEPS_ROWS = True


class ToolLab(Lab):
    """A lab whose envs a command makes."""

    def __init__(self, folder: pathlib.Path, lab: Lab, tool: RealTool) -> None:
        self.tool = tool
        folder.mkdir()
        super().__init__(folder, lab.channel, lab.shared)

    def request(self, versions: t.Mapping[str, str], channel: str | None = None, **more: t.Any) -> dict[str, t.Any]:
        return super().request(
            versions, channel, **{"engine": self.tool.kind, "executable": self.tool.executable, **more}
        )

    def environment(self) -> dict[str, str]:
        return dict(super().environment(), MAMBA_ROOT_PREFIX=str(self.home / "root"), **self.tool.environment())


def run(lab: Lab, moments: int) -> t.Iterator[Row]:
    """A quarter of the moments each: create and change, from a channel on disk and by HTTP, with an empty cache."""
    for number, tool in enumerate(real_tools()):
        for how in ("on disk", "by HTTP"):
            for what in ("created", "changed"):
                name = "tool-%d-%s-%s" % (number, what, how.replace(" ", "-"))
                found = row(ToolLab(lab.folder / name, lab, tool), what, how, max(1, moments // 4))
                yield found._replace(fault="%s: %s" % (tool.name, found.fault))
