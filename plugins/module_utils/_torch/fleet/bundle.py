# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Packs our own code into one file, which any Python 3.8 runs on another machine. Private to hpc.pytorch."""

from __future__ import annotations

import ast
import importlib.util
import io
import typing as t
import zipfile

# ansible_collections.hpc.pytorch.plugins.module_utils
OURS = __name__.rpartition("._torch.")[0]


# An older Python cannot read the rest; this it can.
_MAIN = """import sys

if sys.version_info < (3, 8):
    sys.exit("this needs Python 3.8 or newer, and %%s is %%s" %% (sys.executable, sys.version.split()[0]))

from %s.%s import main

main()
"""


def make_bundle(module: str) -> bytes:
    """A zip that ``python FILE`` runs: function ``main`` of *module*, and our own modules that it imports.

    :arg module: below module_utils, for example ``_torch.fleet.program``.
    """
    sources: dict[str, str] = {}
    _collect(OURS + "." + module, sources)
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("__main__.py", _MAIN % (OURS, module))
        packages = {name.rpartition(".")[0] for name in sources}
        for name in sorted({parent for package in packages for parent in _with_parents(package)}):
            archive.writestr(name.replace(".", "/") + "/__init__.py", "")
        for name in sorted(sources):
            archive.writestr(name.replace(".", "/") + ".py", sources[name])
    return stream.getvalue()


def _collect(name: str, sources: dict[str, str]) -> None:
    """Add module *name* and our own modules that it imports, also within functions.

    They are read from disk, or from Ansible's own zip.
    """
    if name in sources:
        return
    try:
        spec = importlib.util.find_spec(name)
    except ModuleNotFoundError:
        return
    # A package, or a name that an import statement takes out of a module.
    if spec is None or spec.submodule_search_locations is not None:
        return
    source = t.cast(t.Any, spec.loader).get_source(name)
    sources[name] = source
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = ".".join(name.split(".")[: -node.level] + ([node.module] if node.module else []))
            _collect(base, sources)
            for alias in node.names:
                _collect(base + "." + alias.name, sources)


def _with_parents(package: str) -> list[str]:
    parts = package.split(".")
    return [".".join(parts[:count]) for count in range(1, len(parts) + 1)]
