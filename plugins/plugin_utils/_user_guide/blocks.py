# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a page of the guide consists of, the same in every language and format. No I/O. Private to hpc.pytorch."""

from __future__ import annotations

import typing as t


class Text(t.NamedTuple):
    """A text of the page by its key (``texts.py``), with the values that it names as ``{name}``."""

    key: str
    values: t.Mapping[str, str] = {}


class Code(t.NamedTuple):
    """A value that is shown as code, such as the name of a partition."""

    value: str


Cell = t.Union[Text, Code]


class Paragraph(t.NamedTuple):
    """A paragraph."""

    text: Text


class Items(t.NamedTuple):
    """A list with bullets."""

    texts: tuple[Text, ...]


class Note(t.NamedTuple):
    """A box next to the text. Its kind is ``tip`` or ``warning``, as Material for MkDocs calls them."""

    kind: str
    title: Text
    text: Text


class Command(t.NamedTuple):
    """Lines that the reader types.

    :arg id: unique on the page, of the characters a-z, 0-9 and -.
    :arg on: where they are typed: ``login``, ``compute`` or ``jupyter``.
    :arg wait: ``job``: the jobs that the lines submit have to end before the next block.
    :arg expect: the exit status that is right.
    :arg reason: why nobody executes them for the page; None if they are executed.
    """

    id: str
    lines: str
    on: str = "login"
    wait: str = ""
    expect: int = 0
    reason: Text | None = None


class File(t.NamedTuple):
    """The content of a file that the reader saves as *name* before the next commands."""

    id: str
    name: str
    content: str
    language: str = "bash"
    on: str = "login"


class Example(t.NamedTuple):
    """Code to read, which is neither a command nor a whole file."""

    content: str
    language: str


class Table(t.NamedTuple):
    """A table. Each row has as many cells as there are heads."""

    id: str
    heads: tuple[Text, ...]
    rows: tuple[tuple[Cell, ...], ...]


Block = t.Union[Paragraph, Items, Note, Command, File, Example, Table]


class Section(t.NamedTuple):
    """A heading of level 1 to 3 and what follows until the next heading."""

    id: str
    level: int
    title: Text
    blocks: tuple[Block, ...]
