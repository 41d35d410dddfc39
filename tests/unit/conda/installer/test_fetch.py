"""Downloads from a real https server that breaks off, forgets its validators and sends wrong answers."""

from __future__ import annotations

import hashlib
import os

import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._common.errors import UserError
from ansible_collections.hpc.pytorch.plugins.module_utils._common.redact import Address
from ansible_collections.hpc.pytorch.plugins.module_utils._conda.installer.fetch import fetch, private_cache
from ansible_collections.hpc.pytorch.plugins.module_utils._conda.installer.request import InstallerRequest
from ansible_collections.hpc.pytorch.plugins.module_utils._files.progress import Progress

BODY = b"#!/bin/sh\n" + bytes(range(256)) * 400
SHA256 = hashlib.sha256(BODY).hexdigest()


@pytest.fixture
def cache(tmp_path):
    folder = tmp_path / "cache"
    with private_cache(str(folder), Progress(), "the prefix"):
        yield folder


@pytest.fixture
def server(tmp_path, https_server):
    return https_server(BODY)


@pytest.fixture
def get(cache, server):
    def call(sha256=SHA256, url=None, ca_path=None):
        request = InstallerRequest("/opt/conda", Address(url or server.url), sha256)
        return fetch(request, str(cache), ca_path or server.ca, Progress())

    return call


def ranges(server):
    return [headers.get("Range") for headers in server.asked]


def names(cache):
    return sorted(name for name in os.listdir(cache) if name != ".lock")


def test_a_whole_download_is_checked_and_named(get, cache):
    fetched = get()
    assert fetched == (str(cache / (SHA256 + ".sh")), len(BODY), 0)
    assert (cache / (SHA256 + ".sh")).read_bytes() == BODY and names(cache) == [SHA256 + ".sh"]


def test_what_is_there_and_right_is_not_fetched_again(get, server):
    get()
    get()
    assert len(server.asked) == 1


def test_what_is_there_and_wrong_is(get, cache):
    get()
    (cache / (SHA256 + ".sh")).write_bytes(b"spoilt")
    assert get().script and (cache / (SHA256 + ".sh")).read_bytes() == BODY


def test_a_connection_that_breaks_off_is_gone_on_with_in_the_same_run(get, server):
    server.cuts = [1000, 5000]
    get()
    assert ranges(server) == [None, "bytes=1000-", "bytes=6000-"]
    assert server.asked[1]["If-Range"] == '"one"'


def test_a_connection_that_brings_nothing_ends_the_run_and_the_next_one_goes_on(get, server, cache):
    server.cuts = [1000, 0]
    with pytest.raises(UserError, match="after 1000 bytes; remedy: run again"):
        get()
    assert names(cache) == [SHA256 + ".part", SHA256 + ".part.origin"]
    assert get().resumed_from == 1000
    assert ranges(server) == [None, "bytes=1000-", "bytes=1000-"] and names(cache) == [SHA256 + ".sh"]


def test_a_server_without_ranges_sends_it_all_again(get, server):
    server.ranges = False
    server.cuts = [1000]
    get()
    assert ranges(server) == [None, "bytes=1000-"]


def test_a_file_that_changed_on_the_server_is_fetched_anew(get, server, cache):
    server.cuts = [1000, 0]
    server.etag, server.body = '"old"', BODY[::-1]
    with pytest.raises(UserError):
        get()
    server.etag, server.body = '"new"', BODY
    get()
    assert server.asked[-1]["If-Range"] == '"old"' and (cache / (SHA256 + ".sh")).read_bytes() == BODY


def test_a_part_of_another_file_is_found_by_the_checksum_and_fetched_anew(get, server, cache):
    (cache / (SHA256 + ".part")).write_bytes(b"x" * 1000)
    assert get().resumed_from == 0
    assert ranges(server) == ["bytes=1000-", None]


@pytest.mark.parametrize("size", [len(BODY), len(BODY) + 5])
def test_a_part_that_is_whole_or_longer_is_mended(get, cache, size):
    (cache / (SHA256 + ".part")).write_bytes((BODY + b"12345")[:size])
    get()
    assert (cache / (SHA256 + ".sh")).read_bytes() == BODY


def test_a_wrong_checksum_leaves_nothing(get, cache):
    with pytest.raises(
        UserError, match="expected an installer .* with sha256 %s; found sha256 %s" % ("0" * 64, SHA256)
    ):
        get(sha256="0" * 64)
    assert names(cache) == []


@pytest.mark.parametrize(
    "status, says", [(404, "correct the address"), (403, "licence"), (500, "try again later"), (503, "try again")]
)
def test_a_status_is_named_with_what_to_do(get, server, cache, status, says):
    server.status = status
    with pytest.raises(UserError, match="HTTP status %d.*%s" % (status, says)):
        get()
    assert names(cache) == []


def test_a_server_in_trouble_costs_nothing_that_was_downloaded(get, server):
    server.cuts = [1000, 0]
    with pytest.raises(UserError):
        get()
    server.status = 503
    with pytest.raises(UserError, match="503"):
        get()
    server.status = 200
    assert get().resumed_from == 1000


def test_a_redirection_to_http_is_refused(get, server, serve, tmp_path):
    (tmp_path / "www").mkdir()
    (tmp_path / "www/Tiny.sh").write_text("short")
    server.redirect = serve(tmp_path / "www") + "/Tiny.sh"
    with pytest.raises(UserError, match="redirection to http"):
        get()


def test_an_unknown_ca_is_refused(get, tmp_path, https_server):
    other = tmp_path / "other"
    other.mkdir()
    with pytest.raises(UserError, match="certificate.*ca_path"):
        get(ca_path=https_server(b"", folder=other).ca)


def test_a_server_that_is_not_there(get):
    with pytest.raises(UserError, match="an answer from https://127.0.0.1:9/"):
        get(url="https://alice:pa55word@127.0.0.1:9/Tiny.sh")


def test_a_file_is_copied_before_it_is_checked(get, cache, tmp_path):
    source = tmp_path / "in staller"
    source.write_bytes(BODY)
    assert (get(url=str(source)).script, names(cache)) == (str(cache / (SHA256 + ".sh")), [SHA256 + ".sh"])
    with pytest.raises(UserError, match="found sha256"):
        get(url=str(source), sha256="0" * 64)
    with pytest.raises(UserError, match="nothing there"):
        get(url=str(tmp_path / "nowhere"), sha256="0" * 64)
    assert names(cache) == [SHA256 + ".sh"]


def test_a_cache_that_others_can_write_is_refused(tmp_path):
    folder = tmp_path / "cache"
    folder.mkdir(mode=0o755)
    folder.chmod(0o777)
    with pytest.raises(UserError, match="nobody else can write|become_user"), private_cache(
        str(folder), Progress(), "the prefix"
    ):
        pass
