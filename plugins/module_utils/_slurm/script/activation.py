# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the conda env of a job becomes active. Private to hpc.pytorch."""

from __future__ import annotations

import re
import shlex
import typing as t

from ..._common.errors import UserError, printable, shown
from ..._common.unfinished import CHANGING_MARK
from .shell import is_path, said, shell_path

ACTIVATIONS = ("conda", "module", "direct")


def how(params: t.Mapping[str, t.Any]) -> str:
    """How the env is activated: as asked for, otherwise by what is known of it."""
    if params.get("activation"):
        return params["activation"]
    if params.get("conda_prefix"):
        return "conda"
    return "direct" if is_path(params["conda_env"]) else "module"


def _activate_conda(params: t.Mapping[str, t.Any]) -> t.Iterator[str]:
    env, prefix = params["conda_env"], params["conda_prefix"].rstrip("/")
    hook = shell_path(prefix + "/etc/profile.d/conda.sh")
    missing = said(
        "expected conda at %s; found no etc/profile.d/conda.sh there; remedy: correct conda_prefix, "
        "or set conda up for this node" % prefix
    )
    if is_path(env):
        yield from _resolve(env)
    # conda's own scripts read variables that may be unset.
    yield "set +u"
    yield "[ -r %s ] || stop_job %s" % (hook, missing)
    yield "source %s || stop_job %s" % (hook, missing)
    if is_path(env):
        yield 'conda activate "$env_prefix" || stop_job %s' % said(_no_env(env))
    else:
        yield "conda activate %s || stop_job %s" % (shlex.quote(env), said(_no_env(env)))
        # Nothing may change under a running job, so the name's target counts, not the name.
        yield from _resolve_active(env)
        yield 'if [ "$env_prefix" != "$CONDA_PREFIX" ]; then conda activate "$env_prefix" || stop_job %s; fi' % said(
            _no_env(env)
        )
    yield "set -u"


def _activate_module(params: t.Mapping[str, t.Any]) -> t.Iterator[str]:
    env = params["conda_env"]
    if is_path(env):
        yield from _resolve(env)
    yield "set +u"
    yield "type -P activate >/dev/null || stop_job %s" % said(
        "expected conda's activate on PATH from the modules; found none; remedy: correct modules, or give conda_prefix"
    )
    if is_path(env):
        yield 'source activate "$env_prefix" || stop_job %s' % said(_no_env(env))
    else:
        yield "source activate %s || stop_job %s" % (shlex.quote(env), said(_no_env(env)))
        yield from _resolve_active(env)
        yield 'if [ "$env_prefix" != "$CONDA_PREFIX" ]; then source activate "$env_prefix" || stop_job %s; fi' % said(
            _no_env(env)
        )
    yield "set -u"


def _activate_direct(params: t.Mapping[str, t.Any]) -> t.Iterator[str]:
    env = params["conda_env"]
    if is_path(env):
        yield from _resolve(env)
    else:
        folders = ['"$HOME"/.conda/envs']
        if params.get("conda_prefix"):
            folders.append(shell_path(params["conda_prefix"].rstrip("/") + "/envs"))
        yield "env_prefix="
        yield "for folder in %s; do" % " ".join(folders)
        yield '    if [ -d "$folder"/%s/conda-meta ]; then' % shlex.quote(env)
        yield '        env_prefix=$(cd -P -- "$folder"/%s && pwd)' % shlex.quote(env)
        yield "        break"
        yield "    fi"
        yield "done"
        yield '[ -n "$env_prefix" ] || stop_job %s' % said(_no_env(env))
        yield _refuse_unfinished(env)
    yield 'export CONDA_PREFIX="$env_prefix" CONDA_DEFAULT_ENV="${env_prefix##*/}" PATH="$env_prefix/bin:$PATH"'
    yield "set +u"
    yield 'for hook in "$env_prefix"/etc/conda/activate.d/*.sh; do'
    yield '    if [ -r "$hook" ]; then source "$hook"; fi'
    yield "done"
    yield "set -u"


_ACTIVATE: dict[str, t.Callable[[t.Mapping[str, t.Any]], t.Iterator[str]]] = {
    "conda": _activate_conda,
    "module": _activate_module,
    "direct": _activate_direct,
}


def activate(params: t.Mapping[str, t.Any]) -> str:
    """The lines that activate the env."""
    return "\n".join(_ACTIVATE[how(params)](params))


def _resolve(env: str) -> t.Iterator[str]:
    yield "[ -d %s ] || stop_job %s" % (shell_path(env.rstrip("/") + "/conda-meta"), said(_no_env(env)))
    yield "env_prefix=$(cd -P -- %s && pwd)" % shell_path(env)
    yield _refuse_unfinished(env)


def _resolve_active(env: str) -> t.Iterator[str]:
    yield 'env_prefix=$(cd -P -- "$CONDA_PREFIX" && pwd)'
    yield _refuse_unfinished(env)


def _refuse_unfinished(env: str) -> str:
    return '[ ! -e "$env_prefix/%s" ] || stop_job %s' % (
        CHANGING_MARK,
        said(
            "expected a whole env at %s; found one whose last change was interrupted; remedy: run the play "
            "that makes it again" % env
        ),
    )


def _no_env(env: str) -> str:
    return "expected the env %s; found none that can be activated; remedy: make it, or correct conda_env" % env


def require_consistent(params: t.Mapping[str, t.Any], guide: bool) -> None:
    """Refuse an env that cannot be found or named.

    :raises UserError: with what would be right.
    """
    env, prefix, asked = params.get("conda_env"), params.get("conda_prefix"), params.get("activation")
    if prefix is not None and not (is_path(prefix) and printable(prefix) and ":" not in prefix):
        raise UserError(
            "conda_prefix as an absolute path without a colon", shown(prefix), "give for example /opt/app/anaconda3"
        )
    if env is not None and is_path(env):
        if not printable(env) or ":" in env:
            raise UserError("conda_env as a name or an absolute path without a colon", shown(env), "correct the path")
    elif env is not None and not _is_env_name(env):
        raise UserError(
            "conda_env as a name without / : # and white space, or an absolute path", shown(env), "correct the name"
        )
    if guide and asked:
        raise UserError(
            "no activation with style: guide, which has the guide's source activate",
            "activation: %s" % asked,
            "leave activation out, or choose style: current",
        )
    if asked and not env:
        raise UserError("conda_env with activation", "activation: %s alone" % asked, "name the env, or leave it out")
    if guide or not env:
        return
    by = how(params)
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
