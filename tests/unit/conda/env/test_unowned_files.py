"""What no package owns goes from an env, what one owns stays."""

from __future__ import annotations

import pathlib

import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._conda.env import prefix as env, unowned_files
from tiny_channel import index, make_package

SITE = "lib/python3.11/site-packages"


@pytest.fixture(name="prefix")
def fixture_prefix(tmp_path: pathlib.Path) -> pathlib.Path:
    (tmp_path / "conda-meta").mkdir()
    for path in (
        "%s/kept/__init__.py",
        "%s/kept/__pycache__/__init__.cpython-311.pyc",
        "%s/gone/sub/__pycache__/a.cpython-311.pyc",
    ):
        (tmp_path / (path % SITE)).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / (path % SITE)).touch()
    return tmp_path


def files(prefix):
    return {str(path.relative_to(prefix / SITE)) for path in (prefix / SITE).rglob("*")}


def test_bytecode_without_its_module_goes_with_its_folders(prefix):
    (prefix / SITE / "kept/__pycache__/old.cpython-311.opt-1.pyc").touch()
    unowned_files.remove_stale_bytecode(str(prefix))
    assert files(prefix) == {
        "kept",
        "kept/__init__.py",
        "kept/__pycache__",
        "kept/__pycache__/__init__.cpython-311.pyc",
    }


def test_bytecode_of_the_standard_library_counts_too(prefix):
    cache = prefix / "lib/python3.11/json/__pycache__"
    cache.mkdir(parents=True)
    (cache / "tool.cpython-311.pyc").touch()
    unowned_files.remove_stale_bytecode(str(prefix))
    assert not cache.parent.exists() and (prefix / "lib/python3.11").exists()


def test_what_a_user_keeps_beside_it_stays(prefix):
    (prefix / SITE / "gone/notes.txt").touch()
    unowned_files.remove_stale_bytecode(str(prefix))
    assert (prefix / SITE / "gone/notes.txt").exists() and not (prefix / SITE / "gone/sub").exists()


def test_bytecode_that_a_package_brought_stays(prefix):
    owned = "%s/gone/sub/__pycache__/a.cpython-311.pyc" % SITE
    (prefix / "conda-meta/gone-1-0.json").write_text('{"name": "gone", "files": ["%s"]}' % owned)
    unowned_files.remove_stale_bytecode(str(prefix))
    assert (prefix / owned).exists()


def test_what_was_about_to_be_renamed_goes(prefix):
    for name in (
        "conda-meta/prefix_record_Ab12cd",
        "conda-meta/.hpc_pytorch.record.abcd1234",
        "conda-meta/conda-meta.lock",
        "%s/~umpy/a.py" % SITE,
    ):
        (prefix / name).parent.mkdir(parents=True, exist_ok=True)
        (prefix / name).touch()
    (prefix / ".refprobe-Ab12cd").mkdir()
    (prefix / "conda-meta/history").touch()
    unowned_files.remove_temporary_files(str(prefix))
    assert [path.name for path in (prefix / "conda-meta").iterdir()] == ["history"]
    assert not (prefix / ".refprobe-Ab12cd").exists() and not (prefix / SITE / "~umpy").exists()


def test_a_removed_package_takes_its_bytecode_along(declare, channel, home):
    module = "%s/tool/core.py" % SITE
    make_package(channel, "tool", "1.0", files={module: "x = 1\n"})
    index(channel)
    declare(packages=["app=1.*", "tool"])
    prefix = home / ".conda/envs/torch"
    cache = prefix / SITE / "tool/__pycache__"
    cache.mkdir()
    (cache / "core.cpython-311.pyc").touch()
    declare(packages=["app=1.*"], prune=True)
    assert not (prefix / SITE / "tool").exists()


def test_an_interrupted_change_leaves_nothing_once_it_is_mended(declare, home):
    declare(packages=["app=1.*"])
    prefix = home / ".conda/envs/torch"
    env.mark_changing(str(prefix))
    (prefix / "conda-meta/prefix_record_Ab12cd").touch()
    declare(packages=["app=1.*"])
    assert env.kind_of(str(prefix)) == "env" and not (prefix / "conda-meta/prefix_record_Ab12cd").exists()
