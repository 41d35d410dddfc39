"""The reader of pages: what it finds on the sample page, and pages that other people and other tools have changed."""

from __future__ import annotations

import pathlib

import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._common.errors import UserError
from ansible_collections.hpc.pytorch.plugins.plugin_utils._page_run.blocks import commands, read_page

SAMPLE = pathlib.Path(__file__).resolve().parents[1] / "user_guide/sample.md"
FENCE = "```bash\ntrue\n```\n"


def read(text: str):
    return read_page("page.md", text)


def refused(text: str) -> str:
    with pytest.raises(UserError) as caught:
        read(text)
    return str(caught.value)


def test_the_sample_page():
    blocks = read(SAMPLE.read_text(encoding="utf-8"))
    assert [(block.kind, block.id) for block in blocks] == [
        ("file", "conda-line"),
        ("run", "conda-rc"),
        ("run", "conda-where"),
        ("output", "conda-where"),
        ("run", "conda-missing"),
        ("not run", "jupyter-conda"),
        ("file", "script"),
        ("run", "submit"),
        ("output", "submit"),
    ]
    by_id = {block.id: block for block in blocks if block.kind != "output"}
    assert by_id["conda-line"].marker.name == "conda-line.sh"
    assert by_id["conda-rc"].text == "cat conda-line.sh >> ~/.bashrc\nsource ~/.bashrc\n"
    assert (by_id["conda-missing"].marker.expect, by_id["conda-where"].marker.expect) == (1, 0)
    assert by_id["jupyter-conda"].marker.reason == "this inventory has no JupyterLab host"
    # Without the indentation of its admonition.
    assert by_id["jupyter-conda"].text == "/opt/conda/bin/conda --version\n"
    assert by_id["submit"].marker.wait and not by_id["conda-rc"].marker.wait
    lines = SAMPLE.read_text(encoding="utf-8").split("\n")
    for block in blocks:
        assert lines[block.line - 1].strip() == block.text.split("\n")[0].strip(), block


@pytest.mark.parametrize(
    ("page", "text"),
    {
        "the marker alone": ("<!-- run a on=login as=user -->\n" + FENCE, "true\n"),
        "defaults": ("<!-- run a -->\n" + FENCE, "true\n"),
        "a formatter's blank line": ("<!-- run a on=login -->\n\n" + FENCE, "true\n"),
        "no blanks in the comment": ("<!--run a on=login-->\n" + FENCE, "true\n"),
        "other line ends": (("<!-- run a on=login -->\n" + FENCE).replace("\n", "\r\n"), "true\n"),
        "a byte order mark": ("\ufeff<!-- run a on=login -->\n" + FENCE, "true\n"),
        "tildes": ("<!-- run a -->\n~~~sh\ntrue\n```\nfalse\n~~~\n", "true\n```\nfalse\n"),
        "a longer fence": ("<!-- run a -->\n`````bash\n```\n`````\n", "```\n"),
        "a title": ('<!-- run a -->\n``` bash title="x"\ntrue\n```\n', "true\n"),
        "attributes": ("<!-- run a -->\n```{.bash .copy}\ntrue\n```\n", "true\n"),
        "in a list": ("1. so:\n\n    <!-- run a -->\n    ```bash\n    if x\n      y\n    ```\n", "if x\n  y\n"),
        "in a list with tabs": ("1. so:\n\n\t<!-- run a -->\n\t```bash\n\ttrue\n\n\t```\n", "true\n\n"),
        "a tab in the text": ("<!-- run a -->\n```bash\ncat <<-E\n\tx\nE\n```\n", "cat <<-E\n\tx\nE\n"),
        "a line separator in the text": ("<!-- run a -->\n```bash\necho 'a\u2028b'\n```\n", "echo 'a\u2028b'\n"),
        "an empty fence": ("<!-- run a -->\n```bash\n```\n", ""),
        "a comment in the text": ("<!-- run a -->\n```bash\n# <!-- run b -->\n```\n", "# <!-- run b -->\n"),
    }.values(),
)
def test_a_page_that_was_edited_by_hand_is_read(page, text):
    (block,) = read(page)
    assert (block.kind, block.id, block.text, block.marker.on) == ("run", "a", text, "login")


@pytest.mark.parametrize(
    "page",
    {
        "sentences of the author": "<!-- run it on Mondays only -->\n<!-- output below is of 2024 -->\n"
        "<!-- file a bug -->\n<!-- not run by anybody -->\n<!-- TODO -->\n<!-- -->\n",
        "a sentence above an unmarked fence": "<!-- keep this in step with login.md -->\n```bash\nfalse\n```\n",
        "commented out": "<!--\n<!-- run a\n```bash\nfalse\n-->\n",
        "in a fence": "````text\n<!-- run a -->\n```bash\nfalse\n```\n````\n",
        "within a line": "Write `<!-- run ID -->` above a fence.\n```bash\nfalse\n```\n",
        "a code span of three backticks": "```false```\n\ntext\n",
        "nothing": "",
        "a quote without a marker": "> <!-- a remark -->\n> ```bash\n> false\n> ```\n",
    }.values(),
)
def test_what_is_no_block_is_none(page):
    assert read(page) == []


@pytest.mark.parametrize(
    ("page", "line", "words"),
    [
        ("# A\n\n```bash\ntrue\n", 3, "a fence that closes"),
        ("````bash\ntrue\n```\n", 1, "no line with ```` after it"),
        ("text\n<!-- run a\n", 2, "a comment that closes"),
        ("<!-- run a on=login -->\n\ntext\n", 1, "a fence (```) below the marker of a"),
        ("<!-- run a on=login -->\n", 1, "remove the marker"),
        ("<!-- run a -->\n<!-- run b -->\n" + FENCE, 1, "below the marker of a"),
        ("<!-- run a -->\n```python\nx\n```\n", 2, "a fence of bash"),
        ("<!-- run a -->\n```console\n$ true\n```\n", 2, "mark the block as not run"),
        ("<!-- run a on=login now -->\n" + FENCE, 1, "found 'now'"),
        ("<!-- run a on=login user=me -->\n" + FENCE, 1, "found 'user=me'"),
        ("<!-- run a on=login on=login -->\n" + FENCE, 1, "on= once"),
        ("<!-- run a on=cluster -->\n" + FENCE, 1, "login or compute or jupyter"),
        ("<!-- run a as=root -->\n" + FENCE, 1, "as= to be user"),
        ("<!-- run a wait=queue -->\n" + FENCE, 1, "wait= to be job"),
        ("<!-- run a expect=no -->\n" + FENCE, 1, "exit status from 0 to 255"),
        ("<!-- run a expect=256 -->\n" + FENCE, 1, "exit status from 0 to 255"),
        ("<!-- run A_b on=login -->\n" + FENCE, 1, "a-z, 0-9 and -"),
        ("<!-- run -->\n" + FENCE, 1, "an ID"),
        ("<!-- run on=login -->\n" + FENCE, 1, "an ID"),
        ("<!-- rum a on=login -->\n" + FENCE, 1, "correct its first word"),
        ("<!-- not run a -->\n" + FENCE, 1, "not run ID: REASON"),
        ("<!-- not run a: -->\n" + FENCE, 1, "not run ID: REASON"),
        ("<!-- not run a: why -->\ntext\n", 1, "a fence (```) below the marker of a"),
        ("<!-- file a on=login -->\n" + FENCE, 1, "name= with a path"),
        ("<!-- file a name=/etc/passwd -->\n" + FENCE, 1, "relative to the home directory"),
        ("<!-- file a name=../x -->\n" + FENCE, 1, "relative to the home directory"),
        ("<!-- file a name=x/../../y -->\n" + FENCE, 1, "relative to the home directory"),
        ("<!-- file a name=~bob/x -->\n" + FENCE, 1, "relative to the home directory"),
        ("<!-- run a -->\n" + FENCE + "<!-- run a -->\n" + FENCE, 5, "a, which line 1 has too"),
        ("<!-- run a -->\n" + FENCE + "<!-- file a name=x -->\n" + FENCE, 5, "each ID once"),
        ("<!-- output a -->\n" + FENCE, 1, "no such block with the ID a"),
        ("<!-- not run a: why -->\n" + FENCE + "<!-- output a -->\n" + FENCE, 5, "no such block with the ID a"),
        ("<!-- run a -->\n" + FENCE + 2 * ("<!-- output a -->\n" + FENCE), 9, "each ID once"),
        ("> <!-- run a on=login -->\n> ```bash\n> true\n> ```\n", 1, "outside of a block quote"),
    ],
)
def test_a_mistake_is_named_with_its_line(page, line, words):
    message = refused(page)
    # The line of the marker, or of the fence that is wrong.
    assert "in page.md, line %d; found" % line in message and words in message, message
    assert "; remedy: " in message


def test_two_languages_have_the_same_commands_though_a_remark_is_translated():
    english = "<!-- file s name=s.sh -->\n```bash\n#!/bin/bash\n#SBATCH --nodes=1\n# The name\nx\n```\n"
    chinese = "# 页\n\n" + english.replace("# The name", "### 名字\n") + "<!-- run a -->\n" + FENCE
    english += "text\n<!-- run a on=login -->\n" + FENCE
    assert commands(read(english)) == commands(read(chinese))
    for old, new in (("nodes=1", "nodes=2"), ("#!/bin/bash", "#!/bin/sh"), ("name=s.sh", "name=t.sh"), ("true", "!")):
        assert commands(read(english)) != commands(read(chinese.replace(old, new))), old
