# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names that survive Open OnDemand's JavaScript, and texts that survive ERB, YAML and Ruby. No I/O.

Private to hpc.pytorch.

dynamic_forms.js of Open OnDemand takes the name of an option out of an attribute such as ``data-option-for-CHOICE``. A
browser turns that into ``optionForChoice``, and the script compares it with the option's value in a case of its own
(mountainCaseWords, snakeCaseWords): ``gpu_long``, ``GPU-2``, ``a100.q`` and ``gpu4x`` do not come back as they were.
Lower-case letters, with digits at the end alone, do.
"""

from __future__ import annotations

import hashlib
import json
import re
import typing as t

_PLAIN = re.compile(r"[a-z]+[0-9]*")
_LETTERS = "abcdefghijklmnopqrstuvwxyz"


def value_of(words: t.Sequence[str]) -> str:
    """The value of an option: ``["titan"]`` gives ``titan``, and ``["gpu_long", "a100"]`` ``gpulongaXXXXXX``.

    It is the same on every run, and another one for other words.
    """
    if len(words) == 1 and _PLAIN.fullmatch(words[0]):
        return words[0]
    readable = "".join(re.findall("[a-z]", "".join(words).lower()))
    number = int.from_bytes(hashlib.sha256(json.dumps(list(words)).encode()).digest()[:8], "big")
    mark = ""
    while len(mark) < 6:
        number, letter = divmod(number, len(_LETTERS))
        mark += _LETTERS[letter]
    return readable + mark


def quoted(text: str) -> str:
    """A text in double quotes that YAML and Ruby read alike, and in which ERB sees no tag.

    JSON's escapes are known to both, but for letters above U+FFFF, which stay as they are. ``<`` and ``%`` would begin
    a tag, ``#`` a value of Ruby's.
    """
    shown = json.dumps(text, ensure_ascii=False)
    return "".join(
        "\\u%04x" % ord(letter) if letter in "<%#" or "\x7e" < letter <= "\uffff" else letter for letter in shown
    )
