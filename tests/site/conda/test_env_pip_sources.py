"""conda_env's pip option: pip's settings of site and user, a requirement that fails to build, and repairs."""

from __future__ import annotations

import io
import pathlib
import tarfile

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

    refused = env(pip=["tinytool"])
    assert refused.rc != 0 and "tinytool" in refused.output and not (tmp_path / "env").exists()
    user, password = CREDENTIALS.split(":")
    (home / ".netrc").write_text("machine 127.0.0.1 login %s password %s\n" % (user, password))
    (home / ".netrc").chmod(0o600)
    made = env(pip=["tinytool"])
    assert made.recap["changed"] == 1, made.output
    assert installed(tmp_path / "env") == ["tinytool-2.0"]
    # A constraint of the request's own, in a file, besides those.
    (tmp_path / "more.txt").write_text("tinytool<2\n")
    lines = ["--constraint %s" % (tmp_path / "more.txt"), "tinytool"]
    assert env(pip=lines).recap["changed"] == 1
    assert installed(tmp_path / "env") == ["tinytool-1.0"]
    assert env(pip=lines).recap["changed"] == 0
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
    failed = env(pip=options + ["tinybroken", "tinytool"])
    assert failed.rc != 0 and "tinybroken" in failed.output and not prefix.exists()

    assert env(pip=options + ["tinytool"]).rc == 0
    failed = env(pip=options + ["tinybroken", "tinytool"])
    assert failed.rc != 0 and "tinybroken" in failed.output
    assert installed(prefix) == ["tinytool-1.0"] and (prefix / CHANGING).exists()
    repaired = env(pip=options + ["tinytool"])
    assert repaired.rc == 0 and not (prefix / CHANGING).exists(), repaired.output
    assert env(pip=options + ["tinytool"]).recap["changed"] == 0


def test_verify_mends_what_pip_brought_and_names_what_it_cannot(env, play, tiny_wheels, tmp_path):
    prefix = tmp_path / "env"
    wheels = tmp_path / "wheels"
    tiny_wheels.make_wheel(wheels, "tinytool", "1.0", requires=["tinydep"])
    tiny_wheels.make_wheel(wheels, "tinydep", "1.0")
    tiny_wheels.make_wheel(wheels, "tinymine", "1.0")
    lines = ["--no-index", "--find-links %s" % wheels, "tinytool"]
    assert env(pip=lines + ["tinymine"]).rc == 0
    assert env(pip=lines).rc == 0
    # Newer ones would do too, but a repair changes no version.
    for name in ("tinydep", "tinytool"):
        tiny_wheels.make_wheel(wheels, name, "2.0")
    (site_packages,) = prefix.glob("lib/python3*/site-packages")
    (site_packages / "tinytool.py").write_text("VERSION = 'mine'\n")
    (site_packages / "tinydep.py").unlink()
    (site_packages / "tinymine.py").write_text("years of work\n")
    assert env(pip=lines).recap["changed"] == 0
    info = play([{"hpc.pytorch.conda_env_info": {"prefix": str(prefix), "verify": True}}], {}, "-v")
    assert "damaged: [] damaged_pip: - tinydep - tinymine - tinytool " in " ".join(info.output.split()), info.output

    predicted = env("--check", verify=True, pip=lines)
    assert predicted.recap["changed"] == 1 and predicted.output.count("action: reinstall") == 2, predicted.output
    repaired = env(pip=lines, verify=True)
    assert repaired.recap["changed"] == 1 and repaired.output.count("action: reinstall") == 2, repaired.output
    assert "tinymine 1.0" in repaired.output and "do not ask for" in repaired.output
    assert (site_packages / "tinytool.py").read_text() == "VERSION = '1.0'\n"
    assert (site_packages / "tinydep.py").read_text() == "VERSION = '1.0'\n"
    assert (site_packages / "tinymine.py").read_text() == "years of work\n"
    assert installed(prefix) == ["tinydep-1.0", "tinymine-1.0", "tinytool-1.0"]
    assert env(pip=lines, verify=True).recap["changed"] == 0
