# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The parameters of sbatch_script as typed options, each one checked by itself. No I/O. Private to hpc.pytorch."""

from __future__ import annotations

import re
import typing as t

from ..._common.errors import UserError, printable, shown
from ..._common.spelling import distance
from ..sbatch import options as sbatch_options
from ..sbatch.script_text import Directives
from . import environment_modules, job_variables, variables
from .shell import is_path

# The options with shell code.
_BLOCKS = ("pre", "once_per_node", "command", "post", "always")
# Options for a program: name and value, True for a flag.
Flags = t.Tuple[t.Tuple[str, t.Union[str, bool]], ...]


class Container(t.NamedTuple):
    """The option ``container``."""

    image: str
    engine: str
    mounts: tuple[str, ...]
    workdir: str | None
    gpu: str | None
    options: tuple[str, ...]


class Options(t.NamedTuple):
    """The module's options. None where a default depends on other options.

    :arg directives: the options of sbatch, and ``directives``.
    :arg warnings: about options of sbatch that the user probably did not mean.
    """

    dest: str
    kind: str
    style: str
    launcher: str | None
    launcher_options: Flags
    srun: bool | None
    srun_options: Flags
    nproc_per_node: int | None
    rendezvous: str | None
    rendezvous_port: int | None
    checkpoint_seconds: int | None
    command: str
    pre: str
    post: str
    always: str
    once_per_node: str
    login_shell: bool
    conda_prefix: str | None
    conda_env: str | None
    activation: str | None
    venv: str | None
    uv_project: str | None
    container: Container | None
    modules: tuple[str, ...]
    modules_use: tuple[str, ...]
    modules_purge: bool
    slurm_version: str | None
    check_cluster: str
    exports: tuple[tuple[str, str], ...]
    make_folder: bool
    directives: Directives
    warnings: tuple[str, ...]

    @property
    def blocks(self) -> dict[str, str]:
        """The shell code of the options, by option, without empty ones."""
        blocks = {name: getattr(self, name) for name in _BLOCKS}
        return {name: text for name, text in blocks.items() if text}


def options_of(params: t.Mapping[str, t.Any]) -> Options:
    """Read and check the module's parameters, each by itself; a missing one has its default.

    :raises UserError: a value that its option does not take.
    """
    directives = sbatch_options.collect(params)
    job_variables.refuse_in_directives(directives)
    job_variables.require_of_the_job(params)
    blocks = {name: shell_lines(name, params.get(name)) for name in _BLOCKS}
    command = blocks["command"]
    if not command:
        raise UserError("command to be one or more lines of shell", "nothing", "give the commands that the job runs")
    return Options(
        dest=params.get("dest") or "",
        kind=params.get("kind") or "single",
        style=params.get("style") or "current",
        launcher=params.get("launcher"),
        launcher_options=tuple(_flags("launcher_options", params.get("launcher_options"))),
        srun=params.get("srun"),
        srun_options=tuple(_flags("srun_options", params.get("srun_options"))),
        nproc_per_node=params.get("nproc_per_node"),
        rendezvous=params.get("rendezvous"),
        rendezvous_port=params.get("rendezvous_port"),
        checkpoint_seconds=params.get("checkpoint_seconds"),
        login_shell=bool(params.get("login_shell")),
        **blocks,
        conda_prefix=params.get("conda_prefix"),
        conda_env=params.get("conda_env"),
        activation=params.get("activation"),
        venv=params.get("venv"),
        uv_project=params.get("uv_project"),
        container=_container(params.get("container")),
        modules=tuple(environment_modules.entries(params.get("modules"))),
        modules_use=tuple(environment_modules.folders(params.get("modules_use"))),
        modules_purge=bool(params.get("modules_purge")),
        slurm_version=params.get("slurm_version"),
        check_cluster=params.get("check_cluster") or "auto",
        exports=tuple(variables.read(params.get("exports"))),
        make_folder=bool(params.get("make_folder")),
        directives=directives,
        warnings=tuple(sbatch_options.warnings(params)),
    )


def _container(given: t.Mapping[str, t.Any] | None) -> Container | None:
    if not given:
        return None
    image, workdir = given["image"], given.get("workdir")
    if not printable(image) or image.startswith("-") or image[0].isspace():
        raise UserError("container.image to be a path or a name", shown(image), "correct container.image")
    if workdir is not None and not (is_path(workdir) and not workdir.startswith("~") and printable(workdir)):
        raise UserError(
            "container.workdir to be an absolute path inside the image", shown(workdir), "give for example /work"
        )
    for word in given.get("options") or []:
        if not printable(word):
            raise UserError("container.options to be printable words", shown(word), "correct container.options")
    return Container(
        image,
        given["engine"],
        tuple(given.get("mounts") or ()),
        workdir,
        _gpu(given["engine"], given.get("gpu")),
        tuple(given.get("options") or ()),
    )


def _gpu(engine: str, given: t.Any) -> str | None:
    """Read ``container.gpu``: ``nvidia``, ``amd``, an empty string for none, or None."""
    if given is None:
        return None
    kind = {"true": "nvidia", "yes": "nvidia", "false": "", "no": "", "nvidia": "nvidia", "amd": "amd"}
    found = kind.get(str(given).lower())
    if found is None:
        raise UserError("container.gpu to be true, false, nvidia or amd", shown(given), "give for example gpu: amd")
    if found == "amd" and engine in ("enroot", "pyxis"):
        raise UserError(
            "container.gpu to be nvidia for %s, whose hooks bring NVIDIA's driver" % engine,
            shown(given),
            "choose engine: apptainer, or give gpu: false and what your site needs in container.options",
        )
    return found


def _flags(option: str, given: t.Any) -> t.Iterator[tuple[str, str | bool]]:
    for name, value in sbatch_options.pairs(option, given):
        bare = name[2:] if name.startswith("--") else name
        if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_.-]+", bare):
            raise UserError(
                "%s to have the long names of options" % option, shown(name), "give %s: {NAME: value}" % option
            )
        if value is None or value is True:
            yield bare, True
        elif isinstance(value, (str, int, float)) and value is not False and printable(str(value)):
            yield bare, str(value)
        else:
            raise UserError(
                "%s in %s to be one line of printable text, or true for a flag" % (bare, option),
                shown(value),
                "correct the value, or leave the option out",
            )


def shell_lines(option: str, given: t.Any) -> str:
    """Read an option that holds lines of shell: ``["a", "b"]`` and ``"a\\nb\\n"`` are ``"a\\nb"``.

    :raises UserError: the value is not text, or sbatch would read a part of it as a directive.
    """
    if given is None or given == []:
        return ""
    lines: list[str] = []
    for item in given if isinstance(given, list) else [given]:
        if not isinstance(item, str):
            raise UserError("%s to be text, or a list of lines" % option, shown(item), "put the line in quotes")
        for line in item.rstrip("\n").split("\n"):
            _require_plain_line(option, line)
            lines.append(line)
    if lines and (len(lines[-1]) - len(lines[-1].rstrip("\\"))) % 2:
        raise UserError(
            "%s to end with a complete line" % option, shown(lines[-1]), "remove the backslash at the end of the line"
        )
    return "\n".join(lines).strip("\n")


def _require_plain_line(option: str, line: str) -> None:
    if "\r" in line:
        raise UserError(
            "%s to have Unix line ends" % option, "a carriage return in %s" % shown(line), "save it without \\r"
        )
    if any(not char.isprintable() and char != "\t" and not char.isspace() for char in line):
        raise UserError("%s to be printable text" % option, shown(line), "remove the control characters")
    word = re.match(r"\s*#\s*([A-Za-z]+)(.*)", line)
    if not word:
        return
    # Slurm reads #PBS and #BSUB long after the first command, so they would be directives anywhere in a script.
    exact = re.match(r"#(SBATCH|SLURM|PBS|BSUB)", line)
    misspelt = word[1].isupper() and distance(word[1], "SBATCH") <= 2 and re.match(r"\s+[-\u2010-\u2015]", word[2])
    if exact or misspelt:
        raise UserError(
            "%s to be shell code without directives" % option,
            shown(line.strip()),
            "give the directive as an option of its own, or in directives",
        )
