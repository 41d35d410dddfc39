# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Packs our own code into one file, which any Python 3.8 runs without Ansible. Private to hpc.pytorch."""

from __future__ import annotations

import ast
import functools
import importlib.util
import io
import re
import typing as t
import zipfile

# ansible_collections.hpc.pytorch.plugins.module_utils
OURS = __name__.rpartition("._common.")[0]
# So that the same sources give the same bytes.
_DATE = (1980, 1, 1, 0, 0, 0)
_MODE = 0o100644 << 16
# An import of ours, alone: parsing whole modules would take most of the time.
_IMPORT = re.compile(r"^[ \t]*(from +\.[\w.]* +import +(?:\([^)]*\)|[^(\n]+))", re.MULTILINE)

# An older Python cannot read the rest; this it can. Ctrl-C ends the program without a traceback while it still loads.
_MAIN = """import signal
import sys

if sys.version_info < (3, 8):
    sys.stderr.write("%%s needs Python 3.8 or newer, and %%s is %%s\\n" %% (%r, sys.executable, sys.version.split()[0]))
    sys.exit(%d)

signal.signal(signal.SIGINT, signal.SIG_DFL)

from %s.%s import main

main(%s)
"""

# Ends where an older Python would fail, without a word: its caller asks in another way. A package has no text.
_SCRIPT = """import sys
from importlib.machinery import ModuleSpec

if sys.version_info < (3, 8):
    sys.exit(1)

TEXTS = %s


class Texts:
    def find_spec(self, name, path=None, target=None):
        return ModuleSpec(name, self, is_package=TEXTS[name] is None) if name in TEXTS else None

    def create_module(self, spec):
        return None

    def exec_module(self, module):
        exec(compile(TEXTS[module.__name__] or "", module.__name__, "exec"), module.__dict__)


sys.meta_path.insert(0, Texts())

from %s.%s import main

"""


def make_bundle(
    module: str,
    name: str = "this",
    status: int = 1,
    compressed: bool = True,
    arguments: t.Sequence[str] = (),
    also: t.Sequence[str] = (),
) -> bytes:
    """A zip that ``python FILE`` runs: function ``main`` of *module*, and our own modules that it imports.

    :arg module: below module_utils, for example ``_torch.fleet.program``.
    :arg name: what a message calls the program.
    :arg status: its exit status with a Python that is too old.
    :arg compressed: False gives the same bytes on every machine, whatever its zlib is.
    :arg arguments: what ``main`` is called with.
    :arg also: modules with an entry point of their own, for who imports them from the zip.
    """
    sources = _sources(module)
    for other in also:
        _collect(OURS + "." + other, sources)
    files = {package.replace(".", "/") + "/__init__.py": "" for package in _packages(sources)}
    files.update({name.replace(".", "/") + ".py": text for name, text in sources.items()})
    given = ", ".join(map(ascii, arguments))
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        # First, where a person who opens the file finds it.
        for path, text in [("__main__.py", _MAIN % (name, status, OURS, module, given)), *sorted(files.items())]:
            entry = zipfile.ZipInfo(path, _DATE)
            entry.external_attr = _MODE
            entry.create_system = 3
            archive.writestr(entry, text, zipfile.ZIP_DEFLATED if compressed else zipfile.ZIP_STORED)
    return stream.getvalue()


def make_script(module: str) -> str:
    """The text of a program for ``python -I -``: as :func:`make_bundle`, without a file on the machine.

    Function ``main`` of *module* gets what the program's last line gives it: append ``main(ARGUMENT)``.
    """
    sources = _sources(module)
    loaded: dict[str, str | None] = {**dict.fromkeys(_packages(sources)), **sources}
    return _SCRIPT % (ascii(loaded), OURS, module)


def _sources(module: str) -> dict[str, str]:
    """The texts of *module* and of our own modules that it imports, by their full names."""
    sources: dict[str, str] = {}
    _collect(OURS + "." + module, sources)
    return sources


def _packages(sources: t.Iterable[str]) -> list[str]:
    """The packages that hold these modules, parents first."""
    return sorted({parent for name in sources for parent in _with_parents(name.rpartition(".")[0])})


def _collect(name: str, sources: dict[str, str]) -> None:
    """Add module *name* and our own modules that it imports, also within functions."""
    if name in sources:
        return
    source, imported = _read(name)
    if source is None:
        return
    sources[name] = source
    for each in imported:
        _collect(each, sources)


@functools.lru_cache(maxsize=None)
def _read(name: str) -> tuple[str | None, list[str]]:
    """The text of module *name*, and what its imports may name. None if there is no such module.

    It is read from disk, or from Ansible's own zip, once: programs have most of their modules in common.
    """
    try:
        spec = importlib.util.find_spec(name)
    except ModuleNotFoundError:
        return None, []
    # A package, or a name that an import statement takes out of a module.
    if spec is None or spec.submodule_search_locations is not None:
        return None, []
    source = t.cast(t.Any, spec.loader).get_source(name)
    # Ansible's loader gives bytes.
    text = source if isinstance(source, str) else source.decode("utf-8")
    return text, imported_names(name, text)


def imported_names(name: str, source: str) -> list[str]:
    """The modules of ours that the imports of module *name* may mean, also those within functions."""
    imported = []
    for match in _IMPORT.finditer(source):
        statement = t.cast(ast.ImportFrom, ast.parse(match.group(1)).body[0])
        base = ".".join(name.split(".")[: -statement.level] + ([statement.module] if statement.module else []))
        imported += [base, *(base + "." + alias.name for alias in statement.names)]
    return imported


def _with_parents(package: str) -> list[str]:
    parts = package.split(".")
    return [".".join(parts[:count]) for count in range(1, len(parts) + 1)]
