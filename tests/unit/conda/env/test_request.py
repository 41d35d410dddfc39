from __future__ import annotations

import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._common.errors import UserError
from ansible_collections.hpc.pytorch.plugins.module_utils._common.redact import secrets_in, without_credentials
from ansible_collections.hpc.pytorch.plugins.module_utils._conda.env.request import (
    EnvRequest,
    checked_channels,
    checked_cuda,
    checked_pip_lines,
    checked_prefix,
    checked_specs,
    pip_requirements,
)

HOSTILE = [
    "a b",
    "a'b",
    'a"b',
    "a\nb",
    "a;b",
    "..",
    "a/../b",
    "é",
    "a$(id)b",
    "a`id`b",
    "-a",
    "",
    "a#b",
    "a:b",
    "base",
    "root",
]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_name_that_shells_or_conda_cannot_carry_is_refused_in_one_line(name):
    with pytest.raises(UserError) as caught:
        checked_prefix(None, name, None, "/home/alice")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "path", ["/a b", "/a'b", "/a\nb", "/a;b", "/a/../b", "/é", "/a$(id)", "relative", "/a:b", "/a*"]
)
def test_a_prefix_that_shells_cannot_carry_is_refused(path):
    with pytest.raises(UserError):
        checked_prefix(path, None, None, "/home/alice")


def test_a_name_lies_in_the_home_unless_told_otherwise():
    assert checked_prefix(None, "torch", None, "/home/alice") == "/home/alice/.conda/envs/torch"
    assert checked_prefix(None, "torch", "/opt/envs", "/home/alice") == "/opt/envs/torch"
    assert checked_prefix("/opt/envs//torch/", None, None, "/home/alice") == "/opt/envs/torch"


def test_specs_are_one_set_and_channels_keep_their_order():
    assert checked_specs(["numpy", " numpy ", "app"], "match spec") == ("app", "numpy")
    assert checked_channels(["b", "a", "b"]) == ("b", "a")
    for value in ("", " ", "a\nb"):
        with pytest.raises(UserError):
            checked_specs([value], "match spec")
        with pytest.raises(UserError):
            checked_channels([value])


def test_pip_options_keep_their_order_and_requirements_are_one_set():
    lines = [
        "torch==2.13.0",
        "--index-url https://b",
        "numpy",
        "--extra-index-url https://a",
        " numpy ",
        "--require-hashes",
        "-e /src",
    ]
    assert checked_pip_lines(lines) == (
        "--index-url https://b",
        "--extra-index-url https://a",
        "--require-hashes",
        "-e /src",
        "numpy",
        "torch==2.13.0",
    )
    assert checked_pip_lines(["a==1 \\\n    --hash=sha256:00 \\\n    --hash=sha256:11"]) == (
        "a==1  --hash=sha256:00  --hash=sha256:11",
    )


@pytest.mark.parametrize(
    "line",
    [
        "",
        " ",
        "a\nb",
        "# why",
        "-r more.txt",
        "-rmore.txt",
        "-c ../c.txt",
        "--constraint=c.txt",
        "-e .",
        "--find-links wheels",
    ],
)
def test_a_pip_line_that_means_nothing_here_is_refused(line):
    with pytest.raises(UserError):
        checked_pip_lines([line])


@pytest.mark.parametrize(
    "line", ["-r /c.txt", "-c https://example.org/c", "--find-links=/w", "--find-links ${WHEELS}", "-e git+https://x/y"]
)
def test_a_pip_line_with_a_place_is_taken(line):
    assert checked_pip_lines([line]) == (line,)


def test_what_is_shown_of_pip_lines_is_what_they_ask_for():
    lines = [
        "--index-url https://u:p@example.org",
        "a==1 --hash=sha256:00",
        "b @ https://u:p@example.org/b.whl",
        "c>=2  # for d",
    ]
    assert pip_requirements(lines) == ("a==1", "b @ https://example.org/b.whl", "c>=2")


def test_cuda_is_a_version_or_none():
    assert [checked_cuda(value) for value in (None, "", "none", "12.8")] == [None, None, "none", "12.8"]
    with pytest.raises(UserError):
        checked_cuda("12.8; rm")


def request(**changed):
    values = {
        "prefix": "/e",
        "packages": ("a",),
        "channels": ("https://example.org/c",),
        "channel_priority": "strict",
        "pip": (),
        "cuda": None,
        "prune": False,
        "compiled": False,
        "lock_sha256": None,
        "condarc_sha256": None,
    }
    return EnvRequest(**dict(values, **changed))


@pytest.mark.parametrize(
    "changed",
    [
        {"packages": ("a", "b")},
        {"channels": ("https://example.org/d",)},
        {"channel_priority": "disabled"},
        {"pip": ("x",)},
        {"pip": ("--index-url https://example.org", "x")},
        {"cuda": "12.8"},
        {"prune": True},
        {"compiled": True},
        {"lock_sha256": "0"},
        {"condarc_sha256": "0"},
    ],
)
def test_whatever_decides_the_content_decides_the_hash(changed):
    assert request(**changed).sha256() != request().sha256()


def test_neither_place_nor_credentials_decide_the_hash():
    assert request(prefix="/f").sha256() == request().sha256()
    index = "--index-url https://%sexample.org/simple"
    assert request(pip=(index % "u:p@",)).sha256() == request(pip=(index % "",)).sha256()
    assert request(channels=("https://u:p@example.org/t/TOKEN/c",)).sha256() == request().sha256()


@pytest.mark.parametrize(
    "url, shown",
    [
        ("https://u:p@example.org/c", "https://example.org/c"),
        ("https://example.org/t/TOK-en/c/linux-64/x.conda", "https://example.org/c/linux-64/x.conda"),
        ("GET https://example.org:8080/t/T/c failed", "GET https://example.org:8080/c failed"),
        ("https://example.org/at/home", "https://example.org/at/home"),
        ("http://example.org/deep/t/TOKEN1/conda", "http://example.org/deep/conda"),
        ("http://user:pa@ss@example.org/c", "http://example.org/c"),
        ("file:///opt/t/c", "file:///opt/t/c"),
    ],
)
def test_credentials_vanish_and_the_rest_stays(url, shown):
    assert without_credentials(url) == shown


def test_what_ansible_is_told_to_mask():
    texts = ["https://user:pa55@word@example.org/x/t/TOKEN1/c", "numpy", "https://u:p@example.org/"]
    assert secrets_in(texts) == {"user:pa55@word", "pa55@word", "TOKEN1"}
