from __future__ import annotations

import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._common.errors import UserError
from ansible_collections.hpc.pytorch.plugins.module_utils._conda.engines.condarc import condarc_files, read_condarc


def test_the_users_file_wins_and_lists_are_merged(home, tmp_path):
    engine = tmp_path / "engine"
    engine.mkdir()
    (engine / ".condarc").write_text("channels: [conda-forge]\nchannel_priority: strict\npkgs_dirs: [/site]\n")
    (home / ".condarc").write_text("channels: mine\nchannel_priority: false\npkgs_dirs: ${HOME}/pkgs\n")
    files = condarc_files(str(engine))
    assert files[:2] == [str(home / ".condarc"), str(engine / ".condarc")]
    found = read_condarc(files[:2])
    assert found.channels == ("mine", "conda-forge")
    assert found.channel_priority == "disabled"
    assert found.pkgs_dirs == ("%s/pkgs" % home, "/site")


@pytest.mark.parametrize("text", ["channels: [", "- a list\n"])
def test_a_file_that_is_none_is_named(tmp_path, text):
    path = tmp_path / "condarc"
    path.write_text(text)
    with pytest.raises(UserError, match=str(path)):
        read_condarc([str(path)])
