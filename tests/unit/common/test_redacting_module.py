"""Credentials in a module's options: in no result, and not in the node's log."""

from __future__ import annotations

import json

import pytest
from ansible.module_utils import basic
from ansible.module_utils.testing import patch_module_args
from ansible_collections.hpc.pytorch.plugins.module_utils._common.redacting_module import RedactingModule

OPTIONS = {
    "channels": ["https://alice:pa55%40word@example.org/c", "https://example.org/t/TOKEN123/c"],
    "nested": {"deep": ["https://bob:4m0ther@example.org"]},
}
SECRETS = ("pa55", "TOKEN123", "4m0ther")
SPEC = {"channels": {"type": "list", "elements": "str"}, "nested": {"type": "dict"}}


@pytest.fixture
def logged(monkeypatch):
    lines = []

    def send(self, message):
        lines.append(message)

    monkeypatch.setattr(basic, "has_journal", False)
    monkeypatch.setattr(basic.AnsibleModule, "_log_to_syslog", send)
    return lines


def test_neither_log_nor_result_has_them(logged, capsys):
    with patch_module_args(OPTIONS):
        module = RedactingModule(argument_spec=SPEC)
        with pytest.raises(SystemExit):
            module.exit_json(msg="pa55@word and TOKEN123 and alice:pa55%40word")
    said = capsys.readouterr().out
    assert logged and "example.org/c" in logged[0] and "example.org" in said
    assert not [secret for secret in SECRETS for text in logged + [said] if secret in text]


def test_the_journals_fields_do_not_have_them(monkeypatch):
    sent = []

    class Journal:
        @staticmethod
        def send(**fields):
            sent.append(json.dumps(fields))

    monkeypatch.setattr(basic, "has_journal", True)
    monkeypatch.setattr(basic, "journal", Journal, raising=False)
    with patch_module_args(OPTIONS):
        RedactingModule(argument_spec=SPEC)
    assert sent and "CHANNELS" in sent[0]
    assert not [secret for secret in SECRETS if secret in sent[0]]


def test_options_that_are_refused_do_not_show_them(logged, capsys):
    with patch_module_args(dict(OPTIONS, wrong="https://carol:s3cretive@example.org")), pytest.raises(SystemExit):
        RedactingModule(argument_spec=SPEC)
    result = json.loads(capsys.readouterr().out)
    assert result["failed"] and "wrong" in result["msg"]
    assert not [secret for secret in SECRETS + ("s3cretive",) if secret in json.dumps(result)]


def test_a_failure_does_not_show_what_a_variable_brought(capsys):
    found = "'https://dave:4cc3ss@example.org/t/T0KEN456/c'"
    with patch_module_args(OPTIONS):
        module = RedactingModule(argument_spec=SPEC)
        with pytest.raises(SystemExit):
            module.fail_json("found %s" % found, found=found, tries=1)
    result = json.loads(capsys.readouterr().out)
    assert result["found"] == "'https://example.org/c'" and result["tries"] == 1
    assert "4cc3ss" not in json.dumps(result) and "T0KEN456" not in json.dumps(result)
