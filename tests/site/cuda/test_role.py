"""The whole role on this machine, in folders of its own: run, rerun, and then what a person does in each shell."""

from __future__ import annotations

import fcntl
import getpass
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import pytest

HERE = pathlib.Path(__file__).parent
CHECKOUT = HERE.parents[2]
GUIDE = 'export PATH="/opt/app/anaconda3/bin:$PATH"'
SYSTEM_PATH = "/usr/local/bin:/usr/bin:/bin"
PROGRAM = r"""
#include <cstdio>
__global__ void twice(float *x) { x[threadIdx.x] *= 2; }
int main() { int n = 0; cudaGetDeviceCount(&n); twice<<<1, 1>>>(nullptr); std::printf("ran\n"); }
"""


class Site:
    """A made-up site below one folder, and the play that configures it."""

    def __init__(self, root: pathlib.Path) -> None:
        self.root = root
        self.home = root / "home"
        self.profile = root / "profile.d"
        self.modules = root / "modules"
        self.written = root / "written"
        for folder in (self.home, self.profile):
            folder.mkdir(parents=True)

    def play(self, cuda_home, *arguments, entry="main", rc=0, cases=({},), **variables):
        """One run. Each of *cases* is a host of its own, with these variables on top."""
        given = {
            "cuda_home": None if cuda_home is None else str(cuda_home),
            "cuda_bashrc": str(self.home / ".bashrc"),
            "cuda_profile_dir": str(self.profile),
            "cuda_modulefiles_dir": str(self.modules),
            "cuda_become": False,
            "ansible_python_interpreter": sys.executable,
            **variables,
        }
        tasks = [{"name": "Run", "ansible.builtin.include_role": {"name": "hpc.pytorch.cuda", "tasks_from": entry}}]
        book = self.root / "play.json"
        book.write_text(json.dumps([{"name": "Test", "hosts": "all", "gather_facts": False, "tasks": tasks}]))
        hosts = {"case%d" % index: {**given, **case} for index, case in enumerate(cases)}
        inventory = self.root / "inventory.json"
        inventory.write_text(json.dumps({"all": {"hosts": hosts}}))
        command = [str(pathlib.Path(sys.executable).with_name("ansible-playbook")), "-i", str(inventory), "-c", "local"]
        run = subprocess.run(
            command + [str(book), *arguments],
            cwd=CHECKOUT,
            env=dict(os.environ, ANSIBLE_CONFIG=str(CHECKOUT / "ansible.cfg"), ANSIBLE_NOCOLOR="1", COLUMNS="400"),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert (run.returncode == 0) == (rc == 0), run.stdout
        return run.stdout

    def files(self):
        return sorted(
            str(path.relative_to(self.root))
            for folder in (self.home, self.profile, self.modules)
            for path in folder.rglob("*")
        )


def changed(output: str) -> int:
    return int(re.search(r"changed=(\d+)", output).group(1))


def shell(*argv: str, **environment: str) -> str:
    """What a command prints in an otherwise empty environment; anything on stderr is a failure."""
    run = subprocess.run(argv, env={"PATH": SYSTEM_PATH, **environment}, capture_output=True, text=True, check=False)
    assert run.returncode == 0 and not run.stderr, (argv, run.stdout, run.stderr)
    return run.stdout


def elements(path: str) -> list[str]:
    parts = path.split(":")
    assert "" not in parts, path
    assert len(set(parts)) == len(parts), path
    return parts


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    return Site(tmp_path_factory.mktemp("site"))


@pytest.fixture
def empty_site(tmp_path):
    return Site(tmp_path / "site")


@pytest.fixture(scope="module")
def toolkit(site):
    """The real thing, where the guide has it."""
    home = site.root / "opt" / "pkgs" / "cuda" / "cuda-toolkit"
    subprocess.run([sys.executable, str(HERE / "nvcc_tree.py"), str(home)], check=True)
    yield home
    shutil.rmtree(home)


@pytest.fixture(scope="module")
def done(site, toolkit):
    """The site after check mode, a run and a rerun, which are checked here because everything else needs them."""
    (site.home / ".bashrc").write_text("alias mine=1\n%s" % GUIDE)
    variables = {"cuda_version": "13.5", "cuda_expose": ["bashrc", "profile", "module"], "cuda_ld_library_path": True}
    before = site.files()
    assert changed(site.play(toolkit, "--check", "--diff", **variables)) == 3
    assert site.files() == before
    assert (site.home / ".bashrc").read_text() == "alias mine=1\n%s" % GUIDE
    assert changed(site.play(toolkit, **variables)) == 3
    after = {path: (site.root / path).read_bytes() for path in site.files() if (site.root / path).is_file()}
    assert changed(site.play(toolkit, **variables)) == 0
    assert after == {path: (site.root / path).read_bytes() for path in after}
    return site


def test_the_files_that_are_written(done):
    assert done.files() == [
        "home/.bashrc",
        "modules/cuda",
        "modules/cuda/13.5",
        "modules/cuda/13.5.lua",
        "profile.d/hpc-pytorch-cuda.csh",
        "profile.d/hpc-pytorch-cuda.sh",
    ]


def test_the_guides_conda_line_stays_the_last(done):
    lines = (done.home / ".bashrc").read_text().split("\n")
    assert lines[0] == "alias mine=1" and lines[-2:] == [GUIDE, ""] and lines.count(GUIDE) == 1


def test_nvcc_compiles_and_links_from_the_bashrc(done, toolkit):
    (done.root / "a.cu").write_text(PROGRAM)
    script = ". ~/.bashrc; cd '%s' && nvcc -c a.cu -o a.o && nvcc -cudart shared a.o -o a && ./a" % done.root
    assert shell("bash", "-euc", script, HOME=str(done.home)) == "ran\n"


@pytest.mark.parametrize("ld", [None, "", "/opt/other"])
@pytest.mark.parametrize("program", ["bash", "dash"])
def test_posix_shells_by_profile_d(done, toolkit, program, ld):
    source = ". '%s'; " % (done.profile / "hpc-pytorch-cuda.sh")
    given = {} if ld is None else {"LD_LIBRARY_PATH": ld}
    once = shell(program, "-euc", source + 'echo "$PATH"; echo "$LD_LIBRARY_PATH"; echo "$CUDA_HOME"', **given)
    twice = shell(program, "-euc", source * 2 + 'echo "$PATH"; echo "$LD_LIBRARY_PATH"; echo "$CUDA_HOME"', **given)
    path, library, home = once.splitlines()
    assert once == twice
    assert elements(path) == [str(toolkit / "bin"), *SYSTEM_PATH.split(":")]
    assert elements(library) == [str(toolkit / "lib64")] + ([ld] if ld else [])
    assert home == str(toolkit)


@pytest.mark.parametrize("ld", [None, "", "/opt/other"])
def test_csh_by_profile_d(done, toolkit, ld):
    given = {} if ld is None else {"LD_LIBRARY_PATH": ld}
    source = "source '%s'; " % (done.profile / "hpc-pytorch-cuda.csh")
    for times in (1, 2):
        said = shell(
            "tcsh", "-fc", source * times + 'echo "$PATH"; echo "$LD_LIBRARY_PATH"; echo "$CUDA_HOME"', **given
        )
        path, library, home = said.splitlines()
        assert elements(path)[0] == str(toolkit / "bin")
        assert elements(library) == [str(toolkit / "lib64")] + ([ld] if ld else [])
        assert home == str(toolkit)


def test_login_shells_and_a_second_login(done, toolkit):
    """/etc/profile sources profile.d, ~/.profile sources ~/.bashrc: both ways at once, in nested logins."""
    lines = ['for i in "%s"/*.sh; do . "$i"; done' % done.profile, ". ~/.bashrc"]
    (done.home / ".profile").write_text("\n".join(lines) + "\n")
    inner = 'echo "$PATH"; echo "$LD_LIBRARY_PATH"; type -p nvcc'
    for script in (inner, "bash -lc '%s'" % inner):
        path, library, nvcc = shell("bash", "-lc", script, HOME=str(done.home)).splitlines()
        assert path.split(":").count(str(toolkit / "bin")) == 1 and "" not in path.split(":")
        assert elements(library) == [str(toolkit / "lib64")]
        assert nvcc == str(toolkit / "bin" / "nvcc")
    (done.home / ".profile").unlink()


def lmod(modules, script, program="bash"):
    init = "/usr/share/lmod/lmod/init/%s" % program
    return shell(
        program,
        "-c",
        ". %s; module --redirect use '%s'; %s" % (init, modules, script),
        LMOD_REDIRECT="yes",
        LC_ALL="C.UTF-8",
    )


SHOW = 'echo "$PATH|$LD_LIBRARY_PATH|$CUDA_HOME"'


@pytest.mark.parametrize("kind", ["both", "lua", "tcl"])
def test_lmod(done, toolkit, tmp_path, kind):
    modules = done.modules
    if kind != "both":
        modules = tmp_path
        (tmp_path / "cuda").mkdir()
        name = "13.5.lua" if kind == "lua" else "13.5"
        shutil.copy(done.modules / "cuda" / name, tmp_path / "cuda" / name)
    assert lmod(modules, "module -t avail cuda").splitlines() == ["%s:" % modules, "cuda/13.5"], "listed once"
    before, loaded, twice, after = lmod(
        modules, "%s; module load cuda/13.5; %s; module load cuda; %s; module unload cuda; %s" % ((SHOW,) * 4)
    ).splitlines()[-4:]
    path, library, home = loaded.split("|")
    assert (elements(path)[0], elements(library), home) == (
        str(toolkit / "bin"),
        [str(toolkit / "lib64")],
        str(toolkit),
    )
    assert twice == loaded and after == before
    where = lmod(modules, "module -t --location show cuda/13.5").strip()
    assert where.endswith("13.5" if kind == "tcl" else "13.5.lua")


def test_lmod_swaps_versions(done, tmp_path):
    shutil.copytree(done.modules / "cuda", tmp_path / "cuda")
    shutil.copy(tmp_path / "cuda" / "13.5.lua", tmp_path / "cuda" / "10.1.lua")
    said = lmod(
        tmp_path, "module load cuda/10.1; module load cuda/13.5 2>/dev/null; module -t list; %s" % SHOW
    ).splitlines()
    assert "cuda/13.5" in said and "cuda/10.1" not in said
    elements(said[-1].split("|")[0])


@pytest.fixture(scope="session")
def modulecmd():
    """environment-modules, which cannot be installed next to Lmod: unpacked from its package, kept in the cache."""
    cache = pathlib.Path(os.environ["HPC_TEST_CACHE"]) / "environment-modules"
    command = cache / "tree" / "usr" / "lib" / "modulecmd.tcl"
    cache.mkdir(parents=True, exist_ok=True)
    with open(cache / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not command.exists():
            subprocess.run(
                ["apt-get", "download", "-qq", "environment-modules"], cwd=cache, check=True, stderr=subprocess.DEVNULL
            )
            package = next(cache.glob("environment-modules_*.deb"))
            subprocess.run(["dpkg-deb", "-x", str(package), str(cache / "tree")], check=True)
    return str(command.resolve())


def environment_modules(modulecmd, modules, script):
    function = 'module() { eval "$(tclsh "$0" bash "$@")"; }; '
    return shell("bash", "-c", function + script, modulecmd, MODULEPATH=str(modules), LC_ALL="C.UTF-8")


def test_environment_modules(done, toolkit, modulecmd):
    environment = {"PATH": SYSTEM_PATH, "MODULEPATH": str(done.modules)}
    avail = subprocess.run(
        ["tclsh", modulecmd, "bash", "avail", "-t"], env=environment, capture_output=True, text=True, check=True
    )
    assert avail.stderr.splitlines() == ["%s:" % done.modules, "cuda/13.5"]
    said = environment_modules(
        modulecmd, done.modules, "module load cuda; %s; module load cuda; %s; module unload cuda; %s" % ((SHOW,) * 3)
    )
    loaded, twice, after = said.splitlines()
    path, library, home = loaded.split("|")
    assert (elements(path)[0], elements(library), home) == (
        str(toolkit / "bin"),
        [str(toolkit / "lib64")],
        str(toolkit),
    )
    assert twice == loaded and after == "%s||" % SYSTEM_PATH


def fake(home: pathlib.Path, version="10.1.243") -> pathlib.Path:
    (home / "bin").mkdir(parents=True)
    (home / "lib").mkdir()
    (home / "version.txt").write_text("CUDA Version %s\n" % version)
    return home


def test_a_home_with_a_name_that_needs_quotes(empty_site, modulecmd):
    site = empty_site
    home = fake(site.root / "cuda ü; (touch pwned) & 'it' #1 ~ %s <x> y")
    site.play(home, cuda_expose=["bashrc", "profile", "module"], cuda_ld_library_path=True)
    sources = [
        ["bash", "-euc", ". '%s'; . '%s'; %s" % (site.home / ".bashrc", site.profile / "hpc-pytorch-cuda.sh", SHOW)],
        ["dash", "-euc", ". '%s'; . '%s'; %s" % (site.profile / "hpc-pytorch-cuda.sh", site.home / ".bashrc", SHOW)],
        ["tcsh", "-fc", "source '%s'; source '%s'; %s" % ((site.profile / "hpc-pytorch-cuda.csh",) * 2 + (SHOW,))],
    ]
    said = [shell(*argv, LC_ALL="C.UTF-8") for argv in sources]
    said.append(lmod(site.modules, "module load cuda; %s" % SHOW))
    said.append(environment_modules(modulecmd, site.modules, "module load cuda; %s" % SHOW))
    for text in said:
        path, library, cuda_home = text.rstrip("\n").split("|")
        assert (elements(path)[0], elements(library), cuda_home) == ("%s/bin" % home, ["%s/lib" % home], str(home))
    assert not list(site.root.rglob("pwned"))


def test_entry_points_write_their_own_layer_only(empty_site):
    site = empty_site
    home = fake(site.root / "cuda")
    ways = ["bashrc", "profile", "module"]
    assert changed(site.play(home, entry="user", cuda_expose=["module"])) == 0
    assert site.files() == []
    site.play(home, entry="user", cuda_expose=ways)
    assert site.files() == ["home/.bashrc"]
    assert "LD_LIBRARY_PATH" not in (site.home / ".bashrc").read_text()
    site.play(home, entry="node", cuda_expose=ways)
    assert len(site.files()) == 3
    site.play(home, entry="site", cuda_expose=ways)
    assert site.files()[1:4] == ["modules/cuda", "modules/cuda/10.1", "modules/cuda/10.1.lua"]


@pytest.mark.parametrize("home", ["", None])
def test_no_cuda_declared(empty_site, home):
    output = empty_site.play(home, cuda_expose=["bashrc", "profile", "module"])
    assert "cuda_home is empty" in output and changed(output) == 0
    assert empty_site.files() == []


WRONG = [
    ({"cuda_version": "10.10"}, "expected CUDA 10.10 at"),
    ({"cuda_version": "10.1; id"}, "expected a version such as"),
    ({"cuda_home": "/nowhere/at/all"}, "found nothing there"),
    ({"cuda_home": "/opt/$(id)"}, "can quote"),
    ({"cuda_home": "/opt/a`b"}, "can quote"),
    ({"cuda_home": '/opt/a"b'}, "can quote"),
    ({"cuda_home": "/opt/a\nb"}, "control character"),
    ({"cuda_home": "/opt/../b"}, "in it"),
    ({"cuda_home": "/opt/a:b"}, "a colon in it"),
    ({"cuda_ld_library_path": True}, "expected lib64 or lib"),
    ({"cuda_expose": ["bash"]}, "value of cuda_expose must be one or more of"),
    ({"hpc_users": ["-u root"]}, "user names"),
    ({"hpc_users": [""]}, "user names"),
]


def test_what_is_wrong_is_said_before_anything_is_written(empty_site):
    site = empty_site
    home = fake(site.root / "cuda")
    (home / "lib").rmdir()
    output = site.play(home, rc=2, cases=[case for case, said in WRONG], cuda_expose=["bashrc", "profile", "module"])
    for index, (case, said) in enumerate(WRONG):
        failure = output.partition("[case%d]: FAILED!" % index)[2].partition("\nfatal: ")[0]
        assert said in failure, (case, failure)
        assert re.search(r"^case%d .*changed=0 " % index, output, re.MULTILINE)
    assert site.files() == []


@pytest.mark.parametrize("name, way", [("cuda_profile_dir", "profile"), ("cuda_modulefiles_dir", "module")])
def test_no_folder_is_not_the_root(empty_site, name, way):
    home = fake(empty_site.root / "cuda")
    output = empty_site.play(home, "--check", rc=2, cases=[{name: ""}, {name: None}], cuda_expose=[way])
    assert " ".join(output.split()).count("expected %s to be a path; found" % name) >= 2


@pytest.fixture
def open_site():
    """Where a second user gets in, which pytest's own folders do not allow."""
    with tempfile.TemporaryDirectory(prefix="hpc-pytorch-") as folder:
        os.chmod(folder, 0o755)
        yield Site(pathlib.Path(folder))


def test_each_of_hpc_users_as_that_user(open_site):
    """As root for a real second user by su; as an ordinary user for that user, which needs no root at all."""
    site = open_site
    home = fake(site.root / "cuda")
    as_root = os.geteuid() == 0
    user = "nobody" if as_root else getpass.getuser()
    if as_root:
        shutil.chown(site.home, user)
    variables = {
        "hpc_users": [user],
        "ansible_become_method": "ansible.builtin.su",
        "ansible_become_flags": "-s /bin/sh",
        "ansible_python_interpreter": "/usr/bin/python3",
    }
    assert changed(site.play(home, entry="user", **variables)) == 1
    assert (site.home / ".bashrc").owner() == user
    assert changed(site.play(home, entry="user", **variables)) == 0
    if as_root:
        assert "become_user" in site.play(home, entry="user", rc=2)
