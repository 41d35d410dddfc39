# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which files, folders and addresses a line for pip names. No I/O. Private to hpc.pytorch.

Read as pip reads a requirements file (``pip/_internal/req/req_file.py`` and ``constructors.py`` of pip 26).
"""

from __future__ import annotations

import re
import shlex
import typing as t

# pip's own patterns: a comment, a variable.
_COMMENT = re.compile(r"(?:^|\s+)#.*$")
_VARIABLE = re.compile(r"\$\{([A-Z0-9_]+)\}")
_NAMED = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*\s*(?:\[[^\]]*\])?\s*@\s*(.+)", re.DOTALL)
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_ARCHIVES = (
    ".whl",
    ".zip",
    ".tar.gz",
    ".tgz",
    ".tar",
    ".tar.bz2",
    ".tbz",
    ".tar.xz",
    ".txz",
    ".tlz",
    ".tar.lz",
    ".tar.lzma",
)

# Options whose value names a source, by what it is. pip takes every unambiguous beginning of a long option.
FILE, FOLDER, INDEX, REQUIREMENT, OTHER = "file", "folder", "index", "requirement", "other"
_SHORT = {"-r": FILE, "-c": FILE, "-e": REQUIREMENT, "-f": FOLDER, "-i": INDEX}
_LONG = {
    "--requirement": FILE,
    "--constraint": FILE,
    "--build-constraint": FILE,
    "--editable": REQUIREMENT,
    "--find-links": FOLDER,
    "--index-url": INDEX,
    "--pypi-url": INDEX,
    "--extra-index-url": INDEX,
}


class Named(t.NamedTuple):
    """What a line names: its role, and the text in each way that pip may read it."""

    role: str
    texts: tuple[str, ...]


def logical_lines(text: str) -> list[str]:
    """The lines of a requirements file: a backslash at a line's end joins it with the next one; no comments."""
    lines: list[str] = []
    begun: list[str] = []
    # pip too takes each of Unicode's line separators for the end of a line.
    for line in text.splitlines():
        comment = _COMMENT.match(line)
        if line.endswith("\\") and not comment:
            begun.append(line.strip("\\"))
            continue
        lines.append("".join([*begun, " " + line if comment else line]))
        begun = []
    lines.append("".join(begun))
    cleaned = (_COMMENT.sub("", line).strip() for line in lines)
    return [line for line in cleaned if line]


def with_variables(line: str, environment: t.Mapping[str, str]) -> str:
    """*line* with each ``${NAME}`` that is set, as pip replaces it."""
    return _VARIABLE.sub(lambda match: environment.get(match.group(1)) or match.group(), line)


def named_in(line: str) -> list[Named]:
    """What one logical line, without variables, names.

    ``-r/srv/a.txt`` names a file, ``tool @ file:///srv/tool.whl`` a requirement, ``torch>=2`` nothing.
    """
    words = line.split(" ")
    first_option = next((at for at, word in enumerate(words) if word.startswith("-")), len(words))
    requirement = " ".join(words[:first_option]).strip()
    found = [_requirement(requirement)] if requirement else []
    options = " ".join(words[first_option:])
    try:
        tokens = shlex.split(options)
    except ValueError:
        # pip refuses the line too.
        tokens = options.split()
    found += _options(tokens)
    return [each for each in found if each.texts]


def _options(tokens: t.Sequence[str]) -> t.Iterator[Named]:
    waiting: str | None = None
    for token in tokens:
        if waiting:
            yield _value(waiting, token)
            waiting = None
            continue
        role, value = _role(token)
        if role and not value:
            waiting = role
        elif role:
            yield _value(role, value)
        else:
            # An option that this does not know, or its value: a path in it counts.
            found = re.search(r"(?:^|[=,:])(~?/.*|\.\.?/.*|(?:\w+\+)?file:.*)", token, re.IGNORECASE)
            plain = found is not None and "://" not in token[: found.start(1) + 3]
            if found and (plain or found.group(1).lower().startswith(("file:", "git+file:"))):
                yield Named(OTHER, (found.group(1),))


def _role(token: str) -> tuple[str, str]:
    """The role of an option's value, and the value if it is part of the *token*."""
    if token[:2] in _SHORT:
        return _SHORT[token[:2]], token[2:]
    name, unused, value = token.partition("=")
    if name.startswith("--") and len(name) > 2:
        roles = {role for option, role in _LONG.items() if option.startswith(name)}
        # An ambiguous beginning, such as --e, is an error of pip's.
        if len(roles) == 1:
            return roles.pop(), value
    return "", ""


def _value(role: str, value: str) -> Named:
    return _requirement(value) if role == REQUIREMENT else Named(role, (value,) if value else ())


def _requirement(text: str) -> Named:
    """The file, folder or address of a requirement, if it has one."""
    named = _NAMED.match(text)
    if named:
        return Named(REQUIREMENT, _readings(named.group(1)))
    name = text.partition(";")[0].rstrip()
    bare = re.sub(r"\[[^\]]*\]\Z", "", name)
    if _SCHEME.match(text) or "/" in name or "\\" in name or name.startswith((".", "~")):
        return Named(REQUIREMENT, _readings(text))
    if bare.lower().endswith(_ARCHIVES):
        return Named(REQUIREMENT, _readings(name))
    return Named(REQUIREMENT, ())


def _readings(text: str) -> tuple[str, ...]:
    """*text* without a marker, extras, a fragment, a revision of a repository; each as far as it has one."""
    text = text.strip()
    found = [text]
    # A path may have blanks; an address ends at the first.
    if _SCHEME.match(text):
        found = [text.split()[0]]
    for pattern in (r"\s*;.*\Z", r"#.*\Z", r"\[[^\]]*\]\Z"):
        found += [re.sub(pattern, "", each, flags=re.DOTALL).strip() for each in found]
    if re.match(r"(git|hg|svn|bzr)\+", text, re.IGNORECASE):
        found += [each.rpartition("@")[0] for each in found if "@" in each]
    return tuple(dict.fromkeys(each for each in found if each))
