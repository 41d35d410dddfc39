# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Both languages say the same: keys, values, code, and on the page every heading, command, table and value."""

from __future__ import annotations

import collections
import re

import pytest
import yaml
from ansible_collections.hpc.pytorch.plugins.plugin_utils._user_guide.inline import codes_in, names_in
from ansible_collections.hpc.pytorch.plugins.plugin_utils._user_guide.texts import FOLDER, LANGUAGES, built_in

from .sites import SITES

CJK = re.compile("[\u4e00-\u9fff]")
# The texts of a cluster, and those with which a machine without Slurm replaces some of them.
VARIANTS = {"cluster": False, "machine": True}
EVERY_TEXT = [(name, key) for name, alone in VARIANTS.items() for key in sorted(built_in("zh", alone))]


def shape(page: str) -> list[str]:
    """The page without its prose: headings, boxes, bullets, rows, markers and everything in fences."""
    found, fence = [], ""
    for line in page.split("\n"):
        ticks = re.match(r"(`{3,})", line)
        if fence:
            found.append(line)
            fence = "" if line == fence else fence
        elif ticks:
            found.append(line)
            fence = ticks[1]
        elif line.startswith("#"):
            found.append(line.split()[0])
        elif line.startswith("!!! "):
            found.append(line.split('"')[0])
        elif line.startswith("- "):
            found.append("-")
        elif line.startswith("|"):
            found.append("| %d" % line.count("|"))
        elif line.startswith("<!-- "):
            found.append(re.sub(r"^(<!-- not run [^:]+): .*", r"\1", line))
        elif line and not line.startswith("    "):
            found.append("text")
    return found


def codes(page: str) -> collections.Counter[str]:
    """Every code span outside fences."""
    prose = re.sub(r"^(`{3,})[\s\S]*?^\1$", "", page, flags=re.MULTILINE)
    return collections.Counter(re.findall(r"`([^`]+)`|<code>(.*?)</code>", prose))


@pytest.mark.parametrize("name", VARIANTS)
def test_each_language_has_the_same_keys(name):
    assert sorted(built_in("en", VARIANTS[name])) == sorted(built_in("zh", VARIANTS[name]))


def test_each_language_has_the_same_files():
    names = {path.name for path in (FOLDER / "en").iterdir()}
    assert {path.name for path in (FOLDER / "zh").iterdir()} == names | {"causes.yml"}
    assert {path.stem for path in (FOLDER / "machine").iterdir()} == set(LANGUAGES)


@pytest.mark.parametrize(("name", "key"), EVERY_TEXT)
def test_a_text_has_the_same_values_and_the_same_code_in_each_language(name, key):
    english, chinese = built_in("en", VARIANTS[name])[key], built_in("zh", VARIANTS[name])[key]
    assert names_in(english) == names_in(chinese)
    assert sorted(set(codes_in(english))) == sorted(set(codes_in(chinese)))


@pytest.mark.parametrize(("name", "key"), EVERY_TEXT)
def test_a_chinese_text_is_chinese(name, key):
    text = built_in("zh", VARIANTS[name])[key]
    names = ("title", "jupyterlab_title", "notebooks_title", "troubles_title")
    assert CJK.search(re.sub(r"`[^`]*`", "", text)) or key in names
    # YAML folds lines with a space, which does not belong between two characters.
    assert not re.search("[\u4e00-\u9fff\u3001\u3002\uff0c\uff1a\uff1b] [\u4e00-\u9fff]", text)
    assert not CJK.search(built_in("en", VARIANTS[name])[key])


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_texts_of_a_machine_without_slurm_name_no_cluster(language):
    texts = yaml.safe_load((FOLDER / "machine" / (language + ".yml")).read_text(encoding="utf-8"))
    foreign = re.compile(
        r"[Cc]luster|[Ll]ogin node|compute node|[Pp]artition|sbatch|srun|\bjobs?\b|集群|节点|分区|作业"
    )
    assert {key: text for key, text in texts.items() if foreign.search(text)} == {}
    # A text of a cluster is replaced, or it is for the machine alone.
    assert texts.keys() - built_in(language).keys() == {"run_title", "run_first", "run", "torchrun", "trouble_driver"}


@pytest.mark.parametrize("name", SITES)
def test_the_pages_have_the_same_blocks_commands_and_values(name):
    pages = SITES[name]().pages(formats=["markdown"])
    assert list(pages) == ["pytorch.md", "pytorch.zh.md"]
    assert shape(pages["pytorch.md"]) == shape(pages["pytorch.zh.md"])
    assert set(codes(pages["pytorch.md"])) == set(codes(pages["pytorch.zh.md"]))


def test_a_page_that_lacks_a_block_would_be_seen():
    pages = SITES["campus"]().pages(formats=["markdown"])
    chinese = pages["pytorch.zh.md"]
    for missing in ("<!-- run submit on=login as=user wait=job -->\n```bash\nsbatch test.sh\n```\n", "### "):
        assert missing in chinese
        assert shape(chinese.replace(missing, "", 1)) != shape(pages["pytorch.md"])
    assert codes(chinese.replace("`--ntasks`", "`--tasks`")) != codes(pages["pytorch.md"])


def test_every_language_has_a_name():
    assert list(LANGUAGES) == ["en", "zh"]
