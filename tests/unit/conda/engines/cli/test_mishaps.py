"""What the real tools do badly, which the stand-in does too: conda_env gets on with it."""

from __future__ import annotations

import os
import pathlib
import shutil
import socket
import tempfile
import typing as t

import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._common.errors import UserError
from ansible_collections.hpc.pytorch.plugins.module_utils._conda.engines.cli import stand_ins
from ansible_collections.hpc.pytorch.plugins.module_utils._conda.engines.cli.process import ToolProcess
from ansible_collections.hpc.pytorch.plugins.module_utils._conda.engines.cli.scrub import scrub
from ansible_collections.hpc.pytorch.plugins.module_utils._conda.env import prefix as env
from tiny_channel import index, make_package

both = pytest.mark.parametrize("tool", ["conda", "mamba"], indirect=True)
conda = pytest.mark.parametrize("tool", ["conda"], indirect=True)
mamba = pytest.mark.parametrize("tool", ["mamba"], indirect=True)


@pytest.fixture
def with_python(channel: pathlib.Path) -> pathlib.Path:
    """The channel with python in two versions, of which each has a pip, and uv."""
    for version in ("3.11.1", "3.11.2"):
        files = {"bin/python": "#!/bin/sh\n# %s\n" % version, "lib/python3.11/os.py": "# %s\n" % version}
        make_package(channel, "python", version, files=files)
    make_package(channel, "pip", "26.0", depends=["python"])
    make_package(channel, "uv", "1.0", files={"bin/uv": "#!/bin/sh\n"})
    return index(channel)


def actions(result: t.Any) -> dict[str, str]:
    return {action["name"]: action["action"] for action in result["actions"]}


@both
def test_an_env_that_holds_pip_is_changed(declared, prefix, with_python):
    """mamba starts the Python of each prefix that it reads, if that has a record of pip."""
    declared(packages=["python=3.11.1", "pip"])
    assert actions(declared(check_mode=True, packages=["python=3.11.1", "pip", "app"]))["app"] == "install"
    assert actions(declared(packages=["python=3.11.1", "pip", "app"]))["app"] == "install"
    assert actions(declared(packages=["python=3.11.1", "pip"], prune=True)) == {"app": "remove", "liba": "remove"}
    assert actions(declared(packages=["python=3.11.2", "pip"])) == {"python": "change"}
    assert (prefix / "bin/python").read_text() == "#!/bin/sh\n# 3.11.2\n" and not (prefix / "bin/uv").exists()
    assert actions(declared(packages=["python=3.11.*", "pip"])) == {}


@both
@pytest.mark.parametrize("harm", ["deleted", "not executable", "cut"])
def test_a_damaged_python_is_laid_down_again(declared, prefix, with_python, harm):
    declared(packages=["python", "pip"])
    path = prefix / "bin/python"
    if harm == "not executable":
        path.chmod(0o644)
    else:
        path.unlink()
        if harm == "cut":
            # No format that the kernel can start.
            path.write_bytes(b"\x7fELF")
            path.chmod(0o755)
    assert actions(declared(packages=["python", "pip"], verify=True)) == {"python": "reinstall"}
    assert path.read_text() == "#!/bin/sh\n# 3.11.2\n" and os.access(path, os.X_OK)
    assert not declared(packages=["python", "pip"], verify=True)["changed"]


@mamba
def test_an_env_that_holds_uv_alone_is_changed(declared, prefix, with_python):
    declared(packages=["uv"])
    assert actions(declared(packages=["uv", "extra"])) == {"extra": "install", "extradep": "install"}
    (prefix / "bin/uv").unlink()
    assert actions(declared(packages=["uv", "extra"], verify=True)) == {"uv": "reinstall"}
    assert (prefix / "bin/uv").read_text() == "#!/bin/sh\n"


@mamba
def test_after_a_failure_no_stand_in_is_left(declared, prefix, with_python, monkeypatch):
    declared(packages=["python=3.11.1", "pip"])
    run = ToolProcess.run

    def fail_to_install(self, command, *arguments, **more):
        if "install" in command and str(prefix) in command:
            assert os.readlink(prefix / "bin/python") == stand_ins._PROGRAM
            raise UserError("a", "b", "c")
        return run(self, command, *arguments, **more)

    with monkeypatch.context() as patched, pytest.raises(UserError):
        patched.setattr(ToolProcess, "run", fail_to_install)
        declared(packages=["python=3.11.2", "pip"])
    assert not os.path.lexists(prefix / "bin/python") and env.kind_of(str(prefix)) == "unfinished"
    assert declared(packages=["python=3.11.2", "pip"])["changed"]
    assert (prefix / "bin/python").read_text() == "#!/bin/sh\n# 3.11.2\n"


@both
@pytest.mark.parametrize(
    "lost",
    [
        ["share/extra.txt"],
        ["info/paths.json"],
        ["info/repodata_record.json"],
        ["share/extra.txt", "info/repodata_record.json"],
        ["info/index.json", "info/paths.json", "share/extra.txt"],
    ],
)
def test_a_half_unpacked_package_in_the_cache_is_unpacked_again(declared, prefix, tool, home, lost):
    _unpacked_half(declared, home, lost, cut=[])
    before = (prefix / "conda-meta").stat().st_mtime_ns
    declared(check_mode=True, packages=["app", "extra"])
    assert (prefix / "conda-meta").stat().st_mtime_ns == before
    assert declared(packages=["app", "extra"])["changed"]
    assert (prefix / "share/extra.txt").read_text() == "extra 1.0\n"
    assert not declared(packages=["app", "extra"], verify=True)["changed"]


@conda
@pytest.mark.parametrize("archive", ["left", "lost"])
def test_a_package_that_conda_completed_in_its_cache_keeps_the_channels_hash(declared, home, channel, serve, archive):
    """From a server, a package without sha256 would be refused, in each run."""
    address = serve(channel)
    declared(name="other", packages=["extra"], channels=[address])
    (home / "fake-pkgs/extra-1.0-0/info/repodata_record.json").unlink()
    if archive == "lost":
        (home / "fake-pkgs/extra-1.0-0.tar.bz2").unlink()
    assert declared(packages=["extra"], channels=[address])["changed"]


@conda
@pytest.mark.parametrize("lost", [[], ["info/repodata_record.json"]])
def test_a_cut_file_in_the_cache_is_unpacked_again(declared, prefix, home, lost):
    """conda would link it, since it checks only whether a file exists."""
    _unpacked_half(declared, home, lost, cut=["share/extra.txt"])
    declared(packages=["app", "extra"])
    assert (prefix / "share/extra.txt").read_text() == "extra 1.0\n"


@conda
def test_a_new_env_gets_whole_packages_too(declared, prefix, home):
    _unpacked_half(declared, home, ["share/extra.txt"], cut=[])
    declared(name="third", packages=["extra"])
    assert (prefix.parent / "third/share/extra.txt").read_text() == "extra 1.0\n"


@conda
def test_what_is_whole_in_the_cache_is_neither_removed_nor_fetched(declared, tool, home):
    declared(name="other", packages=["extra"])
    declared(packages=["app"])
    folder = home / "fake-pkgs/extra-1.0-0"
    before = folder.stat().st_ino
    declared(packages=["app", "extra"])
    assert folder.stat().st_ino == before and "fetch" not in tool.commands()


def _unpacked_half(declared: t.Any, home: pathlib.Path, lost: t.Sequence[str], cut: t.Sequence[str]) -> None:
    """An env with app, and a cache in which extra, as another env has it, is half."""
    declared(name="other", packages=["extra"])
    declared(packages=["app"])
    folder = home / "fake-pkgs/extra-1.0-0"
    for path in lost:
        (folder / path).unlink()
    for path in cut:
        (folder / path).write_text("ext")
    (home / "fake-pkgs/extra-1.0-0.tar.bz2").unlink()


@conda
def test_the_classic_solver_keeps_what_satisfies(declared, tmp_path, monkeypatch):
    monkeypatch.setenv("CONDA_SOLVER", "classic")
    lock = tmp_path / "lock.txt"
    declared(packages=["app=1.*"], lock_file=str(lock))
    assert not declared(packages=["app"], lock_file=str(lock))["changed"]
    assert not declared(packages=["app"])["changed"] and not declared(packages=["app", "liba"])["changed"]
    assert actions(declared(packages=["app", "extra"])) == {"extra": "install", "extradep": "install"}
    assert actions(declared(packages=["app"], state="latest")) == {"app": "change", "liba": "change"}


@both
def test_a_killed_run_leaves_no_password_in_the_temporary_folder(declared, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    killed = tmp_path / ("hpc-pytorch-%s.999999999-abc_12x3" % socket.gethostname())
    others = [
        tmp_path / "hpc-pytorch-other.host.999999999-abcdefgh",
        tmp_path / ("hpc-pytorch-%s.%d-abcdefgh" % (socket.gethostname(), os.getppid())),
        tmp_path / "hpc-pytorch-x.lock",
    ]
    for folder in (killed, *others):
        folder.mkdir()
        (folder / "condarc").write_text("pa55word")
    declared(packages=["app"])
    assert not killed.exists() and all(folder.exists() for folder in others)


@both
@pytest.mark.parametrize(
    "packages, says", [(["app", "nothere"], "nothere"), (["app=1.*", "liba=2.*"], "liba"), (["app=9"], "app")]
)
def test_an_error_names_the_spec_that_is_in_the_way(declared, packages, says):
    with pytest.raises(UserError) as caught:
        declared(packages=packages)
    assert says in caught.value.found and "Could not solve" not in caught.value.expected
    assert caught.value.expected.startswith("packages in file://")


@both
@pytest.mark.parametrize("number, name", [(11, "SIGSEGV"), (9, "SIGKILL")])
def test_a_tool_that_is_killed_is_named_with_the_signal(declared, tool, number, name):
    tool.path.write_text(tool.path.read_text().replace("exec ", "kill -%d $$; exec " % number))
    with pytest.raises(UserError, match="expected %s to finish; found it was ended by signal %s" % (tool.kind, name)):
        declared(packages=["app"])


@conda
@pytest.mark.parametrize("crashes", [1, 3, 4])
def test_a_solve_that_crashes_after_its_answer_is_run_again(declared, tool, tmp_path, crashes):
    """What conda-rattler-solver does in some runs, when Python ends."""
    text = tool.path.read_text().replace("exec ", "") + (
        'status=$?\ncase "$*" in *--dry-run*) echo >> {0}; [ "$(wc -l < {0})" -gt {1} ] || kill -SEGV $$ ;; esac\n'
        "exit $status\n"
    ).format(tmp_path / "crashed", crashes)
    tool.path.write_text(text)
    if crashes > 3:
        with pytest.raises(UserError, match="expected conda to finish; found it was ended by signal SIGSEGV"):
            declared(packages=["app"])
    else:
        assert declared(packages=["app"])["changed"]
        assert tool.commands().count("solve") == crashes + 1


@both
@pytest.mark.parametrize("form", ["http://user:pa55word@%s/lab", "http://%s/t/TOKEN123/lab"])
def test_no_password_is_left_in_the_package_cache(declared, home, channel, serve, form):
    address = serve(channel)
    shutil.copytree(channel, channel / "lab", ignore=shutil.ignore_patterns("lab"))
    channels = [form % address.partition("://")[2]]
    for packages in (["app=1.*"], ["app=2.*"], ["app=1.*"]):
        assert declared(packages=packages, channels=channels)["changed"]
        stays = [*(home / "fake-pkgs").rglob("*"), *(home / ".conda").rglob("*")]
        assert not [str(path) for path in stays if path.is_file() and _holds_secret(path)]
    # What was scrubbed serves again.
    assert declared(name="again", packages=["app=1.*"], channels=channels)["changed"]


@pytest.mark.parametrize("start", [0, 1024 * 1024 - 4])
def test_a_database_with_a_password_is_removed_and_others_stay(tmp_path, start):
    database = tmp_path / "cache/repodata_shards.db"
    names = ["repodata_shards.db", "repodata_shards.db-wal", "12ab.json"]
    for content, left in ((b"http://h/lab/app", names), (b"http://user:pa55word@h/lab/app", ["12ab.json"])):
        (tmp_path / "cache").mkdir(exist_ok=True)
        for name in names:
            (tmp_path / "cache" / name).write_bytes(b"")
        # Also where the password lies in two of the pieces that are read.
        database.write_bytes(b"x" * (start - content.find(b"pa55")) + content + b"x")
        scrub([str(tmp_path)], {"pa55word"})
        assert sorted(os.listdir(tmp_path / "cache")) == sorted(left)


def _holds_secret(path: pathlib.Path) -> bool:
    content = path.read_bytes()
    return b"pa55word" in content or b"TOKEN123" in content
