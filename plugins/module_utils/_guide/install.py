# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a line of conda, mamba or pip asks for. No I/O. Private to hpc.pytorch."""

from __future__ import annotations

import re
import typing as t

from .._common.versions import is_version
from .commands import Command, Word

CONDA, PIP = "conda", "pip"
TORCH = {CONDA: ("pytorch", "pytorch-gpu"), PIP: ("torch",)}
PARTNERS = ("torchvision", "torchaudio")
_CONDA_VALUES: tuple[str, ...] = (
    "-n",
    "--name",
    "-p",
    "--prefix",
    "-f",
    "--file",
    "--solver",
    "-r",
    "--root-prefix",
    "--repodata-fn",
    "--clone",
    "--platform",
    "--subdir",
)
_PIP_VALUES: tuple[str, ...] = (
    "-r",
    "--requirement",
    "-t",
    "--target",
    "--prefix",
    "--root",
    "--cache-dir",
    "-c",
    "--constraint",
    "-e",
    "--editable",
)
_PIP_VALUES += (
    "--python",
    "-p",
    "--platform",
    "--python-version",
    "--no-binary",
    "--only-binary",
    "--timeout",
    "--proxy",
    "--trusted-host",
    "--log",
)
_INDEX = {
    "-i": "index",
    "--index-url": "index",
    "--index": "extra",
    "--default-index": "index",
    "--extra-index-url": "extra",
    "-f": "links",
    "--find-links": "links",
}
_ASSIGNED = re.compile(r"[A-Za-z_]\w*=")
_CONDA_SPEC = re.compile(r"(?:(?P<channel>[\w./-]+)::)?(?P<name>[A-Za-z][\w.-]*)\s*(?P<rest>[=<>!~ ].*)?\Z")
_PIP_SPEC = re.compile(r"(?P<name>[A-Za-z][\w.-]*)(?:\[[\w,]*\])?\s*(?P<rest>[=<>!~].*)?\Z")
# A page's place for what its reader fills in: <version>, $VERSION, {{ version }}, x.y, ...
_PLACEHOLDER = re.compile(
    r"<[A-Za-z_][^>]*>|\$|\{\{|\{[A-Z_a-z]|%\(|\.\.\.|…|=+v?[xXyYzZnN](?:\.|\Z)|\.[xXyYzZ]\b|cu[xX]|\bXX+"
    r"|\[[A-Za-z_ -]+\]\Z|VERSION|版本"
)


class Spec(t.NamedTuple):
    """A package that a line asks for.

    :arg pin: the version that it is held to, at least its beginning; empty if there is none.
    :arg exact: the pin is the whole version, so that no later patch release fits.
    :arg least: the lower bound, empty if there is none.
    :arg local: the tag after the plus sign, such as cu118.
    :arg free: there is no condition on the version.
    """

    name: str
    pin: str
    exact: bool
    least: str
    local: str
    free: bool
    channel: str
    word: Word


class Install(t.NamedTuple):
    """A line that installs.

    :arg channels: as given, the first one has priority.
    :arg indexes: option and address of each place that pip is given: index, extra or links.
    :arg creates: it makes an environment.
    """

    tool: str
    command: Command
    specs: tuple[Spec, ...]
    channels: tuple[tuple[str, tuple[Word, ...]], ...]
    indexes: tuple[tuple[str, str, Word], ...]
    creates: bool

    def spec(self, *names: str) -> Spec | None:
        """The first of these packages."""
        return next((each for each in self.specs if each.name in names), None)

    @property
    def torch(self) -> Spec | None:
        """torch itself."""
        return self.spec(*TORCH[self.tool])

    def channel_names(self) -> list[str]:
        """The names of the channels, also of those that a line gives by the address of anaconda.org or of a mirror."""
        return [channel_name(text) for text, _words in self.channels]


def channel_name(text: str) -> str:
    """The name of a channel: ``https://mirrors.example.org/anaconda/cloud/pytorch/`` is ``pytorch``."""
    return re.sub(r"^https?://(?:conda\.anaconda\.org|[^/]+/(?:[^/]+/)*cloud)/|/\Z", "", text)


def parse(command: Command) -> Install | None:
    """What the command installs; None for another command, or if its reader is to fill in something that counts."""
    words = list(command.words)
    while words and (_ASSIGNED.match(words[0].raw) or words[0].text in ("sudo", "time", "nohup", "exec", "$", "-E")):
        words.pop(0)
    if words and words[0].text in ("srun", "salloc"):
        starts = [
            at
            for at, word in enumerate(words)
            if re.match(r"(?:conda|mamba|micromamba|uv|pip|python)[\d.]*\Z", word.text)
        ]
        words = words[starts[0] :] if starts else []
    texts = [word.text for word in words]
    if not texts:
        return None
    program = texts[0].rsplit("/", 1)[-1]
    if program in ("conda", "mamba", "micromamba"):
        verbs = [text for text in texts[1:3] if not text.startswith("-")]
        if not verbs or verbs[0] not in ("install", "create", "update", "upgrade", "env"):
            return None
        if verbs[0] == "env":
            return None
        return _read(CONDA, command, words[texts.index(verbs[0]) + 1 :], verbs[0] == "create")
    for start in (["uv", "pip", "install"], ["uv", "add"], ["pip", "install"], ["-m", "pip", "install"]):
        plain = [re.sub(r"\Apip[\d.]+\Z", "pip", program), *texts[1:]]
        for at in range(3):
            if plain[at : at + len(start)] == start and (at == 0 or program.startswith("python")):
                return _read(PIP, command, words[at + len(start) :], False)
    return None


def _read(tool: str, command: Command, words: t.Sequence[Word], creates: bool) -> Install | None:
    specs: list[Spec] = []
    channels: list[tuple[str, tuple[Word, ...]]] = []
    indexes: list[tuple[str, str, Word]] = []
    rest = list(words)
    while rest:
        word = rest.pop(0)
        option, equals, value = word.text.partition("=")
        if word.text.startswith("-"):
            if tool == CONDA and word.text.startswith("-c") and len(word.text) > 2 and not word.text.startswith("--"):
                channels.append((word.text[2:].lstrip("="), (word,)))
            elif tool == CONDA and option in ("-c", "--channel"):
                if equals:
                    channels.append((value, (word,)))
                elif rest:
                    follows = rest.pop(0)
                    channels.append((follows.text, (word, follows)))
            elif tool == PIP and option in _INDEX:
                if equals or rest:
                    at = word if equals else rest.pop(0)
                    indexes.append((_INDEX[option], value if equals else at.text, at))
            elif not equals and option in (_CONDA_VALUES if tool == CONDA else _PIP_VALUES) and rest:
                rest.pop(0)
            continue
        if word.raw[0] in "<>" or re.match(r"\d?>", word.raw):
            # A redirection; the next word is its file.
            continue
        if _PLACEHOLDER.search(word.text):
            return None
        spec = _spec(tool, word)
        if spec is None and re.match(r"(py)?torch", word.text):
            return None
        if spec:
            specs.append(spec)
    if any(_PLACEHOLDER.search(text) for text, _words in channels) or any(
        _PLACEHOLDER.search(each[1]) for each in indexes
    ):
        return None
    return Install(tool, command, tuple(specs), tuple(channels), tuple(indexes), creates)


def _spec(tool: str, word: Word) -> Spec | None:
    match = (_CONDA_SPEC if tool == CONDA else _PIP_SPEC).match(word.text)
    if not match:
        return None
    rest = (match["rest"] or "").strip()
    name = match["name"].lower() if tool == CONDA else re.sub(r"[-_.]+", "-", match["name"].lower())
    pin, exact, least, local = "", False, "", ""
    pinned = re.match(r"(===|==|=|~=)\s*v?([\d.]+?)(\.?\*)?(?:\+([\w.]+))?(=[^=].*)?\Z", rest)
    if pinned and is_version(pinned[2]):
        pin, local = pinned[2], pinned[4] or ""
        exact = pinned[1] in ("==", "===") and not pinned[3]
        if pinned[1] == "~=":
            pin = pin.rsplit(".", 1)[0]
    bound = re.match(r">=?\s*(\d[\d.]*)", rest)
    if bound and is_version(bound[1]) and "," not in rest:
        least = bound[1]
    channel = "" if tool == PIP else match["channel"] or ""
    return Spec(name, pin, exact, least, local, not rest, channel, word)
