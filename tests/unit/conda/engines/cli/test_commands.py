"""Command lines, variables and files for conda, mamba and micromamba."""

from __future__ import annotations

import json

import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._common.errors import UserError
from ansible_collections.hpc.pytorch.plugins.module_utils._conda.engines.cli.addresses import (
    addresses_with_credentials,
    with_credentials,
)
from ansible_collections.hpc.pytorch.plugins.module_utils._conda.engines.cli.commands import (
    condarc,
    explicit_text,
    install_command,
    named_channels,
    remove_command,
    solve_command,
    variables,
)
from ansible_collections.hpc.pytorch.plugins.module_utils._conda.engines.cli.tool import Tool

CONDA, MAMBA = Tool("conda", "/b/conda", "26.7.1"), Tool("micromamba", "/b/micromamba", "2.8.1")


def test_the_solve_command():
    common = ["install", "--prefix", "/p", "--dry-run", "--json", "--yes", "--quiet", "--override-channels"]
    channels = ["--channel", "a", "--channel", "file:///b"]
    for priority, flag in (
        ("strict", ["--strict-channel-priority"]),
        ("disabled", ["--no-channel-priority"]),
        ("flexible", []),
    ):
        assert solve_command(CONDA, "/p", ["x=1"], ["a", "file:///b"], priority) == [
            "/b/conda",
            *common,
            *channels,
            *flag,
            "x=1",
        ]


@pytest.mark.parametrize(
    "spec, says", [("--file=/etc/passwd", "an option"), ("https://u:pa55word@h/x.conda", "without credentials")]
)
def test_a_spec_is_neither_an_option_nor_a_secret(spec, says):
    with pytest.raises(UserError, match=says) as caught:
        solve_command(MAMBA, "/p", [spec], [], "strict")
    assert "pa55word" not in str(caught.value)


def test_the_commands_that_change_an_env():
    assert install_command(MAMBA, "/p", "/f.txt")[1:] == [
        "install",
        "--prefix",
        "/p",
        "--file",
        "/f.txt",
        "--json",
        "--yes",
        "--quiet",
    ]
    assert install_command(CONDA, "/p", "/f.txt", True)[-1] == "--download-only"
    removal = ["remove", "--prefix", "/p", "--force-remove", "--json", "--yes", "--quiet", "--offline", "x"]
    assert remove_command(CONDA, "/p", ["x"])[1:] == removal
    assert remove_command(MAMBA, "/p", ["x"])[1:] == [
        "remove",
        "--prefix",
        "/p",
        "--force",
        "--json",
        "--yes",
        "--quiet",
        "x",
    ]


@pytest.mark.parametrize(
    "channel, name, server",
    [
        ("https://u:pa55word@h/a/b/", "a/b", "https://u:pa55word@h"),
        ("https://h/t/TOKEN1/chan", "chan", "https://h/t/TOKEN1"),
        ("https://h/api/conda/t/TOKEN1/a/chan", "a/chan", "https://h/api/conda/t/TOKEN1"),
        ("http://u:p@h:80/t/T/x", "x", "http://u:p@h:80/t/T"),
    ],
)
def test_a_channel_with_credentials_has_a_name_on_the_command_line(channel, name, server):
    shown, custom = named_channels(["conda-forge", channel, "file:///x"])
    assert shown == ["conda-forge", name, "file:///x"] and custom == {name: server}
    assert json.loads(condarc(custom)) == {"custom_channels": {name: server}}


@pytest.mark.parametrize(
    "channels", [["https://u:p@h"], ["https://h/t/TOKEN/"], ["https://u:p@a/x", "https://u:p@b/x"]]
)
def test_a_channel_that_cannot_be_named_is_refused(channels):
    with pytest.raises(UserError, match="engine rattler"):
        named_channels(channels)


def test_credentials_are_put_back_into_addresses_of_their_channel_alone():
    addresses = addresses_with_credentials(["https://u:pw@h/c", "conda-forge", "https://h/t/TOKEN/d"])
    assert with_credentials("https://u:pw@h/c/noarch/x.conda", addresses) == "https://u:pw@h/c/noarch/x.conda"
    assert with_credentials("https://h/c/noarch/x.conda", addresses) == "https://u:pw@h/c/noarch/x.conda"
    assert with_credentials("https://h/d/noarch/x.conda", addresses) == "https://h/t/TOKEN/d/noarch/x.conda"
    assert with_credentials("https://h/cc/noarch/x.conda", addresses) == "https://h/cc/noarch/x.conda"


def test_explicit_files_have_the_hash_that_each_tool_reads():
    records = [{"url": "u1", "sha256": "s", "md5": "m"}, {"url": "u2", "md5": "m"}, {"url": "u3", "sha256": None}]
    assert explicit_text(records, "conda") == "@EXPLICIT\nu1#s\nu2#m\nu3\n"
    assert explicit_text(records, "mamba") == "@EXPLICIT\nu1#sha256:s\nu2#m\nu3\n"


def test_the_environment_is_quiet_and_has_nothing_foreign():
    given = {
        "HOME": "/h",
        "CONDA_PREFIX": "/x",
        "CONDA_SHLVL": "2",
        "MAMBA_NO_RC": "1",
        "CONDA_OVERRIDE_GLIBC": "2.28",
        "https_proxy": "p",
    }
    found = variables(given, "none", "/cache", "/rc", "flexible")
    assert not {"CONDA_PREFIX", "CONDA_SHLVL", "MAMBA_NO_RC"} & set(found)
    wanted = {
        "HOME": "/h",
        "CONDA_OVERRIDE_GLIBC": "2.28",
        "https_proxy": "p",
        "CONDA_OVERRIDE_CUDA": "",
        "CONDA_PKGS_DIRS": "/cache",
        "CONDARC": "/rc",
        "CONDA_CHANNEL_PRIORITY": "flexible",
        "MAMBA_CHANNEL_PRIORITY": "flexible",
        "LC_ALL": "C.UTF-8",
        "CONDA_REPORT_ERRORS": "false",
        "CONDA_ANACONDA_ANON_USAGE": "false",
        "CONDA_NUMBER_CHANNEL_NOTICES": "0",
        "CONDA_NOTIFY_OUTDATED_CONDA": "false",
        "CONDA_SHORTCUTS": "false",
        "CONDA_REGISTER_ENVS": "false",
    }
    assert found == wanted
    assert "CONDA_OVERRIDE_CUDA" not in variables({}, None, None, None, "strict")
