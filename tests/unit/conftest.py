"""The checkout is the collection: make ``ansible_collections.hpc.pytorch`` importable as Ansible does."""

from __future__ import annotations

import pathlib

import pytest
from ansible.module_utils import _internal
from ansible.module_utils.common import warnings
from ansible.utils.collection_loader._collection_finder import _AnsibleCollectionFinder

CHECKOUT = pathlib.Path(__file__).resolve().parents[2]

_AnsibleCollectionFinder(paths=[str(CHECKOUT / ".collections")])._install()


@pytest.fixture(autouse=True)
def as_on_the_target(monkeypatch):
    """A module's warnings are in its result, whichever test has imported the controller's code or warned before."""
    monkeypatch.setattr(_internal, "is_controller", False)
    monkeypatch.setattr(warnings, "_global_warnings", {})
