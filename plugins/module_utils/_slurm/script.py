# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A job script from its options. No I/O. Private to hpc.pytorch."""

from __future__ import annotations

import re
import shlex
import typing as t

from .._host.errors import UserError
from . import directives, options
from .options import distance, pairs, printable, shown

KINDS = ("single",)
STYLES = ("current", "guide")
ACTIVATIONS = ("conda", "module", "direct")

# What an interrupted change leaves in an env until a rerun has mended it.
CHANGING_MARK = "conda-meta/hpc_pytorch.changing"

_STOP = """\
stop_job() {
    printf 'job script: %s\\n' "$1" >&2
    exit 1
}"""

# A batch shell is no login shell, so profile.d has not run in it.
_MODULE_COMMAND = """\
if ! type module >/dev/null 2>&1; then
    for init in "${LMOD_PKG:-}/init/bash" "${MODULESHOME:-}/init/bash" \\
        /etc/profile.d/lmod.sh /etc/profile.d/z00_lmod.sh /etc/profile.d/modules.sh \\
        /usr/share/lmod/lmod/init/bash /usr/share/modules/init/bash; do
        if [ -r "$init" ]; then
            source "$init" || true
            break
        fi
    done
fi
type module >/dev/null 2>&1 || stop_job 'expected the command module; found none on this node; \
remedy: install Lmod or Environment Modules here, or leave modules out'"""


class Script(t.NamedTuple):
    """What a job script holds and what is worth saying about it."""

    content: str
    directives: directives.Directives
    warnings: t.List[str]
    blocks: t.Dict[str, str]
    """The shell code that came in by options, by option: each must be whole by itself."""


def render(params: t.Mapping[str, t.Any]) -> Script:
    """The script for the module's options.

    :raises UserError: an option that cannot be, or options that contradict each other.
    """
    asked = options.collect(params)
    blocks = {name: _code(name, params.get(name)) for name in ("pre", "command", "post")}
    if not blocks["command"]:
        raise UserError("command as one or more lines of shell", "nothing", "say what the job runs")
    exports = _exports(params.get("exports"))
    modules = _modules(params.get("modules"))
    guide = params.get("style") == "guide"
    _require_consistent(params, guide)
    found = options.warnings(params)
    if any(name == "CUDA_VISIBLE_DEVICES" for name, _value in exports):
        found.append("exports sets CUDA_VISIBLE_DEVICES by hand: Slurm sets it to the GPUs that the job was given")
    if not guide:
        found.extend(_task_warnings(params, blocks))

    head = "\n".join(["#!/bin/bash", *(directives.line(name, value) for name, value in asked.items())])
    parts = [head, *(_guide if guide else _current)(params, modules, exports, blocks)]
    return Script(
        "\n\n".join(part for part in parts if part) + "\n",
        asked,
        found,
        {name: code for name, code in blocks.items() if code},
    )


def shell_path(path: str) -> str:
    """A path as one word of shell; a leading ~ is the home of whoever runs the script."""
    if path == "~":
        return '"$HOME"'
    return '"$HOME"/' + shlex.quote(path[2:]) if path.startswith("~/") else shlex.quote(path)


def _guide(
    params: t.Mapping[str, t.Any],
    modules: t.Sequence[str],
    exports: t.Sequence[t.Tuple[str, str]],
    blocks: t.Mapping[str, str],
) -> t.Iterator[str]:
    """The founding guide's test.sh, command for command."""
    lines = ["echo $CUDA_VISIBLE_DEVICES"]
    lines += ["module load %s" % shlex.quote(name) for name in modules]
    prefix = params.get("conda_prefix")
    if prefix:
        lines.append('export PATH="%s/bin:$PATH"' % _inside_double_quotes(prefix.rstrip("/")))
    if params.get("conda_env"):
        lines.append("source activate %s" % shell_path(params["conda_env"]))
    lines += [_export(name, value) for name, value in exports]
    lines += [blocks[name] for name in ("pre", "command", "post") if blocks[name]]
    yield "\n".join(lines)


def _current(
    params: t.Mapping[str, t.Any],
    modules: t.Sequence[str],
    exports: t.Sequence[t.Tuple[str, str]],
    blocks: t.Mapping[str, str],
) -> t.Iterator[str]:
    """What we would write today: it stops at the first failure, and needs nothing of the shell that submits it."""
    yield "# Written by hpc.pytorch.sbatch_script: change the play, not this file.\nset -euo pipefail"
    env = params.get("conda_env")
    if modules or env:
        yield _STOP
    if modules:
        # Module systems read variables that may be unset, and their functions fail inside on purpose.
        loads = ["module load {0} || stop_job {1}".format(shlex.quote(name), _said(_no_module(name))) for name in modules]
        yield "\n".join(["set +eu", _MODULE_COMMAND, *loads, "set -eu"])
    if env:
        how = activation(params)
        yield "\n".join(_ACTIVATE[how](params))
        # A user's site-packages (pip install --user) would go before the env's.
        yield "export PYTHONNOUSERSITE=1"
    if params.get("cpus_per_task"):
        # Torch would take every CPU it sees; srun of Slurm 22.05 to 23.02 does not inherit the number.
        yield "\n".join(
            [
                'if [ -n "${SLURM_CPUS_PER_TASK:-}" ]; then',
                '    export OMP_NUM_THREADS="$SLURM_CPUS_PER_TASK" SRUN_CPUS_PER_TASK="$SLURM_CPUS_PER_TASK"',
                "fi",
            ]
        )
    yield "\n".join(_export(name, value) for name, value in exports)
    yield blocks["pre"]
    yield blocks["command"]
    yield blocks["post"]


def activation(params: t.Mapping[str, t.Any]) -> str:
    """How the env is activated: as asked for, otherwise by what is known of it."""
    if params.get("activation"):
        return params["activation"]
    if params.get("conda_prefix"):
        return "conda"
    return "direct" if _is_path(params["conda_env"]) else "module"


def _activate_conda(params: t.Mapping[str, t.Any]) -> t.Iterator[str]:
    env, prefix = params["conda_env"], params["conda_prefix"].rstrip("/")
    hook = shell_path(prefix + "/etc/profile.d/conda.sh")
    missing = _said(
        "expected conda at %s; found no etc/profile.d/conda.sh there; remedy: correct conda_prefix, "
        "or set conda up for this node" % prefix
    )
    if _is_path(env):
        yield from _resolve(env)
    # conda's own scripts read variables that may be unset.
    yield "set +u"
    yield "[ -r %s ] || stop_job %s" % (hook, missing)
    yield "source %s || stop_job %s" % (hook, missing)
    if _is_path(env):
        yield 'conda activate "$env_prefix" || stop_job %s' % _said(_no_env(env))
    else:
        yield "conda activate %s || stop_job %s" % (shlex.quote(env), _said(_no_env(env)))
        # Nothing may change under a running job, so the name's target counts, not the name.
        yield from _resolve_active(env)
        yield 'if [ "$env_prefix" != "$CONDA_PREFIX" ]; then conda activate "$env_prefix" || stop_job %s; fi' % _said(_no_env(env))
    yield "set -u"


def _activate_module(params: t.Mapping[str, t.Any]) -> t.Iterator[str]:
    env = params["conda_env"]
    if _is_path(env):
        yield from _resolve(env)
    yield "set +u"
    yield "type -P activate >/dev/null || stop_job %s" % _said(
        "expected conda's activate on PATH from the modules; found none; remedy: correct modules, or give conda_prefix"
    )
    if _is_path(env):
        yield 'source activate "$env_prefix" || stop_job %s' % _said(_no_env(env))
    else:
        yield "source activate %s || stop_job %s" % (shlex.quote(env), _said(_no_env(env)))
        yield from _resolve_active(env)
        yield 'if [ "$env_prefix" != "$CONDA_PREFIX" ]; then source activate "$env_prefix" || stop_job %s; fi' % _said(_no_env(env))
    yield "set -u"


def _activate_direct(params: t.Mapping[str, t.Any]) -> t.Iterator[str]:
    env = params["conda_env"]
    if _is_path(env):
        yield from _resolve(env)
    else:
        folders = ['"$HOME"/.conda/envs']
        if params.get("conda_prefix"):
            folders.append(shell_path(params["conda_prefix"].rstrip("/") + "/envs"))
        yield "env_prefix="
        yield "for folder in %s; do" % " ".join(folders)
        yield "    if [ -d \"$folder\"/%s/conda-meta ]; then" % shlex.quote(env)
        yield '        env_prefix=$(cd -P -- "$folder"/%s && pwd)' % shlex.quote(env)
        yield "        break"
        yield "    fi"
        yield "done"
        yield '[ -n "$env_prefix" ] || stop_job %s' % _said(_no_env(env))
        yield _refuse_unfinished(env)
    yield 'export CONDA_PREFIX="$env_prefix" CONDA_DEFAULT_ENV="${env_prefix##*/}" PATH="$env_prefix/bin:$PATH"'
    yield "set +u"
    yield 'for hook in "$env_prefix"/etc/conda/activate.d/*.sh; do'
    yield '    if [ -r "$hook" ]; then source "$hook"; fi'
    yield "done"
    yield "set -u"


_ACTIVATE: t.Dict[str, t.Callable[[t.Mapping[str, t.Any]], t.Iterator[str]]] = {
    "conda": _activate_conda,
    "module": _activate_module,
    "direct": _activate_direct,
}


def _resolve(env: str) -> t.Iterator[str]:
    yield "[ -d %s ] || stop_job %s" % (shell_path(env.rstrip("/") + "/conda-meta"), _said(_no_env(env)))
    yield "env_prefix=$(cd -P -- %s && pwd)" % shell_path(env)
    yield _refuse_unfinished(env)


def _resolve_active(env: str) -> t.Iterator[str]:
    yield 'env_prefix=$(cd -P -- "$CONDA_PREFIX" && pwd)'
    yield _refuse_unfinished(env)


def _refuse_unfinished(env: str) -> str:
    return '[ ! -e "$env_prefix/%s" ] || stop_job %s' % (
        CHANGING_MARK,
        _said(
            "expected a whole env at %s; found one whose last change was interrupted; remedy: run the play "
            "that makes it again" % env
        ),
    )


def _no_env(env: str) -> str:
    return "expected the env %s; found none that can be activated; remedy: make it, or correct conda_env" % env


def _no_module(name: str) -> str:
    return "expected the module %s; found that it does not load; remedy: look at module avail on this node" % name


def _said(message: str) -> str:
    return shlex.quote(message)


def _inside_double_quotes(path: str) -> str:
    home = path == "~" or path.startswith("~/")
    return ("$HOME" if home else "") + re.sub(r'([\\"$`])', r"\\\1", path[1:] if home else path)


def _is_path(env: str) -> bool:
    return env.startswith(("/", "~/"))


def _export(name: str, value: str) -> str:
    if all(char.isprintable() for char in value):
        return "export %s=%s" % (name, shlex.quote(value))
    # No raw line of a value may stand at the start of a line of the script.
    escaped = "".join(_ansi_c(char) for char in value)
    return "export %s=$'%s'" % (name, escaped)


def _ansi_c(char: str) -> str:
    if char in "\\'":
        return "\\" + char
    if char.isprintable():
        return char
    return "".join("\\%03o" % byte for byte in char.encode("utf-8"))


def _exports(given: t.Any) -> t.List[t.Tuple[str, str]]:
    found: t.List[t.Tuple[str, str]] = []
    for name, value in pairs("exports", given):
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
            raise UserError(
                "names of variables in exports (letters, digits and _)", shown(name), "give exports: {NAME: value}"
            )
        if name in ("UID", "EUID", "PPID", "BASHOPTS", "SHELLOPTS", "BASH_VERSINFO"):
            raise UserError("variables in exports that bash lets be set", name, "leave it out")
        if name in (other for other, _value in found):
            raise UserError("each variable once in exports", "%s twice" % name, "leave one of them out")
        if isinstance(value, bool) or not isinstance(value, (str, int, float)) or not _encodable(str(value)):
            raise UserError("text or a number for %s in exports" % name, shown(value), "put the value in quotes")
        found.append((name, str(value)))
    return found


def _encodable(value: str) -> bool:
    # No environment holds a NUL, and a lone surrogate is no character.
    return "\0" not in value and not re.search("[\ud800-\udfff]", value)


def _modules(given: t.Optional[t.Sequence[str]]) -> t.List[str]:
    for name in given or []:
        if not re.fullmatch(r"[A-Za-z0-9_][\w.+@/-]*", name, re.ASCII):
            raise UserError("names of modules such as anaconda3 or cuda/10.1", shown(name), "correct modules")
    return list(given or [])


def _code(option: str, given: t.Any) -> str:
    if given is None or given == []:
        return ""
    lines: t.List[str] = []
    for item in given if isinstance(given, list) else [given]:
        if not isinstance(item, str):
            raise UserError("%s as text, or a list of lines" % option, shown(item), "put the line in quotes")
        for line in item.rstrip("\n").split("\n"):
            _require_plain_line(option, line)
            lines.append(line)
    if lines and (len(lines[-1]) - len(lines[-1].rstrip("\\"))) % 2:
        raise UserError(
            "%s with a last line that is whole" % option, shown(lines[-1]), "take the backslash at its end out"
        )
    return "\n".join(lines).strip("\n")


def _require_plain_line(option: str, line: str) -> None:
    if "\r" in line:
        raise UserError(
            "%s with line ends of Unix" % option, "a carriage return in %s" % shown(line), "save it without \\r"
        )
    if any(not char.isprintable() and char != "\t" and not char.isspace() for char in line):
        raise UserError("%s as printable text" % option, shown(line), "take the control characters out")
    word = re.match(r"\s*#\s*([A-Za-z]+)(.*)", line)
    if not word:
        return
    # Slurm reads #PBS and #BSUB far behind the first command, so they would be directives wherever they stand.
    exact = re.match(r"#(SBATCH|SLURM|PBS|BSUB)", line)
    misspelt = word[1].isupper() and distance(word[1], "SBATCH") <= 2 and re.match(r"\s+[-\u2010-\u2015]", word[2])
    if exact or misspelt:
        raise UserError(
            "shell in %s, and directives as options" % option,
            shown(line.strip()),
            "give it as an option of its own, or in directives",
        )


def _require_consistent(params: t.Mapping[str, t.Any], guide: bool) -> None:
    env, prefix, how = params.get("conda_env"), params.get("conda_prefix"), params.get("activation")
    if prefix is not None and not (_is_path(prefix) and printable(prefix) and ":" not in prefix):
        raise UserError(
            "conda_prefix as an absolute path without a colon", shown(prefix), "give for example /opt/app/anaconda3"
        )
    if env is not None and _is_path(env):
        if not printable(env) or ":" in env:
            raise UserError("conda_env as a name or an absolute path without a colon", shown(env), "correct the path")
    elif env is not None and not _is_env_name(env):
        raise UserError(
            "conda_env as a name without / : # and white space, or an absolute path", shown(env), "correct the name"
        )
    if guide and how:
        raise UserError(
            "no activation with style: guide, which has the guide's source activate",
            "activation: %s" % how,
            "leave activation out, or choose style: current",
        )
    if how and not env:
        raise UserError("conda_env with activation", "activation: %s alone" % how, "name the env, or leave it out")
    if guide or not env:
        return
    by = activation(params)
    if by == "conda" and not prefix:
        raise UserError("conda_prefix with activation: conda", "none", "say where conda is")
    if by == "module" and not params.get("modules"):
        raise UserError(
            "a way to find the env %s: conda_prefix, modules that bring conda, or an absolute path" % env,
            "none of them",
            "give conda_prefix",
        )


def _is_env_name(name: str) -> bool:
    return printable(name) and not re.search(r"[/:#\s]", name) and not name.startswith(("-", "~", "."))


def _task_warnings(params: t.Mapping[str, t.Any], blocks: t.Mapping[str, str]) -> t.Iterator[str]:
    tasks = params.get("ntasks") or 1
    starts = re.search(r"\b(srun|mpirun|mpiexec|torchrun)\b", "\n".join(blocks.values()))
    if tasks > 1 and not starts:
        yield (
            "ntasks: %d asks for %d processes and the command starts one: for one process with %d CPUs give "
            "ntasks: 1 and cpus_per_task: %d, for %d processes start it with srun" % (tasks, tasks, tasks, tasks, tasks)
        )
