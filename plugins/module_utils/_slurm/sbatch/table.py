# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""sbatch's options: what each one takes. Private to hpc.pytorch."""

from __future__ import annotations

import re
import typing as t

from ..._common.errors import printable


class Option(t.NamedTuple):
    """An option of sbatch that the module knows the values of."""

    name: str
    type: str
    expected: str
    example: str
    valid: t.Callable[[str], bool]
    choices: tuple[t.Any, ...] = ()

    @property
    def directive(self) -> str:
        """Its name as sbatch spells it."""
        return self.name.replace("_", "-")


def _matches(pattern: str, flags: int = 0) -> t.Callable[[str], bool]:
    return lambda value: re.fullmatch(pattern, value, flags) is not None


def _path(value: str) -> bool:
    # sbatch expands no ~ and would make a folder of that name.
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
    bounds = re.fullmatch(r"(\d+)(k|m)?(?:-(\d+)(k|m)?)?", value, re.IGNORECASE | re.ASCII)
    if not bounds:
        return _matches(r"\d+(-\d+(:\d+)?)?(,\d+(-\d+(:\d+)?)?)+|\d+-\d+:\d+", re.ASCII)(value)
    scale = {"": 1, "k": 1024, "m": 1024 * 1024}
    low = int(bounds[1]) * scale[(bounds[2] or "").lower()]
    high = int(bounds[3]) * scale[(bounds[4] or "").lower()] if bounds[3] else low
    return 1 <= low <= high


def _hosts(value: str) -> bool:
    return _path(value) if "/" in value else _matches(r"[\w.,\[\]-]+", re.ASCII)(value) and _balanced(value)


def _export(value: str) -> bool:
    return printable(value) and _matches(r"[A-Za-z_]\w*(=[^,]*)?(,[A-Za-z_]\w*(=[^,]*)?)*", re.ASCII)(value)


_NAME = r"[A-Za-z0-9_][\w.+@-]*"
_NAMES = _NAME + r"(," + _NAME + r")*"
_GPUS = r"([A-Za-z_][\w.+-]*:)?\d+(,([A-Za-z_][\w.+-]*:)?\d+)*"
_GRES = r"(gres[:/])?[A-Za-z_][\w.+-]*(:[A-Za-z_][\w.+-]*)?([:=]\d+[kmgtp]?)?"
_MAIL = r"(NONE|BEGIN|END|FAIL|REQUEUE|ALL|INVALID_DEPEND|STAGE_OUT|TIME_LIMIT(_90|_80|_50)?|ARRAY_TASKS)"
_SIGNAL = r"((SIG)?(HUP|INT|QUIT|ABRT|KILL|ALRM|TERM|USR1|USR2|URG|CONT|STOP|TSTP|TTIN|TTOU)|[1-9]|[1-5]\d|6[0-4])"
_DEPEND = r"(after|afterany|afterok|afternotok|aftercorr|afterburstbuffer|expand)(:\d+(_\d+|_\*)?(\+\d+)?)+"
_BIND = r"(verbose,)?(closest|none|single:\d+|per_task:\d+|(map|mask)_gpu:[0-9A-Fa-fx,*]+)"
_GRES_FLAG = r"(disable-binding|enforce-binding|multiple-tasks-per-sharing|one-task-per-sharing|allow-task-sharing)"
_LAYOUT = r"(\*|block|cyclic|fcyclic)"


def _count(name: str) -> Option:
    return Option(name, "int", "a whole number from 1", "16", lambda value: int(value) >= 1)


def _memory(name: str) -> Option:
    valid = _matches(r"\d+([KMGT]B?)?", re.IGNORECASE | re.ASCII)
    return Option(name, "str", "a whole number with K, M, G or T (M where none is given)", "32G", valid)


def _gpus(name: str) -> Option:
    return Option(name, "str", "[type:]number, or several with commas", "2", _matches(_GPUS, re.ASCII))


def _names(name: str, what: str, example: str) -> Option:
    return Option(name, "str", what, example, _matches(_NAMES, re.ASCII))


def _text(name: str, example: str) -> Option:
    return Option(name, "str", "one line of printable text", example, printable)


def _file(name: str, what: str, example: str) -> Option:
    return Option(name, "str", what + ", written out (sbatch expands neither ~ nor variables)", example, _path)


def _choice(name: str, type_: str, *choices: t.Any) -> Option:
    known = tuple(str(choice) for choice in choices)
    return Option(name, type_, "one of " + ", ".join(known), known[0], lambda value: value in known, choices)


def _flag(name: str) -> Option:
    return Option(name, "bool", "true or false", "true", lambda value: False)


# In the order of the script. The first 24 in order of use express three of four scripts, all of them 96 of 100.
OPTIONS: tuple[Option, ...] = (
    _text("job_name", "train"),
    Option("nodes", "str", "a number of nodes, or minimum-maximum", "2", _nodes),
    _count("ntasks"),
    _count("ntasks_per_node"),
    _count("ntasks_per_core"),
    _count("cpus_per_task"),
    _count("cpus_per_gpu"),
    _count("threads_per_core"),
    _names("partition", "a partition's name, or several with commas", "titan"),
    _names("clusters", "a cluster's name, or several with commas", "main"),
    Option(
        "gres",
        "str",
        "name[:type]:number, or several with commas",
        "gpu:1",
        _matches(_GRES + r"(," + _GRES + r")*", re.IGNORECASE | re.ASCII),
    ),
    _gpus("gpus"),
    _gpus("gpus_per_node"),
    _gpus("gpus_per_task"),
    Option(
        "gpu_bind",
        "str",
        "closest, none, single:N, per_task:N, map_gpu:LIST or mask_gpu:LIST",
        "closest",
        _matches(_BIND, re.ASCII),
    ),
    Option(
        "gres_flags",
        "str",
        "disable-binding, enforce-binding, or another flag of Slurm's",
        "enforce-binding",
        _matches(_GRES_FLAG + r"(," + _GRES_FLAG + r")*", re.IGNORECASE),
    ),
    _memory("mem"),
    _memory("mem_per_cpu"),
    _memory("mem_per_gpu"),
    Option(
        "time",
        "raw",
        "minutes, M:S, H:M:S, D-H, D-H:M or D-H:M:S, in quotes",
        '"1-12:00:00"',
        _matches(r"\d+(:\d+(:\d+)?)?|\d+-\d+(:\d+(:\d+)?)?|INFINITE|UNLIMITED", re.IGNORECASE | re.ASCII),
    ),
    Option("account", "str", "an account's name", "physics", _matches(_NAME, re.ASCII)),
    Option("qos", "str", "a quality of service's name", "normal", _matches(_NAME, re.ASCII)),
    _names("reservation", "a reservation's name, or several with commas", "course"),
    Option("constraint", "str", "features joined by & | , * ( ) [ ]", "v100|a100", _constraint),
    Option(
        "licenses",
        "str",
        "name[@server][:number], or several with commas",
        "matlab:1",
        _matches(r"[\w.@/+-]+([:=]\d+)?([,;|][\w.@/+-]+([:=]\d+)?)*", re.ASCII),
    ),
    Option("nodelist", "str", "nodes' names, or a file that holds them", "titan[01-02]", _hosts),
    Option("exclude", "str", "nodes' names, or a file that holds them", "titan03", _hosts),
    Option("exclusive", "raw", "true, false, user, mcs or topo", "true", _matches("user|mcs|topo")),
    Option(
        "distribution",
        "str",
        "block, cyclic, arbitrary or plane=N, for nodes, sockets and cores",
        "block:cyclic",
        _matches(
            r"(\*|block|cyclic|arbitrary|plane=\d+)(:" + _LAYOUT + r"){0,2}(,(No)?Pack)?", re.IGNORECASE | re.ASCII
        ),
    ),
    _choice("hint", "str", "compute_bound", "memory_bound", "multithread", "nomultithread"),
    Option(
        "array",
        "str",
        "indices such as 0-9%4 or 1,3,5",
        "0-9%4",
        _matches(r"\d+(-\d+(:\d+)?)?(,\d+(-\d+(:\d+)?)?)*(%[1-9]\d*)?", re.ASCII),
    ),
    Option(
        "dependency",
        "str",
        "singleton, or type:job[:job] with commas or question marks between",
        "afterok:4711",
        _matches(r"({0}|singleton)([,?]({0}|singleton))*".format(_DEPEND), re.ASCII),
    ),
    Option(
        "signal",
        "str",
        "[B:]SIGNAL[@seconds]",
        "B:USR1@120",
        _matches(r"([BR]+:)?" + _SIGNAL + r"(@\d+)?", re.IGNORECASE | re.ASCII),
    ),
    _flag("requeue"),
    _flag("no_requeue"),
    _choice("open_mode", "str", "append", "truncate"),
    _choice("wait_all_nodes", "int", 0, 1),
    _file("output", "a path for the job's output", "logs/%x-%j.out"),
    _file("error", "a path for the job's errors", "logs/%x-%j.err"),
    _file("chdir", "the folder that the job starts in", "/home/alice/project"),
    Option("export", "str", "ALL, NONE, NIL or NAME[=value] with commas (no comma in a value)", "NONE", _export),
    Option(
        "mail_type",
        "str",
        "NONE, BEGIN, END, FAIL, ALL or another of Slurm's events, with commas",
        "END,FAIL",
        _matches(_MAIL + r"(," + _MAIL + r")*", re.IGNORECASE),
    ),
    Option("mail_user", "str", "a mail address or a user's name", "alice@example.org", _matches(r"[\w.+%@,=-]+")),
    _text("comment", "first try"),
)

BY_DIRECTIVE = {option.directive: option for option in OPTIONS}

SHORT = {
    "a": "array",
    "A": "account",
    "c": "cpus_per_task",
    "C": "constraint",
    "d": "dependency",
    "D": "chdir",
    "e": "error",
    "G": "gpus",
    "J": "job_name",
    "L": "licenses",
    "m": "distribution",
    "M": "clusters",
    "n": "ntasks",
    "N": "nodes",
    "o": "output",
    "p": "partition",
    "q": "qos",
    "t": "time",
    "w": "nodelist",
    "x": "exclude",
}

# sbatch's remaining options and those of common plugins (pyxis, shifter): known, so that none is taken for a misspelling.
KNOWN = frozenset(
    """
    acctg-freq batch bb bbf begin cluster-constraint consolidate-segments container container-id contiguous core-spec
    cores-per-socket cpu-freq deadline delay-boot export-file extra extra-node-info get-user-env gid gpu-freq
    gpus-per-socket hold ignore-pbs immediate input kill-on-invalid-dep mcs-label mem-bind mincpus network nice no-kill
    nodefile ntasks-per-gpu ntasks-per-socket overcommit oversubscribe power prefer priority profile propagate quiet
    reboot resv-ports segment share sockets-per-node spread-job spread-segments stepmgr switches thread-spec time-min
    tmp tres-bind tres-per-task uid use-min-nodes verbose wait wckey x11
    container-image container-mounts container-workdir container-name container-save container-mount-home
    no-container-mount-home container-remap-root no-container-remap-root container-entrypoint container-env
    no-container-entrypoint container-entrypoint-log container-writable container-readonly image volume
    """.split()
)
# Read from the command line alone; in a script they do nothing, or the opposite of a job.
COMMAND_LINE_ONLY = frozenset("help usage version wrap parsable test-only".split())
