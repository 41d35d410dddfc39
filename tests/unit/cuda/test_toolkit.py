"""Trees of every kind: found, refused, contradicting themselves."""

from __future__ import annotations

import os

import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._common.errors import UserError
from ansible_collections.hpc.pytorch.plugins.module_utils._cuda import toolkit as toolkits
from ansible_collections.hpc.pytorch.plugins.module_utils._cuda.toolkit import Finder, check_version

JSON = '{"cuda": {"name": "CUDA SDK", "version": "%s"}}'
TXT = "CUDA Version %s\n"
ENVIRONMENT = {"PATH": "/usr/bin:/bin"}


def make(home, nvcc=None, lib="lib64", **files):
    home.mkdir(parents=True, exist_ok=True)
    if lib:
        (home / lib).mkdir(exist_ok=True)
    for name, text in files.items():
        (home / name.replace("_", ".")).write_text(text)
    if nvcc is not None:
        (home / "bin").mkdir(exist_ok=True)
        program = home / "bin" / "nvcc"
        text = (
            nvcc
            if nvcc.startswith("#!")
            else "#!/bin/sh\necho 'Cuda compilation tools, release %s, V%s'\n" % (nvcc.rpartition(".")[0], nvcc)
        )
        program.write_text(text)
        program.chmod(0o755)
    return str(home)


@pytest.fixture
def finder():
    return Finder(ENVIRONMENT, 10)


@pytest.mark.parametrize(
    "tree,version,source",
    [
        ({"version_txt": TXT % "10.1.243"}, "10.1.243", "version.txt"),
        ({"version_json": JSON % "11.4.2", "nvcc": "11.4.120"}, "11.4.2", "version.json"),
        ({"nvcc": "13.0.88"}, "13.0.88", "nvcc"),
        ({"version_json": "{", "version_txt": TXT % "10.2.89"}, "10.2.89", "version.txt"),
    ],
)
def test_the_version_and_who_says_it(tmp_path, finder, tree, version, source):
    found = finder.at(make(tmp_path / "cuda ü", **tree))
    assert (found.version, found.source, found.conflicts) == (version, source, [])
    assert found.home == str(tmp_path / "cuda ü")


def test_files_are_asked_before_nvcc(tmp_path, finder):
    home = make(tmp_path / "c", nvcc="#!/bin/sh\nexit 1\n", version_txt=TXT % "10.1.243")
    assert finder.at(home).source == "version.txt"
    assert "exit status 1" in finder.warnings[0]


@pytest.mark.parametrize("lib,expected", [("lib64", "lib64"), ("lib", "lib"), (None, None)])
def test_lib_dir_is_the_one_that_exists(tmp_path, finder, lib, expected):
    found = finder.at(make(tmp_path / "c", lib=lib, version_txt=TXT % "10.1.243"))
    assert found.lib_dir == (expected and str(tmp_path / "c" / expected))


def test_a_symlinked_home_keeps_its_name(tmp_path, finder):
    make(tmp_path / "cuda-10.1", version_txt=TXT % "10.1.243")
    (tmp_path / "cuda").symlink_to("cuda-10.1")
    assert finder.at(str(tmp_path / "cuda") + "/").home == str(tmp_path / "cuda")


@pytest.mark.parametrize(
    "declared,fits",
    [
        ("10.1", True),
        ("10.1.243", True),
        ("10", True),
        ("010.1", True),
        ("10.10", False),
        ("11", False),
        ("10.1.2", False),
    ],
)
def test_the_declared_version(tmp_path, finder, declared, fits):
    found = finder.at(make(tmp_path / "c", version_txt=TXT % "10.1.243"))
    if fits:
        check_version(found, declared)
    else:
        with pytest.raises(UserError) as caught:
            check_version(found, declared)
        assert declared in caught.value.expected and "10.1.243" in caught.value.found and "10.1" in caught.value.remedy


@pytest.mark.parametrize(
    "stated,declared,fits",
    [
        # What version.json has, and what an administrator reads on NVIDIA's page: the release and its update.
        ("12.4.1", "12.4.1", True),
        ("12.4.1", "12.4.0", False),
        ("12.4.1", "12.4.131", True),
        ("11.8.20220929", "11.8.0", True),
        ("11.8.20220929", "11.8.89", True),
        ("11.8.20220929", "11.8.20220930", False),
        ("11.8.20220929", "11.7.1", False),
        ("12.4.131", "12.4.1", True),
        ("12.4.131", "12.4.99", False),
        ("12.4", "12.4.1", True),
        ("12.4", "12.5.1", False),
        ("12.4", "13", False),
    ],
)
def test_the_third_number_counts_where_it_means_the_same(stated, declared, fits):
    found = toolkits.Toolkit("/opt/cuda", stated, "version.json", None, None, {"version.json": stated})
    if fits:
        check_version(found, declared)
    else:
        with pytest.raises(UserError, match=declared.replace(".", "[.]")):
            check_version(found, declared)


def test_a_declared_version_without_a_toolkit():
    with pytest.raises(UserError, match="CUDA 10.1"):
        check_version(None, "10.1")


@pytest.mark.parametrize(
    "declared", ["", "ten", "10.", ".1", "10,1", "v10", "١٠.١", "10.1\n", "10.x", "$(id)", "../10.1"]
)
def test_a_declared_version_that_is_none(tmp_path, finder, declared):
    found = finder.at(make(tmp_path / "c", version_txt=TXT % "10.1.243"))
    with pytest.raises(UserError, match="a version such as"):
        check_version(found, declared)


def test_contradicting_sources_are_named_and_refused_when_it_matters(tmp_path, finder):
    home = make(tmp_path / "c", nvcc="11.8.89", version_txt=TXT % "10.1.243")
    found = finder.at(home)
    assert found.conflicts == ["version.txt says 10.1.243, nvcc says 11.8.89"]
    with pytest.raises(UserError, match="one CUDA version"):
        check_version(found, "10.1")


def test_a_header_of_another_release_is_a_contradiction(tmp_path, finder):
    home = make(tmp_path / "c", version_txt=TXT % "10.1.243")
    (tmp_path / "c" / "include").mkdir()
    (tmp_path / "c" / "include" / "cuda_runtime_api.h").write_text("#define CUDART_VERSION 12020\n")
    assert "include/cuda_runtime_api.h says 12.2" in finder.at(home).conflicts[0]


@pytest.mark.parametrize(
    "kind,found", [("missing", "nothing"), ("file", "a file"), ("empty", "without one"), ("dangling", "nowhere")]
)
def test_no_toolkit_there(tmp_path, finder, kind, found):
    home = tmp_path / "c"
    if kind == "file":
        home.write_text("")
    if kind == "empty":
        home.mkdir()
    if kind == "dangling":
        home.symlink_to("gone")
    with pytest.raises(UserError) as caught:
        finder.at(str(home))
    assert found in caught.value.found


@pytest.mark.parametrize("given", ["pkgs", "pkgs/cuda-toolkit/bin"])
def test_a_home_one_step_off_is_told_where_the_toolkit_is(tmp_path, finder, given):
    make(tmp_path / "pkgs" / "cuda-toolkit", nvcc="10.1.243")
    with pytest.raises(UserError) as caught:
        finder.at(str(tmp_path / given))
    assert caught.value.remedy == "set cuda_home to %s" % (tmp_path / "pkgs" / "cuda-toolkit")


@pytest.mark.parametrize("home", ["relative", "", "/a:b", "/a/../b", "/a\nb", "/a\x1b"])
def test_homes_that_cannot_be_on_path(finder, home):
    with pytest.raises(UserError, match="absolute path in cuda_home") as caught:
        finder.at(home)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "nvcc,found",
    [
        ("#!/bin/sh\nexec sleep 100\n", "no answer within"),
        ("#!/bin/sh\necho hi\n", "names no release"),
        ("#!/nowhere\n", "cannot start"),
        ("#!/bin/sh\nkill -11 $$\n", "exit status -11"),
    ],
)
def test_an_nvcc_that_says_nothing(tmp_path, nvcc, found):
    with pytest.raises(UserError) as caught:
        Finder(ENVIRONMENT, 0.5).at(make(tmp_path / "c", nvcc=nvcc))
    assert found in caught.value.found


def test_cuda_home_of_the_environment_comes_first(tmp_path, monkeypatch):
    monkeypatch.setattr(toolkits, "DEFAULT_HOME", make(tmp_path / "default", version_txt=TXT % "9.0.176"))
    home = make(tmp_path / "mine", version_txt=TXT % "10.1.243")
    assert Finder(dict(ENVIRONMENT, CUDA_HOME=home), 10).anywhere().home == home
    broken = Finder(dict(ENVIRONMENT, CUDA_HOME=str(tmp_path / "gone")), 10)
    assert broken.anywhere().version == "9.0.176"
    assert "CUDA_HOME" in broken.warnings[0]


def test_nvcc_on_path_by_symlink_and_by_wrapper(tmp_path, monkeypatch):
    monkeypatch.setattr(toolkits, "DEFAULT_HOME", str(tmp_path / "none"))
    home = make(tmp_path / "cuda", nvcc="13.0.88")
    for folder in ("linked", "wrapped"):
        (tmp_path / folder).mkdir()
    (tmp_path / "linked" / "nvcc").symlink_to(tmp_path / "cuda" / "bin" / "nvcc")
    wrapper = tmp_path / "wrapped" / "nvcc"
    wrapper.write_text("#!/bin/sh\necho '#$ TOP=%s/bin/..' >&2\n" % home)
    wrapper.chmod(0o755)
    for folder in ("linked", "wrapped"):
        assert Finder({"PATH": ":.:%s:/usr/bin:/bin" % (tmp_path / folder)}, 10).anywhere().home == home


def test_no_toolkit_anywhere(tmp_path, monkeypatch):
    monkeypatch.setattr(toolkits, "DEFAULT_HOME", str(tmp_path / "none"))
    assert Finder({"PATH": str(tmp_path)}, 10).anywhere() is None


def give_away(path, monkeypatch):
    """Make *path* look to root like another user's."""
    if os.geteuid() == 0:
        os.chown(path, 65534, 65534)
    else:
        monkeypatch.setattr(os, "geteuid", lambda: 0)


def test_root_does_not_execute_an_nvcc_of_somebody_else(tmp_path, monkeypatch, finder):
    ran = tmp_path / "ran"
    script = "#!/bin/sh\ntouch '%s'\necho 'release 10.1, V10.1.243'\n" % ran
    home = make(tmp_path / "c", nvcc=script)
    give_away(tmp_path / "c" / "bin" / "nvcc", monkeypatch)
    with pytest.raises(UserError, match="become_user"):
        finder.at(home)
    (tmp_path / "c" / "version.txt").write_text(TXT % "10.1.243")
    assert finder.at(home).source == "version.txt"
    monkeypatch.setattr(toolkits, "DEFAULT_HOME", str(tmp_path / "none"))
    with pytest.raises(UserError, match="become_user"):
        Finder({"PATH": home + "/bin"}, 10).anywhere()
    assert not ran.exists()
