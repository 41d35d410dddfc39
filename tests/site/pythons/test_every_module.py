"""Run every module of the collection as a real module process, under every supported Python that this machine has."""

from __future__ import annotations

import json
import os
import pathlib
import sys

import pytest

CHECKOUT = pathlib.Path(__file__).resolve().parents[3]
MODULES = sorted(path.stem for path in (CHECKOUT / "plugins/modules").glob("*.py"))


@pytest.fixture(scope="module")
def channel(tmp_path_factory, tiny_channel):
    folder = tmp_path_factory.mktemp("channel")
    tiny_channel.make_package(folder, "tool", files={"bin/tool": "#!/bin/sh\n"})
    return "file://%s" % tiny_channel.index(folder)


# The variables of role torch_env as torch_env_choice takes them, of which nothing is declared.
ASKED = {
    **dict.fromkeys(["python", "torch", "cuda", "source", "wheels_url", "platform"], ""),
    **dict.fromkeys(["gpus", "drivers", "companions", "packages", "pip", "channels", "site_channels", "glibc"], []),
    "builds": {},
}
# Those of the tasks that fail, for want of an argument or of Slurm; the last one because root runs it.
FAIL = ["slurm", "cluster", "job", "allocation", *(["guide"] if os.geteuid() == 0 else [])]
PAGE = "<!-- run where on=login -->\n```bash\necho it runs\n```\n"


def tasks(root, channel, installer):
    """Name, module and options of each task; those in FAIL fail."""
    path, sha256 = installer
    env = {
        "prefix": str(root / "env"),
        "packages": ["tool"],
        "channels": [channel],
        "register_envs": False,
        "package_cache": str(root / "pkgs"),
    }
    base = {"prefix": str(root / "opt/conda"), "src": str(path), "sha256": sha256, "cache": str(root / "cache")}
    return [
        ("python", "ansible.builtin.setup", {"gather_subset": ["!all", "!min", "python"]}),
        # These two go on in the engine.
        (
            "channel",
            "conda_channel",
            {"path": str(root / "channel"), "packages": ["tool"], "upstream": [channel], "executable": sys.executable},
        ),
        ("made", "conda_env", dict(env, executable=sys.executable)),
        # And this one must not: there is none.
        ("unchanged", "conda_env", dict(env, executable="/nonexistent/bin/python")),
        ("env", "conda_env_info", {"prefix": env["prefix"], "verify": True}),
        ("cuda", "cuda_info", {}),
        ("torch", "torch_info", {"python": sys.executable}),
        ("script", "sbatch_script", {"dest": str(root / "test.sh"), "job_name": "test", "command": "true"}),
        ("rc", "shell_rc", {"path": str(root / "bashrc"), "block": "conda", "lines": ["export A=b"]}),
        ("files", "host_files", {"files": [{"path": str(root / "new/file"), "content": "text\n"}]}),
        (
            "image",
            "node_files",
            {"files": [{"path": "/etc/motd", "content": "text\n"}], "root": str(root / "image")},
        ),
        ("read", "host_files_info", {"paths": [str(root / "new/file")]}),
        (
            "look",
            "site_look",
            {"parts": [{"name": "tool", "conda_env": dict(env, executable="/nonexistent/bin/python")}]},
        ),
        ("old", "conda_env_prune", {"envs_dir": str(root / "envs"), "name": "torch", "slurm": False, "homes": []}),
        ("slurm", "slurm_torch_info", {"nodes": [{"name": "titan01"}]}),
        ("cluster", "slurm_info", {"bin_dir": str(root / "nothing")}),
        ("job", "slurm_job", {"script": str(root / "test.sh"), "bin_dir": str(root / "nothing")}),
        ("installed", "conda_installer", base),
        ("installed_again", "conda_installer", base),
        ("engine_python", "conda_engine_python_info", {"python": sys.executable}),
        # Its pip finds that the venv has this already.
        (
            "engine",
            "conda_engine",
            {"prefix": str(root / "engine"), "python": sys.executable, "requirements": "pip\n"},
        ),
        ("users", "users_info", {"names": ["nobody"]}),
        # These run on the controller alone.
        ("nobody", "each_user", {"users": [], "module": "hpc.pytorch.shell_rc"}),
        ("report", "torch_report", {"formats": ["table"]}),
        ("shown", "show", {"lines": ["a line"]}),
        ("variables", "role_variables", {"roles": ["conda"]}),
        (
            "choice",
            "torch_env_choice",
            {"asked": ASKED, "name": "torch", "groups": ["compute"], "engine": "/nonexistent/bin/python"},
        ),
        ("node", "torch_check_result", {"steps": [{"unreachable": True, "msg": "no route"}]}),
        ("allocation", "torch_check_allocation", {"node": "titan01", "bin_dir": str(root / "nothing")}),
        ("guide", "user_guide_run", {"pages": [str(root / "page.md")], "outputs": str(root / "outputs.yml")}),
    ]


def written(root, listed):
    """The play: each task's result, also a failed one's, ends in results.json."""
    steps = []
    for name, module, options in listed:
        full = module if "." in module else "hpc.pytorch." + module
        steps.append(
            {
                "block": [{full: options, "register": "result_" + name}],
                "rescue": [{"ansible.builtin.set_fact": {"result_" + name: "{{ ansible_failed_result }}"}}],
            }
        )
    steps.append(
        {
            "ansible.builtin.copy": {
                "dest": str(root / "results.json"),
                "content": "{{ {%s} | to_json }}"
                % ", ".join("'%s': result_%s" % (name, name) for name, _module, _options in listed),
                "mode": "0644",
            }
        }
    )
    return steps


def test_every_module_runs_under(python, play, tmp_path, channel, tiny_installer):
    installer = tmp_path / "Tiny.sh"
    listed = tasks(tmp_path, channel, (installer, tiny_installer.make_installer(installer, "25.1")))
    assert sorted({module for _name, module, _options in listed if "." not in module}) == MODULES

    (tmp_path / "page.md").write_text(PAGE)
    run = play(written(tmp_path, listed), {}, "-e", json.dumps({"ansible_python_interpreter": python}))
    assert run.rc == 0, run.output
    assert "[DEPRECATION" not in run.output, run.output
    results = json.loads((tmp_path / "results.json").read_text())
    found = results["python"]["ansible_facts"]["ansible_python"]["version"]
    assert pathlib.PurePath(python).name.replace("python", "") in ("%s.%s" % (found["major"], found["minor"]), "3", "")

    failed = {name: result.get("msg") for name, result in results.items() if result.get("failed")}
    assert list(failed) == FAIL and "one of the following is required: prefix, python" in failed["slurm"], failed
    assert all("expected Slurm's command" in failed[name] for name in ("cluster", "job", "allocation")), failed
    assert results["node"]["verdict"] == "unreachable" and "no route" in results["node"]["summary"]
    assert results["old"]["removable"] == [] and not results["old"]["changed"]
    assert [package["name"] for package in results["made"]["packages"]] == ["tool"] and results["made"]["changed"]
    assert results["channel"]["changed"] and (tmp_path / "channel/linux-64").is_dir()
    assert results["unchanged"]["packages"] == results["made"]["packages"] and not results["unchanged"]["changed"]
    assert results["look"]["stands"] == {"tool": True} and results["look"]["reasons"] == {}
    assert results["env"]["state"] == "env" and results["env"]["damaged"] == []
    assert results["torch"]["verdict"] == "failed" and results["torch"]["reasons"][0]["remedy"]
    assert "#SBATCH --job-name=test\n" in (tmp_path / "test.sh").read_text()
    assert (tmp_path / "bashrc").read_text().splitlines()[-1] == "export A=b"
    assert (tmp_path / "image/etc/motd").read_text() == "text\n" and results["image"]["toolkit"] is None
    assert results["files"]["changed"] and results["read"]["files"][0]["content"] == "text\n"
    assert results["installed"]["after"]["conda"] == "25.1" and not results["installed_again"]["changed"]
    assert results["engine_python"]["python"] == sys.executable
    assert results["engine"]["changed"] and pathlib.Path(results["engine"]["executable"]).exists()
    assert "driver" in results["cuda"]
    if "guide" in failed:
        assert "an ordinary user to run the commands of the page; found root" in failed["guide"]
    else:
        assert results["guide"]["outputs"] == {"where": "it runs\n"}


def test_the_python_of_this_very_run_is_among_them(request):
    """So the parametrized test is never empty, and what it covers is in the summary."""
    found = sys.modules[
        request.config.pluginmanager.get_plugin(str(pathlib.Path(__file__).with_name("conftest.py"))).__name__
    ].pythons()
    assert "%d.%d" % sys.version_info[:2] in found
