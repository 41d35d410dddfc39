"""Converting a wheel, and the archive that comes of it."""

from __future__ import annotations

import base64
import csv
import hashlib
import importlib.util
import json
import os
import pathlib
import subprocess
import zipfile

import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._channel import archive
from ansible_collections.hpc.pytorch.plugins.module_utils._channel.python import interpreter
from ansible_collections.hpc.pytorch.plugins.module_utils._channel.wheels.unpack import unpack_wheel
from ansible_collections.hpc.pytorch.plugins.module_utils._common.errors import UserError

from .conftest import make_wheel


@pytest.fixture(scope="session")
def debian(debian_python: str) -> interpreter.Interpreter:
    """What Debian's Python is."""
    return interpreter.inspect_python(debian_python)


@pytest.fixture
def site(debian: interpreter.Interpreter) -> str:
    return debian.site_packages


def test_every_kind_of_file_lands_where_an_env_wants_it(
    tmp_path: pathlib.Path, wheels: pathlib.Path, debian: interpreter.Interpreter, site: str
) -> None:
    unpacked = unpack_wheel(str(wheels / "alpha-1.0+cpu-py3-none-any.whl"), str(tmp_path), debian)
    names = {entry.path: entry for entry in archive.list_tree(str(tmp_path))}
    dist = site + "/alpha-1.0+cpu.dist-info"
    tag = debian.major_minor.replace(".", "")
    assert set(names) == {
        "bin/alpha-cmd",
        "bin/alpha-script",
        "bin/alpha-shell",
        "include/python%s/alpha/alpha.h" % debian.major_minor,
        "share/alpha/note.txt",
        site + "/alpha/__init__.py",
        site + "/alpha/__pycache__/__init__.cpython-%s.pyc" % tag,
        site + "/alpha/template.py",
        site + "/alpha/tool.sh",
        site + "/alpha_pure.py",
        site + "/__pycache__/alpha_pure.cpython-%s.pyc" % tag,
        dist + "/INSTALLER",
        dist + "/METADATA",
        dist + "/RECORD",
        dist + "/WHEEL",
        dist + "/entry_points.txt",
    }
    assert {name for name, entry in names.items() if entry.executable} == {
        "bin/alpha-cmd",
        "bin/alpha-script",
        "bin/alpha-shell",
        site + "/alpha/tool.sh",
    }
    assert unpacked.placeholders == {"bin/alpha-cmd", "bin/alpha-script"}
    assert (unpacked.summary, unpacked.license) == ("first", "MIT")
    for name, digest in unpacked.digests.items():
        assert digest == names[name].sha256


def test_record_lists_all_and_its_digests_hold(
    tmp_path: pathlib.Path, wheels: pathlib.Path, debian: interpreter.Interpreter, site: str
) -> None:
    unpack_wheel(str(wheels / "alpha-1.0+cpu-py3-none-any.whl"), str(tmp_path), debian)
    with open(tmp_path / site / "alpha-1.0+cpu.dist-info" / "RECORD", newline="") as stream:
        rows = list(csv.reader(stream))
    listed = {os.path.normpath(os.path.join(site, row[0])) for row in rows}
    assert listed == {entry.path for entry in archive.list_tree(str(tmp_path))}
    hashed = [row for row in rows if row[1]]
    assert len(hashed) >= 6
    for name, digest, size in hashed:
        content = (tmp_path / site / name).read_bytes()
        expected = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
        assert (digest, int(size)) == ("sha256=" + expected, len(content))


def test_pyc_is_checked_by_hash_and_names_no_folder_of_this_machine(
    tmp_path: pathlib.Path, wheels: pathlib.Path, debian: interpreter.Interpreter, site: str
) -> None:
    unpack_wheel(str(wheels / "beta-2.0-py3-none-any.whl"), str(tmp_path), debian)
    tag = "cpython-" + debian.major_minor.replace(".", "")
    content = (tmp_path / site / "__pycache__" / ("beta.%s.pyc" % tag)).read_bytes()
    assert content[4:8] == b"\x03\x00\x00\x00"
    assert content[8:16] == importlib.util.source_hash((tmp_path / site / "beta.py").read_bytes())
    assert str(tmp_path).encode() not in content
    assert (site + "/beta.py").encode() in content


@pytest.mark.parametrize(
    "name",
    [
        "../evil.py",
        "/etc/evil",
        "a/../../evil.py",
        "a//b.py",
        "{dist}.data/data/../../evil",
        "{dist}.data/data/conda-meta/history",
        "{dist}.data/data/info/index.json",
        "{dist}.data/other/x",
        "a/b\nc.py",
        "a\\b.py",
    ],
)
def test_a_wheel_that_reaches_elsewhere_is_refused(
    tmp_path: pathlib.Path, debian: interpreter.Interpreter, name: str
) -> None:
    wheel = make_wheel(tmp_path / "w", "evil", files={name: "x"})
    root = tmp_path / "deep" / "er" / "root"
    root.mkdir(parents=True)
    with pytest.raises(UserError) as caught:
        unpack_wheel(str(wheel), str(root), debian)
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.rglob("evil")) and not list(tmp_path.rglob("evil.py"))


def test_a_symlink_in_a_wheel_is_refused(tmp_path: pathlib.Path, debian: interpreter.Interpreter) -> None:
    wheel = make_wheel(tmp_path / "w", "evil")
    with zipfile.ZipFile(wheel, "a") as stream:
        info = zipfile.ZipInfo("link")
        info.external_attr = 0o120777 << 16
        stream.writestr(info, "/etc/passwd")
    (tmp_path / "root").mkdir()
    with pytest.raises(UserError, match="symlink"):
        unpack_wheel(str(wheel), str(tmp_path / "root"), debian)


@pytest.mark.parametrize("content", [b"", b"not a zip", b"PK\x05\x06" + b"\0" * 18])
def test_what_is_no_wheel_is_refused(tmp_path: pathlib.Path, debian: interpreter.Interpreter, content: bytes) -> None:
    wheel = tmp_path / "x-1-py3-none-any.whl"
    wheel.write_bytes(content)
    with pytest.raises(UserError, match="a wheel"):
        unpack_wheel(str(wheel), str(tmp_path / "root"), debian)


def test_same_tree_same_bytes_whatever_the_times_and_the_umask(tmp_path: pathlib.Path) -> None:
    digests = set()
    for number, mask in enumerate((0o022, 0o077)):
        old = os.umask(mask)
        try:
            root = tmp_path / str(number)
            for name in ("b", "a/c", "a-b") if number else ("a-b", "a/c", "b"):
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                (root / name).write_text(name)
                os.utime(root / name, (number, number))
            os.symlink("b", root / "link")
            out = tmp_path / ("out%d" % number)
            out.mkdir()
            target = out / "x-1-0.conda"
            archive.write_conda(str(root), archive.list_tree(str(root)), str(target), {"name": "x"}, {})
        finally:
            os.umask(old)
        digests.add(hashlib.sha256(target.read_bytes()).hexdigest())
        assert target.stat().st_mode & 0o777 == 0o644
    assert len(digests) == 1


def test_archive_is_read_by_rattler(tmp_path: pathlib.Path) -> None:
    import rattler.package_streaming

    root = tmp_path / "root"
    (root / "bin").mkdir(parents=True)
    (root / "bin" / "tool").write_text("#!%s/bin/python\n" % archive.PLACEHOLDER)
    os.chmod(root / "bin" / "tool", 0o700)
    (root / ("long-" * 30 + "\u00e4")).write_text("x")
    os.symlink("tool", root / "bin" / "other")
    target = tmp_path / "x-1-0.conda"
    entries = archive.list_tree(str(root))
    archive.write_conda(str(root), entries, str(target), {"name": "x"}, {}, ["bin/tool"])
    rattler.package_streaming.extract(target, tmp_path / "out")
    assert json.loads((tmp_path / "out/info/index.json").read_text()) == {"name": "x"}
    assert (tmp_path / "out/bin/tool").stat().st_mode & 0o777 == 0o755
    assert (tmp_path / "out" / ("long-" * 30 + "\u00e4")).stat().st_mode & 0o777 == 0o644
    assert os.readlink(tmp_path / "out/bin/other") == "tool"
    paths = {item["_path"]: item for item in json.loads((tmp_path / "out/info/paths.json").read_text())["paths"]}
    assert paths["bin/tool"]["prefix_placeholder"] == archive.PLACEHOLDER and len(archive.PLACEHOLDER) == 255
    assert paths["bin/other"]["path_type"] == "softlink"


@pytest.mark.parametrize(
    "content", ["#!/bin/sh\nexit 3\n", "#!/bin/sh\necho no json\n", "#!/bin/sh\necho boom >&2; exit 1\n"]
)
def test_what_is_no_python_is_refused(tmp_path: pathlib.Path, content: str) -> None:
    fake = tmp_path / "python"
    fake.write_text(content)
    fake.chmod(0o755)
    with pytest.raises(UserError, match="a Python interpreter at"):
        interpreter.inspect_python(str(fake))


def test_no_file_is_no_python(tmp_path: pathlib.Path) -> None:
    with pytest.raises(UserError, match="no executable file"):
        interpreter.inspect_python(str(tmp_path / "none"))


def test_a_venv_means_the_python_it_was_made_from(tmp_path: pathlib.Path, debian_python: str) -> None:
    subprocess.run([debian_python, "-m", "venv", "--without-pip", str(tmp_path / "v")], check=True)
    assert interpreter.inspect_python(str(tmp_path / "v/bin/python")).executable == os.path.realpath(debian_python)


def test_an_interpreter_that_root_must_not_run_is_never_run(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: str, what: str) -> None:
        raise UserError("trusted", path, what)

    monkeypatch.setattr(interpreter, "require_trusted", refuse)
    trap = tmp_path / "python"
    trap.write_text("#!/bin/sh\ntouch %s\n" % (tmp_path / "ran"))
    trap.chmod(0o755)
    with pytest.raises(UserError, match="expected trusted"):
        interpreter.inspect_python(str(trap))
    assert not (tmp_path / "ran").exists()


def test_bytecode_that_a_wheel_brings_is_compiled_again_and_its_digest_is_that_of_the_new_file(
    tmp_path: pathlib.Path, debian: interpreter.Interpreter, site: str
) -> None:
    """numpy's wheels bring one such file."""
    pyc = "gamma/__pycache__/one.cpython-%s.pyc" % debian.major_minor.replace(".", "")
    wheel = make_wheel(tmp_path, "gamma", "1.0", {"gamma/one.py": "ONE = 1\n", pyc: "old"})
    root = tmp_path / "root"
    root.mkdir()
    unpacked = unpack_wheel(str(wheel), str(root), debian)
    assert (root / site / pyc).read_bytes()[4:8] == b"\x03\x00\x00\x00"
    assert archive.list_tree(str(root), unpacked.digests) == archive.list_tree(str(root))
    record = (root / site / "gamma-1.0.dist-info/RECORD").read_text().splitlines()
    assert [line for line in record if line.startswith(pyc)] == [pyc + ",,"]
