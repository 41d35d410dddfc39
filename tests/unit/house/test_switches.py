"""On the command line a switch is a text: ``-e torch_check_fail=false``. A text that is not empty is true."""

from __future__ import annotations

import pathlib
import re
import typing as t

import pytest
import yaml

CHECKOUT = pathlib.Path(__file__).resolve().parents[3]
FILES = sorted(
    path
    for folder in ("roles", "playbooks")
    for path in (CHECKOUT / folder).rglob("*")
    if path.suffix in (".yml", ".j2") and path.parent.name not in ("meta", "defaults")
)


def switches() -> t.Iterator[str]:
    for path in (CHECKOUT / "roles").glob("*/meta/argument_specs.yml"):
        for entry in yaml.safe_load(path.read_text(encoding="utf-8"))["argument_specs"].values():
            yield from (name for name, option in entry.get("options", {}).items() if option.get("type") == "bool")


def wrong(text: str, names: t.Iterable[str]) -> list[str]:
    """The lines in which a switch decides something as it is; a comment and ``is defined`` decide nothing."""
    names = "|".join(sorted(set(names)))
    decides = re.compile(
        r"(?:\b(?:if|elif|not|and|or)|\bwhen:|\bthat:|^\s*-)\s+(?:%s)\b(?!(?:\s*\|\s*default\(\w+\))?\s*\|\s*bool|\s+is\b|:)"
        r"|\b(?:%s)\s+(?:and|or|else)\b" % (names, names)
    )
    return [
        line.strip()
        for line in text.splitlines()
        if not re.match(r"\s*#", line) and decides.search(re.sub(r"'[^']*'", "''", line))
    ]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(CHECKOUT)))
def test_a_switch_that_decides_is_read_as_a_boolean(path: pathlib.Path) -> None:
    assert wrong(path.read_text(encoding="utf-8"), switches()) == []


@pytest.mark.parametrize(
    "line",
    [
        "  when: a and ours",
        "  when: ours",
        "    - ours",
        "  that: x not in y or not ours",
        '"{{ 1 if ours else 2 }}"',
        "{{ ours and x }}",
    ],
)
def test_what_the_check_finds(line: str) -> None:
    assert wrong(line, ["ours"])
    assert not wrong(line.replace("ours", "ours | bool"), ["ours"])


@pytest.mark.parametrize("line", ["  ours: true", '  ours: "{{ ours }}"', "  when: ours is defined", "# if ours"])
def test_what_decides_nothing(line: str) -> None:
    assert not wrong(line, ["ours"])
