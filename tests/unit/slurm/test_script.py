# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whole scripts: as recorded, as bash and sbatch read them, and run outside Slurm."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess

import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._common.errors import UserError
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.lint import script as lint
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.sbatch import script_text
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.script import activation, parameters, render


def render_script(params, slurm=None):
    return render.render(parameters.options_of(params), slurm)


GOLDEN = pathlib.Path(__file__).resolve().parents[1] / "golden" / "slurm"
GUIDE = {
    "style": "guide",
    "job_name": "test",
    "nodes": "1",
    "ntasks": 16,
    "partition": "titan",
    "gres": "gpu:1",
    "conda_prefix": "/opt/app/anaconda3",
    "conda_env": "torch",
    "command": "python pytorch_test.py",
}
TODAY = {
    "job_name": "train",
    "nodes": "1",
    "ntasks": 1,
    "cpus_per_task": 16,
    "partition": "titan",
    "gres": "gpu:1",
    "mem": "32G",
    "time": "12:00:00",
    "output": "%x-%j.out",
}
JOB = {"job_name": "train", "cpus_per_task": 16, "mem": "64G", "time": "12:00:00", "output": "%x-%j.out"}
RECORDED = {
    "guide": GUIDE,
    "conda": dict(TODAY, conda_prefix="/opt/app/anaconda3", conda_env="torch", command="python train.py"),
    "direct": dict(
        TODAY,
        conda_env="~/.conda/envs/torch",
        exports={"DATASET": "/data/my digits", "TEXT": "two\nlines"},
        pre=["mkdir -p results", "cd results"],
        command=["python ../train.py", "python ../plot.py"],
        post="ls",
        directives={"begin": "now", "hold": True},
    ),
    "module": dict(TODAY, modules=["anaconda3", "cuda/10.1"], conda_env="torch", command="python train.py"),
    "multi_gpu": dict(JOB, kind="multi_gpu", gres="gpu:4", venv="/venvs/torch", command="python train.py --lr 0.1"),
    "multi_node": dict(
        JOB, kind="multi_node", nodes="2", gpus_per_node="4", uv_project="~/project", command="python -m project.train"
    ),
    "multi_node_checkpoint": dict(
        JOB,
        kind="multi_node",
        nodes="2",
        gres="gpu:4",
        checkpoint_seconds=120,
        conda_env="/envs/torch",
        command="python train.py",
    ),
    "multi_node_static": dict(
        JOB,
        kind="multi_node",
        nodes="2",
        gres="gpu:2",
        launcher="torch.distributed.launch",
        conda_env="/envs/torch",
        command="python train.py",
    ),
    "accelerate": dict(
        JOB,
        kind="multi_node",
        nodes="2",
        gres="gpu:2",
        launcher="accelerate",
        launcher_options={"mixed_precision": "bf16"},
        srun_options={"label": True, "cpu-bind": "none"},
        conda_env="/envs/torch",
        command="python train.py",
    ),
    "deepspeed": dict(JOB, gres="gpu:2", launcher="deepspeed", conda_env="/envs/torch", command="python train.py"),
    "mpirun": dict(
        JOB,
        nodes="2",
        kind="multi_node",
        gres="gpu:2",
        launcher="mpirun",
        conda_env="/envs/torch",
        command="python train.py",
    ),
    "lightning": dict(
        JOB,
        kind="lightning",
        nodes="4",
        gres="gpu:8",
        checkpoint_seconds=90,
        conda_env="/envs/torch",
        command="python train.py",
    ),
    "array": dict(
        JOB,
        kind="array",
        array="0-9%4",
        output="%x-%A_%a.out",
        checkpoint_seconds=60,
        export="NONE",
        srun=True,
        conda_env="/envs/torch",
        command=["python train.py --fold $SLURM_ARRAY_TASK_ID", "python evaluate.py"],
    ),
    "apptainer": dict(
        JOB,
        gres="gpu:1",
        modules_purge=True,
        modules_use=["/opt/modules", "~/my modules"],
        modules=["apptainer"],
        container={
            "engine": "apptainer",
            "image": "~/images/torch.sif",
            "mounts": ["/data:/data:ro", "~/out"],
            "options": ["--cleanenv"],
        },
        command="python train.py",
    ),
    "charliecloud": dict(
        JOB, gres="gpu:1", container={"engine": "charliecloud", "image": "/images/torch"}, command="python train.py"
    ),
    "enroot": dict(
        JOB,
        exports={"EPOCHS": 3},
        container={"engine": "enroot", "image": "/images/torch.sqsh", "workdir": "/work"},
        command="python train.py",
    ),
    "pyxis": dict(
        JOB,
        kind="multi_node",
        nodes="2",
        gres="gpu:2",
        exports={"EPOCHS": 3},
        container={"engine": "pyxis", "image": "nvcr.io#nvidia/pytorch:24.01-py3", "mounts": ["/data:/data:ro"]},
        command="python train.py",
    ),
}
HOSTILE = [
    "two words",
    "it's",
    'a "b" c',
    "$(touch EXECUTED)",
    "`touch EXECUTED`",
    "; touch EXECUTED;",
    "'; touch EXECUTED; '",
    '"; touch EXECUTED; "',
    "x\n#SBATCH --partition=gold",
    "x\ntouch EXECUTED\n",
    "#SBATCH --partition=gold",
    "\\",
    "../..",
    "-x",
    "--",
    "h\u00e4tte",
    "\x1b[31m",
    "x\r",
    "%j",
    "* ? [a]",
    "!!",
    "&& touch EXECUTED",
    "| touch EXECUTED",
    "> EXECUTED",
    "hetjob",
    "$HOME",
    "~",
    "",
]


def run(content, folder, environment=None):
    """Run a script with bash, outside of Slurm and of any login shell."""
    path = folder / "job.sh"
    path.write_text(content)
    return subprocess.run(
        ["bash", str(path)],
        env=dict({"PATH": "/usr/bin:/bin", "HOME": str(folder)}, **(environment or {})),
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def make_env(prefix):
    """An env as far as activation looks: python, conda-meta and a hook that reads an unset variable."""
    for part in ("bin", "conda-meta", "etc/conda/activate.d"):
        (prefix / part).mkdir(parents=True)
    python = prefix / "bin" / "python"
    python.write_text('#!/bin/sh\necho "python of $0, hooked: $HOOKED, user site off: $PYTHONNOUSERSITE"\n')
    python.chmod(0o755)
    (prefix / "etc/conda/activate.d/hook.sh").write_text('export HOOKED="yes$NOT_SET"\n')
    return prefix


def make_conda(prefix):
    """A conda.sh that activates by name below its envs or by path, as conda's does."""
    hook = prefix / "etc/profile.d/conda.sh"
    hook.parent.mkdir(parents=True)
    hook.write_text(
        "conda() {\n"
        "    local env=$2\n"
        '    case "$env" in /*) ;; *) env=%s/envs/$env ;; esac\n'
        '    [ -d "$env/conda-meta" ] || return 1\n'
        '    export CONDA_PREFIX="$env" PATH="$env/bin:$PATH"\n'
        '    source "$env/etc/conda/activate.d/hook.sh"\n'
        "}\n" % prefix
    )
    return prefix


@pytest.mark.parametrize("name", sorted(RECORDED))
def test_a_script_is_as_recorded(name):
    assert render_script(RECORDED[name]).content == (GOLDEN / (name + ".sh")).read_text()


@pytest.mark.parametrize("name", sorted(set(RECORDED) - {"guide"}))
def test_the_linter_has_nothing_to_say_of_our_own_scripts(name):
    assert lint.lint(render_script(RECORDED[name]).content) == []


def test_the_linter_says_of_the_guide_why_we_write_another_one():
    found = lint.lint((GOLDEN / "guide.sh").read_text())
    assert [(finding.line, finding.code) for finding in found] == [(1, "no-mem"), (1, "no-time"), (4, "ntasks-as-cpus")]


def test_no_recorded_script_is_left_over():
    assert sorted(path.stem for path in GOLDEN.glob("*.sh")) == sorted(RECORDED)


@pytest.mark.parametrize("name", sorted(RECORDED))
def test_a_script_is_bash_and_its_directives_are_what_was_asked_for(name, sbatch, directives_of):
    rendered = render_script(RECORDED[name])
    checked = subprocess.run(["bash", "-n"], input=rendered.content, capture_output=True, text=True, check=False)
    assert (checked.returncode, checked.stderr) == (0, "")
    assert directives_of(rendered.content) == rendered.directives
    assert "Unable to contact slurm controller" in sbatch(rendered.content)


@pytest.mark.parametrize(
    "option,build",
    [
        ("job_name", lambda value: {"job_name": value}),
        ("comment", lambda value: {"comment": value}),
        ("output", lambda value: {"output": value}),
        ("chdir", lambda value: {"chdir": "/scratch/" + value}),
        ("partition", lambda value: {"partition": value}),
        ("gres", lambda value: {"gres": value}),
        ("constraint", lambda value: {"constraint": value}),
        ("export", lambda value: {"export": "A=" + value}),
        ("directives", lambda value: {"directives": {"begin": value}}),
        ("directives", lambda value: {"directives": {value: "now"}}),
        ("exports", lambda value: {"exports": {"VALUE": value}}),
        ("exports", lambda value: {"exports": {value: "1"}}),
        ("modules", lambda value: {"modules": [value]}),
        ("conda_env", lambda value: {"conda_env": value, "conda_prefix": "/opt/conda"}),
        ("conda_env", lambda value: {"conda_env": "/envs/" + value}),
        ("conda_env", lambda value: {"conda_env": "~/" + value, "activation": "direct"}),
        ("conda_prefix", lambda value: {"conda_env": "torch", "conda_prefix": "/opt/" + value}),
        ("conda_prefix", lambda value: {"conda_env": "torch", "conda_prefix": "/opt/" + value, "style": "guide"}),
        ("conda_prefix", lambda value: {"conda_env": "torch", "conda_prefix": "~/" + value, "style": "guide"}),
    ],
)
def test_a_hostile_value_stays_a_value_or_is_refused(option, build, tmp_path, directives_of):
    for value in HOSTILE:
        params = dict(build(value), command="true")
        try:
            rendered = render_script(params)
        except UserError as error:
            assert "\n" not in str(error)
            assert option in str(error)
            continue
        asked = (
            set(params)
            - {"command", "style", "directives", "exports", "modules"}
            - {"conda_env", "conda_prefix", "activation"}
        )
        parsed = directives_of(rendered.content)
        assert set(parsed) == {name.replace("_", "-") for name in asked} | set(params.get("directives", {}))
        assert all(parsed[name.replace("_", "-")] == params[name] for name in asked)
        assert [line for line in rendered.content.split("\n") if line.startswith(("#SBATCH", "#PBS", "#BSUB"))] == [
            script_text.line(name, text) for name, text in parsed.items()
        ]
        checked = subprocess.run(["bash", "-n"], input=rendered.content, capture_output=True, text=True, check=False)
        assert (checked.returncode, checked.stderr) == (0, ""), value
        run(rendered.content, tmp_path)
        assert not (tmp_path / "EXECUTED").exists(), value


@pytest.mark.parametrize("value", [value for value in HOSTILE if "\x00" not in value])
def test_an_export_reaches_the_command_as_it_is(tmp_path, value):
    rendered = render_script({"exports": [{"VALUE": value}], "command": 'printf "%s." "$VALUE"'})
    (tmp_path / "job.sh").write_text(rendered.content)
    ran = subprocess.run(["bash", str(tmp_path / "job.sh")], cwd=tmp_path, capture_output=True, check=False)
    assert ran.stdout == value.replace("$HOME", os.environ["HOME"]).encode() + b"."


def test_exports_keep_their_order_and_win_over_ours():
    content = render_script(
        {"conda_env": "/e", "exports": ["B=1", "A=2", "PYTHONNOUSERSITE="], "command": "true"}
    ).content
    assert content.index("export B=1") < content.index("export A=2")
    assert content.index("PYTHONNOUSERSITE=1") < content.index("PYTHONNOUSERSITE=''")


@pytest.mark.parametrize("where", ["path", "name"])
@pytest.mark.parametrize("how", ["conda", "direct"])
def test_the_env_is_active_outside_slurm_too(tmp_path, where, how):
    base = make_conda(tmp_path / "conda")
    concrete = make_env(tmp_path / ("store" if where == "name" else "my store") / "abc123")
    (base / "envs").mkdir()
    (base / "envs" / "torch").symlink_to(concrete)
    env = str(base / "envs" / "torch") if where != "name" else "torch"
    params = dict(TODAY, conda_prefix=str(base), conda_env=env, activation=how, command="python\necho $CONDA_PREFIX")
    ran = run(render_script(params).content, tmp_path)
    # The name's target, so that nothing changes under a running job.
    assert ran.stdout == "python of {0}/bin/python, hooked: yes, user site off: 1\n{0}\n".format(concrete), ran.stderr


@pytest.mark.parametrize("how", ["conda", "direct"])
@pytest.mark.parametrize("env", ["torch", "{base}/envs/torch"])
def test_an_env_whose_change_was_interrupted_is_refused(tmp_path, how, env):
    base = make_conda(tmp_path / "conda")
    prefix = make_env(base / "envs" / "torch")
    (prefix / activation.CHANGING_MARK).touch()
    params = {"conda_prefix": str(base), "conda_env": env.format(base=base), "activation": how, "command": "echo ran"}
    ran = run(render_script(params).content, tmp_path)
    assert (ran.returncode, ran.stdout) == (1, "")
    assert "interrupted" in ran.stderr and ran.stderr.count("\n") == 1


@pytest.mark.parametrize(
    "params,word",
    [
        ({"conda_prefix": "/no such/conda", "conda_env": "torch"}, "/no such/conda"),
        ({"conda_env": "/no such/env"}, "/no such/env"),
        ({"conda_env": "none", "conda_prefix": "/nowhere", "activation": "direct"}, "none"),
        ({"modules": ["no-such-module"]}, "module"),
    ],
)
def test_what_is_missing_ends_the_job_in_one_line(tmp_path, params, word):
    ran = run(render_script(dict(params, command="echo ran")).content, tmp_path)
    assert (ran.returncode, ran.stdout) == (1, "")
    # A module system may have printed more before.
    last = ran.stderr.splitlines()[-1]
    assert last.startswith("job script: ") and word in last and "remedy" in last


def test_activate_is_taken_from_what_the_modules_bring(tmp_path):
    env = make_env(tmp_path / "envs" / "torch")
    (tmp_path / "base").mkdir()
    (tmp_path / "base" / "activate").write_text(
        'export CONDA_PREFIX=%s/"$1" PATH=%s/"$1"/bin:"$PATH"\n' % (env.parent, env.parent)
    )
    functions = 'module() { [ "$2" = anaconda3 ] && PATH=%s:$PATH; }; export -f module; ' % (tmp_path / "base")
    path = tmp_path / "job.sh"
    path.write_text(render_script({"modules": ["anaconda3"], "conda_env": "torch", "command": "python"}).content)
    ran = subprocess.run(["bash", "-c", functions + "bash " + str(path)], capture_output=True, text=True, check=False)
    assert ran.stdout.startswith("python of %s/bin/python" % env), ran.stderr


# As conda's: what is active already, if only by its variables, gives its place in PATH to the new environment.
CONDA_ACTIVATE = """\
if [ "${CONDA_SHLVL:-0}" -gt 0 ]; then
    PATH=:$PATH:
    PATH=${PATH/":$CONDA_PREFIX/bin:"/":$env/bin:"}
    PATH=${PATH#:}
    PATH=${PATH%:}
else
    PATH="$env/bin:$PATH"
fi
export PATH CONDA_SHLVL=1 CONDA_PREFIX="$env"
"""


def make_module_conda(folder, env):
    """A base whose activate activates *env*, and the shell functions of a module system that puts it in front."""
    base = make_env(folder / "base")
    (base / "condabin").mkdir()
    (base / "bin/activate").write_text("env=%s\n%s" % (env, CONDA_ACTIVATE))
    (base / "etc/profile.d").mkdir()
    (base / "etc/profile.d/conda.sh").write_text("conda() {\nlocal env=%s\n%s}\n" % (env, CONDA_ACTIVATE))
    return (
        base,
        'module() { case ":${LOADED:-}:" in *:"$2":*) ;; *) PATH=%s/bin:$PATH; ;; esac; }; export -f module; ' % base,
    )


def active_in_shell(*prefixes, **more):
    """The variables of a shell in which these environments are active, the last one on top."""
    found = {"CONDA_PREFIX": str(prefixes[-1]), "CONDA_SHLVL": str(len(prefixes)), "CONDA_DEFAULT_ENV": "x", **more}
    found.update({"CONDA_PREFIX_%d" % number: str(each) for number, each in enumerate(prefixes[:-1], 1)})
    return dict(found, PATH="%s/bin:%s" % (prefixes[-1], os.environ["PATH"]))


@pytest.mark.parametrize("how", ["module", "conda", "direct"])
@pytest.mark.parametrize("active", ["nothing", "the env", "another", "base", "two", "the env, twice in PATH", "loaded"])
def test_the_env_is_active_whatever_was_active_in_the_submitting_shell(tmp_path, how, active):
    """uabrc/uabrc.github.io#979: base's python ran, and said that it was the environment's."""
    env, other = make_env(tmp_path / "my envs" / "torch"), make_env(tmp_path / "envs" / "other")
    base, functions = make_module_conda(tmp_path, str(env).replace(" ", "\\ "))
    (other / "bin/torchrun").write_text("#!/bin/sh\necho another torchrun\n")
    (other / "bin/torchrun").chmod(0o755)
    (other / "etc/conda/deactivate.d").mkdir()
    (other / "etc/conda/deactivate.d/hook.sh").write_text("unset OF_OTHER $NOT_SET; false\n")
    shell = {
        "nothing": dict(os.environ),
        "the env": active_in_shell(env),
        "another": active_in_shell(other, OF_OTHER="yes"),
        "base": active_in_shell(base),
        "two": active_in_shell(base, other, OF_OTHER="yes"),
        "the env, twice in PATH": active_in_shell(env, env),
        # The module is loaded already, so loading it again changes nothing.
        "loaded": active_in_shell(base, LOADED="anaconda3"),
    }[active]
    if active == "the env, twice in PATH":
        shell["PATH"] = "%s/bin:%s" % (env, shell["PATH"])
    params = {"modules": ["anaconda3"], "conda_env": str(env), "conda_prefix": str(base), "activation": how}
    path = tmp_path / "job.sh"
    command = "python\necho $CONDA_PREFIX ${CONDA_PREFIX_1:-} ${OF_OTHER:-}\ntype -P torchrun || true"
    path.write_text(render_script(dict(params, command=command)).content)
    ran = subprocess.run(
        ["bash", "-c", functions + "bash " + str(path)], env=shell, capture_output=True, text=True, check=False
    )
    lines = ran.stdout.splitlines()
    assert ran.returncode == 0 and lines[0].startswith("python of %s/bin/python" % env), ran.stdout + ran.stderr
    assert lines[1] == str(env) and not [line for line in lines[2:] if line.startswith(str(other))]


@pytest.mark.parametrize("how", ["module", "conda", "direct"])
def test_another_python_in_front_ends_the_job_in_one_line(tmp_path, how):
    """A hook of the environment's own puts it there; conda's do such things."""
    env = make_env(tmp_path / "envs" / "torch")
    base, functions = make_module_conda(tmp_path, env)
    front = "PATH=%s/bin:$PATH\n" % base
    (env / "etc/conda/activate.d/hook.sh").write_text(front)
    for path in ("bin/activate", "etc/profile.d/conda.sh"):
        text = (base / path).read_text()
        (base / path).write_text(text[:-2] + "\n" + front + "}\n" if text.endswith("}\n") else text + front)
    params = {"modules": ["anaconda3"], "conda_env": str(env), "conda_prefix": str(base), "activation": how}
    path = tmp_path / "job.sh"
    path.write_text(render_script(dict(params, command="echo ran")).content)
    ran = subprocess.run(["bash", "-c", functions + "bash " + str(path)], capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stdout) == (1, ""), ran.stderr
    assert ran.stderr == (
        "job script: expected the python of the environment %s to be the first in PATH; found %s/bin/python; "
        "remedy: leave out the module that puts it first in PATH%s\n"
        % (env, base, "" if how == "direct" else ", or give the path as conda_env and activation: direct")
    )


@pytest.mark.parametrize("how", ["module", "conda", "direct"])
def test_an_env_without_python_needs_none(tmp_path, how):
    env = make_env(tmp_path / "envs" / "r")
    (env / "bin/python").unlink()
    base, functions = make_module_conda(tmp_path, env)
    params = {"modules": ["anaconda3"], "conda_env": str(env), "conda_prefix": str(base), "activation": how}
    path = tmp_path / "job.sh"
    path.write_text(render_script(dict(params, command="echo ran")).content)
    ran = subprocess.run(["bash", "-c", functions + "bash " + str(path)], capture_output=True, text=True, check=False)
    assert ran.stdout == "ran\n", ran.stderr


def test_a_venv_that_was_moved_ends_the_job(tmp_path):
    """Its activate names the place where it was made; then the system's python would run."""
    for name in ("made", "moved"):
        make_env(tmp_path / name)
        (tmp_path / name / "bin/activate").write_text('PATH="%s/made/bin:$PATH"\n' % tmp_path)
    ran = run(render_script({"venv": str(tmp_path / "made"), "command": "python"}).content, tmp_path)
    assert ran.stdout.startswith("python of %s/made/bin/python" % tmp_path), ran.stderr
    ran = run(render_script({"venv": str(tmp_path / "moved"), "command": "python"}).content, tmp_path)
    assert (ran.returncode, ran.stdout) == (1, "")
    assert "found %s/made/bin/python" % tmp_path in ran.stderr and "cannot be moved" in ran.stderr


@pytest.mark.parametrize(
    "params,code,out",
    [
        ({"command": "exit 7"}, 7, ""),
        ({"command": ["false", "echo on"]}, 1, ""),
        ({"command": "false | true"}, 1, ""),
        ({"command": "exit 3", "post": "echo post"}, 3, ""),
        ({"pre": "false", "command": "echo ran"}, 1, ""),
        ({"pre": ["cd /", "X=1"], "command": "pwd; echo $X", "post": ["echo post"]}, 0, "/\n1\npost\n"),
    ],
)
def test_the_commands_exit_code_is_the_jobs(tmp_path, params, code, out):
    ran = run(render_script(params).content, tmp_path)
    assert (ran.returncode, ran.stdout) == (code, out)


def test_cpus_go_to_openmp_and_srun_inside_slurm_alone(tmp_path):
    content = render_script(
        {"cpus_per_task": 4, "command": 'echo "${OMP_NUM_THREADS-} ${SRUN_CPUS_PER_TASK-}"'}
    ).content
    assert run(content, tmp_path).stdout == " \n"
    assert run(content, tmp_path, {"SLURM_CPUS_PER_TASK": "4"}).stdout == "4 4\n"


@pytest.mark.parametrize(
    "option,value",
    [
        ("command", ""),
        ("command", None),
        ("command", []),
        ("command", ["a", 1]),
        ("command", {"a": "b"}),
        ("command", "#SBATCH --partition=gold"),
        ("command", "true\n#PBS -q gold\n"),
        ("command", "true\n#BSUB -q gold\n"),
        ("pre", "#SBTACH --gres=gpu:1"),
        ("pre", "# SBATCH \u2013gres=gpu:1"),
        ("post", "true \\"),
        ("command", "true\r\n"),
        ("command", "true\x00"),
        ("exports", {"A": None}),
        ("exports", {"A": True}),
        ("exports", {"A": ["x"]}),
        ("exports", {"A B": "x"}),
        ("exports", {"UID": "1"}),
        ("exports", ["A"]),
        ("exports", ["A=1", "A=2"]),
        ("exports", {"A": "\x00"}),
        ("exports", 5),
        ("modules", ["a b"]),
        ("conda_env", "a/b"),
        ("conda_env", "a b"),
        ("conda_env", "/a:b"),
        ("conda_prefix", "relative"),
        ("conda_prefix", "/a:b"),
        ("activation", "conda"),
    ],
)
def test_what_cannot_be_is_refused(option, value):
    with pytest.raises(UserError) as caught:
        render_script({"command": "true", option: value})
    assert option in caught.value.expected and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "params",
    [
        dict(GUIDE, activation="direct"),
        {"command": "true", "conda_env": "torch"},
        {"command": "true", "conda_env": "torch", "activation": "conda"},
    ],
)
def test_what_contradicts_itself_is_refused(params):
    with pytest.raises(UserError):
        render_script(params)


@pytest.mark.parametrize(
    "line", ["# a comment", "# BATCH size 64", "  # SBATCH is read above", "echo '#SBATCH'", "#!/bin/sh"]
)
def test_a_comment_is_a_comment(line):
    assert line.strip() in render_script({"command": ["true", line]}).content


def test_tasks_that_nothing_starts_are_warned_of():
    asked = {"ntasks": 16, "mem": "8G", "time": "10"}
    (warning,) = render_script(dict(asked, command="python x.py")).warnings
    assert "cpus-per-task 16" in warning
    assert render_script(dict(asked, command="srun python x.py")).warnings == []
    assert render_script(GUIDE).warnings == []


def test_gpus_chosen_by_hand_are_warned_of():
    (warning,) = render_script(dict(TODAY, exports={"CUDA_VISIBLE_DEVICES": "0"}, command="true")).warnings
    assert "CUDA_VISIBLE_DEVICES" in warning


def test_a_result_is_plain_data():
    json.dumps(render_script(RECORDED["direct"]).directives)
