"""The table of spellings.yml as values."""

from __future__ import annotations

import pathlib
import re
import typing as t

import yaml

FILE = pathlib.Path(__file__).with_name("spellings.yml")
_SLICE = re.compile(r"slice|(?:(\d)g)?\.?(?:(\d+)gb)?")


class Spelling(t.NamedTuple):
    """A name and what it means; ``slice`` has the compute parts and the GB that the name states."""

    name: str
    model: str | None = None
    capability: str | None = None
    memory: int | None = None
    slice: tuple[int | None, int | None] | None = None
    kind: str = "model"


def read(name: str, means: str) -> Spelling:
    """``read("a100_1g.5gb", "a100 8.0 1g.5gb")``."""
    words = means.split()
    if words[0] in ("unknown", "several", "amd"):
        return Spelling(name, kind=words[0])
    model = capability = memory = part = None
    if len(words) > 1 and re.fullmatch(r"\d+\.\d", words[1]):
        model, capability, words = words[0], words[1], words[2:]
    if model and words and re.fullmatch(r"\d+gb", words[0]) and not is_less(model, words[0]):
        memory, words = int(words[0][:-2]), words[1:]
    if words:
        match = _SLICE.fullmatch(words[0])
        assert match and len(words) == 1, (name, means)
        part = t.cast("tuple[int | None, int | None]", tuple(int(group) if group else None for group in match.groups()))
    return Spelling(name, model, capability, memory, part, "model" if model else "slice")


def is_less(model: str, size: str) -> bool:
    """Whether this is the memory of a slice: no board of the model has so little."""
    return int(size[:-2]) < {"a30": 24, "a100": 40, "h100": 64}.get(model, 0)


SPELLINGS = [
    read(str(name), means)
    for group in yaml.safe_load(FILE.read_text(encoding="utf-8"))
    for name, means in group["names"].items()
]
