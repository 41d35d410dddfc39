# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules of the house (CONTRIBUTING.md) that no linter knows."""

from __future__ import annotations

import ast
import functools
import importlib.util
import pathlib
import re
import subprocess
import sys
import tarfile

import pytest
import yaml
from ansible.parsing.plugin_docs import read_docstring
from ansible.plugins.loader import fragment_loader
from ansible.utils.plugin_docs import add_fragments

CHECKOUT = pathlib.Path(__file__).resolve().parents[3]
HEADER = "# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)"


@functools.lru_cache(maxsize=None)
def sources():
    """What git knows or would take up, as paths relative to the checkout."""
    listing = subprocess.run(
        ["git", "-c", "safe.directory=%s" % CHECKOUT, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=CHECKOUT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    names = [name for name in listing.split("\0") if name and not name.startswith(".collections/")]
    return sorted(name for name in set(names) if (CHECKOUT / name).is_file())


def read(name):
    return (CHECKOUT / name).read_text(encoding="utf-8")


def load(name):
    return yaml.safe_load(read(name))


def found(pattern):
    return sorted(name for name in sources() if pathlib.PurePath(name).match(pattern))


MODULES = [pathlib.PurePath(name).stem for name in found("plugins/modules/*.py")]
ROLES = sorted({pathlib.PurePath(name).parts[1] for name in sources() if name.startswith("roles/")})
ON_THE_TARGET = [name for name in sources() if re.match(r"plugins/(modules|module_utils)/.*\.py$", name)]


# --- modules and plugins -----------------------------------------------------------------------------------------


def test_the_action_group_holds_every_module_and_nothing_else():
    assert load("meta/runtime.yml")["action_groups"]["all"] == MODULES


@pytest.mark.parametrize("name", MODULES)
def test_a_module_says_what_it_is_and_which_modes_it_knows(name):
    path = CHECKOUT / "plugins" / "modules" / (name + ".py")
    assert path.read_text(encoding="utf-8").startswith("#!/usr/bin/python\n")
    documentation = read_docstring(str(path), verbose=False, ignore_errors=False)
    assert documentation["plainexamples"].strip()
    assert documentation["returndocs"]
    doc = documentation["doc"]
    add_fragments(doc, str(path), fragment_loader=fragment_loader, is_module=True)
    assert doc["module"] == name
    assert doc["version_added"]
    attributes = doc["attributes"]
    for attribute in ("check_mode", "diff_mode"):
        assert attributes[attribute]["support"] in ("full", "partial", "none", "N/A")
    assert attributes["action_group"]["membership"] == ["hpc.pytorch.all"]
    if name.endswith("_info"):
        assert attributes["check_mode"]["support"] == "full"
    if "runs on the controller, in its action plugin" in path.read_text(encoding="utf-8"):
        assert attributes["action"]["support"] == "full"


@pytest.mark.parametrize("name", found("plugins/action/*.py"))
def test_an_action_plugin_stands_before_a_module_of_its_name(name):
    assert pathlib.PurePath(name).stem in MODULES


@pytest.mark.parametrize("name", ON_THE_TARGET)
def test_code_for_the_target_is_python_3_8(name):
    tree = ast.parse(read(name), filename=name, feature_version=(3, 8))
    body = [node for node in tree.body if not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))]
    if not (body and isinstance(body[0], ast.ImportFrom) and body[0].module == "__future__"):
        # A program that a still older Python runs (the probe of an env) goes without.
        annotated = [
            node for node in ast.walk(tree) if getattr(node, "annotation", None) or getattr(node, "returns", None)
        ]
        assert annotated == [], "these annotations would be evaluated"
    imported = set()
    for node in tree.body:
        if isinstance(node, ast.Import):
            imported.update(alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            imported.add(node.module.partition(".")[0])
    # Those are there on the engine's side alone, and imported inside functions.
    assert not imported & {"rattler", "conda_package_streaming", "yaml", "requests"}


@pytest.mark.parametrize("name", [name for name in sources() if re.match(r"(plugins|tools)/.*\.(py|sh)$", name)])
def test_every_program_carries_its_licence(name):
    assert HEADER in "\n".join(read(name).splitlines()[:10]) or not read(name).strip()


# --- roles -------------------------------------------------------------------------------------------------------


def specs(role):
    return load("roles/%s/meta/argument_specs.yml" % role)["argument_specs"]


@pytest.mark.parametrize("role", ROLES)
def test_a_role_is_complete(role):
    for name in ("README.md", "meta/main.yml", "meta/argument_specs.yml", "defaults/main.yml", "tasks/main.yml"):
        assert "roles/%s/%s" % (role, name) in sources()
    for entry in specs(role):
        assert "roles/%s/tasks/%s.yml" % (role, entry) in sources()
        assert specs(role)[entry]["short_description"]
    assert "main" in specs(role)


def entry_points_in_use():
    """Every role of ours with tasks_from in a playbook, a role, a test or a README."""
    pattern = re.compile(r"name: (?:hpc\.pytorch\.)(\w+)\n\s+tasks_from: (\w+)")
    for name in sources():
        if name.endswith((".yml", ".md")):
            for role, entry in pattern.findall(read(name)):
                yield name, role, entry.replace(".yml", "")


def test_an_entry_point_that_is_used_is_declared():
    assert [use for use in entry_points_in_use() if use[2] not in specs(use[1])] == []


@pytest.mark.parametrize("role", ROLES)
def test_defaults_and_argument_specs_agree(role):
    defaults = load("roles/%s/defaults/main.yml" % role) or {}
    options = {}
    for entry in specs(role).values():
        options.update(entry.get("options", {}))
    assert sorted(name for name in defaults if not name.startswith("__") and name not in options) == []
    differing = {
        name: (value, options[name]["default"])
        for name, value in defaults.items()
        if "default" in options.get(name, {}) and "{{" not in str(value) and value != options[name]["default"]
    }
    assert differing == {}


@pytest.mark.parametrize("role", ROLES)
def test_a_readme_names_every_variable_of_its_role(role):
    text = read("roles/%s/README.md" % role)
    options = {name for entry in specs(role).values() for name in entry.get("options", {})}
    assert sorted(name for name in options if name not in text) == []


# --- one place for each fact --------------------------------------------------------------------------------------


def generator(name):
    spec = importlib.util.spec_from_file_location("generators_" + name, CHECKOUT / "tools/generators" / (name + ".py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_range_of_pythons_is_written_by_its_generator():
    named = {path for path, _phrase in generator("pythons").PLACES}
    span = re.compile(r"3\.\d+\)? to (C\()?(python)?3\.\d+")
    others = [
        name
        for name in sources()
        if not name.startswith(("tests/", "changelogs/", "tools/generators/")) and name not in named
    ]
    assert [name for name in others if name.endswith((".md", ".py", ".yml", ".sh")) and span.search(read(name))] == []


def test_a_new_python_reaches_every_place(monkeypatch):
    pythons = generator("pythons")
    truth = {
        name: re.sub(r"\d+$", lambda minor: str(int(minor.group()) + 1), version)
        for name, version in pythons.read_truth().items()
    }
    monkeypatch.setattr(pythons, "read_truth", lambda: truth)
    written = pythons.outputs(read, None)
    assert set(written) == {path for path, _phrase in pythons.PLACES} | {pythons.ENGINE_CODE}
    assert [path for path, text in written.items() if text == read(path)] == []
    assert '"%s"' % truth["ENGINE_NEWEST"] in written[pythons.ENGINE_CODE]


def test_the_lowest_ansible_core_is_the_one_that_is_tested():
    (tested,) = re.findall(r"^ansible-core==(\d+\.\d+)\.", read("requirements/controller.txt"), re.MULTILINE)
    assert load("meta/runtime.yml")["requires_ansible"] == ">=%s.0" % tested
    for role in ROLES:
        assert load("roles/%s/meta/main.yml" % role)["galaxy_info"]["min_ansible_version"] == tested
    for name in sources():
        if name.endswith((".md", ".sh", ".py")) and not name.startswith("tests/unit/"):
            assert set(re.findall(r"ansible-core (\d+\.\d+)\b", read(name))) <= {tested}, name


def test_the_readme_names_everything_that_is_public():
    """Modules and plugins have generated tables."""
    text = read("README.md")
    links = ["roles/" + role for role in ROLES] + found("playbooks/*.yml") + found("docs/*.md")
    links += sorted(
        {
            "inventories/" + pathlib.PurePath(name).parts[1]
            for name in sources()
            if re.match("inventories/.*/README.md", name)
        }
    )
    assert [link for link in links if "](%s)" % link not in text] == []
    assert [name for name in MODULES if "`%s`" % name not in text] == []


# --- playbooks, files, words -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [name for name in sources() if name.endswith((".yml", ".yaml"))])
def test_yaml_tells_nothing_to_look_away(name):
    weak = re.compile(r"that: *(true|\[ *true *\])$|ignore_errors: *(true|yes)|failed_when: *false", re.MULTILINE)
    assert [match.group() for match in weak.finditer(read(name))] == []


@pytest.mark.parametrize("name", [name for name in sources() if re.match(r"tests/.*\.py$", name)])
def test_a_test_is_neither_skipped_nor_expected_to_fail(name):
    # Classes of one letter, so that this line does not hold what it looks for.
    weak = re.compile(r"pytest[.]([s]kip|[i]mportorskip)\(|mark[.]([s]kip|[x]fail)|assert [T]rue\b")
    assert [match.group() for match in weak.finditer(read(name))] == []


def test_no_file_names_a_package_registrys_host_or_a_builders_machine():
    forbidden = re.compile(
        "|".join(
            (
                "py" + r"pi\.org",
                "python" + r"hosted\.org",
                "deb" + r"\.debian\.org",
                "registry" + r"\.npmjs",
                r"(?<![\w.])/wo" + r"rk/(main|shared|steering)",
                "/root/" + r"\.(pyenv|cache)",
                "/tmp/" + "exp/",
            )
        )
    )
    lines = []
    for name in sources():
        for number, line in enumerate((CHECKOUT / name).read_text(encoding="utf-8", errors="replace").splitlines(), 1):
            if forbidden.search(line):
                lines.append("%s:%d: %s" % (name, number, line.strip()[:120]))
    assert lines == []


def test_every_golden_file_is_named_by_a_test():
    """Whole or by its stem; otherwise it is left over."""
    tests = "\n".join(read(name) for name in sources() if re.match(r"tests/.*\.py$", name))
    paths = [pathlib.PurePath(name) for name in sources() if name.startswith("tests/unit/golden/")]
    assert [
        path.name for path in paths if path.name not in tests and not re.search(r"\b%s\b" % re.escape(path.stem), tests)
    ] == []


def test_every_target_of_the_makefile_is_a_script_that_runs():
    makefile = read("Makefile")
    scripts = re.findall(r"^\t@(tools/\w+\.sh)", makefile, re.MULTILINE)
    assert scripts
    for name in scripts:
        assert (CHECKOUT / name).stat().st_mode & 0o111, name
    declared = re.search(r"^\.PHONY: (.*)$", makefile, re.MULTILINE).group(1).split()
    assert declared == re.findall(r"^(\w+): ##", makefile, re.MULTILINE)
    for target in re.findall(r"`make (\w+)", read("README.md") + read("CONTRIBUTING.md")):
        assert target in declared


def test_the_built_collection_holds_the_collection_alone(tmp_path):
    copy = tmp_path / "copy"
    for name in sources():
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        (copy / name).write_bytes((CHECKOUT / name).read_bytes())
    (copy / ".collections" / "ansible_collections").mkdir(parents=True)
    subprocess.run(
        [sys.executable, "-m", "ansible", "galaxy", "collection", "build", str(copy), "--output-path", str(tmp_path)],
        check=True,
        capture_output=True,
    )
    (built,) = tmp_path.glob("hpc-pytorch-*.tar.gz")
    with tarfile.open(built) as archive:
        top = {pathlib.PurePath(name).parts[0] for name in archive.getnames()}
    assert top <= {
        "SECURITY.md",
        "CHANGELOG.md",
        "CODE_OF_CONDUCT.md",
        "CONTRIBUTING.md",
        "FILES.json",
        "LICENSE",
        "MANIFEST.json",
        "README.md",
        "README.zh-CN.md",
        "changelogs",
        "docs",
        "inventories",
        "meta",
        "playbooks",
        "plugins",
        "roles",
        "site.yml",
    }
    assert {"LICENSE", "README.md", "inventories", "meta", "playbooks", "plugins", "roles"} <= top
