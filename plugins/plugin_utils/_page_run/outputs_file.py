# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the pages and the file of the outputs on the controller, and writes the latter. Private to hpc.pytorch."""

from __future__ import annotations

import os
import typing as t

import yaml
from ansible_collections.hpc.pytorch.plugins.module_utils._common.errors import UserError, shown
from ansible_collections.hpc.pytorch.plugins.module_utils._files.files import read_regular
from ansible_collections.hpc.pytorch.plugins.module_utils._files.folder import open_folder
from ansible_collections.hpc.pytorch.plugins.module_utils._files.paths import require_absolute

MODE = 0o644
_LARGEST = 4 * 1024 * 1024
_HEAD = "---\n# What the commands of the pages have written, by their IDs. Made by hpc.pytorch.user_guide_run.\n"


def read_pages(paths: t.Sequence[str]) -> dict[str, str]:
    """The text of each page by the name of its file.

    :raises UserError: there is none, or one cannot be read.
    """
    if not paths:
        raise UserError("at least one page", "none", "name the Markdown files with pages")
    return {os.path.basename(path): _text(path, "a page") for path in paths}


def checked_path(path: str) -> str:
    """The path of the outputs.

    :raises UserError: it is not absolute.
    """
    require_absolute("outputs", path, where=" on the controller")
    return os.path.normpath(path)


def read(path: str) -> dict[str, str]:
    """The outputs by their IDs; empty if there is no file.

    :raises UserError: the file is no mapping of texts.
    """
    if not os.path.lexists(path):
        return {}
    try:
        found = yaml.safe_load(_text(path, "the outputs"))
    except (yaml.YAMLError, RecursionError) as error:
        raise _not_outputs(path, " ".join(str(error).split())) from None
    if found is None:
        return {}
    if not isinstance(found, dict) or not all(isinstance(each, str) for pair in found.items() for each in pair):
        raise _not_outputs(path, shown(found))
    return found


def dump(outputs: t.Mapping[str, str]) -> str:
    """The text of the file, with each output as lines."""
    if not outputs:
        return _HEAD + "{}\n"
    return _HEAD + yaml.dump(
        dict(outputs), Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=10000, default_flow_style=False
    )


def write(path: str, outputs: t.Mapping[str, str]) -> bool:
    """Replace the file by one rename. Returns whether it was changed.

    :raises UserError: it cannot be written.
    """
    content = dump(outputs).encode("utf-8")
    try:
        with open_folder(os.path.dirname(path), "a folder for the outputs at", make=True) as folder:
            if folder.read(os.path.basename(path)) == content:
                return False
            folder.write(os.path.basename(path), content, MODE)
    except OSError as error:
        raise UserError(
            "a writable file at %s" % path,
            error.strerror or str(error),
            "set user_guide_dest to a folder that the user of ansible-playbook can write to",
        ) from error
    return True


def _text(path: str, what: str) -> str:
    try:
        return read_regular(path, _LARGEST).decode("utf-8")
    except FileNotFoundError:
        raise UserError("%s at %s" % (what, path), "no file", "render the guide first (hpc.pytorch.guide)") from None
    except UnicodeDecodeError as error:
        raise UserError("%s in UTF-8 at %s" % (what, path), str(error), "save it as UTF-8") from None
    except OSError as error:
        raise UserError("%s at %s" % (what, path), error.strerror or str(error), "let this user read it") from error


def _not_outputs(path: str, found: str) -> UserError:
    return UserError("a text for each ID in %s" % path, found, "remove the file, then run the commands again")


class _Dumper(yaml.SafeDumper):
    """Writes a text of several lines as lines."""


def _as_lines(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _as_lines)
