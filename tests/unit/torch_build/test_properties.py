"""What holds for every question. The answers are judged by the files themselves, not by the code that chose."""

from __future__ import annotations

import itertools

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.hpc.pytorch.plugins.filter.torch_build import torch_build
from ansible_collections.hpc.pytorch.plugins.plugin_utils._torch_build import choose, conflict, fit, load, model
from ansible_collections.hpc.pytorch.plugins.plugin_utils._torch_build.constraints import constraints
from ansible_collections.hpc.pytorch.plugins.plugin_utils._torch_build.gpus import capability
from hypothesis import HealthCheck, given, settings, strategies as st

TABLES = load.shipped()
NAMES = sorted({name for row in TABLES.gpus for name in row.names} | {"7.0", "8.6", "9.0", "6.2", "12.1", "2.0"})
RELEASES = sorted({build.torch for build in TABLES.builds})
# The same questions every time, so that a failure is one of the code.
COMMON = settings(
    max_examples=120, deadline=None, derandomize=True, database=None, suppress_health_check=[HealthCheck.too_slow]
)


def numbers(version):
    parts = [int(part) for part in version.split(".")]
    return tuple(parts + [0] * (4 - len(parts)))


@st.composite
def pins(draw):
    version = draw(st.sampled_from(RELEASES + ["9.9.9"]))
    return draw(
        st.sampled_from(
            [version, version.rsplit(".", 1)[0], version.rsplit(".", 1)[0] + ".*", version.split(".", maxsplit=1)[0]]
        )
    )


CHOICES = {
    "gpus": st.lists(st.sampled_from(NAMES), min_size=1, max_size=4, unique=True),
    "driver": st.one_of(
        st.sampled_from([row.min_driver for row in TABLES.toolkit_drivers]),
        st.builds("{}.{:02}".format, st.integers(340, 620), st.integers(0, 150)),
    ),
    "cuda": st.sampled_from(sorted({build.cuda for build in TABLES.builds} | {"12.2"})),
    "python": st.integers(5, 16).map("3.{}".format),
    "glibc": st.sampled_from(["2.12", "2.17", "2.26", "2.28", "2.34"]),
    "source": st.sampled_from(["pytorch", "conda-forge", "wheels"]),
    "torch": pins(),
}


@st.composite
def answerable(draw):
    """What one build meets, but for its GPUs; rows that must not be chosen come up often."""
    build = draw(st.sampled_from(TABLES.builds + tuple(build for build in TABLES.builds if build.known_bad) * 20))
    question = {
        "torch": build.torch,
        "cuda": build.cuda,
        "source": build.source,
        "python": draw(st.sampled_from([build.python_min, build.python_max])),
    }
    kept = draw(st.lists(st.sampled_from(sorted(question)), unique=True))
    gpus = draw(
        st.lists(
            st.sampled_from(["5.0", "5.2", "6.0", "6.1", "7.0", "7.5", "8.0", "8.6", "8.9", "9.0"]),
            max_size=2,
            unique=True,
        )
    )
    return {**{name: question[name] for name in kept}, **({"gpus": gpus} if gpus else {})}


QUESTIONS = st.one_of(st.fixed_dictionaries({}, optional=CHOICES), answerable())


def asked(question):
    """The answer and None, or None and the error's text."""
    try:
        return torch_build(question), None
    except AnsibleFilterError as error:
        return None, str(error)


def capability_of(raw, name):
    return next((row["capability"] for row in raw["gpus"]["gpus"] if name in row["names"]), name)


def row_of_architectures(raw, got, build):
    if "kernels" in build:
        return {"archs": build["kernels"], "ptx": build.get("ptx")}
    series = numbers(got["torch"])[:2]
    return next(
        row
        for row in raw["architectures"]["rows"]
        if row["source"] == got["source"]
        and got["cuda"] in row["cuda"]
        and numbers(row["torch"].split("-")[0])[:2] <= series <= numbers(row["torch"].split("-")[-1])[:2]
    )


def fact_of(rows, got):
    """The row about the build of an answer, or None."""
    series = numbers(got["torch"])[:2]
    return next(
        (
            row
            for row in rows
            if got["source"] in row["source"]
            and got["cuda"] in row.get("cuda", [got["cuda"]])
            and numbers(row["torch"].split("-")[0])[:2] <= series <= numbers(row["torch"].split("-")[-1])[:2]
        ),
        None,
    )


@COMMON
@given(question=QUESTIONS)
def test_the_answer_satisfies_everything_that_was_asked(raw, question):
    got, dummy = asked(question)
    if got is None:
        return
    release = next(row for row in raw["releases"]["releases"] if row["torch"] == got["torch"])
    build = next(row for row in release["builds"] if (row["source"], row["cuda"]) == (got["source"], got["cuda"]))
    assert "known_bad" not in build
    for name in ("cuda", "python", "source"):
        assert got[name] == question.get(name, got[name])
    if "torch" in question:
        assert (got["torch"] + ".").startswith(question["torch"].removesuffix(".*") + ".")
    python = build.get("python", release["python"])
    assert numbers(python["min"]) <= numbers(got["python"]) <= numbers(python["max"])
    assert "python=%s" % got["python"] in got["packages"]
    if "driver" in question:
        assert numbers(question["driver"]) >= numbers(got["driver"])
        rows = [row["min_driver"] for row in raw["drivers"]["toolkit_driver"] if row["cuda"] == got["cuda"]]
        family = [row for row in raw["drivers"]["family"] if str(row["major"]) == got["cuda"].split(".", maxsplit=1)[0]]
        needed = (
            family[0].get("except", {}).get(got["cuda"], family[0]["min_driver"]) if family else min(rows, key=numbers)
        )
        assert numbers(question["driver"]) >= numbers(needed)
    compiled = row_of_architectures(raw, got, build)
    for name in question.get("gpus", []):
        major, minor = (int(part) for part in capability_of(raw, name).split("."))
        kernels = [
            arch for arch in compiled["archs"] if int(arch.split(".")[0]) == major and int(arch.split(".")[1]) <= minor
        ]
        if not kernels:
            assert numbers(compiled["ptx"]) <= numbers("%d.%d" % (major, minor))
            assert any("no kernels for" in warning and name in warning for warning in got["warnings"])
        last = next(
            (row["first_without"] for row in raw["cudnn"]["cudnn"] if "%d.%d" % (major, minor) in row["archs"]), None
        )
        brought = fact_of(raw["cudnn"]["brings_cudnn"], got)
        assert last is None or brought is None or numbers(brought["cudnn"]) < numbers(last)
        spans = [row for row in raw["architectures"]["toolkit"] if "%d.%d" % (major, minor) in row["archs"]]
        assert numbers(got["driver"]) >= max(numbers(row.get("first_driver", "0.0")) for row in [*spans, {}])
    if "glibc" in question:
        assert numbers(fact_of(raw["glibc"]["glibc"], got)["glibc"]) <= numbers(question["glibc"])
    old = got["source"] != "conda-forge" and numbers(got["torch"]) < numbers("2.3")
    assert ("numpy<2" in got["packages"]) == (old and numbers(got["python"]) >= numbers("3.9"))
    if "unverified" in build:
        assert any(build["unverified"] in warning for warning in got["warnings"])
    # What is to be installed is this very build.
    if got["source"] == "pytorch":
        assert (
            "pytorch=%s=py%s_cuda%s*" % (got["torch"], got["python"], got["cuda"]) in got["packages"]
            and got["pip"] == []
        )
    elif got["source"] == "conda-forge":
        assert {"pytorch-gpu=%s" % got["torch"], "cuda-version=%s" % got["cuda"]} <= set(got["packages"]) and got[
            "pip"
        ] == []
    else:
        place = got["pip"][0] + " " + " ".join(got["pip_options"])
        assert got["torch"] in got["pip"][0]
        assert "cu" + got["cuda"].replace(".", "") in place or build["index"] == "pypi"
    assert ("conda-forge" in got["channels"]) and (
        got["cuda_override"] == (got["cuda"] if got["source"] == "conda-forge" else None)
    )


@COMMON
@given(question=QUESTIONS, name=st.sampled_from(sorted(CHOICES)), data=st.data())
def test_asking_for_more_never_gives_a_newer_build(question, name, data):
    before, dummy = asked(question)
    value = data.draw(CHOICES[name])
    if name in question and name != "gpus":
        return
    after, dummy = asked({**question, name: question.get(name, []) + value if name == "gpus" else value})
    if after is not None:
        assert before is not None
        assert (numbers(after["torch"]), numbers(after["cuda"])) <= (numbers(before["torch"]), numbers(before["cuda"]))


@COMMON
@given(question=QUESTIONS, data=st.data())
def test_the_order_of_the_gpus_decides_nothing(question, data):
    gpus = question.get("gpus", [])
    assert asked({**question, "gpus": data.draw(st.permutations(gpus))}) == asked({**question, "gpus": gpus})


@COMMON
@given(question=QUESTIONS)
def test_an_error_names_what_excludes_each_build_and_every_build_is_excluded(raw, question):
    dummy, message = asked(question)
    if message is None:
        return
    wanted = constraints(question, TABLES)
    misfits = [(build, fit.violations(build, wanted, TABLES)) for build in choose.newest_first(TABLES.builds, TABLES)]
    assert all(against for build, against in misfits)
    # Whatever stands against any build is in the message.
    for _build, against in misfits:
        assert all(violation.reason in message for violation in against)
    for name, value in question.items():
        for part in value if name == "gpus" else [value.removesuffix(".*")]:
            assert part in message


@COMMON
@given(question=QUESTIONS)
def test_what_an_error_suggests_works_and_less_would_not(question):
    dummy, message = asked(question)
    if message is None:
        return
    wanted = constraints(question, TABLES)
    misfits = [(build, fit.violations(build, wanted, TABLES)) for build in choose.newest_first(TABLES.builds, TABLES)]
    found = conflict.suggestions(misfits)
    assert found or len(question) > 1 or len(question["gpus"]) > conflict.GIVE_UP

    def less(given_up):
        # A GPU may be in the question twice: by its name and by its capability.
        dropped = {number for names, number in wanted.gpus if "gpu:" + names in given_up}
        return {
            name: [gpu for gpu in value if capability(gpu, TABLES) not in dropped] if name == "gpus" else value
            for name, value in question.items()
            if name not in given_up
        }

    for suggestion in found:
        got, dummy = asked(less(suggestion.given_up))
        assert got is not None
        assert got["torch"] == suggestion.build.torch
        assert suggestion.build.name in message
    everything = ["gpu:" + names for names, dummy in wanted.gpus] + [name for name in question if name != "gpus"]
    for fewer in range(1, len(found[0].given_up) if found else conflict.GIVE_UP + 1):
        for given_up in itertools.combinations(everything, fewer):
            left = constraints(less(given_up), TABLES)
            assert all(fit.violations(build, left, TABLES) for build in TABLES.builds), given_up


CAPABILITIES = sorted({row.capability for row in TABLES.gpus}, key=numbers)


@pytest.mark.parametrize("drivers", [[], ["450.80.02"], ["535.183.01"], ["470.57.02", "580.65.06"], ["610.43.02"]])
@pytest.mark.parametrize("platform", model.PLATFORMS)
def test_one_more_gpu_never_gives_a_newer_build(platform, drivers):
    """Every pair of capabilities, with old and new drivers."""
    tables = load.shipped(platform)

    def chosen(*gpus):
        wanted = constraints({"gpus": list(gpus), "driver": drivers, "platform": platform}, tables)
        fitting = [build for build in tables.builds if not fit.violations(build, wanted, tables)]
        return [(numbers(build.torch), numbers(build.cuda)) for build in choose.newest_first(fitting, tables)[:1]]

    alone = {gpu: chosen(gpu) for gpu in CAPABILITIES}
    assert all(build <= chosen()[0] for builds in alone.values() for build in builds)
    for one, other in itertools.combinations(CAPABILITIES, 2):
        for build in chosen(one, other):
            assert [build] <= alone[one] and [build] <= alone[other], (one, other)
