"""Which requests conda_installer accepts, and where their bases are."""

from __future__ import annotations

import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._common.errors import UserError
from ansible_collections.hpc.pytorch.plugins.module_utils._conda.installer.request import (
    checked_cache,
    installer_request,
)

SHA256 = "0123456789ab" + "c" * 52


def test_a_base_stands_beside_its_name_in_a_folder_of_its_own():
    request = installer_request("/opt/app/anaconda3", "https://example.org/x/Tiny.sh", SHA256.upper())
    assert request.base == "/opt/app/.anaconda3/0123456789ab" and request.link == ".anaconda3/0123456789ab"
    assert request.store == "/opt/app/.anaconda3" and request.envs == "/opt/app/.anaconda3/envs" and request.is_url


@pytest.mark.parametrize(
    "source", ["/srv/in staller.sh", "file:///srv/in%20staller.sh", "file://localhost/srv/x/../in staller.sh"]
)
def test_a_file_is_a_path(source):
    request = installer_request("/opt/conda", source, SHA256)
    assert request.path == "/srv/in staller.sh" and not request.is_url


@pytest.mark.parametrize(
    "source",
    [
        "http://example.org/Tiny.sh",
        "ftp://example.org/Tiny.sh",
        "https:///Tiny.sh",
        "https://example.org/",
        "https://example.org/T iny.sh",
        "Tiny.sh",
        "~/Tiny.sh",
        "file://server/share/Tiny.sh",
        "",
        "/",
        "/srv/x\n.sh",
    ],
)
def test_other_sources_are_refused(source):
    with pytest.raises(UserError, match="src to be an https address, or an absolute path"):
        installer_request("/opt/conda", source, SHA256)


def test_a_password_in_an_address_is_never_shown():
    with pytest.raises(UserError) as caught:
        installer_request("/opt/conda", "http://alice:pa55word@example.org/Tiny.sh", SHA256)
    assert "pa55word" not in str(caught.value)
    assert (
        "pa55word"
        not in installer_request("/opt/conda", "https://alice:pa55word@example.org/Tiny.sh", SHA256).shown_source
    )


@pytest.mark.parametrize("sha256", ["", "abc", SHA256[:-1], SHA256 + "0", "g" + SHA256[1:], "sha256:" + SHA256])
def test_a_checksum_is_64_hex_digits(sha256):
    with pytest.raises(UserError, match="64 hex digits"):
        installer_request("/opt/conda", "/srv/Tiny.sh", sha256)


@pytest.mark.parametrize("prefix", ["/", "opt/conda", "/opt/my conda", "/opt/../conda", "/opt/conda;id"])
def test_a_prefix_is_one_that_shells_can_carry(prefix):
    with pytest.raises(UserError, match="prefix"):
        installer_request(prefix, "/srv/Tiny.sh", SHA256)


@pytest.mark.parametrize("cache", ["relative", "/var/my cache", "/var/../cache", "/"])
def test_a_cache_is_one_that_an_installer_runs_from(cache):
    with pytest.raises(UserError, match="cache"):
        checked_cache(cache)
