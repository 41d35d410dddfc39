"""What a page shows of a command's output, and which two outputs are the same."""

from __future__ import annotations

import pytest
import yaml
from ansible_collections.hpc.pytorch.plugins.module_utils._common.errors import UserError
from ansible_collections.hpc.pytorch.plugins.plugin_utils._page_run import outputs_file
from ansible_collections.hpc.pytorch.plugins.plugin_utils._page_run.outputs import (
    Reader,
    is_same,
    merged,
    reader_of,
    shown_output,
)

ALICE = reader_of({"user": "alice", "own_home": "/home/alice", "home": "/home/alice/.hpc_pytorch.guide/pytorch/home"})


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("a\n", "a\n"),
        ("a", "a\n"),
        ("", ""),
        ("\n\n", ""),
        ("\n\na\n\nb  \n\n", "a\n\nb\n"),
        ("a\r\nb\r\n", "a\nb\n"),
        ("\x1b[1;31mred\x1b[0m \x1b]0;title\x07x\x1b(B\n", "red x\n"),
        ("10%\r50%\r100%\n", "100%\n"),
        ("10%\r50%\r", "50%\n"),
        ("ab\bc\n", "ac\n"),
        ("a\x00b\x07\n", "a\\x00b\\x07\n"),
        ("caf\u00e9 \u4f60\u597d\n", "caf\u00e9 \u4f60\u597d\n"),
        ("\ufffd\n", "\ufffd\n"),
        ("/home/alice/.conda/envs/torch\n", "/home/your-id/.conda/envs/torch\n"),
        ("/home/alice/.hpc_pytorch.guide/pytorch/home/test.sh\n", "/home/your-id/test.sh\n"),
        ("/home/alice2/x /home/alice.old /home/alice\n", "/home/alice2/x /home/alice.old /home/your-id\n"),
        ("1  titan  test  alice  R\n", "1  titan  test  your-id  R\n"),
        ("malice alice-1 alice.\n", "malice alice-1 your-id.\n"),
        ("http://host:8888/lab?token=0123456789abcdef\n", "http://host:8888/lab\n"),
        ("https://me:secret@host/simple\n", "https://host/simple\n"),
        (
            "bash: /home/alice/.hpc_pytorch.guide/pytorch/steps/003.sh: line 2: condda: command not found\n",
            "bash: condda: command not found\n",
        ),
    ],
)
def test_what_is_shown(written, shown):
    assert shown_output(written, ALICE, "source activate torch\n") == shown


def test_a_name_that_is_a_word_of_the_commands_stays_a_word():
    torch = Reader("torch", ("/home/torch",))
    assert shown_output("torch 2.13 /home/torch/x\n", torch, "import torch\n") == "torch 2.13 /home/your-id/x\n"


def test_a_long_output_is_cut_in_its_middle_and_a_long_line_at_its_end():
    lines = shown_output("".join("%d\n" % number for number in range(1000)), ALICE, "").split("\n")
    assert lines[:3] + lines[38:43] + lines[-3:] == ["0", "1", "2", "38", "39", "[...]", "980", "981", "998", "999", ""]
    assert len(shown_output("x" * 100000 + "\n", ALICE, "")) == 401


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Submitted batch job 17\n", "Submitted batch job 4711\n"),
        ("slurm-17.out\ntest-17.out\n", "slurm-9.out\ntest-9.out\n"),
        ("  JOBID PARTITION\n     17 titan\n", "  JOBID PARTITION\n   4711 titan\n"),
        ("JobId=17 JobName=test\n", "JobId=18 JobName=test\n"),
        ("17_4 titan\n17.batch x\n", "18_4 titan\n18.batch x\n"),
        ("[1] 4242\n", "[1] 99\n"),
        ("2026-11-27T14:29:25 start\n", "2027-01-01T00:00:00 start\n"),
        ("Fri Nov 27 14:29:25 UTC 2026\n", "Mon Jan  4 01:02:03 CET 2027\n"),
        ("0:03 R\n", "12:59 R\n"),
        ("took 3.21 s, 17 it/s\n", "took 10 s, 1700 it/s\n"),
        ("loss=0.1234 accuracy=0.9876\n", "loss=0.1229 accuracy=0.9870\n"),
        ("at 0x7f00deadbeef\n", "at 0x7f00cafe0000\n"),
        ("/tmp/tmpabc1 x\n", "/tmp/tmpxyz9 x\n"),
        (
            "False\n",
            "srun: job 16 queued and waiting for resources\nsrun: job 16 has been allocated resources\nFalse\n",
        ),
        ("node: titan01, in job 8\n", "node: titan01, in job 16\n"),
        ("Built on Fri, Nov 27 14:29:25 2026\n", "Built on Sat, Nov 28 14:29:25 2026\n"),
    ],
)
def test_two_runs_of_one_command_are_the_same(one, other):
    assert is_same(one, other) and merged({"a": one}, {"a": other}, ["a"]) == {"a": one}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("torch 2.13.0\n", "torch 2.12.0\n"),
        ("release 13.5, V13.5.1\n", "release 12.9, V12.9.1\n"),
        ("gpu:2\n", "gpu:4\n"),
        ("titan* up 3-00:00:00 2 idle\n", "titan* up 3-00:00:00 4 idle\n"),
        ("True\n", "False\n"),
        ("/opt/app/a\n", "/opt/app/b\n"),
        ("CUDA_VISIBLE_DEVICES=0\n", "CUDA_VISIBLE_DEVICES=0,1\n"),
        ("", "x\n"),
        ("16\n", "32\n"),
        ("False\n", "srun: error: Unable to create step\nFalse\n"),
    ],
)
def test_another_answer_is_another_output(one, other):
    assert not is_same(one, other) and merged({"a": one}, {"a": other}, ["a"]) == {"a": other}


def test_outputs_of_other_machines_stay_and_those_of_no_command_go():
    assert merged({"jupyter": "1\n", "gone": "2\n", "b": "3\n"}, {"b": "4\n", "a": ""}, ["a", "b", "jupyter"]) == {
        "a": "",
        "b": "4\n",
        "jupyter": "1\n",
    }


def test_the_file_is_lines_of_text_and_reads_back(tmp_path):
    path = str(tmp_path / "docs/outputs.yml")
    outputs = {
        "a": "one: 1\n  two # x\n",
        "no": "yes\n",
        "empty": "",
        "odd": "tab\there\n- x\n",
        "zh": "\u4f60\u597d\n",
    }
    assert outputs_file.read(path) == {}
    assert outputs_file.write(path, outputs) and outputs_file.read(path) == outputs
    text = (tmp_path / "docs/outputs.yml").read_text(encoding="utf-8")
    assert text.startswith("---\n") and "a: |\n  one: 1\n    two # x\n" in text and "\u4f60\u597d" in text
    assert not outputs_file.write(path, outputs)
    assert yaml.safe_load(outputs_file.dump({})) == {}


@pytest.mark.parametrize("text", ["- a\n", "a: 1\n", "a: [\n", "1: x\n", "x\n", "a: !!python/object:os.system x\n"])
def test_another_file_is_refused(tmp_path, text):
    (tmp_path / "outputs.yml").write_text(text)
    with pytest.raises(UserError, match="a text for each ID in .*remove the file"):
        outputs_file.read(str(tmp_path / "outputs.yml"))


def test_a_page_that_is_missing_or_no_text_is_named(tmp_path):
    with pytest.raises(UserError, match="render the guide first"):
        outputs_file.read_pages([str(tmp_path / "pytorch.md")])
    (tmp_path / "pytorch.md").write_bytes(b"\xff")
    with pytest.raises(UserError, match="a page in UTF-8"):
        outputs_file.read_pages([str(tmp_path / "pytorch.md")])
