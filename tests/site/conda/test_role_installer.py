"""Role conda with method installer: real installers like constructor's, real shells, the whole role."""

from __future__ import annotations

import json
import pathlib
import subprocess
import sys

import pytest

ROLE = [{"ansible.builtin.include_role": {"name": "hpc.pytorch.conda"}}]


@pytest.fixture
def site(tmp_path, tiny_installer):
    """The role's variables for a first installer, everything below one folder."""
    root = tmp_path / "site"
    (root / "profile.d").mkdir(parents=True)
    path = root / "Tiny-25.1.sh"
    return {
        "conda_method": "installer",
        "conda_prefix": str(root / "app/anaconda3"),
        "conda_installer": str(path),
        "conda_installer_sha256": tiny_installer.make_installer(path, "25.1"),
        "conda_installer_cache": str(tmp_path / "cache"),
        "conda_channels": ["conda-forge"],
        "conda_expose": ["bashrc", "profile", "module"],
        "conda_profile_dir": str(root / "profile.d"),
        "conda_bashrc": str(root / "bashrc"),
    }


def shell(script):
    return subprocess.run(
        ["bash", "--norc", "-c", script],
        env={"PATH": "/usr/bin:/bin", "HOME": "/nonexistent"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    ).stdout


def test_a_base_is_installed_exposed_updated_and_gone_back_to(play, site, tree_of, tmp_path, tiny_installer):
    root, prefix = tmp_path / "site", pathlib.Path(site["conda_prefix"])
    before = tree_of(root)
    checked = play(ROLE, site, "--check", "--diff")
    assert checked.rc == 0 and checked.recap["changed"] > 0 and tree_of(root) == before, checked.output
    first = play(ROLE, site)
    assert first.rc == 0 and "conda 25.1, python 3.12.1 in" in first.output, first.output
    before = tree_of(root)
    for arguments in ((), ("--check", "--diff")):
        again = play(ROLE, site, *arguments)
        assert again.rc == 0 and again.recap["changed"] == 0 and tree_of(root) == before, again.output

    # The base's own activation, by each way of the role; and an env that a user has there.
    (prefix / "envs/torch/conda-meta").mkdir(parents=True)
    assert shell("source %s/bashrc; conda --version; source activate torch; echo $CONDA_PREFIX" % root).startswith(
        "conda 25.1\n/"
    )
    assert shell(". %s/profile.d/hpc-pytorch-conda.sh; conda --version" % root) == "conda 25.1\n"
    assert 'prepend_path("PATH", "%s/bin")' % prefix in (root / "app/modulefiles/anaconda3.lua").read_text()
    assert not (prefix / "etc/profile.d/conda.sh").exists(), "only a base without conda gets activation of ours"
    (prefix / ".condarc").write_text((prefix / ".condarc").read_text() + "ssl_verify: false\n")

    newer = root / "Tiny-26.2.sh"
    update = dict(site, conda_installer=str(newer), conda_installer_sha256=tiny_installer.make_installer(newer, "26.2"))
    before = tree_of(root)
    checked = play(ROLE, update, "--check", "--diff")
    assert (
        checked.rc == 0
        and checked.recap["changed"] == 1
        and "-conda 25.1" in checked.output
        and tree_of(root) == before
    ), checked.output
    done = play(ROLE, update)
    # The condarc came along: nothing else is left to do.
    assert (
        done.rc == 0
        and done.recap["changed"] == 1
        and "conda 26.2" in done.output
        and "before: conda 25.1" in done.output
    ), done.output
    found = shell(
        "source %s/bashrc; conda --version; source activate torch && echo found; cat %s/.condarc" % (root, prefix)
    )
    assert found.startswith("conda 26.2\nfound\n") and "ssl_verify: false" in found and "conda-forge" in found
    assert play(ROLE, update).recap["changed"] == 0

    pathlib.Path(site["conda_installer"]).unlink()
    back = play(ROLE, site)
    assert back.rc == 0 and back.recap["changed"] == 1, back.output
    assert shell("source %s/bashrc; conda --version" % root) == "conda 25.1\n"


@pytest.mark.parametrize(
    "wrong, says",
    [
        ({"conda_installer_sha256": ""}, "64 hex digits"),
        ({"conda_installer_sha256": "0" * 64}, "found sha256"),
        ({"conda_installer": "http://alice:pa55word@127.0.0.1:9/Tiny.sh"}, "https address"),
        ({"conda_prefix": "/opt/my conda"}, "expected conda_prefix"),
        ({"conda_prefix": "/usr/share"}, "conda_method existing"),
    ],
)
def test_wrong_variables_are_named_and_nothing_is_made(play, site, tree_of, tmp_path, wrong, says):
    before = tree_of(tmp_path / "site")
    run = play(ROLE, dict(site, **wrong))
    assert run.rc != 0 and says in " ".join(run.output.split()) and "pa55word" not in run.output, run.output
    assert tree_of(tmp_path / "site") == before


def test_el8s_own_python_is_refused_by_each_layer_and_el9s_is_not(play, site, tmp_path):
    python = tmp_path / "platform-python"
    # The second line is what the module itself ends with.
    python.write_text(
        "#!/bin/sh\ncase $* in *--version*) echo Python 3.6.8; exit ;; esac\n"
        "echo SyntaxError: future feature annotations is not defined >&2\nexit 1\n"
    )
    python.chmod(0o755)
    chosen = ["-e", json.dumps({"ansible_python_interpreter": str(python)})]
    tasks = [
        {"ansible.builtin.include_role": {"name": "hpc.pytorch.conda", "tasks_from": entry}}
        for entry in ("site", "engine", "node", "user")
    ]
    for task, method in [(task, "installer") for task in tasks] + [(tasks[0], "existing")]:
        run = play([task], dict(site, conda_method=method, conda_expose=["profile", "bashrc"]), "--check", *chosen)
        assert run.rc != 0 and run.recap["changed"] == 0, run.output
        said = "Python 3.6.8" if method == "existing" else "SyntaxError: future feature annotations is not defined"
        output = " ".join(run.output.split())
        assert "which says %s; remedy: " % said in output and "deserialization" not in output, run.output
    python.write_text('#!/bin/sh\nexec "%s" "$@"\n' % sys.executable)
    run = play([tasks[0]], site, "--check", *chosen)
    assert run.rc == 0 and run.recap["changed"] > 0, run.output
