"""The one reader of GPU names: each spelling of NVIDIA and of sites means what the table says."""

from __future__ import annotations

import pytest
import yaml
from ansible_collections.hpc.pytorch.plugins.module_utils._gpu import name_table
from ansible_collections.hpc.pytorch.plugins.module_utils._gpu.names import Models, is_amd, model_of, read, words_of
from ansible_collections.hpc.pytorch.plugins.plugin_utils._torch_build import load

from .spellings import FILE, SPELLINGS, Spelling


@pytest.mark.parametrize("spelling", SPELLINGS, ids=lambda spelling: spelling.name)
def test_what_a_spelling_means(spelling: Spelling) -> None:
    found = read(spelling.name)
    assert is_amd(spelling.name) is (spelling.kind == "amd")
    if spelling.kind == "several":
        assert len(found.models) > 1 and len(found.capabilities) > 1
        return
    assert found.models == ((spelling.model,) if spelling.model else ())
    assert found.capabilities == ((spelling.capability,) if spelling.capability else ())
    assert found.memory == spelling.memory
    assert (tuple(found.slice) if found.slice else None) == spelling.slice


def test_the_table_has_what_the_field_has() -> None:
    names = [spelling.name for spelling in SPELLINGS]
    assert len(set(names)) == len(names) >= 150
    assert all(group["source"] for group in yaml.safe_load(FILE.read_text(encoding="utf-8")))


@pytest.mark.parametrize("model", name_table.MODELS)
def test_every_model_is_read_in_every_form(model: str) -> None:
    for form in ("{}", "NVIDIA {}", "nvidia_{}", "{}_pcie", "tesla-{}-sxm2-192gb", "gpu-{}", "dgx{}"):
        assert read(form.format(model)).models == (model,)
        assert read(form.format(model).upper()).capabilities == (name_table.MODELS[model],)


def test_another_name_is_that_of_a_model() -> None:
    for alias, model in name_table.ALIASES.items():
        assert alias not in name_table.MODELS and alias not in name_table.AMBIGUOUS
        assert read("nvidia-" + alias).models == (model,)


def test_the_tables_of_names_speak_of_models_that_have_a_row() -> None:
    assert set(name_table.ALIASES.values()) | set(name_table.DIVISIBLE) <= set(name_table.MODELS)
    assert {model for several in name_table.AMBIGUOUS.values() for model in several} <= set(name_table.MODELS)
    generations = {capability for row in name_table.GENERATIONS.values() for capability in row}
    assert set(name_table.MODELS.values()) <= generations
    # One capability each: a model in two rows would be two.
    rows = [model_of(name) for row in load.read(load.FOLDER / "gpus.yml")["gpus"] for name in row["names"]]
    assert len(set(rows)) == len(rows)


def test_a_capability_is_read_as_such() -> None:
    assert read("7.0").capabilities == ("7.0",) and not read("7.0").models
    assert read(" 12.1 ").capabilities == ("12.1",)


def test_a_sites_own_model_is_read_in_every_spelling() -> None:
    site = Models({**name_table.MODELS, "x200": "12.0"})
    assert read("NVIDIA X200-SXM7-128GB", site).models == ("x200",)
    found = read("x200_1g.16gb", site)
    assert found.capabilities == ("12.0",) and found.slice is not None
    assert not read("x200").models


def test_a_word_of_any_length_and_form_is_read_in_no_time() -> None:
    for text in ("a100" * 500, "1g." * 500, "x" * 10_000, "a" * 39 + "!", "mig" * 13, "", "  ", "-", "٣٠٩٠", "a100\n"):
        read(text)
    assert read("a100\n").models == ("a100",)


def test_words_and_models_of_a_name() -> None:
    assert words_of("NVIDIA A100-SXM4-40GB MIG") == ["nvidia", "a100", "sxm4", "40gb", "mig"]
    assert [model_of(name) for name in ("Tesla V100-SXM2-32GB", "v100-32gb", "tesla")] == ["v100", "v100", "tesla"]
