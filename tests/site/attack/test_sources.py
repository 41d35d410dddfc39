# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""However it is spelled, root installs nothing from where another user can write; and nothing else is refused.

Each table has one spelling a line. ``{evil}`` is a channel of mallory's in a sticky folder, ``{safe}`` one of root's,
``{half}`` one of root's with an open folder in it, ``{link}`` root's symlink to mallory's, ``{good}`` one to root's.
"""

from __future__ import annotations

import functools
import http.server
import importlib
import json
import os
import pathlib
import shutil
import sys
import threading
import typing as t

import pytest
from ansible.utils.collection_loader._collection_finder import _AnsibleCollectionFinder

CHECKOUT = pathlib.Path(__file__).resolve().parents[3]


@pytest.fixture(scope="session")
def code() -> t.Callable[[str], t.Any]:
    """A module of the collection's own code, which runs here as root."""
    if "ansible_collections" not in sys.modules:
        _AnsibleCollectionFinder(paths=[str(CHECKOUT / ".collections")])._install()
    return lambda name: importlib.import_module("ansible_collections.hpc.pytorch.plugins.module_utils." + name)


@pytest.fixture
def user_error(code: t.Any) -> type[Exception]:
    return t.cast("type[Exception]", code("_common.errors").UserError)


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory, tiny_channel: t.Any) -> pathlib.Path:
    """A small real channel."""
    folder = tmp_path_factory.mktemp("channel")
    tiny_channel.make_package(folder, "app")
    return t.cast(pathlib.Path, tiny_channel.index(folder))


@pytest.fixture
def lab(place: pathlib.Path, scratch: pathlib.Path, mallory: t.Any, made: pathlib.Path) -> dict[str, str]:
    """The places that the tables name."""
    safe = place / "safe"
    shutil.copytree(made, safe)
    safe.chmod(0o755)
    (safe / "tool-1.0-py3-none-any.whl").write_text("")
    (safe / "requirements.txt").write_text("torch>=2\n--index-url https://index.example.org/simple\n")
    shutil.copytree(safe, place / "with blank")
    shutil.copytree(safe, place / "half")
    (place / "half/noarch").chmod(0o777)
    evil = scratch / "evil"
    shutil.copytree(safe, evil)
    (evil / "requirements.txt").write_text("torch\n")
    for path in [evil, *evil.rglob("*")]:
        os.chown(path, mallory.uid, mallory.gid)
    (place / "link").symlink_to(evil)
    (place / "bracket]").symlink_to(evil)
    (place / "good").symlink_to(safe)
    (place / "tree").mkdir()
    (place / "tree/setup.py").write_text("")
    (place / "open tree").mkdir()
    (place / "open tree/setup.py").write_text("")
    (place / "open tree/setup.py").chmod(0o666)
    (place / "setgid").mkdir()
    (place / "setgid").chmod(0o2755)
    (place / "private").mkdir(mode=0o700)
    escaped = "".join("/" if char == "/" else "%%%02x" % ord(char) for char in str(evil))
    return {
        "place": str(place),
        "safe": str(safe),
        "half": str(place / "half"),
        "evil": str(evil),
        "link": str(place / "link"),
        "good": str(place / "good"),
        "escaped": escaped,
        "twice": escaped.replace("%", "%25"),
        "host": os.uname().nodename,
        "user": mallory.name,
    }


# --- channels ----------------------------------------------------------------------------------------------------

BAD_CHANNELS = [
    "{evil}",
    "{evil}/",
    "/{evil}",
    "//{evil}",
    "{evil}/.",
    "file://{evil}",
    "FILE://{evil}",
    "File://{evil}/",
    "file:{evil}",
    "fILE:{evil}",
    "file:/{evil}",
    "file:///{evil}",
    "file:////{evil}",
    "file://localhost{evil}",
    "file://LOCALHOST{evil}",
    "file://localhost/{evil}",
    "file://{host}{evil}",
    "file://127.0.0.1{evil}",
    "file://{escaped}",
    "FILE://{escaped}",
    "file://{twice}",
    "{escaped}",
    "{twice}",
    "{safe}/../scratch/evil",
    "file://{safe}/../scratch/evil",
    "file://{safe}/%2e%2e/scratch/evil",
    "file://{safe}/%2E./scratch/evil",
    "file://{safe}/%252e%252e/scratch/evil",
    "{place}/none/../scratch/evil",
    "{link}",
    "{link}/",
    "file://{link}",
    "{link}/../evil",
    "{good}/../link",
    "{half}",
    "file://{half}",
    "{place}/scratch/none",
    "{evil}[linux-64]",
    "{evil}/linux-64",
    "{evil}?x=1",
    "file://{evil}?x=1",
    "file://{evil}#x",
    "file://{evil}?/../../safe",
    "file:scratch/evil",
    "file:./scratch/evil",
    "file://scratch/evil",
    "file://./scratch/evil",
    "file://~/evil",
    "file:~/evil",
    "./scratch/evil",
    "../evil",
    "..",
    ".",
    "scratch/../evil",
    "$PLACE/evil",
    "${{PLACE}}/evil",
    "/$PLACE/evil",
    "~/evil",
    "~/evil/",
    "~nobody-of-that-name/evil",
    "file:\\{evil}",
    "file:\\\\{evil}",
    "\\\\localhost\\evil",
    "C:\\evil",
    "C:/evil",
    "c:{evil}",
    "file:///C:\\..{evil}",
    "http:evil",
    "http:/evil",
    "https:{evil}",
    "https:///{evil}",
    "gopher://host/evil",
    "data:text/plain,evil",
    "unix:{evil}",
    "{evil}\0",
    "{safe}\0{evil}",
    "file://{safe}%00{evil}",
    "{evil}\n",
    "{evil}\t",
    " {evil}",
    "{evil} ",
    "\u00a0{evil}",
    "fi\tle://{evil}",
    "",
]
GOOD_CHANNELS = [
    "conda-forge",
    "conda-forge/label/dev",
    "nvidia",
    "defaults",
    "conda-forge[linux-64,noarch]",
    "my_lab.channel-2",
    "https://host.example.org/c",
    "HTTPS://HOST.example.org/c",
    "http://mirror/conda-forge",
    "https://host.example.org:8443/c/label/main",
    "https://[2001:db8::1]:8080/c",
    "https://user:pa55%2Fword@host.example.org/c",
    "https://host.example.org/t/TOKEN/c",
    "https://host.example.org/c?x=1",
    "s3://bucket/channel",
    "gcs://bucket/channel",
    "oci://ghcr.io/channel-mirrors/conda-forge",
    "{safe}",
    "{safe}/",
    "/{safe}",
    "{safe}[linux-64]",
    "{safe}/linux-64",
    "file://{safe}",
    "FILE://{safe}/",
    "file:{safe}",
    "file://localhost{safe}",
    "{place}/with blank",
    "file://{place}/with%20blank",
    "{good}",
    "file://{good}",
    "{safe}/../safe",
    "file://{safe}/../safe",
    "{place}/not/there/yet",
    "{place}/setgid",
    "{place}/private",
]


@pytest.fixture(autouse=True)
def at_home(monkeypatch: pytest.MonkeyPatch, scratch: pathlib.Path) -> None:
    """HOME is where mallory can write, and so is the current folder."""
    monkeypatch.setenv("HOME", str(scratch))
    monkeypatch.delenv("PLACE", raising=False)
    monkeypatch.chdir(scratch)


@pytest.mark.parametrize("spelling", BAD_CHANNELS)
def test_no_channel_of_mallorys(code, user_error, lab, spelling):
    with pytest.raises(user_error) as caught:
        code("_source.trusted").require_trusted_channels([spelling.format(**lab)])
    assert "\n" not in str(caught.value) and caught.value.remedy


@pytest.mark.parametrize("spelling", GOOD_CHANNELS)
def test_every_channel_of_roots(code, lab, spelling):
    code("_source.trusted").require_trusted_channels([spelling.format(**lab)])


# What mallory may own, or be able to write, in a channel of root's.
PARTS = ["noarch", "linux-64", "noarch/repodata.json", "linux-64/repodata.json", "linux-64/repodata.json.zst"]


@pytest.mark.parametrize("how", ["owned", "open"])
@pytest.mark.parametrize("part", PARTS)
def test_no_part_of_a_channel_is_mallorys(code, user_error, lab, mallory, part, how):
    path = pathlib.Path(lab["safe"], part)
    if not path.exists():
        path.write_text("")
    if how == "owned":
        os.chown(path, mallory.uid, mallory.gid)
    else:
        path.chmod(0o777)
    with pytest.raises(user_error, match="a channel with"):
        code("_source.trusted").require_trusted_channels([lab["safe"]])


# --- match specs -------------------------------------------------------------------------------------------------

BAD_SPECS = [
    "{evil}::app",
    "file://{evil}::app",
    "FILE:{evil}::app",
    "file://{escaped}::app=1.0",
    "{half}::app",
    "{link}::app",
    "{safe}/../scratch/evil::app",
    "./evil::app",
    "~/evil::app",
    "{safe}::{evil}::app",
    "app[channel={evil}]",
    "app[channel='{evil}']",
    'app[channel="file://{evil}"]',
    "app >=1[version='>=1', channel='file:{evil}']",
    "app[Channel = '{evil}']",
    "app[build=0][channel={evil}]",
    'app[channel="{place}/bracket]"]',
    "app[channel='{place}/bracket]']",
    "app[when='x[channel=a]', channel='{evil}']",
    "app[version='>=1,<2',channel={evil}]",
    "app =1 [ url = '{evil}/app-1-0.conda' ]",
    "app[url={evil}/linux-64/app-1.0-0.tar.bz2]",
    "app[url='file://{evil}/linux-64/app-1.0-0.tar.bz2']",
    'app[md5=0, url="file://localhost{evil}/linux-64/app-1.0-0.tar.bz2"]',
    "{evil}/linux-64/app-1.0-0.tar.bz2",
    "/{evil}/linux-64/app-1.0-0.tar.bz2",
    "file://{evil}/linux-64/app-1.0-0.tar.bz2",
    "FILE://{evil}/linux-64/app-1.0-0.tar.bz2",
    "file:{evil}/linux-64/app-1.0-0.tar.bz2",
    "file://{escaped}/linux-64/app-1.0-0.tar.bz2",
    "file://{evil}/linux-64/app-1.0-0.tar.bz2#0123456789abcdef0123456789abcdef",
    "./linux-64/app-1.0-0.tar.bz2",
    "../app-1.0-0.conda",
    "evil/linux-64/app-1.0-0.tar.bz2",
    "app-1.0-0.conda",
    "app-1.0-0.tar.bz2",
    "file:app-1.0-0.conda",
    "~/evil/linux-64/app-1.0-0.tar.bz2",
    "{link}/linux-64/app-1.0-0.tar.bz2",
    "{place}/half/noarch/app-1.0-0.conda",
    "app @ file://{evil}/linux-64/app-1.0-0.tar.bz2",
]
GOOD_SPECS = [
    "app",
    "python=3.11",
    "pytorch>=2.5,<3",
    "pytorch 2.* cuda126*",
    "numpy=1.26=py311h*_0",
    "conda-forge::numpy",
    "conda-forge/linux-64::numpy=2",
    "numpy[version='>=1.2', build='py311*']",
    "numpy[channel=conda-forge]",
    "https://host.example.org/c::numpy",
    "https://host.example.org/c/noarch/x-1-0.conda",
    "https://host.example.org/c/noarch/x-1-0.conda#0123456789abcdef0123456789abcdef",
    "{safe}::app",
    "file://{safe}::app",
    "{safe}/linux-64/app-1.0-0.tar.bz2",
    "file://{safe}/linux-64/app-1.0-0.tar.bz2",
    "app[url='file://{safe}/linux-64/app-1.0-0.tar.bz2']",
]


@pytest.mark.parametrize("spelling", BAD_SPECS)
def test_no_package_of_mallorys_by_a_match_spec(code, user_error, lab, spelling):
    with pytest.raises(user_error) as caught:
        code("_source.trusted").require_trusted_specs([spelling.format(**lab)])
    assert "\n" not in str(caught.value) and caught.value.remedy


@pytest.mark.parametrize("spelling", GOOD_SPECS)
def test_every_package_of_roots_by_a_match_spec(code, lab, spelling):
    code("_source.trusted").require_trusted_specs([spelling.format(**lab)])


# --- lock files --------------------------------------------------------------------------------------------------

BAD_ENTRIES = [
    "file://{evil}/linux-64/app-1.0-0.tar.bz2",
    "{evil}/linux-64/app-1.0-0.tar.bz2",
    "file://{safe}/../scratch/evil/linux-64/app-1.0-0.tar.bz2",
    "file://{safe}/%2e%2e/scratch/evil/linux-64/app-1.0-0.tar.bz2",
    "file://{place}/with%20blank/linux-64/app-1.0-0.tar.bz2",
    "file://{safe}/linux-64/deeper/app-1.0-0.tar.bz2",
    "file://{safe}/app-1.0-0.tar.bz2",
    "https://evil.example.org/c/linux-64/app-1.0-0.tar.bz2",
    "https://host.example.org.evil.org/c/linux-64/app-1.0-0.tar.bz2",
    "https://host.example.org@evil.org/c/linux-64/app-1.0-0.tar.bz2",
    "https://host.example.org/d/linux-64/app-1.0-0.tar.bz2",
    "https://host.example.org/c/../d/linux-64/app-1.0-0.tar.bz2",
    "https://host.example.org/c/%2e%2e/d/linux-64/app-1.0-0.tar.bz2",
    "https://host.example.org/cc/linux-64/app-1.0-0.tar.bz2",
    "http://host.example.org/c/linux-64/app-1.0-0.tar.bz2",
    "https://host.example.org:8443/c/linux-64/app-1.0-0.tar.bz2",
    "https://conda.anaconda.org/evil/linux-64/app-1.0-0.tar.bz2",
    "https://conda.anaconda.org/conda-forge-evil/linux-64/app-1.0-0.tar.bz2",
    "app-1.0-0.tar.bz2",
    "",
]
GOOD_ENTRIES = [
    "file://{safe}/linux-64/app-1.0-0.tar.bz2",
    "file://{good}/linux-64/app-1.0-0.tar.bz2",
    "{safe}/noarch/app-1.0-0.conda",
    "https://host.example.org/c/linux-64/app-1.0-0.tar.bz2",
    "https://HOST.example.org:443/c/noarch/app-1.0-0.conda",
    "https://user:password@host.example.org/t/TOKEN/c/noarch/app-1.0-0.conda",
    "https://conda.anaconda.org/conda-forge/noarch/app-1.0-0.conda",
    "https://repo.anaconda.com/pkgs/main/linux-64/app-1.0-0.conda",
    "https://other.example.org/x/noarch/single-1-0.conda",
    "https://spec.example.org/c/noarch/app-1.0-0.conda",
]


def _check_entry(code: t.Any, lab: dict[str, str], entry: str) -> None:
    lock = code("_source.lock")
    channels = ["conda-forge", "defaults", "https://host.example.org/c/", "file://%s" % lab["safe"]]
    specs = ["https://other.example.org/x/noarch/single-1-0.conda", "https://spec.example.org/c::app", "python"]
    lock.require_own_packages([entry.format(**lab)], channels, specs, "/srv/torch.lock", lock.ChannelNames())


@pytest.mark.parametrize("entry", BAD_ENTRIES)
def test_no_entry_of_a_lock_file_from_elsewhere(code, user_error, lab, entry):
    with pytest.raises(user_error, match="a lock file whose packages come from the channels"):
        _check_entry(code, lab, entry)


@pytest.mark.parametrize("entry", GOOD_ENTRIES)
def test_every_entry_of_a_lock_file_from_the_channels(code, lab, entry):
    _check_entry(code, lab, entry)


# --- lines for pip -----------------------------------------------------------------------------------------------

BAD_LINES = [
    "-r {evil}/requirements.txt",
    "-r{evil}/requirements.txt",
    "-r   {evil}/requirements.txt",
    "-r '{evil}/requirements.txt'",
    '--requirement="{evil}/requirements.txt"',
    "--requirement {evil}/requirements.txt",
    "--requirem={evil}/requirements.txt",
    "-r file://{evil}/requirements.txt",
    "-c {evil}/requirements.txt",
    "-c{evil}/requirements.txt",
    "--constraint={evil}/requirements.txt",
    "--cons {evil}/requirements.txt",
    "-e {evil}",
    "-e{evil}",
    "--editable={evil}[dev]",
    "-e file://{evil}#egg=tool",
    "-e git+file://{evil}@main#egg=tool",
    "-e tool @ file://{evil}",
    "-f {evil}",
    "-f{evil}",
    "--find-links={evil}",
    "--find-links {evil}",
    "--find-links='{evil}'",
    "--find-l={evil}",
    "--find-links file:{evil}",
    "--find-links FILE://{evil}",
    "--find-links file://{escaped}",
    "--no-index --find-links {evil}",
    "--pre -f {evil}",
    "-i file://{evil}/simple",
    "-i{evil}",
    "--index-url=file://{evil}/simple",
    "--index {evil}",
    "--extra-index-url file://{evil}/simple",
    "--extra=file:{evil}",
    "--pypi-url file://{evil}",
    "{evil}/tool-1.0-py3-none-any.whl",
    "{evil}",
    "{evil}/tool-1.0-py3-none-any.whl ; python_version>'3'",
    "{evil}/tool-1.0-py3-none-any.whl[extra]",
    "{evil}/tool-1.0-py3-none-any.whl --hash=sha256:00",
    "file://{evil}/tool-1.0-py3-none-any.whl",
    "FILE:{evil}/tool-1.0-py3-none-any.whl",
    "file://localhost{evil}/tool-1.0-py3-none-any.whl#egg=tool",
    "tool @ file://{evil}/tool-1.0-py3-none-any.whl",
    "tool@file://{evil}/tool-1.0-py3-none-any.whl",
    "tool[extra] @ file:{evil}/tool-1.0-py3-none-any.whl ; python_version > '3'",
    "tool @ git+file://{evil}",
    "git+file://{evil}@v1#egg=tool",
    "tool @ file://{escaped}",
    "tool @ file://{safe}/../scratch/evil",
    "tool @ file:evil",
    "tool @ evil/tool.whl",
    "./tool-1.0-py3-none-any.whl",
    "../evil/tool-1.0-py3-none-any.whl",
    "tool-1.0-py3-none-any.whl",
    "tool.tar.gz",
    "evil/tool",
    ".",
    "~/evil",
    "\\\\host\\tool.whl",
    "{link}/tool-1.0-py3-none-any.whl",
    "{place}/open tree",
    "-e {place}/tree/../scratch/evil",
    "-e '{place}/open tree'",
    "${{EVIL}}/tool.whl",
    "-r ${{EVIL}}/requirements.txt",
    "tool @ file://${{EVIL}}/tool.whl",
    "tool @ ext::sh",
    "torch --config-settings=x={evil}",
    "--unknown-option {evil}",
    "--unknown-option=file://{evil}",
    "-r {place}/nested/links.txt",
    "-r {place}/nested/continued.txt",
    "-r {place}/nested/deep.txt",
    "-c {place}/nested/relative.txt",
    "-r {place}/nested/variable.txt",
    "-r {place}/nested/separator.txt",
    "-r {place}/nested/encoded.txt",
    "-r {place}/nested/commented.txt",
]
GOOD_LINES = [
    "torch",
    "torch>=2,<3 ; python_version >= '3.9'",
    "torch==2.13.0+cu126",
    "torch[extra]==2.13.0 --hash=sha256:00",
    "--index-url https://download.pytorch.org/whl/cu126",
    "--extra-index-url=https://user:password@index.example.org/simple",
    "--trusted-host index.example.org:8080",
    "--no-binary :all:",
    "--only-binary=:all:",
    "--pre",
    "--require-hashes",
    "--prefer-binary",
    "--no-index",
    "--find-links https://host.example.org/wheels/",
    "tool @ https://host.example.org/tool-1.0-py3-none-any.whl#sha256=00",
    "tool @ git+https://github.com/org/tool@v1#subdirectory=python",
    "git+ssh://git@github.com/org/tool.git@main#egg=tool",
    "-e git+https://github.com/org/tool#egg=tool",
    "https://host.example.org/tool-1.0-py3-none-any.whl",
    "{safe}/tool-1.0-py3-none-any.whl",
    "{safe}/tool-1.0-py3-none-any.whl[extra] ; python_version>'3'",
    "{place}/with blank/tool-1.0-py3-none-any.whl",
    "tool @ file://{place}/with%20blank/tool-1.0-py3-none-any.whl",
    "tool @ file://{safe}/tool-1.0-py3-none-any.whl#sha256=00",
    "-e {place}/tree",
    "-e {place}/tree[dev]",
    "--find-links {safe}",
    "--find-links=file://{safe}",
    "-f {good}",
    "-i file://{safe}",
    "-r {safe}/requirements.txt",
    "-c {good}/requirements.txt",
    "-r {place}/nested/good.txt",
    "-r https://host.example.org/requirements.txt",
    "torch --config-settings=--build-option=-O2",
]


@pytest.fixture
def nested(lab: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Files of root's that name mallory's."""
    folder = pathlib.Path(lab["place"], "nested")
    folder.mkdir()
    (folder / "wheels").mkdir()
    texts = {
        "links.txt": "torch\n--find-links {evil}\n",
        "continued.txt": "--find-\\\nlinks \\\n{evil}\n",
        "deep.txt": "-r deeper.txt\n",
        "deeper.txt": "# a comment\n-c links.txt\n",
        "relative.txt": "-r ../scratch/evil/requirements.txt\n",
        "variable.txt": "tool @ file://${{EVIL}}/tool.whl\n",
        "separator.txt": "torch\x0ctool @ file://{evil}/tool.whl\n",
        "commented.txt": "torch \\\n# a comment \\\n{evil}/tool.whl\n",
        "good.txt": "-r loop.txt\n--find-links wheels\n--find-links {safe}\ntorch  # {evil}\n#{evil}\n",
        "loop.txt": "-r good.txt\n",
    }
    for name, text in texts.items():
        (folder / name).write_text(text.format(**lab))
    (folder / "encoded.txt").write_bytes(("tool @ file://%s/tool.whl\n" % lab["evil"]).encode("utf-16"))
    monkeypatch.setenv("EVIL", lab["evil"])
    return lab


@pytest.mark.parametrize("line", BAD_LINES)
def test_no_line_for_pip_that_leads_to_mallory(code, user_error, nested, line):
    with pytest.raises(user_error) as caught:
        code("_source.pip").require_trusted_pip([line.format(**nested)])
    assert "\n" not in str(caught.value) and caught.value.remedy


@pytest.mark.parametrize("line", GOOD_LINES)
def test_every_line_for_pip_that_leads_to_root_or_the_network(code, nested, line):
    code("_source.pip").require_trusted_pip([line.format(**nested)])


BAD_SETTINGS = [
    ("PIP_FIND_LINKS", "{evil}"),
    ("PIP_FIND_LINKS", "https://host.example.org/wheels {evil}"),
    ("PIP_INDEX_URL", "file://{evil}/simple"),
    ("PIP_EXTRA_INDEX_URL", "FILE:{evil}"),
    ("PIP_CONSTRAINT", "{evil}/requirements.txt"),
    ("PIP_CONSTRAINT", "./constraints.txt"),
    ("PIP_CACHE_DIR", "{evil}"),
    ("PIP_CERT", "{evil}/ca.pem"),
    ("PIP_CONFIG_FILE", "{evil}/pip.conf"),
    ("XDG_CONFIG_HOME", "{evil}"),
    ("XDG_CONFIG_DIRS", "/etc/xdg:{evil}"),
    ("HOME", "{evil}"),
]


@pytest.mark.parametrize("name, value", BAD_SETTINGS)
def test_no_setting_of_pip_that_leads_to_mallory(code, user_error, lab, monkeypatch, mallory, name, value):
    for path in ("pip.conf", "pip/pip.conf", ".pip/pip.conf"):
        config = pathlib.Path(lab["evil"], path)
        config.parent.mkdir(exist_ok=True)
        config.write_text("[global]\n")
        os.chown(config, mallory.uid, mallory.gid)
    if name == "HOME":
        monkeypatch.setenv(name, value.format(**lab))
    with pytest.raises(user_error):
        code("_source.pip").require_trusted_pip_settings({name: value.format(**lab)})


@pytest.mark.parametrize(
    "text, good",
    [
        ("[global]\nindex-url = https://index.example.org/simple\ntimeout = 60\n", True),
        ("[global]\ncert = {place}/ca.pem\ntrusted-host = a:80\n    b\n", True),
        ("[install]\nfind-links =\n    {safe}\n    https://host.example.org/wheels\n", True),
        ("[global]\nfind-links = {evil}\n", False),
        ("[install]\nfind-links =\n    {safe}\n    {evil}\n", False),
        ("[global]\nextra-index-url = file://{evil}\n", False),
        ("[install]\nconstraint = constraints/all.txt\n", False),
    ],
)
def test_a_configuration_of_roots_for_pip(code, user_error, lab, text, good):
    config = pathlib.Path(lab["place"], "pip.conf")
    config.write_text(text.format(**lab))
    try:
        code("_source.pip").require_trusted_pip_settings({"PIP_CONFIG_FILE": str(config), "PIP_TIMEOUT": "3"})
    except user_error:
        assert not good
    else:
        assert good


# --- whole modules -----------------------------------------------------------------------------------------------


@pytest.fixture
def env(lab: dict[str, str]) -> dict[str, t.Any]:
    """conda_env's options for a small env of root's."""
    return {
        "prefix": lab["place"] + "/app/env",
        "packages": ["app"],
        "channels": ["file://" + lab["safe"]],
        "package_cache": lab["place"] + "/pkgs",
        "executable": sys.executable,
        "register_envs": False,
    }


@pytest.fixture
def root_home(place: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The module's own home is root's."""
    monkeypatch.chdir(place)


BAD_OPTIONS = [
    {"channels": ["FILE:{evil}"]},
    {"channels": ["{half}"]},
    {"channels": ["~/../scratch/evil"]},
    {"packages": ["{evil}::app"]},
    {"packages": ["app[url='file://{evil}/linux-64/app-1.0-0.tar.bz2']"]},
    {"packages": ["file://{evil}/linux-64/app-1.0-0.tar.bz2"]},
    {"pip": ["--find-l {evil}"]},
    {"pip": ["tool @ git+file://{evil}"]},
]


@pytest.mark.parametrize("options", BAD_OPTIONS, ids=str)
def test_conda_env_takes_nothing_of_mallorys(refused, lab, env, root_home, options):
    given = {key: [text.format(**lab) for text in value] for key, value in options.items()}
    refused("conda_env", **{**env, **given})
    assert not os.path.exists(env["prefix"])


@pytest.mark.parametrize(
    "channel", ["{safe}", "FILE:{safe}", "file://localhost{safe}", "{good}", "{place}/with blank/../safe"]
)
def test_conda_env_takes_what_is_roots(as_root, lab, env, root_home, channel):
    if " " in channel:
        channel = channel.replace(" ", "%20")
        channel = "file://" + channel
    result = as_root("conda_env", **{**env, "channels": [channel.format(**lab)]})
    assert result["changed"], result


def test_a_package_of_mallorys_in_a_channel_of_roots_is_not_taken(refused, lab, env, root_home, mallory):
    os.chown(lab["safe"] + "/linux-64/app-1.0-0.tar.bz2", mallory.uid, mallory.gid)
    assert "a package at" in refused("conda_env", **env)
    assert not os.path.exists(env["prefix"])


@pytest.fixture
def web() -> t.Iterator[t.Callable[[str], str]]:
    servers = []

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    def serve(folder: str) -> str:
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=folder))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return "http://127.0.0.1:%d" % server.server_port

    yield serve
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize("target", ["{evil}", "{safe}"])
@pytest.mark.parametrize("module", ["conda_env", "conda_channel"])
def test_a_channel_on_the_network_leads_to_no_file(refused, lab, env, root_home, web, module, target):
    """Its index says that the packages are in a folder of this machine (CEP 15)."""
    folder = pathlib.Path(lab["place"], "web")
    for subdir in ("noarch", "linux-64"):
        (folder / subdir).mkdir(parents=True)
        content = json.loads(pathlib.Path(lab["safe"], subdir, "repodata.json").read_text())
        content["info"]["base_url"] = "file://%s/%s/" % (target.format(**lab), subdir)
        content["repodata_version"] = 2
        (folder / subdir / "repodata.json").write_text(json.dumps(content))
    if module == "conda_env":
        message = refused(module, **{**env, "channels": [web(str(folder))]})
    else:
        message = refused(
            module,
            path=lab["place"] + "/published",
            packages=["app"],
            upstream=[web(str(folder))],
            executable=sys.executable,
        )
    assert "a file of this machine" in message or "in a channel at http:" in message, message
    assert not os.path.exists(env["prefix"])


BAD_CHANNEL_OPTIONS = [
    {"upstream": ["{evil}"], "packages": ["app"]},
    {"upstream": ["file://{escaped}"], "packages": ["app"]},
    {"upstream": ["{half}"], "packages": ["app"]},
    {"upstream": ["file://localhost{evil}"], "packages": ["app"]},
    {"upstream": ["file://{safe}/../scratch/evil"], "packages": ["app"]},
    {"upstream": ["{safe}"], "packages": ["{evil}::app"]},
    {"upstream": ["{safe}"], "packages": ["app[channel='{evil}']"]},
    {"upstream": ["{safe}"], "packages": ["{evil}/linux-64/app-1.0-0.tar.bz2"]},
    {"wheels": ["{evil}/tool-1.0-py3-none-any.whl"], "python": ["/usr/bin/python3"]},
    {"wheels": ["{link}/tool-1.0-py3-none-any.whl"], "python": ["/usr/bin/python3"]},
    {"wheels": ["tool"], "wheel_find_links": ["{evil}"], "python": ["/usr/bin/python3"]},
    {"wheels": ["tool"], "wheel_find_links": ["file://{escaped}"], "python": ["/usr/bin/python3"]},
    {"wheels": ["tool"], "wheel_find_links": ["file://localhost{evil}"], "python": ["/usr/bin/python3"]},
    {"wheels": ["tool"], "wheel_index": "file://{evil}/simple", "python": ["/usr/bin/python3"]},
    {"wheels": ["tool"], "wheel_index": "file://{safe}/../scratch/evil", "python": ["/usr/bin/python3"]},
    {"wheels": ["tool"], "cpu_index": "file://{evil}/simple", "python": ["/usr/bin/python3"]},
]


@pytest.mark.parametrize("options", BAD_CHANNEL_OPTIONS, ids=str)
def test_conda_channel_takes_nothing_of_mallorys(refused, lab, root_home, options):
    given = {
        key: [text.format(**lab) for text in value] if isinstance(value, list) else str(value).format(**lab)
        for key, value in options.items()
    }
    path = lab["place"] + "/published"
    message = refused("conda_channel", path=path, executable=sys.executable, **given)
    assert "belongs to uid" in message or "has mode" in message, message
    assert not os.path.exists(path)


def test_conda_channel_takes_what_is_roots(as_root, lab, root_home):
    result = as_root(
        "conda_channel",
        path=lab["place"] + "/published",
        executable=sys.executable,
        packages=["app"],
        upstream=["file://" + lab["good"]],
    )
    assert result["changed"], result


@pytest.mark.parametrize(
    "src", ["{evil}/app.sh", "file://{evil}/app.sh", "FILE://{escaped}/app.sh", "{safe}/../scratch/evil/app.sh"]
)
def test_conda_installer_takes_nothing_of_mallorys(refused, lab, root_home, mallory, src):
    path = pathlib.Path(lab["evil"], "app.sh")
    path.write_text("#!/bin/sh\n")
    os.chown(path, mallory.uid, mallory.gid)
    message = refused(
        "conda_installer",
        prefix=lab["place"] + "/base",
        src=src.format(**lab),
        sha256="0" * 64,
        cache=lab["place"] + "/cache",
    )
    assert "belongs to uid" in message, message
