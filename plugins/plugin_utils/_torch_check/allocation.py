# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Allocates one node with salloc and releases it, on the login node that runs Ansible. Private to hpc.pytorch."""

from __future__ import annotations

import contextlib
import os
import random
import re
import shutil
import signal
import string
import typing as t

from ansible_collections.hpc.pytorch.plugins.module_utils._common.errors import UserError, one_line
from ansible_collections.hpc.pytorch.plugins.module_utils._common.process import Done, OutOfTime, run, start
from ansible_collections.hpc.pytorch.plugins.module_utils._files.paths import require_absolute
from ansible_collections.hpc.pytorch.plugins.module_utils._files.trust import require_trusted
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.command import slurm_environment
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.model.cluster import parse_cluster, unseen
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.model.controller import suspends_nodes
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.model.listing import HIDDEN, NODES_FORMAT, parse_nodes
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.model.pairs import parse_config
from ansible_collections.hpc.pytorch.plugins.module_utils._torch.fleet.arrays import left_alone
from ansible_collections.hpc.pytorch.plugins.module_utils._torch.fleet.resources import arguments

# salloc gives up by itself after --immediate; this is for one that does not come back.
GRACE = 60
SCANCEL_SECONDS = 60
ASK_SECONDS = 60

# Arguments: the number of a process, scancel, the name of the allocation.
WATCH = """
while kill -0 "$0" 2>/dev/null; do sleep 1; done
exec "$1" --quiet --name="$2"
"""

Environment = t.Mapping[str, str]


class Options(t.NamedTuple):
    """The options of torch_check_allocation, see its documentation."""

    state: str
    node: str | None
    name: str | None
    watcher: int | None
    wait: int
    time: int
    exclusive: bool
    request: tuple[str, ...]
    bin_dir: str | None
    powered_down: bool = False

    @classmethod
    def of(cls, given: t.Mapping[str, t.Any]) -> Options:
        """The options from the arguments of the task.

        :raises UserError: one of them makes no sense.
        """
        require_absolute("bin_dir", given["bin_dir"])
        needed = "node" if given["state"] == "present" else "name"
        if not given[needed]:
            raise UserError("%s to be set for state %s" % (needed, given["state"]), "nothing", "set %s" % needed)
        for option in ("wait", "timeout", "time"):
            if given[option] is not None and given[option] < 1:
                raise UserError("%s to be at least 1" % option, str(given[option]), "correct it, or leave it out")
        request = ["--%s=%s" % (option, given[option]) for option in ("partition", "gres") if given[option]]
        # Two minutes more than the check: srun, and a Python that starts from a slow file system, take their time.
        minutes = given["time"] or (given["timeout"] + 179) // 60
        return cls(
            time=minutes,
            request=(*(["--exclusive"] if given["exclusive"] else []), *request, *arguments(given)),
            **{field: given[field] for field in cls._fields if field not in ("time", "request")},
        )

    def command(self, name: str) -> str:
        """``/opt/slurm/bin/salloc``, or ``salloc`` if it is on PATH."""
        return os.path.join(self.bin_dir, name) if self.bin_dir else name


class Allocation(t.NamedTuple):
    """A node that is allocated.

    :arg name: of the job; scancel takes it.
    :arg watcher: the process that releases the node should the play end early.
    """

    name: str
    job_id: int
    watcher: int


def salloc(options: Options, name: str) -> list[str]:
    """The command that allocates the node. If nobody releases it, its time limit does."""
    return [
        options.command("salloc"),
        "--no-shell",
        "--nodes=1",
        "--ntasks=1",
        "--nodelist=%s" % options.node,
        "--job-name=%s" % name,
        "--immediate=%d" % options.wait,
        "--time=%d" % options.time,
        *options.request,
    ]


def allocate(options: Options, play: int, environment: Environment) -> Allocation:
    """Allocate the node.

    :arg play: the process that runs the play; when it is gone, the node is released.
    :raises UserError: Slurm did not allocate it, or it is left alone (``left_alone`` has why). Nothing stays.
    """
    _require_up(options, environment)
    name = "torch_check-" + "".join(random.SystemRandom().choices(string.ascii_lowercase, k=12))
    watcher = _watch(options, name, play, environment)
    try:
        return Allocation(name, _run_salloc(options, name, environment), watcher)
    except BaseException:
        # If scancel fails as well, the watcher tries again at the end of the play.
        with contextlib.suppress(UserError):
            release(options._replace(name=name, watcher=watcher), environment)
        raise


def release(options: Options, environment: Environment) -> None:
    """Cancel the job of the allocation, and end its watcher.

    :raises UserError: scancel failed; the watcher tries again at the end of the play.
    """
    argv = [options.command("scancel"), "--quiet", "--name=%s" % options.name]
    done = _run(argv, SCANCEL_SECONDS, environment)
    if done.returncode:
        raise UserError(
            "scancel to release the node",
            done.stderr.strip() or "exit status %d" % done.returncode,
            "cancel it by hand: %s" % " ".join(argv),
        )
    if options.watcher:
        with contextlib.suppress(ProcessLookupError):
            os.kill(options.watcher, signal.SIGTERM)


def _require_up(options: Options, environment: Environment) -> None:
    """Refuse a node that the allocation would start."""
    why = left_alone(_state(options, environment), options.powered_down, options.request)
    if why:
        raise UserError(
            "node %s to be up" % options.node,
            why,
            "set powered_down to true (torch_check_slurm_powered_down) or reservation, as it says",
            left_alone=why,
        )


def _state(options: Options, environment: Environment) -> str:
    """The node's state as sinfo writes it; empty if there is no sinfo, or no such node: then salloc reports why.

    :raises UserError: Slurm does not answer.
    """
    environment = slurm_environment(environment)

    def ask(command: str, *arguments: str) -> str:
        if shutil.which(options.command(command), path=environment.get("PATH") or os.defpath) is None:
            return ""
        done = _run([options.command(command), *arguments], ASK_SECONDS, environment)
        if done.returncode and re.search(r"slurm_load_(?!.*denied)", done.stderr):
            raise UserError(
                "the state of node %s from %s" % (options.node, command),
                one_line(done.stderr),
                "check the controller: scontrol ping",
            )
        return done.stdout

    nodes = parse_nodes(ask("sinfo", "--noheader", "--Node", "--nodes=%s" % options.node, "--format=" + NODES_FORMAT))
    if options.node in nodes:
        return nodes[options.node].state
    if not suspends_nodes(parse_config(ask("scontrol", "show", "config"))):
        return ""
    listed = unseen(parse_cluster("", ask("scontrol", "--all", "--oneliner", "show", "partition"), ""))
    return HIDDEN if options.node in listed else ""


def _watch(options: Options, name: str, play: int, environment: Environment) -> int:
    """Start the watcher, in a session of its own that no Ctrl-C reaches. Ansible runs nothing after that."""
    _require_trusted(options.command("scancel"), environment)
    argv = ["/bin/sh", "-c", WATCH, str(play), options.command("scancel"), name]
    return start(argv, environment, alone=True).pid


def _run_salloc(options: Options, name: str, environment: Environment) -> int:
    done = _run(salloc(options, name), options.wait + GRACE, environment)
    granted = re.search(r"job allocation ([0-9]{1,18})\b", done.stderr)
    if done.returncode or granted is None:
        raise UserError(
            "an allocation of node %s" % options.node,
            one_line(done.stderr) or "exit status %d" % done.returncode,
            "check scontrol show node %s" % options.node,
        )
    return int(granted[1])


def _require_trusted(command: str, environment: Environment) -> None:
    """Refuse, as root, a command that another user could have written. A missing one is reported when it starts."""
    found = shutil.which(command, path=environment.get("PATH") or os.defpath)
    if found is not None:
        require_trusted(os.path.abspath(found), "Slurm's command")


def _run(argv: t.Sequence[str], seconds: float, environment: Environment) -> Done:
    """Run a command of Slurm's in this process group: Ctrl-C reaches salloc, which then gives up its request.

    :raises UserError: it cannot be started, root must not run it, or it gives no answer in time.
    """
    _require_trusted(argv[0], environment)
    try:
        return run(argv, environment, seconds=seconds, alone=False)
    except OutOfTime:
        raise UserError(
            "an answer from %s within %d s" % (argv[0], seconds),
            "no answer from %s in that time" % argv[0],
            "check the controller: scontrol ping",
        ) from None
    except OSError as error:
        raise UserError(
            "Slurm's command %s" % argv[0],
            "%s: %s" % (argv[0], error.strerror or error),
            "run Ansible on a login node, or set bin_dir to the folder of Slurm's commands",
        ) from error
