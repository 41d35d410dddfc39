# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an address shows of its credentials: nothing, in any spelling, and at once."""

from __future__ import annotations

import json
import logging
import pickle

import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._common.errors import UserError
from ansible_collections.hpc.pytorch.plugins.module_utils._common.redact import (
    Address,
    Secret,
    has_credentials,
    require_clear,
    secrets_in,
    without_credentials,
    without_query,
    written_out,
)

# Each spelling of the secret S3CR3TS3CR3T, and what is shown.
HIDDEN = [
    ("https://alice:S3CR3TS3CR3T@host.example.org/c", "https://host.example.org/c"),
    ("https://S3CR3TS3CR3T@host.example.org/c", "https://host.example.org/c"),
    ("HTTPS://alice:S3CR3TS3CR3T@HOST.example.org/c", "HTTPS://HOST.example.org/c"),
    ("https://:S3CR3TS3CR3T@host/c", "https://host/c"),
    ("https://alice%40home:S3CR3TS3CR3T@host/c", "https://host/c"),
    ("https://alice:S3CR3T@S3CR3T@host/c", "https://host/c"),
    ("https://alice:S3CR3T/S3CR3T@host.example.org/c", "https://host.example.org/c"),
    ("https://alice:S3CR3T?S3CR3T@host.example.org/c", "https://host.example.org/c"),
    ("https://alice:S3CR3T#S3CR3T@host.example.org/c", "https://host.example.org/c"),
    ("https://alice:S3CR3T\\S3CR3T@host.example.org/c", "https://host.example.org/c"),
    ("https://alice:S3CR3T:S3CR3T@host/c", "https://host/c"),
    ("https://alice:S3CR3T'S3CR3T@host/c", "https://host/c"),
    ("https://alice:S3@CR3T/S3CR3T@host.example.org/c", "https://host.example.org/c"),
    ("https://alice:12345/S3CR3TS3CR3T@host.example.org/c", "https://host.example.org/c"),
    ("https://S3CR3T/S3CR3T@host/c", "https://host/c"),
    ("https:/alice:S3CR3TS3CR3T@host/c", "https:/host/c"),
    ("https:alice:S3CR3TS3CR3T@host/c", "https:host/c"),
    ("https:\\\\alice:S3CR3TS3CR3T@host/c", "https:\\\\host/c"),
    ("https:////alice:S3CR3TS3CR3T@host/c", "https:////host/c"),
    ("ftp://alice:S3CR3TS3CR3T@host/c", "ftp://host/c"),
    ("s3://KEY:S3CR3TS3CR3T@bucket/c", "s3://bucket/c"),
    ("git+https://S3CR3TS3CR3T@host.example.org/o/r@v1", "git+https://host.example.org/o/r@v1"),
    ("git+https://alice:S3CR3TS3CR3T@host.example.org/o/r", "git+https://host.example.org/o/r"),
    ("git+ssh://alice:S3CR3TS3CR3T@host/o/r", "git+ssh://host/o/r"),
    ("https://alice:S3CR3TS3CR3T@[2001:db8::1]:8443/c", "https://[2001:db8::1]:8443/c"),
    ("https://host/t/S3CR3TS3CR3T/c", "https://host/c"),
    ("HTTP://host/t/S3CR3TS3CR3T", "HTTP://host"),
    ("http://host/api/conda/t/S3CR3TS3CR3T/c", "http://host/api/conda/c"),
    ("http://host/t/S3CR3T-S3CR3T_x/c/linux-64/x.conda", "http://host/c/linux-64/x.conda"),
    ("https://host/c?X-Amz-Signature=S3CR3TS3CR3T", "https://host/c"),
    ("https://host/c?X-Amz-Credential=a%2Fb&X-Amz-Signature=S3CR3TS3CR3T&x=1", "https://host/c"),
    ("https://host/c?sig=S3CR3TS3CR3T", "https://host/c"),
    ("https://host/c?private_token=S3CR3TS3CR3T", "https://host/c"),
    ("https://host/c?token=S3CR3TS3CR3T#egg=tool", "https://host/c#egg=tool"),
    ("https://host/c?S3CR3TS3CR3T", "https://host/c"),
    ("https://host/c?a=b?S3CR3TS3CR3T", "https://host/c"),
    ("https://host?sig=S3CR3TS3CR3T", "https://host"),
    ("https://host/c?sig='S3CR3TS3CR3T", "https://host/c"),
    ("https://host/c#access_token=S3CR3TS3CR3T", "https://host/c"),
    ("https://host/c#egg=tool&token=S3CR3TS3CR3T", "https://host/c"),
    ("https://host/c#S3CR3TS3CR3T", "https://host/c"),
    ("https://host/c?sig=S3CR3TS3CR3T#sha256=00ff", "https://host/c#sha256=00ff"),
    ("get 'https://a:S3CR3TS3CR3T@host/c', then", "get 'https://host/c', then"),
    ("['https://host/c?sig=S3CR3TS3CR3T', 'b']", "['https://host/c', 'b']"),
    ('{"a": "https://host/c?sig=S3CR3TS3CR3T"}', '{"a": "https://host/c"}'),
    ("(see https://host/c?sig=S3CR3TS3CR3T).", "(see https://host/c)."),
    ("a https://b:S3CR3TS3CR3T@c/d https://e/t/S3CR3TS3CR3T/f", "a https://c/d https://e/f"),
    ("tool @ https://h/t.whl?sig=S3CR3TS3CR3T ; x>'3'", "tool @ https://h/t.whl ; x>'3'"),
    ("--index-url=https://a:S3CR3TS3CR3T@host/simple", "--index-url=https://host/simple"),
    ("http://alice:S3CR3TS3CR3T", "http://"),
]
# Nothing of these is a secret.
SHOWN = [
    "https://host.example.org/c",
    "https://host.example.org:8443/c/label/main",
    "http://localhost:8080/x",
    "https://[2001:db8::1]:8080/c",
    "https://host.example.org/users/@alice/c",
    "git+https://host.example.org/o/r@v1.2",
    "git+https://host.example.org/o/r@v1#subdirectory=python/tool&egg=tool",
    "https://host/tool-1.0-py3-none-any.whl#sha256=00ff",
    "https://host/tool.whl#egg=tool[extra]",
    "https://host/tt/x/t",
    "https://host/T/files/c",
    "https://host/at/home",
    "file:///srv/a@b/t/x",
    "file:///srv/what?/x",
    "conda-forge",
    "alice@host.example.org wrote: what?",
    "torch>=2 ; python_version >= '3.9'",
    "see https://host/c, or ask",
    "12:30 http: error 401",
]


@pytest.mark.parametrize("text, shown", HIDDEN)
def test_no_credentials_are_shown(text, shown):
    assert without_credentials(text) == shown and has_credentials(text) and "S3CR3T" not in shown
    assert without_credentials(shown) == shown


@pytest.mark.parametrize("text", SHOWN)
def test_what_is_no_secret_is_shown_whole(text):
    assert without_credentials(text) == text and not has_credentials(text)
    assert secrets_in([text]) == set()


@pytest.mark.parametrize(
    "text", [text for text, unused in HIDDEN if "S3CR3TS3CR3T" in text and "Credential" not in text]
)
def test_the_secret_is_hidden_elsewhere_too(text):
    assert any("S3CR3TS3CR3T" in secret for secret in secrets_in([text]))


@pytest.mark.parametrize(
    "text",
    [
        "a" * 10**6,
        "://" * 330_000,
        "http:" * 200_000,
        "https://" + "a@" * 500_000,
        "https://" + "a:" * 500_000,
        "https://h/" + "/t/" * 330_000,
        "https://h/" + "t/" * 500_000 + "?",
        "https://h?" + "a&" * 500_000,
        "https://h?" + ")" * 10**6,
        "https://h#" + "egg=a&" * 160_000 + "!",
        "https://" + "[" * 10**6,
        "https://" + "-." * 500_000 + "@/@",
        "$" * 10**6,
    ],
    ids=lambda text: text[:20],
)
def test_a_megabyte_is_read_at_once(text):
    """If its time grew with the square of the length, this would take hours."""
    without_credentials(text)
    secrets_in([text])
    written_out(text)


@pytest.mark.parametrize("kind, shown", [(Secret, "***"), (Address, "https://host/c")])
def test_a_secret_prints_itself_nowhere(kind, shown, caplog):
    secret = kind("https://alice:S3CR3T@host/c?sig=S3CR3T")
    with caplog.at_level(logging.INFO):
        logging.getLogger().info("%s %r", secret, [secret])
    texts = [str(secret), repr(secret), "%s" % secret, f"{secret}", f"{secret!r}", repr({"a": [secret]}), caplog.text]
    assert str(secret) == shown and not [text for text in texts if "S3CR3T" in text]
    for store in (json.dumps, pickle.dumps):
        with pytest.raises(TypeError):
            store(secret)
    assert not hasattr(secret, "__dict__") and secret.reveal().endswith("?sig=S3CR3T")
    assert secret == kind("https://alice:S3CR3T@host/c?sig=S3CR3T") and secret != Address("https://host/c")


@pytest.mark.parametrize(
    "address", ["https://u:p/w@host/c", "https://u:p?w@host/c", "https://u:p#w@host/c", "tool @ https://u:p\\w@host/c"]
)
def test_an_address_that_nobody_can_cut_is_refused(address):
    with pytest.raises(UserError, match="%2F") as caught:
        require_clear([address], "channels")
    assert "p" not in caught.value.found.partition(",")[0].replace("https", "").replace("tool", "")


@pytest.mark.parametrize(
    "address",
    [
        "https://u:p%2Fw@host/c",
        "https://u:p@w@host/c",
        "https://host:8080/a@b",
        "https://host/a@b",
        "https://[::1]:80/a@b",
        "https://[::1]/a@b",
        "git+https://T@host/r@v1",
        "conda-forge",
        "/srv/a:b@c",
        "file:///srv/a:b/@c",
    ],
)
def test_an_address_that_is_clear_is_not_refused(address):
    require_clear([address], "channels")


@pytest.mark.parametrize(
    "address, found",
    [
        ("https://u:p@h/c", True),
        ("https://h/t/TOKEN/c", True),
        ("https://h/c?sig=secret", True),
        ("https://${U}:${P}@h/c", False),
        ("https://$U:$P@h/c", False),
        ("https://h/t/${TOKEN}/c", False),
        ("https://alice:${P}@h/c", True),
        ("conda-forge", False),
        ("https://h/c", False),
    ],
)
def test_a_variable_is_no_credential_that_is_written_out(address, found):
    assert written_out(address) is found


def test_an_address_without_its_query():
    assert without_query("https://h/c?x#y") == "https://h/c" and without_query("/srv/a?b#c") == "/srv/a?b#c"


@pytest.mark.parametrize("after", ["; found x", ", http://other:2", ": no answer", ")", ".", '"', "'; x"])
def test_punctuation_after_a_port_hides_no_host(after):
    text = "no answer from (http://127.0.0.1:37001" + after
    assert without_credentials(text) == text and secrets_in([text]) == set()
