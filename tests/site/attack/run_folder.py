# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Acts through an open folder in a process of root's own, perhaps while another user swaps something.

``run_folder.py < ORDER``, a JSON object: ``acts``, each a list of a name in ACTS and a path; ``swap``, a shell script
that the user ``uid`` runs at the first call of ``os.CALL`` for the entry ``name``; ``broken``, to open without
O_NOFOLLOW.
Prints one JSON list: what each act did.
"""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys
import typing as t

from ansible.utils.collection_loader._collection_finder import _AnsibleCollectionFinder

CHECKOUT = pathlib.Path(__file__).resolve().parents[3]


def acts(door: t.Any, files: t.Any) -> dict[str, t.Callable[[str], t.Any]]:
    """What can be done at a path, by name. The last part of the path is the entry that it is done to."""

    def inside(act: t.Callable[[t.Any, str], t.Any], **options: t.Any) -> t.Callable[[str], t.Any]:
        def call(path: str) -> t.Any:
            parent, name = os.path.split(path)
            with door.open_folder(parent, "a folder at", **options) as folder:
                return act(folder, name)

        return call

    def write_file(path: str) -> None:
        with door.open_parent(path, "a file at") as (folder, name):
            folder.write(name, b"written", 0o644)

    def read_file(path: str) -> str:
        with door.open_parent(path, "a file at") as (folder, name):
            return (folder.read(name) or b"").decode()

    return {
        "write": inside(lambda folder, name: folder.write(name, b"written", 0o644)),
        "write file": write_file,
        "write atomically": lambda path: files.write_atomically(path, b"written"),
        "read file": read_file,
        "read": inside(lambda folder, name: (folder.read(name) or b"").decode()),
        "read in sticky": inside(lambda folder, name: (folder.read(name) or b"").decode(), sticky=True),
        "write in sticky": inside(lambda folder, name: folder.write(name, b"written", 0o644), sticky=True),
        "touch in sticky": inside(lambda folder, name: folder.touch(name, 0o644), sticky=True),
        "link": inside(lambda folder, name: folder.link(name, "target")),
        "touch": inside(lambda folder, name: folder.touch(name, 0o644)),
        "remove": inside(lambda folder, name: folder.remove(name)),
        "make": inside(lambda folder, name: folder.make(name, 0o755)),
        "make all": inside(lambda folder, name: folder.write(name, b"written", 0o644), make=True),
    }


def do(act: t.Callable[[str], t.Any], path: str, error_type: type) -> dict[str, t.Any]:
    try:
        return {"did": act(path)}
    except error_type as error:
        return {"refused": str(error)}
    except OSError as error:
        return {"failed": str(error)}


def swap_at(order: dict[str, t.Any]) -> None:
    """Let the other user act once, when root is between its look and its next step."""
    real = getattr(os, order["call"])

    def hooked(path: t.Any, *arguments: t.Any, **keywords: t.Any) -> t.Any:
        if path == order["name"] and getattr(os, order["call"]) is hooked:
            # What is looked up before or after, as the order says.
            if order.get("after"):
                value = real(path, *arguments, **keywords)
            setattr(os, order["call"], real)
            subprocess.run(
                ["/bin/sh", "-euc", order["swap"]], user=order["uid"], group=order["uid"], extra_groups=[], check=True
            )
            if order.get("after"):
                return value
        return real(path, *arguments, **keywords)

    setattr(os, order["call"], hooked)


def main() -> None:
    """Carry out the order on standard input."""
    _AnsibleCollectionFinder(paths=[str(CHECKOUT / ".collections")])._install()
    from ansible_collections.hpc.pytorch.plugins.module_utils._common.errors import UserError
    from ansible_collections.hpc.pytorch.plugins.module_utils._files import entries, files, folder

    order = json.load(sys.stdin)
    os.umask(order.get("umask", 0o022))
    if order.get("broken"):
        for name in ("STEP", "_READ", "_NEW"):
            setattr(entries, name, getattr(entries, name) & ~os.O_NOFOLLOW)
    if "swap" in order:
        swap_at(order)
    table = acts(folder, files)
    print(json.dumps([do(table[name], path, UserError) for name, path in order["acts"]]))


if __name__ == "__main__":
    main()
