# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which requirement of pip would not be content with what conda brings back. Private to hpc.pytorch.

pip cannot be asked: it sees what is installed now.
"""

from __future__ import annotations

import email.parser
import json
import os
import typing as t

from ..._common.process import run
from ..._files.environment import clean_environment
from ..._files.files import read_regular
from ..env.pip_records import dependencies, normalized, required_name
from ..env.request import pip_requirements
from .distributions import Metadata, installed
from .pip_conflict import HeldConflict, held_conflict

# With the rules of the env's own pip. A requirement that it cannot read is left to pip.
_NOT_CONTENT = """
import json, sys
from pip._vendor.packaging.requirements import Requirement
from pip._vendor.packaging.utils import canonicalize_name
asked, versions = json.load(sys.stdin)
found = []
for who, text in asked:
    try:
        need = Requirement(text)
        counts = need.marker is None or need.marker.evaluate({"extra": ""})
        version = versions.get(canonicalize_name(need.name))
        if version and counts and not need.specifier.contains(version, prereleases=True):
            found.append((who, str(need).partition(";")[0].strip(), canonicalize_name(need.name)))
    except Exception:
        continue
print(json.dumps(found))
"""


def require_content(python: str, prefix: str, lines: t.Sequence[str], coming: t.Sequence[tuple[str, Metadata]]) -> None:
    """Refuse requirements, or what is installed for them, that need another version of what is *coming*.

    :arg python: the env's interpreter.
    :arg lines: of a requirements file.
    :arg coming: the distributions that conda brings back, each with its package's name.
    :raises HeldConflict: with the first of them.
    """
    asked = [["", text] for text in pip_requirements(lines)] + list(_needs(prefix, lines, coming))
    versions = {each.name: each.version for dummy, each in coming}
    done = run([python, "-I", "-c", _NOT_CONTENT], clean_environment(), given=json.dumps([asked, versions]))
    if done.returncode != 0:
        # An old or broken pip: it has its say when it installs.
        return
    found = {
        ("%s depends on %s" % (who, text) if who else "pip asks for %s" % text): normalized(name)
        for who, text, name in json.loads(done.stdout)
    }
    error: HeldConflict | None = held_conflict(found, coming)
    if error is not None:
        raise error


def _needs(prefix: str, lines: t.Sequence[str], coming: t.Sequence[tuple[str, Metadata]]) -> t.Iterator[list[str]]:
    """What each installed distribution needs that *lines* lead to: ``["fancyai 1.0", "torch>=2.99"]``."""
    needs = dependencies(prefix)
    reached = {each.name for dummy, each in coming}
    pending = [required_name(line) for line in lines if not line.startswith("-")]
    wanted = set()
    while pending:
        name = pending.pop()
        if name not in reached:
            reached.add(name)
            wanted.add(name)
            pending.extend(needs.get(name, ([], False))[0])
    for each in installed(prefix):
        path = os.path.join(prefix, each.path, "METADATA")
        if each.name in wanted and os.path.isfile(path):
            message = email.parser.Parser().parsestr(read_regular(path).decode("utf-8", "replace"), headersonly=True)
            for text in message.get_all("Requires-Dist") or []:
                yield ["%s %s" % (each.name, each.version), str(text)]
