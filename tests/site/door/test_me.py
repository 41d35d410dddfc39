# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One person's command, from the tarball, as an ordinary user: nothing but ansible-core, no inventory, no settings.

The tests run in order. Each needs what the one before left in the home directory.
"""

from __future__ import annotations

import dataclasses
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import typing as t

import pytest

CHECKOUT = pathlib.Path(__file__).resolve().parents[3]
# The user and group "nobody", as long as root runs the tests.
NOBODY = 65534


def ansible_requirement() -> str:
    """The line of the controller's requirements."""
    lines = (CHECKOUT / "requirements/controller.txt").read_text().splitlines()
    return next(line for line in lines if line.startswith("ansible-core"))


@dataclasses.dataclass
class Person:
    """An ordinary user with a home directory and a venv that has ansible-core."""

    home: pathlib.Path
    bin: pathlib.Path
    environment: dict[str, str]

    def run(self, *command: str, cwd: str = "/") -> subprocess.CompletedProcess[str]:
        user = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.geteuid() == 0 else {}
        return subprocess.run(
            command,
            cwd=cwd,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            **t.cast("dict[str, t.Any]", user),
        )

    def me(self, *arguments: str) -> tuple[int, str]:
        done = self.run(str(self.bin / "ansible-playbook"), "hpc.pytorch.me", *arguments)
        return done.returncode, done.stdout


@pytest.fixture(scope="module")
def person() -> t.Iterator[Person]:
    folder = pathlib.Path(tempfile.mkdtemp(prefix="hpc-door-"))
    folder.chmod(0o755)
    venv, home = folder / "venv", folder / "home"
    python = "/usr/bin/python3" if os.geteuid() == 0 else sys.executable
    subprocess.run([python, "-m", "venv", str(venv)], check=True)
    subprocess.run([str(venv / "bin/pip"), "install", "--quiet", ansible_requirement()], check=True)
    subprocess.run(
        [str(venv / "bin/ansible-galaxy"), "collection", "build", "--output-path", str(folder), str(CHECKOUT)],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    home.mkdir()
    # How a package index is reached; the cache is root's.
    text = pathlib.Path(os.environ["PIP_CONFIG_FILE"]).read_text()
    (folder / "pip.conf").write_text(re.sub(r"(?m)^cache-dir.*\n", "", text))
    if os.geteuid() == 0:
        os.chown(home, NOBODY, NOBODY)
    kept = {name: value for name, value in os.environ.items() if name.lower().endswith("_proxy") or "SSL_CERT" in name}
    someone = Person(
        home,
        venv / "bin",
        {
            **kept,
            "HOME": str(home),
            "PATH": "%s/bin:/usr/bin:/bin" % venv,
            "VIRTUAL_ENV": str(venv),
            "LC_ALL": "C.UTF-8",
            "PIP_CONFIG_FILE": str(folder / "pip.conf"),
            "PYTHONDONTWRITEBYTECODE": "1",
            "ANSIBLE_NOCOLOR": "1",
        },
    )
    (tarball,) = folder.glob("hpc-pytorch-*.tar.gz")
    done = someone.run(str(venv / "bin/ansible-galaxy"), "collection", "install", str(tarball))
    assert done.returncode == 0, done.stdout
    yield someone
    subprocess.run(["chmod", "-R", "u+rwX", str(folder)], check=True)
    shutil.rmtree(folder)


def typed(output: str) -> list[str]:
    """The lines to type, which can be copied as they are."""
    lines = output[output.index("\nType this to use it:\n") :].splitlines()
    return [line.strip() for line in lines if re.match(r"  (source|bash|sbatch) ", line)]


def test_check_mode_writes_nothing(person: Person) -> None:
    rc, output = person.me("-e", "torch=2.13.0", "--check", "--diff")
    assert rc == 0, output
    assert sorted(os.listdir(person.home)) == [".ansible"]
    assert "Type this" not in output


def test_channels_and_another_folder_may_be_named(person: Person) -> None:
    folder = str(person.home / "scratch")
    rc, output = person.me("-e", "channels=conda-forge", "-e", "me_folder=~/scratch", "-e", "gpus=a100", "--check")
    assert rc == 0, output
    assert "env      %s/envs/torch" % folder in output and "script   %s/jobs/train.sh" % folder in output
    assert "Publish the channel" not in output and sorted(os.listdir(person.home)) == [".ansible"]


def test_one_command_makes_all_of_it(person: Person) -> None:
    rc, output = person.me("-e", "torch=2.13.0")
    assert rc == 0, output
    assert re.search(r"torch +2\.13\.0", output) and re.search(r"verdict +(ok|cpu_only)", output)
    assert "verdict  cpu_only" not in output or "cpu_only - torch works on this machine's CPU" in output
    activate, submit = typed(output)
    # In a shell whose active venv is Ansible's.
    script = """
        . "$VIRTUAL_ENV/bin/activate"
        set -eu
        %s
        test -z "${VIRTUAL_ENV-}"
        python -c 'import sys, torch; print(sys.prefix, torch.__version__)'
        python -m pip check
        pip --version
        %s
    """ % (activate, submit.replace("sbatch ", "bash "))
    done = person.run("bash", "--norc", "-c", script, cwd=str(person.home))
    lines = done.stdout.splitlines()
    assert done.returncode == 0 and lines[0].startswith("%s/.conda/envs/torch 2.13.0" % person.home), done.stdout
    assert lines[1] == "No broken requirements found." and "/envs/torch/" in lines[2], done.stdout
    # It has learnt: the example ends with an error otherwise.
    assert lines[-1].startswith("result: loss="), done.stdout


def test_the_name_alone_activates_it(person: Person) -> None:
    script = "source ~/.local/share/hpc.pytorch/bin/activate torch && echo $CONDA_DEFAULT_ENV && command -v python"
    done = person.run("bash", "--norc", "-c", script, cwd=str(person.home))
    assert done.stdout.split() == ["torch", "%s/.conda/envs/torch/bin/python" % person.home], done.stdout


def test_the_second_run_changes_nothing_and_keeps_a_script_that_was_edited(person: Person) -> None:
    script = person.home / "jobs/train.sh"
    text = script.read_text() + "# mine\n"
    script.write_text(text)
    rc, output = person.me("-e", "torch=2.13.0")
    assert rc == 0 and " changed=0 " in output, output
    assert script.read_text() == text and "left as it is" in output


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["gpu=a100", "partitoin=x"], "found gpu, partitoin; remedy: write gpus, partition, or leave it out"),
        (["gpus=a100"], "which has one; remedy: make another next to it, as in -e torch_env_name=torch-gpu"),
        (
            ["torch=>=2.5"],
            "expected torch to be a version such as 2.13.0, or 2.13 for the newest 2.13; found >=2.5; remedy: write",
        ),
        (["torch=2.13.0+cu126"], "found 2.13.0+cu126; remedy: write -e torch=2.13.0"),
        (["torch=latest"], "found latest; remedy: write -e torch=2.13.0, or leave it out"),
        (["me_folder=/proc/1/x"], "/proc/1/x"),
        (["me_folder=/usr"], "expected me_folder to be a folder that you can write; found /usr"),
    ],
)
def test_what_would_not_do_what_was_asked_is_refused(person: Person, arguments: list[str], said: str) -> None:
    rc, output = person.me("-e", "torch=2.13.0", *(word for each in arguments for word in ("-e", each)))
    assert rc == 2 and said in " ".join(output.split()), output


@pytest.mark.parametrize("text", ["torch==2.13.0", "pytorch=2.13.0", "v2.13.0", "==2.13.0"])
def test_a_version_may_be_written_as_for_pip_or_conda(person: Person, text: str) -> None:
    """The environment stands: it was made for 2.13.0."""
    rc, output = person.me("-e", "torch=%s" % text, "-i", "localhost,")
    assert rc == 0 and " changed=0 " in output and "No inventory was parsed" not in output, output


def test_the_line_for_another_time_works_where_nothing_is_active(person: Person) -> None:
    """With the environment's own activation in between, as a person would have it."""
    _rc, output = person.me("-e", "torch=2.13.0")
    line = output[output.index("Type this to run it again") :].splitlines()[1].strip()
    activate = typed(output)[0]
    done = person.run("bash", "--norc", "-c", "%s && %s --check" % (activate, line), cwd=str(person.home))
    assert done.returncode == 0 and " changed=0 " in done.stdout, done.stdout


def test_the_lines_for_pip_may_be_other_ones(person: Person) -> None:
    """Without pip among them, the channel brings it."""
    arguments = ["-e", "torch_env_name=lines", "-e", '{"torch_env_pip": ["numpy"]}']
    rc, output = person.me("-e", "torch=2.13.0", *arguments)
    assert rc == 0 and re.search(r"verdict +(ok|cpu_only)", output), output
    done = person.run(
        "bash", "--norc", "-c", "source ~/.local/share/hpc.pytorch/bin/activate lines && python -m pip check"
    )
    assert done.returncode == 0, done.stdout


def test_another_environment_has_a_script_of_its_own(person: Person) -> None:
    rc, output = person.me("-e", "torch=2.13.0", "-e", "torch_env_name=second", "--check")
    assert rc == 0 and "%s/jobs/train-second.sh" % person.home in output, output


def test_an_environment_of_somebody_else_is_refused(person: Person) -> None:
    env = person.home / ".conda/envs/mine"
    done = person.run("mkdir", "-p", str(env / "conda-meta"))
    assert done.returncode == 0
    rc, output = person.me("-e", "torch=2.13.0", "-e", "torch_env_name=mine")
    assert rc == 2 and "found one that something else made; remedy: choose another name" in " ".join(output.split())
    rc, output = person.me("-e", "torch_env_prefix=~/.conda/envs/mine")
    assert rc == 2 and "found one that something else made" in " ".join(output.split())
    assert os.listdir(env) == ["conda-meta"]
