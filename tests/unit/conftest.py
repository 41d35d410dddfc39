"""The checkout is the collection: make ``ansible_collections.hpc.pytorch`` importable as Ansible does."""

from __future__ import annotations

import pathlib

from ansible.utils.collection_loader._collection_finder import _AnsibleCollectionFinder

CHECKOUT = pathlib.Path(__file__).resolve().parents[2]

_AnsibleCollectionFinder(paths=[str(CHECKOUT / ".collections")])._install()
