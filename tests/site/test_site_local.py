"""The main job, site.yml on inventories/local, with everything below a folder of the test's own.

Four runs in order, each of which needs the one before: one in check mode, one that is killed while it makes the env,
the run after it, and one that has nothing to do.
"""

from __future__ import annotations

import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import typing as t

import pytest

CHECKOUT = pathlib.Path(__file__).resolve().parents[2]
# How many tasks an unchanged run of site.yml shows and modules it starts on the host: with the verdict, without.
# A change that needs fewer writes the new numbers here, so that they stay. More than these need a good reason.
TASKS_AND_MODULES = {"with": (28, 6), "without": (22, 5)}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    return tmp_path_factory.mktemp("site") / "root"


@pytest.fixture
def site(root: pathlib.Path, playbook_run: t.Callable[..., t.Any]) -> t.Callable[..., t.Any]:
    """Runs site.yml; arguments go to ansible-playbook."""
    return lambda *arguments, **keywords: playbook_run("site.yml", "-e", "local_root=%s" % root, *arguments, **keywords)


def kill_with_descendants(pid: int) -> None:
    """What a power cut does to a run: its workers and modules are in sessions of their own."""
    children: dict[int, list[int]] = {}
    for folder in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            stat = (folder / "stat").read_text()
        except OSError:
            continue
        children.setdefault(int(stat.rpartition(")")[2].split()[1]), []).append(int(folder.name))
    pending, found = [pid], []
    while pending:
        found.append(pending.pop())
        pending += children.get(found[-1], [])
    for each in found:
        try:
            os.kill(each, signal.SIGKILL)
        except ProcessLookupError:
            continue


def test_check_mode_on_a_bare_machine_writes_nothing_and_names_what_was_asked(site, root, tree_of):
    def checkout():
        # Hidden folders belong to git, pytest and the linters, which may run at the same time; .site is the playbook's.
        visible = [tree_of(path) for path in sorted(CHECKOUT.iterdir()) if not path.name.startswith(".")]
        return os.path.lexists(CHECKOUT / ".site"), visible

    before = checkout()
    run = site("--check", "--diff")
    assert run.rc == 0, run.output
    assert not root.exists() and checkout() == before
    assert re.search(r"envs/torch \(asked for, not solved\)\n@@.*\n\+numpy\n\+python\n\+pytorch=2.13.0\n", run.output)
    assert "not_checked" in run.output


def test_a_run_killed_while_it_makes_the_env_leaves_none(root):
    process = subprocess.Popen(
        [str(pathlib.Path(sys.executable).with_name("ansible-playbook")), "site.yml", "-e", "local_root=%s" % root],
        cwd=CHECKOUT,
        env=dict(
            os.environ,
            ANSIBLE_CONFIG=str(CHECKOUT / "ansible.cfg"),
            ANSIBLE_NOCOLOR="1",
            ANSIBLE_LOG_PATH=str(root.parent / "ansible.log"),
        ),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    # Keeps the pipe empty while this looks for the half-made env.
    log = (root.parent / "killed.log").open("w")
    drain = subprocess.Popen(["cat"], stdin=process.stdout, stdout=log)
    staging: list[pathlib.Path] = []
    while process.poll() is None and not staging:
        staging = [path for path in root.glob("envs/.torch.*.partial") if (path / "conda-meta").exists()]
        try:
            process.wait(0.02)
        except subprocess.TimeoutExpired:
            continue
    kill_with_descendants(process.pid)
    process.wait()
    drain.wait()
    assert staging, (root.parent / "killed.log").read_text()
    assert not (root / "envs/torch").exists()


def test_long_steps_said_where_they_were_on_the_terminal_and_in_the_log(root):
    where = re.compile(r"localhost: pack(ed)? \S+ \d+ of \d+")
    assert where.search((root.parent / "killed.log").read_text())
    assert where.search((root.parent / "ansible.log").read_text())


def test_the_next_run_mends_it_trains_and_sums_up(site, root):
    run = site()
    assert run.rc == 0, run.output
    assert os.listdir(root / "envs") == ["torch"]
    summary = run.output[run.output.index("PLAY [Summary]") :]
    assert re.search(r"torch +2\.13\.0", summary) and "cpu_only_build" in summary
    assert re.search(r"passed with (bash|sbatch)", summary)
    loss = float(re.search(r"result: loss=([0-9.]+)", run.output).group(1))
    assert loss < 0.25


def slurm_answers() -> bool:
    """Then the job takes other tasks. Its commands alone, which the tests bring, make no difference."""
    scontrol = shutil.which("scontrol")
    return scontrol is not None and subprocess.run([scontrol, "ping"], capture_output=True, check=False).returncode == 0


@pytest.fixture
def count(load_module, tmp_path):
    """Makes a run write what it does; asserts that this is what TASKS_AND_MODULES says."""
    tool, file = load_module("tests/task_counts.py"), tmp_path / "counts"

    def check(verdict: str) -> None:
        counts = tool.read(file)
        assert counts.cold == []
        found = (len(counts.tasks), len(counts.modules["localhost"]))
        assert found == TASKS_AND_MODULES[verdict] or slurm_answers(), "\n".join(counts.tasks)

    check.environment = tool.environment(file)
    return check


@pytest.fixture
def standing(root, tree_of):
    """What a second run leaves as it is: all but the job's output, and the report, which names the last check."""
    passing = tuple("%s/%s" % (root, name) for name in ("jobs/", "report"))
    return lambda: [entry for entry in tree_of(root) if not entry[0].startswith(passing)]


def test_the_second_run_changes_nothing(site, standing, count):
    before = standing()
    run = site("--diff", environment=count.environment)
    assert run.rc == 0 and run.recap["changed"] == 0, run.output
    count("with")
    assert standing() == before
    assert "result: loss=" in run.output
    # As a person sees it.
    checked = site("--check", "--diff", environment={"ANSIBLE_STDOUT_CALLBACK": "hpc.pytorch.steps"})
    lines = checked.output.split("\n")[:-1]
    assert checked.rc == 0 and lines[-1].endswith(" s  1 host: nothing would change"), checked.output
    assert len(lines) <= 40, checked.output
    # It runs no job in check mode, so there is no result.
    assert [line.split()[0] for line in lines[-5:-1]] == ["env", "torch", "verdict", "script"], checked.output


def test_the_verdict_can_be_left_out_and_the_summary_says_so(site, count):
    run = site("--skip-tags", "verdict", environment=count.environment)
    assert run.rc == 0 and run.recap["changed"] == 0, run.output
    summary = run.output[run.output.index("PLAY [Summary]") :]
    # Nothing is claimed of what was not checked.
    assert re.search(r"^verdict +left out \(--skip-tags verdict\)\n", summary, re.MULTILINE)
    assert "verdict  localhost" not in summary and "torch    " not in summary
    count("without")


def test_what_a_person_does_next_works(root):
    script = (
        """
        set -eu
        export MODULEPATH=%s/modulefiles
        . /usr/share/lmod/lmod/init/bash
        module load anaconda3
        source activate torch
        python -c 'import torch; print(torch.__version__, int(torch.ones(2, 2).matmul(torch.ones(2, 2)).sum()))'
        python -m pip check
        echo "$CONDA_PREFIX"
    """
        % root
    )
    done = subprocess.run(
        ["bash", "--norc", "-c", script],
        env={"PATH": "/usr/bin:/bin", "HOME": str(root.parent), "PYTHONDONTWRITEBYTECODE": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    lines = done.stdout.splitlines()
    assert lines[0].startswith("2.13.0") and lines[0].endswith(" 8"), done.stdout
    assert lines[1:] == ["No broken requirements found.", "%s/envs/torch" % root], done.stdout


def test_the_commands_for_users_work_without_ansible(root):
    script = (
        """
        set -eu
        export MODULEPATH=%s/modulefiles
        . /usr/share/lmod/lmod/init/bash
        module load hpc-pytorch-tools anaconda3
        source activate torch
        sbatch-lint --fail-on error jobs/train.sh >&2
        torch-verdict --expect-gpus 0 --json
    """
        % root
    )
    done = subprocess.run(
        ["bash", "--norc", "-c", script],
        cwd=root,
        env={"PATH": "/usr/bin:/bin", "HOME": str(root.parent)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["verdict"] == "cpu_only" and result["python"]["prefix"] == "%s/envs/torch" % root
    assert result["warnings"] == []


@pytest.fixture
def training(root, play):
    """Writes a job script of the example for that env, and gives its path."""

    def write(folder, command, **variables):
        named = {"job_script_%s" % name: value for name, value in variables.items()}
        run = play(
            [{"ansible.builtin.include_role": {"name": "hpc.pytorch.job_script"}}],
            dict(
                named,
                job_script_dest=str(folder / "job.sh"),
                job_script_conda_env=str(root / "envs/torch"),
                job_script_example=True,
                job_script_command="python train_digits.py --max-loss 9 " + command,
            ),
        )
        assert run.rc == 0, run.output
        return folder / "job.sh"

    return write


def bash(script, **environment):
    return subprocess.run(
        ["bash", str(script)],
        cwd=script.parent,
        env=dict({"PATH": "/usr/bin:/bin", "HOME": str(script.parent)}, **environment),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


def test_two_processes_train_together_under_torchrun(training, tmp_path):
    done = bash(training(tmp_path, "--epochs 2", kind="multi_gpu", nproc_per_node=2))
    assert done.returncode == 0, done.stdout
    assert re.search(r"result: .* processes=2$", done.stdout.strip())
    # A process that adds up something else is noticed before it trains.
    example = tmp_path / "train_digits.py"
    example.write_text(example.read_text().replace("[self.rank + 1.0]", "[2.0 * self.rank + 1.0]"))
    wrong = bash(tmp_path / "job.sh")
    assert (
        wrong.returncode != 0
        and "expected a sum of 3 over 2 processes; found 4" in wrong.stdout
        and "epoch" not in wrong.stdout
    )


def test_two_tasks_of_srun_train_together(training, root, tmp_path):
    script = training(tmp_path, "--epochs 1")
    port = subprocess.run(
        [
            str(root / "envs/torch/bin/python"),
            "-c",
            "import socket; s = socket.socket(); s.bind(('localhost', 0)); print(s.getsockname()[1])",
        ],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    ).stdout.strip()
    tasks = []
    for number in ("0", "1"):
        environment = {
            "PATH": "/usr/bin:/bin",
            "HOME": str(tmp_path),
            "SLURM_PROCID": number,
            "SLURM_LOCALID": number,
            "SLURM_STEP_NUM_TASKS": "2",
            "MASTER_ADDR": "localhost",
            "MASTER_PORT": port,
        }
        tasks.append(
            subprocess.Popen(["bash", str(script)], cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True)
        )
    said = [task.communicate()[0] for task in tasks]
    assert [task.returncode for task in tasks] == [0, 0]
    assert said[0].strip().endswith("processes=2") and "result" not in said[1]


def test_a_training_that_is_told_of_its_time_limit_goes_on_where_it_was(training, tmp_path):
    script = training(tmp_path, "--epochs 1000 --checkpoint state.pt", checkpoint_seconds=60)
    job = subprocess.Popen(
        ["bash", str(script)],
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert job.stdout.readline().startswith("epoch 1/1000")
    job.send_signal(signal.SIGUSR1)
    last = job.stdout.read().splitlines()[-1]
    assert job.wait() == 0
    epoch = int(re.fullmatch(r"checkpoint: epoch=(\d+) of 1000", last).group(1))
    script.write_text(script.read_text().replace("--epochs 1000", "--epochs %d" % (epoch + 1)))
    again = bash(script)
    assert again.returncode == 0, again.stdout
    lines = again.stdout.splitlines()
    assert (
        lines[0] == "going on from epoch %d" % epoch
        and lines[1].startswith("epoch %d/" % (epoch + 1))
        and "result: " in lines[2]
    )


def test_pip_inside_the_env_stays_inside(root, tmp_path):
    python = root / "envs/torch/bin/python"
    script = "import sysconfig, site; print(sysconfig.get_path('purelib')); print(sysconfig.get_default_scheme())"
    done = subprocess.run([str(python), "-c", script], stdout=subprocess.PIPE, text=True, check=True)
    purelib, scheme = done.stdout.split()
    assert purelib.startswith("%s/envs/torch/lib/python3" % root) and purelib.endswith("/site-packages")
    assert scheme == "posix_prefix"


def test_a_site_env_is_published_replaced_and_brought_back_without_a_solver(root, play, tmp_path):
    role = [{"ansible.builtin.include_role": {"name": "hpc.pytorch.torch_env"}}]
    variables = {
        "torch_env_scope": "site",
        "torch_env_site_dir": str(tmp_path / "envs"),
        "torch_env_channels": ["file://%s/channel" % root],
        "torch_env_package_cache": str(root / "pkgs"),
        "conda_engine_prefix": str(root / "engine"),
    }
    link = tmp_path / "envs/torch"
    assert play(role, variables).rc == 0
    first = os.readlink(link)
    assert play(role, variables).recap["changed"] == 0
    assert play(role, dict(variables, torch_env_packages=["numpy"])).rc == 0
    second = os.readlink(link)
    assert second != first and (tmp_path / "envs" / first / "bin/python").exists()
    # Back: no channel and no engine are there any more.
    gone = dict(variables, torch_env_packages=[], torch_env_executable="/nonexistent/python")
    assert play(role, gone).rc == 0 and os.readlink(link) == first
    refused = play(role, dict(variables, torch_env_state="latest"))
    assert refused.rc != 0 and "whose envs never change" in refused.output.replace("\n       ", "")
    assert play(role, dict(variables, torch_env_state="absent")).rc == 0 and not link.is_symlink()


def test_a_training_that_does_not_learn_fails_the_run(site):
    run = site("-e", "job_script_command='python train_digits.py --epochs 0'")
    assert run.rc != 0 and "expected" in run.output and "remedy" in run.output
