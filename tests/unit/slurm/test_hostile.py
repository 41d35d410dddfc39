# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hostile values stay values: 200 of them in every option, alone, and together in one script that runs."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import hypothesis
import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._common.errors import UserError
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.sbatch import script_text, table
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.script import parameters, render
from ansible_collections.hpc.pytorch.plugins.modules import sbatch_script
from hypothesis import strategies


def render_script(params, slurm=None):
    return render.render(parameters.options_of(params), slurm)


# What breaks out of quotes, and what would be seen if it did.
PIECES = [
    "'",
    '"',
    "\\",
    "\n",
    "\r",
    "\t",
    " ",
    "$(touch EXECUTED)",
    "`touch EXECUTED`",
    "; touch EXECUTED;",
    "&& touch EXECUTED",
    "| touch EXECUTED",
    "\n#SBATCH --comment=gold\n",
    "#SBATCH --comment=gold",
    "\ntouch EXECUTED\n",
    "${HOME}",
    "$HOME",
    "\\$HOME",
    "${HOME:-$(touch EXECUTED)}",
    "${HOME@P}",
    "${!HOME}",
    "$[1]",
    "~",
    "*",
    "?",
    "[a]",
    "{a,b}",
    "!!",
    "%x-%j",
    "> EXECUTED",
    "<<END",
    "#",
    "--",
    "-x",
    "=",
    ":",
    ",",
    "..",
    "/",
    "hetjob",
    "\x00",
    "\x1b[31m",
    "\u2028",
    "\u202e",
    "h\u00e4tte",
    "a",
    "0",
    "EOF",
    "$'\\n'",
    "\\\n",
    "'\"'\"'",
    "$((1))",
    "((",
    "))",
    "\ud800",
]
VALUES = strategies.lists(strategies.sampled_from(PIECES), min_size=1, max_size=6).map("".join) | strategies.text(
    max_size=12
)
# Says what it was called with, and goes on with what an engine or srun would start.
TOOL = """#!{python}
import json, os, sys
with open(os.environ["CALLS"], "a") as stream:
    stream.write(json.dumps([os.path.basename(sys.argv[0]), *sys.argv[1:]]) + "\\n")
for index, word in enumerate(sys.argv[1:], 1):
    if word in ("torchrun", "apptainer"):
        os.execvp(word, sys.argv[index:])
"""
IMAGE = {"engine": "apptainer", "image": "/images/torch.sif"}
# Each takes the value where it can be hostile; a fresh option of the module belongs here or in NOT_TEXT.
PLACES = {
    **{
        option.name: (lambda value, name=option.name: {name: value})
        for option in table.OPTIONS
        if option.type in ("str", "raw")
    },
    "directives": lambda value: {"directives": {"site-own": value}},
    "directives name": lambda value: {"directives": {value: "1"}},
    "exports": lambda value: {"exports": {"VALUE": value}},
    "exports name": lambda value: {"exports": {value: "1"}},
    "srun_options": lambda value: {"srun": True, "srun_options": {"label": value}},
    "srun_options name": lambda value: {"srun": True, "srun_options": {value: True}},
    "launcher_options": lambda value: {"launcher": "torchrun", "launcher_options": {"role": value}},
    "launcher_options name": lambda value: {"launcher": "torchrun", "launcher_options": {value: "1"}},
    "modules": lambda value: {"modules": [value]},
    "modules_use": lambda value: {"modules_use": ["/" + value]},
    "conda_env": lambda value: {"conda_env": value, "conda_prefix": "/opt/conda"},
    "conda_env path": lambda value: {"conda_env": "~/" + value},
    "conda_prefix": lambda value: {"conda_env": "torch", "conda_prefix": "/" + value},
    "venv": lambda value: {"venv": "/" + value},
    "uv_project": lambda value: {"uv_project": "~/" + value},
    "container image": lambda value: {"container": dict(IMAGE, image=value)},
    "container mounts": lambda value: {"container": dict(IMAGE, mounts=["/" + value])},
    "container workdir": lambda value: {"container": dict(IMAGE, workdir="/" + value)},
    "container options": lambda value: {"container": dict(IMAGE, options=[value])},
    "charliecloud": lambda value: {
        "gres": "gpu:1",
        "container": {"engine": "charliecloud", "image": "/" + value, "options": [value]},
    },
    "enroot": lambda value: {
        "container": {"engine": "enroot", "image": value, "options": [value], "workdir": "/" + value}
    },
    "pyxis": lambda value: {
        "container": {"engine": "pyxis", "image": value, "options": [value], "mounts": ["/" + value]}
    },
    "slurm_version": lambda value: {"slurm_version": value},
}
# Shell by intention, numbers, choices, and the files that are written, which test_sbatch_script.py has.
NOT_TEXT = {
    "command",
    "pre",
    "post",
    "always",
    "login_shell",
    "once_per_node",
    "kind",
    "style",
    "activation",
    "launcher",
    "srun",
    "nproc_per_node",
    "rendezvous",
    "rendezvous_port",
    "checkpoint_seconds",
    "modules_purge",
    "check_cluster",
    "dest",
    "make_folder",
    "mode",
    "owner",
    "group",
    "files",
    "container",
} | {option.name for option in table.OPTIONS if option.type in ("int", "bool")}


def test_every_option_of_the_module_is_here():
    options = {name.split(" ")[0] for name in PLACES} - {"charliecloud", "enroot", "pyxis"}
    assert set(sbatch_script.argument_spec()) == options | NOT_TEXT


# What test_job_variables.py proves of one value: the variable, with its default, or its text after a backslash.
VARIABLE = re.compile(r"(\\)?\$(?:([A-Za-z_]\w*)|\{([A-Za-z_]\w*)(?::-([^{}'\"`\\]*))?\})", re.ASCII)


def expanded(value, folder):
    """The value after bash has expanded its variables; None if the job ends at one that is not HOME."""
    names = [one[2] or one[3] for one in VARIABLE.finditer(value) if not one[1] and (one[4] or "").isprintable()]
    if not set(names) <= {"HOME"}:
        return None
    return VARIABLE.sub(
        lambda one: one[0][1:] if one[1] else str(folder) if (one[4] or "").isprintable() else one[0], value
    )


def accepted(place, value):
    """The script with the value there, None where it is refused in one line that a person can read."""
    try:
        return render_script(dict({"command": "python x.py"}, **PLACES[place](value)))
    except UserError as error:
        assert "\n" not in str(error) and str(error).isprintable()
        return None


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder to run scripts in, with stand-ins for what they start."""
    found = tmp_path_factory.mktemp("hostile")
    (found / "tools").mkdir()
    for name in ("srun", "torchrun", "apptainer", "python"):
        (found / "tools" / name).write_text(TOOL.format(python=sys.executable))
        (found / "tools" / name).chmod(0o755)
    return found


def run(content, folder):
    (folder / "job.sh").write_text(content)
    checked = subprocess.run(["bash", "-n", "job.sh"], cwd=folder, capture_output=True, text=True, check=False)
    assert (checked.returncode, checked.stderr) == (0, "")
    (folder / "calls").unlink(missing_ok=True)
    done = subprocess.run(
        ["bash", "job.sh"],
        cwd=folder,
        env={
            "PATH": "%s/tools:/usr/bin:/bin" % folder,
            "HOME": str(folder),
            "CALLS": str(folder / "calls"),
            "SLURM_JOB_ID": "1",
            "LC_ALL": "C.UTF-8",
        },
        capture_output=True,
        check=False,
    )
    assert not list(folder.rglob("EXECUTED"))
    return done


@hypothesis.settings(max_examples=200, deadline=None, derandomize=True, database=None)
@hypothesis.given(value=VALUES)
def test_a_value_stays_a_value(folder, directives_of, value):
    """It is refused, or bash accepts the script, sbatch reads exactly the value, and nothing else runs."""
    for place in PLACES:
        rendered = accepted(place, value)
        if rendered is None:
            continue
        assert directives_of(rendered.content) == rendered.directives
        lines = [line for line in rendered.content.split("\n") if line.startswith(("#SBATCH", "#PBS", "#BSUB"))]
        assert lines == [script_text.line(name, text) for name, text in rendered.directives.items()]
        if place in table.BY_DIRECTIVE or place.replace("_", "-") in table.BY_DIRECTIVE:
            assert rendered.directives in ({}, {place.replace("_", "-"): value}, {place: True})
    # All places of one sort together, in a script that really runs.
    together = {
        name: value
        for name in PLACES
        if name.replace("_", "-") in table.BY_DIRECTIVE
        and name != "exclusive"
        and accepted(name, value)
        and not name.startswith("mem")
    }
    for place in ("directives", "exports", "srun_options", "launcher_options", "container options", "modules_use"):
        if accepted(place, value):
            asked = PLACES[place](value)
            together.update({name: text for name, text in asked.items() if name != "modules_use"})
    done = run(render_script(dict(together, command="python x.py", pre='printf "%s" "${VALUE-}"')).content, folder)
    found = expanded(value, folder)
    if found is None:
        return
    if "exports" in together:
        assert done.stdout == found.encode()
    calls = (
        [json.loads(line) for line in (folder / "calls").read_text().splitlines()]
        if (folder / "calls").exists()
        else []
    )
    words = [word for call in calls for word in call]
    if done.returncode == 0:
        for place, word in (("srun_options", "--label=" + found), ("launcher_options", "--role=" + found)):
            assert place not in together or word in words
        assert "container" not in together or found in words


PATHS = (
    "conda_env",
    "conda_env path",
    "conda_prefix",
    "venv",
    "uv_project",
    "container image",
    "container workdir",
    "charliecloud",
    "enroot",
    "modules",
)
BY_HAND = (
    "$(touch EXECUTED)",
    "`touch EXECUTED`",
    "'; touch EXECUTED; '",
    '"; touch EXECUTED; "',
    "a b",
    "x && touch EXECUTED",
)


@pytest.mark.parametrize("place", PATHS)
@pytest.mark.parametrize("value", BY_HAND)
def test_a_path_that_is_missing_is_a_message_and_no_command(folder, place, value):
    rendered = accepted(place, value)
    if rendered is not None:
        run(rendered.content, folder)
