"""Which of pip's distributions a request leads to, and how they are installed again. See also tests/site/conda."""

from __future__ import annotations

import base64
import hashlib
import json
import pathlib

import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._conda.env.pip_records import (
    Distribution,
    damaged_distributions,
    has_distribution,
    installed_versions,
    is_satisfied,
    lines_for,
    repairable,
    required_name,
)


def install(
    prefix: pathlib.Path, name: str, version: str = "1.0", requires: tuple[str, ...] = (), requested: bool = False
) -> pathlib.Path:
    """As pip leaves a distribution with one module; returns its dist-info."""
    folder = prefix / "lib/python3.11/site-packages"
    dist_info = folder / ("%s-%s.dist-info" % (name, version))
    dist_info.mkdir(parents=True)
    (prefix / "conda-meta").mkdir(exist_ok=True)
    (folder / (name + ".py")).write_text("x = 1\n")
    digest = base64.urlsafe_b64encode(hashlib.sha256(b"x = 1\n").digest()).rstrip(b"=").decode()
    lines = ["Metadata-Version: 2.1", "Name: " + name, "Version: " + version] + [
        "Requires-Dist: " + each for each in requires
    ]
    (dist_info / "METADATA").write_text("\n".join(lines) + "\n")
    (dist_info / "RECORD").write_text(
        "%s.py,sha256=%s,6\n%s/INSTALLER,,\n%s/RECORD,,\n" % (name, digest, dist_info.name, dist_info.name)
    )
    (dist_info / "INSTALLER").write_text("pip\n")
    if requested:
        (dist_info / "REQUESTED").write_text("")
    return dist_info


@pytest.mark.parametrize(
    "requirement, satisfied",
    [
        ("tiny-tool", True),
        ("Tiny.Tool==1.0", True),
        ("tiny_tool == 1.0 ", True),
        ("tiny-tool==1.1", False),
        ("other", False),
        # Only pip can tell.
        ("tiny-tool>=1.0", False),
        ("tiny-tool[extra]", False),
        ("tiny-tool==1.0; python_version>'3'", False),
        ("tiny-tool @ https://host/tiny_tool.whl", False),
        ("./wheels/tiny_tool.whl", False),
        ("git+https://host/tiny-tool", False),
    ],
)
def test_which_requirements_are_satisfied_without_a_word_from_pip(tmp_path, requirement, satisfied):
    install(tmp_path, "Tiny_Tool")
    assert is_satisfied(requirement, installed_versions(str(tmp_path))) is satisfied


def test_a_distribution_is_there_once_its_installer_has_finished(tmp_path):
    (tmp_path / "lib/python3.11/site-packages/other-1.0.dist-info").mkdir(parents=True)
    (tmp_path / "conda-meta").mkdir()
    assert not has_distribution(str(tmp_path), "pip")
    dist_info = install(tmp_path, "pip")
    assert has_distribution(str(tmp_path), "pip")
    # pip was killed while it installed itself.
    (dist_info / "INSTALLER").unlink()
    assert not has_distribution(str(tmp_path), "pip")
    record = {"name": "pip", "version": "1.0", "build": "0", "build_number": 0, "channel": "c", "files": []}
    (tmp_path / "conda-meta/pip-1.0-0.json").write_text(json.dumps(record))
    assert has_distribution(str(tmp_path), "pip") and not has_distribution(str(tmp_path), "setuptools")


def test_what_leaves_with_its_package_is_left_out(tmp_path):
    dist_info = install(tmp_path, "Tiny_Tool")
    record = {"name": "pkg", "files": [str((dist_info / "RECORD").relative_to(tmp_path))]}
    (tmp_path / "conda-meta/pkg-1.0-0.json").write_text(json.dumps(record))
    assert installed_versions(str(tmp_path), without={"other"}) == {"tiny-tool": "1.0"}
    assert installed_versions(str(tmp_path), without={"pkg"}) == {}


@pytest.mark.parametrize("harm", ["change", "delete", "no RECORD", "no INSTALLER", "no last RECORD"])
def test_what_is_damaged(tmp_path, harm):
    dist_info = install(tmp_path, "Tiny_Tool")
    assert damaged_distributions(str(tmp_path)) == [] and installed_versions(str(tmp_path)).keys() == {"tiny-tool"}
    if harm == "change":
        (dist_info.parent / "Tiny_Tool.py").write_text("x = 2\n")
    elif harm == "delete":
        (dist_info.parent / "Tiny_Tool.py").unlink()
    elif harm == "no last RECORD":
        record = dist_info / "RECORD"
        record.write_text("".join(line for line in record.read_text().splitlines(True) if "INSTALLER" not in line))
    else:
        (dist_info / harm.split()[1]).unlink()
    expected = Distribution("tiny-tool", "1.0", str(dist_info), finished=not harm.startswith("no"))
    assert damaged_distributions(str(tmp_path)) == [expected]


def test_a_request_leads_to_what_it_names_and_to_what_that_needs(tmp_path):
    install(tmp_path, "wanted", requires=("needed>=1; python_version>'3'", "absent"))
    install(tmp_path, "needed")
    install(tmp_path, "mine", requested=True)
    damaged = [Distribution(name, "1.0", "/", True) for name in ("mine", "needed", "wanted")]
    damaged.append(Distribution("half", "1.0", "/", False))
    assert [each.name for each in repairable(damaged, ["--no-index", "wanted==1.0"], str(tmp_path))] == [
        "needed",
        "wanted",
        "half",
    ]
    # A file may name anything: then what was asked for by itself counts.
    assert [each.name for each in repairable(damaged, ["-r /r.txt"], str(tmp_path))] == ["mine", "half"]


def test_a_repair_changes_no_version_and_keeps_hashes_and_places():
    damaged = [Distribution(name, "1.0", "/", True) for name in ("pinned", "loose", "direct", "dependency")]
    lines = [
        "--index-url https://i",
        "pinned==1.0 --hash=sha256:00",
        "loose>=1",
        "direct @ https://h/direct.whl",
        "-e /src",
    ]
    assert lines_for(damaged, lines) == [
        "--index-url https://i",
        "pinned==1.0 --hash=sha256:00",
        "loose==1.0",
        "direct @ https://h/direct.whl",
        "dependency==1.0",
    ]


@pytest.mark.parametrize(
    "line, name",
    [
        ("Tiny_Tool[extra]>=1 ; python_version > '3'", "tiny-tool"),
        ("tiny @ https://h/tiny.whl", "tiny"),
        ("https://h/tiny.whl", ""),
        ("git+https://h/tiny", ""),
        ("/wheels/tiny.whl", ""),
        ("wheels/tiny.whl", ""),
        ("tiny-1.0-py3-none-any.whl", ""),
        ("-e /src", ""),
    ],
)
def test_the_name_in_a_requirement(line, name):
    assert required_name(line) == name
