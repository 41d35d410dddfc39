# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a condarc surely has the wanted settings: what a YAML parser says is the judge of each text."""

from __future__ import annotations

import pytest
import yaml
from ansible_collections.hpc.pytorch.plugins.module_utils._site.settings import holds

WANTED = {"channels": ["file:///opt/app/channel", "conda-forge"], "channel_priority": "strict"}
SETTINGS = [yaml.safe_dump({key: value}) for key, value in WANTED.items()]
AS_WRITTEN = yaml.safe_dump(WANTED)


@pytest.mark.parametrize(
    "text",
    [
        AS_WRITTEN,
        "# ours: yes\n" + AS_WRITTEN,
        "auto_activate_base: false\n" + AS_WRITTEN,
        AS_WRITTEN + "ssl_verify: /etc/ssl/site.pem\nproxy_servers: http://proxy.example.org:3128\n",
        AS_WRITTEN + "create_default_packages:\n  - pip\n  - numpy\nalways_yes: true\n",
        "".join(reversed(SETTINGS)),
    ],
)
def test_other_plain_settings_do_not_matter(text: str) -> None:
    assert {key: yaml.safe_load(text)[key] for key in WANTED} == WANTED
    assert holds(text, SETTINGS)


# Each of them has all lines of the wanted settings somewhere, or nearly.
@pytest.mark.parametrize(
    "text",
    [
        "",
        SETTINGS[0],
        AS_WRITTEN.replace("strict", "flexible"),
        AS_WRITTEN.replace("- conda-forge\n", "- conda-forge\n- defaults\n"),
        AS_WRITTEN.replace("- conda-forge\n", ""),
        AS_WRITTEN + "channels: [defaults]\n",
        AS_WRITTEN + '"channels": [defaults]\n',
        AS_WRITTEN + "? channels\n: [defaults]\n",
        AS_WRITTEN + "other: {}\n---\nchannels: [defaults]\n",
        "other: |\n" + AS_WRITTEN.replace("\n", "\n  "),
        'other: "\n' + AS_WRITTEN + '"\n',
        "other: 'a\n\n" + AS_WRITTEN + "'\n",
        "other: [\n" + AS_WRITTEN + "]\n",
        "other: &a\n" + AS_WRITTEN,
        "# a\u2028channels: [defaults]\n" + AS_WRITTEN,
        "# a\rother: '\n" + AS_WRITTEN,
        AS_WRITTEN + "other: b\rchannels: [defaults]\n",
        AS_WRITTEN + "other: b\x85channels: [defaults]\n",
        AS_WRITTEN + "other:\n  - a\n - b\n",
        AS_WRITTEN + "other: a: b\n",
        AS_WRITTEN + "other:\n  channels: [defaults]\n",
        AS_WRITTEN.rstrip("\n"),
        AS_WRITTEN.replace("\n", "\r\n"),
        "\n" + AS_WRITTEN,
        "- a\n" + AS_WRITTEN,
    ],
)
def test_whatever_else_may_change_them_is_for_a_parser(text: str) -> None:
    assert not holds(text, SETTINGS)


def test_a_list_of_none_and_a_value_in_quotes_count_as_they_are_written() -> None:
    settings = [yaml.safe_dump({"channels": []}), yaml.safe_dump({"note": "a: b # c"})]
    assert holds("".join(settings), settings)
    assert not holds("channels: []\nnote: a\n", settings)


@pytest.mark.parametrize("setting", ["", "a: 1\nb: 2\n", "a: 1", "- a\n", "a: 1\na: 2\n"])
def test_a_setting_is_one_key(setting: str) -> None:
    with pytest.raises(ValueError, match="not one setting"):
        holds(AS_WRITTEN, [setting])
