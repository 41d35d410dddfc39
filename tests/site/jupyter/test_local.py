# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Role jupyter_kernel and a real JupyterLab on this machine: cells run by its API, and what a page shows."""

from __future__ import annotations

import json
import os
import pathlib
import shutil
import sys
import typing as t

import pytest

ROLE = [{"name": "Run", "ansible.builtin.include_role": {"name": "hpc.pytorch.jupyter_kernel"}}]
SEEN = """\
import os, sys, torch
print(torch.__version__, torch.ones(2).sum().item(), sys.prefix)
print(os.environ["CUDA_HOME"], os.environ["LD_LIBRARY_PATH"].split(":")[0], os.environ["HOOKED"], os.environ["SPACE"])
print(os.environ["PATH"].split(":")[:2])
"""

# A kernel that serves requests a second before its channel for output can be reached, and three before the questions'.
LATE = """\
import os, threading
from ipykernel import kernelapp

class App(kernelapp.IPKernelApp):
    def _bind_socket(self, socket, port):
        bound = super()._bind_socket(socket, port)
        seconds = {self.iopub_port: 1, self.stdin_port: 3}.get(port)
        if seconds:
            path = "%s-%s" % (self.ip, port)
            os.rename(path, path + ".hidden")
            threading.Timer(seconds, os.rename, (path + ".hidden", path)).start()
        return bound

App.launch_instance()
"""


@pytest.fixture
def wanted(tmp_path: pathlib.Path, env: pathlib.Path) -> dict[str, t.Any]:
    """The variables of a kernel whose values a shell or kernel.json would misread without quotes."""
    cuda = tmp_path / "cuda {prefix} $HOME"
    (cuda / "lib64").mkdir(parents=True)
    (cuda / "bin").mkdir()
    return {
        "jupyter_kernel_jupyter_prefix": str(tmp_path / "jupyter"),
        "jupyter_kernel_env_prefix": str(env),
        "jupyter_kernel_display_name": 'Torch {prefix} $(id) "q"',
        "jupyter_kernel_name": "torch",
        "jupyter_kernel_cuda_home": str(tmp_path / "cuda"),
        "jupyter_kernel_cuda_ld_library_path": True,
        "jupyter_kernel_exports": {"SPACE": "a b;'c\" {prefix}"},
    }


def test_check_mode_run_rerun_and_removal(play, wanted, tmp_path, tree_of) -> None:
    jupyter = tmp_path / "jupyter"
    checked = play(ROLE, wanted, "--check", "--diff")
    assert checked.rc == 0 and checked.recap["changed"] == 1 and not jupyter.exists(), checked.output
    first = play(ROLE, wanted)
    assert first.rc == 0 and first.recap["changed"] == 1, first.output
    folder = jupyter / "share/jupyter/kernels/torch"
    assert sorted(path.name for path in folder.iterdir()) == ["kernel.json", "launch.pyz", "settings.json", "start.sh"]
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o644}
    spec = json.loads((folder / "kernel.json").read_text())
    assert spec["display_name"] == wanted["jupyter_kernel_display_name"]
    assert spec["argv"] == ["python", "{resource_dir}/launch.pyz", "{connection_file}"]
    before = tree_of(jupyter)
    for arguments in ((), ("--check",)):
        again = play(ROLE, wanted, *arguments)
        assert again.rc == 0 and again.recap["changed"] == 0, again.output
    assert tree_of(jupyter) == before
    gone = play(ROLE, {**wanted, "jupyter_kernel_state": "absent"})
    assert gone.rc == 0 and list(folder.iterdir()) == [], gone.output


def test_the_entry_point_user_writes_below_the_home_alone(play, wanted, tmp_path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    tasks = [{"ansible.builtin.include_role": {"name": "hpc.pytorch.jupyter_kernel", "tasks_from": "user"}}]
    done = play(tasks, {**wanted, "ansible_remote_tmp": str(tmp_path / "remote")}, environment={"HOME": str(home)})
    assert done.rc == 0, done.output
    assert (home / ".local/share/jupyter/kernels/torch/kernel.json").exists()
    assert not (tmp_path / "jupyter").exists()


def test_the_playbook_writes_each_kernel_of_each_jupyterlab(playbook_run, wanted, tmp_path) -> None:
    inventory = tmp_path / "hosts.json"
    kernels = [{}, {"slurm": {"partition": "titan", "gres": "gpu:1"}}, {"name": "mine", "display_name": "Mine"}]
    variables = {
        "ansible_connection": "local",
        "ansible_python_interpreter": sys.executable,
        "conda_prefix": str(tmp_path / "jupyter"),
        "torch_env_prefix": wanted["jupyter_kernel_env_prefix"],
        "jupyter_kernels": kernels,
        "site_become": False,
    }
    inventory.write_text(json.dumps({"jupyter": {"hosts": {"here": variables}}}))
    done = playbook_run("-i", str(inventory), "playbooks/jupyter.yml")
    assert done.rc == 0, done.output
    folder = tmp_path / "jupyter/share/jupyter/kernels"
    names = {path.parent.name: json.loads(path.read_text())["display_name"] for path in folder.glob("*/kernel.json")}
    assert names == {"torch": "PyTorch (torch)", "torch-titan": "PyTorch (torch, Slurm titan)", "mine": "Mine"}
    settings = json.loads((folder / "torch-titan/settings.json").read_text())
    assert settings["start"] == "slurm" and settings["expect_cuda"] is True
    assert settings["directives"][-2:] == ["--partition=titan", "--gres=gpu:1"]
    again = playbook_run("-i", str(inventory), "playbooks/jupyter.yml")
    assert again.rc == 0 and again.recap["changed"] == 0, again.output


def test_a_dead_kernel_is_not_written(play, wanted, tmp_path) -> None:
    bare = tmp_path / "bare"
    (bare / "conda-meta").mkdir(parents=True)
    failed = play(ROLE, {**wanted, "jupyter_kernel_env_prefix": str(bare)})
    assert "expected ipykernel in the environment %s" % bare in " ".join(failed.output.split())
    assert "remedy: add ipykernel to torch_env_packages" in " ".join(failed.output.split())
    failed = play(ROLE, {**wanted, "jupyter_kernel_env_prefix": str(tmp_path / "gone")})
    assert "found none; remedy: make it with the role hpc.pytorch.torch_env" in " ".join(failed.output.split())
    assert not (tmp_path / "jupyter").exists()
    # What pip has installed counts, too; and a site that knows better may say so.
    (bare / "lib/python3.11/site-packages/ipykernel").mkdir(parents=True)
    assert play(ROLE, {**wanted, "jupyter_kernel_env_prefix": str(bare)}, "--check").rc == 0
    unchecked = {"jupyter_kernel_env_prefix": str(tmp_path / "gone"), "jupyter_kernel_check_env": False}
    assert play(ROLE, {**wanted, **unchecked}, "--check").rc == 0


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"jupyter_kernel_name": "a/b"}, "expected name to have letters, digits and . _ - alone; found 'a/b'"),
        ({"jupyter_kernel_slurm": {"nodes": "2"}}, "expected nodes to be 1, as a kernel is one process; found '2'"),
        ({"jupyter_kernel_slurm": {"output": "x"}}, "expected no option output for a kernel"),
        ({"jupyter_kernel_slurm": {"gers": "gpu:1"}}, "found 'gers'; remedy: write gres"),
        (
            {"jupyter_kernel_slurm": {"partition": "titan"}, "jupyter_kernel_start": "local"},
            "expected no options of Slurm for a kernel on JupyterLab's machine; found partition",
        ),
    ],
)
def test_a_mistake_is_named(play, wanted, tmp_path, variables, message) -> None:
    failed = play(ROLE, {"jupyter_kernel_env_host": "localhost", **wanted, **variables})
    assert failed.rc != 0
    assert message in " ".join(failed.output.split()), failed.output
    assert not (tmp_path / "jupyter").exists()


def test_a_cell_has_torch_cuda_and_the_variables_of_the_environment(play, wanted, lab, env, tmp_path) -> None:
    assert play(ROLE, wanted).rc == 0
    kernel = lab.kernel("torch")
    cuda, version = tmp_path / "cuda", env.resolve()
    (cuda / "lib64").mkdir(parents=True, exist_ok=True)
    seen = kernel.run(SEEN).text
    assert seen == "2.13.0+cpu 2.0 %s\n%s %s/lib yes a b;'c\" {prefix}\n%s\n" % (
        version,
        cuda,
        cuda,
        [str(version / "bin"), str(cuda / "bin")],
    )
    # Nothing else is below a cell, and the name of the environment leads elsewhere from now on.
    assert kernel.run("1 + 1").text == "2"
    env.unlink()
    assert kernel.run("import sys; sys.prefix").text == repr(str(version))
    # Another start of the kernel finds no environment, and says so.
    kernel.restart()
    assert "expected the env %s; found none" % env in kernel.run("1").text


def test_interrupt_input_and_restart(play, wanted, lab) -> None:
    assert play(ROLE, wanted).rc == 0
    kernel = lab.kernel("torch")
    cell = kernel.send("print('it runs', flush=True)\nwhile True: pass")
    kernel.wait(cell, "it runs")
    kernel.interrupt()
    assert "KeyboardInterrupt" in kernel.wait(cell).text
    cell = kernel.send("print('hello', input('who? '))")
    kernel.wait(cell, "who? ")
    kernel.answer("ada")
    assert "hello ada" in kernel.wait(cell).text
    kernel.run("x = 1")
    kernel.restart()
    assert "NameError" in kernel.run("x").text


def test_a_kernel_whose_channels_are_late_loses_no_output_and_no_question(play, wanted, lab, env) -> None:
    (next(env.glob("lib/python3.*/site-packages")) / "ipykernel_launcher.py").write_text(LATE)
    assert play(ROLE, wanted).rc == 0
    kernel = lab.kernel("torch")
    cell = kernel.send("print('hello', input('who? '))")
    kernel.wait(cell, "who? ")
    kernel.answer("ada")
    assert "hello ada" in kernel.wait(cell).text
    kernel.restart()
    assert kernel.run("1 + 1").text == "2"


def test_torch_without_a_gpu_is_named_where_one_was_asked_for(play, wanted, lab) -> None:
    assert play(ROLE, {**wanted, "jupyter_kernel_expect_cuda": True}).rc == 0
    kernel = lab.kernel("torch")
    for _twice in range(2):
        done = kernel.run("1 + 1")
        assert done.status == "error"
        assert "torch cannot use the GPUs that the kernel was given." in done.text
        assert "reason: cpu_only_build" in done.text and "jupyter_kernel_expect_cuda: false" in done.text


def test_an_environment_without_torch_is_not_accused(play, wanted, lab, env, venvs) -> None:
    more = next(env.glob("lib/python3.*/site-packages/more.pth"))
    more.write_text(more.read_text().split("\n")[1] + "\n")
    assert play(ROLE, {**wanted, "jupyter_kernel_expect_cuda": True}).rc == 0
    assert lab.kernel("torch").run("1 + 1").text == "2"


def test_a_kernel_that_dies_is_named_below_the_cell_that_ran(play, wanted, lab) -> None:
    assert play(ROLE, wanted).rc == 0
    kernel = lab.kernel("torch")
    done = kernel.run("import os; os.kill(os.getpid(), 9)")
    assert "It was killed by signal 9 on this machine." in done.text
    assert "It was killed by signal 9" in kernel.run("1").text
    kernel.restart()
    assert kernel.run("1 + 1").text == "2"


def test_srun_is_missing(play, wanted, lab, tmp_path) -> None:
    variables = {**wanted, "jupyter_kernel_slurm": {"partition": "titan"}, "jupyter_kernel_env_host": "localhost"}
    assert play(ROLE, variables).rc == 0
    # JupyterLab runs with this PATH; where the tests have Slurm's client, it reaches no controller.
    text = lab.kernel("torch").run("1").text
    if shutil.which("srun"):
        assert "srun: " in text and "does not run" in text
    else:
        assert "expected srun on PATH" in text


def test_the_page(play, wanted, lab, notebook, tmp_path) -> None:
    from playwright.sync_api import sync_playwright

    assert play(ROLE, wanted).rc == 0
    failing = {
        "jupyter_kernel_name": "gpu",
        "jupyter_kernel_display_name": "With a GPU",
        "jupyter_kernel_expect_cuda": True,
    }
    assert play(ROLE, {**wanted, **failing}).rc == 0
    pictures = pathlib.Path(os.environ.get("HPC_TEST_PICTURES", str(tmp_path)))
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    assert program, "no chromium; remedy: apt-get install chromium"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        try:
            page = browser.new_page(viewport={"width": 1200, "height": 800})
            page.set_default_timeout(120000)
            page.goto("%slab?token=%s" % (lab.url, notebook.TOKEN))
            tile = page.locator(
                '.jp-LauncherCard[data-category="Notebook"]', has_text=wanted["jupyter_kernel_display_name"]
            )
            tile.wait_for()
            page.screenshot(path=pictures / "launcher.png")
            for name, code, shown in (
                (wanted["jupyter_kernel_display_name"], "import torch; torch.__version__", "2.13.0+cpu"),
                ("With a GPU", "1 + 1", "reason: cpu_only_build"),
            ):
                page.goto("%slab?token=%s&reset" % (lab.url, notebook.TOKEN))
                page.locator('.jp-LauncherCard[data-category="Notebook"]', has_text=name).click()
                # The page drops a cell that is run before it knows its kernel.
                page.get_by_text("%s | Idle" % name).wait_for()
                page.locator(".jp-Notebook .cm-content").first.click()
                page.keyboard.type(code)
                page.keyboard.press("Shift+Enter")
                page.locator(".jp-OutputArea-output", has_text=shown).wait_for()
                page.screenshot(path=pictures / ("%s.png" % ("error" if "GPU" in name else "cell")))
        finally:
            browser.close()
