"""The pure renderer: golden cases, then random files against the properties that users rely on."""

from __future__ import annotations

import random

import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._common.errors import UserError
from ansible_collections.hpc.pytorch.plugins.module_utils._shell.tail import check_lines, parse, render_tail

GUIDE = 'export PATH="/opt/app/anaconda3/bin:$PATH"'
CUDA = ['export CUDA_HOME="/opt/pkgs/cuda/cuda-toolkit"', "echo cuda"]
CUDA_BLOCK = b"""\
# >>> hpc.pytorch cuda c0ea56deb825,0f51c1bf2c66 >>> written by Ansible, kept near the end
export CUDA_HOME="/opt/pkgs/cuda/cuda-toolkit"
echo cuda
# <<< hpc.pytorch cuda <<<
"""
CONDA_BLOCK = b"""\
# >>> hpc.pytorch conda 96c2345e35d1 >>> written by Ansible, kept as the end
export PATH="/opt/app/anaconda3/bin:$PATH"
"""


def yes(before: bytes) -> bool:
    return True


def conda(old: bytes, **kwargs) -> bytes:
    return render_tail(old, {"conda": [GUIDE]}, **kwargs)


def cuda(old: bytes, **kwargs) -> bytes:
    return render_tail(old, {"cuda": CUDA}, **kwargs)


@pytest.mark.parametrize("old", [b"", b"alias ll='ls -l'\n", b"\xff\xfe not UTF-8\n", b"a\r\nb\r\n", b"\n\n", b"a\\\n"])
def test_both_blocks_in_either_order_of_the_roles(old):
    assert conda(cuda(old)) == cuda(conda(old)) == old + CUDA_BLOCK + CONDA_BLOCK


def test_a_missing_last_line_end_is_added():
    assert conda(b"a\nb") == b"a\nb\n" + CONDA_BLOCK


def test_lines_appended_after_the_tail_move_above_it():
    old = b"first\n" + CUDA_BLOCK + b"second\n" + CONDA_BLOCK + b"third\nfourth"
    for render in (cuda, conda):
        assert render(old) == b"first\nsecond\nthird\nfourth\n" + CUDA_BLOCK + CONDA_BLOCK


def test_lines_written_between_the_markers_stay_the_users():
    old = CUDA_BLOCK.replace(b"echo cuda\n", b"alias mine=1\necho cuda\n") + b"after\n" + CONDA_BLOCK
    assert cuda(old) == b"alias mine=1\nafter\n" + CUDA_BLOCK + CONDA_BLOCK


def test_a_line_of_ours_that_was_edited_becomes_the_users_and_ours_comes_back():
    old = b"x\n" + CONDA_BLOCK.replace(b":$PATH", b":$HOME/bin:$PATH")
    assert conda(old) == b'x\nexport PATH="/opt/app/anaconda3/bin:$HOME/bin:$PATH"\n' + CONDA_BLOCK


@pytest.mark.parametrize(
    "gone", [b"# <<< hpc.pytorch cuda <<<\n", b"echo cuda\n", b'export CUDA_HOME="/opt/pkgs/cuda/cuda-toolkit"\n']
)
def test_deleted_lines_of_ours_come_back_and_nothing_else_goes(gone):
    old = b"x\n" + CUDA_BLOCK.replace(gone, b"") + b"y\nz\n"
    assert cuda(old) == b"x\ny\nz\n" + CUDA_BLOCK


def test_a_deleted_begin_marker_leaves_lines_that_are_adopted():
    old = b"x\n" + CUDA_BLOCK.split(b"\n", 1)[1] + b"y\n"
    assert cuda(old, is_top_level=yes) == b"x\ny\n" + CUDA_BLOCK


def test_blocks_that_an_editor_gave_crlf_are_still_ours():
    assert conda((b"x\n" + CUDA_BLOCK + CONDA_BLOCK).replace(b"\n", b"\r\n")) == b"x\r\n" + CUDA_BLOCK + CONDA_BLOCK


def test_a_copied_block_is_not_doubled():
    assert cuda(CUDA_BLOCK + b"x\n" + CUDA_BLOCK + CONDA_BLOCK + CONDA_BLOCK) == b"x\n" + CUDA_BLOCK + CONDA_BLOCK


def test_another_prefix_replaces_the_old_line():
    assert render_tail(b"x\n" + CONDA_BLOCK, {"conda": ["other"]}).splitlines()[0::2] == [b"x", b"other"]


def test_absent_gives_the_users_file_back():
    old = b"x\r\ny\xff\n"
    both = conda(cuda(old))
    assert render_tail(render_tail(both, {"cuda": []}), {"conda": []}) == old
    assert render_tail(b"no end", {"cuda": []}) == b"no end"
    assert render_tail(b"", {"cuda": []}) == b""


def test_absent_leaves_what_the_user_wrote_by_hand():
    assert render_tail(GUIDE.encode() + b"\n", {"conda": []}, yes) == GUIDE.encode() + b"\n"


def test_the_guides_line_put_last_by_hand_is_adopted():
    assert conda(b"x\n" + GUIDE.encode() + b"\n\n") == b"x\n\n" + CONDA_BLOCK
    assert conda(b"x\n" + GUIDE.encode()) == b"x\n" + CONDA_BLOCK


def test_a_copy_further_up_is_adopted_only_at_top_level():
    old = b"x\n" + GUIDE.encode() + b"\ny\n"
    assert conda(old, is_top_level=yes) == b"x\ny\n" + CONDA_BLOCK
    assert conda(old) == old + CONDA_BLOCK
    asked = []
    conda(old, is_top_level=lambda before: bool(asked.append(before)))
    assert asked == [b"x\n"]


def test_a_copy_that_continues_a_line_stays():
    old = b"echo \\\n" + GUIDE.encode() + b"\n"
    assert conda(old, is_top_level=yes) == old + CONDA_BLOCK


def test_a_copy_in_a_comment_or_indented_stays():
    old = b"#" + GUIDE.encode() + b"\n  " + GUIDE.encode() + b"\n"
    assert conda(old, is_top_level=yes) == old + CONDA_BLOCK


@pytest.mark.parametrize(
    "line", [GUIDE, "export PATH=/home/a/miniconda3/bin:$PATH", "export PATH='/x/mambaforge/bin':${PATH}"]
)
def test_a_conda_line_put_last_by_hand_stays_last_when_only_cuda_is_asked_for(line):
    old = b"x\n" + line.encode() + b"\n"
    expected = b"x\n" + CUDA_BLOCK + line.encode() + b"\n"
    if line.startswith("export PATH='"):
        expected = old + CUDA_BLOCK
    assert cuda(old) == expected
    assert cuda(expected) == expected
    assert conda(cuda(b"x\n" + GUIDE.encode() + b"\n")) == b"x\n" + CUDA_BLOCK + CONDA_BLOCK


@pytest.mark.parametrize(
    "lines",
    [
        [],
        [""],
        ["  "],
        ["a\nb"],
        ["a\rb"],
        ["a\tb"],
        ["a\x00b"],
        ["a\x1b[0m"],
        ["a\u2028b"],
        ["a\\"],
        ["a", "a"],
        ["# <<< hpc.pytorch cuda <<<"],
        [CONDA_BLOCK.splitlines()[0].decode()],
        ["\udcff"],
    ],
)
def test_lines_that_are_not_one_line_are_refused(lines):
    with pytest.raises(UserError) as caught:
        check_lines(lines)
    assert "\n" not in str(caught.value)


def test_ordinary_lines_pass():
    check_lines([GUIDE, "export A='ü $(x) ; \"'"])


PIECES = [
    b"alias ll='ls -l'", b"", b"export X=1", b"\xff\x00\xfe", b"# <<< hpc.pytorch cuda <<<", b"if true; then", b"fi",
    GUIDE.encode(), b"echo cuda", CUDA_BLOCK.rstrip(), CONDA_BLOCK.rstrip(), CONDA_BLOCK.splitlines()[0], b"tail\\",
    CUDA_BLOCK.splitlines()[0], b"a\r",
]  # fmt: skip


def random_file(source: random.Random) -> bytes:
    ends = [b"\n", b"\n", b"\n", b"\r\n"]
    text = b"".join(source.choice(PIECES) + source.choice(ends) for unused in range(source.randrange(12)))
    return text.rstrip(b"\n") if source.random() < 0.2 else text


def is_users_own(row: bytes) -> bool:
    text = row.rstrip(b"\r\n")
    ours = [GUIDE.encode()] + [line.encode() for line in CUDA]
    return b"hpc.pytorch" not in text and text not in ours


@pytest.mark.parametrize("seed", range(300))
def test_properties_hold_for_any_file(seed):
    source = random.Random(seed)
    old = random_file(source)
    answer = source.choice([lambda before: True, lambda before: False])
    one = conda(cuda(old, is_top_level=answer), is_top_level=answer)
    two = cuda(conda(old, is_top_level=answer), is_top_level=answer)
    assert one.endswith(CUDA_BLOCK + CONDA_BLOCK) and two.endswith(CUDA_BLOCK + CONDA_BLOCK)
    for new in (one, two):
        assert conda(new, is_top_level=answer) == cuda(new, is_top_level=answer) == new, "a second run changes nothing"
        kept = [row.rstrip(b"\n") for row in parse(new).user if is_users_own(row)]
        wanted = [row.rstrip(b"\n") for row in old.split(b"\n") if is_users_own(row)]
        if wanted and wanted[-1] == b"" and len(kept) < len(wanted):
            wanted.pop()
        assert kept == wanted, "the user's lines, in his order"
        assert new.count(b"\n# >>> hpc.pytorch cuda") + new.startswith(b"# >>> hpc.pytorch cuda") == 1
    without = render_tail(render_tail(one, {"cuda": []}), {"conda": []})
    assert b"hpc.pytorch" not in without
