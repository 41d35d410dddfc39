"""Credentials of a channel and of pip's index work, and appear nowhere that a run could leave them."""

from __future__ import annotations

import base64
import functools
import http.server
import pathlib
import shutil
import threading
import typing as t
import uuid

import pytest

# Nobody else's: they are looked for on the command lines of all processes, since some leave their parent.
USER, PASSWORD, TOKEN = "alice", "pa55word" + uuid.uuid4().hex, "tk-TOKEN" + uuid.uuid4().hex
HEADER = base64.b64encode(("%s:%s" % (USER, PASSWORD)).encode()).decode()
SECRETS = (PASSWORD, TOKEN, HEADER)


class Guarded(http.server.ThreadingHTTPServer):
    """``/chan`` needs the password, ``/t/TOKEN/chan`` the token, ``/index`` the password.

    It inspects the processes of each client: while the server answers, the client and its parents are running.
    """

    def __init__(self, folder: pathlib.Path) -> None:
        super().__init__(("127.0.0.1", 0), functools.partial(_Handler, directory=str(folder)))
        self.caught: set[str] = set()
        self.opened_by: set[str] = set()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def place(self) -> str:
        return "127.0.0.1:%d" % self.server_port


class _Handler(http.server.SimpleHTTPRequestHandler):
    server: Guarded

    def do_GET(self) -> None:
        for line in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
            try:
                command = line.read_bytes().replace(b"\0", b" ").decode(errors="replace")
            except OSError:
                continue
            self.server.caught |= {command for secret in SECRETS if secret in command}
        by_token = self.path.startswith("/t/%s/" % TOKEN)
        by_password = self.headers.get("Authorization") == "Basic " + HEADER
        if not by_token and not by_password:
            self.send_response(401)
            self.send_header("WWW-Authenticate", "Basic")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self.server.opened_by.add("token" if by_token else "password")
        self.path = self.path.replace("/t/" + TOKEN, "")
        # http.server's 304 has no date, which rattler does not take.
        del self.headers["If-Modified-Since"]
        super().do_GET()

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


@pytest.fixture
def site(tmp_path, monkeypatch, play):
    """A home, a folder for temporary files and an Ansible log, below ``tmp_path/seen``; nothing else is written."""
    seen = tmp_path / "seen"
    for name in ("home", "scratch"):
        (seen / name).mkdir(parents=True)
    monkeypatch.setenv("HOME", str(seen / "home"))
    monkeypatch.setenv("TMPDIR", str(seen / "scratch"))
    monkeypatch.setenv("ANSIBLE_LOG_PATH", str(seen / "ansible.log"))
    for name in ("XDG_CACHE_HOME", "NETRC", "RATTLER_AUTH_FILE", "CONDARC", "PIP_CONFIG_FILE"):
        monkeypatch.delenv(name, raising=False)
    outputs: list[str] = []

    def run(options: dict[str, t.Any], *arguments: str) -> t.Any:
        task = {"prefix": str(seen / "env"), "lock_file": str(seen / "env.lock"), **options}
        done = play([{"hpc.pytorch.conda_env": task}], {}, "-vvvv", "--diff", *arguments)
        outputs.append(done.output)
        return done

    def leaks() -> list[str]:
        files = [path for path in seen.rglob("*") if path.is_file() and not path.is_symlink() and path.name != ".netrc"]
        found = [str(path) for path in files if any(secret.encode() in path.read_bytes() for secret in SECRETS)]
        found += [str(path) for path in seen.rglob("*") if any(secret in path.name for secret in SECRETS)]
        return found + [
            line for output in outputs for line in output.splitlines() if any(secret in line for secret in SECRETS)
        ]

    run.seen, run.leaks = seen, leaks
    return run


@pytest.fixture
def server(tmp_path, tiny_channel):
    """A channel of small packages, and an index with one wheel."""
    for version in ("1.0", "2.0"):
        tiny_channel.make_package(tmp_path / "served/chan", "app", version)
    tiny_channel.index(tmp_path / "served/chan")
    found = Guarded(tmp_path / "served")
    yield found
    found.shutdown()
    found.server_close()


@pytest.mark.parametrize("way", ["password", "token", "netrc", "variables"])
def test_a_channel_with_credentials(site, server, monkeypatch, way):
    if way == "netrc":
        (site.seen / "home/.netrc").write_text("machine 127.0.0.1\nlogin %s\npassword %s\n" % (USER, PASSWORD))
        (site.seen / "home/.netrc").chmod(0o600)
    if way == "variables":
        monkeypatch.setenv("CHANNEL_TOKEN", TOKEN)
        (site.seen / "home/.condarc").write_text("channels:\n  - http://%s/t/${CHANNEL_TOKEN}/chan\n" % server.place)
    channels = {
        "password": ["http://%s:%s@%s/chan" % (USER, PASSWORD, server.place)],
        "token": ["http://%s/t/%s/chan" % (server.place, TOKEN)],
        "netrc": ["http://%s/chan" % server.place],
        "variables": None,
    }[way]
    options = {"packages": ["app=1.*"]}
    if channels:
        options["channels"] = channels
    for arguments in (["--check"], [], []):
        done = site(options, *arguments)
        assert done.rc == 0, done.output
    assert done.recap["changed"] == 0
    # Its cache is gone, a file is gone, another version is wanted: fetched again each time.
    for more in ({"verify": True}, {"packages": ["app=2.*"], "state": "latest"}):
        for cache in ("home/.cache", "home/.conda/pkgs"):
            shutil.rmtree(site.seen / cache, ignore_errors=True)
        (site.seen / "env/share/app.txt").unlink()
        done = site({**options, **more})
        assert done.recap["changed"] == 1, done.output
    # Errors name what was asked: a package, a wrong spec, an option that is refused.
    for wrong in ({"packages": ["nothere"]}, {"packages": ["app=="]}, {"name": "both"}, {"unknown": 1}):
        assert site({**options, **wrong, "state": "latest"}).rc != 0
    assert server.opened_by == {"token" if way in ("token", "variables") else "password"}
    assert site.leaks() == [] and server.caught == set()


def test_an_index_of_pip_with_credentials(site, server, tiny_wheels, tmp_path, python_channel):
    """In the request, and in a requirement's own address; what pip records of it too."""
    tiny_wheels.make_wheel(tmp_path / "served/index/tinytool", "tinytool", "1.0")
    wheel = tiny_wheels.make_wheel(tmp_path / "served/wheels", "tinydirect", "1.0")
    address = "http://%s:%s@%s" % (USER, PASSWORD, server.place)
    options = {
        "packages": ["python"],
        "channels": ["file://%s" % python_channel],
        "pip": ["--index-url %s/index" % address, "tinytool", "tinydirect @ %s/wheels/%s" % (address, wheel.name)],
    }
    # The log of the channel's publication, where this test is the first that needs the channel.
    (site.seen / "ansible.log").unlink(missing_ok=True)
    for arguments in (["--check"], [], []):
        done = site(options, *arguments)
        assert done.rc == 0, done.output
    assert done.recap["changed"] == 0
    assert len(list((site.seen / "env").glob("lib/python3*/site-packages/tiny*.dist-info"))) == 2
    assert site({**options, "pip": options["pip"] + ["nothere"]}).rc != 0
    assert site.leaks() == [] and server.caught == set()
