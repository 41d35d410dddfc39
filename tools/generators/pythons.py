# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write the supported Pythons of tools/pythons.env into the code and the texts that name them."""

from __future__ import annotations

import pathlib
import re
import typing as t

TRUTH = pathlib.Path(__file__).resolve().parents[1] / "pythons.env"

_VERSION = r"3\.\d+"


class Phrase(t.NamedTuple):
    """A wording that holds Python versions; ``{0}`` stands for the oldest one, ``{1}`` for the newest."""

    part: str
    text: str

    def pattern(self) -> str:
        """A regular expression for the wording with any versions: ``Python 3.8 to 3.13``."""
        return re.escape(self.text).replace(r"\{0\}", _VERSION).replace(r"\{1\}", _VERSION)

    def written(self, truth: t.Mapping[str, str]) -> str:
        """The wording with the versions of *truth*."""
        return self.text.format(truth[self.part + "_OLDEST"], truth[self.part + "_NEWEST"])


_MODULES = Phrase("MODULES", "Python {0} to {1}")
_ENGINE = Phrase("ENGINE", "python{1} to python{0}")
_ENGINE_MARKED = Phrase("ENGINE", "C(python{1}) to C(python{0})")

# Each file that names a range of Pythons, with the wording that it holds at least once.
PLACES: tuple[tuple[str, Phrase], ...] = (
    ("README.md", Phrase("PYTHON", "`make` and Python {0} to {1}")),
    ("README.md", Phrase("MODULES", "Modules run on Python {0} to {1}")),
    ("README.md", Phrase("ENGINE", "the engine's venv needs Python {0}")),
    ("CONTRIBUTING.md", _MODULES),
    ("roles/conda/README.md", _MODULES),
    ("roles/conda/README.md", _ENGINE),
    ("roles/conda/meta/argument_specs.yml", _ENGINE),
    ("plugins/modules/conda_engine_python_info.py", _ENGINE_MARKED),
)

ENGINE_CODE = "plugins/module_utils/_conda/engines/python.py"


def read_truth() -> dict[str, str]:
    """The settings of tools/pythons.env: ``{"MODULES_OLDEST": "3.8", ...}``."""
    return dict(re.findall(r"^(\w+)=(\S+)$", TRUTH.read_text(encoding="utf-8"), re.MULTILINE))


def versions(truth: t.Mapping[str, str], part: str) -> list[str]:
    """Every version of a part, the oldest first: ``["3.8", "3.9", ...]``."""
    oldest, newest = (int(truth[part + end].partition(".")[2]) for end in ("_OLDEST", "_NEWEST"))
    return ["3.%d" % minor for minor in range(oldest, newest + 1)]


def outputs(current: t.Callable[[str], str], block: t.Callable[[str, str, str], str]) -> dict[str, str]:
    """The new text of each file that names supported Pythons.

    :raises ValueError: a file no longer holds its wording; PLACES must follow.
    """
    truth = read_truth()
    written: dict[str, str] = {}

    def replace(path: str, pattern: str, text: str) -> None:
        before = written.get(path, current(path))
        written[path], count = re.subn(pattern, lambda _match: text, before, flags=re.MULTILINE)
        if not count:
            raise ValueError("expected %s in %s" % (text, path))

    for path, phrase in PLACES:
        replace(path, phrase.pattern(), phrase.written(truth))
    names = ", ".join('"%s"' % version for version in reversed(versions(truth, "ENGINE")))
    replace(ENGINE_CODE, r'(?<=^_VERSIONS = )\(("3\.\d+", )*"3\.\d+"\)$', "(%s)" % names)
    oldest = truth["ENGINE_OLDEST"].replace(".", ", ")
    replace(ENGINE_CODE, r"(?<=^OLDEST_PYTHON = )\(3, \d+\)$", "(%s)" % oldest)
    return written
