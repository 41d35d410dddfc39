# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every command of the documentation is run, or commands.yml says why not. Its YAML and scripts are checked too."""

from __future__ import annotations

import functools
import os
import pathlib
import re
import shutil
import subprocess
import sys
import typing as t

import pytest
import yaml
from ansible_collections.hpc.pytorch.plugins.plugin_utils._user_tools.build import TOOLS, files

CHECKOUT = pathlib.Path(__file__).resolve().parents[3]
FENCE = re.compile(r"^(?P<fence>```+|~~~+)(?P<language>[\w-]*)\n(?P<text>.*?)^(?P=fence)$", re.MULTILINE | re.DOTALL)
# Others would hide commands from these tests.
LANGUAGES = {"console", "yaml", "bash", "text", "json", "python"}
COMMANDS = yaml.safe_load(pathlib.Path(__file__).with_name("commands.yml").read_text(encoding="utf-8"))


class Shown(t.NamedTuple):
    """A command on a page, and the output that the page shows."""

    page: str
    command: str
    output: str


def user_pages() -> list[str]:
    """The Markdown files that users read."""
    patterns = ("README*.md", "SECURITY.md", "docs/**/*.md", "roles/*/README.md", "inventories/*/README.md")
    found = {path.relative_to(CHECKOUT).as_posix() for pattern in patterns for path in CHECKOUT.glob(pattern)}
    return sorted(name for name in found if not name.startswith("."))


@functools.lru_cache(maxsize=None)
def blocks(page: str) -> tuple[tuple[str, str], ...]:
    """Language and text of each code block."""
    text = (CHECKOUT / page).read_text(encoding="utf-8")
    return tuple((match["language"], match["text"]) for match in FENCE.finditer(text))


def commands_of(page: str, text: str) -> list[Shown]:
    """The commands of a console block: after ``$`` or ``#``, without a comment after two blanks."""
    found: list[Shown] = []
    for line in text.splitlines():
        match = re.match(r"[$#] (.*)", line)
        if match:
            found.append(Shown(page, re.sub(r" {2,}# .*| +# [^'\"]*$", "", match.group(1)).strip(), ""))
        elif found:
            found[-1] = found[-1]._replace(output=found[-1].output + line + "\n")
        else:
            raise ValueError("expected a console block to begin with a prompt; found %r" % line)
    return found


def shown() -> list[Shown]:
    return [
        command
        for page in user_pages()
        for language, text in blocks(page)
        if language == "console"
        for command in commands_of(page, text)
    ]


def listed() -> list[str]:
    reasons = [command for entry in COMMANDS["reasons"] for command in entry["commands"]]
    return [entry["command"] for entry in COMMANDS["run"]] + COMMANDS["hosts"] + reasons


# --- the lists ---------------------------------------------------------------------------------------------------


def test_each_command_is_in_one_list_and_no_list_has_others() -> None:
    names = listed()
    assert sorted({command.command for command in shown()} - set(names)) == []
    assert sorted(set(names) - {command.command for command in shown()}) == []
    assert sorted(name for name in set(names) if names.count(name) > 1) == []
    assert [entry for entry in COMMANDS["reasons"] if len(entry["why"]) < 15] == []
    named = [
        path for entry in COMMANDS["reasons"] for path in re.findall(r"\b(?:tests|molecule)/[\w/.]+\w", entry["why"])
    ]
    assert named and [path for path in named if not (CHECKOUT / path).exists()] == []


def test_code_has_a_language_that_these_tests_know() -> None:
    others = [
        (page, language) for page in user_pages() for language, _text in blocks(page) if language not in LANGUAGES
    ]
    assert others == []
    # A fence that this file does not find would be a block that no test reads.
    for page in user_pages():
        text = FENCE.sub("", (CHECKOUT / page).read_text(encoding="utf-8"))
        assert not re.search(r"^ *(```|~~~)", text, re.MULTILINE), page


def test_what_is_a_command() -> None:
    text = "$ make site      # makes it\nout\nmore\n# mount x\n$ a 'b # c'  # d\n"
    assert commands_of("p", text) == [
        ("p", "make site", "out\nmore\n"),
        ("p", "mount x", ""),
        ("p", "a 'b # c'", ""),
    ]
    with pytest.raises(ValueError, match="begin with a prompt"):
        commands_of("p", "ansible-playbook x\n")


def test_commands_within_a_line_name_what_there_is() -> None:
    targets = re.findall(r"^(\w+): ##", (CHECKOUT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    wrong = []
    for page in user_pages():
        text = FENCE.sub("", (CHECKOUT / page).read_text(encoding="utf-8"))
        for code in re.findall(r"`([^`\n]+)`", text):
            make = re.match(r"make (\w+)", code)
            if make and make.group(1) not in targets:
                wrong.append((page, code))
            for name in re.findall(r"\bhpc\.pytorch\.(\w+)\b", code if code.startswith("ansible-playbook") else ""):
                if not (CHECKOUT / "playbooks" / (name + ".yml")).exists():
                    wrong.append((page, code))
    assert wrong == []


# --- what is run -------------------------------------------------------------------------------------------------


@pytest.fixture(name="place", scope="module")
def fixture_place(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """A folder with what the pages speak of: inventories, copies of them, files whose text a page shows, commands."""
    place = tmp_path_factory.mktemp("place")
    home = place / "home"
    home.mkdir()
    shutil.copytree(CHECKOUT / "inventories", place / "inventories")
    hosts, variables = [text for language, text in blocks("docs/guide/new-site.md") if language == "yaml"][:2]
    (place / "cluster" / "group_vars").mkdir(parents=True)
    (place / "cluster" / "hosts.yml").write_text(hosts, encoding="utf-8")
    (place / "cluster" / "group_vars" / "all.yml").write_text(variables, encoding="utf-8")
    play = next(text for language, text in blocks("docs/guide/without-root.md") if language == "yaml")
    (place / "my-torch.yml").write_text(play, encoding="utf-8")
    (place / "report").mkdir()
    (place / "report" / "report.json").write_text('{"totals": {"nodes": 3}}', encoding="utf-8")
    for name, content, mode in files(TOOLS):
        path = home / "tools" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        path.chmod(mode)
    for name in ("campus", "mixed", "slurm"):
        done = run(place, "ansible-playbook hpc.pytorch.inventory -e copy=" + name)
        assert done.returncode == 0, done.stdout + done.stderr
    # A Slurm that answers what the example was saved from.
    scontrol = home / "tools/bin/scontrol"
    saved = CHECKOUT / "inventories/slurm/cluster.txt"
    scontrol.write_text("#!/bin/sh\n[ \"$*\" != 'show config' ] || cat '%s'\n" % saved, encoding="utf-8")
    scontrol.chmod(0o755)
    return place


def run(place: pathlib.Path, command: str) -> subprocess.CompletedProcess[str]:
    """Run a command as a person's shell does, in the folder."""
    path = "%s:%s:%s" % (place / "home/tools/bin", pathlib.Path(sys.executable).parent, os.environ["PATH"])
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")},
        "HOME": str(place / "home"),
        "PATH": path,
        "ANSIBLE_COLLECTIONS_PATH": str(CHECKOUT / ".collections"),
        "LC_ALL": "C.UTF-8",
    }
    return subprocess.run(
        ["bash", "-ec", command],
        cwd=place,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def script_of(page: str) -> str:
    """The job script that a page has for its reader, or one with the mistake that the page shows."""
    scripts = [text for language, text in blocks(page) if language == "bash" and "#SBATCH" in text]
    mistaken = "#!/bin/bash\n#SBATCH --mem=8G --time=1:00:00\n#SBATCH --cpus-per-task=4\n#SBATCH --gers=gpu:1\n"
    return scripts[0] if page.startswith("docs/researchers/") else mistaken


# A guide with the mistake that docs/guide-lint.md shows, in the line that it shows.
OLD_PAGE = "# GPUs\n%s```\nconda install pytorch torchvision -c pytorch\n```\n" % ("\n" * 9)

# A play whose hosts another one chooses has none yet, no node of the example is down, and localhost needs no inventory.
EXPECTED = re.compile(
    r"ignoring: (torch_env_makers|hpc_users_host|state_down)$|No inventory was parsed|provided hosts list is empty"
)


def warnings(done: subprocess.CompletedProcess[str]) -> list[str]:
    return [line for line in done.stderr.splitlines() if re.match(r"\[[A-Z ]+\]", line) and not EXPECTED.search(line)]


@pytest.mark.parametrize("entry", COMMANDS["run"], ids=lambda entry: entry["command"][:40])
def test_a_command_runs_and_prints_what_the_page_shows(place: pathlib.Path, entry: dict[str, t.Any]) -> None:
    ends = entry.get("ends", [0])
    found = [command for command in shown() if command.command == entry["command"]]
    for command in found:
        (place / "train.sh").write_text(script_of(command.page), encoding="utf-8")
        (place / "docs").mkdir(exist_ok=True)
        (place / "docs/gpu.md").write_text(OLD_PAGE, encoding="utf-8")
        done = run(place, command.command)
        assert done.returncode in ends, done.stdout + done.stderr
        assert warnings(done) == []
        if command.output:
            assert done.stdout == command.output, command.page


@pytest.mark.parametrize("command", COMMANDS["hosts"])
def test_a_playbook_finds_its_inventory_and_hosts(place: pathlib.Path, command: str) -> None:
    done = run(place, command + " --list-hosts")
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"hosts \([1-9]\d*\):", done.stdout), done.stdout
    assert warnings(done) == []


# --- YAML and scripts --------------------------------------------------------------------------------------------


@functools.lru_cache(maxsize=None)
def known_variables() -> frozenset[str]:
    """Options of the roles, what docs/guide/variables.md has, and Ansible's own."""
    found = set(re.findall(r"^\| `(\w+)`", (CHECKOUT / "docs/guide/variables.md").read_text(encoding="utf-8"), re.M))
    for path in (CHECKOUT / "roles").glob("*/meta/argument_specs.yml"):
        for entry in yaml.safe_load(path.read_text(encoding="utf-8"))["argument_specs"].values():
            found.update(entry.get("options", {}))
    return frozenset(found)


def variables(value: t.Any) -> t.Iterator[str]:
    """The names of variables in a block: of a file of variables, or below ``vars`` of plays, tasks and groups."""
    if isinstance(value, dict):
        if value and all(
            isinstance(key, str) and re.match(r"(conda|torch|cuda|channel|hpc|site|job)_", key) for key in value
        ):
            yield from value
        for key, part in value.items():
            if key == "vars" and isinstance(part, dict):
                yield from part
            else:
                yield from variables(part)
    elif isinstance(value, list):
        for part in value:
            yield from variables(part)


YAML = [(page, text) for page in user_pages() for language, text in blocks(page) if language == "yaml"]


@pytest.mark.parametrize("page, text", YAML, ids=["%s-%d" % (page, n) for n, (page, _text) in enumerate(YAML)])
def test_yaml_is_right_and_has_known_variables(page: str, text: str) -> None:
    assert sorted(set(variables(yaml.safe_load(text))) - known_variables()) == []


def test_every_play_is_one_that_ansible_accepts(tmp_path: pathlib.Path) -> None:
    plays = []
    for number, (page, text) in enumerate(YAML):
        value = yaml.safe_load(text)
        if isinstance(value, list) and all("hosts" in play for play in value):
            plays.append(tmp_path / ("%d.yml" % number))
            plays[-1].write_text("# %s\n%s" % (page, text), encoding="utf-8")
        elif isinstance(value, list):
            plays.append(tmp_path / ("%d.yml" % number))
            plays[-1].write_text(
                yaml.safe_dump([{"name": page, "hosts": "localhost", "gather_facts": False, "tasks": value}]), "utf-8"
            )
    assert len(plays) > 10
    done = run_in(tmp_path, ["ansible-playbook", "-i", "localhost,", "--syntax-check", *map(str, plays)])
    assert done.returncode == 0, done.stdout + done.stderr


def run_in(folder: pathlib.Path, command: list[str]) -> subprocess.CompletedProcess[str]:
    (folder / "home").mkdir()
    return run(folder, " ".join("'%s'" % word for word in command))


@pytest.mark.parametrize("page", ["docs/researchers/README.md", "docs/researchers/README.zh.md"])
def test_a_job_script_on_a_page_has_no_mistake(place: pathlib.Path, page: str) -> None:
    (place / "train.sh").write_text(script_of(page), encoding="utf-8")
    done = run(place, "bash -n train.sh && sbatch-lint train.sh")
    assert (done.returncode, done.stdout) == (0, ""), done.stdout + done.stderr
