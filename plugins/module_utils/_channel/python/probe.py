# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Prints the version and paths of the interpreter that runs it, as JSON. Private to hpc.pytorch.

It is passed as source text (``python -I -c``), so it uses only the standard library of Python 3.8.
"""

from __future__ import annotations

import json
import os
import platform
import sys
import sysconfig
import typing as t


def facts() -> dict[str, t.Any]:
    """Paths, version and marker environment (PEP 508) of the running interpreter."""
    variables = sysconfig.get_config_vars()
    release = "{0.major}.{0.minor}.{0.micro}".format(sys.version_info)
    if sys.version_info.releaselevel != "final":
        release += sys.version_info.releaselevel[0] + str(sys.version_info.serial)
    major_minor = "%d.%d" % sys.version_info[:2]
    executable = os.path.realpath(getattr(sys, "_base_executable", None) or sys.executable)
    prefix = sys.base_prefix
    if sys.prefix != sys.base_prefix:
        # In a venv, the interpreter that the venv was made from is packed.
        candidate = os.path.join(prefix, "bin", "python" + major_minor)
        executable = os.path.realpath(candidate) if os.path.exists(candidate) else executable
    stdlib = os.path.dirname(os.path.realpath(os.__file__))
    return {
        "implementation": sys.implementation.name,
        "version": release,
        "major_minor": major_minor,
        "executable": executable,
        "prefix": prefix,
        "exec_prefix": sys.base_exec_prefix,
        "platlibdir": getattr(sys, "platlibdir", "lib"),
        "abiflags": getattr(sys, "abiflags", ""),
        "cache_tag": sys.implementation.cache_tag,
        "free_threaded": bool(variables.get("Py_GIL_DISABLED")),
        "stdlib": stdlib,
        "dynload": variables.get("DESTSHARED") or os.path.join(stdlib, "lib-dynload"),
        "include": variables.get("INCLUDEPY") or "",
        "multiarch": variables.get("MULTIARCH") or "",
        "libdir": variables.get("LIBDIR") or "",
        "wheel_dir": variables.get("WHEEL_PKG_DIR") or "",
        "machine": platform.machine(),
        "system": platform.system(),
        "markers": {
            "implementation_name": sys.implementation.name,
            "implementation_version": release,
            "os_name": os.name,
            "platform_machine": platform.machine(),
            "platform_python_implementation": platform.python_implementation(),
            # Empty instead of the running kernel's: the same inputs must give the same package on every machine.
            "platform_release": "",
            "platform_version": "",
            "platform_system": platform.system(),
            "python_full_version": release,
            "python_version": major_minor,
            "sys_platform": sys.platform,
        },
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(facts()))
