"""ansible-test sanity of another ansible-core: those tests that differ from the oldest one's. make cores runs all."""

from __future__ import annotations

import os
import pathlib
import subprocess

CHECKOUT = pathlib.Path(__file__).resolve().parents[3]
# Their code differs between 2.19 and 2.21, or they run ansible-core's own.
DIFFER = ("pylint", "validate-modules", "runtime-metadata", "ansible-doc", "import")


def test_sanity(series: str) -> None:
    cache = pathlib.Path(os.environ["HPC_TEST_CACHE"])
    chosen = [word for name in DIFFER for word in ("--test", name)]
    # The same Python, so that the venvs are those that the caller has made.
    python = os.environ.get("HPC_TEST_PYTHON", "")
    done = subprocess.run(
        [str(CHECKOUT / "tools/sanity.sh"), *chosen, "plugins/", "roles/", "playbooks/", "meta/"],
        env=dict(os.environ, HPC_CORE=series, XDG_CACHE_HOME=str(cache.parent), PYTHON=python),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert all('Running sanity test "%s"' % name in done.stdout for name in DIFFER), done.stdout
