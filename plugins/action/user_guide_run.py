# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the pages on the controller, runs hpc.pytorch.user_guide_run with their commands, and writes the outputs."""

from __future__ import annotations

import os
import typing as t

from ansible_collections.hpc.pytorch.plugins.module_utils._common.errors import UserError
from ansible_collections.hpc.pytorch.plugins.modules.user_guide_run import ARGUMENT_SPEC
from ansible_collections.hpc.pytorch.plugins.plugin_utils._page_run import outputs_file
from ansible_collections.hpc.pytorch.plugins.plugin_utils._page_run.outputs import (
    merged,
    reader_of,
    shown_output,
)
from ansible_collections.hpc.pytorch.plugins.plugin_utils._page_run.page import Page, failure, one_page
from ansible_collections.hpc.pytorch.plugins.plugin_utils._progress import ProgressAction


class ActionModule(ProgressAction):
    """Runs the module, which has the documentation, unless there is no command to run."""

    _supports_async = False

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        _spec, given = self.validate_argument_spec(ARGUMENT_SPEC)
        try:
            return self._run(given, tmp, task_vars)
        except UserError as error:
            return dict(error.as_result(), failed=True, changed=False)

    def _run(self, given: dict[str, t.Any], tmp: str | None, task_vars: dict[str, t.Any] | None) -> dict[str, t.Any]:
        path = outputs_file.checked_path(given["outputs"])
        old = outputs_file.read(path)
        result: dict[str, t.Any] = {"changed": False, "ran": [], "not_run": {}, "outputs": old}
        if self._task.check_mode and not all(map(os.path.lexists, given["pages"])):
            # A run would write them first.
            return dict(result, changed=True)
        page = one_page(outputs_file.read_pages(given["pages"]))
        steps = page.steps(given["on"])
        result["not_run"] = page.reasons
        if not steps or self._task.check_mode:
            return dict(result, changed=bool(steps) and not os.path.lexists(path))
        self._task.args = {
            **{name: given[name] for name in ("pages", "outputs", "on", "timeout", "links", "srun")},
            "page": os.path.splitext(page.name)[0],
            "blocks": steps,
        }
        answer = super().run(tmp, task_vars)
        if answer.get("failed") or answer.get("unreachable"):
            return answer
        new = _outputs(page, answer)
        kept = merged(old, new, page.ids)
        before, after = outputs_file.dump(old), outputs_file.dump(kept)
        changed = outputs_file.write(path, kept) if kept != old or not os.path.lexists(path) else False
        result.update(changed=changed, ran=list(new), outputs=kept)
        if self._task.diff and changed:
            result["diff"] = {"before": before, "after": after, "before_header": path, "after_header": path}
        return result


def _outputs(page: Page, answer: t.Mapping[str, t.Any]) -> dict[str, str]:
    """The outputs by their IDs.

    :raises UserError: a block failed.
    """
    reader = reader_of(answer)
    by_id = {block.id: block for block in page.blocks if block.kind == "run"}
    ends = [end for end in answer["blocks"] if end.get("id") in by_id]
    if answer["kept"]:
        raise failure(page, by_id[ends[-1]["id"]], ends[-1], answer)
    return {end["id"]: shown_output(end["output"], reader, page.text) for end in ends}
