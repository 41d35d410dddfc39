# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What pip may do to what conda brought: real Python, real pip, real solver; torch and its friends are tiny."""

from __future__ import annotations

import json
import pathlib
import subprocess
import sys
import typing as t

import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._common.errors import UserError
from ansible_collections.hpc.pytorch.plugins.module_utils._conda.apply.declare import declare_env
from ansible_collections.hpc.pytorch.plugins.module_utils._conda.apply.options import Options
from ansible_collections.hpc.pytorch.plugins.module_utils._conda.env.describe import Options as InfoOptions
from ansible_collections.hpc.pytorch.plugins.module_utils._conda.site_packages.imported import describe_imported

SITE_PACKAGES = "lib/python%d.%d/site-packages" % sys.version_info[:2]
Files = t.Dict[str, str]


def torch_files(version: str, cuda: str | None) -> Files:
    """What a torch of any build has: a module, and a file that says what it was built for."""
    return {
        "torch/__init__.py": "from .version import __version__\n",
        "torch/version.py": "__version__ = %r\ncuda: str = %r\n" % (version, cuda),
    }


def distribution(name: str, version: str, files: Files) -> Files:
    """A distribution as conda packages hold it."""
    info = "%s/%s-%s.dist-info/" % (SITE_PACKAGES, name, version)
    return {
        **{"%s/%s" % (SITE_PACKAGES, path): text for path, text in files.items()},
        info + "METADATA": "Metadata-Version: 2.1\nName: %s\nVersion: %s\n" % (name, version),
        info + "INSTALLER": "conda\n",
        info + "RECORD": "".join("%s,,\n" % path for path in files)
        + "{0}/METADATA,,\n{0}/INSTALLER,,\n{0}/RECORD,,\n".format(info.split("/")[-2]),
    }


@pytest.fixture
def channels(tmp_path: pathlib.Path, python_channel: pathlib.Path, tiny_channel: t.Any) -> list[str]:
    folder = tmp_path / "torch-channel"
    make = tiny_channel.make_package
    make(folder, "pytorch", "2.13.0", files=distribution("torch", "2.13.0", torch_files("2.13.0", "12.9")))
    for name, version in (("numpy", "2.4.6"), ("packaging", "24.0")):
        module = {"%s/__init__.py" % name: "__version__ = %r\n" % version}
        make(folder, name, version, files=distribution(name, version, module))
    make(folder, "other")
    tiny_channel.index(folder)
    return ["file://%s" % folder, "file://%s" % python_channel]


@pytest.fixture
def wheels(tmp_path: pathlib.Path, tiny_wheels: t.Any, monkeypatch: pytest.MonkeyPatch) -> t.Callable[..., None]:
    """Adds wheels to the only index that pip has."""

    def add(name: str, *versions: str, requires: t.Sequence[str] = (), **files: t.Any) -> None:
        for version in versions:
            given = files.get("files")
            if name == "torch":
                given = torch_files(version, None if version.endswith("+cpu") else files.get("cuda", "13.2"))
            elif given is None:
                given = {"%s/__init__.py" % name: "__version__ = %r\n" % version}
            tiny_wheels.make_wheel(tmp_path / "wheels", name, version, requires=requires, files=given)

    return add


@pytest.fixture
def prefix(tmp_path: pathlib.Path) -> pathlib.Path:
    return tmp_path / "env"


@pytest.fixture
def env(
    tmp_path: pathlib.Path,
    prefix: pathlib.Path,
    channels: list[str],
    python_channel: pathlib.Path,
    monkeypatch: pytest.MonkeyPatch,
) -> t.Callable[..., dict[str, t.Any]]:
    """conda_env without Ansible around it: python, pytorch, numpy and packaging from the channels."""
    (tmp_path / "home").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))

    def call(*pip: str, check: bool = False, **options: t.Any) -> dict[str, t.Any]:
        given: dict[str, t.Any] = {
            "prefix": str(prefix),
            "name": None,
            "envs_dir": "",
            "packages": ["python", "pytorch", "numpy", "packaging"],
            "prune": False,
            "pip": [*only_wheels(prefix), *pip] if pip else [],
            "channels": channels,
            "channel_priority": None,
            "lock_file": None,
            "engine": "rattler",
            "executable": None,
            "cuda": None,
            "package_cache": str(python_channel.parent / "pkgs"),
            "compile": False,
            "register_envs": False,
            "verify": False,
            "state": "present",
            "progress_file": None,
        }
        return declare_env(Options(**{**given, **options}), check)

    return call


def only_wheels(prefix: pathlib.Path) -> list[str]:
    return ["--no-index", "--find-links=%s" % (prefix.parent / "wheels")]


def by_hand(prefix: pathlib.Path, requirement: str) -> None:
    """What a user does with the env's pip."""
    command = [
        str(prefix / "bin/python"),
        "-m",
        "pip",
        "--quiet",
        "install",
        *only_wheels(prefix),
        *requirement.split(),
    ]
    subprocess.run(command, check=True)


def imported(prefix: pathlib.Path, name: str = "torch") -> str:
    code = "import %s; print(%s.__version__)" % (name, name)
    command = [str(prefix / "bin/python"), "-c", code]
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout.strip()


def said(result: dict[str, t.Any], name: str = "pytorch") -> str:
    return next(each["version"] for each in result["packages"] if each["name"] == name)


def info(prefix: pathlib.Path) -> dict[str, t.Any]:
    return describe_imported(InfoOptions(str(prefix), None, "", True))


def everything_below(prefix: pathlib.Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in prefix.rglob("*") if path.is_file() and path.suffix != ".pyc"}


@pytest.mark.parametrize(
    "line, asks, remedy",
    [
        ("fancyai", "fancyai 1.0 depends on torch>=2.14", "pytorch"),
        ("wrap", "fancyai 1.0 depends on torch>=2.14", "pytorch"),
        ("torch==2.12", "pip asks for torch==2.12", "pytorch"),
        ("torch>=2.14", "pip asks for torch>=2.14", "pytorch"),
        ("oldnumeric", "oldnumeric 1.0 depends on numpy<2", "numpy"),
        ("numpy<2", "pip asks for numpy<2", "numpy"),
        ("packer", "packer 1.0 depends on packaging>=25", "name packaging in pip too"),
    ],
)
def test_a_requirement_that_needs_another_version_is_refused_before_anything_is_installed(
    env, wheels, prefix, line, asks, remedy
):
    wheels("torch", "2.12", "2.13.0", "2.14.0")
    wheels("numpy", "1.26.4", "2.4.6")
    wheels("packaging", "24.0", "25.0")
    wheels("fancyai", "1.0", requires=["torch>=2.14"])
    wheels("wrap", "1.0", requires=["fancyai"])
    wheels("oldnumeric", "1.0", requires=["numpy<2"])
    wheels("packer", "1.0", requires=["packaging>=25"])
    with pytest.raises(UserError) as new:
        env(line)
    assert asks in new.value.found and remedy in new.value.remedy and not prefix.exists()

    env()
    before = everything_below(prefix)
    for check in (True, False):
        # With a package that comes at the same time, pip is asked before that, too.
        for more in ([], ["other"]):
            with pytest.raises(UserError) as changed:
                env(line, check=check, packages=["python", "pytorch", "numpy", "packaging", *more])
            assert asks in changed.value.found
    assert everything_below(prefix) == before and not env()["changed"]


def test_a_requirement_that_is_content_with_what_conda_brought_is_installed_once(env, wheels, prefix):
    """Newer wheels are no reason to replace conda's; nor is one of the same version with a local tag."""
    wheels("torch", "2.13.0+cpu", "2.14.0")
    wheels("niceai", "1.0", requires=["torch>=2", "numpy"])
    assert env("niceai")["changed"] and not env("niceai")["changed"]
    for pips in (["niceai"], ["niceai", "torch", "numpy>=2"]):
        result = env(*pips, state="latest")
        assert imported(prefix) == said(result) == "2.13.0" and not result["warnings"]
    assert info(prefix)["replaced"] == []


def test_conda_may_have_what_no_index_has(env, wheels, prefix):
    wheels("niceai", "1.0", requires=["torch>=2", "numpy"])
    assert env("niceai", "torch")["changed"] and not env("niceai", "torch", state="latest")["changed"]


def test_pips_own_tools_may_be_replaced_and_stay(env, wheels, prefix):
    """torch 2.12 and newer ask for setuptools<82, whatever conda's python came with."""
    wheels("setuptools", "81.0")
    wheels("newtorch", "1.0", requires=["setuptools<82"])
    assert env("newtorch")["changed"]
    for options in ({}, {"verify": True}, {"verify": True}, {}):
        assert not env("newtorch", **options)["changed"]


def test_what_is_named_in_pip_is_replaced_and_stays(env, wheels, prefix):
    """The remedy of the refusal, carried out."""
    wheels("packaging", "25.0")
    wheels("packer", "1.0", requires=["packaging>=25"])
    lines = ["packer", "packaging"]
    made = env(*lines)
    assert said(made, "packaging") == imported(prefix, "packaging") == "25.0" and not made["warnings"]
    for options in ({}, {"verify": True}, {"verify": True}, {}):
        result = env(*lines, **options)
        assert not result["changed"] and said(result, "packaging") == "25.0" and not result.get("warnings")
    found = info(prefix)
    assert found["damaged"] == [] and found["replaced"] == [
        {"name": "packaging", "distribution": "packaging", "recorded": "24.0", "imported": "25.0"}
    ]
    # Without those lines it is no longer meant: one warning.
    assert "packaging 24.0" in env()["warnings"][0] and not env().get("warnings")


def test_a_torch_that_was_replaced_by_hand_is_reported_once_and_repaired_for_good(env, wheels, prefix):
    wheels("torch", "2.14.0")
    env()
    by_hand(prefix, "torch==2.14.0")
    (prefix / SITE_PACKAGES / "torch/mine.txt").write_text("not of any package")
    assert said(info(prefix)) == "2.14.0" and info(prefix)["damaged"] == ["pytorch"]
    told = env()
    assert "torch 2.13.0 of the package pytorch by 2.14.0" in told["warnings"][0]
    assert said(told) == "2.14.0" and not told["changed"]
    again = env()
    assert said(again) == "2.14.0" and not again.get("warnings")

    predicted = env(check=True, verify=True)
    mended = env(verify=True)
    assert predicted["actions"] == mended["actions"]
    assert [(action["action"], action["name"]) for action in mended["actions"]] == [
        ("reinstall", "pytorch"),
        ("remove", "torch"),
    ]
    assert "-pytorch" not in str(mended["warnings"]) and "2.14.0" in mended["diff"]["before"]
    for options in ({}, {"verify": True}, {"verify": True}, {}):
        result = env(**options)
        assert imported(prefix) == said(result) == said(info(prefix)) == "2.13.0" and not result["changed"]
    assert not list(prefix.glob(SITE_PACKAGES + "/torch-2.14*")) and info(prefix)["replaced"] == []
    assert (prefix / SITE_PACKAGES / "torch/mine.txt").exists()


def test_an_env_that_an_earlier_version_has_flipped_back_and_forth_is_repaired(env, wheels, prefix):
    """conda's files over pip's: two sets of metadata, and a record of an earlier version."""
    wheels("torch", "2.14.0")
    env()
    kept = everything_below(prefix / SITE_PACKAGES / "torch-2.13.0.dist-info")
    by_hand(prefix, "torch==2.14.0")
    (prefix / SITE_PACKAGES / "torch-2.13.0.dist-info").mkdir()
    for path, content in kept.items():
        pathlib.Path(path).write_bytes(content)
    record = prefix / "conda-meta/hpc_pytorch.record"
    env()
    values = json.loads(record.read_text())
    del values["imported"]
    record.write_text(json.dumps(values))
    assert said(env()) == "2.14.0"
    env(verify=True)
    for options in ({}, {"verify": True}):
        result = env(**options)
        assert imported(prefix) == said(result) == "2.13.0" and not result["changed"]


@pytest.mark.parametrize("how", [{"verify": True}, {"expect_torch": {"version": "2.13.0", "cuda": ""}}])
def test_condas_torch_does_not_come_back_where_a_requirement_needs_another(env, wheels, prefix, how):
    """An env that an earlier version let pip replace: it stays as it is until the requirement is gone."""
    wheels("torch", "2.14.0")
    wheels("fancyai", "1.0", requires=["torch>=2.14", "numpy; extra == 'x'", "numpy<1; python_version < '3'"])
    wheels("wrap", "1.0", requires=["fancyai"])
    env()
    by_hand(prefix, "wrap")
    before = everything_below(prefix)
    for check in (True, False):
        with pytest.raises(UserError) as error:
            env("wrap", check=check, **how)
        assert error.value.found == "fancyai 1.0 depends on torch>=2.14" and "pytorch" in error.value.remedy
    assert everything_below(prefix) == before and imported(prefix) == "2.14.0"
    # The remedy: without the requirement.
    assert env(**how)["changed"] and imported(prefix) == "2.13.0"


def test_pips_torch_is_kept_by_naming_it_and_dropping_condas(env, wheels, prefix):
    """The other remedy of the warning, carried out."""
    wheels("torch", "2.14.0")
    env()
    by_hand(prefix, "torch==2.14.0")
    assert env()["warnings"]
    kept = {"packages": ["python", "numpy", "packaging"], "prune": True}
    assert env("torch==2.14.0", **kept)["changed"]
    assert imported(prefix) == "2.14.0" and not env("torch==2.14.0", verify=True, **kept)["changed"]
    assert info(prefix)["replaced"] == [] and info(prefix)["damaged_pip"] == []


def test_a_package_that_conda_brings_over_pips_leaves_one_of_them(env, wheels, prefix):
    wheels("numpy", "1.26.4", files={"numpy/__init__.py": "__version__ = '1.26.4'\n", "numpy/old.py": ""})
    few = {"packages": ["python", "pytorch", "packaging"]}
    env("numpy", **few)
    assert imported(prefix, "numpy") == "1.26.4"
    assert env()["changed"] and imported(prefix, "numpy") == "2.4.6"
    assert not (prefix / SITE_PACKAGES / "numpy/old.py").exists() and info(prefix)["replaced"] == []
    assert not env(verify=True)["changed"]


EXPECTED = {"version": "2.13.0", "cuda": "12"}


def test_the_expected_torch_is_brought_back_without_reading_every_file(env, wheels, prefix):
    wheels("torch", "2.14.0+cpu")
    env(expect_torch=EXPECTED)
    by_hand(prefix, "torch==2.14.0+cpu")
    result = env(expect_torch=EXPECTED)
    assert result["changed"] and imported(prefix) == said(result) == "2.13.0"
    assert not env(expect_torch=EXPECTED)["changed"]


@pytest.mark.parametrize(
    "expected, found",
    [
        ({"version": "2.12"}, "torch 2.13.0 for CUDA 12.9"),
        ({"version": "2.13.1"}, "torch 2.13.0 for CUDA 12.9"),
        ({"cuda": "13"}, "torch 2.13.0 for CUDA 12.9"),
        ({"cuda": "12.6"}, "torch 2.13.0 for CUDA 12.9"),
    ],
)
def test_a_package_of_another_torch_is_refused_and_leaves_no_env(env, prefix, expected, found):
    with pytest.raises(UserError) as error:
        env(expect_torch=expected)
    assert found in error.value.found and not prefix.exists()
    env()
    with pytest.raises(UserError):
        env(expect_torch=expected)
    assert not env()["changed"]


def test_a_cpu_wheel_cannot_undercut_the_pinned_build(env, wheels, prefix):
    """pytorch/ci-infra#661: to pip 2.14.0+cpu is newer than 2.14.0, so two equal signs take it."""
    wheels("torch", "2.14.0", "2.14.0+cpu")
    expected = {"version": "2.14.0", "cuda": "13.2"}
    few = {"packages": ["python"]}
    with pytest.raises(UserError) as error:
        env("torch==2.14.0", expect_torch=expected, **few)
    assert "2.14.0+cpu, a build without CUDA" in error.value.found and not prefix.exists()
    # An env that an earlier version made that way is repaired by the pin.
    env("torch==2.14.0", **few)
    assert imported(prefix) == "2.14.0+cpu"
    for state in ("present", "latest"):
        env("torch===2.14.0", expect_torch=expected, state=state, **few)
        assert imported(prefix) == "2.14.0"
    assert not env("torch===2.14.0", expect_torch=expected, **few)["changed"]


def test_a_wheel_of_the_same_version_is_found_by_its_files(env, wheels, prefix):
    """Its metadata have the name that conda's have."""
    wheels("torch", "2.13.0", cuda=None)
    env(expect_torch=EXPECTED)
    by_hand(prefix, "--force-reinstall torch===2.13.0")
    result = env(expect_torch=EXPECTED)
    assert [(each["action"], each["name"]) for each in result["actions"]] == [("reinstall", "pytorch")]
    assert not env(expect_torch=EXPECTED)["changed"]


@pytest.mark.parametrize("scope, computes_unasked", [("user", True), ("site", False)])
def test_the_role_refuses_another_torch_than_the_chosen_one(
    play, python_channel, tiny_channel, wheels, tmp_path, scope, computes_unasked
):
    wheels("fancyai", "1.0", requires=["torch>=2.14"])
    folder = tmp_path / "cpu-channel"
    cpu = distribution("torch", "2.13.0", torch_files("2.13.0", None))
    tiny_channel.make_package(folder, "pytorch", "2.13.0", files=cpu)
    tiny_channel.make_package(folder, "pytorch-gpu", "2.13.0", depends=["pytorch"])
    tiny_channel.make_package(folder, "cuda-version", "12.9")
    tiny_channel.index(folder)

    def role(**variables: t.Any) -> t.Any:
        return play(
            [{"ansible.builtin.include_role": {"name": "hpc.pytorch.torch_env"}}],
            {
                "torch_env_scope": scope,
                "torch_env_site_dir": str(tmp_path / "envs"),
                "torch_env_prefix": str(tmp_path / "user-env"),
                "torch_env_executable": sys.executable,
                "torch_env_channels": ["file://%s" % folder, "file://%s" % python_channel],
                "torch_env_package_cache": str(python_channel.parent / "pkgs"),
                "torch_env_register_envs": False,
                **variables,
            },
        )

    refused = role(torch_env_torch="2.13.0", torch_env_cuda="12.9")
    said_so = " ".join(refused.output.split())
    assert refused.rc != 0 and "found torch 2.13.0, a build without CUDA" in said_so
    refused = role(torch_env_torch="2.13.0", torch_env_pip=[*only_wheels(tmp_path / "x"), "fancyai"])
    said_so = " ".join(refused.output.split())
    assert refused.rc != 0 and "found fancyai 1.0 depends on torch>=2.14" in said_so
    assert not (tmp_path / "user-env").exists() and not (tmp_path / "envs/torch").exists()
    # Nothing was declared about CUDA. In scope site torch_info then has its say, and this torch computes nothing.
    accepted = role(torch_env_torch="2.13.0")
    assert "without CUDA" not in accepted.output and (accepted.rc == 0) == computes_unasked, accepted.output
