"""conda_installer's work with real installers of constructor's shape, run for real."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import pathlib
import shutil
import signal
import stat
import subprocess
import tempfile

import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._common.errors import UserError
from ansible_collections.hpc.pytorch.plugins.module_utils._conda.installer import declare as installer_module
from ansible_collections.hpc.pytorch.plugins.module_utils._conda.installer.declare import Options, declare_base
from ansible_collections.hpc.pytorch.plugins.module_utils._conda.installer.store import STAMP
from ansible_collections.hpc.pytorch.plugins.module_utils._files import locks
from ansible_collections.hpc.pytorch.plugins.module_utils._files.progress import Progress
from tiny_installer import make_installer


class Site:
    """A folder with installers and a prefix; ``site("25.1")`` installs that one."""

    def __init__(self, root):
        self.root = root
        self.prefix = root / "opt/conda"
        self.store = root / "opt/.conda"
        self.cache = root / "cache"
        self.files = {}

    def make(self, conda, **more):
        path = self.root / "installers" / ("Tiny-%s.sh" % conda)
        self.files[conda] = (path, make_installer(path, conda, **more))
        return self.files[conda]

    def params(self, conda, **more):
        path, sha256 = self.files.get(conda) or self.make(conda)
        given = {"prefix": str(self.prefix), "src": str(path), "sha256": sha256, "cache": str(self.cache)}
        return {**given, "ca_path": None, "progress_file": None, **more}

    def __call__(self, conda, check_mode=False, **more):
        return declare_base(Options(**self.params(conda, **more)), check_mode)

    def base(self, conda):
        return self.store / self.files[conda][1][:12]

    def said(self, *command, home=None):
        clean = {"PATH": "/usr/bin:/bin", "HOME": str(home or self.root)}
        return subprocess.run(command, env=clean, capture_output=True, text=True, check=True).stdout


@pytest.fixture
def site(tmp_path, home):
    return Site(tmp_path / "site")


def tree(folder):
    return sorted((str(path), path.lstat().st_size, path.lstat().st_mtime_ns) for path in folder.rglob("*"))


def bases(site):
    return sorted(name for name in os.listdir(site.store) if name not in (".lock", "envs"))


def test_a_base_is_installed_and_found_at_its_name(site, home):
    result = site("25.1")
    base = site.base("25.1")
    assert result["changed"] and result["actions"] == ["copy", "install", "switch"] and result["base"] == str(base)
    assert result["before"] == {"base": None} and result["after"] == {
        "base": str(base),
        "conda": "25.1",
        "python": "3.12.1",
    }
    assert os.readlink(site.prefix) == ".conda/" + base.name
    assert site.said(site.prefix / "bin/conda", "--version") == "conda 25.1\n"
    # Written with the final path, so nothing in it knows of the switch.
    assert site.said(site.prefix / "bin/conda", "info") == "%s\n" % base
    # conda records a base in the home directory, and this one's was not the user's.
    assert list(home.iterdir()) == [] and os.listdir(site.cache) == [".lock"]
    assert bases(site) == [base.name]


def test_the_second_run_changes_nothing_and_needs_no_installer(site):
    site("25.1")
    site.files["25.1"][0].unlink()
    before = tree(site.root)
    result = site("25.1")
    assert not result["changed"] and result["actions"] == [] and result["before"] == result["after"]
    assert tree(site.root) == before


def test_an_update_stands_beside_the_old_base_which_stays_as_it_was(site):
    site("25.1")
    before = tree(site.base("25.1"))
    result = site("26.2")
    assert (result["before"]["conda"], result["after"]["conda"]) == ("25.1", "26.2")
    assert (
        result["msg"].startswith("%s: conda 26.2, python 3.12.1 in " % site.prefix)
        and "before: conda 25.1" in result["msg"]
    )
    assert "conda 25.1\n" in result["diff"]["before"] and "conda 26.2\n" in result["diff"]["after"]
    assert site.said(site.prefix / "bin/conda", "--version") == "conda 26.2\n"
    assert tree(site.base("25.1")) == before


def test_going_back_needs_neither_installer_nor_network(site):
    site("25.1")
    site("26.2")
    shutil.rmtree(site.root / "installers")
    before = tree(site.store)
    params = {"src": "https://127.0.0.1:9/gone.sh"}
    assert site("25.1", check_mode=True, **params)["actions"] == ["switch"]
    assert os.readlink(site.prefix).endswith(site.base("26.2").name)
    assert site("25.1", **params)["actions"] == ["switch"]
    assert site.said(site.prefix / "bin/conda", "--version") == "conda 25.1\n"
    assert [entry for entry in tree(site.store) if entry in before] == before


def test_users_envs_are_found_by_name_and_path_whichever_base_is_in_use(site):
    site("25.1")
    env = site.prefix / "envs/torch"
    (env / "conda-meta").mkdir(parents=True)
    (env / "bin").mkdir()
    activate = 'source "%s/bin/activate" torch; echo $CONDA_PREFIX' % site.prefix
    assert site.said("bash", "-c", activate) == "%s/envs/torch\n" % site.base("25.1")
    site("26.2")
    assert (env / "conda-meta").is_dir()
    assert site.said("bash", "-c", activate) == "%s/envs/torch\n" % site.base("26.2")
    assert (site.base("25.1") / "envs/torch/conda-meta").is_dir() and (site.base("25.1") / "pkgs").is_dir()


def test_the_sites_settings_are_taken_over(site):
    site("25.1")
    (site.prefix / ".condarc").write_text("ssl_verify: /etc/ca.pem\n")
    (site.prefix / ".condarc").chmod(0o640)
    (site.prefix / "condarc.d").mkdir()
    (site.prefix / "condarc.d/proxy.yml").write_text("proxy_servers: {}\n")
    site.make("26.2", files={".condarc": "channels: [from-the-installer]\n", "condarc.d/own.yml": "x: y\n"})
    site("26.2")
    assert (site.prefix / ".condarc").read_text() == "ssl_verify: /etc/ca.pem\n"
    assert stat.S_IMODE((site.prefix / ".condarc").stat().st_mode) == 0o640
    assert os.listdir(site.prefix / "condarc.d") == ["proxy.yml"]


def test_check_mode_says_the_same_and_writes_nothing(site):
    site.make("25.1")
    before = tree(site.root)
    predicted = site("25.1", check_mode=True)
    assert predicted["changed"] and predicted["actions"] == ["copy", "install", "switch"]
    assert predicted["after"] == {"base": str(site.base("25.1"))}
    assert tree(site.root) == before
    assert site("25.1")["actions"] == predicted["actions"]
    site.make("26.2")
    before = tree(site.root)
    predicted = site("26.2", check_mode=True)
    assert predicted["before"]["conda"] == "25.1" and predicted["base"] == str(site.base("26.2"))
    assert "what the installer brings" in predicted["msg"]
    assert site("25.1", check_mode=True)["changed"] is False and tree(site.root) == before


def test_check_mode_compares_a_file_and_asks_no_server(site):
    with pytest.raises(UserError, match="found sha256"):
        site("25.1", check_mode=True, sha256="0" * 64)
    assert site("25.1", check_mode=True, src="https://127.0.0.1:9/Tiny.sh")["actions"] == [
        "download",
        "install",
        "switch",
    ]
    assert site("25.1", check_mode=True, src=str(site.root / "a task before brings it"))["changed"]


def test_a_wrong_checksum_runs_nothing(site):
    site.make("25.1", hook="touch %s" % (site.root / "ran"))
    with pytest.raises(UserError, match="nothing of it was run"):
        site("25.1", sha256="0" * 64)
    assert not (site.root / "ran").exists() and not site.store.exists() and not site.prefix.is_symlink()


def test_over_https_a_transfer_that_breaks_off_ends_in_a_base(site, https_server):
    path, _sha256 = site.make("25.1", padding=500000)
    server = https_server(path.read_bytes())
    server.cuts = [1000, 0]
    with pytest.raises(UserError, match="run again"):
        site("25.1", src=server.url, ca_path=server.ca)
    result = site("25.1", src=server.url, ca_path=server.ca)
    assert result["actions"] == ["download", "install", "switch"] and result["resumed_from"] == 1000
    assert result["bytes"] == path.stat().st_size
    assert site.said(site.prefix / "bin/conda", "--version") == "conda 25.1\n"


@pytest.mark.parametrize("kind", ["folder", "empty", "file", "link", "into the store's envs"])
def test_what_stands_at_the_prefix_is_never_touched(site, kind):
    site.prefix.parent.mkdir(parents=True)
    if kind in ("folder", "empty"):
        site.prefix.mkdir()
    if kind == "folder":
        (site.prefix / "bin").mkdir()
    if kind == "file":
        site.prefix.write_text("")
    if kind.startswith(("link", "into")):
        site.prefix.symlink_to("/opt/elsewhere" if kind == "link" else ".conda/envs")
    site.make("25.1")
    before = tree(site.root)
    for check_mode in (True, False):
        with pytest.raises(UserError, match="choose another prefix"):
            site("25.1", check_mode=check_mode)
    assert tree(site.root) == before


@pytest.mark.parametrize(
    "more, says",
    [
        ({"hook": "echo the disk is full >&2; exit 7"}, "exit status 7: the disk is full"),
        (
            {"files": {"bin/conda": "#!/bin/sh\necho wrong architecture\nexit 126\n"}},
            "exit status 126: wrong architecture",
        ),
        ({"files": {"bin/activate": None}}, "no bin/activate"),
        ({"files": {"bin/python": None}}, "no bin/python"),
        ({"files": {"envs/extra/conda-meta/history": ""}}, "envs extra"),
        ({"hook": 'ln -s /etc "$PREFIX/out"'}, "which leads to /etc"),
        ({"hook": 'ln -s ../../.. "$PREFIX/out"'}, "which leads to"),
        ({"hook": 'ln -s /etc/hpc-pytorch-nothing "$PREFIX/.condarc"'}, "which leads to"),
        ({"hook": 'mkdir -p "$PREFIX/lib/a"; ln -s /usr/bin "$PREFIX/lib/a/bin"'}, "which leads to /usr/bin"),
        (
            {"hook": 'mkdir "$PREFIX/conda-meta"; ln -s /etc/passwd "$PREFIX/conda-meta/hpc_pytorch.installer"'},
            "which is a symlink",
        ),
        ({"hook": 'mkdir "$PREFIX/conda-meta"; mkfifo "$PREFIX/conda-meta/state"'}, "symlink or a device"),
        ({"files": {"conda-meta/evil-1-0.json": '{"name": "evil", "files": ["../../../.."]}'}}, "a file '../../../..'"),
        ({"files": {"conda-meta/evil-1-0.json": '{"name": "evil", "files": ["/etc/passwd"]}'}}, "an absolute path"),
    ],
)
def test_an_installer_that_fails_leaves_the_base_in_use_and_no_remains(site, more, says):
    site("25.1")
    site.make("26.2", **more)
    with pytest.raises(UserError, match=says):
        site("26.2")
    assert (
        bases(site) == [site.base("25.1").name] and site.said(site.prefix / "bin/conda", "--version") == "conda 25.1\n"
    )


def test_a_file_that_is_no_shell_script_is_not_run(site):
    path, _sha256 = site.make("25.1")
    path.write_bytes(b"\x7fELF and more")
    with pytest.raises(UserError, match="shell script with an archive behind it"):
        site("25.1", sha256=hashlib.sha256(path.read_bytes()).hexdigest())
    assert bases(site) == []


def test_nothing_of_the_callers_settings_reaches_the_installer(site, monkeypatch):
    for name in ("CONDA_PREFIX", "PYTHONPATH", "CONDARC"):
        monkeypatch.setenv(name, "/nonexistent")
    assert site("25.1")["changed"]


def test_every_user_can_read_the_base_whatever_the_umask(site):
    site.make("25.1")
    old = os.umask(0o077)
    try:
        site("25.1")
    finally:
        os.umask(old)
    for path in (site.prefix, site.store, *(site.prefix / name for name in ("bin", "conda-meta", "envs"))):
        assert stat.S_IMODE(path.stat().st_mode) == 0o755, path
    assert stat.S_IMODE((site.prefix / STAMP).stat().st_mode) == 0o644
    assert stat.S_IMODE(site.cache.stat().st_mode) == 0o700


def test_nobody_else_can_change_the_base_whatever_its_archives_say(site):
    site.make(
        "25.1",
        files={"lib/open": "", "lib/closed": ""},
        modes={"lib/open": 0o4666, "lib/closed": 0o600, "bin/python": 0o775},
    )
    site("25.1")
    for name, mode in (("lib/open", 0o644), ("lib/closed", 0o644), ("bin/python", 0o755)):
        assert stat.S_IMODE((site.prefix / name).stat().st_mode) == mode
    assert {(path.lstat().st_uid, path.lstat().st_gid) for path in site.base("25.1").rglob("*")} == {
        (os.geteuid(), os.getegid())
    }


def test_a_base_that_was_removed_by_hand_is_made_again(site):
    site("25.1")
    shutil.rmtree(site.base("25.1"))
    assert site("25.1")["actions"] == ["copy", "install", "switch"]


def test_where_the_file_system_knows_no_locks_remains_are_left_to_a_person(site, monkeypatch):
    def without(_handle, _operation):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(locks.fcntl, "flock", without)
    site("25.1")
    site.make("26.2")
    site.base("26.2").mkdir()
    with pytest.raises(UserError, match="file system without locks; remedy: if no other run"):
        site("26.2")
    assert site.base("26.2").is_dir()


def killed_in_the_middle(site, conda, tmp_path, whole_group):
    """Kill -9 a process that runs site(conda) after its installer has begun; True if the installer still lives."""
    here, go = tmp_path / "here", tmp_path / "go"
    os.mkfifo(here)
    os.mkfifo(go)
    # Only the first one stops half-way.
    first = tmp_path / "first"
    first.touch()
    stop = 'rm "%s"; touch "$PREFIX/half"; echo begun > "%s"; read -r _ < "%s"' % (first, here, go)
    site.make(conda, hook='if [ -e "%s" ]; then %s; fi' % (first, stop))
    child = os.fork()
    if child == 0:
        os.setsid()
        try:
            site(conda)
        finally:
            os._exit(1)
    assert here.read_text() == "begun\n"
    if whole_group:
        os.killpg(child, signal.SIGKILL)
    else:
        os.kill(child, signal.SIGKILL)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    return go


def test_a_killed_installation_is_cleaned_up_and_done_anew(site, tmp_path):
    site("25.1")
    killed_in_the_middle(site, "26.2", tmp_path, whole_group=True)
    assert (site.base("26.2") / "half").exists() and os.readlink(site.prefix).endswith(site.base("25.1").name)
    assert site("26.2", check_mode=True)["actions"] == ["copy", "install", "switch"]
    assert site("26.2")["changed"] and not (site.base("26.2") / "half").exists()
    assert bases(site) == sorted([site.base("25.1").name, site.base("26.2").name])


def test_an_installer_that_outlives_its_run_is_waited_for(site, tmp_path, monkeypatch):
    go = killed_in_the_middle(site, "26.2", tmp_path, whole_group=False)
    reports = []

    class Watched(Progress):
        def report(self, step, item="", **more):
            reports.append(step)
            if step == "wait for":
                # The orphan may end only now: no run touched its files before.
                assert (site.base("26.2") / "half").exists()
                go.write_text("on\n")

    monkeypatch.setattr(installer_module, "Progress", Watched)
    assert site("26.2")["changed"]
    assert "wait for" in reports and reports.index("wait for") < reports.index("install")
    assert not (site.base("26.2") / "half").exists() and bases(site) == [site.base("26.2").name]


def test_a_base_in_use_is_never_taken_for_remains(site):
    site("25.1")
    (site.prefix / STAMP).unlink()
    before = tree(site.base("25.1"))
    with pytest.raises(UserError, match="a finished base"):
        site("25.1")
    assert tree(site.base("25.1")) == before


def test_a_finished_base_that_lost_its_conda_is_not_thrown_away(site):
    site("25.1")
    (site.prefix / "bin/conda").unlink()
    with pytest.raises(UserError, match="no bin/conda; remedy: restore"):
        site("25.1")


def test_the_stamp_says_what_made_the_base_and_no_password(site, https_server):
    path, sha256 = site.make("25.1")
    server = https_server(path.read_bytes())
    result = site("25.1", src=server.url.replace("https://", "https://alice:pa55word@"), ca_path=server.ca)
    assert json.loads((site.prefix / STAMP).read_text()) == {"sha256": sha256, "source": server.url}
    assert "pa55word" not in json.dumps(result)


def test_root_refuses_an_installer_that_somebody_else_could_have_written(site, monkeypatch):
    path, _sha256 = site.make("25.1", hook="touch %s" % (site.root / "ran"))
    path.chmod(0o666)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    for check_mode in (True, False):
        with pytest.raises(UserError, match="become_user"):
            site("25.1", check_mode=check_mode)
    assert not (site.root / "ran").exists() and not site.prefix.is_symlink()


def test_root_refuses_a_prefix_or_cache_where_somebody_else_can_write(site, monkeypatch):
    site.make("25.1")
    open_folder = site.root / "open"
    open_folder.mkdir()
    open_folder.chmod(0o777)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    for wrong in ({"prefix": str(open_folder / "conda")}, {"cache": str(open_folder / "cache")}):
        with pytest.raises(UserError, match="become_user"):
            site("25.1", **wrong)
    assert os.listdir(open_folder) == []


def test_an_ordinary_user_installs_into_the_own_home():
    """As user nobody if this runs as root, else as the same user."""
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        home = pathlib.Path(folder, "home")
        home.mkdir()
        site = Site(home)
        site.cache = home / ".cache/hpc.pytorch/installers"
        site.make("25.1")
        if os.geteuid() == 0:
            os.chmod(folder, 0o755)
            for path in [home, *home.rglob("*")]:
                os.chown(path, 65534, 65534)
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                if os.geteuid() == 0:
                    os.setgroups([])
                    os.setgid(65534)
                    os.setuid(65534)
                os.environ["HOME"] = str(home)
                os.environ.pop("XDG_CACHE_HOME", None)
                result = site("25.1", cache=None)
                again = site("25.1", cache=None)
                os.write(writer, json.dumps([result["after"], again["changed"]]).encode())
            except BaseException as error:
                os.write(writer, repr(error).encode())
            finally:
                os._exit(0)
        os.close(writer)
        with os.fdopen(reader) as stream:
            said = json.loads(stream.read())
        os.waitpid(child, 0)
        assert said == [{"base": str(site.base("25.1")), "conda": "25.1", "python": "3.12.1"}, False]
        assert sorted(os.listdir(home)) == [".cache", "installers", "opt"] and os.listdir(site.cache) == [".lock"]
