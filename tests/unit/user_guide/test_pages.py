# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pages: the founding guide's lines, job scripts that sbatch-lint accepts, nothing that the site does not have."""

from __future__ import annotations

import pathlib
import re
import subprocess

import pytest
import yaml
from ansible.errors import AnsibleFilterError
from ansible_collections.hpc.pytorch.plugins.module_utils._guide.page import lint_page
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.lint.script import lint
from ansible_collections.hpc.pytorch.plugins.plugin_utils._user_guide.blocks import Command, File
from ansible_collections.hpc.pytorch.plugins.plugin_utils._user_guide.envs import DEFAULTS
from ansible_collections.hpc.pytorch.plugins.plugin_utils._user_guide.page import structure
from ansible_collections.hpc.pytorch.plugins.plugin_utils._user_guide.partitions import duration, size

from .sites import CHECKOUT, SITES, Inventory, campus, mixed, molecule, slurm, small

GOLDEN = pathlib.Path(__file__).resolve().parents[1] / "golden" / "user_guide"

# Each line of the founding guide (DESIGN.md) and where it is on its page: heading, and what stands below it.
FOUNDING = [
    ("S1", "### JupyterLab", "conda is at `/opt/conda/bin/conda`"),
    ("S1", "## Installation", "JupyterLab and the cluster are separate"),
    ("S2", "### The cluster", "conda is at `/opt/app/anaconda3/bin/conda`"),
    ("S14", "### The cluster", "conda create --name r --channel conda-forge r-base"),
    ("S3", "### The cluster", 'export PATH="/opt/app/anaconda3/bin:$PATH"'),
    ("S4", "### The cluster", "\nmodule load anaconda3\n"),
    ("S5", "### Create an environment and install packages", "\nconda create --name torch python=3.8\n"),
    ("S5", "### Create an environment and install packages", "`~/.conda/envs`"),
    ("S6", "### Create an environment and install packages", "\nsource activate torch\n"),
    (
        "S7",
        "### Create an environment and install packages",
        "\nconda install --name torch 'pytorch=1.8.1=py3.8_cuda10.1*' 'torchvision=0.9.1=*_cu*' cudatoolkit=10.1"
        " 'mkl<2024.1' --channel pytorch --channel conda-forge\n",
    ),
    (
        "S8",
        "### Create an environment and install packages",
        "The GPU nodes have CUDA `10.1` at `/opt/pkgs/cuda/cuda-toolkit`",
    ),
    ("S9", "## Submit jobs on the cluster", "\nexport PATH=/opt/pkgs/cuda/cuda-toolkit/bin:$PATH\n"),
    (
        "S9",
        "## Submit jobs on the cluster",
        "\nexport LD_LIBRARY_PATH=/opt/pkgs/cuda/cuda-toolkit/lib64${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}\n",
    ),
    ("S12", "### Submit a job to Slurm", "\n| `tesla` | `2` |\n| `titan` | `2` |\n"),
    (
        "S10",
        "### Submit a job to Slurm",
        "\n".join(
            [
                "<!-- file script name=test.sh on=login -->",
                "```bash",
                "#!/bin/bash",
                "#SBATCH --job-name=test",
                "#SBATCH --nodes=1",
                "#SBATCH --ntasks=16",
                "#SBATCH --partition=titan",
                "#SBATCH --gres=gpu:1",
                "",
                "echo $CUDA_VISIBLE_DEVICES",
                'export PATH="/opt/app/anaconda3/bin:$PATH"',
                "source activate torch",
                "python pytorch_test.py",
                "```",
            ]
        ),
    ),
    ("S11", "### Submit a job to Slurm", "\nsbatch test.sh\n"),
    ("S13", "### Several GPUs and nodes", "`Trainer(gpus=8, num_nodes=4, distributed_backend='ddp')`"),
    (
        "S13",
        "### Several GPUs and nodes",
        '\ntrainer = Trainer(accelerator="gpu", devices=8, num_nodes=4, strategy="ddp")\n',
    ),
]


def english(inventory: Inventory, **options) -> str:
    return inventory.pages(languages=["en"], formats=["markdown"], **options)["pytorch.md"]


def sections(page: str) -> dict[str, str]:
    """What stands below each heading. Comments of job scripts do not count."""
    found, heading, fence = {}, "", ""
    for line in page.split("\n"):
        ticks = re.match("`{3,}", line)
        fence = ("" if line == fence else fence) if fence else ticks[0] if ticks else ""
        if not fence and re.match("#{1,3} ", line):
            heading = line
        found[heading] = found.get(heading, "") + "\n" + line
    return {name: text + "\n" for name, text in found.items()}


def test_every_line_of_the_founding_guide_is_in_the_table():
    assert {number for number, _heading, _text in FOUNDING} == {"S%d" % number for number in range(1, 15)}


@pytest.mark.parametrize(("number", "heading", "text"), FOUNDING, ids=[row[0] for row in FOUNDING])
def test_a_line_of_the_founding_guide(number, heading, text):
    assert text in sections(english(campus()))[heading], number


def test_the_sections_are_in_the_order_of_the_founding_guide():
    assert list(sections(english(campus()))) == [
        "# PyTorch",
        "## Installation",
        "### JupyterLab",
        "### The cluster",
        "### Create an environment and install packages",
        "## Submit jobs on the cluster",
        "### Submit a job to Slurm",
        "### The same program many times",
        "### Several GPUs and nodes",
        "## Jupyter",
        "## `torch.cuda.is_available()` is `False`",
    ]


@pytest.mark.parametrize("name", ["pytorch.md", "pytorch.zh.md"])
def test_the_page_of_the_campus(name):
    assert campus().pages()[name] == (GOLDEN / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", SITES)
def test_guide_lint_finds_nothing(name):
    for file, page in SITES[name]().pages().items():
        assert lint_page(page, "html" if file.endswith("html") else "markdown") == [], file


@pytest.mark.parametrize("name", SITES)
def test_sbatch_lint_finds_nothing_in_the_job_scripts(name):
    for block in (block for section in structure(SITES[name]().site) for block in section.blocks):
        if isinstance(block, File) and block.content.startswith("#!/bin/bash\n#SBATCH "):
            found = [each.code for each in lint(block.content, (22, 5))]
            # The founding guide's own script requests neither memory nor time, and its 16 tasks are CPUs.
            assert found == (
                ["no-mem", "no-time", "ntasks-as-cpus"]
                if "\necho $CUDA" in block.content and block.id == "script"
                else []
            ), block.id


@pytest.mark.parametrize("name", SITES)
def test_commands_and_scripts_are_complete_lines_of_bash_and_ids_are_unique(name):
    blocks = [block for section in structure(SITES[name]().site) for block in section.blocks]
    ids = [block.id for block in blocks if isinstance(block, (Command, File))]
    assert len(set(ids)) == len(ids) and all(re.fullmatch("[a-z0-9-]+", each) for each in ids)
    for block in blocks:
        code = block.lines if isinstance(block, Command) else block.content if isinstance(block, File) else ""
        if isinstance(block, File) and block.language == "python":
            compile(code, block.name, "exec")
        elif code:
            done = subprocess.run(["bash", "-n"], input=code, text=True, capture_output=True, check=False)
            assert (done.returncode, done.stderr) == (0, ""), block.id


def test_what_slurm_says_is_in_the_table():
    inventory = campus()._replace(slurm=slurm(CAMPUS_NODES, max_minutes=4320, default_minutes=60))
    assert [line for line in english(inventory).split("\n") if re.match(r"\| `(tesla|titan)", line)] == [
        "| `tesla` | `2` | `2 \u00d7 tesla` | `3-00:00:00` | `01:00:00` | `16` | `4000M` |",
        "| `titan` | `2` | `2 \u00d7 titan` | `3-00:00:00` | `01:00:00` | `16` | `4000M` |",
    ]


CAMPUS_NODES = {"titan": ["titan01", "titan02"], "tesla": ["tesla01", "tesla02"]}


def test_what_nobody_says_is_left_out():
    assert "| Partition | Nodes |\n" in english(campus())
    unlimited = campus()._replace(slurm=slurm({"titan": ["titan01"]}, max_minutes=None))
    assert "| `titan` | `1` | `2 \u00d7 titan` | no limit |" in english(unlimited)
    # The inventory has it, Slurm does not.
    assert "| `tesla` | `2` | not known | not known |" in english(unlimited)


@pytest.mark.parametrize(
    ("inventory", "kinds"),
    [
        (campus(), {"single", "array", "multi-node", "lightning"}),
        (campus()._replace(slurm=slurm(CAMPUS_NODES)), {"single", "array", "multi-gpu", "multi-node", "lightning"}),
        (campus()._replace(slurm=slurm(CAMPUS_NODES, max_nodes=1)), {"single", "array", "multi-gpu"}),
        (campus()._replace(slurm=slurm(CAMPUS_NODES, state="down")), set()),
        (molecule(), {"single", "array", "multi-gpu"}),
        (mixed(), {"single", "array", "multi-gpu", "multi-node", "lightning"}),
        (small(), {"single", "array"}),
    ],
)
def test_the_page_has_the_kinds_of_job_that_a_partition_can_run(inventory, kinds):
    page = english(inventory)
    names = set(re.findall(r"<!-- file (\w[\w-]*?)-?script name", page.replace("file script", "file single-script")))
    assert names == kinds


def test_a_torch_before_torchrun_gets_what_it_has():
    assert "torch.distributed.launch" in english(campus()) and "(torchrun" not in english(campus())
    assert "(torchrun" in english(molecule()) and "torch.distributed.launch" not in english(molecule())


def test_a_partition_without_gpus_is_asked_for_none():
    page = english(small())
    assert (
        "#SBATCH --partition=cpu\n" in page and "#SBATCH --gres" not in page and "srun --partition=cpu python" in page
    )


def test_where_there_is_no_conda_command_the_page_offers_none():
    page = english(molecule())
    assert not re.search(r"^```bash\nconda ", page, re.MULTILINE)
    assert "This installation has no `conda` command" in page and "\ntype -P activate\n" in page
    assert "\npython -m pip check\n" in page


def test_an_environment_of_the_site_is_activated_by_its_path_and_not_changed():
    page = english(mixed())
    assert "\nsource activate /opt/app/envs/torch-a100\n" in page
    assert "python -m venv --system-site-packages" in page and "\npython -m pip check\n" not in page
    # In the partition that the environment is for.
    assert "\nsrun --partition=a100 --gres=gpu:1 python -c" in page
    assert "| `h100` | `2` | `8 \u00d7 h100` | `/opt/app/envs/torch-h100` |" in page


@pytest.mark.parametrize(
    ("expose", "ids"),
    [
        (["bashrc"], ["conda-bashrc"]),
        (["module"], ["conda-module"]),
        (["profile"], []),
        (["module", "bashrc", "profile"], ["conda-bashrc", "conda-module"]),
        ([], ["conda-path"]),
    ],
)
def test_only_the_ways_to_conda_that_the_site_has(expose, ids):
    inventory = campus()._replace(variables={**campus().variables, "conda_expose": expose})
    found = re.findall(r"<!-- run (conda-(?:bashrc|module|path)) ", english(inventory))
    assert found == ids


@pytest.mark.parametrize(
    ("changed", "ids"),
    [
        ({"cuda_home": ""}, []),
        ({"cuda_expose": ["module"]}, ["cuda-module", "cuda-version"]),
        ({"cuda_expose": ["profile"]}, ["cuda-version"]),
        ({"cuda_expose": ["bashrc", "module"]}, ["cuda-path", "cuda-module", "cuda-version"]),
    ],
)
def test_only_the_ways_to_cuda_that_the_site_has(changed, ids):
    inventory = campus()._replace(variables={**campus().variables, **changed})
    page = english(inventory)
    assert re.findall(r"<!-- run (cuda-(?!check)\w+) ", page) == ids
    assert ("module load cuda/10.1" in page) == ("cuda-module" in ids)


def test_an_output_is_below_its_command():
    page = english(campus(), outputs={"torch-version": "1.8.1 10.1\n", "conda-create": "not run", "submit": " \n"})
    assert "\n```\n\n<!-- output torch-version -->\n```text\n1.8.1 10.1\n```\n" in page
    assert page.count("<!-- output ") == 1


def test_texts_and_sections_of_the_site():
    extra = [
        {
            "id": "storage",
            "after": "environment",
            "title": {"en": "Storage", "zh": "\u5b58\u50a8"},
            "text": {"en": "Use `/scratch`.\n\n**Soon** removed.", "zh": "`/scratch`\n\n\u5220\u9664"},
        }
    ]
    pages = campus().pages(texts={"en": {"tip": "Ask <us>."}}, extra=extra)
    assert "    Ask &#60;us&#62;.\n" in pages["pytorch.md"] and "Ask &lt;us&gt;." in pages["pytorch.html"]
    assert "\n## Storage\n\nUse `/scratch`.\n\n**Soon** removed.\n\n## Submit jobs" in pages["pytorch.md"]
    assert '<h2 id="storage">\u5b58\u50a8</h2>' in pages["pytorch.zh.html"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"texts": {"fr": {}}}, "by the language en or zh"),
        ({"texts": {"en": {"tipp": "x"}}}, "a key of user_guide_texts"),
        ({"texts": {"en": {"tip": "{conda}"}}}, "no other values than none"),
        ({"texts": {"en": {"tip": 7}}}, "no other values than none"),
        ({"languages": ["en", "en"]}, "user_guide_languages"),
        ({"languages": []}, "user_guide_languages"),
        ({"formats": "html"}, "user_guide_formats"),
        ({"extra": [{"id": "storage", "title": {"en": "x"}, "text": {"en": "y"}}]}, "no title or text in zh"),
        ({"extra": [{"id": "x y"}]}, "id"),
        (
            {"extra": [{"id": "install", "title": {"en": "x", "zh": "x"}, "text": {"en": "y", "zh": "y"}}]},
            "id of its own",
        ),
    ],
)
def test_a_wrong_value_is_refused(options, message):
    with pytest.raises(AnsibleFilterError, match="expected .*; found .*; remedy: ") as error:
        campus().pages(**options)
    assert message in str(error.value)


def test_no_password_is_published():
    changed = {
        "conda_channels": [
            "https://alice:pa55@mirror.example/pytorch",
            "https://mirror.example/t/TOKEN123/conda-forge",
        ],
        "torch_env_source": "",
        "torch_env_cuda": "",
        "torch_env_pip": ["--extra-index-url https://bob:pa55@pypi.example/simple", "einops"],
    }
    for page in campus()._replace(variables={**campus().variables, **changed}).pages().values():
        assert "mirror.example" in page and "pypi.example" in page
        assert "pa55" not in page and "TOKEN123" not in page


def test_the_defaults_are_those_of_role_torch_env():
    role = yaml.safe_load((CHECKOUT / "roles/torch_env/defaults/main.yml").read_text(encoding="utf-8"))
    assert {name: role["torch_env_" + name] for name in DEFAULTS} == dict(DEFAULTS)


def test_the_roles_defaults_are_those_of_the_roles_that_it_describes():
    facts = (CHECKOUT / "roles/user_guide/vars/main.yml").read_text(encoding="utf-8")
    for role in ("conda", "cuda", "user_tools"):
        defaults = yaml.safe_load((CHECKOUT / "roles" / role / "defaults/main.yml").read_text(encoding="utf-8"))
        for name, written in re.findall(r"(%s_\w+) \| default\((\[.*?\]|'.*?'|\w+)\)" % role, facts):
            if name not in defaults or "{{" in str(defaults[name]):
                continue
            assert yaml.safe_load(written) == defaults[name], name


def test_minutes_and_megabytes():
    assert [duration(minutes) for minutes in (10, 60, 1440, 4330)] == [
        "00:10:00",
        "01:00:00",
        "1-00:00:00",
        "3-00:10:00",
    ]
    assert [size(megabytes) for megabytes in (2000, 4096, 4000, 192000)] == ["2000M", "4G", "4000M", "187G"]


def test_a_torch_for_another_cuda_than_the_toolkit_is_no_contradiction():
    assert "Install a torch that is built for this CUDA" in english(campus())
    page = english(campus()._replace(variables={**campus().variables, "cuda_version": "11.8"}))
    assert "Install a torch that is built for this CUDA" not in page
    assert "CUDA `11.8` at `/opt/pkgs/cuda/cuda-toolkit`, for programs that you compile yourself" in page
    patched = english(campus()._replace(variables={**campus().variables, "cuda_version": "10.1.243"}))
    assert "Install a torch that is built for this CUDA" in patched


def test_a_site_whose_partitions_nobody_names_gets_what_its_default_partition_can_run():
    page = english(Inventory({}, {"login": ["login01"]}))
    assert "| Partition |" not in page and "--partition" not in page
    assert set(re.findall(r"\nsbatch (\S+)\n", page)) == {"test.sh", "array.sh"}
    assert lint_page(page) == []


def test_the_kernels_that_the_site_declares():
    declared = [
        {},
        {"slurm": {"partition": "titan", "gres": "gpu:1", "cpus_per_task": 4}},
        {"display_name": "My | torch"},
    ]
    page = english(campus()._replace(of_group={"jupyter": {"jupyter_kernels": declared}}))
    below = sections(page)["## Jupyter"]
    assert "| `PyTorch (torch)` | none, it runs on the machine of JupyterLab |" in below
    assert "| `PyTorch (torch, Slurm titan)` | `--partition=titan --gres=gpu:1 --cpus-per-task=4` |" in below
    assert "| <code>My &#124; torch</code> |" in below and "ipykernel" not in below
    with pytest.raises(AnsibleFilterError, match="expected jupyter_kernels to be a list of kernels"):
        english(campus()._replace(of_group={"jupyter": {"jupyter_kernels": ["torch"]}}))
    # Without them, a user makes one.
    assert "\npython -m pip install ipykernel\n" in english(campus()._replace(of_group={}))
