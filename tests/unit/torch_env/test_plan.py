"""The plan of one environment: what the build gives, what the role's user adds, and the name of the request."""

from __future__ import annotations

import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._common.errors import UserError
from ansible_collections.hpc.pytorch.plugins.plugin_utils._torch_env.plan import Asked, lowest, plan

NOTHING = {
    "python": "",
    "torch": "",
    "cuda": "",
    "source": "",
    "gpus": [],
    "drivers": [],
    "builds": {},
    "wheels_url": "https://download.pytorch.org/whl",
    "companions": ["torchvision"],
    "packages": [],
    "pip": [],
    "channels": None,
    "site_channels": ["conda-forge"],
}
# Old enough that no later release of torch is chosen instead.
GUIDE = {"cuda": "10.1", "source": "pytorch", "python": "3.8"}


def planned(**asked):
    return plan(Asked.of({**NOTHING, **asked}))


def test_nothing_is_chosen_where_nothing_is_declared():
    made = planned(packages=["numpy"], pip=["einops"])
    assert made.build == {} and made.messages == [] and made.cuda == ""
    assert (made.packages, made.pip, made.channels) == (["python", "pytorch", "numpy"], ["einops"], ["conda-forge"])


def test_a_cuda_without_a_known_channel_is_the_solvers():
    made = planned(cuda="11.3", site_channels=["https://example.org/own"])
    assert (made.build, made.cuda) == ({}, "11.3") and "cudatoolkit=11.3" in made.packages


def test_a_chosen_build_brings_its_packages_channels_and_cuda():
    mirrors = ["file:///srv/conda-forge", "file:///srv/pytorch"]
    made = planned(**GUIDE, packages=["numpy"], site_channels=mirrors)
    assert made.build["torch"] == "1.8.1" and made.cuda == made.build["cuda"] == "10.1"
    assert made.packages == [spec for spec in made.build["packages"] if "torchaudio" not in spec] + ["numpy"]
    assert made.channels == ["file:///srv/pytorch", "file:///srv/conda-forge"]
    assert made.messages[0].startswith("torch 1.8.1 for CUDA 10.1 with python 3.8 from pytorch, the newest for source")
    assert made.messages[1:] == ["warning: %s" % warning for warning in made.build["warnings"]]


def test_channels_that_are_asked_for_are_all_there_are():
    assert planned(**GUIDE, channels=["file:///srv/all"]).channels == ["file:///srv/all"]


def test_torch_for_the_cpu_comes_with_pip():
    made = planned(source="cpu-wheels", torch="2.13.0", python="3.11", gpus=["a100"], pip=["einops"], companions=[])
    assert (made.build, made.messages, made.packages, made.cuda) == ({}, [], ["python=3.11", "pip"], "")
    assert made.pip == ["torch==2.13.0", "einops"] and made.expect_torch == {"version": "2.13.0", "cuda": ""}
    assert planned(source="cpu-wheels", torch="2.13").pip == ["torch==2.13.*", "torchvision"]
    assert planned(source="cpu-wheels", companions=[]).pip == ["torch"]
    with pytest.raises(UserError, match="set torch_env_source to wheels"):
        planned(source="cpu-wheels", cuda="12.6")


def test_wheels_need_no_cuda_of_the_solver():
    made = planned(source="wheels", gpus=["a100"], pip=["einops"])
    assert (
        made.cuda == ""
        and made.pip[-1] == "einops"
        and made.pip[:-1]
        == made.build["pip_options"] + [line for line in made.build["pip"] if not line.startswith("torchaudio")]
    )


def test_a_second_torch_is_refused_before_anything_is_planned():
    with pytest.raises(UserError, match="found torch==1.8.1 in"):
        planned(**GUIDE, pip=["torch==1.8.1"])


def test_the_lowest_driver_counts_as_numbers_and_one_that_is_no_version_first():
    assert lowest([]) == ""
    assert lowest(["535.9", "535.183.06", "70.1"]) == "70.1"
    assert lowest(["535.9", "new"]) == "new"
    assert "driver 535.183.06" in planned(source="wheels", drivers=["580.65.06", "535.183.06"]).messages[0]


def test_the_newest_driver_drives_the_newest_gpu():
    """Nodes of two generations in one environment, each with a driver that drives its GPUs."""
    made = planned(source="conda-forge", gpus=["v100", "b200"], drivers=["535.183.06", "570.124.06"])
    assert made.build["cuda"] == "12.9"
    with pytest.raises(UserError, match="does not drive b200"):
        planned(source="conda-forge", gpus=["v100", "b200"], drivers=["535.183.06", "550.54.15"])


def test_the_oldest_glibc_of_the_machines_and_their_platform_limit_the_choice():
    made = planned(source="wheels", gpus=["a100"], glibc=["2.28", "2.17"])
    assert made.build["torch"] == "2.6.0" and "glibc 2.17" in made.messages[0]
    assert (
        planned(source="wheels", gpus=["a100"], glibc=["2.28"]).build == planned(source="wheels", gpus=["a100"]).build
    )
    made = planned(source="wheels", gpus=["gh200"], drivers=["550.54.15"], platform="linux-aarch64")
    assert "torch==2.14.1+cu126" in made.pip and "platform linux-aarch64" in made.messages[0]
    with pytest.raises(UserError, match="glibc to be text such as"):
        planned(source="wheels", gpus=["a100"], glibc=["new", "2.28"])


def test_numpy_of_the_user_stands_beside_the_limit_of_an_old_torch():
    made = planned(source="wheels", gpus=["a100"], torch="2.2", packages=["numpy"])
    assert [spec for spec in made.packages if spec.startswith("numpy")] == ["numpy<2", "numpy"]


def test_the_name_of_a_request_is_the_one_that_older_versions_gave_it():
    """Or every site would make all its environments anew."""
    assert planned().key.startswith("6bca77471e5a")
    own = {"site_channels": ["https://h/own"]}
    assert planned(cuda="11.3", **own).key.startswith("5a6a425139ad")
    # A number, as YAML reads 12.9 without quotes.
    assert planned(cuda=12.9, **own).key.startswith("a8fa800ba321")


def test_a_password_or_token_gives_the_same_name_and_another_server_another():
    def name(channel):
        return planned(site_channels=[channel]).key

    assert name("https://alice:pa55@h/own") == name("https://bob:word@h/own") == name("https://h/t/tok-123/own")
    assert name("https://h/own") != name("https://h2/own")


def test_a_key_that_is_missing_or_unknown_is_an_error():
    with pytest.raises(UserError, match="found pip, pipp; remedy"):
        Asked.of({**{key: value for key, value in NOTHING.items() if key != "pip"}, "pipp": []})


def test_a_text_is_a_list_of_one():
    """``-e torch_env_channels=conda-forge`` is a text, which the role's argument spec accepts for a list."""
    made = planned(packages="numpy", pip="einops", channels="https://h/own")
    assert made == planned(packages=["numpy"], pip=["einops"], channels=["https://h/own"])
    assert planned(gpus="a100", source="wheels").build == planned(gpus=["a100"], source="wheels").build


def test_a_text_of_names_is_a_list_of_them():
    """As role conda takes ``-e conda_channels=pytorch,conda-forge``; a comma in a requirement is part of it."""
    two = ["https://h/own", "conda-forge"]
    assert planned(site_channels="https://h/own,conda-forge") == planned(site_channels=two)
    assert planned(channels="https://h/own, conda-forge") == planned(channels=two)
    both = planned(gpus=["a100", "h100"], source="wheels", companions=["torchvision", "torchaudio"])
    assert planned(gpus="a100,h100", source="wheels", companions="torchvision,torchaudio") == both
    assert planned(pip="numpy<3,>=2").pip == ["numpy<3,>=2"]


def test_folders_and_wheels_that_look_like_tokens_keep_environments_apart():
    def name(**asked):
        return planned(**asked).key

    assert name(pip=["x @ https://h/t/a-1.whl"]) != name(pip=["x @ https://h/t/a-2.whl"])
    assert name(channels=["s3://b/t/one/c"]) == name(channels=["s3://b/t/two/c"])


def test_pip_may_come_with_pip():
    made = planned(source="cpu-wheels", python="3.11", pip=["pip", "numpy"], companions=[])
    assert made.packages == ["python=3.11"] and made.pip == ["torch", "pip", "numpy"]
    made = planned(source="wheels", gpus=["a100"], pip=["pip"])
    assert "pip" not in made.packages and made.pip[-1] == "pip"
    # A version is no word about where pip comes from.
    assert "pip" in planned(source="cpu-wheels", pip=["pip==25.0"]).packages
