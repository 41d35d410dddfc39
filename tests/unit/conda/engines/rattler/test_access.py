"""Channels that ask who is there: reached by every way, and their credentials stored nowhere."""

from __future__ import annotations

import base64
import json
import pathlib
import shutil
import typing as t

import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._common.errors import UserError
from ansible_collections.hpc.pytorch.plugins.module_utils._common.redact import Address, Secret, filled_in
from ansible_collections.hpc.pytorch.plugins.module_utils._conda.engines.rattler.access import (
    Route,
    channel_in_spec,
    headers_for,
    route_to,
)
from tiny_channel import index

SECRETS = ("pa55@word", "pa55%40word", "TOKEN123", base64.b64encode(b"alice:pa55@word").decode())


@pytest.fixture
def guarded(channel: pathlib.Path, guard: t.Callable[[pathlib.Path], str]) -> str:
    """The small channel behind alice's password and a token."""
    return guard(channel)


def with_user(address: str) -> str:
    return address.replace("http://", "http://alice:pa55%40word@")


def with_token(address: str) -> str:
    return address.replace("/deep/", "/deep/t/TOKEN123/")


def files_with_secrets(folder: pathlib.Path) -> list[str]:
    found = [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]
    return [str(path) for path in found if any(secret.encode() in path.read_bytes() for secret in SECRETS)]


@pytest.mark.parametrize("credentials", [with_user, with_token, lambda address: with_token(with_user(address))])
def test_credentials_in_the_address_open_the_channel_and_stay_nowhere(declare, guarded, home, tmp_path, credentials):
    lock = tmp_path / "torch.lock"
    result = declare(packages=["app=1.*"], channels=[credentials(guarded)], lock_file=str(lock))
    assert result["changed"] and {package["channel"] for package in result["packages"]} == {guarded + "/"}
    changed = declare(packages=["app=2.*"], channels=[credentials(guarded)])
    assert not [secret for secret in SECRETS if secret in json.dumps([result, changed])]
    assert files_with_secrets(home) == [] and files_with_secrets(lock.parent / "torch.lock") == []
    assert not [secret for secret in SECRETS if secret in lock.read_text()] and guarded in lock.read_text()


def test_without_credentials_the_channel_stays_closed(declare, guarded, prefix):
    with pytest.raises(UserError, match="401") as caught:
        declare(packages=["app"], channels=[guarded])
    assert "netrc" in caught.value.remedy and not prefix.exists()


def test_a_wrong_password_is_not_printed(declare, guarded):
    with pytest.raises(UserError) as caught:
        declare(packages=["app"], channels=[with_user(guarded).replace("alice", "bob")])
    assert not [secret for secret in SECRETS if secret in json.dumps(caught.value.as_result())]


def test_a_password_without_escapes_is_taken_as_it_stands(declare, guarded):
    assert declare(packages=["app"], channels=[guarded.replace("http://", "http://alice:pa55@word@")])["changed"]


@pytest.mark.parametrize("by", ["home", "NETRC", "RATTLER_AUTH_FILE"])
def test_credentials_from_a_file_open_the_channel(declare, guarded, home, tmp_path, monkeypatch, by):
    for name in ("NETRC", "RATTLER_AUTH_FILE"):
        monkeypatch.delenv(name, raising=False)
    path = home / ".netrc" if by == "home" else tmp_path / "credentials"
    content = "machine 127.0.0.1\nlogin alice\npassword pa55@word\n"
    if by == "RATTLER_AUTH_FILE":
        content = json.dumps({"127.0.0.1": {"BasicHTTP": {"username": "alice", "password": "pa55@word"}}})
    path.write_text(content)
    path.chmod(0o600)
    if by != "home":
        monkeypatch.setenv(by, str(path))
    assert declare(packages=["app"], channels=[guarded])["changed"]
    assert files_with_secrets(home) == ([str(path)] if by == "home" else [])


def test_credentials_in_the_address_win_over_those_in_a_file(declare, guarded, home):
    (home / ".netrc").write_text("machine 127.0.0.1 login bob password wrong\n")
    assert declare(packages=["app"], channels=[with_user(guarded)])["changed"]


def test_variables_are_filled_in_where_a_condarc_or_the_play_names_them(declare, guarded, home, monkeypatch):
    address = guarded.replace("http://", "http://$CHANNEL_USER:${CHANNEL_PASSWORD}@")
    (home / ".condarc").write_text("channels: ['%s']\n" % address)
    for channels in (None, [address]):
        name = "condarc" if channels is None else "play"
        monkeypatch.delenv("CHANNEL_PASSWORD", raising=False)
        monkeypatch.setenv("CHANNEL_USER", "alice")
        with pytest.raises(UserError, match="CHANNEL_PASSWORD"):
            declare(name=name, packages=["app"], channels=channels)
        monkeypatch.setenv("CHANNEL_PASSWORD", "pa55%40word")
        assert declare(name=name, packages=["app"], channels=channels)["changed"]
        monkeypatch.setenv("CHANNEL_PASSWORD", "rotated")
        assert not declare(name=name, packages=["app"], channels=channels)["changed"]
    assert files_with_secrets(home) == []


def test_a_dollar_in_a_password_is_no_variable():
    assert filled_in(["https://u:pa$$5word@h/c", "file://$HERE/c"], {"HERE": "/x"}) == [
        "https://u:pa$$5word@h/c",
        "file:///x/c",
    ]


def test_an_env_whose_cache_is_gone_is_changed_repaired_and_locked(declare, guarded, home, prefix, tmp_path):
    """Its records hold no credentials; the request's channels do."""
    for credentials in (with_user, with_token):
        channels = [credentials(guarded)]
        declare(packages=["app=1.*"], channels=channels)
        shutil.rmtree(home / ".cache")
        (prefix / "bin/app").unlink()
        result = declare(packages=["app=1.*", "extra"], channels=channels, verify=True)
        assert {action["name"]: action["action"] for action in result["actions"]} == {
            "app": "reinstall",
            "extra": "install",
            "extradep": "install",
        }
        shutil.rmtree(home / ".cache")
        lock = tmp_path / "torch.lock"
        declare(packages=["app=1.*", "extra"], channels=channels, lock_file=str(lock))
        shutil.rmtree(home / ".cache", ignore_errors=True)
        assert declare(name="second", packages=["app"], channels=channels, lock_file=str(lock))["changed"]
        assert files_with_secrets(home) == []
        shutil.rmtree(home / ".conda")
        lock.unlink()


def test_records_that_another_tool_wrote_with_credentials_are_used_without(declare, guarded, home, prefix):
    declare(packages=["app=1.*"], channels=[with_token(guarded)])
    (record,) = (prefix / "conda-meta").glob("liba-*.json")
    meta = json.loads(record.read_text())
    meta.update(url=with_token(meta["url"]), channel=with_token(meta["channel"]))
    record.write_text(json.dumps(meta))
    shutil.rmtree(home / ".cache")
    (prefix / "share/liba.txt").unlink()
    result = declare(packages=["app=1.*"], channels=[with_token(guarded)], verify=True)
    assert {action["name"]: action["action"] for action in result["actions"]} == {"liba": "reinstall"}
    assert files_with_secrets(home) == []


def test_a_package_that_its_channel_no_longer_has_is_locked_without_what_its_record_holds(
    declare, channel, guarded, prefix, tmp_path
):
    declare(packages=["app=1.*"], channels=[with_token(guarded)])
    (record,) = (prefix / "conda-meta").glob("liba-*.json")
    meta = json.loads(record.read_text())
    meta.update(url=with_token(meta["url"]), channel=with_token(meta["channel"]))
    record.write_text(json.dumps(meta))
    next(channel.glob("linux-64/liba-1.0-*")).unlink()
    index(channel)
    lock = tmp_path / "torch.lock"
    result = declare(packages=["app=1.*"], channels=[with_token(guarded)], lock_file=str(lock))
    assert result["actions"] == [] and "liba-1.0-0" in lock.read_text()
    assert not [secret for secret in SECRETS if secret in lock.read_text() + json.dumps(result)]


def test_a_match_spec_may_name_the_channel_as_the_channels_do(declare, guarded, home):
    address = with_token(guarded)
    result = declare(packages=["%s::app=1.*" % address], channels=[address])
    assert {package["name"] for package in result["packages"]} == {"app", "liba"}
    assert files_with_secrets(home) == []


def test_a_route_leads_from_what_may_be_stored_to_what_is_asked():
    route = route_to("https://example.org/t/TOK/c")
    assert route == Route("https://example.org/c/", Address("https://example.org/t/TOK/c/"), None)
    assert "TOK" not in repr(route)
    shown = "https://example.org:8443/c/"
    assert route_to("https://a:b@example.org:8443/c/") == Route(shown, Address(shown), Secret("Basic YTpi"))
    assert route_to("HTTPS://a:b@EXAMPLE.org:8443/c?x=1#y") == Route(shown, Address(shown), Secret("Basic YTpi"))


def test_the_closest_route_decides_and_other_hosts_get_nothing():
    routes = [route_to("https://a:a@h/"), route_to("https://b:b@h/c"), route_to("https://h/t/T/c/d")]
    header = {"a": "Basic YTph", "b": "Basic Yjpi"}
    assert headers_for(routes, "h", "/x") == {"Authorization": header["a"]}
    assert headers_for(routes, "h", "/c/noarch/repodata.json") == {"Authorization": header["b"]}
    assert headers_for(routes, "h", "/cc/noarch") == {"Authorization": header["a"]}
    assert headers_for(routes, "other", "/c/noarch") is None


@pytest.mark.parametrize(
    "spec, channel",
    [
        ("numpy", ""),
        ("https://u:p@h/c::numpy>=1", "https://u:p@h/c"),
        ("https://u:p@h/c/noarch/x-1-0.conda", "https://u:p@h/c/noarch"),
    ],
)
def test_where_a_match_spec_names_a_channel(spec, channel):
    assert channel_in_spec(spec) == channel
