"""All tests have a home and an environment of their own, before anything of the project or of Ansible is imported."""

from __future__ import annotations

import importlib.util
import pathlib


def _move_in() -> None:
    # pytest's import mode leaves no other way to a helper.
    path = pathlib.Path(__file__).with_name("own_home.py")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.move_in()


_move_in()
