"""conda_env's pip option: the site's and the user's settings for pip, a requirement that fails to build, repairs."""

from __future__ import annotations

import base64
import functools
import http.server
import io
import pathlib
import tarfile
import threading
import typing as t

import pytest

CREDENTIALS = "alice:pa55word"
CHANGING = "conda-meta/hpc_pytorch.changing"
# Gives its metadata, so it resolves and downloads, and then cannot be built.
BACKEND = """
import os

def prepare_metadata_for_build_wheel(directory, settings=None):
    os.mkdir(os.path.join(directory, "tinybroken-1.0.dist-info"))
    with open(os.path.join(directory, "tinybroken-1.0.dist-info", "METADATA"), "w") as stream:
        stream.write("Metadata-Version: 2.1\\nName: tinybroken\\nVersion: 1.0\\n")
    return "tinybroken-1.0.dist-info"

def build_wheel(directory, settings=None, metadata=None):
    raise RuntimeError("no compiler here")

def build_sdist(directory, settings=None):
    raise RuntimeError("never asked for")
"""


@pytest.fixture
def env(tmp_path: pathlib.Path, python_channel: pathlib.Path, play: t.Callable[..., t.Any]) -> t.Callable[..., t.Any]:
    """Runs conda_env on ``tmp_path/env`` with these pip lines."""

    def call(pip: list[str], *arguments: str, **options: t.Any) -> t.Any:
        task = {
            "prefix": str(tmp_path / "env"),
            "packages": ["python"],
            "channels": ["file://%s" % python_channel],
            "pip": pip,
            "package_cache": str(python_channel.parent / "pkgs"),
            "register_envs": False,
            **options,
        }
        return play([{"hpc.pytorch.conda_env": task}], {}, "-v", *arguments)

    return call


@pytest.fixture
def index(tmp_path: pathlib.Path) -> t.Iterator[str]:
    """The folder ``indexes`` behind CREDENTIALS."""
    expected = "Basic " + base64.b64encode(CREDENTIALS.encode()).decode()

    class Handler(http.server.SimpleHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.headers.get("Authorization") == expected:
                super().do_GET()
            else:
                self.send_error(401)

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    (tmp_path / "indexes").mkdir()
    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(Handler, directory=str(tmp_path / "indexes"))
    )
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield "http://127.0.0.1:%d" % server.server_port
    server.shutdown()
    server.server_close()


def installed(prefix: pathlib.Path) -> list[str]:
    names = (path.name.removesuffix(".dist-info") for path in prefix.glob("lib/python3*/site-packages/tiny*.dist-info"))
    return sorted(names)


def test_what_the_site_and_the_user_have_set_for_pip_counts(env, index, tiny_wheels, tmp_path, monkeypatch):
    """An index in pip.conf, its password in netrc, a constraint in the environment."""
    for version in ("1.0", "2.0", "3.0"):
        tiny_wheels.make_wheel(tmp_path / "indexes/simple/tinytool", "tinytool", version)
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    (tmp_path / "pip.conf").write_text("[global]\nindex-url = %s/simple\n" % index)
    monkeypatch.setenv("PIP_CONFIG_FILE", str(tmp_path / "pip.conf"))
    # Whatever this machine's own index is, the file decides here.
    monkeypatch.delenv("PIP_INDEX_URL", raising=False)
    (tmp_path / "constraints.txt").write_text("tinytool<3\n")
    monkeypatch.setenv("PIP_CONSTRAINT", str(tmp_path / "constraints.txt"))

    refused = env(["tinytool"])
    assert refused.rc != 0 and "tinytool" in refused.output and not (tmp_path / "env").exists()
    user, password = CREDENTIALS.split(":")
    (home / ".netrc").write_text("machine 127.0.0.1 login %s password %s\n" % (user, password))
    (home / ".netrc").chmod(0o600)
    made = env(["tinytool"])
    assert made.recap["changed"] == 1, made.output
    assert installed(tmp_path / "env") == ["tinytool-2.0"]
    # A constraint of the request's own, in a file, besides those.
    (tmp_path / "more.txt").write_text("tinytool<2\n")
    lines = ["--constraint %s" % (tmp_path / "more.txt"), "tinytool"]
    assert env(lines).recap["changed"] == 1
    assert installed(tmp_path / "env") == ["tinytool-1.0"]
    assert env(lines).recap["changed"] == 0
    assert "pa55word" not in refused.output + made.output


def test_a_requirement_that_cannot_be_built_leaves_no_env_or_marks_the_one_there(env, tiny_wheels, tmp_path):
    prefix = tmp_path / "env"
    tiny_wheels.make_wheel(tmp_path / "wheels", "tinytool", "1.0")
    files = {
        "backend.py": BACKEND,
        "pyproject.toml": "[build-system]\nrequires = []\nbuild-backend = 'backend'\nbackend-path = ['.']\n",
    }
    with tarfile.open(tmp_path / "wheels/tinybroken-1.0.tar.gz", "w:gz") as archive:
        for name, text in files.items():
            member = tarfile.TarInfo("tinybroken-1.0/" + name)
            member.size = len(text)
            archive.addfile(member, io.BytesIO(text.encode()))
    options = ["--no-index", "--find-links %s" % (tmp_path / "wheels")]
    failed = env(options + ["tinybroken", "tinytool"])
    assert failed.rc != 0 and "tinybroken" in failed.output and not prefix.exists()

    assert env(options + ["tinytool"]).rc == 0
    failed = env(options + ["tinybroken", "tinytool"])
    assert failed.rc != 0 and "tinybroken" in failed.output
    assert installed(prefix) == ["tinytool-1.0"] and (prefix / CHANGING).exists()
    mended = env(options + ["tinytool"])
    assert mended.rc == 0 and not (prefix / CHANGING).exists(), mended.output
    assert env(options + ["tinytool"]).recap["changed"] == 0


def test_verify_mends_what_pip_brought_and_names_what_it_cannot(env, play, tiny_wheels, tmp_path):
    prefix = tmp_path / "env"
    wheels = tmp_path / "wheels"
    tiny_wheels.make_wheel(wheels, "tinytool", "1.0", requires=["tinydep"])
    tiny_wheels.make_wheel(wheels, "tinydep", "1.0")
    tiny_wheels.make_wheel(wheels, "tinymine", "1.0")
    lines = ["--no-index", "--find-links %s" % wheels, "tinytool"]
    assert env(lines + ["tinymine"]).rc == 0
    assert env(lines).rc == 0
    # Newer ones would do too, but a repair changes no version.
    for name in ("tinydep", "tinytool"):
        tiny_wheels.make_wheel(wheels, name, "2.0")
    (site_packages,) = prefix.glob("lib/python3*/site-packages")
    (site_packages / "tinytool.py").write_text("VERSION = 'mine'\n")
    (site_packages / "tinydep.py").unlink()
    (site_packages / "tinymine.py").write_text("years of work\n")
    assert env(lines).recap["changed"] == 0
    info = play([{"hpc.pytorch.conda_env_info": {"prefix": str(prefix), "verify": True}}], {}, "-v")
    assert "damaged: [] damaged_pip: - tinydep - tinymine - tinytool " in " ".join(info.output.split()), info.output

    predicted = env(lines, "--check", verify=True)
    assert predicted.recap["changed"] == 1 and predicted.output.count("action: reinstall") == 2, predicted.output
    mended = env(lines, verify=True)
    assert mended.recap["changed"] == 1 and mended.output.count("action: reinstall") == 2, mended.output
    assert "tinymine 1.0" in mended.output and "do not ask for" in mended.output
    assert (site_packages / "tinytool.py").read_text() == "VERSION = '1.0'\n"
    assert (site_packages / "tinydep.py").read_text() == "VERSION = '1.0'\n"
    assert (site_packages / "tinymine.py").read_text() == "years of work\n"
    assert installed(prefix) == ["tinydep-1.0", "tinymine-1.0", "tinytool-1.0"]
    assert env(lines, verify=True).recap["changed"] == 0
