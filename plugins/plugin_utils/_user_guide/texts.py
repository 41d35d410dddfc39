# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The texts of the guide by language and key, with those that a site changes. Private to hpc.pytorch."""

from __future__ import annotations

import functools
import inspect
import pathlib
import typing as t

import yaml
from ansible_collections.hpc.pytorch.plugins.module_utils._common.errors import UserError, shown
from ansible_collections.hpc.pytorch.plugins.module_utils._torch.diagnose.stages import STAGES

from .blocks import Text
from .inline import Piece, names_in, parse

FOLDER = pathlib.Path(__file__).parent / "words"
# With their own names, in the order in which pages link to each other.
LANGUAGES = {"en": "English", "zh": "\u4e2d\u6587"}


class OtherPage(t.NamedTuple):
    """The page in another language: its language, the language's own name, and the file."""

    language: str
    name: str
    file: str


class Texts(t.NamedTuple):
    """The texts of one language."""

    language: str
    by_key: t.Mapping[str, str]

    def pieces(self, text: Text) -> tuple[Piece, ...]:
        """The pieces of a text.

        :raises UserError: a text of the site names a value that there is not.
        """
        return parse(self.by_key[text.key], text.values)


def texts_of(
    language: str, changed: t.Mapping[str, t.Any], added: t.Mapping[str, str], is_alone: bool = False
) -> Texts:
    """The texts of one language.

    :arg changed: the role's variable ``user_guide_texts``: texts by language and key.
    :arg added: texts of the site's own sections, by key.
    :arg is_alone: whether the page is for a machine without Slurm.
    :raises UserError: the variable has an unknown language or key, or a text that is no text.
    """
    ours = built_in(language, is_alone)
    for name, mine in changed.items():
        if name not in LANGUAGES or not isinstance(mine, t.Mapping):
            raise UserError(
                "user_guide_texts to have texts by key, by the language %s" % " or ".join(LANGUAGES),
                "%s: %s" % (shown(name), shown(mine)),
                "write user_guide_texts: {en: {KEY: TEXT}, zh: {KEY: TEXT}}",
            )
    mine = changed.get(language, {})
    for key, text in mine.items():
        if key not in ours:
            raise UserError(
                "a key of user_guide_texts to be that of a text of the guide",
                shown(key),
                "choose one of %s" % ", ".join(sorted(ours)),
            )
        if not isinstance(text, str) or not names_in(text) <= names_in(ours[key]):
            raise UserError(
                "the text %s to be text with no other values than %s"
                % (key, ", ".join("{%s}" % name for name in sorted(names_in(ours[key]))) or "none"),
                shown(text),
                "correct user_guide_texts.%s.%s" % (language, key),
            )
    return Texts(language, {**ours, **mine, **added})


@functools.lru_cache(maxsize=None)
def built_in(language: str, is_alone: bool = False) -> t.Mapping[str, str]:
    """The texts that come with the collection. The English meaning of a reason code is its detector's docstring.

    :arg is_alone: whether those of a machine without Slurm replace those of a cluster.
    """
    found: dict[str, str] = {}
    alone = [FOLDER / "machine" / (language + ".yml")] if is_alone else []
    for path in sorted((FOLDER / language).glob("*.yml")) + alone:
        found.update(yaml.safe_load(path.read_text(encoding="utf-8")))
    if language == "en":
        for detect in (detect for stage in STAGES for detect in stage.detectors):
            found["cause_" + detect.__name__] = " ".join(inspect.cleandoc(detect.__doc__ or "").split())
    return found
