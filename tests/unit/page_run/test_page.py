"""What is run of a page in several languages, and the error for a block that failed."""

from __future__ import annotations

import pathlib

import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._common.errors import UserError
from ansible_collections.hpc.pytorch.plugins.plugin_utils._page_run.page import failure, one_page

GOLDEN = pathlib.Path(__file__).resolve().parents[1] / "golden/user_guide"
TEXT = """# A
<!-- file s name=test.sh on=login -->
```bash
#!/bin/bash
```
<!-- run one on=login -->
```bash
cd /
nosuch  --option
true
```
<!-- run far on=compute expect=3 -->
```bash
nvidia-smi
```
<!-- not run lab: no JupyterLab here -->
```bash
jupyter lab
```
<!-- run kernel on=jupyter wait=job -->
```bash
sbatch x
```
"""
ANSWER = {"host": "login01", "user": "alice", "home": "/home/alice/.x/home", "folder": "/home/alice/.x"}


def end(**more):
    return {"status": 0, "output": "", "failed": [], "problem": "", **more}


def message(number, **more):
    page = one_page({"pytorch.md": TEXT})
    block = [block for block in page.blocks if block.kind == "run"][number]
    return str(failure(page, block, end(**more), ANSWER))


def test_the_steps_of_each_machine():
    page = one_page({"pytorch.md": TEXT})
    assert (page.ids, page.reasons) == (["one", "far", "kernel"], {"lab": "no JupyterLab here"})
    assert [step["id"] for step in page.steps(["login", "compute"])] == ["s", "one", "far"]
    (kernel,) = page.steps(["jupyter"])
    assert kernel == {
        "id": "kernel",
        "kind": "run",
        "text": "sbatch x\n",
        "on": "jupyter",
        "expect": 0,
        "wait": True,
        "name": "",
    }


def test_the_campus_pages_are_one_page_in_two_languages():
    page = one_page({path.name: path.read_text(encoding="utf-8") for path in sorted(GOLDEN.glob("*.md"))})
    assert page.name == "pytorch.md" and len(page.ids) > 10
    # All that nobody runs, with a reason each; the reason is in the page's language.
    assert sorted(page.reasons) == ["conda-create", "conda-install", "r-environment", "submit-lightning"]
    assert all(len(reason) > 20 for reason in page.reasons.values())


def test_files_alone_are_no_reason_to_go_to_a_machine():
    assert one_page({"a.md": "<!-- file s name=x -->\n```bash\n```\n"}).steps(["login"]) == []


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (("nosuch", "other"), "another one: 'cd /\\nother --option\\ntrue'"),
        (("expect=3", "expect=4"), "another far"),
        (("run one", "run two"), "no one"),
        (("on=compute", "on=login"), "another far"),
        (("<!-- file s name=test.sh on=login -->\n", ""), "no s"),
    ],
)
def test_languages_with_other_commands_are_refused(change, found):
    with pytest.raises(UserError) as caught:
        one_page({"pytorch.md": TEXT, "pytorch.zh.md": TEXT.replace("# A", "# 页").replace(*change)})
    text = str(caught.value)
    assert text.startswith("expected the same commands in pytorch.zh.md as in pytorch.md, in the same order; found ")
    assert found in text


def test_a_block_more_or_another_order_is_refused_too():
    first, second = "<!-- run a -->\n```bash\nA\n```\n", "<!-- run b -->\n```bash\nB\n```\n"
    with pytest.raises(UserError, match="found b as well"):
        one_page({"x.md": first, "y.md": first + second})
    with pytest.raises(UserError, match="found b where the other has a"):
        one_page({"x.md": first + second, "y.md": second + first})


def test_the_error_names_page_line_command_and_what_it_wrote():
    text = message(0, failed=[2], output="\x1b[31mbash: nosuch: command not found\x1b[0m\n")
    assert text == (
        "expected exit status 0 from `nosuch --option` in pytorch.md, line 9 (one); found a command that failed, "
        "though the last one of the block did not; its output ends with: bash: nosuch: command not found; remedy: log "
        "in to login01 as alice, try it after `cd /home/alice/.x/home && HOME=$PWD bash -l`, and correct the page or "
        "the site"
    )
    assert "line 8 (one); found no end within 3 seconds; no output; remedy:" in message(
        0, status=None, problem="no end within 3 seconds"
    )
    assert "expected exit status 3 from `nvidia-smi` in pytorch.md, line 14 (far); found exit status 0; no output" in (
        message(1)
    )
    assert "found exit status 2; its output ends with: 12 | 13 |" in message(
        0, status=2, failed=[3], output="".join("%d\n" % number for number in range(20))
    )


@pytest.mark.parametrize("failed", [[0], [99], [-1]])
def test_a_line_that_the_block_does_not_have_is_not_named(failed):
    assert "from `cd / ; nosuch --option ; true` in pytorch.md, line 8" in message(0, status=1, failed=failed)
