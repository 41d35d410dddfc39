# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The part of the probe that hands numbers to numpy and back. Private to hpc.pytorch. For the rules see talk.py."""

import importlib
import importlib.util
import sys


def has_numpy():
    """Return whether a numpy with code can be found. A folder that a removal left behind does not count."""
    try:
        spec = importlib.util.find_spec("numpy")
    except (ImportError, ValueError, AttributeError):
        return False
    return spec is not None and spec.origin not in (None, "namespace")


def check_numpy(channel, describe, torch, files_from_outside):
    """Report whether a tensor becomes an array and comes back; nothing where there is no numpy.

    Torch hides why it cannot use numpy, so after a failure numpy is imported by itself.
    """
    if not has_numpy():
        return
    # A numpy for another CPU or ABI may crash.
    channel.step("numpy", "numpy")
    error, own_error, files = None, None, []
    try:
        rows = [[1.0, -2.0], [3.0, 0.5]]
        array = torch.tensor(rows, dtype=torch.float32).numpy()
        if torch.from_numpy(array).tolist() != rows:
            raise ArithmeticError("numbers came back from numpy changed")
    except Exception as problem:
        error = describe(problem)
        try:
            importlib.import_module("numpy")
        except BaseException as another:
            own_error, files = describe(another), files_from_outside(another)
    numpy = sys.modules.get("numpy")
    channel.send(
        kind="numpy",
        version=str(getattr(numpy, "__version__", "")) or None,
        path=getattr(numpy, "__file__", None),
        error=error,
        own_error=own_error,
        files=files,
    )
