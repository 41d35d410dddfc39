# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""As root, pip follows only files that root alone can write: its lines, the files that they name, its settings.

Private to hpc.pytorch.
"""

from __future__ import annotations

import codecs
import configparser
import os
import re
import typing as t

from .._common.errors import UserError
from .._files.files import open_regular
from .._files.trust import require_trusted_place
from .parse import parse
from .pip_line import FILE, FOLDER, INDEX, Named, logical_lines, named_in, with_variables
from .trusted import require_trusted_folder, require_trusted_source, require_trusted_tree

_LARGEST = 4 * 1024 * 1024
_WHAT = "a file for pip at"


def require_trusted_pip(lines: t.Iterable[str], option: str = "pip") -> None:
    """Refuse, as root, lines for pip that name what another user can write, also in the files that they name.

    :arg lines: lines of a requirements file.
    :raises UserError: with ``become_user`` as the remedy.
    """
    if os.geteuid() == 0:
        _require_lines(logical_lines("\n".join(lines)), None, option, set())


def require_trusted_pip_source(text: str, option: str) -> None:
    """Refuse, as root, an index, a folder of wheels or a wheel that another user can write.

    :raises UserError: with ``become_user`` as the remedy.
    """
    if os.geteuid() == 0:
        _require(Named(FOLDER, (text,)), None, option, set())


def require_trusted_pip_settings(environment: t.Mapping[str, str]) -> None:
    """Refuse, as root, settings of pip that lead to what another user can write: ``PIP_*`` and files ``pip.conf``.

    :arg environment: the variables that pip gets.
    :raises UserError: with the setting's name.
    """
    if os.geteuid() != 0:
        return
    for name, value in environment.items():
        if name.startswith("PIP_"):
            _require_setting(value, name)
    if environment.get("PIP_CONFIG_FILE") == os.devnull:
        # pip then reads none.
        return
    for path in _config_files(environment):
        if os.path.lexists(path):
            require_trusted_place(path, "a configuration of pip at")
            parser = configparser.RawConfigParser()
            try:
                parser.read_string(_text_of(path))
            except configparser.Error as error:
                raise UserError("a configuration of pip at %s" % path, str(error), "correct the file") from error
            for section in parser.sections():
                for option, value in parser.items(section):
                    _require_setting(value, "%s in %s" % (option, path))


def _config_files(environment: t.Mapping[str, str]) -> list[str]:
    """pip's own search path, see "Configuration Files" in its documentation. The env's own file is part of the env."""
    home = environment.get("HOME") or os.path.expanduser("~")
    folders = [folder for folder in (environment.get("XDG_CONFIG_DIRS") or "/etc/xdg").split(":") if folder]
    config = environment.get("XDG_CONFIG_HOME") or os.path.join(home, ".config")
    found = [os.path.join(folder, "pip", "pip.conf") for folder in [*folders, config]]
    found += ["/etc/pip.conf", os.path.join(home, ".pip", "pip.conf"), environment.get("PIP_CONFIG_FILE") or ""]
    return [path for path in found if path]


def _require_setting(value: str, name: str) -> None:
    for part in value.split():
        if part != os.devnull and ("/" in part or part.startswith((".", "~")) or part[:5].lower() == "file:"):
            require_trusted_source(parse(part, named=False), name, "what %s names at" % name)


def _require_lines(lines: t.Iterable[str], folder: str | None, option: str, seen: set[str]) -> None:
    for line in lines:
        for each in named_in(with_variables(line, os.environ)):
            _require(each, folder, option, seen)


def _require(named: Named, folder: str | None, option: str, seen: set[str]) -> None:
    # pip takes a relative path in a file from that file's folder after -r, -c and -f; all others from the current one.
    folder = folder if named.role in (FILE, FOLDER) else None
    for text in named.texts:
        source = parse(text, folder, named=False)
        require_trusted_source(source, option, _WHAT)
        for path in source.paths:
            if named.role in (FOLDER, INDEX):
                require_trusted_folder(path, _WHAT)
            elif named.role == FILE:
                _require_file(path, option, seen)
            else:
                require_trusted_tree(path, _WHAT)


def _require_file(path: str, option: str, seen: set[str]) -> None:
    if path in seen or not os.path.lexists(path):
        # pip itself says that a file is missing.
        return
    seen.add(path)
    _require_lines(logical_lines(_text_of(path)), os.path.dirname(path), "%s, by way of %s," % (option, path), seen)


def _text_of(path: str) -> str:
    with open_regular(path) as stream:
        content = stream.read(_LARGEST + 1)
    if len(content) > _LARGEST:
        raise UserError("a file for pip of at most 4 MiB at %s" % path, "a larger one", "split the file")
    return content.decode(_encoding(content), "replace").lstrip("\ufeff")


def _encoding(content: bytes) -> str:
    """pip reads a file by its byte order mark, then by a first line such as ``# -*- coding: latin-1 -*-``."""
    for mark in (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        if content.startswith(mark):
            return "utf-32" if len(mark) == 4 else "utf-16"
    for line in content.split(b"\n")[:2]:
        found = re.search(rb"coding[:=]\s*([-\w.]+)", line) if line.startswith(b"#") else None
        if found:
            try:
                return codecs.lookup(found.group(1).decode("ascii")).name
            except (LookupError, UnicodeDecodeError):
                break
    return "utf-8"
