"""Which requests conda_engine accepts."""

from __future__ import annotations

import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._common.errors import UserError
from ansible_collections.hpc.pytorch.plugins.module_utils._conda.engine_venv.request import engine_request

HASH = "--hash=sha256:" + "0123456789abcdef" * 4


@pytest.mark.parametrize(
    "text",
    [
        "py-rattler==0.28.0",
        "# a comment\npy-rattler==0.28.0  # and another\n\n",
        "PyYAML==6.0.3 %s" % HASH,
        "PyYAML==6.0.3 \\\n    %s \\\n    %s\n" % (HASH, HASH),
        "backports.zstd==1.8.0 ; python_version < '3.14' %s" % HASH,
        'backports.zstd==1.8.0; python_version < "3.14"',
        "requests[socks]>=2,<3",
        "requests [socks, use-chardet] >= 2",
        "numpy",
        "numpy~=2.0",
        "numpy!=2.0.1",
    ],
)
def test_lines_that_name_packages_are_accepted(text):
    assert engine_request("/opt/engine", text, None).requirements == text


@pytest.mark.parametrize(
    "line",
    [
        "-r /scratch/more.txt",
        "--requirement=/scratch/more.txt",
        "-c /scratch/constraints.txt",
        "-e /scratch/project",
        "-f /scratch/wheels",
        "--find-links /scratch/wheels",
        "-i http://mirror.example/simple",
        "--index-url https://user:secret@mirror.example/simple",
        "--extra-index-url https://mirror.example/simple",
        "--trusted-host mirror.example",
        "--no-index",
        "--pre",
        "--config-settings=a=b",
        "numpy --global-option=x",
        "numpy==2.0 --config-settings=a=b",
        "/scratch/numpy-2.0-py3-none-any.whl",
        "./numpy",
        "../numpy",
        "scratch/numpy-2.0-py3-none-any.whl",
        "file:///scratch/numpy-2.0-py3-none-any.whl",
        "FILE:/scratch/numpy.whl",
        "https://mirror.example/numpy.whl",
        "git+https://mirror.example/numpy",
        "numpy @ file:///scratch/numpy.whl",
        "numpy@https://mirror.example/numpy.whl",
        "numpy @/scratch/numpy.whl",
        "numpy \\\n @ file:///scratch/numpy.whl",
        "numpy ; python_version > '3' @ file:///x",
        "numpy==2.0 --hash=md5:0123",
        "numpy==2.0 --hash=sha256:0123",
        "${HOME}/numpy.whl",
        "# a comment \\\n-r more.txt",
        "numpy \\\n# a comment\n-r more.txt",
        "numpy==2.0 -r",
        "numpy[a] -r",
        "numpy ; os_name -r",
    ],
)
def test_lines_that_lead_elsewhere_are_refused(line):
    with pytest.raises(UserError, match="expected requirements to be packages") as caught:
        engine_request("/opt/engine", "pip==26.3\n%s\n" % line, None)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "char", ["\0", "\x0b", "\x0c", "\r", "\x1c", "\x1e", "\x85", "\u2028", "\u2029", "\x1b", "\u202e"]
)
def test_what_pip_or_a_terminal_takes_for_more_than_a_character_is_refused(char):
    for text in ("numpy==2.0%s-r more.txt", "# a comment%s-r more.txt"):
        with pytest.raises(UserError, match="without control characters"):
            engine_request("/opt/engine", text % char, None)


@pytest.mark.parametrize("text", ["", "\n", "# nothing\n", " \t\n"])
def test_requirements_of_nothing_are_refused(text):
    with pytest.raises(UserError, match="at least one package"):
        engine_request("/opt/engine", text, None)


@pytest.mark.parametrize("prefix", ["", "engine", "./engine", "/", "//", "/opt/..", "/opt/../etc", "/opt/a\nb", "/\0"])
def test_a_prefix_that_is_no_folder_of_its_own_is_refused(prefix):
    with pytest.raises(UserError, match="prefix"):
        engine_request(prefix, "a", None)


def test_the_store_is_next_to_the_prefix():
    request = engine_request("//opt//my site/engine/", "a", "/opt/conda/.condarc")
    assert (request.prefix, request.store) == ("/opt/my site/engine", "/opt/my site/.engine")
    with pytest.raises(UserError, match="condarc"):
        engine_request("/opt/engine", "a", "conda/.condarc")
