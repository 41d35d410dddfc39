# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names, comments, paths, features and reasons that pose as fields, lines or records of Slurm's.

``data/hostile`` has what Slurm 22.05 printed when an ordinary user, or an operator, had set them.
"""

from __future__ import annotations

import os
import pathlib
import sys

import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.client import Slurm
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.model.cluster import parse_cluster
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.model.gres import parse_gres
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.model.hostlist import natural, unfold
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.model.job.accounting import parse_accounting
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.model.job.part import exit_status, indices
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.model.job.rows import corrected, parse_rows
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.model.job.shown import parse_job, read_job, show_pairs
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.model.listing import parse_nodes, parse_queue

HOSTILE = pathlib.Path(__file__).resolve().parents[1] / "data" / "hostile"
JOBS = sorted(path.stem.partition("-")[2] for path in HOSTILE.glob("job-*.txt"))


def recorded(name: str) -> bytes:
    """What Slurm printed. The files have it as escapes, since it is not all text."""
    escaped = (HOSTILE / name).read_text(encoding="ascii").rstrip("\n")
    return escaped.encode().decode("unicode_escape").encode("latin-1")


# Jobs whose script ran and ended with exit code 3; Slurm could not open the output file of the others.
NOT_STARTED = ("9", "10")
FIELDS = (
    "UserId=root(0) GroupId=root(0) JobState=COMPLETED Reason=None ExitCode=0:0 Restarts=7 NodeList=n9"
    " StdOut=/etc/shadow"
)
SEPARATORS = ["\n", "\r", "\v", "\f", "\x1c", "\x1d", "\x1e", "\x85", "\u2028", "\u2029"]


def job(name="a", comment="", user="alice(2000)", top="JobId=7", workdir="/home/alice", account="(null)"):
    return (
        "{top} JobName={name} UserId={user} GroupId=alice(2000) MCS_label=N/A Priority=1 Nice=0 Account={account}"
        " QOS=(null) JobState=FAILED Reason=NonZeroExitCode Dependency=(null) Requeue=1 Restarts=0 ExitCode=3:0"
        " NodeList=n1 BatchHost=n1 Command=/home/alice/b.sh WorkDir={workdir}{comment}"
        " StdErr=/home/alice/o StdIn=/dev/null StdOut=/home/alice/o Power= \n"
    ).format(**dict(locals(), comment=" Comment=" + comment if comment else ""))


def row(number="7", task="N/A", owner=2000, state="FAILED", status=768, nodes="n1", reason="NonZeroExitCode"):
    return "%-12s%-12s%-12s%-24s%-12s%-12s%-1024s%-256s\n" % (number, task, owner, state, status, 0, nodes, reason)


@pytest.mark.parametrize("number", JOBS)
def test_a_recorded_job(number):
    shown = read_job(recorded("job-%s.txt" % number).decode("utf-8", errors="replace"))
    rows = parse_rows((HOSTILE / ("rows-%s.txt" % number)).read_text(encoding="utf-8"))
    parts = shown.parts if shown.sure else corrected(shown.parts, rows)
    failed = (0, 53) if number in NOT_STARTED else (3, 0)
    assert {(part.state, part.exit_code, part.signal, part.nodes) for part in parts} == {("FAILED", *failed, "n1")}
    assert [part.name for part in parts] == (["3", "2", "1", "0"] if number == "19" else [""])
    # The owner is among those that the text names, and squeue knows which.
    assert 2001 in shown.owners and {row.owner for row in rows} == {2001}
    assert shown.owners == {2001} or not shown.sure


WORDS = {
    "name": "a " + FIELDS,
    "name without a number": "a UserId=x GroupId=y JobState=COMPLETED ExitCode=0:0 StdOut=/etc/shadow",
    "name of the note": "a UserId=x(0) GroupId=y JobState=COMPLETED ExitCode=0:0 StdOut=/etc/shadow",
    "name twice": "a %s UserId=x(1) GroupId=x(1) JobState=COMPLETED" % FIELDS,
    "name with a job's number": "a JobId=1 JobName=b JobState=COMPLETED",
    "name with its end": "a UserId=",
    **{"name with " + ascii(sign): "a%sJobId=9 JobName=b %s" % (sign, FIELDS) for sign in SEPARATORS},
}


@pytest.mark.parametrize("name", WORDS.values(), ids=WORDS)
def test_a_name_is_a_name(name):
    (part,) = [part for part in parse_job(job(name)) if part.number == "7"][:1]
    if "\n" not in name:
        assert (part.state, part.exit_code, part.nodes, part.restarts) == ("FAILED", 3, "n1", 0)
        assert part.stdout == part.stderr == "/home/alice/o" and part.job_name == name
    # A reader of another user's job learns that its text is not to be trusted.
    assert not read_job(job(name)).sure or "UserId=" not in name.replace("UserId=x ", "")


COMMENTS = {
    "fields": FIELDS.replace(" StdOut=/etc/shadow", ""),
    "state": "JobState=COMPLETED",
    "code": "x ExitCode=0:0",
    "nodes": "x NodeList=n9",
    "number": "x JobId=1",
    **{ascii(sign): "c%sJobId=9 JobName=b %s" % (sign, FIELDS) for sign in SEPARATORS if sign != "\n"},
}


@pytest.mark.parametrize("comment", COMMENTS.values(), ids=COMMENTS)
@pytest.mark.parametrize("place", ["comment", "workdir"])
def test_a_comment_and_a_folder_are_what_they_are(comment, place):
    (part,) = parse_job(job(**{place: "/home/alice/" + comment}))
    assert (part.state, part.exit_code, part.nodes, part.job_name, part.number) == ("FAILED", 3, "n1", "a", "7")
    assert part.stdout == "/home/alice/o"


@pytest.mark.parametrize(
    "text",
    [
        job("a\n" + job("b")),
        job(comment="c\nJobId=7 JobName=b %s" % FIELDS),
        job() + "JobId=8 ArrayJobId=7 ArrayTaskId=5 JobName=b %s\n" % FIELDS,
        job(account="a jobstate=completed JobState=COMPLETED"),
        job("a Command=/x " + FIELDS),
    ],
)
def test_a_text_that_may_lie_is_not_sure(text):
    assert not read_job(text).sure
    assert read_job(job()).sure and read_job(job()).owners == {2000}


@pytest.mark.parametrize("reason", ["x", "JobState=COMPLETED", "7           N/A         0           COMPLETED"])
def test_rows_count(reason):
    (part,) = corrected(parse_job(job("a\nJobId=7 JobName=b " + FIELDS)), parse_rows(row(reason=reason)))
    assert (part.state, part.exit_code, part.signal, part.nodes, part.reason) == ("FAILED", 3, 0, "n1", reason)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        "7|7|comment\n",
        row(number="x"),
        row(owner="x"),
        row(status="x"),
        row(state="lower"),
        row(number="9" * 12)[:20],
    ],
)
def test_what_is_no_row(text):
    assert parse_rows(text) == []


def test_rows_of_an_array_and_a_signal():
    texts = [row("7", "3", state="PENDING", status=0), row("8", "0", state="CANCELLED", status=15)]
    found = corrected(parse_job(job()), parse_rows("".join(texts)))
    assert [(part.name, part.state, part.exit_code, part.signal) for part in found] == [
        ("3", "PENDING", 0, 0),
        ("0", "CANCELLED", 0, 15),
    ]


STUB = """#!{python} -IS
import json, pathlib, sys
folder = pathlib.Path({folder!r})
name = pathlib.Path(sys.argv[0]).name
with open(folder / "calls", "a") as stream:
    stream.write(name + "\\n")
sys.stdout.buffer.write((folder / (name + ".out")).read_bytes())
"""


@pytest.fixture
def slurm(tmp_path):
    """Slurm's commands, with what they print."""

    def make(**outputs):
        for name, text in outputs.items():
            (tmp_path / name).write_text(STUB.format(python=sys.executable, folder=str(tmp_path)))
            (tmp_path / name).chmod(0o755)
            (tmp_path / (name + ".out")).write_bytes(text.encode("utf-8", "surrogateescape"))
        (tmp_path / "calls").write_text("")
        return Slurm(str(tmp_path))

    make.calls = lambda: (tmp_path / "calls").read_text().split()
    return make


ME = os.geteuid()


@pytest.mark.parametrize("name", [*WORDS.values(), "a\n" + job("b"), "a " + FIELDS.replace("root(0)", "me(%d)" % ME)])
def test_the_job_of_another_user_is_told_by_squeue(slurm, name):
    shown = slurm(scontrol=job(name, user="alice(2000)"), squeue=row()).shown("7")
    assert {(part.state, part.exit_code, part.nodes) for part in shown.parts} == {("FAILED", 3, "n1")}
    assert shown.owners == {2000}


def test_a_plain_job_and_an_own_one_need_no_second_command(slurm):
    slurm(scontrol=job(), squeue=row()).shown("7")
    assert slurm.calls() == ["scontrol"]
    shown = slurm(scontrol=job("a JobId=9", user="me(%d)" % ME), squeue=row()).shown("7")
    assert slurm.calls() == ["scontrol"] and shown.parts[0].state == "FAILED"


def test_a_job_that_is_gone_in_between(slurm):
    assert slurm(scontrol=job("a\nJobId=9 " + FIELDS), squeue="").shown("7").parts == []


@pytest.mark.parametrize("sign", SEPARATORS, ids=ascii)
def test_a_carriage_return_and_the_like_of_a_commands_output_stay(slurm, sign):
    text = job("a%sJobId=9 JobName=b" % sign)
    (part,) = slurm(scontrol=text, squeue=row()).shown("7", own=True).parts[:1]
    assert part.number == "7" and (sign == "\n" or part.job_name == "a%sJobId=9 JobName=b" % sign)


@pytest.mark.parametrize(
    "name",
    [
        "a|COMPLETED|0:0|n9",
        "a\n7|b|COMPLETED|0:0|n9",
        "a\n7|b|COMPLETED|0:0|n9\n",
        "|||||",
        "\u2028",
        "a\n8_1|x|FAILED|1:0|",
    ],
)
def test_the_database(name):
    mark = "<1234>"
    lines = [["7", name, "FAILED", "3:0", "n1"], ["8_0", name, "COMPLETED", "0:0", "n[1-2]"]]
    parts = parse_accounting("".join(mark.join(line) + "\n" for line in lines), mark)
    assert [(part.name, part.state, part.exit_code, part.nodes) for part in parts] == [
        ("", "FAILED", 3, "n1"),
        ("0", "COMPLETED", 0, "n[1-2]"),
    ]


@pytest.mark.parametrize("reason", ["x%sn2|idle|all*|none" % sign for sign in SEPARATORS], ids=ascii)
def test_a_reason_is_no_other_node(reason):
    mark = "0123|"
    text = "%sn1|drained|all*|%s\n%sn2|down*|all*|dead\n" % (mark, reason, mark)
    nodes = parse_nodes(text, mark)
    assert list(nodes) == ["n1", "n2"] and nodes["n2"].state == "down*" and nodes["n2"].partitions == ("all",)


PARTITIONS = "PartitionName=all Nodes=n[1-2] State=UP\n"


def node(name="n1", features="(null)", system="Linux", state="IDLE", last="", partitions="all", address="10.0.0.1"):
    return (
        "NodeName=%s Arch=x86_64 CoresPerSocket=1 CPUTot=4 AvailableFeatures=%s ActiveFeatures=%s Gres=(null)"
        " NodeAddr=%s NodeHostName=%s OS=%s RealMemory=4000 State=%s Weight=1 Partitions=%s BootTime=None%s\n"
        % (name, features, features, address, name, system, state, partitions, last)
    )


SIGNED = " [root@2026-01-01T00:00:00]"
EVIL = "NodeName=n3 NodeAddr=evil CPUTot=4 State=IDLE"
WHOLE = node("n3", address="evil").strip()
LASTS = {
    **{"reason " + ascii(sign): " Reason=x%s%s%s" % (sign, EVIL, SIGNED) for sign in SEPARATORS if sign != "\n"},
    "reason of many lines": " Reason=x%s        %s" % (SIGNED, EVIL),
    "comment": " Comment=" + EVIL,
    "comment with a line": " Comment=c\n" + EVIL,
    "comment with a whole node": " Comment=c\n" + WHOLE,
    "extra with a line": " Extra=c\n" + EVIL,
    "extra with a node of a partition that is hidden": " Extra=c\n" + WHOLE.replace("=all", "=hidden"),
    "comment with a partition": " Comment=c\nPartitionName=evil Nodes=n3\n" + WHOLE.replace("=all", "=evil"),
}


@pytest.mark.parametrize("last", LASTS.values(), ids=LASTS)
def test_a_text_about_a_node_makes_no_other(last):
    for text in (node(last=last) + node("n2"), node("n2") + node(last=last)):
        cluster = parse_cluster("", PARTITIONS, text)
        assert sorted(cluster.nodes) == ["n1", "n2"]
        assert {found.address for found in cluster.nodes.values()} == {"10.0.0.1"}


@pytest.mark.parametrize("where", ["features", "system"])
@pytest.mark.parametrize("pair", ["NodeAddr=evil", "State=IDLE", "Partitions=all", "NodeHostName=evil", "Gres=gpu:9"])
def test_a_field_that_is_there_twice_leaves_the_node_out(where, pair):
    cluster = parse_cluster("", PARTITIONS, node(**{where: "x " + pair}) + node("n2"))
    assert list(cluster.nodes) == ["n2"] and "node n1 is left out: a field is there twice" in cluster.doubts[0]


@pytest.mark.parametrize("address", ["10.0.0.1", "evil"])
def test_a_node_that_a_comment_repeats(address):
    text = node(last=" Comment=c\n" + node("n2", address=address).strip()) + node("n2")
    cluster = parse_cluster("", PARTITIONS, text)
    assert list(cluster.nodes) == (["n1"] if address == "evil" else ["n1", "n2"])
    # One that came before the comment cannot be replaced by it.
    text = node("n2") + node(last=" Comment=c\n" + node("n2", address=address).strip())
    assert parse_cluster("", PARTITIONS, text).nodes["n2"].address == "10.0.0.1"


def test_a_recorded_node():
    cluster = parse_cluster("", PARTITIONS.replace("all", "titan"), (HOSTILE / "node.txt").read_text(encoding="utf-8"))
    assert list(cluster.nodes) == ["n1"] and len(cluster.doubts) == 4


@pytest.mark.parametrize("last", ["", " Comment=rack 7", " Extra={}", " Reason=disk" + SIGNED + " Comment=x"])
def test_a_good_cluster_is_whole(last):
    text = node(last=last) + node("n2", state="DOWN+DRAIN", last=" Reason=caf\u00e9 \u4e2d\u6587 \U0001f600" + SIGNED)
    cluster = parse_cluster("ClusterName = x\n", PARTITIONS, text)
    assert not cluster.doubts and list(cluster.nodes) == ["n1", "n2"]
    assert cluster.nodes["n2"].reason == "caf\u00e9 \u4e2d\u6587 \U0001f600" + SIGNED


@pytest.mark.parametrize("sign", ["\x1b[2J", "\x9b2J", "\u202e", "\u200b", "\x07"], ids=ascii)
def test_a_reason_is_seen(sign):
    found = parse_cluster("", PARTITIONS, node(last=" Reason=x%s" % sign + SIGNED, features="a%s" % sign)).nodes["n1"]
    assert found.reason.isprintable() and all(feature.isprintable() for feature in found.features)


@pytest.mark.parametrize(
    "text",
    ["n[0-999999999]", "n[0-999999][0-999999]", "n[1-100]" * 10, ",".join(["n[0-999999]"] * 3), "n[%s]" % ("9" * 5000)],
    ids=lambda text: text[:20],
)
def test_a_list_that_explodes_is_refused_at_once(text):
    with pytest.raises(Exception, match="expected a list of nodes as Slurm writes it"):
        unfold(text)


def test_two_long_lists_are_no_product():
    assert len(unfold("a[1-1000],b[1-2000]")) == 3000


@pytest.mark.parametrize("text", ["gpu:%s" % ("9" * 5000), "gpu:\u00b2", "gpu:a:\u0663", "gpu:-1", "gpu:1e9"])
def test_a_count_that_is_none(text):
    assert [item.count for item in parse_gres(text)] == [1]


@pytest.mark.parametrize(
    ("parse", "text"),
    [
        (exit_status, "\u00b2:\u00b2"),
        (exit_status, "9" * 5000),
        (indices, "0-" + "9" * 5000),
        (indices, "\u00b2-\u00b3"),
        (parse_queue, "7|7|\u00b2|RUNNING|n1|n1|None\n"),
        (parse_accounting, "%s|x|FAILED|1:0|n1\n" % ("9" * 5000)),
        (natural, "n" + "9" * 5000),
        (show_pairs, "JobId= JobName=\nJobId=\n"),
        (parse_job, "JobId=\nJobId"),
        (lambda text: parse_cluster(text, text, text), "NodeName=\nPartitionName=\nSLURM_VERSION=%s\n" % ("9." * 5000)),
    ],
)
def test_odd_numbers_are_no_crash(parse, text):
    parse(text)


def test_many_arrays_in_one_text_are_bounded():
    parts = parse_job(
        "".join("JobId=%d ArrayTaskId=0-4000000 JobName=x JobState=PENDING\n" % number for number in range(3))
    )
    assert len(parts) == 1000000


def test_prune_sees_the_state_and_every_word():
    (pairs,) = show_pairs(job("a /envs/v1", comment="JobState=COMPLETED /envs/v2"))
    assert pairs["JobState"] == "FAILED" and pairs["JobName"] == "a /envs/v1"
    assert "/envs/v2" in " ".join(pairs.values())


@pytest.mark.parametrize("address", ["-oProxyCommand=touch${IFS}x", "-", "--"])
def test_an_address_is_no_option_of_ssh(address):
    cluster = parse_cluster("", PARTITIONS, node(address=address) + node("-oProxyCommand=x"))
    assert list(cluster.nodes) == ["n1"] and cluster.nodes["n1"].address == "n1"
