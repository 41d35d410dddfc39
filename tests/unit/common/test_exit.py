"""How a module ends."""

from __future__ import annotations

import typing as t

from ansible_collections.hpc.pytorch.plugins.module_utils._common.exit import answer


class Module:
    """As much of AnsibleModule as an exit needs."""

    params: t.ClassVar[dict[str, str]] = {}

    def __init__(self) -> None:
        self.warned: list[str] = []
        self.result: dict[str, t.Any] = {}

    def warn(self, warning: str) -> None:
        self.warned.append(warning)

    def exit_json(self, **result: t.Any) -> None:
        self.result = result


def test_warnings_are_no_part_of_the_result():
    """exit_json says of each that a later Ansible will not take it."""
    module = Module()
    answer(module, lambda: {"changed": True, "warnings": ["first", "second"]})
    assert module.warned == ["first", "second"] and module.result == {"changed": True}
