"""user.yml writes the lines of roles cuda and conda by one task."""

from __future__ import annotations

import json

import pytest


@pytest.fixture
def rc(tmp_path):
    return tmp_path / "home/.bashrc"


@pytest.fixture
def user_layer(tmp_path, rc, playbook_run):
    """Runs user.yml for two nodes, without an environment."""
    toolkit = tmp_path / "cuda"
    (toolkit / "bin").mkdir(parents=True)
    (toolkit / "lib64").mkdir()
    (toolkit / "version.json").write_text(json.dumps({"cuda": {"name": "CUDA SDK", "version": "12.4.1"}}))
    rc.parent.mkdir()
    variables = {
        "ansible_connection": "local",
        "ansible_python_interpreter": "/usr/bin/python3",
        "conda_prefix": "/opt/conda",
        "conda_expose": ["bashrc"],
        "conda_bashrc": str(rc),
        "cuda_home": str(toolkit),
        "cuda_ld_library_path": True,
        "cuda_bashrc": str(rc),
        "torch_env_prefix": str(tmp_path / "envs/torch"),
        "torch_env_state": "absent",
    }

    def call(*arguments, environment=None, **changed):
        hosts = {"login": {"hosts": {"n1": {}}}, "compute": {"hosts": {"n2": {}}}}
        inventory = tmp_path / "hosts.json"
        inventory.write_text(json.dumps({"all": {"vars": dict(variables, **changed), "children": hosts}}))
        return playbook_run("-i", str(inventory), "playbooks/user.yml", *arguments, environment=environment)

    return call


def test_both_roles_lines_by_one_module_and_a_second_run_changes_nothing(user_layer, rc, load_module, tmp_path):
    tool = load_module("tests/task_counts.py")
    assert user_layer("--check").rc == 0 and not rc.exists()
    run = user_layer(environment=tool.environment(tmp_path / "counts"))
    assert run.rc == 0, run.output
    text = rc.read_text()
    assert 0 < text.index("CUDA_HOME=") < text.index("/cuda/lib64:") < text.index("/opt/conda/etc")
    assert text.endswith('export PATH="/opt/conda/bin:$PATH"\n')
    modules = sum(tool.read(tmp_path / "counts").modules.values(), [])
    assert modules.count("hpc.pytorch.shell_rc") == 1
    again = user_layer()
    assert again.rc == 0 and "changed: [" not in again.output and rc.read_text() == text


def test_one_role_alone_and_rc_files_of_their_own(user_layer, rc):
    assert user_layer(cuda_home="").rc == 0
    assert "CUDA_HOME" not in rc.read_text() and "/opt/conda/bin" in rc.read_text()
    rc.unlink()
    assert user_layer(conda_expose=["module"]).rc == 0
    assert "CUDA_HOME" in rc.read_text() and "/opt/conda" not in rc.read_text()
    assert user_layer(conda_expose=["module"], cuda_expose=["module"], cuda_home="/nonexistent").rc == 0
    rc.unlink()
    assert user_layer(cuda_bashrc=str(rc.parent / "cuda.sh")).rc == 0
    assert "CUDA_HOME" not in rc.read_text() and "CUDA_HOME" in (rc.parent / "cuda.sh").read_text()


@pytest.mark.parametrize(
    "wrong, said",
    [
        ({"conda_expose": ["bash"]}, "expected conda_expose"),
        ({"conda_prefix": "/opt/a b"}, "expected conda_prefix"),
        ({"cuda_home": "/opt/$a"}, "expected cuda_home"),
        ({"cuda_expose": ["bash"]}, "cuda_expose"),
        ({"cuda_home": "/nonexistent"}, "/nonexistent"),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_written(user_layer, rc, wrong, said):
    run = user_layer(**wrong)
    assert run.rc != 0 and said in " ".join(run.output.split()) and not rc.exists(), run.output
