# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""tests/own_home.py: what a user's home and variables hold matters to no test, and no test touches it."""

from __future__ import annotations

import configparser
import ctypes
import importlib.util
import json
import os
import pathlib
import struct
import subprocess
import sys
import typing as t

import pytest

CHECKOUT = pathlib.Path(__file__).resolve().parents[3]
# Of each kind that once depended on the caller: conda's settings, .netrc, locks below ~/.cache, Slurm, Ansible, Python.
REPRESENTATIVE = [
    "tests/unit/conda/engines/cli/test_engine.py::test_a_pin_of_the_env_holds",
    "tests/unit/conda/engines/rattler/test_access.py",
    "tests/unit/conda/apply/test_declare.py::test_channels_come_from_the_condarc",
    "tests/unit/slurm/test_client.py",
    "tests/unit/torch_check/test_role.py::test_check_mode_allocates_nothing",
    "tests/unit/report/test_action.py::test_a_limited_run_keeps_the_other_nodes",
]


@pytest.fixture(scope="module")
def own_home() -> t.Any:
    spec = importlib.util.spec_from_file_location("own_home", CHECKOUT / "tests/own_home.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Watch:
    """Which files and folders below a folder any process opens, changes or makes, as inotify reports it."""

    _OPENED, _WRITTEN, _LOST = 0x20, 0x2 | 0x4 | 0x40 | 0x80 | 0x100 | 0x200, 0x4000

    def __init__(self, folder: pathlib.Path) -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        self._folder, self._names = folder, {}
        self._handle = libc.inotify_init1(os.O_NONBLOCK)
        assert self._handle >= 0, os.strerror(ctypes.get_errno())
        for path in [folder, *(path for path in folder.rglob("*") if path.is_dir() and not path.is_symlink())]:
            number = libc.inotify_add_watch(self._handle, os.fsencode(path), self._OPENED | self._WRITTEN)
            assert number >= 0, os.strerror(ctypes.get_errno())
            self._names[number] = path.relative_to(folder)

    def seen(self) -> set[str]:
        """The paths since the start, relative to the folder."""
        found = set()
        data = b""
        while True:
            try:
                data += os.read(self._handle, 1 << 20)
            except BlockingIOError:
                break
        while data:
            number, mask, _cookie, length = struct.unpack("iIII", data[:16])
            assert not mask & self._LOST
            found.add(str(self._names[number] / os.fsdecode(data[16 : 16 + length].rstrip(b"\0"))))
            data = data[16 + length :]
        return found


def test_opening_and_writing_are_seen(tmp_path: pathlib.Path) -> None:
    (tmp_path / "a/b").mkdir(parents=True)
    (tmp_path / "a/b/read").write_text("x")
    watch = Watch(tmp_path)
    (tmp_path / "a/b/read").read_text()
    (tmp_path / "a/made").mkdir()
    os.listdir(tmp_path / "a/b")
    assert watch.seen() == {"a/b/read", "a/made", "a/b"}


def lived_in(home: pathlib.Path, marker: pathlib.Path) -> None:
    """A home in which conda, pip and Ansible have been used for years, and where everything is in the way."""
    ran = "echo \"$0 $*\" >> '%s'; echo ran; exit 97\n" % marker
    conda = "channels: [http://127.0.0.1:9/theirs]\npkgs_dirs: [%s/.conda/pkgs]\nenvs_dirs: [%s/.conda/envs]\n"
    pip = pathlib.Path(os.environ["PIP_CONFIG_FILE"]).read_text()
    files = {
        ".conda/environments.txt": "%s/gone\n" % home,
        ".conda/pkgs/urls.txt": "",
        ".condarc": conda % (home, home),
        ".mambarc": conda % (home, home),
        ".config/conda/.condarc": conda % (home, home),
        ".config/pip/pip.conf": pip + "[install]\nuser = true\ntarget = %s/target\nconstraint = /nonexistent\n" % home,
        ".cache/pip/http/x": "",
        ".cache/hpc.pytorch/locks/x": "",
        ".netrc": "machine 127.0.0.1 login bob password wrong\ndefault login bob password wrong\n",
        ".ssh/config": "Host *\n  ProxyCommand false\n",
        ".ansible.cfg": "[defaults]\nstdout_callback = nowhere\nvault_password_file = /nonexistent\n",
        ".ansible/collections/x": "",
        ".gitconfig": "[core]\n\tautocrlf = true\n\thooksPath = /nonexistent\n",
        ".local/lib/python%d.%d/site-packages/usercustomize.py" % sys.version_info[:2]: "raise SystemExit(97)\n",
        ".local/share/jupyter/kernels/x/kernel.json": "",
        ".bashrc": "# >>> conda initialize >>>\n" + ran,
        ".profile": ran,
    }
    for name in ("conda", "mamba", "micromamba", "nvidia-smi", "scontrol", "sinfo", "squeue", "nvcc"):
        files["miniforge3/bin/" + name] = files[".local/bin/" + name] = "#!/bin/sh\n" + ran
    for name, text in files.items():
        path = home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o755 if "/bin/" in name else 0o600)
    # As conda makes it.
    (home / ".conda").chmod(0o2775)


def variables(home: pathlib.Path, folder: pathlib.Path, marker: pathlib.Path) -> dict[str, str]:
    """What such a user's shell exports, after ``conda activate``, ``module load`` and in a job."""
    (folder / "python").mkdir()
    for name in ("torch", "numpy", "yaml"):
        (folder / "python" / (name + ".py")).write_text("raise SystemExit(97)\n")
    (folder / "bash_env").write_text("echo BASH_ENV >> '%s'; echo ran\n" % marker)
    base = str(home / "miniforge3")
    return {
        "HOME": str(home),
        "PATH": "%s/bin:%s/.local/bin:%s" % (base, home, os.environ["PATH"]),
        **dict.fromkeys(("CONDA_PREFIX", "CONDA_ROOT", "MAMBA_ROOT_PREFIX"), base),
        **dict.fromkeys(("XDG_CONFIG_HOME", "CONDA_ENVS_PATH"), str(home / ".config")),
        **dict.fromkeys(("PIP_TARGET", "PIP_PREFIX", "PIP_LOG"), str(home / "target")),
        **dict.fromkeys(("PIP_USER", "PIP_NO_DEPS", "PIP_DRY_RUN", "PIP_REQUIRE_VIRTUALENV", "PIP_QUIET"), "1"),
        **dict.fromkeys(("ANSIBLE_FORCE_COLOR", "ANSIBLE_FORKS", "ANSIBLE_DIFF_ALWAYS"), "1"),
        **dict.fromkeys(("SLURM_JOB_ID", "SLURM_PROCID", "CONDA_SHLVL", "CONDA_OFFLINE", "UV_OFFLINE"), "1"),
        **dict.fromkeys(("SLURM_CONF", "ANSIBLE_VAULT_PASSWORD_FILE", "PIP_CONSTRAINT", "LMOD_CMD"), "/nonexistent"),
        **dict.fromkeys(("http_proxy", "https_proxy", "UV_INDEX_URL"), "http://127.0.0.1:9"),
        **dict.fromkeys(("BASH_ENV", "ENV", "PYTHONSTARTUP"), str(folder / "bash_env")),
        **dict.fromkeys(("CUDA_HOME", "LD_LIBRARY_PATH", "TORCH_HOME"), str(folder)),
        "XDG_CACHE_HOME": str(home / ".cache"),
        "CONDA_PKGS_DIRS": str(home / ".conda/pkgs"),
        "CONDARC": str(home / ".condarc"),
        "CONDA_OVERRIDE_CUDA": "99.9",
        "CONDA_SUBDIR": "linux-aarch64",
        "CONDA_SOLVER": "theirs",
        "CUDA_VISIBLE_DEVICES": "",
        "NETRC": str(home / ".netrc"),
        "PYTHONPATH": str(folder / "python"),
        "ANSIBLE_STDOUT_CALLBACK": "minimal",
        "SBATCH_PARTITION": "theirs",
        "LANG": "tr_TR.UTF-8",
        "TZ": "Asia/Kathmandu",
        "TMPDIR": str(folder / "tmp dir"),
        "COLUMNS": "40",
        "FORCE_COLOR": "1",
    }


def tree(folder: pathlib.Path) -> list[t.Any]:
    return sorted((str(path), path.lstat().st_mode, path.lstat().st_ctime_ns) for path in folder.rglob("*"))


def test_nothing_of_a_callers_home_is_opened_and_none_of_its_settings_matters(tmp_path: pathlib.Path) -> None:
    home, marker = tmp_path / "home", tmp_path / "ran"
    (tmp_path / "tmp dir").mkdir()
    lived_in(home, marker)
    environment = variables(home, tmp_path, marker)
    before = tree(home)
    watch = Watch(home)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--color=no", *REPRESENTATIVE],
        cwd=CHECKOUT,
        env=environment,
        umask=0o077,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    # pip itself is asked once how it reaches an index.
    assert {path for path in watch.seen() if path not in (".config/pip/pip.conf", "target")} == set(), done.stdout
    assert tree(home) == before and not marker.exists()


SHOW = """
import json, os, sys
sys.path.insert(0, sys.argv[1])
import own_home
own_home.move_in()
folder = os.path.dirname(os.environ["HOME"])
inside = dict(os.environ)
own_home.move_in()
assert dict(os.environ) == inside
if os.fork() == 0:
    sys.exit(0)
os.wait()
os.makedirs(os.environ["HOME"] + "/read-only/folder")
os.chmod(os.environ["HOME"] + "/read-only", 0o555)
pip = open(inside["PIP_CONFIG_FILE"]).read()
print(json.dumps([folder, inside, os.path.isdir(folder), sys.path, os.umask(0o022), pip]))
"""


def moved_in(**caller: str) -> t.Any:
    done = subprocess.run(
        [sys.executable, "-c", SHOW, str(CHECKOUT / "tests")],
        env=caller,
        umask=0o077,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_home_lasts_as_long_as_the_process_and_its_variables_are_few(tmp_path: pathlib.Path) -> None:
    settings = tmp_path / ".config/pip/pip.conf"
    settings.parent.mkdir(parents=True)
    settings.write_text("[global]\nindex-url = https://example.org/simple\nno-deps = true\nquiet = 3\n")
    folder, inside, stood, path, umask, pip = moved_in(
        HOME=str(tmp_path),
        TMPDIR="/var/tmp",
        PATH="/usr/bin:/bin",
        PYTHONPATH=str(tmp_path / "theirs"),
        PIP_FIND_LINKS="/wheels",
        CONDA_PREFIX="/opt/conda",
        HPC_TEST_PYTHONS="/opt/python",
        NO_PROXY="example.org",
        WANDB_API_KEY="theirs",
    )
    assert stood and not os.path.exists(folder) and os.path.dirname(folder) == "/var/tmp"
    assert umask == 0o022 and str(tmp_path / "theirs") not in path
    assert inside.keys() - {"LC_CTYPE"} == {
        *("HOME", "USER", "LOGNAME", "SHELL", "TERM", "LC_ALL", "TZ", "PATH", "TMPDIR", "no_proxy", "NO_PROXY"),
        *("PIP_CONFIG_FILE", "PIP_DISABLE_PIP_VERSION_CHECK", "ANSIBLE_CONFIG", "PYTHONDONTWRITEBYTECODE"),
        *("ANSIBLE_REMOTE_TMP", "ANSIBLE_STDOUT_CALLBACK"),
        *("HPC_TEST_HOME", "HPC_TEST_CACHE", "HPC_TEST_PYTHONS"),
    }
    assert inside["HPC_TEST_CACHE"] == str(tmp_path / ".cache/hpc.pytorch")
    assert inside["no_proxy"] == "127.0.0.1,localhost,example.org"
    parsed = configparser.RawConfigParser()
    parsed.read_string(pip)
    # The machine's own settings, such as a certificate, are there as well.
    assert {
        "index-url": "https://example.org/simple",
        "find-links": "/wheels",
        "cache-dir": str(tmp_path / ".cache/hpc.pytorch/pip"),
    }.items() <= dict(parsed["global"]).items()
    assert not {"no-deps", "quiet"} & parsed["global"].keys()


def test_a_folder_for_temporary_files_in_which_tests_cannot_work_is_not_used(
    own_home: t.Any, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def used(folder: str) -> bool:
        return bool(own_home.temporary_of({"TMPDIR": folder}))

    closed, space = tmp_path / "closed", tmp_path / "a space"
    for folder in (closed / "in", space):
        folder.mkdir(parents=True)
    closed.chmod(0o700)
    assert used("/var/tmp") and not used("relative") and not used("") and not used("/nonexistent")
    assert not used(str(space)) and not used("/tmp/" + "x" * 60)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(pathlib.Path, "parents", property(lambda self: [closed]))
    assert not used("/var/tmp")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert used("/var/tmp")


def test_the_path_is_the_callers_without_a_home_and_without_condas(own_home: t.Any, tmp_path: pathlib.Path) -> None:
    home, tools, conda = tmp_path / "home", tmp_path / "tools", tmp_path / "conda"
    for folder in (home / "bin", tools, conda):
        folder.mkdir(parents=True)
    (conda / "mamba").write_text("")
    (conda / "mamba").chmod(0o755)
    (tmp_path / "link").symlink_to(home)
    given = ":".join(map(str, (home / "bin", tmp_path / "link/bin", tools, conda, ".", "", tools)))
    found = own_home.path_of({"PATH": given}, home).split(":")
    assert found[:2] == [os.path.dirname(sys.executable), str(tools)]
    assert found[2:] == list(own_home._SYSTEM_FOLDERS)


@pytest.mark.parametrize(
    "caller, cache",
    [
        ({"HOME": "/h"}, "/h/.cache/hpc.pytorch"),
        ({"HOME": "/h", "XDG_CACHE_HOME": "/c"}, "/c/hpc.pytorch"),
        ({"HOME": "/h", "XDG_CACHE_HOME": "relative"}, "/h/.cache/hpc.pytorch"),
        ({"HOME": "/h", "XDG_CACHE_HOME": "/c", "HPC_TEST_CACHE": "/made by the tools"}, "/made by the tools"),
    ],
)
def test_what_is_made_once_is_kept_where_the_tools_keep_it(own_home: t.Any, caller: t.Any, cache: str) -> None:
    assert str(own_home.cache_of(caller)) == cache
