# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds what no longer works on a page of a guide. No I/O. Private to hpc.pytorch.

docs/guide-lint.md explains every code.
"""

from __future__ import annotations

import re
import typing as t

from .._common.errors import one_line
from .._common.versions import is_version, key
from .._gpu.driver_table import FAMILIES, TOOLKITS
from .checks import asked_cuda, asks_channel, default_cuda, problems, python_against
from .commands import Command, commands_of
from .finding import SEVERITIES, Finding
from .format import html_page, markdown, rst
from .format.blocks import Block, Line, Segment, advised_against, blocks_of, is_archive
from .install import CONDA, Install, Spec, parse
from .releases import nearest
from .repair import repaired
from .scripts import job_scripts

FORMATS: dict[str, t.Callable[[str], list[Segment]]] = {
    "markdown": markdown.segments,
    "rst": rst.segments,
    "html": html_page.segments,
}
ENDINGS = {
    ".md": "markdown",
    ".markdown": "markdown",
    ".rst": "rst",
    ".rest": "rst",
    ".html": "html",
    ".htm": "html",
    ".xhtml": "html",
}
_MARKDOWN = re.compile(r"^\s*(?:```|~~~)|^#{1,6} \S|\{%", re.MULTILINE)
_RST = re.compile(r"^\s*\.\. [\w-]+::|\S::[ \t]*$", re.MULTILINE)
_DRIVER = re.compile(
    r"(?:driver(?:s)?(?:\s+version)?|驱动(?:程序)?(?:版本)?)\s*(?:is|are|:|：|=|为|是|v|on\s+these\s+nodes\s+is)?\s*v?"
    r"(?P<version>\d{3}(?:\.\d{1,3}){0,2})(?![\d.]*\d)(?=(?P<after>.{0,20}))",
    re.IGNORECASE,
)
# A driver that something needs is not the one that the nodes have.
_NEEDED = re.compile(
    r"requir|need|at\s+least|minimum|newer|older|upgrade|update|install|>=|≥|>|要求|需要|至少|不低于|最低|升级|更新|安装",
    re.IGNORECASE,
)
_OR_NEWER = re.compile(
    r"\s*(?:\+|or\s+(?:newer|later|higher|above|greater|more\s+recent)|及以上|以上|或更)", re.IGNORECASE
)
# A comment of Markdown, HTML or reStructuredText, by which the page says what it means.
_IGNORE = re.compile(r"^[ \t]*(?:<!--|\.\.)[ \t]*guide-lint:[ \t]*ignore=([a-z0-9,]+(?:-[a-z0-9,]+)*)", re.MULTILINE)
_ARCHIVE_PATH = re.compile(
    r"(?:^|/)_?(?:archived?|attic|obsolete|deprecated|retired|decommissioned)/|(?:^|/)changelog\.\w+\Z", re.IGNORECASE
)


def format_of(path: str, text: str) -> str:
    """The format of a page, from the end of its name, or for a page without one from its text."""
    for ending, name in ENDINGS.items():
        if path.lower().endswith(ending):
            return name
    if _MARKDOWN.search(text):
        return "markdown"
    if re.match(r"\s*<(?:!doctype html|html|head|body|h[1-6]|div|article|main|p|pre)\b", text, re.IGNORECASE):
        return "html"
    return "rst" if _RST.search(text) else "markdown"


def lint_page(
    text: str,
    shape: str = "markdown",
    path: str = "",
    slurm: t.Sequence[int] | None = None,
    every_warning: bool = False,
) -> list[Finding]:
    """The findings on a page, in the order of its lines.

    :arg shape: a name of FORMATS.
    :arg path: where the page is; an archive has no findings.
    :arg slurm: the version of the cluster's Slurm.
    :arg every_warning: report every warning about a job script, not only what stops it.
    """
    segments = FORMATS[shape](text)
    if is_archive(segments) or _ARCHIVE_PATH.search(path):
        return []
    runs = _runs(segments)
    # The environment that the page makes last, which later blocks install into.
    python: list[tuple[Install, str]] = []
    found: list[Finding] = []
    for block in blocks_of(segments):
        if advised_against(block):
            continue
        found += job_scripts(block, slurm, every_warning)
        found += _block(block, runs, python)
    meant = {code for match in _IGNORE.finditer(text) for code in match[1].split(",")}
    unique = {(each.line, each.code, each.message): each for each in found if each.code not in meant}
    return sorted(unique.values(), key=lambda each: (each.line, each.code))


def _block(block: Block, driver: str, python: list[tuple[Install, str]]) -> t.Iterator[Finding]:
    for command in commands_of(block):
        activates = _source_activate(command)
        if activates and not block.inline:
            yield _finding(
                command.number,
                "source-activate",
                "source activate works only where the base's bin is on PATH: since conda 4.4 it is conda activate",
                "write: " + activates,
            )
        install = parse(command)
        if not install:
            continue
        runs = _families(driver)
        wrong = problems(install)
        cuda = asked_cuda(install) or ("" if python else default_cuda(install))
        if driver and cuda and (install.tool != CONDA or asks_channel(install)) and not _drives(driver, cuda):
            wrong.append(("driver-too-old", "driver %s, which the page names, cannot run CUDA %s" % (driver, cuda), ""))
        else:
            runs = []
        remedy = _remedy(install, runs, driver) if wrong else ""
        for code, message, severity in wrong:
            yield _finding(command.number, code, message, remedy, severity)
        if install.creates:
            pinned = install.spec("python")
            python[:] = [(install, pinned.pin)] if pinned and not install.torch else []
        elif python and install.torch and install.torch.pin:
            made, version = python[-1]
            for code, message, severity in python_against(version, install.torch.pin):
                remedy = "write: " + _with_python(made, install.torch.pin)
                yield _finding(made.command.number, code, message, remedy, severity)


def _remedy(install: Install, runs: t.Sequence[str], driver: str) -> str:
    line = repaired(install, runs)
    again = [parse(each) for each in commands_of(Block((Line(1, line),), False, ("", "", ""), ""))]
    cudas = [asked_cuda(each) for each in again if each]
    newer = [cuda for cuda in cudas if cuda and not _drives(driver or "9999", cuda)]
    if newer:
        return "install driver %s or newer on these nodes; the line: %s" % (_least(newer[0]), line)
    return "write: " + line


def _with_python(install: Install, torch: str) -> str:
    spec = t.cast(Spec, install.spec("python"))
    least, most = nearest(torch).python
    best = least if key(spec.pin) < key(least) else most
    line = install.command.line
    return line[: spec.word.start] + "python=" + best + line[spec.word.end :]


def _source_activate(command: Command) -> str:
    """The line that activates the environment today; empty if the command is another one."""
    words = [word.text for word in command.words]
    # Without an environment it may be the script of a venv in the current folder.
    if words[:2] not in (["source", "activate"], [".", "activate"]) or len(words) != 3 or words[2].startswith("-"):
        return ""
    line = command.line
    start, end = command.words[0].start, command.words[1].end
    return line[:start] + 'source "$(conda info --base)/etc/profile.d/conda.sh" && conda activate' + line[end:]


def _runs(segments: t.Sequence[Segment]) -> str:
    """The newest driver that the page says its nodes have, or nothing."""
    found = []
    for each in segments:
        text = "\n".join(line.text for line in each.lines)
        for match in _DRIVER.finditer(text):
            if _NEEDED.search(text[max(0, match.start() - 50) : match.start()]) or _OR_NEWER.match(match["after"]):
                return ""
            # A branch alone may be any driver of it.
            version = match["version"]
            found.append(version if "." in version else version + ".999")
    versions = [version for version in found if is_version(version)]
    return max(versions, key=key) if versions else ""


def _least(cuda: str) -> str:
    """The oldest driver that runs a CUDA; empty if it is not known."""
    family = FAMILIES.get(int(cuda.split(".")[0]))
    return family[1].get(cuda, family[0]) if family else TOOLKITS.get(cuda, "")


def _drives(driver: str, cuda: str) -> bool:
    least = _least(cuda)
    return not least or key(driver) >= key(least)


def _families(driver: str) -> list[str]:
    return [str(major) for major, (least, _others) in FAMILIES.items() if driver and key(driver) >= key(least)]


def _finding(line: int, code: str, message: str, remedy: str, severity: str = "") -> Finding:
    return Finding(line, code, severity or SEVERITIES[code], one_line(message), one_line(remedy))
