# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write every text that is generated from another file; with --check only print what is out of date.

Each file in tools/generators/ has a function ``outputs(current, block)`` that returns the whole new text of each file
that it changes, by its path in the checkout. A part of a hand-written file stands between two marks, see :func:`block`.
"""

from __future__ import annotations

import argparse
import difflib
import importlib.util
import pathlib
import re
import sys
import typing as t

CHECKOUT = pathlib.Path(__file__).resolve().parents[1]
GENERATORS = pathlib.Path(__file__).with_name("generators")


def block(text: str, name: str, body: str) -> str:
    """*text* with *body* between the marks ``>>> generated: NAME`` and ``<<< generated: NAME``.

    The marks are whole lines, in whatever comment the file has (``# >>> ...``, ``<!-- >>> ... -->``).

    :raises ValueError: *text* does not hold the two marks exactly once.
    """
    pattern = r"(^[^\n]*>>> generated: {0}\b[^\n]*\n)(.*?)(^[^\n]*<<< generated: {0}\b)".format(re.escape(name))
    whole = re.compile(pattern, re.MULTILINE | re.DOTALL)
    if len(whole.findall(text)) != 1:
        raise ValueError("expected the marks of %r once" % name)
    return whole.sub(lambda match: match.group(1) + body.rstrip("\n") + "\n" + match.group(3), text)


def read(path: str) -> str:
    """The present text of *path*, or nothing where it does not exist."""
    file = CHECKOUT / path
    return file.read_text(encoding="utf-8") if file.exists() else ""


def outputs() -> dict[str, str]:
    """The new text of each generated file. Of two generators for one file the later one gets the earlier text."""
    written: dict[str, str] = {}

    def current(path: str) -> str:
        return written[path] if path in written else read(path)

    for file in sorted(GENERATORS.glob("[a-z]*.py")):
        spec = importlib.util.spec_from_file_location("generators_" + file.stem, file)
        assert spec and spec.loader
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        made: t.Mapping[str, str] = module.outputs(current, block)
        written.update(made)
    return written


def main() -> int:
    """Exit status 1 where --check finds a difference."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; print differences")
    check = parser.parse_args().check
    sys.path.insert(0, str(CHECKOUT / ".collections"))
    stale = {path: text for path, text in outputs().items() if text != read(path)}
    for path, text in stale.items():
        if check:
            sys.stdout.writelines(
                difflib.unified_diff(read(path).splitlines(True), text.splitlines(True), path, path + " (generated)")
            )
        else:
            (CHECKOUT / path).write_text(text, encoding="utf-8")
            print("wrote %s" % path)
    if check and stale:
        print("generated texts are out of date: run make generate", file=sys.stderr)
    return int(check and bool(stale))


if __name__ == "__main__":
    sys.exit(main())
