# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The image that a command runs in, for each engine. Private to hpc.pytorch."""

from __future__ import annotations

import re
import shlex
import typing as t

from ..._common.errors import UserError, printable, shown
from .shell import said, shell_path

ENGINES = ("apptainer", "singularity", "charliecloud", "enroot", "pyxis")
_PROGRAMS = {"apptainer": "apptainer", "singularity": "singularity", "charliecloud": "ch-run", "enroot": "enroot"}


class Container(t.NamedTuple):
    """A container as parts of a script.

    :arg check: lines that refuse to start where something is missing.
    :arg lines: lines that add to the array ``launcher`` before its words do.
    :arg words: the engine and its options, up to the command.
    :arg srun: options of srun's.
    :arg outside: what to do where there is no srun, empty for nothing.
    """

    check: list[str]
    lines: list[str]
    words: list[str]
    srun: list[str]
    outside: str


class Mount(t.NamedTuple):
    """A folder of the node and where it is inside."""

    source: str
    target: str
    read_only: bool


def container(given: t.Mapping[str, t.Any] | None, gpu: bool, exports: t.Sequence[str]) -> Container | None:
    """The parts for the module's option ``container``.

    :arg gpu: whether the job asks for GPUs.
    :arg exports: the names of the variables that the job exports.
    :raises UserError: what the engine cannot be told.
    """
    if not given:
        return None
    engine, image = given["engine"], given["image"]
    if not printable(image) or image.startswith("-"):
        raise UserError("container.image as a path or a name", shown(image), "correct it")
    workdir = given.get("workdir")
    if workdir is not None and not (workdir.startswith("/") and printable(workdir)):
        raise UserError(
            "container.workdir as an absolute path inside the image", shown(workdir), "give for example /work"
        )
    for word in given.get("options") or []:
        if not printable(word):
            raise UserError("container.options as printable words", shown(word), "correct them")
    mounts = [_mount(engine, text) for text in given.get("mounts") or []]
    gpu = gpu if given.get("gpu") is None else given["gpu"]
    parts = _RENDER[engine](image, mounts, workdir, gpu, list(given.get("options") or []), exports)
    return parts._replace(check=[*_checks(engine, image), *parts.check])


def _mount(engine: str, text: str) -> Mount:
    words = text.split(":")
    whole = 1 <= len(words) <= 3 and printable(text) and "," not in text
    if (
        not whole
        or not words[0].startswith(("/", "~/"))
        or not all(word.startswith(("/", "~/")) for word in words[1:2])
    ):
        raise UserError(
            "container.mounts as absolute paths, SOURCE[:TARGET[:ro]], without commas",
            shown(text),
            "give for example /data:/data",
        )
    if len(words) == 3 and (words[2] != "ro" or engine in ("charliecloud", "enroot")):
        raise UserError(
            "ro as the third part of container.mounts, which apptainer and pyxis know"
            if words[2] != "ro"
            else "no ro in container.mounts, which %s does not know" % engine,
            shown(text),
            "take it out",
        )
    return Mount(words[0], words[1] if len(words) > 1 else words[0], len(words) == 3)


def _checks(engine: str, image: str) -> t.Iterator[str]:
    if engine in _PROGRAMS:
        yield "type -P %s >/dev/null || stop_job %s" % (
            _PROGRAMS[engine],
            said(
                "expected %s on this node; found none on PATH; remedy: load its module, or run the job where it is installed"
                % _PROGRAMS[engine]
            ),
        )
    if image.startswith(("/", "~/", "./", "../")):
        yield "[ -e %s ] || stop_job %s" % (
            shell_path(image),
            said("expected the image %s; found nothing there; remedy: make it, or correct container.image" % image),
        )


def _bind(mount: Mount, flag: str = "ro") -> str:
    return shell_path(mount.source) + ":" + shell_path(mount.target) + (":" + flag if mount.read_only else "")


def _apptainer(
    program: str, image: str, mounts: list[Mount], workdir: str | None, gpu: bool, options: list[str]
) -> Container:
    words = [program, "exec"] + (["--nv"] if gpu else [])
    words += ["--bind=" + _bind(mount) for mount in mounts]
    # It mounts the current folder itself, at the same place.
    words += ["--pwd=" + (shlex.quote(workdir) if workdir else '"$PWD"')] + [shlex.quote(word) for word in options]
    return Container([], [], [*words, shell_path(image)], [], "")


def _charliecloud(image: str, mounts: list[Mount], workdir: str | None, gpu: bool, options: list[str]) -> Container:
    check = ['export USER="${USER:-$(id -un)}"']
    if gpu:
        missing = said(
            "expected the driver's libcuda.so.1 in the image %s; found none; remedy: ch-fromhost --nvidia IMAGE, once, "
            "on a node with a GPU" % image
        )
        check += [
            "if [ -e /dev/nvidiactl ] && [ -d %s ]; then" % shell_path(image),
            "    libcuda=$(find %s/usr %s/lib* -name libcuda.so.1 -print -quit 2>/dev/null || true)"
            % (shell_path(image), shell_path(image)),
            '    [ -n "$libcuda" ] || stop_job %s' % missing,
            "fi",
        ]
    lines = []
    words = ["ch-run"]
    # What the image's maker has set, such as PATH.
    lines.append("environment=()")
    lines.append("if [ -e %s/ch/environment ]; then environment=(--set-env); fi" % shell_path(image))
    words.append('${environment[@]+"${environment[@]}"}')
    words += ["--bind=" + _bind(mount) for mount in mounts]
    if workdir:
        words.append("--cd=" + shlex.quote(workdir))
    else:
        # A mount needs a folder in the image, which cannot be made there; this one images have.
        words += ['--bind="$PWD":/mnt/0', "--cd=/mnt/0"]
    words += [shlex.quote(word) for word in options]
    return Container(check, lines, [*words, shell_path(image), "--"], [], "")


def _enroot(
    image: str,
    mounts: list[Mount],
    workdir: str | None,
    gpu: bool,
    options: list[str],
    exports: t.Sequence[str],
) -> Container:
    kept = "SLURM_*|SRUN_*|MASTER_*|OMP_*|CUDA_*|NCCL_*|PYTHON*" + "".join("|" + name for name in exports)
    lines = [
        # It hands on nothing by itself. By name, as the values differ from task to task.
        "environment=()",
        "for name in $(compgen -e); do",
        "    case $name in",
        '    %s) environment+=(--env "$name") ;;' % kept,
        "    esac",
        "done",
    ]
    words = ["enroot", "start", '${environment[@]+"${environment[@]}"}']
    words += ["--env", "NVIDIA_VISIBLE_DEVICES=" + ("all" if gpu else "void")]
    words += ["--env", "NVIDIA_DRIVER_CAPABILITIES=compute,utility"] if gpu else []
    for mount in mounts:
        words += ["--mount", _bind(mount)]
    if not workdir:
        words += ["--mount", '"$PWD":"$PWD"']
    words += [shlex.quote(word) for word in options] + [shell_path(image)]
    # It starts in the image's own folder, and has no option for another.
    words += [
        "sh",
        "-c",
        shlex.quote('cd -- "$1" && shift && exec "$@"'),
        "sh",
        shlex.quote(workdir) if workdir else '"$PWD"',
    ]
    return Container([], lines, words, [], "")


def _pyxis(
    image: str,
    mounts: list[Mount],
    workdir: str | None,
    gpu: bool,
    options: list[str],
    exports: t.Sequence[str],
) -> Container:
    binds = [_bind(mount) for mount in mounts] + ([] if workdir else ['"$PWD":"$PWD"'])
    words = ["--container-image=" + shell_path(image)]
    if binds:
        words.append("--container-mounts=" + ",".join(binds))
    words.append("--container-workdir=" + (shlex.quote(workdir) if workdir else '"$PWD"'))
    kept = list(exports) + (["NVIDIA_VISIBLE_DEVICES", "NVIDIA_DRIVER_CAPABILITIES"] if gpu else [])
    if kept:
        # Otherwise what the image sets wins.
        words.append("--container-env=" + ",".join(kept))
    words += [shlex.quote(word) for word in options]
    check = ["export NVIDIA_VISIBLE_DEVICES=all NVIDIA_DRIVER_CAPABILITIES=compute,utility"] if gpu else []
    outside = "stop_job " + said(
        "expected a job of Slurm, as container.engine is pyxis, a part of srun; found none; remedy: submit it with sbatch"
    )
    return Container(check, [], [], words, outside)


_RENDER: dict[str, t.Callable[..., Container]] = {
    "apptainer": lambda i, m, w, g, o, _e: _apptainer("apptainer", i, m, w, g, o),
    "singularity": lambda i, m, w, g, o, _e: _apptainer("singularity", i, m, w, g, o),
    "charliecloud": lambda i, m, w, g, o, _e: _charliecloud(i, m, w, g, o),
    "enroot": _enroot,
    "pyxis": _pyxis,
}


def require_alone(params: t.Mapping[str, t.Any]) -> None:
    """One environment for a command: an env of the node's is not in the image.

    :raises UserError: two of them.
    """
    given = [name for name in ("conda_env", "venv", "uv_project", "container") if params.get(name)]
    if len(given) > 1:
        raise UserError(
            "one of conda_env, venv, uv_project and container", " and ".join(given), "leave all but one out"
        )
    container_given = params.get("container")
    if container_given and container_given["engine"] == "pyxis" and params.get("srun") is False:
        raise UserError("srun with container.engine: pyxis, which is a part of it", "srun: false", "leave srun out")
    if container_given and re.match(r"\s", container_given["image"]):
        raise UserError("container.image without white space in front", shown(container_given["image"]), "correct it")
