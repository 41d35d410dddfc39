# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plain English: words that must not come back, in docstrings, comments, strings, YAML, scripts and pages."""

from __future__ import annotations

import ast
import io
import pathlib
import re
import subprocess
import tokenize
import typing as t

import pytest

CHECKOUT = pathlib.Path(__file__).resolve().parents[3]

# What must not be written: what to write instead.
WORDS = {
    r"mend(s|ed|ing)?": "repair, fix",
    r"settle[sd]?|settling": "set permissions, decide",
    r"graves?": "trash folder",
    r"sick": "failed",
    r"story|stories": "output, message",
    r"told|tells? of|heard": "output, message, reports",
    r"wish(es|ed)?": "request",
    r"thin faces?|faces? of (a|the|its) modules?|module faces?": "entry point",
    r"discreet(ly)?": "redacting",
    r"shadow prefix|shadow of": "dry-run prefix",
    r"(looks?|looked|looking) at|a look|looks whether": "check, poll, inspect",
    r"somebody": "another user, the caller",
    r"whoever|whosoever": "the user who",
    r"(bears?|bore|bearing) (the|that|a|its|this) names?": "is published as, is named",
    r"(that|which) (stands|stood|stand)(?! for\b)": "existing",
    r"beside": "next to, in addition to",
    r"the home(?! (directory|directories|folder|folders|of)\b|\s*$)": "the home directory",
    r"(?<!there )(is|are|was|were) (?-i:none)(?=[.,;:]| (of|for|to|there)\b)": "is not a ...",
    r"(has|have|had) (it|them) not|has not (the|a|an|any)|have not (the|a|an|any)": "does not have",
    r"shall": "will, must",
}

# A line in which the word is right: path, a part of the line.
RIGHT: tuple[tuple[str, str], ...] = ()

FOLDERS = (
    "changelogs/fragments",
    "docs",
    "inventories",
    "meta",
    "molecule",
    "playbooks",
    "plugins",
    "requirements",
    "roles",
    "tests",
    "tools",
)
# What other programs wrote.
RECORDED = re.compile(r"tests/unit/golden/|/data/.*\.(txt|json|csv)$|tests/unit/house/test_wording\.py$")

PATTERNS = {re.compile(r"\b(?:%s)\b" % word, re.IGNORECASE): plain for word, plain in WORDS.items()}


def sources() -> list[str]:
    """What git knows or would take up, as paths relative to the checkout."""
    command = [
        "git",
        "-c",
        "safe.directory=%s" % CHECKOUT,
        "ls-files",
        "-z",
        "--cached",
        "--others",
        "--exclude-standard",
    ]
    listing = subprocess.run(command, cwd=CHECKOUT, check=True, capture_output=True, text=True).stdout
    names = {name for name in listing.split("\0") if name and not name.startswith(".collections/")}
    return sorted(name for name in names if (CHECKOUT / name).is_file() and not RECORDED.search(name))


def docstrings(text: str) -> t.Iterator[tuple[int, str]]:
    """Line number and text of each line of a docstring."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)) and ast.get_docstring(
            node
        ):
            constant = t.cast("ast.Expr", node.body[0]).value
            for number in range(constant.lineno, (constant.end_lineno or constant.lineno) + 1):
                yield number, text.splitlines()[number - 1]


def prose(name: str, text: str) -> t.Iterator[tuple[int, str]]:
    """The lines that a person reads: comments and strings of Python (a test's docstrings), all lines of other files."""
    if not name.endswith(".py"):
        yield from enumerate(text.splitlines(), 1)
        return
    of_a_test = name.startswith(("tests/", "molecule/"))
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT or (token.type == tokenize.STRING and not of_a_test):
            yield from enumerate(token.string.splitlines(), token.start[0])
    if of_a_test:
        yield from docstrings(text)


def found(name: str, text: str) -> list[str]:
    """Each line that holds one of the words: ``path:12: mended (repair, fix): We mended it.``"""
    lines = []
    for number, line in sorted(set(prose(name, text))):
        if any(name == path and part in line for path, part in RIGHT):
            continue
        for pattern, plain in PATTERNS.items():
            for match in pattern.finditer(line):
                lines.append("%s:%d: %s (%s): %s" % (name, number, match.group(), plain, line.strip()[:100]))
    return lines


@pytest.mark.parametrize("folder", [*FOLDERS, "."])
def test_plain_words(folder: str) -> None:
    """The folder ``.`` has the files at the top."""
    hits = []
    for name in sources():
        if (name.startswith(folder + "/") or (folder == "." and "/" not in name)) and name.endswith(
            (".py", ".md", ".yml", ".yaml", ".sh", ".j2", ".txt", ".env", "Makefile")
        ):
            hits += found(name, (CHECKOUT / name).read_text(encoding="utf-8"))
    if hits:
        pytest.fail("%d times:\n%s" % (len(hits), "\n".join(hits)), pytrace=False)


def test_what_is_prose() -> None:
    """In a test a variable may be named as it likes; in a plugin a message may not hold the word."""
    text = '"""It mends."""\ntold = "shall"  # whoever\n'
    assert [line.split(": ")[1].split(" ")[0] for line in found("plugins/a.py", text)] == ["mends", "shall", "whoever"]
    assert [line.split(": ")[1].split(" ")[0] for line in found("tests/a.py", text)] == ["mends", "whoever"]
    assert found("docs/a.md", "in the home directory, the home\n") == [] != found("docs/a.md", "in the home now\n")
