# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the reason codes mean, for the page. Plain data, no I/O. Private to hpc.pytorch.

The page has the texts of docs/causes.md in it: a link to another place would need the network, or a copy of the
documentation next to each report, of the version that made it.
"""

from __future__ import annotations

import functools
import inspect
import re
import typing as t

from ansible_collections.hpc.pytorch.plugins.module_utils._torch.diagnose.stages import STAGES

# The codes of the role and of the report, which no detector finds.
OTHERS = {
    "node_unreachable": "The node gave no answer. Nobody could log in, or Slurm ran no job there; the message is that"
    " of ssh or Slurm. Check that the node is up, and that its state in `sinfo` lets jobs start.",
    "check_refused": "The check did not start torch. The environment is missing or incomplete, or another user could"
    " have written to it; the message has which.",
    "no_result": "The check ended without a result for this node. The output of the run has the task that failed.",
    "expectation_unmet": "Torch computes, and the node does not have the GPUs that the inventory expects. Compare"
    " `hpc_gpu_count` and `hpc_gpu_type` with `nvidia-smi -L`.",
}
_CODE = re.compile(r"`([^`]+)`")


class Piece(t.NamedTuple):
    """A part of a text: plain, or code."""

    text: str
    is_code: bool


def meanings(codes: t.Iterable[str]) -> dict[str, list[Piece]]:
    """What each of the codes means, in their order; a code that is not known is left out."""
    known = _texts()
    return {code: _pieces(known[code]) for code in dict.fromkeys(codes) if code in known}


@functools.lru_cache(maxsize=None)
def _texts() -> dict[str, str]:
    texts = dict(OTHERS)
    for stage in STAGES:
        for detect in stage.detectors:
            if detect.__doc__:
                texts[detect.__name__] = " ".join(inspect.cleandoc(detect.__doc__).split())
    return texts


def _pieces(text: str) -> list[Piece]:
    return [Piece(part, bool(index % 2)) for index, part in enumerate(_CODE.split(text)) if part]
