"""Role conda on this machine: a real engine, a small real channel, real shells."""

from __future__ import annotations

import json
import pathlib
import subprocess
import typing as t

import pytest
import yaml

ROLE = [{"ansible.builtin.include_role": {"name": "hpc.pytorch.conda"}}]


@pytest.fixture(scope="module")
def channel(tmp_path_factory: pytest.TempPathFactory, tiny_channel: t.Any) -> pathlib.Path:
    folder = tmp_path_factory.mktemp("channel")
    tiny_channel.make_package(folder, "tool", files={"bin/tool": "#!/bin/sh\necho tool of $CONDA_PREFIX\n"})
    return tiny_channel.index(folder)


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """One engine for all tests here; the first one makes it."""
    return tmp_path_factory.mktemp("engine") / "engine"


@pytest.fixture
def site(tmp_path: pathlib.Path, channel: pathlib.Path, engine: pathlib.Path) -> dict[str, t.Any]:
    """The role's variables, everything below one folder."""
    root = tmp_path / "site"
    (root / "profile.d").mkdir(parents=True)
    return {
        "conda_method": "rattler",
        "conda_prefix": str(root / "app/anaconda3"),
        "conda_base_packages": ["tool"],
        "conda_channels": ["file://%s" % channel],
        "conda_engine_prefix": str(engine),
        "conda_engine_python": "{{ ansible_python_interpreter }}",
        "conda_expose": ["bashrc", "profile", "module"],
        "conda_profile_dir": str(root / "profile.d"),
        "conda_bashrc": str(root / "bashrc"),
        "conda_package_cache": str(root / "pkgs"),
        "conda_envs_dirs": [str(root / "envs")],
    }


def shell(script: str, *interpreter: str) -> str:
    done = subprocess.run(
        [*(interpreter or ("bash", "--norc")), "-c", script],
        env={"PATH": "/usr/bin:/bin", "HOME": "/nonexistent"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.stdout


def test_a_base_is_made_found_and_then_left_alone(play, site, tree_of, tmp_path, engine):
    root = tmp_path / "site"
    before = tree_of(root)
    checked = play(ROLE, site, "--check", "--diff")
    assert checked.rc == 0, checked.output
    assert checked.recap["changed"] > 0 and tree_of(root) == before

    first = play(ROLE, site)
    assert first.rc == 0, first.output
    second = play(ROLE, site, "--diff")
    assert second.rc == 0 and second.recap["changed"] == 0, second.output
    assert play(ROLE, site, "--check").recap["changed"] == 0

    base = site["conda_prefix"]
    line = 'export PATH="%s/bin:$PATH"' % base
    assert (root / "bashrc").read_text().splitlines()[-1] == line
    env = {"hosts": "localhost"}
    made = play(
        [
            {
                "hpc.pytorch.conda_env": {
                    "name": "torch",
                    "envs_dir": str(root / "envs"),
                    "packages": ["tool"],
                    "executable": str(engine / "bin/python"),
                    "register_envs": False,
                }
            }
        ],
        env,
    )
    # No channels were given: the engine finds the site's condarc.
    assert made.rc == 0, made.output
    torch = str(root / "envs/torch")
    by_bashrc = "source %s/bashrc; source activate torch; tool" % root
    assert shell(by_bashrc) == "tool of %s\n" % torch
    by_profile = ". %s/profile.d/hpc-pytorch-conda.sh; conda activate torch; tool" % root
    assert shell(by_profile, "dash") == shell(by_profile) == "tool of %s\n" % torch
    assert shell("source %s/bashrc; conda activate torch; tool" % root) == "tool of %s\n" % torch
    in_a_job = (
        "set -eu; export PATH=%s/bin:$PATH; source activate torch; tool; conda deactivate; echo ${CONDA_PREFIX-none}"
        % base
    )
    assert shell(in_a_job) == "tool of %s\nnone\n" % torch


def test_activation_restores_the_path_refuses_unknown_and_unfinished_envs(play, site, tmp_path):
    assert play(ROLE, site).rc == 0
    base, unfinished = site["conda_prefix"], tmp_path / "site/envs/half/conda-meta"
    unfinished.mkdir(parents=True)
    (unfinished / "hpc_pytorch.changing").write_text("")
    start = ". %s/etc/profile.d/conda.sh; " % base
    assert (
        shell(
            start
            + 'before=$PATH; conda activate; conda activate; conda deactivate; [ "$PATH" = "$before" ] && echo same'
        )
        == "same\n"
    )
    for name, reason in (
        ("nothere", "no environment nothere"),
        ("half", "unfinished"),
        (str(tmp_path), "no environment"),
    ):
        output = shell(start + "conda activate base; conda activate %s && echo WRONG; echo $CONDA_PREFIX" % name)
        assert reason in output and "WRONG" not in output and output.endswith("%s\n" % base)
    assert "made without conda" in shell(start + "conda install numpy")
    own = a_base(tmp_path / "miniconda3") / "bin"
    assert shell(start + "PATH=$PATH:%s; conda install numpy" % own) == "%s/conda install numpy\n" % own


def test_lists_from_the_command_line_are_lists_in_the_condarc(play, site, tmp_path):
    """Conda does not start with a text there."""
    folders = [str(tmp_path / name) for name in ("a", "b")]
    assert (
        play(ROLE, {**site, "conda_envs_dirs": ", ".join(folders), "conda_channels": site["conda_channels"][0]}).rc == 0
    )
    found = yaml.safe_load(pathlib.Path(site["conda_prefix"], ".condarc").read_text())
    assert (found["envs_dirs"], found["channels"]) == (folders, site["conda_channels"])


def test_the_condarc_keeps_what_else_stands_in_it(play, site):
    assert play(ROLE, site).rc == 0
    condarc = pathlib.Path(site["conda_prefix"], ".condarc")
    condarc.write_text("auto_activate_base: false\nchannels: [defaults]\n")
    run = play(ROLE, site)
    assert run.rc == 0 and run.recap["changed"] == 1
    text = condarc.read_text()
    assert "auto_activate_base: false" in text and "defaults" not in text and site["conda_channels"][0] in text
    assert list(condarc.parent.glob(".condarc.*~"))


def test_an_existing_base_is_adopted_and_something_else_refused(play, site, tmp_path):
    base = tmp_path / "anaconda3"
    (base / "bin").mkdir(parents=True)
    site.update(conda_method="existing", conda_prefix=str(base), conda_modulefiles_dir=str(tmp_path / "modules"))
    refused = play(ROLE, site)
    assert refused.rc != 0 and "found no bin/conda, no bin/activate" in refused.output
    (tmp_path / "file").touch()
    for path in (tmp_path / "file", tmp_path / "file/conda"):
        refused = play(ROLE, dict(site, conda_prefix=str(path)))
        assert refused.rc != 0 and "found a file where a folder should be; remedy: " in " ".join(refused.output.split())
    for name in ("conda", "activate"):
        (base / "bin" / name).write_text("#!/bin/sh\n# a stand-in: only its existence is checked\n")
    assert play(ROLE, site).rc == 0
    assert (tmp_path / "modules/anaconda3.lua").exists() and not (base / "conda-meta").exists()
    assert play(ROLE, site).recap["changed"] == 0


# What conda 26.7.1 does in a shell, in few lines.
STAND_IN = """#!/bin/sh
case "$1" in
    shell.posix) [ "$2" = activate ] && echo "export CONDA_PREFIX=$3" || echo "unset CONDA_PREFIX" ;;
    activate | deactivate) echo "CondaError: Run 'conda init' before 'conda $1'" >&2; exit 1 ;;
    *) echo "$0 $*" ;;
esac
"""
FUNCTION = """export CONDA_EXE='%s/bin/conda'
conda() {
    case "${1-}" in
        activate | deactivate) eval "$("$CONDA_EXE" shell.posix "$@")" ;;
        *) "$CONDA_EXE" "$@" ;;
    esac
}
"""
SOURCED = '_CONDA_ROOT=%s\n. "$_CONDA_ROOT/etc/profile.d/conda.sh" || return $?\nconda activate "$@"\n'


def a_base(folder: pathlib.Path) -> pathlib.Path:
    """A stand-in for a base with a real conda, in which conda init has not been run."""
    for path, text in (
        ("bin/conda", STAND_IN),
        ("bin/activate", SOURCED % folder),
        ("etc/profile.d/conda.sh", FUNCTION % folder),
    ):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
        (folder / path).chmod(0o755)
    return folder


def test_conda_activate_works_in_each_shell_that_finds_a_real_base(play, site, tmp_path):
    base, own = a_base(tmp_path / "anaconda3"), a_base(tmp_path / "miniconda3")
    site.update(conda_method="existing", conda_prefix=str(base), conda_modulefiles_dir=str(tmp_path / "modules"))
    first = play(ROLE, site)
    assert first.rc == 0, first.output
    assert play(ROLE, site).recap["changed"] == 0
    profile = ". %s/profile.d/hpc-pytorch-conda.sh; " % (tmp_path / "site")
    bashrc = ". %s/bashrc; " % (tmp_path / "site")
    use = "conda activate /e; echo $CONDA_PREFIX; conda deactivate; echo ${CONDA_PREFIX-none}; conda list"
    # It also works with "set -eu", and twice over.
    for start in (profile, bashrc, profile + bashrc, "set -eu; " + profile + profile, "set -eu; " + bashrc + bashrc):
        assert shell(start + use) == "/e\nnone\n%s/bin/conda list\n" % base, start
    assert shell("set -eu; " + profile + use, "dash") == "/e\nnone\n%s/bin/conda list\n" % base
    assert shell(profile + "source activate /e; echo $CONDA_PREFIX") == "/e\n"

    # A user's own conda stays theirs: first on PATH, by conda init, or as an alias.
    path = "PATH=%s/bin:$PATH; " % own
    assert shell(profile + path + "conda list; conda activate /e; echo $CONDA_EXE") == "{0} list\n{0}\n".format(
        own / "bin/conda"
    )
    init = ". %s/etc/profile.d/conda.sh; " % own
    for start in (profile + init, init + bashrc, profile + init + bashrc, init + profile):
        assert shell(start + "conda list; conda activate /e; echo $CONDA_PREFIX") == "%s/bin/conda list\n/e\n" % own
    alias = "shopt -s expand_aliases; alias conda=mine; "
    assert "alias conda='mine'" in shell(alias + "\n" + bashrc + "alias; type -t mine")

    # conda's own error is left where the base has no shell function.
    (base / "etc/profile.d/conda.sh").unlink()
    for start in (profile, bashrc):
        assert (
            shell(start + "conda activate /e || echo $?") == "CondaError: Run 'conda init' before 'conda activate'\n1\n"
        )


@pytest.mark.parametrize(
    "wrong, says",
    [
        ({"conda_method": "instaler"}, "value of conda_method must be one of"),
        ({"conda_expose": ["bashcr"]}, "conda_expose"),
        (
            {"conda_engine_python": "/nonexistent/python3", "conda_engine_prefix": "/nonexistent/engine"},
            "conda_engine_python",
        ),
        ({"conda_base_packages": ["nothere"]}, "nothere"),
        ({"conda_modulefiles_dir": "~/modulefiles"}, "expected conda_modulefiles_dir to be an absolute path"),
        ({"conda_modulefiles_dir": None}, "expected conda_modulefiles_dir to be an absolute path; found null"),
        ({"conda_modulefiles_dir": ["/x"]}, "expected conda_modulefiles_dir to be an absolute path"),
        ({"conda_module_name": None}, "expected conda_module_name to consist of"),
    ],
)
def test_wrong_variables_are_named(play, site, wrong, says):
    run = play(ROLE, dict(site, **wrong))
    assert run.rc != 0 and says in run.output
    assert not pathlib.Path(site["conda_prefix"]).exists()


@pytest.mark.parametrize("prefix", ["~/conda", "conda", "~ada/conda", "", None, ["/opt/conda"]])
def test_a_base_that_no_rc_file_could_name_is_refused(play, site, prefix):
    """A shell expands no ~ in quotes."""
    run = play(ROLE, dict(site, conda_prefix=prefix, conda_expose=["bashrc"]), "--check")
    assert run.rc != 0 and "expected conda_prefix to be an absolute path" in run.output, run.output


@pytest.mark.parametrize("folder", ["", None])
def test_no_folder_is_not_the_root(play, site, folder):
    run = play(
        [{"ansible.builtin.include_role": {"name": "hpc.pytorch.conda", "tasks_from": "node"}}],
        dict(site, conda_profile_dir=folder),
        "--check",
    )
    assert run.rc != 0 and "expected conda_profile_dir to be a path; found" in run.output, run.output


def test_the_modulefiles_load_in_both_systems(play, site):
    assert play(ROLE, site).rc == 0
    folder = pathlib.Path(site["conda_prefix"]).parent / "modulefiles"
    tcl = subprocess.run(
        ["tclsh"],
        input="proc module-whatis x {}\nproc prepend-path {n v} {puts $n=$v}\nsource %s/anaconda3\n" % folder,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    assert tcl.stdout == "PATH=%s/bin\n" % site["conda_prefix"]
    lmod = shell(". /usr/share/lmod/lmod/init/bash; module use %s; module load anaconda3; echo $PATH" % folder)
    assert lmod.startswith("%s/bin:" % site["conda_prefix"]), json.dumps(lmod)
