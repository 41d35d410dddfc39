# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Variables of the job in values: bash expands them, nothing else of a value, and sbatch none."""

from __future__ import annotations

import json
import subprocess
import sys

import hypothesis
import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._common.errors import UserError
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.script import parameters, render, shell
from hypothesis import strategies

ENVIRONMENT = {"SCRATCH": "/my scratch", "USER": "alice", "HOSTILE": "$(touch EXECUTED)`touch EXECUTED`", "HOME": "/h"}


def render_script(params):
    return render.render(parameters.options_of(dict({"command": "true"}, **params)))


def expand(word, environment=None):
    """What bash makes of a word of shell, with set -u; None if it refuses."""
    done = subprocess.run(
        ["bash", "-uc", "printf '%s.' " + word],
        env=dict(ENVIRONMENT, PATH="/usr/bin:/bin", **(environment or {})),
        capture_output=True,
        check=False,
    )
    return done.stdout.decode()[:-1] if done.returncode == 0 else None


SAME = object()


@pytest.mark.parametrize(
    "text,expected",
    [
        ("$SCRATCH", "/my scratch"),
        ("${SCRATCH}data", "/my scratchdata"),
        ("a/$USER/b c", "a/alice/b c"),
        ("$SCRATCH$USER.$USER:x", "/my scratchalice.alice:x"),
        ("${NOT_SET:-/tmp/$USER/${USER}x}/a", "/tmp/alice/alicex/a"),
        ("${USER:-other}", "alice"),
        ("${NOT_SET:-a $(id) $((1)) <x>}", "a $(id) $((1)) <x>"),
        ("${A:-it's} ${A:-`id`} ${A:-\\} ${A:-{}} ${A:-\"}", SAME),
        ("${NOT_SET:-}", ""),
        ("$NOT_SET", None),
        ("$SCRATCH_not", None),
        # What a value holds is not read again.
        ("$HOSTILE", ENVIRONMENT["HOSTILE"]),
        # Everything else is text.
        ("\\$USER ${USER}", "$USER alice"),
        ("\\${USER}", "${USER}"),
        ("\\$(id) \\ $5 $$ $! $? $# $@ $* $- $_ a$", "\\$(id) \\ $5 $$ $! $? $# $@ $* $- $_ a$"),
        ("$((1+1)) $[1+1] $(id) `id`", "$((1+1)) $[1+1] $(id) `id`"),
        ("${USER@P} ${!USER} ${#USER} ${USER%e} ${USER:=x} ${USER:?x} ${USER-x}", SAME),
        ("$'\\n' $\"x\" ~/a", "$'\\n' $\"x\" ~/a"),
        ("$USER\n#SBATCH --x\n$USER'", "alice\n#SBATCH --x\nalice'"),
    ],
)
def test_bash_expands_the_variables_and_nothing_else(text, expected):
    word = shell.word(text)
    assert "\n" not in word
    assert expand(word) == (text if expected is SAME else expected)


PIECES = [
    "$USER",
    "${USER}",
    "${NOT_SET:-d}",
    "\\",
    "$",
    "{",
    "}",
    '"',
    "'",
    "`id`",
    "$(id)",
    "a",
    " ",
    "\n",
    "!",
    ":-",
    "\u00e9",
]


@hypothesis.settings(max_examples=150, deadline=None, derandomize=True, database=None)
@hypothesis.given(parts=strategies.lists(strategies.sampled_from(PIECES), min_size=1, max_size=7))
def test_a_word_is_the_texts_and_the_values_of_its_variables(parts):
    text = "".join(parts)
    expected = ""
    for piece in shell.pieces(text):
        if isinstance(piece, str):
            expected += piece
        elif piece.name == "USER":
            expected += "alice"
        elif piece.default is None:
            expected = None
            break
        else:
            expected += expand(shell.word(piece.default) if piece.default else "''")
    assert expand(shell.word(text)) == expected
    # A value without variables is that value, whatever it holds.
    if not shell.variables(text) and "\\$" not in text:
        assert expected == text


@pytest.mark.parametrize(
    "text,expected",
    [
        ("/a:/b:ro", ["/a", "/b", "ro"]),
        ("${A:-/x:y}:$B/b:ro", ["${A:-/x:y}", "$B/b", "ro"]),
        ("$A", ["$A"]),
        ("\\$A:b", ["\\$A", "b"]),
    ],
)
def test_a_value_is_split_outside_of_its_variables(text, expected):
    assert shell.split(text, ":") == expected


TOOL = """#!{python}
import json, os, sys
with open(os.environ["CALLS"], "a") as stream:
    stream.write(json.dumps([os.path.basename(sys.argv[0]), *sys.argv[1:]]) + "\\n")
for index, word in enumerate(sys.argv[1:], 1):
    if word in ("torchrun", "apptainer", "enroot", "ch-run"):
        os.execvp(word, sys.argv[index:])
"""


@pytest.fixture
def start(tmp_path):
    """Run a script with stand-ins: the last call of its tools, and the run."""
    for name in ("srun", "torchrun", "apptainer", "enroot", "ch-run"):
        (tmp_path / name).write_text(TOOL.format(python=sys.executable))
        (tmp_path / name).chmod(0o755)
    (tmp_path / "my scratch/torch.sif").mkdir(parents=True)

    def run(environment=None, **params):
        (tmp_path / "job.sh").write_text(render_script(params).content)
        ran = subprocess.run(
            ["bash", "job.sh"],
            env=dict(
                {
                    "PATH": "%s:/usr/bin:/bin" % tmp_path,
                    "HOME": "/h",
                    "CALLS": str(tmp_path / "calls"),
                    "USER": "alice",
                },
                SCRATCH=str(tmp_path / "my scratch"),
                **(environment or {}),
            ),
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        calls = (tmp_path / "calls").read_text().splitlines() if (tmp_path / "calls").exists() else ["[]"]
        ran.last = json.loads(calls[-1])
        return ran

    run.scratch = str(tmp_path / "my scratch")
    return run


@pytest.mark.parametrize(
    "engine,words",
    [
        (
            "apptainer",
            ["--bind={0}/data:/data:ro", "--bind=/h/x:{0}", "--pwd={0}/work", "--env=A=alice", "{0}/torch.sif"],
        ),
        (
            "charliecloud",
            ["--bind={0}/data:/data", "--bind=/h/x:{0}", "--cd={0}/work", "--env=A=alice", "{0}/torch.sif"],
        ),
        ("enroot", ["{0}/data:/data", "/h/x:{0}", "{0}/work", "--env=A=alice", "{0}/torch.sif"]),
        (
            "pyxis",
            [
                "--container-image={0}/torch.sif",
                "--container-mounts={0}/data:/data,/h/x:{0}",
                "--container-workdir={0}/work",
                "--env=A=alice",
            ],
        ),
    ],
)
def test_an_image_its_mounts_and_its_folder_are_where_the_job_says(start, engine, words):
    ran = start(
        {"SLURM_JOB_ID": "1"},
        container={
            "engine": engine,
            "image": "$SCRATCH/torch.sif",
            "mounts": ["${DATA:-$SCRATCH/data}:/data" + (":ro" if engine == "apptainer" else ""), "~/x:$SCRATCH"],
            "workdir": "$SCRATCH/work",
            "options": ["--env=A=$USER"],
        },
        command="python train.py",
    )
    assert ran.returncode == 0, ran.stderr
    assert [word for word in words if word.format(start.scratch) not in ran.last] == []


def test_an_image_that_is_missing_there_ends_the_job(start):
    ran = start(container={"image": "$SCRATCH/other.sif", "engine": "apptainer"}, command="python train.py")
    assert (ran.returncode, ran.last) == (1, []) and "expected the image" in ran.stderr


def test_a_variable_alone_may_be_a_name_that_the_engine_knows(start):
    image = {"container": {"image": "$IMAGE", "engine": "apptainer"}, "command": "python train.py"}
    assert "docker://x" in start({"IMAGE": "docker://x"}, **image).last


def test_options_of_srun_and_of_the_launcher_and_exports(start):
    ran = start(
        {"SLURM_JOB_ID": "4711"},
        kind="multi_gpu",
        nproc_per_node=2,
        srun=True,
        srun_options={"output": "$SCRATCH/%t.out"},
        launcher_options={"log_dir": "$LOGS/${SLURM_JOB_ID}"},
        exports=["LOGS=$SCRATCH/logs", "TWICE=$LOGS:\\$LOGS"],
        command="python train.py",
        post='echo "$TWICE"',
    )
    assert ran.returncode == 0, ran.stderr
    assert "--log_dir=%s/logs/4711" % start.scratch in ran.last
    assert ran.stdout == "%s/logs:$LOGS\n" % start.scratch


@pytest.mark.parametrize("option", ["venv", "uv_project", "conda_env", "conda_prefix", "modules_use"])
def test_a_variable_that_is_not_set_ends_the_job_with_its_name(start, option):
    params = {"conda_env": "torch"} if option == "conda_prefix" else {}
    ran = start(
        **dict(params, **{option: ["$NOT_SET"] if option == "modules_use" else "$NOT_SET/x"}), command="echo ran"
    )
    assert ran.returncode == 1 and "NOT_SET: unbound variable" in ran.stderr and ran.stdout == ""


@pytest.mark.parametrize("option", ["venv", "uv_project", "conda_env"])
@pytest.mark.parametrize("front", ["$SCRATCH", "${SLURM_TMPDIR:-$SCRATCH}", "${SCRATCH:-$NOT_SET}"])
def test_an_environment_is_found_there(start, option, front, tmp_path):
    folder = tmp_path / "my scratch/env"
    target = folder / ".venv" if option == "uv_project" else folder
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(target)], check=True)
    (target / "conda-meta").mkdir()
    ran = start(**{option: front + "/env"}, command="type -P python")
    assert (ran.returncode, ran.stdout) == (0, "%s/bin/python\n" % target), ran.stderr


@pytest.mark.parametrize(
    "params,word",
    [
        ({"output": "$SCRATCH/x.out"}, "%u"),
        ({"error": "logs/${USER}.err"}, "%u"),
        ({"chdir": "$HOME"}, "in pre"),
        ({"job_name": "of-$USER"}, "write the name out"),
        ({"export": "ALL,A=$B"}, "exports"),
        ({"directives": {"wckey": "$USER"}}, "write the value out"),
        ({"exports": {"RANK": "$SLURM_PROCID"}}, "in the program"),
        ({"exports": ["RANK=${X:-$SLURM_NODEID}"]}, "in the program"),
        ({"container": {"engine": "pyxis", "image": "/i", "options": ["--x=$SLURM_LOCALID"]}}, "in the program"),
        ({"container": {"engine": "pyxis", "image": "/i", "mounts": ["$A/a:b"]}}, "container.mounts"),
        ({"venv": "a/$USER"}, "venv"),
        ({"venv": "$A:b"}, "colon"),
        ({"venv": "${A:-b:c}"}, "colon"),
    ],
)
def test_where_a_variable_would_mean_something_else_it_is_refused(params, word):
    with pytest.raises(UserError) as caught:
        render_script(params)
    assert word in str(caught.value)


@pytest.mark.parametrize(
    "params", [{"comment": "costs $USER"}, {"output": "cost$5-%j.out"}, {"job_name": "$(x)"}, {"export": "ALL,A=b$"}]
)
def test_other_dollars_in_directives_are_text(params, directives_of):
    assert directives_of(render_script(params).content) == {
        name.replace("_", "-"): value for name, value in params.items()
    }
