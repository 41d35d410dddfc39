# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Activates the environment of a job: a conda or a virtual environment. No I/O. Private to hpc.pytorch."""

from __future__ import annotations

import re
import typing as t

from ..._common.errors import UserError, printable, shown
from ..._common.unfinished import CHANGING_MARK
from .parameters import Options
from .shell import is_path, literal, quoted, required, shell_path, word

ACTIVATIONS = ("conda", "module", "direct")

# conda gives the environment the place in PATH of the one that is active already, if only by its variables: behind a
# base that a module has put in front. A base stays in PATH, since a module that is loaded already brings it only once.
_UNDO = """\
# sbatch passes on the conda environment that is active in the submitting shell: deactivate it.
set +eu
for hook in "${CONDA_PREFIX:-/nothing}"/etc/conda/deactivate.d/*.sh; do
    if [ -r "$hook" ]; then source "$hook"; fi
done
set -eu
for name in ${!CONDA_PREFIX*}; do
    active=${!name}
    if [ -d "$active/conda-meta" ] && [ ! -d "$active/condabin" ]; then
        while [[ ":$PATH:" == *":$active/bin:"* ]]; do
            PATH=:$PATH:
            PATH=${PATH/":$active/bin:"/:}
            PATH=${PATH#:}
            PATH=${PATH%:}
        done
    fi
    unset "$name"
done
unset CONDA_SHLVL CONDA_DEFAULT_ENV CONDA_PROMPT_MODIFIER"""

# An environment for other languages has no python.
_REQUIRE_PYTHON = """\
if [ -e {bin}/python ]; then
    found=$(type -P python) || true
    [ "${{found%/*}}" -ef {bin} ] || stop_job \\
        {expected}"; found ${{found:-none}}; remedy: "{remedy}
fi"""


def how(options: Options) -> str:
    """The method that activates the conda environment: the option, or what conda_prefix and conda_env imply."""
    if options.activation:
        return options.activation
    if options.conda_prefix:
        return "conda"
    return "direct" if is_path(options.conda_env or "") else "module"


def _activate_conda(options: Options) -> t.Iterator[str]:
    env, prefix = options.conda_env or "", (options.conda_prefix or "").rstrip("/")
    hook = shell_path(prefix + "/etc/profile.d/conda.sh")
    missing = quoted(
        "expected conda at %s; found no etc/profile.d/conda.sh there; remedy: correct conda_prefix, "
        "or set conda up for this node" % prefix
    )
    if is_path(env):
        yield from _resolve(env)
    # conda's own scripts read unset variables.
    yield "set +u"
    yield "[ -r %s ] || stop_job %s" % (hook, missing)
    yield "source %s || stop_job %s" % (hook, missing)
    if is_path(env):
        yield 'conda activate "$env_prefix" || stop_job %s' % quoted(_no_env(env))
    else:
        yield "conda activate %s || stop_job %s" % (word(env), quoted(_no_env(env)))
        # A running job keeps its environment: activate the target of the name, not the name.
        yield from _resolve_active(env)
        yield 'if [ "$env_prefix" != "$CONDA_PREFIX" ]; then conda activate "$env_prefix" || stop_job %s; fi' % quoted(
            _no_env(env)
        )
    yield "set -u"


def _activate_module(options: Options) -> t.Iterator[str]:
    env = options.conda_env or ""
    if is_path(env):
        yield from _resolve(env)
    yield "set +u"
    yield "type -P activate >/dev/null || stop_job %s" % quoted(
        "expected conda's activate on PATH from the modules; found none; remedy: correct modules, or give conda_prefix"
    )
    if is_path(env):
        yield 'source activate "$env_prefix" || stop_job %s' % quoted(_no_env(env))
    else:
        yield "source activate %s || stop_job %s" % (word(env), quoted(_no_env(env)))
        yield from _resolve_active(env)
        yield 'if [ "$env_prefix" != "$CONDA_PREFIX" ]; then source activate "$env_prefix" || stop_job %s; fi' % quoted(
            _no_env(env)
        )
    yield "set -u"


def _activate_direct(options: Options) -> t.Iterator[str]:
    env = options.conda_env or ""
    if is_path(env):
        yield from _resolve(env)
    else:
        folders = ['"$HOME"/.conda/envs']
        if options.conda_prefix:
            folders.append(shell_path(options.conda_prefix.rstrip("/") + "/envs"))
        yield "env_prefix="
        yield "for folder in %s; do" % " ".join(folders)
        yield '    if [ -d "$folder"/%s/conda-meta ]; then' % word(env)
        yield '        env_prefix=$(cd -P -- "$folder"/%s && pwd)' % word(env)
        yield "        break"
        yield "    fi"
        yield "done"
        yield '[ -n "$env_prefix" ] || stop_job %s' % quoted(_no_env(env))
        yield _refuse_unfinished(env)
    yield 'export CONDA_PREFIX="$env_prefix" CONDA_DEFAULT_ENV="${env_prefix##*/}" PATH="$env_prefix/bin:$PATH"'
    yield "set +u"
    yield 'for hook in "$env_prefix"/etc/conda/activate.d/*.sh; do'
    yield '    if [ -r "$hook" ]; then source "$hook"; fi'
    yield "done"
    yield "set -u"


_ACTIVATE: dict[str, t.Callable[[Options], t.Iterator[str]]] = {
    "conda": _activate_conda,
    "module": _activate_module,
    "direct": _activate_direct,
}


def undo(options: Options) -> str:
    """Render the lines that deactivate what is active in the submitting shell, before a conda environment's modules."""
    return _UNDO if options.conda_env else ""


def activate(options: Options) -> str:
    """Render the lines that activate the conda environment, the virtual environment, or nothing."""
    if not options.conda_env:
        return _activate_venv(options)
    remedy = "leave out the module that puts it first in PATH"
    if how(options) != "direct":
        remedy += ", or give the path as conda_env and activation: direct"
    must = required(options.conda_env, options.conda_prefix)
    lines = [
        *([must] if must else []),
        *_ACTIVATE[how(options)](options),
        _require_python('"$env_prefix"/bin', options.conda_env, remedy),
    ]
    return "\n".join(lines)


def _require_python(folder: str, env: str, remedy: str) -> str:
    """Render the lines that stop the job if another python than that in *folder* would run.

    :arg folder: a word of shell.
    """
    expected = "expected the python of the environment %s to be the first in PATH" % env
    return _REQUIRE_PYTHON.format(bin=folder, expected=quoted(expected), remedy=quoted(remedy))


def _activate_venv(options: Options) -> str:
    path, remedy = options.venv, "make it, or correct venv"
    if options.uv_project:
        # uv run would check for updates, in every process and without a network.
        path, remedy = options.uv_project.rstrip("/") + "/.venv", "run uv sync in the project on a login node"
    if not path:
        return ""
    hook = shell_path(path.rstrip("/") + "/bin/activate")
    missing = quoted("expected the venv %s; found no bin/activate there; remedy: %s" % (path, remedy))
    check = _require_python(
        shell_path(path.rstrip("/") + "/bin"), path, "make it anew: a venv cannot be moved or copied"
    )
    lines = [
        required(path),
        "set +u",
        "[ -r %s ] || stop_job %s" % (hook, missing),
        "source %s" % hook,
        "set -u",
        check,
    ]
    return "\n".join(line for line in lines if line)


def _resolve(env: str) -> t.Iterator[str]:
    yield "[ -d %s ] || stop_job %s" % (shell_path(env.rstrip("/") + "/conda-meta"), quoted(_no_env(env)))
    yield "env_prefix=$(cd -P -- %s && pwd)" % shell_path(env)
    yield _refuse_unfinished(env)


def _resolve_active(env: str) -> t.Iterator[str]:
    yield 'env_prefix=$(cd -P -- "$CONDA_PREFIX" && pwd)'
    yield _refuse_unfinished(env)


def _refuse_unfinished(env: str) -> str:
    return '[ ! -e "$env_prefix/%s" ] || stop_job %s' % (
        CHANGING_MARK,
        quoted(
            "expected a whole env at %s; found one whose last change was interrupted; remedy: run the play "
            "that makes it again" % env
        ),
    )


def _no_env(env: str) -> str:
    return "expected the env %s; found none that can be activated; remedy: make it, or correct conda_env" % env


def require_consistent(options: Options, guide: bool) -> None:
    """Refuse an environment that cannot be found, and options of its activation that contradict each other.

    :raises UserError: one of them.
    """
    for name in ("venv", "uv_project"):
        path = getattr(options, name)
        if path is not None and not (is_path(path) and printable(path) and ":" not in literal(path)):
            raise UserError("%s to be an absolute path without a colon" % name, shown(path), "correct the path")
    env, prefix, asked = options.conda_env, options.conda_prefix, options.activation
    if prefix is not None and not (is_path(prefix) and printable(prefix) and ":" not in literal(prefix)):
        raise UserError(
            "conda_prefix to be an absolute path without a colon", shown(prefix), "give for example /opt/app/anaconda3"
        )
    if env is not None and is_path(env):
        if not printable(env) or ":" in literal(env):
            raise UserError(
                "conda_env to be a name or an absolute path without a colon", shown(env), "correct the path"
            )
    elif env is not None and not _is_env_name(env):
        raise UserError(
            "conda_env to be a name without / : # and white space, or an absolute path", shown(env), "correct the name"
        )
    if guide and asked:
        raise UserError(
            "activation to be unset with style: guide, which uses source activate",
            "activation: %s" % asked,
            "leave activation out, or choose style: current",
        )
    if asked and not env:
        raise UserError(
            "conda_env to be set with activation",
            "activation: %s alone" % asked,
            "give conda_env, or leave activation out",
        )
    if guide or not env:
        return
    by = how(options)
    if by == "conda" and not prefix:
        raise UserError("conda_prefix to be set with activation: conda", "nothing", "give conda_prefix")
    if by == "module" and not options.modules:
        raise UserError(
            "a way to find the environment %s: conda_prefix, modules that bring conda, or an absolute path" % env,
            "none of them",
            "give conda_prefix",
        )


def _is_env_name(name: str) -> bool:
    return printable(name) and not re.search(r"[/:#\s]", literal(name)) and not name.startswith(("-", "~", "."))
