from __future__ import annotations

import json

from ansible_collections.hpc.pytorch.plugins.module_utils._conda.env.dependencies import unrelated_names
from ansible_collections.hpc.pytorch.plugins.module_utils._conda.env.history import append_history
from ansible_collections.hpc.pytorch.plugins.module_utils._conda.env.packages import (
    Package,
    actions_between,
    diff_between,
)
from ansible_collections.hpc.pytorch.plugins.module_utils._conda.env.records import make_readable_records


def package(name, version="1", build="0", channel="c"):
    return Package(name, version, build, channel)


def test_each_kind_of_action():
    before = [package("gone"), package("same"), package("up"), package("hurt")]
    after = [package("same", channel="other spelling"), package("up", "2"), package("hurt"), package("new")]
    found = {
        action["name"]: (action["action"], action["from"], action["to"])
        for action in actions_between(before, after, {"hurt"})
    }
    assert found == {
        "gone": ("remove", "1 0", None),
        "up": ("change", "1 0", "2 0"),
        "hurt": ("reinstall", "1 0", "1 0"),
        "new": ("install", None, "1 0"),
    }


def test_diff_is_the_package_list():
    diff = diff_between([package("b"), package("a")], [package("a", "2")], "/e")
    assert (diff["before"], diff["after"]) == ("a 1 0\nb 1 0\n", "a 2 0\n")


def test_what_the_request_does_not_lead_to_is_the_users_own():
    depends = {"app": {"liba"}, "liba": set(), "extra": {"dep", "liba"}, "dep": {"extra"}}
    assert unrelated_names(depends, ["app"]) == ["dep", "extra"]
    assert unrelated_names(depends, ["app", "extra"]) == []


def test_history_names_packages_as_conda_does(tmp_path):
    (tmp_path / "conda-meta").mkdir()
    urls = ("https://conda.anaconda.org/conda-forge/noarch/a-1-0.conda", "https://site/chan/linux-64/b-1-0.conda")
    packages = [Package(name, "1", "0", "", url) for name, url in zip("ab", urls)]
    append_history(str(tmp_path), [], packages, ["a"])
    lines = (tmp_path / "conda-meta/history").read_text().splitlines()
    assert "+conda-forge/noarch::a-1-0" in lines and "+https://site/chan/linux-64::b-1-0" in lines


def test_history_gets_no_empty_revision(tmp_path):
    """As when only pip acted."""
    (tmp_path / "conda-meta").mkdir()
    packages = [package("a")]
    append_history(str(tmp_path), [], packages, ["a"])
    once = (tmp_path / "conda-meta/history").read_text()
    append_history(str(tmp_path), packages, packages, ["a"])
    assert (tmp_path / "conda-meta/history").read_text() == once
    append_history(str(tmp_path), packages, packages, ["a", "b"])
    added = (tmp_path / "conda-meta/history").read_text()[len(once) :]
    assert added.count("==>") == 1 and '# update specs: ["a", "b"]' in added


def test_records_have_no_hash_of_a_link(tmp_path):
    """rattler records that of the link's text, conda doctor checks that of the file behind it."""
    (tmp_path / "conda-meta").mkdir()
    link = {"_path": "bin/python", "path_type": "softlink", "sha256": "a" * 64, "sha256_in_prefix": "b" * 64}
    last = {"_path": "bin/{x}", "sha256": "a" * 64, "path_type": "softlink", "sha256_in_prefix": "b" * 64}
    file = {"_path": "bin/softlink", "path_type": "hardlink", "sha256_in_prefix": "c" * 64, "size_in_bytes": 3}
    meta = {"name": "a", "paths_data": {"paths_version": 1, "paths": [link, file, last]}}
    for indent in (None, 2):
        path = tmp_path / "conda-meta/a-1-0.json"
        path.write_text(json.dumps(meta, indent=indent))
        make_readable_records(str(tmp_path))
        paths = json.loads(path.read_text())["paths_data"]["paths"]
        del link["sha256_in_prefix"], last["sha256_in_prefix"]
        assert paths == [link, file, last]
        link["sha256_in_prefix"] = last["sha256_in_prefix"] = "b" * 64
        before = path.stat().st_ino
        make_readable_records(str(tmp_path))
        assert path.stat().st_ino == before
