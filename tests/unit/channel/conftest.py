"""Parts of channel tests: wheels made here, a channel, an env from it, a web server."""

from __future__ import annotations

import asyncio
import functools
import http.server
import os
import pathlib
import sys
import threading
import types
import typing as t
import zipfile

import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._channel import build
from ansible_collections.hpc.pytorch.plugins.module_utils._channel.request import Request, request_from
from ansible_collections.hpc.pytorch.plugins.module_utils._files.progress import Progress

DEFAULTS: dict[str, t.Any] = {
    "python": [],
    "wheels": [],
    "wheel_index": None,
    "wheel_find_links": [],
    "wheel_no_index": True,
    "wheel_refuse": ["nvidia-*", "cuda-*"],
    "wheel_max_megabytes": 400,
    "cpu_index": "",
    "names": {},
    "packages": [],
    "upstream": [],
    "with_dependencies": True,
}


def request(path: t.Any, **options: t.Any) -> Request:
    """A request with the module's defaults, without any index."""
    return request_from(dict(DEFAULTS, path=str(path), **options))


def publish(path: t.Any, check_mode: bool = False, **options: t.Any) -> build.Outcome:
    """One run in this process, which is the engine."""
    return build.Builder(request(path, **options), Progress(), check_mode).run()


def make_wheel(
    folder: pathlib.Path,
    name: str,
    version: str = "1.0",
    files: dict[str, str] | None = None,
    metadata: t.Sequence[str] = (),
    tag: str = "py3-none-any",
    executables: t.Sequence[str] = (),
) -> pathlib.Path:
    """A wheel with *files*; ``{dist}`` in their names is the dist-info's stem."""
    folder.mkdir(parents=True, exist_ok=True)
    stem = "%s-%s" % (name, version)
    path = folder / ("%s-%s.whl" % (stem, tag))
    content = {
        "%s.dist-info/METADATA" % stem: "\n".join(
            ["Metadata-Version: 2.1", "Name: " + name, "Version: " + version, *metadata, "", "Text: not a header"]
        ),
        "%s.dist-info/WHEEL" % stem: "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: %s\n" % tag,
        "%s.dist-info/RECORD" % stem: "",
    }
    content.update({key.replace("{dist}", stem): value for key, value in (files or {}).items()})
    with zipfile.ZipFile(path, "w") as archive:
        for key, value in content.items():
            info = zipfile.ZipInfo(key, (2024, 1, 2, 3, 4, 6))
            info.external_attr = (0o100755 if key in executables else 0o100644) << 16
            archive.writestr(info, value)
    return path


def install(channel: str, prefix: pathlib.Path, specs: t.Sequence[str], cache: pathlib.Path) -> list[t.Any]:
    """Solve and install with py-rattler. Returns the records."""
    import rattler

    async def run() -> list[t.Any]:
        gateway = rattler.Gateway(cache_dir=cache / "repodata")
        platforms = [rattler.Subdir.current(), rattler.Subdir("noarch")]
        machine = rattler.VirtualPackage.detect()
        solved = await rattler.solve(
            [rattler.Channel(channel)], list(specs), gateway=gateway, platforms=platforms, virtual_packages=machine
        )
        await rattler.install(solved, target_prefix=prefix, cache_dir=cache / "pkgs", show_progress=False)
        return solved

    return asyncio.run(run())


@pytest.fixture(scope="session")
def debian_python() -> str:
    """The distribution's own Python."""
    return "/usr/bin/python3"


@pytest.fixture(scope="session")
def other_python() -> str:
    """The interpreter that the tests' own venv was made from, whatever build that is."""
    return os.path.realpath(os.path.join(sys.base_prefix, "bin", "python%d.%d" % sys.version_info[:2]))


@pytest.fixture(scope="session")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """A folder with wheels that use what a converter has to handle."""
    folder = tmp_path_factory.mktemp("wheels")
    make_wheel(
        folder,
        "alpha",
        "1.0+cpu",
        {
            "alpha/__init__.py": "import beta\n\n\ndef main():\n    print('alpha', beta.VALUE)\n",
            "alpha/template.py": "{% no python %}\n",
            "alpha/tool.sh": "#!/bin/sh\n",
            "{dist}.dist-info/entry_points.txt": "[console_scripts]\nalpha-cmd = alpha:main [extra]\n",
            "{dist}.data/scripts/alpha-script": "#!python\nimport alpha\nalpha.main()\n",
            "{dist}.data/scripts/alpha-shell": "#!/bin/sh\necho shell\n",
            "{dist}.data/data/share/alpha/note.txt": "note\n",
            "{dist}.data/headers/alpha.h": "/* header */\n",
            "{dist}.data/purelib/alpha_pure.py": "PURE = 1\n",
        },
        [
            "Summary: first",
            "License: MIT",
            "Requires-Dist: beta[more]>=1",
            "Requires-Dist: windowsonly; sys_platform == 'win32'",
        ],
        executables=["alpha/tool.sh"],
    )
    make_wheel(
        folder,
        "beta",
        "2.0",
        {"beta.py": "VALUE = 'b\u00e4ta'\n"},
        ["Provides-Extra: more", "Requires-Dist: gamma_ray==1.5; extra == 'more'"],
    )
    make_wheel(folder, "gamma_ray", "1.5+cpu", {"gamma_ray.py": "", "gamma_ray_\u00e9.py": "X = 1\n"})
    return folder


@pytest.fixture(scope="session")
def published(
    tmp_path_factory: pytest.TempPathFactory, debian_python: str, wheels: pathlib.Path
) -> types.SimpleNamespace:
    """A channel with Debian's Python and the test wheels. Not to be changed: copy it."""
    path = tmp_path_factory.mktemp("published") / "a channel"
    options = {"python": [debian_python], "wheels": ["alpha"], "wheel_find_links": [str(wheels)]}
    outcome = publish(path, **options)
    return types.SimpleNamespace(path=path, options=options, outcome=outcome)


@pytest.fixture
def serve() -> t.Iterator[t.Callable[[pathlib.Path], str]]:
    """Serves a folder over HTTP on this machine; gives its address."""
    servers = []

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *args: t.Any) -> None:
            pass

    def start(folder: pathlib.Path) -> str:
        handler = functools.partial(Handler, directory=str(folder))
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return "http://127.0.0.1:%d" % server.server_address[1]

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()
