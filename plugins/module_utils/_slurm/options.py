# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""sbatch's options: one table of what each one takes, and what contradicts what. Private to hpc.pytorch."""

from __future__ import annotations

import json
import re
import typing as t

from .._host.errors import UserError
from .directives import Directives


class Option(t.NamedTuple):
    """An option of sbatch that the module knows the values of."""

    name: str
    type: str
    expected: str
    example: str
    valid: t.Callable[[str], bool]
    choices: t.Tuple[t.Any, ...] = ()

    @property
    def directive(self) -> str:
        """Its name as sbatch spells it."""
        return self.name.replace("_", "-")


def _matches(pattern: str, flags: int = 0) -> t.Callable[[str], bool]:
    return lambda value: re.fullmatch(pattern, value, flags) is not None


def printable(value: str) -> bool:
    """One line that shows what it is: no control or format characters, no exotic white space."""
    return bool(value) and value.isprintable()


def _path(value: str) -> bool:
    # sbatch expands no ~ and would make a folder of that name.
    return printable(value) and not value.startswith("~")


def _balanced(value: str) -> bool:
    depth: t.List[str] = []
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
_MAIL = (
    r"(NONE|BEGIN|END|FAIL|REQUEUE|ALL|INVALID_DEPEND|STAGE_OUT|TIME_LIMIT(_90|_80|_50)?|ARRAY_TASKS)"
)
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
OPTIONS: t.Tuple[Option, ...] = (
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

_EXCLUDE_EACH_OTHER = (
    (("mem", "mem_per_cpu", "mem_per_gpu"), "sbatch takes one of them"),
    (("requeue", "no_requeue"), "one is the opposite of the other"),
    (("cpus_per_task", "cpus_per_gpu"), "sbatch takes one of them"),
)


def shown(value: t.Any) -> str:
    """A value for a message, at a bearable length."""
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."


def collect(params: t.Mapping[str, t.Any]) -> Directives:
    """The directives that the options and ``directives`` ask for, in the script's order.

    :raises UserError: a value that the option does not take, options that exclude each other, or a key of
        ``directives`` that is an option or a misspelling of one.
    """
    asked: Directives = {}
    for option in OPTIONS:
        value = _value(option, params.get(option.name))
        if value is not None:
            asked[option.directive] = value
    for names, why in _EXCLUDE_EACH_OTHER:
        both = [name for name in names if name.replace("_", "-") in asked]
        if len(both) > 1:
            raise UserError("one of %s, as %s" % (", ".join(names), why), " and ".join(both), "leave all but one out")
    _require_room_for_tasks(params)
    for name, value in _rest(params.get("directives")):
        if name in asked:
            raise UserError("each directive once", "%s twice" % name, "leave one of them out")
        asked[name] = value
    return asked


def warnings(params: t.Mapping[str, t.Any]) -> t.List[str]:
    """What would run and is likely not meant."""
    found: t.List[str] = []
    minutes = params.get("time")
    if isinstance(minutes, int) and minutes >= 60:
        found.append(
            "time is the number %d, so %d minutes: where the play says time: 1:30:00 without quotes, YAML has made a "
            'number of it; write time: "1:30:00", or the minutes in quotes' % (minutes, minutes)
        )
    per_job = [name for name in ("gpus", "gpus_per_node", "gpus_per_task") if params.get(name)]
    if per_job and re.search(r"\bgpu\b", str(params.get("gres") or "")):
        found.append("gres asks for GPUs and %s does too: keep one of them" % ", ".join(per_job))
    for name in ("output", "error", "chdir"):
        if "$" in str(params.get(name) or ""):
            found.append("%s holds a $, which sbatch takes as it is: it expands no variables in directives" % name)
    return found


def _value(option: Option, value: t.Any) -> t.Union[str, bool, None]:
    if value is None:
        return None
    if option.type == "bool" or (option.name == "exclusive" and str(value).lower() in _BOOLEANS):
        return True if value is True or _BOOLEANS.get(str(value).lower()) else None
    if isinstance(value, bool) or not isinstance(value, (str, int)) or not option.valid(str(value)):
        raise UserError(
            "%s as %s" % (option.name, option.expected),
            shown(value),
            "give for example %s: %s" % (option.name, option.example),
        )
    return str(value)


_BOOLEANS = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}


def _require_room_for_tasks(params: t.Mapping[str, t.Any]) -> None:
    nodes, per_node, tasks = (str(params.get(name) or "") for name in ("nodes", "ntasks_per_node", "ntasks"))
    if nodes.isdigit() and per_node and tasks and int(tasks) > int(nodes) * int(per_node):
        raise UserError(
            "at most nodes x ntasks_per_node = %s x %s tasks" % (nodes, per_node),
            "ntasks: %s" % tasks,
            "leave ntasks out, or correct one of the three",
        )


def _rest(given: t.Any) -> t.Iterator[t.Tuple[str, t.Union[str, bool]]]:
    for name, value in pairs("directives", given):
        yield _rest_name(name), _rest_value(name, value)


def pairs(option: str, given: t.Any) -> t.Iterator[t.Tuple[str, t.Any]]:
    """Names and values of an option that is a dictionary, its JSON, or a list of NAME=value; True without a value.

    :raises UserError: anything else.
    """
    if isinstance(given, str) and given.startswith("{"):
        try:
            given = json.loads(given)
        except ValueError:
            raise UserError("%s as a dictionary" % option, shown(given), "close its braces and quotes") from None
    if given is None or given == "":
        return
    for item in given if isinstance(given, list) else [given]:
        if isinstance(item, dict):
            yield from ((str(name), value) for name, value in item.items())
        elif isinstance(item, str):
            name, equals, value = item.partition("=")
            yield name, value if equals else True
        else:
            raise UserError(
                "%s as a dictionary, or a list of NAME=value" % option, shown(item), "give %s: {NAME: value}" % option
            )


def _rest_name(given: str) -> str:
    bare = given[2:] if given.startswith("--") else given
    if bare.lstrip("-") in SHORT:
        _refuse_directive(given, "the option %s" % SHORT[bare.lstrip("-")])
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_.-]+", bare):
        raise UserError(
            "names of sbatch's options in directives, two plain hyphens in front or none",
            shown(given),
            "give it as directives: {NAME: VALUE}",
        )
    name = bare.replace("_", "-")
    if name in BY_DIRECTIVE:
        _refuse_directive(given, "the option %s" % BY_DIRECTIVE[name].name)
    if name in COMMAND_LINE_ONLY:
        raise UserError("directives that work in a script", shown(given), "leave it out; it is for the command line")
    if name in KNOWN:
        return name
    # getopt takes any unambiguous beginning for the whole, so partit would be partition.
    for known in sorted([*BY_DIRECTIVE, *KNOWN, *COMMAND_LINE_ONLY]):
        if known.startswith(name.lower()) or distance(name.lower(), known) <= (1 if len(known) < 8 else 2):
            option = BY_DIRECTIVE.get(known)
            _refuse_directive(given, "the option %s" % option.name if option else "directives: {%s: ...}" % known)
    return bare


def _refuse_directive(given: str, right: str) -> None:
    raise UserError("directives for what has no option of its own, spelt as sbatch does", shown(given), "use " + right)


def _rest_value(name: str, value: t.Any) -> t.Union[str, bool]:
    if value is None or value is True:
        return True
    if isinstance(value, (str, int, float)) and value is not False and printable(str(value)):
        return str(value)
    raise UserError(
        "one line of printable text for %s in directives, or true for a flag" % name,
        shown(value),
        "correct the value, or leave the directive out",
    )


def distance(left: str, right: str) -> int:
    """How many letters were left out, added, changed or swapped between two words."""
    before: t.List[int] = []
    row = list(range(len(right) + 1))
    for i, char in enumerate(left, 1):
        before, last, row = row, before, [i]
        for j, other in enumerate(right, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (char != other))
            if i > 1 and j > 1 and char == right[j - 2] and other == left[i - 2]:
                cost = min(cost, last[j - 2] + 1)
            row.append(cost)
    return row[-1]
