"""What is asked of a server, and what its answer means; no server needed."""

from __future__ import annotations

import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._conda.installer.download import (
    Origin,
    read_answer,
    request_headers,
)

URL = "https://example.org/Tiny.sh"
ORIGIN = Origin(URL, '"one"', 1000)


def test_the_first_request_is_for_the_whole():
    assert request_headers(0, None, URL) == {"Accept-Encoding": "identity"}


def test_the_rest_is_asked_for_if_the_file_is_still_the_same():
    assert request_headers(10, ORIGIN, URL) == {
        "Accept-Encoding": "identity",
        "Range": "bytes=10-",
        "If-Range": '"one"',
    }


@pytest.mark.parametrize(
    "origin", [None, Origin(URL, "", 1000), Origin("https://mirror.example.org/Tiny.sh", '"one"', 1000)]
)
def test_without_anything_to_compare_the_rest_is_asked_for_all_the_same(origin):
    # The checksum decides in the end.
    assert request_headers(10, origin, URL) == {"Accept-Encoding": "identity", "Range": "bytes=10-"}


def test_the_rest_goes_behind_what_is_there():
    answer = read_answer(206, {"content-range": "bytes 10-999/1000", "etag": '"one"'}, 10, ORIGIN, URL)
    assert answer.offset == 10 and answer.origin == ORIGIN


@pytest.mark.parametrize(
    "content_range", ["", "bytes 0-999/1000", "bytes 11-999/1000", "bytes 10-1999/2000", "bytes */1000"]
)
def test_another_part_or_another_file_is_of_no_use(content_range):
    assert read_answer(206, {"content-range": content_range}, 10, ORIGIN, URL).offset is None


def test_a_whole_answer_begins_anew():
    answer = read_answer(
        200, {"content-length": "2000", "etag": 'W/"two"', "last-modified": "yesterday"}, 10, ORIGIN, URL
    )
    # With a weak ETag two parts cannot be joined.
    assert answer.offset == 0 and answer.origin == Origin(URL, "yesterday", 2000)


def test_a_server_need_not_know_the_size():
    assert read_answer(200, {}, 0, None, URL).origin == Origin(URL, "", None)
    assert read_answer(206, {"content-range": "bytes 10-999/*"}, 10, ORIGIN, URL).offset == 10
