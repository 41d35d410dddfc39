# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The part of the probe that tells the environment's own packages from others. Private to hpc.pytorch. Rules: talk.py.

Others come from the user site, PYTHONPATH, a .pth file, sitecustomize or PYTHONHOME.
"""

import os
import site
import sys

USER_SITE, PYTHONPATH = "user site", "PYTHONPATH"
MOST = 50
LONGEST_PTH = 1 << 16


def own_folders():
    """Return the folders that belong to this interpreter: its prefixes, and that of the standard library."""
    prefixes = [sys.prefix, sys.exec_prefix, sys.base_prefix, sys.base_exec_prefix, os.path.dirname(os.__file__)]
    return sorted({os.path.realpath(folder) for folder in prefixes})


def package_folders():
    """Return the folders of this interpreter's own modules, those of the standard library among them."""
    library = os.path.dirname(os.__file__)
    folders = [library, os.path.join(library, "lib-dynload")] + getattr(site, "getsitepackages", list)()
    return sorted({os.path.realpath(folder) for folder in folders})


def is_below(path, folders):
    """Return whether *path* is one of *folders* or lies below one."""
    return any(path == folder or path.startswith(folder.rstrip(os.sep) + os.sep) for folder in folders)


def outside_folders():
    """Return the folders of sys.path that are not this interpreter's own."""
    user_site = getattr(site, "USER_SITE", None)
    given = os.environ.get("PYTHONPATH", "").split(os.pathsep) + ([user_site] if user_site else [])
    given = [os.path.realpath(folder) for folder in given if folder]
    own, packages = own_folders(), package_folders()
    found = []
    for folder in sys.path:
        real = os.path.realpath(folder)
        # A prefix such as /usr may hold folders that are not its own.
        if real not in packages and (not is_below(real, own) or is_below(real, given)):
            found.append(folder)
    return found


def keep_own_folders():
    """Leave only this interpreter's own folders in sys.path."""
    outside = set(outside_folders())
    sys.path[:] = [folder for folder in sys.path if folder not in outside]


def added_folders(user_site, python_path):
    """Return each folder of others that has been put into sys.path, and by what.

    :arg user_site: the folder of the user's own packages, or None.
    :arg python_path: the folders in PYTHONPATH.
    """
    paths = {os.path.realpath(folder) for folder in python_path}
    return [
        {
            "folder": folder,
            "by": USER_SITE
            if user_site and os.path.realpath(folder) == os.path.realpath(user_site)
            else PYTHONPATH
            if os.path.realpath(folder) in paths
            else who_added(folder, user_site),
        }
        for folder in outside_folders()
        if os.path.exists(folder)
    ][:MOST]


def who_added(folder, user_site):
    """Return the file that put *folder* into sys.path; empty if none is found."""
    for place in [user_site] + package_folders():
        for name in sorted(os.listdir(place)) if place and os.path.isdir(place) else []:
            path = os.path.join(place, name)
            if not name.endswith(".pth") or not os.path.isfile(path) or os.path.getsize(path) > LONGEST_PTH:
                continue
            with open(path, "rb") as stream:
                text = stream.read(LONGEST_PTH).decode("utf-8", "replace")
            lines = [os.path.join(place, line.strip()) for line in text.split("\n") if line.strip()]
            if folder in [os.path.normpath(line) for line in lines] or repr(folder)[1:-1] in text:
                return USER_SITE if place == user_site else path
    for name in ("usercustomize", "sitecustomize"):
        path = getattr(sys.modules.get(name), "__file__", None)
        if path:
            return USER_SITE if name == "usercustomize" else path
    return ""


def check_modules(channel):
    """Report the packages next to torch that were imported from the folders of others, if there are any."""
    folders = outside_folders()
    if not folders:
        return
    found = []
    for name, module in sorted(sys.modules.items()):
        path = place_of(module) if "." not in name and name != "torch" else None
        folder = next((folder for folder in folders if path and is_below(path, [folder])), None)
        if folder is not None:
            found.append({"name": name, "path": path, "instead": own_module(name)})
    if found:
        channel.send(kind="outside", modules=found[:MOST])


def place_of(module):
    """Return the file of a module, or the folder of a package without one."""
    path = getattr(module, "__file__", None)
    if isinstance(path, str):
        return path
    try:
        return str(list(module.__path__)[0])
    except Exception:
        return None


def own_module(name):
    """Return the interpreter's own module of this name, or None."""
    for folder in package_folders():
        for ending in (os.path.join(name, "__init__.py"), name + ".py"):
            if os.path.isfile(os.path.join(folder, ending)):
                return os.path.join(folder, ending)
    return None


def files_from_outside(error):
    """Return the files of others that raised *error* or that it names, the nearest to the error last."""
    folders = outside_folders()
    found = []
    seen = set()
    while folders and error is not None and id(error) not in seen:
        seen.add(id(error))
        trace = error.__traceback__
        files = []
        while trace is not None:
            files.append(trace.tb_frame.f_code.co_filename)
            trace = trace.tb_next
        files += [getattr(error, "filename", None), getattr(error, "path", None)]
        found += [path for path in files if isinstance(path, str) and is_below(path, folders)]
        error = error.__cause__ or error.__context__
    return found[-MOST:]
