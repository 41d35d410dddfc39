"""The rc file on disk and the module: owner, writing, refusals."""

from __future__ import annotations

import json
import os
import re
import stat

import pytest
from ansible.module_utils.testing import patch_module_args
from ansible_collections.hpc.pytorch.plugins.module_utils._common.errors import UserError
from ansible_collections.hpc.pytorch.plugins.module_utils._shell import rcfile
from ansible_collections.hpc.pytorch.plugins.modules import shell_rc

GUIDE = 'export PATH="/opt/app/anaconda3/bin:$PATH"'


@pytest.fixture
def home(tmp_path):
    tmp_path.chmod(0o755)
    return tmp_path


@pytest.fixture
def run(capsys):
    def run_module(check=False, diff=False, **args):
        with patch_module_args(dict(args, _ansible_check_mode=check, _ansible_diff=diff)):
            with pytest.raises(SystemExit):
                shell_rc.main()
        return json.loads(capsys.readouterr().out)

    return run_module


def test_writes_once_and_the_guides_line_is_the_last(home, run):
    rc = home / ".bashrc"
    rc.write_bytes(b"alias a=b")
    arguments = {"path": str(rc), "block": "conda", "lines": [GUIDE]}
    assert run(**arguments)["changed"] is True
    first = rc.read_bytes()
    inode = rc.stat().st_ino
    assert first.split(b"\n")[-2:] == [GUIDE.encode(), b""]
    assert run(**arguments)["changed"] is False
    assert (rc.read_bytes(), rc.stat().st_ino) == (first, inode)


def test_check_mode_and_diff_write_nothing(home, run):
    rc = home / ".bashrc"
    result = run(check=True, diff=True, path=str(rc), block="conda", lines=[GUIDE])
    assert result["changed"] is True
    assert result["diff"]["before"] == "" and result["diff"]["after"].endswith(GUIDE + "\n")
    assert not rc.exists()


def test_bytes_that_are_no_utf8_are_kept_and_shown(home, run):
    rc = home / ".bashrc"
    rc.write_bytes(b"A=\xff\r\n")
    result = run(diff=True, path=str(rc), block="cuda", lines=["B=1"])
    assert rc.read_bytes().startswith(b"A=\xff\r\n# >>> ")
    assert result["diff"]["before"] == "A=\\xff\r\n"


def test_mode_and_symlink_are_kept(home):
    dotfiles = home / "dot files"
    dotfiles.mkdir()
    real = dotfiles / "bashrc"
    real.write_bytes(b"x\n")
    real.chmod(0o600)
    rc = home / ".bashrc"
    rc.symlink_to("dot files/bashrc")
    rcfile.update(str(rc), {"conda": [GUIDE]})
    assert rc.is_symlink() and os.readlink(rc) == "dot files/bashrc"
    assert stat.S_IMODE(real.stat().st_mode) == 0o600
    assert real.read_text().endswith(GUIDE + "\n")
    assert sorted(entry.name for entry in home.iterdir()) == [".bashrc", "dot files"]


def test_absent_makes_no_file(home, run):
    assert run(path=str(home / ".bashrc"), block="cuda", state="absent")["changed"] is False
    assert list(home.iterdir()) == []


def test_a_guide_line_inside_an_if_stays(home):
    rc = home / ".bashrc"
    old = "if true; then\n%s\nfi\ncat <<EOF >/dev/null\n%s\nEOF\nx='\n%s\n'\n" % (GUIDE, GUIDE, GUIDE)
    rc.write_text(old)
    rcfile.update(str(rc), {"conda": [GUIDE]})
    assert rc.read_text().startswith(old)
    rc.write_text("if true; then\n:\nfi\n%s\nalias a=b\n" % GUIDE)
    rcfile.update(str(rc), {"conda": [GUIDE]})
    assert rc.read_text().startswith("if true; then\n:\nfi\nalias a=b\n# >>> ")


def test_a_file_that_would_no_longer_parse_is_left_alone(home):
    rc = home / ".bashrc"
    rcfile.update(str(rc), {"cuda": ["A=1"]})
    wrapped = "if true; then\n%sfi\n" % rc.read_text()
    rc.write_text(wrapped)
    with pytest.raises(UserError, match="syntax error"):
        rcfile.update(str(rc), {"cuda": ["A=1"]})
    assert rc.read_text() == wrapped
    rc.write_text("x=1\n")
    with pytest.raises(UserError, match="incomplete"):
        rcfile.update(str(rc), {"cuda": ["if true; then"]})
    assert rc.read_text() == "x=1\n"


def test_a_file_that_did_not_parse_before_is_served_all_the_same(home):
    rc = home / ".bashrc"
    rc.write_text("fi\n")
    assert rcfile.update(str(rc), {"cuda": ["A=1"]}).changed


def test_nothing_is_executed_while_it_is_judged(home):
    assert rcfile.is_sound(b"touch '%s'\n$(touch '%s')\n" % ((str(home / "ran").encode(),) * 2))
    assert list(home.iterdir()) == []


@pytest.mark.parametrize("what", ["file", "folder", "planted symlink", "missing file"])
def test_root_refuses_a_home_that_is_not_its_own(home, monkeypatch, what):
    other = home / "alice"
    other.mkdir()
    target = home / "target"
    target.write_bytes(b"precious\n")
    rc = other / ".bashrc"
    if what in ("file", "folder"):
        rc.write_bytes(b"hers\n")
    if what == "planted symlink":
        rc.symlink_to(target)
    if os.geteuid() == 0:
        os.chown(rc if what == "file" else other, 65534, 65534, follow_symlinks=False)
    else:
        monkeypatch.setattr(os, "geteuid", lambda: 0)
    before = sorted(str(path) for path in home.rglob("*"))
    with pytest.raises(UserError, match="become_user"):
        rcfile.update(str(rc), {"conda": [GUIDE]})
    assert sorted(str(path) for path in home.rglob("*")) == before
    assert target.read_bytes() == b"precious\n"


@pytest.mark.parametrize(
    "path,found",
    [
        ("relative", "relative"),
        ("~nosuchuser/.bashrc", "~nosuchuser"),
        ("/a\nb", r"/a\\nb"),
        ("HOME/none/.bashrc", "no folder"),
        ("HOME", "something else"),
        ("HOME/loop", "symbolic links|too many symlinks|does not exist"),
    ],
)
def test_paths_that_are_no_rc_file_are_refused_in_one_line(home, run, path, found):
    (home / "loop").symlink_to("loop")
    result = run(path=path.replace("HOME", str(home)), block="conda", lines=[GUIDE])
    assert result["failed"] is True
    assert set(result) >= {"expected", "found", "remedy"}
    assert "\n" not in result["msg"]
    assert re.search(found, result["found"])


def test_an_unwritable_folder_is_one_clear_line(home, run, monkeypatch):
    def refuse(*args, **kwargs):
        raise OSError(122, "Disk quota exceeded")

    monkeypatch.setattr(rcfile, "write_atomically", refuse)
    result = run(path=str(home / ".bashrc"), block="conda", lines=[GUIDE])
    assert result["expected"].endswith("for %s" % (home / ".bashrc")) and "used up" in result["found"]


def test_lines_are_checked(home, run):
    assert run(path=str(home / ".bashrc"), block="conda", lines=["a\nb"])["failed"] is True
    assert run(path=str(home / ".bashrc"), block="conda", lines=[])["failed"] is True
    assert list(home.iterdir()) == []


BOTH = [{"block": "cuda", "lines": ["export A=b"]}, {"block": "conda", "lines": [GUIDE]}]


def test_several_blocks_by_one_call_are_those_of_single_calls(home, run):
    one, two = home / "one", home / "two"
    for block in BOTH:
        run(path=str(one), **block)
    result = run(path=str(two), blocks=BOTH, diff=True)
    assert two.read_bytes() == one.read_bytes() and result["diff"]["after"].endswith(GUIDE + "\n")
    assert (result["path"], result["paths"], result["changed"]) == (str(two), [str(two)], True)
    assert run(path=str(two), blocks=BOTH)["changed"] is False
    # Those that are not in the list stay.
    assert run(path=str(two), blocks=BOTH[1:])["changed"] is False
    assert run(path=str(two), blocks=[{"block": "cuda", "state": "absent"}])["changed"] is True
    assert "A=b" not in two.read_text() and two.read_text().endswith(GUIDE + "\n")


def test_blocks_in_files_of_their_own(home, run):
    blocks = [dict(BOTH[0], path=str(home / "cuda.sh")), BOTH[1]]
    result = run(path=str(home / "conda.sh"), blocks=blocks, diff=True)
    assert result["paths"] == [str(home / "cuda.sh"), str(home / "conda.sh")]
    assert [each["before_header"] for each in result["diff"]] == result["paths"]
    assert "A=b" in (home / "cuda.sh").read_text() and GUIDE not in (home / "cuda.sh").read_text()
    assert GUIDE in (home / "conda.sh").read_text()


def test_no_block_is_nothing_to_do(home, run):
    result = run(path=str(home / "rc"), blocks=[], diff=True)
    assert (result["changed"], result["paths"], result["path"]) == (False, [], None) and not (home / "rc").exists()


def test_what_is_wrong_with_one_block_keeps_every_file_as_it_was(home, run):
    (home / "folder").mkdir()
    for wrong in (
        {"block": "conda", "path": str(home / "folder"), "lines": [GUIDE]},
        {"block": "conda", "lines": ["if true; then"]},
        {"block": "conda", "lines": []},
        {"block": "conda"},
        {"block": "cuda", "lines": ["export C=d"]},
        {"block": "conda", "lines": [GUIDE], "path": "relative"},
    ):
        (home / "rc").write_text("x=1\n")
        result = run(path=str(home / "rc"), blocks=[BOTH[0], wrong])
        assert result["failed"] and "remedy: " in result["msg"], wrong
        assert (home / "rc").read_text() == "x=1\n", wrong


@pytest.mark.parametrize("options", [{}, {"block": "cuda", "blocks": BOTH}, {"lines": ["a"], "blocks": BOTH}])
def test_either_one_block_or_several(home, run, options):
    assert run(path=str(home / "rc"), **options)["failed"] and not (home / "rc").exists()
