"""The names of hpc_users: what is safe in a shell's command line without quotes, and nothing else."""

from __future__ import annotations

import pwd
import subprocess

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.hpc.pytorch.plugins.filter.user_names import user_names
from ansible_collections.hpc.pytorch.plugins.module_utils._common.errors import UserError
from ansible_collections.hpc.pytorch.plugins.module_utils._users.accounts import describe_accounts
from ansible_collections.hpc.pytorch.plugins.module_utils._users.names import checked_names

# As useradd, LDAP, SSSD and winbind have them.
SAFE = [
    "alice",
    "a",
    "A",
    "Alice",
    "ALICE",
    "a.smith",
    "alice.van.der.berg",
    "alice-smith",
    "alice_smith",
    "_apt",
    "_",
    "alice1",
    "1alice",
    "20230042",
    "0x0",
    "systemd-network",
    "s1234567",
    "alice@campus.example",
    "alice@CAMPUS",
    "CAMPUS+alice",
    "campus.example+a.smith",
    "alice-",
    "alice.",
    "alice+hpc",
    "rooty",
    "Root2",
    "a" * 32,
    "a" * 255,
]
# As hpc_users has them, and what the message names.
UNSAFE = [
    ("", "an empty name"),
    (" ", "other characters"),
    ("root", "root"),
    ("0", "root"),
    ("00", "root"),
    ("alice;id>/tmp/x;", "other characters"),
    ("alice; id", "other characters"),
    ("$(id)", "other characters"),
    ("alice$(id)", "other characters"),
    ("`id`", "other characters"),
    ("alice`id`", "other characters"),
    ("alice|id", "other characters"),
    ("alice||id", "other characters"),
    ("alice&", "other characters"),
    ("alice&&id", "other characters"),
    ("alice>x", "other characters"),
    ("alice<x", "other characters"),
    ("alice\nid", "other characters"),
    ("alice\n", "other characters"),
    ("\nalice", "other characters"),
    ("alice\r", "other characters"),
    ("alice\t", "other characters"),
    ("alice ", "other characters"),
    (" alice", "other characters"),
    ("alice bob", "other characters"),
    ("alice,bob", "other characters"),
    ("alice\0", "other characters"),
    ("alice\x1b[2J", "other characters"),
    ("alice\u2028id", "other characters"),
    ("alice\u00a0id", "other characters"),
    ("al\u0456ce", "other characters"),
    ("j\u00f6rg", "other characters"),
    ("\uff41lice", "other characters"),
    ("\u0661\u0662", "other characters"),
    ("-u root", "other characters"),
    ("-alice", "begins"),
    ("--help", "begins"),
    ("-", "begins"),
    (".", "begins"),
    ("..", "begins"),
    (".alice", "begins"),
    ("@alice", "begins"),
    ("+alice", "begins"),
    ("../alice", "other characters"),
    ("alice/../root", "other characters"),
    ("/root", "other characters"),
    ("~root", "other characters"),
    ("alice~", "other characters"),
    ("#0", "other characters"),
    ("#1000", "other characters"),
    ("%wheel", "other characters"),
    ("alice:root", "other characters"),
    ("alice$", "other characters"),
    ("$HOME", "other characters"),
    ("${IFS}", "other characters"),
    ("alice*", "other characters"),
    ("alice?", "other characters"),
    ("[a-z]*", "other characters"),
    ("{alice,bob}", "other characters"),
    ("alice!", "other characters"),
    ("(id)", "other characters"),
    ("'alice'", "other characters"),
    ('"alice"', "other characters"),
    ("alice=1", "other characters"),
    ("CAMPUS\\alice", "separator"),
    ("alice\\", "separator"),
    ("{{ 7 * 7 }}", "other characters"),
    ("a" * 256, "256 characters"),
    (1000, "1000"),
    (0, "0"),
    (True, "True"),
    (None, "None"),
    (["alice"], "alice"),
    ({"name": "alice"}, "alice"),
    (b"alice", "alice"),
]
# Values of hpc_users that are no list of names.
NO_LIST = ["alice", "alice,bob", "", None, 5, True, {"alice": 1}, {"alice"}, b"alice", ["alice", "alice"]]


@pytest.mark.parametrize("name", SAFE)
def test_a_name_of_a_site_is_taken_as_it_is(name):
    assert checked_names([name, "bob"]) == [name, "bob"]
    assert user_names([name]) == [name]


@pytest.mark.parametrize("name", [name for name in SAFE if len(name) < 255])
def test_a_name_of_a_site_means_the_same_to_a_shell_without_quotes(name):
    done = subprocess.run(["/bin/sh", "-c", "printf %%s %s" % name], capture_output=True, text=True, check=True)
    assert done.stdout == name


@pytest.mark.parametrize("name, said", UNSAFE, ids=[repr(name)[:30] for name, said in UNSAFE])
def test_a_name_that_is_none_is_refused_with_a_line_that_names_it(name, said):
    with pytest.raises(UserError) as refused:
        checked_names(["alice" if name != "alice" else "bob", name])
    assert said in str(refused.value) and "\n" not in str(refused.value)
    with pytest.raises(AnsibleFilterError):
        user_names([name])


@pytest.mark.parametrize("value", NO_LIST, ids=repr)
def test_what_is_no_list_of_different_names_is_refused(value):
    with pytest.raises(UserError):
        checked_names(value)


def test_nobody_is_a_list_of_no_names():
    assert checked_names([]) == [] and checked_names(()) == []


def test_those_who_ran_out_of_time_are_left_out():
    failures = [{"user": "alice", "step": "rc file", "reason": "", "late": True}]
    failures.append({"user": "bob", "step": "rc file", "reason": "", "late": False})
    assert user_names(["alice", "bob"], failures) == ["bob"]


def account(name: str, uid: int) -> pwd.struct_passwd:
    return pwd.struct_passwd((name, "x", uid, uid, "", "/home/%s" % name, "/bin/sh"))


@pytest.fixture
def machine(monkeypatch):
    """A machine with these users alone."""
    known = {each.pw_name: each for each in (account("alice", 1000), account("bob", 1001), account("toor", 0))}
    monkeypatch.setattr(pwd, "getpwnam", lambda name: known[name])


def test_the_accounts_of_the_names_in_their_order(machine):
    users = describe_accounts(["bob", "alice"])["users"]
    assert [(user["name"], user["uid"], user["home"]) for user in users] == [
        ("bob", 1001, "/home/bob"),
        ("alice", 1000, "/home/alice"),
    ]


@pytest.mark.parametrize(
    "names, found", [(["alice", "carol", "dave"], "no user carol, dave"), (["toor"], "toor with uid 0")]
)
def test_a_name_that_the_machine_does_not_know_or_that_is_root_is_refused(machine, names, found):
    with pytest.raises(UserError) as refused:
        describe_accounts(names)
    assert found in refused.value.found
