"""conda_env on an env that holds this machine's Python and pip: what runs inside of it."""

from __future__ import annotations

import base64
import hashlib
import pathlib
import subprocess
import sys
import zipfile


def make_wheel(folder: pathlib.Path, name: str, version: str) -> pathlib.Path:
    """A wheel with one module and one command."""
    files = {
        "%s.py" % name: "VERSION = %r\ndef main():\n    print(VERSION)\n" % version,
        "%s-%s.dist-info/METADATA" % (name, version): "Metadata-Version: 2.1\nName: %s\nVersion: %s\n"
        % (name, version),
        "%s-%s.dist-info/WHEEL" % (name, version): "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        "%s-%s.dist-info/entry_points.txt" % (name, version): "[console_scripts]\n%s = %s:main\n" % (name, name),
    }
    record = "%s-%s.dist-info/RECORD" % (name, version)
    lines = []
    for path, text in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
        lines.append("%s,sha256=%s,%d" % (path, digest, len(text)))
    files[record] = "\n".join(lines + [record + ",,"]) + "\n"
    folder.mkdir(parents=True, exist_ok=True)
    wheel = folder / ("%s-%s-py3-none-any.whl" % (name, version))
    with zipfile.ZipFile(wheel, "w") as archive:
        for path, text in files.items():
            archive.writestr(path, text)
    return wheel


def run(*command: str | pathlib.Path) -> str:
    return subprocess.run([str(part) for part in command], stdout=subprocess.PIPE, text=True, check=True).stdout


def test_pip_requirements_are_installed_inside_and_once(env, tmp_path):
    wheels = tmp_path / "wheels"
    make_wheel(wheels, "tinytool", "1.0")
    requirements = ["--no-index", "--find-links %s" % wheels, "tinytool"]
    assert env(pip=requirements).recap["changed"] == 1
    prefix = tmp_path / "env"
    # pip comes with Python, as conda users expect.
    assert (prefix / "bin/pip").exists()
    assert run(prefix / "bin/tinytool") == "1.0\n"
    assert list(prefix.glob("lib/python3*/site-packages/tinytool.py"))
    assert env(pip=requirements).recap["changed"] == 0

    make_wheel(wheels, "tinytool", "2.0")
    assert env(pip=requirements).recap["changed"] == 0
    predicted = env("--check", pip=requirements, state="latest")
    assert predicted.recap["changed"] == 1 and run(prefix / "bin/tinytool") == "1.0\n"
    assert env(pip=requirements, state="latest").recap["changed"] == 1
    assert run(prefix / "bin/tinytool") == "2.0\n"

    # A user uninstalls it: the next run brings it back.
    run(prefix / "bin/python", "-m", "pip", "uninstall", "--quiet", "--yes", "tinytool")
    assert env(pip=requirements).recap["changed"] == 1
    assert run(prefix / "bin/tinytool") == "2.0\n"


def test_a_requirement_that_fails_leaves_no_new_env_and_marks_an_old_one(env, tmp_path):
    prefix = tmp_path / "env"
    wrong = ["--no-index", "nothere"]
    failed = env(pip=wrong)
    assert failed.rc != 0 and "nothere" in failed.output and not prefix.exists()
    assert env().recap["changed"] == 1
    failed = env(pip=wrong)
    assert failed.rc != 0 and "nothere" in failed.output
    # pip is asked before anything is touched, so the env is as it was.
    assert not (prefix / "conda-meta/hpc_pytorch.changing").exists()
    assert env().recap["changed"] == 0


def test_what_a_killed_pip_left_is_installed_again(env, tmp_path, monkeypatch):
    make_wheel(tmp_path / "wheels", "tinytool", "1.0")
    requirements = ["--no-index", "--find-links %s" % (tmp_path / "wheels"), "tinytool"]
    # A site's rule for venvs does not hold for envs.
    monkeypatch.setenv("PIP_REQUIRE_VIRTUALENV", "1")
    assert env(pip=requirements).rc == 0
    prefix = tmp_path / "env"
    (site_packages,) = prefix.glob("lib/python3*/site-packages")
    # pip unpacks in the wheel's order and writes INSTALLER last.
    (site_packages / "tinytool-1.0.dist-info/INSTALLER").unlink()
    (site_packages / "tinytool.py").unlink()
    (prefix / "conda-meta/hpc_pytorch.changing").write_text("")
    assert env(pip=requirements).recap["changed"] == 1
    assert run(prefix / "bin/tinytool") == "1.0\n" and not (prefix / "conda-meta/hpc_pytorch.changing").exists()


def site_env(play, channels, folder, **variables):
    return play(
        [{"ansible.builtin.include_role": {"name": "hpc.pytorch.torch_env"}}],
        {
            "torch_env_scope": "site",
            "torch_env_site_dir": str(folder),
            "torch_env_executable": sys.executable,
            "torch_env_channels": channels,
            **variables,
        },
    )


def test_a_site_env_whose_torch_fails_is_never_published(play, python_channel, tiny_channel, tmp_path):
    tiny_channel.make_package(tmp_path / "tiny", "pytorch", "1.0")
    tiny_channel.index(tmp_path / "tiny")
    channels = ["file://%s" % python_channel, "file://%s" % (tmp_path / "tiny")]
    for _unused in range(2):
        done = site_env(play, channels, tmp_path / "envs")
        assert done.rc != 0 and "torch_missing" in done.output
        assert not (tmp_path / "envs/torch").exists()


def test_what_is_no_published_env_is_never_removed(play, tmp_path):
    mine = tmp_path / "envs/torch"
    mine.mkdir(parents=True)
    (mine / "thesis.tex").write_text("years")
    for variables in ({"torch_env_state": "absent"}, {"torch_env_name": "", "torch_env_state": "absent"}, {}):
        done = site_env(play, ["file:///nonexistent"], tmp_path / "envs", **variables)
        assert done.rc != 0 and "expected" in done.output
        assert (mine / "thesis.tex").exists()


def test_users_of_a_compiled_env_need_not_compile(env, tmp_path):
    assert env(compile=True).recap["changed"] == 1
    stdlib = pathlib.Path(
        run(tmp_path / "env/bin/python", "-c", "import sysconfig; print(sysconfig.get_path('stdlib'))").strip()
    )
    late = stdlib / "late.py"
    late.write_text("x = 1\n")
    missing = [path for path in stdlib.glob("*.py") if not list(stdlib.glob("__pycache__/%s.*.pyc" % path.stem))]
    assert missing == [late]


def test_only_the_env_answers_whatever_the_shell_exports(env, tmp_path, monkeypatch):
    foreign = tmp_path / "foreign"
    make_wheel(tmp_path / "wheels", "tinytool", "1.0")
    foreign.mkdir()
    (foreign / "pip.py").write_text("raise SystemExit('a foreign pip')\n")
    monkeypatch.setenv("PYTHONPATH", str(foreign))
    monkeypatch.setenv("PIP_TARGET", str(foreign))
    done = env(pip=["--no-index", "--find-links %s" % (tmp_path / "wheels"), "tinytool"])
    assert done.rc == 0, done.output
    assert sorted(path.name for path in foreign.iterdir() if path.name != "__pycache__") == ["pip.py"]
