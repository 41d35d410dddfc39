# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compiles a list of files with the interpreter that runs it. Private to hpc.pytorch.

It is passed as source text, so it uses only the standard library of Python 3.8. The .pyc files are checked-hash ones
(PEP 552): valid even if a copy changes the times, and never stale.
"""

from __future__ import annotations

import importlib._bootstrap_external as bootstrap
import importlib.util
import json
import os
import sys
import warnings


def compile_one(root: str, relative: str) -> str | None:
    """Compile ``root/relative``; tracebacks show *relative*. Returns the .pyc, or None if it does not compile."""
    source = os.path.join(root, relative)
    with open(source, "rb") as stream:
        content = stream.read()
    try:
        code = compile(content, relative, "exec", dont_inherit=True, optimize=0)
    except (SyntaxError, ValueError, UnicodeError, RecursionError, MemoryError, OverflowError):
        # Templates and test data for Python 2, which pip leaves uncompiled, too.
        return None
    digest = importlib.util.source_hash(content)
    target = importlib.util.cache_from_source(relative, optimization="")
    path = os.path.join(root, target)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as stream:
        # importlib has no public function for this.
        stream.write(bootstrap._code_to_hash_pyc(code, digest, checked=True))  # type: ignore[attr-defined]
    return target


def main() -> None:
    """Read root and names from standard input; print the .pyc names."""
    request = json.load(sys.stdin)
    warnings.simplefilter("ignore")
    written = [compile_one(request["root"], name) for name in request["names"]]
    json.dump([name for name in written if name], sys.stdout)


if __name__ == "__main__":
    main()
