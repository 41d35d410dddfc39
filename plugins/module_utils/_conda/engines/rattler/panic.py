# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Errors of py-rattler that are no Exception, or that hide their cause. Private to hpc.pytorch."""

from __future__ import annotations

from ...._common.errors import UserError


def require_no_panic(error: BaseException, expected: str) -> None:
    """Turn a panic of rattler's into an error that a person can read.

    Rust's panics arrive as ``pyo3_runtime.PanicException``, which is a BaseException and cannot be imported, or, from
    its asynchronous part, as ``RustPanic``.

    :raises UserError: it is a panic.
    """
    if type(error).__name__ in ("PanicException", "RustPanic"):
        raise UserError(
            expected,
            "something that makes rattler panic: %s" % error,
            "have the channel or the package repaired, or use another one",
        ) from error


def chain_of(error: BaseException | None) -> str:
    """The messages of the error and its causes, each once: ``A: B``."""
    parts: list[str] = []
    while error is not None:
        text = str(error)
        if text and text not in parts:
            parts.append(text)
        error = error.__cause__
    return ": ".join(parts)
