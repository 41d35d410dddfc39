# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of sbatch: one row each. No I/O. Private to hpc.pytorch.

The module sbatch_script builds its argument spec from this table. ``make generate`` writes the documentation of the
module, and the argument specs, tasks and README of the role job_script from it (tools/generators/job_script.py).
"""

from __future__ import annotations

import re
import typing as t

from ..._common.errors import printable


class Option(t.NamedTuple):
    """An option of sbatch whose values are checked.

    :arg name: sbatch's long name, with underscores.
    :arg type: the type in the module's argument spec.
    :arg description: one paragraph for the module's documentation, in Ansible's markup.
    :arg expected: the values that it takes, for messages: ``expected NAME to be ...``.
    :arg example: such a value.
    :arg valid: whether a value is one of them.
    :arg choices: the values, where they are few.
    :arg short: sbatch's one-letter name.
    :arg since: the first release of Slurm that has it, where that matters.
    :arg also_directive: whether ``directives`` take it too.
    """

    name: str
    type: str
    description: str
    expected: str
    example: str
    valid: t.Callable[[str], bool]
    choices: tuple[t.Any, ...] = ()
    short: str = ""
    since: tuple[int, int] = (0, 0)
    also_directive: bool = False

    @property
    def directive(self) -> str:
        """The name as sbatch spells it: ``cpus-per-task``."""
        return self.name.replace("_", "-")


def _matches(pattern: str, flags: int = 0) -> t.Callable[[str], bool]:
    return lambda value: re.fullmatch(pattern, value, flags) is not None


def _path(value: str) -> bool:
    # sbatch does not expand ~; it would create a folder with that name.
    return printable(value) and not value.startswith("~")


def _balanced(value: str) -> bool:
    depth: list[str] = []
    for char in value:
        if char in "([":
            depth.append(")" if char == "(" else "]")
        elif char in ")]" and (not depth or depth.pop() != char):
            return False
    return not depth


def _constraint(value: str) -> bool:
    return _matches(r"[\w.:+=@/&|,*()\[\]!-]+", re.ASCII)(value) and _balanced(value)


def _nodes(value: str) -> bool:
    bounds = re.fullmatch(r"(\d{1,10})(k|m)?(?:-(\d{1,10})(k|m)?)?", value, re.IGNORECASE | re.ASCII)
    if not bounds:
        return _matches(r"\d+(-\d+)?(,\d+(-\d+)?)+|\d+-\d+:0*[1-9]\d*", re.ASCII)(value)
    scale = {"": 1, "k": 1024, "m": 1024 * 1024}
    low = int(bounds[1]) * scale[(bounds[2] or "").lower()]
    high = int(bounds[3]) * scale[(bounds[4] or "").lower()] if bounds[3] else low
    return 1 <= low <= high <= 2147483647


def _hosts(value: str) -> bool:
    return _path(value) if "/" in value else _matches(r"[\w.,\[\]-]+", re.ASCII)(value) and _balanced(value)


def _export(value: str) -> bool:
    return printable(value) and _matches(r"[A-Za-z_]\w*(=[^,]*)?(,[A-Za-z_]\w*(=[^,]*)?)*", re.ASCII)(value)


# Sites name partitions grete:shared and medium96s:test; gpu:1 is a mistaken gres.
_NAME = r"[A-Za-z0-9_][\w.+@-]*(:[A-Za-z][\w.+@-]*)*"
_NAMES = _NAME + r"(," + _NAME + r")*"
# A type may begin with a digit: 3090, 2080ti, 1g.10gb.
_GPUS = r"(\w[\w.+-]*:)?\d+(,(\w[\w.+-]*:)?\d+)*"
_GRES = r"(gres[:/])?[A-Za-z_][\w.+-]*(:\w[\w.+-]*)?([:=]\d+[kmgtp]?)?"
_MAIL = r"(NONE|BEGIN|END|FAIL|REQUEUE|ALL|INVALID_DEPEND|STAGE_OUT|TIME_LIMIT(_90|_80|_50)?|ARRAY_TASKS)"
_SIGNAL = r"((SIG)?(HUP|INT|QUIT|ABRT|KILL|ALRM|TERM|USR1|USR2|URG|CONT|STOP|TSTP|TTIN|TTOU)|[1-9]|[1-5]\d|6[0-4])"
_DEPEND = r"(after|afterany|afterok|afternotok|aftercorr|afterburstbuffer|expand)(:\d+(_\d+|_\*)?(\+\d+)?)+"
_BIND = r"(verbose,)?(closest|none|single:\d+|per_task:\d+|map_gpu:{0}(,{0})*|mask_gpu:{1}(,{1})*)".format(
    r"\d+(\*\d+)?", r"(0x)?[0-9A-Fa-f]+(\*\d+)?"
)
_GRES_FLAG = r"(disable-binding|enforce-binding|multiple-tasks-per-sharing|one-task-per-sharing|allow-task-sharing)"
# Source: sbatch's manual, and the sbatch of 22.05. Each kind of binding stands behind the flags, if at all.
_MEMORY = r"(quiet|q|verbose|v|none|no|rank|local|prefer|p|sort|nosort|map_mem:\d+(,\d+)*|mask_mem:{0}(,{0})*)".format(
    r"(0x)?[0-9a-f]+"
)
_LAYOUT = r"(\*|block|cyclic|fcyclic)"
# sbatch drops a bracket before the first number and after any: [1-3] is 1-3.
_INDICES = r"\[?\d+\]?(-\d+\]?(:\d+\]?)?)?"


def count(value: str) -> int:
    """The number of a count as sbatch reads it: ``count("+4")`` is 4, anything that is not a number is 0."""
    # No release takes larger ones as they are, and Python reads no number of more than 4,300 digits.
    number = re.fullmatch(r"\+?0*(\d{1,10})", value, re.ASCII)
    return int(number[1]) if number and int(number[1]) < 2147483647 else 0


def _count(name: str, description: str, **more: t.Any) -> Option:
    return Option(name, "int", description, "a whole number from 1", "16", lambda value: count(value) >= 1, **more)


def _memory(name: str, description: str, **more: t.Any) -> Option:
    valid = _matches(r"\d{1,18}([KMGT]B?)?", re.IGNORECASE | re.ASCII)
    expected = "a whole number with K, M, G or T (without one, M)"
    return Option(name, "str", description, expected, "32G", valid, **more)


def _gpus(name: str, description: str, **more: t.Any) -> Option:
    expected = "[type:]number, or several with commas"
    return Option(name, "str", description, expected, "2", _matches(_GPUS, re.ASCII), since=(19, 5), **more)


def _names(name: str, description: str, expected: str, example: str, **more: t.Any) -> Option:
    return Option(name, "str", description, expected, example, _matches(_NAMES, re.ASCII), **more)


def _text(name: str, description: str, example: str, **more: t.Any) -> Option:
    return Option(name, "str", description, "one line of printable text", example, printable, **more)


def _file(name: str, description: str, expected: str, example: str, **more: t.Any) -> Option:
    expected += ", written out (sbatch expands neither ~ nor variables)"
    return Option(name, "str", description, expected, example, _path, **more)


def _choice(name: str, type_: str, description: str, *choices: t.Any) -> Option:
    known = tuple(str(choice) for choice in choices)
    expected = "one of " + ", ".join(known)
    return Option(name, type_, description, expected, known[0], lambda value: value in known, choices)


def _flag(name: str, description: str, **more: t.Any) -> Option:
    return Option(name, "bool", description, "true or false", "true", lambda value: False, **more)


# In the order of the script.
OPTIONS: tuple[Option, ...] = (
    _text("job_name", "Name of the job.", "train", short="J"),
    Option(
        "nodes",
        "str",
        "Number of nodes, or minimum-maximum.",
        "a number of nodes, or minimum-maximum",
        "2",
        _nodes,
        short="N",
    ),
    _count(
        "ntasks",
        "Number of tasks that C(srun) starts. One process with 16 CPUs is O(ntasks=1) and O(cpus_per_task=16), "
        "not O(ntasks=16).",
        short="n",
    ),
    _count("ntasks_per_node", "Number of tasks on each node."),
    _count("ntasks_per_core", "Largest number of tasks on a core."),
    _count(
        "ntasks_per_gpu",
        "Number of tasks for each GPU; with it the job has O(ntasks) or GPUs, and Slurm computes the other.",
        since=(20, 11),
        also_directive=True,
    ),
    _count(
        "cpus_per_task",
        "Number of CPUs for each task. With O(style=current) the script passes the number on to C(srun), and to "
        "OpenMP, where the processes of a launcher share the CPUs.",
        short="c",
    ),
    _count("cpus_per_gpu", "Number of CPUs for each GPU.", since=(19, 5)),
    _count("threads_per_core", "Number of threads that each core must have."),
    _names(
        "partition",
        "Partition, or several with commas.",
        "a partition's name, or several with commas",
        "titan",
        short="p",
    ),
    _names(
        "clusters", "Cluster, or several with commas.", "a cluster's name, or several with commas", "main", short="M"
    ),
    Option(
        "gres",
        "str",
        "Generic resources per node, such as V(gpu:1) or V(gpu:titan:2,nvme:100).",
        "name[:type]:number, or several with commas",
        "gpu:1",
        _matches(_GRES + r"(," + _GRES + r")*", re.IGNORECASE | re.ASCII),
    ),
    _gpus("gpus", "GPUs of the whole job, V([type:]number).", short="G"),
    _gpus("gpus_per_node", "GPUs per node, V([type:]number)."),
    _gpus("gpus_per_task", "GPUs per task, V([type:]number)."),
    Option(
        "gpu_bind",
        "str",
        "How tasks are bound to GPUs.",
        "closest, none, single:N, per_task:N, map_gpu:LIST or mask_gpu:LIST",
        "closest",
        _matches(_BIND, re.ASCII),
        since=(19, 5),
    ),
    Option(
        "gres_flags",
        "str",
        "Flags for generic resources, such as V(enforce-binding).",
        "disable-binding, enforce-binding, or another flag of Slurm's",
        "enforce-binding",
        _matches(_GRES_FLAG + r"(," + _GRES_FLAG + r")*", re.IGNORECASE),
    ),
    _memory("mem", "Memory per node, such as V(32G). V(0) is all of it."),
    _memory("mem_per_cpu", "Memory per CPU."),
    _memory("mem_per_gpu", "Memory per GPU.", since=(19, 5)),
    Option(
        "time",
        "raw",
        "Time limit: minutes, V(M:S), V(H:M:S), V(D-H), V(D-H:M) or V(D-H:M:S). Put it in quotes, because YAML reads "
        "V(1:30:00) as a number.",
        "minutes, M:S, H:M:S, D-H, D-H:M or D-H:M:S, in quotes",
        '"1-12:00:00"',
        _matches(r"\d+(:\d+(:\d+)?)?|\d+-\d+(:\d+(:\d+)?)?|INFINITE|UNLIMITED", re.IGNORECASE | re.ASCII),
        short="t",
    ),
    Option(
        "account",
        "str",
        "Account that the job is charged to.",
        "an account's name",
        "physics",
        _matches(_NAME, re.ASCII),
        short="A",
    ),
    Option(
        "qos",
        "str",
        "Quality of service.",
        "the name of a quality of service",
        "normal",
        _matches(_NAME, re.ASCII),
        short="q",
    ),
    _names(
        "reservation",
        "Reservation, or several with commas.",
        "a reservation's name, or several with commas",
        "course",
    ),
    Option(
        "constraint",
        "str",
        "Features that the nodes must have, such as V(v100|a100).",
        "features joined by & | , * ( ) [ ]",
        "v100|a100",
        _constraint,
        short="C",
    ),
    Option(
        "licenses",
        "str",
        "Licenses that the job uses.",
        "name[@server][:number], or several with commas",
        "matlab:1",
        _matches(r"[\w.@/+-]+([:=]\d+)?([,;|][\w.@/+-]+([:=]\d+)?)*", re.ASCII),
        short="L",
    ),
    Option(
        "nodelist",
        "str",
        "Nodes that the job must get.",
        "names of nodes, or a file that holds them",
        "titan[01-02]",
        _hosts,
        short="w",
    ),
    Option(
        "exclude",
        "str",
        "Nodes that the job must not get.",
        "names of nodes, or a file that holds them",
        "titan03",
        _hosts,
        short="x",
    ),
    Option(
        "exclusive",
        "raw",
        "V(true) for whole nodes; V(user), V(mcs) or V(topo) restrict who may share them.",
        "true, false, user, mcs or topo",
        "true",
        _matches("user|mcs|topo"),
    ),
    Option(
        "distribution",
        "str",
        "How tasks are distributed over nodes, sockets and cores.",
        "block or cyclic for nodes, sockets and cores, with ,Pack or ,NoPack; or arbitrary, or plane=N",
        "block:cyclic",
        _matches(
            r"(\*|block|cyclic)(:" + _LAYOUT + r"){0,2}(,(No)?Pack)?|(No)?Pack|arbitrary|plane=[1-9]\d*",
            re.IGNORECASE | re.ASCII,
        ),
        short="m",
    ),
    _choice(
        "hint",
        "str",
        "What limits the speed of the job.",
        "compute_bound",
        "memory_bound",
        "multithread",
        "nomultithread",
    ),
    Option(
        "mem_bind",
        "str",
        "How tasks are bound to memory.",
        "none, rank, local, map_mem:LIST or mask_mem:LIST, with quiet, verbose, prefer or sort before it",
        "local",
        _matches(_MEMORY + r"(," + _MEMORY + r")*", re.IGNORECASE | re.ASCII),
        also_directive=True,
    ),
    _flag("overcommit", "V(true) allots one CPU for each node, and starts more tasks than CPUs.", also_directive=True),
    Option(
        "array",
        "str",
        "Indices of a job array, such as V(0-9%4).",
        "indices such as 0-9%4 or 1,3,5",
        "0-9%4",
        _matches(r"{0}(,{0})*(%[1-9]\d*)?".format(_INDICES), re.ASCII),
        short="a",
    ),
    Option(
        "dependency",
        "str",
        "Jobs that this job waits for, such as V(afterok:4711).",
        "singleton, or type:job[:job] with commas or question marks between",
        "afterok:4711",
        _matches(r"({0}|singleton)([,?]({0}|singleton))*".format(_DEPEND), re.IGNORECASE | re.ASCII),
        short="d",
    ),
    Option(
        "signal",
        "str",
        "Signal that Slurm sends before the time limit, such as V(B:USR1@120).",
        "[B:]SIGNAL[@seconds]",
        "B:USR1@120",
        _matches(r"([BR]+:)?" + _SIGNAL + r"(@\d+)?", re.IGNORECASE | re.ASCII),
    ),
    _flag(
        "requeue",
        "V(true) lets Slurm start the job again after a node failed or a job of higher priority preempted it.",
    ),
    _flag("no_requeue", "V(true) forbids Slurm to start the job again."),
    _choice("open_mode", "str", "Whether output is appended to an existing file.", "append", "truncate"),
    _choice("wait_all_nodes", "int", "V(1) starts the script when all nodes are up.", 0, 1),
    _file(
        "output",
        "File for the output of the job; V(%j) is the job's id, V(%x) its name. The folder must exist.",
        "a path for the job's output",
        "logs/%x-%j.out",
        short="o",
    ),
    _file(
        "error",
        "File for the errors of the job. By default they go to the file of O(output).",
        "a path for the job's errors",
        "logs/%x-%j.err",
        short="e",
    ),
    _file(
        "chdir",
        "Folder that the job starts in. By default the folder that it is submitted from.",
        "the folder that the job starts in",
        "/home/alice/project",
        short="D",
    ),
    Option(
        "export",
        "str",
        "Which variables of the submitting shell reach the job: V(ALL), V(NONE), V(NIL) or names. See also O(exports).",
        "ALL, NONE, NIL or NAME[=value] with commas (no comma in a value)",
        "NONE",
        _export,
    ),
    Option(
        "mail_type",
        "str",
        "Events for which Slurm sends mail, such as V(END,FAIL).",
        "NONE, BEGIN, END, FAIL, ALL or another of Slurm's events, with commas",
        "END,FAIL",
        _matches(_MAIL + r"(," + _MAIL + r")*", re.IGNORECASE),
    ),
    Option(
        "mail_user",
        "str",
        "Who gets the mail.",
        "a mail address or a user's name",
        "alice@example.org",
        _matches(r"[\w.+%@,=-]+"),
    ),
    _text("comment", "A comment, stored with the job.", "first try"),
)

BY_DIRECTIVE = {option.directive: option for option in OPTIONS}
SHORT = {option.short: option.name for option in OPTIONS if option.short}

# The remaining options of sbatch and of common plugins (pyxis, shifter), so that none is taken for a misspelling.
_WITH_VALUE = frozenset(
    """
    acctg-freq batch bb bbf begin cluster-constraint consolidate-segments container container-id core-spec
    cores-per-socket cpu-freq deadline delay-boot export-file extra extra-node-info gid gpu-freq gpus-per-socket
    input kill-on-invalid-dep mcs-label mem-bind mincpus network nice nodefile ntasks-per-gpu
    ntasks-per-socket power prefer priority profile propagate resv-ports segment sockets-per-node switches
    thread-spec time-min tmp tres-bind tres-per-task uid wckey container-image container-mounts container-workdir
    container-name container-save container-env container-entrypoint-log image volume
    """.split()
)
_WITHOUT_VALUE = frozenset(
    """
    contiguous hold ignore-pbs overcommit oversubscribe quiet reboot spread-job use-min-nodes verbose wait
    no-kill get-user-env stepmgr x11 spread-segments container-mount-home no-container-mount-home
    container-remap-root no-container-remap-root container-entrypoint no-container-entrypoint container-writable
    container-readonly
    """.split()
)
# Those of plugins: sbatch knows them only where a site has these.
PLUGINS = frozenset(
    """
    container-image container-mounts container-workdir container-name container-save container-env
    container-entrypoint-log container-mount-home no-container-mount-home container-remap-root
    no-container-remap-root container-entrypoint no-container-entrypoint container-writable container-readonly
    image volume
    """.split()
)
# Other names that sbatch takes; --cluster is not in its manual.
ALIASES = {"tasks-per-node": "ntasks-per-node", "cluster": "clusters"}
# Options that sbatch refuses, of older releases, of srun, of other schedulers, or invented; and what to write instead.
GONE = {
    "cpus-per-node": "cpus-per-task",
    "email": "mail-user",
    "exclude-nodes": "exclude",
    "immediate": "",
    "log": "output",
    "logfile": "output",
    "memory": "mem",
    "name": "job-name",
    "nnodes": "nodes",
    "nproc": "ntasks",
    "nprocs": "ntasks",
    "num-gpus": "gpus",
    "num-nodes": "nodes",
    "num-tasks": "ntasks",
    "ppn": "ntasks-per-node",
    "project": "account",
    "queue": "partition",
    "share": "oversubscribe",
    "stderr": "error",
    "stdout": "output",
    "timelimit": "time",
    "wall-time": "time",
    "walltime": "time",
    "workdir": "chdir",
}
KNOWN = (_WITH_VALUE | _WITHOUT_VALUE) - set(BY_DIRECTIVE)
# Read from the command line only: in a script they do nothing, or no job runs.
COMMAND_LINE_ONLY = frozenset("help usage version wrap parsable test-only".split())
# Options whose value stands behind an equals sign, or behind the letter, and never in the next word.
VALUE_ATTACHED = frozenset("exclusive get-user-env nice no-kill propagate x11".split())
# Options that take the next word as their value, whatever it is: -J -x.
TAKES_NEXT = (
    {option.directive for option in OPTIONS if option.type != "bool"} | _WITH_VALUE | {"wrap"}
) - VALUE_ATTACHED
# Options without a value: the next word of a line is another option.
FLAGS = (
    {option.directive for option in OPTIONS if option.type == "bool"}
    | {"exclusive"}
    | _WITHOUT_VALUE
    | (COMMAND_LINE_ONLY - {"wrap"})
)
