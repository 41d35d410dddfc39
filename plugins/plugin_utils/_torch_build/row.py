# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One row of the compatibility data: takes its values key by key, and checks each. Private to hpc.pytorch."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.hpc.pytorch.plugins.module_utils._common.errors import UserError
from ansible_collections.hpc.pytorch.plugins.module_utils._common.versions import is_version

_URL = re.compile(r"https?://\S+|file://\S+")


class Row:
    """One mapping and its place in the data. Its reader takes each key; a key that is left over is an error."""

    def __init__(self, value: t.Any, where: str) -> None:
        if not isinstance(value, t.Mapping):
            raise UserError(
                "a mapping at %s of the compatibility rows" % where,
                repr(value),
                "see the top of the data files for its keys",
            )
        self._left = dict(value)
        self._asked: list[str] = []
        self.where = where

    def take(
        self, name: str, what: str, right: t.Callable[[t.Any], bool], default: t.Any = None, required: bool = False
    ) -> t.Any:
        self._asked.append(name)
        if name not in self._left:
            if required:
                raise UserError("%s (%s) at %s of the compatibility rows" % (name, what, self.where), "none", "add it")
            return default
        value = self._left.pop(name)
        if value is None and not required:
            return default
        if not right(value):
            remedy = (
                "put quotes around it"
                if isinstance(value, (int, float)) and not isinstance(value, bool)
                else "correct it"
            )
            raise UserError("%s for %s at %s of the compatibility rows" % (what, name, self.where), repr(value), remedy)
        return value

    def version(self, name: str, required: bool = False) -> str | None:
        value = self.take(name, 'a version in quotes such as "12.6"', is_version, required=required)
        # Templating leaves subclasses of str (with the origin of a value) that YAML and JSON do not write.
        return str(value) if value is not None else None

    def text(self, name: str, required: bool = False) -> str | None:
        value = self.take(name, "text", lambda value: isinstance(value, str) and bool(value.strip()), required=required)
        return str(value) if value is not None else None

    def mark(self, name: str) -> str | None:
        """Take a mark: the text why a row is marked, or true."""
        value = self.take(name, "text, or true or false", lambda value: isinstance(value, (str, bool)))
        if isinstance(value, bool):
            return "marked so" if value else None
        return str(value) if value else None

    def url(self, name: str, more: tuple[str, ...] = ()) -> str | None:
        what = " or ".join(("a URL",) + more)
        value = self.take(
            name, what, lambda value: isinstance(value, str) and (value in more or bool(_URL.fullmatch(value)))
        )
        return str(value) if value is not None else None

    def texts(self, name: str, required: bool = False) -> tuple[str, ...]:
        def right(value: t.Any) -> bool:
            return (
                isinstance(value, (list, tuple))
                and all(isinstance(item, str) and item for item in value)
                and bool(value or not required)
            )

        return tuple(str(item) for item in self.take(name, "a list of texts", right, default=(), required=required))

    def versions(self, name: str, required: bool = True) -> tuple[str, ...]:
        def right(value: t.Any) -> bool:
            return isinstance(value, (list, tuple)) and bool(value) and all(is_version(item) for item in value)

        return tuple(
            str(item)
            for item in self.take(
                name, 'a list of versions in quotes such as ["7.0", "8.0"]', right, default=(), required=required
            )
        )

    def span(self, name: str) -> tuple[str, str]:
        """Take a range of versions: ``2.8-2.10`` is from 2.8 to 2.10, and ``2.13`` is itself."""
        value = self.take(
            name,
            'versions such as "2.13" or "2.8-2.10"',
            lambda value: isinstance(value, str) and all(map(is_version, value.split("-", 1))),
            required=True,
        ).split("-")
        return str(value[0]), str(value[-1])

    def choices(self, name: str, choices: t.Sequence[str]) -> tuple[str, ...]:
        def right(value: t.Any) -> bool:
            return isinstance(value, (list, tuple)) and bool(value) and all(item in choices for item in value)

        what = "a list of " + ", ".join(choices)
        return tuple(str(item) for item in self.take(name, what, right, required=True))

    def choice(self, name: str, choices: t.Sequence[str], default: str | None = None) -> str:
        what, required = "one of " + ", ".join(choices), default is None
        return str(self.take(name, what, lambda value: value in choices, default=default, required=required))

    def rows(self, name: str) -> list[Row]:
        values = self.take(name, "a list", lambda value: isinstance(value, (list, tuple)), default=())
        return [Row(value, "%s[%d]" % (self._below(name), number)) for number, value in enumerate(values)]

    def row(self, name: str) -> Row | None:
        value = self.take(name, "a mapping", lambda value: isinstance(value, t.Mapping))
        return Row(value, self._below(name)) if value is not None else None

    def _below(self, name: str) -> str:
        return "%s.%s" % (self.where, name) if self.where else name

    def done(self) -> None:
        if self._left:
            raise UserError(
                "the keys %s at %s of the compatibility rows"
                % (", ".join(sorted(self._asked)), self.where or "the top"),
                ", ".join(sorted(map(str, self._left))),
                "remove or correct what is not among them",
            )
