# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sections about conda and the environment: where it is, and the ways to it. No I/O. Private to hpc.pytorch."""

from __future__ import annotations

import shlex
import typing as t

from ansible_collections.hpc.pytorch.plugins.module_utils._common.versions import major_minor

from ..blocks import Block, Command, Note, Paragraph, Section, Text
from ..site import Site

# What another program would have to be downloaded for.
DOWNLOADS = Text("why_downloads")
PLACEHOLDER = Text("why_placeholder")


def install(site: Site) -> t.Iterator[Section]:
    """Yield the sections in the order of the founding guide."""
    blocks: list[Block] = []
    if site.jupyter:
        blocks.append(Note("warning", Text("apart_title"), Text("apart")))
    yield Section("install", 2, Text("install_title"), tuple(blocks))
    if site.jupyter:
        yield Section("jupyterlab", 3, Text("jupyterlab_title"), tuple(_jupyterlab(site)))
    yield Section("cluster", 3, Text("cluster_title"), tuple(_cluster(site)))
    yield Section("environment", 3, Text("environment_title"), tuple(_environment(site)))


def _jupyterlab(site: Site) -> t.Iterator[Block]:
    conda = site.jupyter + "/bin/conda"
    yield Paragraph(Text("jupyterlab", {"conda": conda}))
    yield Command("jupyter-conda", "%s --version" % shlex.quote(conda), on="jupyter")


def _cluster(site: Site) -> t.Iterator[Block]:
    conda = site.conda
    if conda.has_command:
        yield Paragraph(Text("cluster", {"conda": conda.prefix + "/bin/conda"}))
        yield Paragraph(Text("r"))
        yield Command("r-environment", "conda create --name r --channel conda-forge r-base", reason=DOWNLOADS)
    else:
        yield Paragraph(Text("cluster_activate", {"prefix": conda.prefix}))
        yield Paragraph(Text("r_without"))
    ways = [way for way in ("bashrc", "profile", "module") if way in conda.expose]
    if not ways:
        yield Paragraph(Text("way_none", {"bin": conda.prefix + "/bin"}))
        yield Command("conda-path", "export PATH=%s:$PATH" % _double(conda.prefix + "/bin"))
    elif len(ways) > 1:
        yield Paragraph(Text("ways"))
    if "bashrc" in ways:
        # As role conda writes it.
        line = 'export PATH="%s:$PATH"' % _inside(conda.prefix + "/bin")
        yield Paragraph(Text("way_bashrc"))
        yield Command(
            "conda-bashrc",
            'line=%s\ngrep -qxF "$line" ~/.bashrc || echo "$line" >> ~/.bashrc\nsource ~/.bashrc' % shlex.quote(line),
        )
    if "profile" in ways:
        yield Paragraph(Text("way_profile"))
    if "module" in ways:
        yield Paragraph(Text("way_module"))
        yield Command("conda-module", "module load %s" % shlex.quote(conda.module))
        yield Paragraph(Text("way_module_again", {"module": "module load %s" % conda.module}))
    yield Paragraph(Text("conda_check"))
    yield Command("conda-check", "type -P %s" % ("conda" if conda.has_command else "activate"))


def _environment(site: Site) -> t.Iterator[Block]:
    env, own = site.env, site.conda.has_command and not site.env.is_shared and not site.env.path
    activate = Command("activate", "source activate %s" % word(env.reference))
    if own:
        yield Paragraph(Text("create", {"name": env.name}))
        python = "python=%s" % env.python if env.python else "python"
        first = ["conda", "create", "--name", env.name, python]
        yield Command("conda-create", shlex.join(first), reason=DOWNLOADS)
        yield Paragraph(Text("create_where"))
        yield Paragraph(Text("activate"))
        yield activate
        yield Paragraph(Text("install"))
        yield Command("conda-install", "\n".join(_install(site)), reason=DOWNLOADS)
        if env.source == "pytorch":
            yield Note("warning", Text("old_install_title"), Text("old_install"))
    else:
        key = "shared" if env.is_shared else "made"
        yield Paragraph(Text("%s_environment" % key, {"name": env.name, "reference": env.reference}))
        yield activate
        if len({each.env.reference for each in site.partitions}) > 1:
            yield Paragraph(Text("environment_of_partition"))
    yield Paragraph(Text("version"))
    yield Command("torch-version", "python -c 'import torch; print(torch.__version__, torch.version.cuda)'")
    if env.is_shared:
        yield Paragraph(Text("more_shared"))
        yield Command("more-packages", "\n".join(_on_top()), reason=PLACEHOLDER)
    elif not own:
        yield Paragraph(Text("more"))
        yield Command("more-packages", "python -m pip install PACKAGE", reason=PLACEHOLDER)
        yield Paragraph(Text("pip_check"))
        yield Command("pip-check", "python -m pip check")
    yield from _cuda(site)


def _cuda(site: Site) -> t.Iterator[Block]:
    cuda, env = site.cuda, site.env
    if cuda.home and cuda.version:
        # A torch for another CUDA was chosen by the driver, and needs nothing of the toolkit.
        is_same = not env.cuda or major_minor(env.cuda) == major_minor(cuda.version)
        values = {"home": cuda.home, "version": cuda.version}
        yield Note("warning", Text("cuda_title"), Text("cuda" if is_same else "cuda_own", values))
    if env.torch and env.cuda and env.python:
        yield Paragraph(Text("build", {"torch": env.torch, "cuda": env.cuda, "python": env.python}))
    elif env.cuda:
        yield Paragraph(Text("build_cuda", {"cuda": env.cuda}))


def _install(site: Site) -> t.Iterator[str]:
    """Yield the lines that install the environment's packages, in one transaction of conda."""
    env = site.env
    packages = [each for each in env.packages if each not in ("python", "python=%s" % env.python)]
    words = ["conda", "install", "--name", env.name, *packages]
    for channel in env.channels:
        words += ["--channel", channel]
    if packages:
        # A login node has no driver that conda could ask.
        yield ("CONDA_OVERRIDE_CUDA=%s " % shlex.quote(env.override) if env.override else "") + shlex.join(words)
    if env.pip:
        yield "python -m pip install %s" % " ".join(shlex.quote(part) for line in env.pip for part in _pip_words(line))


def _pip_words(line: str) -> list[str]:
    # --extra-index-url ADDRESS is two words on a command line; a requirement with spaces is one.
    return line.split(" ", 1) if line.startswith("-") else [line]


def _on_top() -> t.Iterator[str]:
    yield "python -m venv --system-site-packages ~/my-packages"
    yield "source ~/my-packages/bin/activate"
    yield "python -m pip install PACKAGE"


def word(text: str) -> str:
    """A word of shell; a leading ``~/`` stays the home directory."""
    return "~/" + shlex.quote(text[2:]) if text.startswith("~/") and text[2:] else shlex.quote(text)


def _inside(text: str) -> str:
    """A text inside double quotes of shell; a leading ``~/`` is the home directory."""
    for char in '\\"$`':
        text = text.replace(char, "\\" + char)
    return "$HOME" + text[1:] if text.startswith("~/") else text


def _double(text: str) -> str:
    return '"%s"' % _inside(text)
