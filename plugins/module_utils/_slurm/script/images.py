# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The image that a command runs in, for each container engine. No I/O. Private to hpc.pytorch."""

from __future__ import annotations

import shlex
import typing as t

from ..._common.errors import UserError, printable, shown
from .parameters import Container, Options
from .shell import is_path, literal, quoted, shell_path, split, word

ENGINES = ("apptainer", "singularity", "charliecloud", "enroot", "pyxis")
# How apptainer and singularity bring the driver of the node.
_DRIVER = {"nvidia": ["--nv"], "amd": ["--rocm"], "": []}
_PROGRAMS = {"apptainer": "apptainer", "singularity": "singularity", "charliecloud": "ch-run", "enroot": "enroot"}


class Parts(t.NamedTuple):
    """The parts of a script that start a container.

    :arg check: lines that stop the job if something is missing.
    :arg lines: lines before the engine's words are added to the array ``launcher``.
    :arg words: the engine and its options, up to the command.
    :arg srun: options of srun.
    :arg outside: the line for a run without Slurm, or an empty string.
    """

    check: list[str]
    lines: list[str]
    words: list[str]
    srun: list[str]
    outside: str


class Mount(t.NamedTuple):
    """A folder of the node, and its path in the image."""

    source: str
    target: str
    read_only: bool


def parts(given: Container, gpu: bool, exports: t.Sequence[str]) -> Parts:
    """Render the parts for the option ``container``.

    :arg gpu: whether the job requests GPUs.
    :arg exports: the names of the variables that the job exports.
    :raises UserError: a mount that the engine does not support.
    """
    mounts = [_mount(given.engine, text) for text in given.mounts]
    kind = ("nvidia" if gpu else "") if given.gpu is None else given.gpu
    rendered = _RENDER[given.engine](given.image, mounts, given.workdir, kind, list(given.options), exports)
    return rendered._replace(check=[*_checks(given.engine, given.image), *rendered.check])


def _mount(engine: str, text: str) -> Mount:
    words = split(text, ":")
    whole = 1 <= len(words) <= 3 and printable(text) and "," not in literal(text)
    if not whole or not all(is_path(one) for one in words[:2]):
        raise UserError(
            "container.mounts to be absolute paths, SOURCE[:TARGET[:ro]], without commas",
            shown(text),
            "give for example /data:/data",
        )
    if len(words) == 3 and (words[2] != "ro" or engine in ("charliecloud", "enroot")):
        raise UserError(
            "container.mounts to have ro as its third part, for apptainer and pyxis"
            if words[2] != "ro"
            else "container.mounts to be without ro, which %s does not support" % engine,
            shown(text),
            "remove the third part",
        )
    return Mount(words[0], words[1] if len(words) > 1 else words[0], len(words) == 3)


def _checks(engine: str, image: str) -> t.Iterator[str]:
    if engine in _PROGRAMS:
        yield "type -P %s >/dev/null || stop_job %s" % (
            _PROGRAMS[engine],
            quoted(
                "expected %s on this node; found none on PATH; remedy: load its module, or run the job where it "
                "is installed" % _PROGRAMS[engine]
            ),
        )
    # A variable alone may hold a name that the engine knows.
    if image.startswith(("/", "~/", "./", "../")) or (is_path(image) and "/" in literal(image)):
        yield "[ -e %s ] || stop_job %s" % (
            shell_path(image),
            quoted("expected the image %s; found nothing there; remedy: make it, or correct container.image" % image),
        )


def _bind(mount: Mount, flag: str = "ro") -> str:
    return shell_path(mount.source) + ":" + shell_path(mount.target) + (":" + flag if mount.read_only else "")


def _apptainer(
    program: str, image: str, mounts: list[Mount], workdir: str | None, gpu: str, options: list[str]
) -> Parts:
    words = [program, "exec", *_DRIVER[gpu]]
    words += ["--bind=" + _bind(mount) for mount in mounts]
    # apptainer itself mounts the current folder, at the same path.
    words += ["--pwd=" + (word(workdir) if workdir else '"$PWD"')] + [word(one) for one in options]
    return Parts([], [], [*words, shell_path(image)], [], "")


def _charliecloud(image: str, mounts: list[Mount], workdir: str | None, gpu: str, options: list[str]) -> Parts:
    check = ['export USER="${USER:-$(id -un)}"']
    # An image for AMD's GPUs has all but the devices, and ch-run shows it /dev.
    if gpu == "nvidia":
        missing = quoted(
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
    # The variables that the image sets, such as PATH.
    lines.append("environment=()")
    lines.append("if [ -e %s/ch/environment ]; then environment=(--set-env); fi" % shell_path(image))
    words.append('${environment[@]+"${environment[@]}"}')
    words += ["--bind=" + _bind(mount) for mount in mounts]
    if workdir:
        words.append("--cd=" + word(workdir))
    else:
        # A mount needs an existing folder in the image; images have /mnt/0.
        words += ['--bind="$PWD":/mnt/0', "--cd=/mnt/0"]
    words += [word(one) for one in options]
    return Parts(check, lines, [*words, shell_path(image), "--"], [], "")


def _enroot(
    image: str,
    mounts: list[Mount],
    workdir: str | None,
    gpu: str,
    options: list[str],
    exports: t.Sequence[str],
) -> Parts:
    kept = "SLURM_*|SRUN_*|MASTER_*|OMP_*|CUDA_*|NCCL_*|PYTHON*" + "".join("|" + name for name in exports)
    lines = [
        # enroot passes no variables on. They are passed by name, because the values differ from task to task.
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
    words += [word(one) for one in options] + [shell_path(image)]
    # enroot starts in the image's own folder, and has no option for another one.
    words += [
        "sh",
        "-c",
        shlex.quote('cd -- "$1" && shift && exec "$@"'),
        "sh",
        word(workdir) if workdir else '"$PWD"',
    ]
    return Parts([], lines, words, [], "")


def _pyxis(
    image: str,
    mounts: list[Mount],
    workdir: str | None,
    gpu: str,
    options: list[str],
    exports: t.Sequence[str],
) -> Parts:
    binds = [_bind(mount) for mount in mounts] + ([] if workdir else ['"$PWD":"$PWD"'])
    words = ["--container-image=" + shell_path(image)]
    if binds:
        words.append("--container-mounts=" + ",".join(binds))
    words.append("--container-workdir=" + (word(workdir) if workdir else '"$PWD"'))
    kept = list(exports) + (["NVIDIA_VISIBLE_DEVICES", "NVIDIA_DRIVER_CAPABILITIES"] if gpu else [])
    if kept:
        # Otherwise the image's values take precedence.
        words.append("--container-env=" + ",".join(kept))
    words += [word(one) for one in options]
    check = ["export NVIDIA_VISIBLE_DEVICES=all NVIDIA_DRIVER_CAPABILITIES=compute,utility"] if gpu else []
    outside = "stop_job " + quoted(
        "expected a job of Slurm, as container.engine is pyxis, a part of srun; found none; remedy: submit it with "
        "sbatch"
    )
    return Parts(check, [], [], words, outside)


_RENDER: dict[str, t.Callable[..., Parts]] = {
    "apptainer": lambda i, m, w, g, o, _e: _apptainer("apptainer", i, m, w, g, o),
    "singularity": lambda i, m, w, g, o, _e: _apptainer("singularity", i, m, w, g, o),
    "charliecloud": lambda i, m, w, g, o, _e: _charliecloud(i, m, w, g, o),
    "enroot": _enroot,
    "pyxis": _pyxis,
}


def require_alone(options: Options) -> None:
    """Refuse more than one environment for the command: an image does not contain an environment of the node.

    :raises UserError: two of them.
    """
    given = [name for name in ("conda_env", "venv", "uv_project", "container") if getattr(options, name)]
    if len(given) > 1:
        raise UserError(
            "one of conda_env, venv, uv_project and container", " and ".join(given), "leave all but one out"
        )
    if options.container and options.container.engine == "pyxis" and options.srun is False:
        raise UserError(
            "srun to be true with container.engine: pyxis, a plugin of srun", "srun: false", "leave srun out"
        )
