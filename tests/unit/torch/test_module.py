"""The module's face: its arguments, and one line for what is wrong with them."""

from __future__ import annotations

import json
import pathlib
import re
import typing as t

import pytest
import yaml
from ansible.module_utils.testing import patch_module_args
from ansible_collections.hpc.pytorch.plugins.module_utils._torch.diagnose.stages import codes
from ansible_collections.hpc.pytorch.plugins.modules import torch_info

from .conftest import MakeEnv


def call(capsys: pytest.CaptureFixture[str], **options: t.Any) -> dict[str, t.Any]:
    with patch_module_args(options), pytest.raises(SystemExit):
        torch_info.main()
    returned = json.loads(capsys.readouterr().out)
    assert isinstance(returned, dict)
    return returned


def test_it_reports_a_broken_torch_and_does_not_fail(make_env: MakeEnv, capsys: pytest.CaptureFixture[str]) -> None:
    prefix = make_env()
    returned = call(capsys, prefix=str(prefix), expect_cuda=True, _ansible_check_mode=True)
    assert not returned.get("failed") and returned["changed"] is False
    assert (returned["verdict"], returned["reasons"][0]["code"]) == ("failed", "torch_missing")
    by_python = call(capsys, python=str(prefix / "bin" / "python"))
    assert by_python["python"] == returned["python"]


@pytest.mark.parametrize(
    "options, said",
    [
        ({}, "one of the following is required: prefix, python"),
        ({"prefix": "/x", "python": "/y"}, "mutually exclusive"),
        ({"prefix": "envs/torch"}, "expected prefix to be an absolute path; found 'envs/torch'; remedy: "),
        ({"prefix": ""}, "expected prefix to be an absolute path; found ''; remedy: "),
        ({"python": "python3"}, "expected python to be an absolute path"),
        ({"prefix": "/not\0here"}, "expected prefix to be an absolute path"),
        ({"prefix": "/x", "timeout": 0}, "expected timeout to be at least 1 second; found 0; remedy: "),
        ({"prefix": "/x", "device_timeout": 0}, "expected device_timeout to be at least 1 second; found 0; remedy: "),
        (
            {"prefix": "/x", "expect_gpu": ["h100", "-"]},
            "expected expect_gpu to be GPU types or compute capabilities; found '-'",
        ),
        ({"prefix": "/x", "expect_cuda": True, "expect_devices": 0}, "expect_cuda true with expect_devices 0"),
        ({"prefix": "/x", "expect_devices": -1}, "expected expect_devices to be 0 or more; found -1; remedy: "),
        (
            {"prefix": "/no such\n'env'; $(x) ü/.."},
            "expected a python environment at /no such 'env'; $(x) ü/..; found No",
        ),
    ],
)
def test_bad_arguments_are_one_clear_line(
    options: dict[str, t.Any], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    returned = call(capsys, **options)
    assert returned["failed"]
    assert said in returned["msg"]
    assert "\n" not in returned["msg"]


def test_a_file_is_no_environment(tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("")
    assert "something that is no folder" in call(capsys, prefix=str(tmp_path / "file"))["msg"]


def test_the_documentation_names_every_code_in_its_order() -> None:
    returned = yaml.safe_load(torch_info.RETURN)["reasons"]["contains"]["code"]["description"]
    assert [line.split(")")[0][2:] for line in returned if line.startswith("V(")] == codes()


def test_the_page_of_causes_has_every_code_in_its_order() -> None:
    page = pathlib.Path(__file__).resolve().parents[3] / "docs" / "causes.md"
    assert re.findall(r"^### (\w+)$", page.read_text(encoding="utf-8"), re.M) == codes()
