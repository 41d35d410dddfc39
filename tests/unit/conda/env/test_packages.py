from __future__ import annotations

from ansible_collections.hpc.pytorch.plugins.module_utils._conda.env.dependencies import unrelated_names
from ansible_collections.hpc.pytorch.plugins.module_utils._conda.env.history import append_history
from ansible_collections.hpc.pytorch.plugins.module_utils._conda.env.packages import (
    Package,
    actions_between,
    diff_between,
)


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
