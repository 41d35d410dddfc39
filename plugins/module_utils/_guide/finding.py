# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The codes of the linter of pages. No I/O. Private to hpc.pytorch.

``make generate`` writes the table of docs/guide-lint.md from the codes. A job script has those of _slurm/lint.
"""

from __future__ import annotations

import typing as t

from .._common.errors import UserError, some
from .._slurm.lint import finding as script_finding
from .._slurm.lint.finding import Code, Finding

CODES: tuple[Code, ...] = (
    Code(
        "channel-ended",
        "warning",
        "`-c pytorch` without a version, or `-c pytorch-nightly`: it ended at torch 2.5.1 (an error for a later one)",
        "conda-forge, or the old version by its number",
    ),
    Code(
        "no-such-release",
        "error",
        "a torch that was never released, such as 2.4.2",
        "the nearest release before it",
    ),
    Code(
        "never-together",
        "error",
        "torchvision or torchaudio of another torch release: pip and conda refuse them",
        "the release's own partners",
    ),
    Code(
        "no-such-cuda",
        "error",
        "`pytorch-cuda` of a CUDA that the channel never had, or never with that torch",
        "a CUDA that it has",
    ),
    Code(
        "no-such-wheel",
        "error",
        "`+cu117` or `.../whl/cu117` with a torch that has none (a warning where pip takes others instead)",
        "a CUDA that has wheels of that torch",
    ),
    Code(
        "cudatoolkit-unused",
        "warning",
        "`cudatoolkit` and `-c pytorch` without a torch built for it: conda installs a torch without CUDA",
        "the release's own way to CUDA",
    ),
    Code(
        "cudatoolkit-twice",
        "warning",
        "`cudatoolkit` and `pytorch-cuda`: two CUDAs, one of which torch never uses",
        "`pytorch-cuda` alone",
    ),
    Code(
        "driver-too-old",
        "error",
        "the driver that the page names cannot run the CUDA that a line installs",
        "a CUDA that it runs",
    ),
    Code(
        "python-mismatch",
        "error",
        "a Python that the torch has no build for",
        "a Python that it has one for",
    ),
    Code(
        "pip-pytorch",
        "error",
        "`pip install pytorch`: a package that only fails",
        "`pip install torch`",
    ),
    Code(
        "source-activate",
        "warning",
        "`source activate ENV`: it works only where a module or the user has put the base's `bin` on `PATH`",
        "`conda activate ENV` after conda's hook",
    ),
)
SEVERITIES = {code.name: code.severity for code in CODES}
ALL_CODES = (*CODES, *script_finding.CODES)

__all__ = ["ALL_CODES", "CODES", "SEVERITIES", "Finding", "known_codes"]


def known_codes(given: t.Iterable[str]) -> frozenset[str]:
    """The codes to ignore, of pages and of job scripts.

    :raises UserError: the linter has no such code.
    """
    codes, known = frozenset(given), [code.name for code in ALL_CODES]
    unknown = sorted(codes.difference(known))
    if unknown:
        raise UserError("ignore to hold codes of findings", some(unknown), "choose from %s" % ", ".join(known))
    return codes
