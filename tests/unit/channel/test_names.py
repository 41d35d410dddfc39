"""A wheel's metadata in conda's words."""

from __future__ import annotations

import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._channel.wheels import names
from ansible_collections.hpc.pytorch.plugins.module_utils._channel.wheels.names import Wheel
from ansible_collections.hpc.pytorch.plugins.module_utils._common.errors import UserError

MARKERS = {
    "implementation_name": "cpython",
    "implementation_version": "3.11.2",
    "os_name": "posix",
    "platform_machine": "x86_64",
    "platform_python_implementation": "CPython",
    "platform_release": "",
    "platform_system": "Linux",
    "platform_version": "",
    "python_full_version": "3.11.2",
    "python_version": "3.11",
    "sys_platform": "linux",
}


def wheel(
    name: str, version: str = "1.0", requires: tuple[str, ...] = (), extras: tuple[str, ...] = (), tag: str = "any"
) -> Wheel:
    return Wheel(name, version, "%s-%s-py3-none-%s.whl" % (name, version, tag), "file:///x", "0" * 64, requires, extras)


def depends(first: Wheel, *others: Wheel) -> list[str]:
    chosen = {item.name: item for item in (first, *others)}
    return names.conda_depends(first, MARKERS, chosen)


@pytest.mark.parametrize(
    ("project", "expected"),
    [
        ("torch", "pytorch"),
        ("Typing_Extensions", "typing_extensions"),
        ("MarkupSafe", "markupsafe"),
        ("zope.interface", "zope-interface"),
        ("ruamel..yaml", "ruamel-yaml"),
    ],
)
def test_conda_name(project: str, expected: str) -> None:
    assert names.conda_name(project) == expected


def test_conda_name_of_the_caller_wins() -> None:
    assert names.conda_name("torch", {"Torch": "pytorch-own"}) == "pytorch-own"


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ("2.13.0+cpu", "2.13.0+cpu"),
        ("1.0-rc1", "1.0rc1"),
        ("1!2.0", "1!2.0"),
        ("1.0.post1", "1.0.post1"),
        ("V1.0", "1.0"),
    ],
)
def test_conda_version(version: str, expected: str) -> None:
    assert names.conda_version(version) == expected


@pytest.mark.parametrize(
    ("specifiers", "chosen", "expected"),
    [
        ("", None, ""),
        (">=1.2,<2", "1.5", "<2,>=1.2"),
        ("==1.*", "1.5", "1.*"),
        ("!=1.5.*,>1", "2.0", "!=1.5.*,>1"),
        ("~=1.4.2", "1.4.9", ">=1.4.2,1.4.*"),
        ("===1.0", "1.0", "==1.0"),
        ("==2.13.0", "2.13.0", "==2.13.0"),
        ("==2.13.0", "2.13.0+cpu", "==2.13.0|==2.13.0+cpu"),
        ("<=2.13.0", "2.13.0+cpu", "<=2.13.0|==2.13.0+cpu"),
        (">=2", "2.13.0+cpu", ">=2"),
        ("==2.13.0+cpu", "2.13.0+cpu", "==2.13.0+cpu"),
    ],
)
def test_conda_constraint(specifiers: str, chosen: str | None, expected: str) -> None:
    assert names.conda_constraint(specifiers, chosen) == expected


def test_conda_constraint_means_the_same_to_the_solver() -> None:
    import rattler

    for specifiers, chosen, good, bad in (
        ("==2.13.0", "2.13.0+cpu", "2.13.0+cpu", "2.13.0.1"),
        ("<=2.13.0", "2.13.0+cpu", "2.13.0+cpu", "2.13.1"),
        ("~=1.4.2", "1.4.9", "1.4.9", "1.5.0"),
        ("==1.*", "1.5", "1.5", "2.0"),
        ("!=1.5.*,>1", "2.0", "2.0", "1.5.3"),
    ):
        spec = rattler.MatchSpec("x " + names.conda_constraint(specifiers, chosen))
        for version, expected in ((good, True), (bad, False)):
            record = rattler.PackageRecord("x", version, rattler.package.BuildString("0"), 0, "linux-64", None, None)
            assert spec.matches(record) is expected, (str(spec), version)


def test_markers_are_those_of_the_channels_python() -> None:
    first = wheel(
        "a",
        "1.0",
        (
            "b>=1",
            "win; sys_platform == 'win32'",
            "old; python_version < '3.11'",
            "new (>=2) ; python_version >= '3.11'",
        ),
    )
    assert depends(first) == ["b >=1", "new >=2", "python >=3.11,<3.12.0a0"]


def test_extras_of_a_dependency_come_along() -> None:
    first = wheel("a", "1.0", ("b[x]",))
    second = wheel("b", "1.0", ("c[y]>=3; extra == 'x'", "d; extra == 'z'", "e"))
    third = wheel("c", "3.1", ("f; extra == 'y'",))
    assert depends(first, second, third) == ["b", "c >=3", "f", "python >=3.11,<3.12.0a0"]


def test_extras_that_were_asked_for_belong_to_the_package() -> None:
    assert "d" in depends(wheel("b", "1.0", ("d; extra == 'z'",), extras=("z",)))
    assert "d" not in depends(wheel("b", "1.0", ("d; extra == 'z'",)))


def test_a_project_that_asks_for_its_own_extra() -> None:
    first = wheel("a", "1.0", ("a[x]; extra == 'all'", "c; extra == 'x'"), extras=("all",))
    assert depends(first) == ["c", "python >=3.11,<3.12.0a0"]


def test_alternatives_do_not_swallow_other_constraints() -> None:
    first = wheel("a", "1.0", ("torch==2.13.0", "torch>=2; extra == 'x'"), extras=("x",))
    assert set(depends(first, wheel("torch", "2.13.0+cpu"))) == {
        "python >=3.11,<3.12.0a0",
        "pytorch ==2.13.0|==2.13.0+cpu",
        "pytorch >=2",
    }


@pytest.mark.parametrize(
    ("tag", "expected"),
    [
        ("manylinux_2_28_x86_64", (2, 28)),
        ("manylinux2014_x86_64.manylinux_2_17_x86_64.manylinux_2_28_x86_64", (2, 17)),
        ("manylinux1_x86_64", (2, 5)),
        ("linux_x86_64", None),
        ("any", None),
    ],
)
def test_glibc(tag: str, expected: tuple[int, int] | None) -> None:
    assert names.glibc_of_tags("a-1.0-cp311-cp311-%s.whl" % tag) == expected


def test_glibc_becomes_a_dependency() -> None:
    assert "__glibc >=2.28" in depends(wheel("a", tag="manylinux_2_28_x86_64"))


def test_entry_points() -> None:
    text = "[console_scripts]\nrun = pkg.mod:main\ncased-Name = pkg:Class.method [extra]\n"
    text += "[gui_scripts]\nwin=pkg:win\n[other]\nx = y\n"
    assert names.entry_point_scripts(text) == {
        "run": ("pkg.mod", "main"),
        "cased-Name": ("pkg", "Class.method"),
        "win": ("pkg", "win"),
    }


@pytest.mark.parametrize(
    "line", ["../evil = a:b", "x y = a:b", "ok = a:b();import os", "ok = a b:c", "ok = os:", ".. = a:b"]
)
def test_hostile_entry_points_are_refused(line: str) -> None:
    with pytest.raises(UserError, match="entry points"):
        names.entry_point_scripts("[console_scripts]\n%s\n" % line)


def test_entry_point_script_runs_a_nested_attribute() -> None:
    script = names.entry_point_script("/p/bin/python", "pkg", "Class.method")
    assert (
        script.startswith("#!/p/bin/python\n")
        and "from pkg import Class\n" in script
        and "sys.exit(Class.method())" in script
    )
    compile(script, "script", "exec")
