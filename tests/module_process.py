# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run one module of the checkout as a process, without ansible around it: ``module_process.py NAME OPTIONS-AS-JSON``.

It prints the module's result, as the module itself does. The environment may hold a fault:
HPC_TEST_SILENCE shortens the time that a server may be silent;
HPC_TEST_KILL_AT (such as ``apply.lifecycle:write_record``, below ``_conda``) kills the process group instead of calling
that function;
HPC_TEST_FILE_SIZE is the most that a file may grow to, as if the disk were full.
"""

from __future__ import annotations

import importlib
import json
import os
import pathlib
import resource
import signal
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / ".collections"))

COLLECTION = "ansible_collections.hpc.pytorch.plugins"


def main(name: str, options: str) -> None:
    """Never returns: the module exits."""
    from ansible.module_utils import basic

    basic._ANSIBLE_ARGS = json.dumps({"ANSIBLE_MODULE_ARGS": json.loads(options)}).encode()
    basic._ANSIBLE_PROFILE = "legacy"
    if os.environ.get("HPC_TEST_SILENCE"):
        engine = importlib.import_module(COLLECTION + ".module_utils._conda.engines.rattler.engine")
        engine.SILENCE_SECONDS = engine.FIRST_ANSWER_SECONDS = int(os.environ["HPC_TEST_SILENCE"])
    if os.environ.get("HPC_TEST_KILL_AT"):
        module, _colon, place = os.environ["HPC_TEST_KILL_AT"].partition(":")
        *holders, function = place.split(".")
        holder = importlib.import_module("%s.module_utils._conda.%s" % (COLLECTION, module))
        for attribute in holders:
            holder = getattr(holder, attribute)
        getattr(holder, function)
        setattr(holder, function, lambda *args, **more: os.killpg(0, signal.SIGKILL))
    if os.environ.get("HPC_TEST_FILE_SIZE"):
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(os.environ["HPC_TEST_FILE_SIZE"]),) * 2)
    importlib.import_module("%s.modules.%s" % (COLLECTION, name)).main()


if __name__ == "__main__":
    main(*sys.argv[1:])
