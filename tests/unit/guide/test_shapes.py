# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Code is found in every shape that a format has for it, behind every prompt, and with the number of its line."""

from __future__ import annotations

import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._guide.page import format_of, lint_page

DEAD = "pip install torch==2.4.2"
PROMPTS = (
    [
        "$ ",
        "(base) $ ",
        "(pt)$ ",
        "[u@h ~]$ ",
        "[root@n01 ~]# ",
        "u@h:~$ ",
        "(pt) u@h:~$ ",
        "(pt) [u@h ~]$ ",
        "login1$ ",
    ]
    + ["~$ ", "% ", "> ", "$> ", "h:~/x> ", "(/home/u/env) $ ", "[u@h:/work]$ ", "❯ "]
    + ["!", "%", "RUN ", "sudo ", "time ", "  ", "FOO=1 ", "cd x && ", "srun -p gpu "]
)
SHAPES = {
    "table": "| a | b |\n|--|--|\n| PyTorch | `@` |\n",
    "quote": "> note\n> ```\n> @\n> ```\n",
    "list": "* step\n\n  ```\n  @\n  ```\n",
    "fence of a list": "1. ```\n   @\n   ```\n",
    "box": "!!! note\n    text\n\n    ```bash\n    @\n    ```\n",
    "indented in a box": "!!! note\n\n        @\n\nend",
    "box in a tab": '=== "a"\n\n    !!! tip\n\n        ```\n        @\n        ```\n',
    "details": "<details><summary>x</summary>\n\n```\n@\n```\n</details>\n",
    "MyST": "```{code-block} bash\n@\n```\n",
    "colons": ":::{note}\n```\n@\n```\n:::\n",
    "bold": "Run **`@`** now.",
    "tildes": "~~~\n@\n~~~\n",
    "Windows": "x\r\n\r\n```\r\n@\r\n```\r\n",
    "Liquid": "{% highlight bash %}\n@\n{% endhighlight %}",
    "never closed": "```\n@",
    "Chinese": "执行：`@`即可。",
    "code": "<p>Run</p><p><code>@</code></p>",
    "br": "<pre>a<br>@<br></pre>",
    "div": '<pre><code><div class="line">ls</div><div class="line">@</div></code></pre>',
    "kbd": "<p>Type <kbd>@</kbd></p>",
    "no end tags": "<p>Type<pre>@",
    "entities": "<pre>true &amp;&amp; @</pre>",
    "prompt": ".. prompt:: bash $\n\n   @\n",
    "options": ".. code-block:: bash\n   :linenos:\n\n   @\n",
    "tabs": ".. tabs::\n\n   .. tab:: pip\n\n      .. code-block:: bash\n\n         @\n",
    "literal in a tab": ".. group-tab:: x\n\n   Do::\n\n       @\n",
    "note": ".. note::\n\n   Use ``@`` .\n",
    "step": "1. Install\n\n   .. code-block:: console\n\n      $ @\n",
    "role": ".. note::\n\nType :code:`@` now.",
    "colons alone": "Run\n\n::\n\n    @\n",
}


@pytest.mark.parametrize("prompt", PROMPTS)
def test_a_command_behind_a_prompt(prompt: str) -> None:
    found = lint_page("text\n\n```\n%s%s\n```\n" % (prompt, DEAD))
    assert [(each.line, each.code) for each in found] == [(4, "no-such-release")]


@pytest.mark.parametrize("shape", SHAPES)
def test_code_in_a_shape(shape: str) -> None:
    text = SHAPES[shape].replace("@", DEAD)
    line = SHAPES[shape].split("@")[0].count("\n") + 1
    found = lint_page(text, format_of("", text))
    assert [(each.line, each.code) for each in found] == [(line, "no-such-release")]


@pytest.mark.parametrize("shape", SHAPES)
def test_right_code_in_a_shape(shape: str) -> None:
    text = SHAPES[shape].replace("@", "pip install torch==2.4.1")
    assert lint_page(text, format_of("", text)) == []


AGAINST = (
    "Previously we recommended `@`. This no longer works.",
    "In the past, torch was installed with `@`. Use `pip install torch` now.",
    "Running `@` installs an old version. It is outdated.",
    "❌ `@`\n\n✅ `pip install torch`",
    "The command `@` was recommended until 2024.",
    "Please stop using `@`.",
    "We have moved away from `@`.",
    "Unlike `@`, the module works.",
    "以前使用 `@` 安装。",
    "- 我们以前用 `@` 安装。",
    "Instead of:\n\n```\n@\n```\n\nuse\n\n```\npip install torch\n```",
    "```bash\n# old\n@\n```",
    "As of 2025 the channel has ended, so\n\n```\n@\n```\n\ninstalls an old one.",
    "### Common mistakes\n\n```\n@\n```",
    "### Historical\n\n```\n@\n```",
)
# The same words about something else.
ABOUT_ELSE = (
    "In the environment that you previously created, run `@`.",
    "Run `@`. This takes a minute. If it fails, ask us.",
    "Run `@`. It fails if the disk is full.",
    "Unlike pip, conda also brings CUDA: `@`",
    "The module has been removed, so run\n\n```\n@\n```",
    "To avoid mistakes, run\n\n```\n@\n```",
    "```bash\n# old and new nodes\n@\n```",
    "加载模块以前，先运行\n\n```\n@\n```",
    "在使用 PyTorch 以前，先运行\n\n```\n@\n```",
    "Replace `NAME` and run\n\n```\n@\n```",
)


@pytest.mark.parametrize("text", AGAINST)
def test_a_line_that_the_page_speaks_against(text: str) -> None:
    assert lint_page("# PyTorch\n\n" + text.replace("@", DEAD) + "\n") == []


@pytest.mark.parametrize("text", ABOUT_ELSE)
def test_a_line_that_the_page_shows(text: str) -> None:
    found = lint_page("# PyTorch\n\n" + text.replace("@", DEAD) + "\n")
    assert [each.code for each in found] == ["no-such-release"]
