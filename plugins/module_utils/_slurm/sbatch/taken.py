# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What sbatch says to the value of an option: it is right, odd, or refused. No I/O. Private to hpc.pytorch.

Each row was tried with sbatch and the controller of Slurm 22.05 and 24.11, and tests/judges tries it again. Releases
between these two were not tried: they take what one of both takes.
"""

from __future__ import annotations

import typing as t

from .others import ANY, COUNT_WORDS, NOT_BEFORE, NOT_SINCE, ODD_OTHERS, OTHERS, WORDS
from .ranges import CHECKS
from .table import BY_DIRECTIVE, FLAGS, GONE, VALUE_ATTACHED, count
from .verdicts import NEW, ODD, OLD, REFUSED, RIGHT, Rows, holds, matches, releases

# An option that sbatch takes without a value after the equals sign, and then does not use.
EMPTY = frozenset(
    """
    account array chdir comment constraint dependency error exclude exclusive export gpus gpus-per-node gpus-per-task
    gres job-name licenses mail-user nodelist output partition qos reservation wait-all-nodes
    """.split()
)

_NAME = r"[\w.+@-]+(:[a-z][\w.+@-]*)*"
_TYPE = r"(?!all\b)[A-Za-z0-9_][\w.+-]*"
_HINT = r"(compute_bound|memory_bound|multithread|nomultithread)"
_GPUS = [(r"({0}|({0}[:=])?\d+[kmg]?)(,({0}|({0}[:=])?\d+[kmg]?))*,?".format(_TYPE), "")]
_MEMORY = [(r"\s*\+?\d{1,18}([KMGT]B?)?", "")]
_MAP, _MASK = r"\d+(\*\d+)?", r"(0x)?[\da-f]+(\*\d+)?"
_BIND = r"(closest|none|(single|per_task):\d+|map_gpu:{0}(,{0})*|mask_gpu:{1}(,{1})*)".format(_MAP, _MASK)
# Some with a type and some without.
_MIXED = (r"(?=(.*,)?\+?\d+[kmg]?(,|$))(?=(.*,)?([\w.+-]+[:=]|[a-z_][\w.+-]*(,|$))).*", "")
# What means something, beyond the values of the table.
_TAKEN: Rows = {
    "dependency": [(r"\d+(,\d+)*", "")],
    # Colons are separators, however many.
    "distribution": [(r":*(\*|block|cyclic)(:+(\*|block|cyclic|fcyclic)){0,2}:*(,((no)?pack)?)?", "")],
    "exclusive": [(r"exclusive|user|mcs", ""), ("topo", NEW)],
    # Names that are not set are not passed on.
    "export": [ANY],
    "gpu-bind": [
        (r"(verbose,)?%s(,verbose)?" % _BIND, ""),
        (r"(verbose,)?(map:{0}(,{0})*|mask:{1}(,{1})*)(,verbose)?".format(_MAP, _MASK), NEW),
    ],
    # A type alone is one GPU of it.
    "gpus": _GPUS,
    "gpus-per-node": _GPUS,
    "gpus-per-task": _GPUS,
    "gres": [(r"[a-z_][\w.+-]*(:[a-z0-9_][\w.+-]*)?([:=]\d+)?,", "")],
    "gres-flags": [(r"((dis|en)able-binding|enforce-binding|multiple-tasks-per-sharing|),?", NEW)],
    "hint": [(_HINT + r"(," + _HINT + r")*", "")],
    "licenses": [(r"[\w.@/+-]+([:=]\d*)?([,;|][\w.@/+-]+([:=]\d*)?)*,?", "")],
    # Nothing reads it until there is something to send.
    "mail-user": [ANY],
    "mem": _MEMORY,
    "mem-per-cpu": _MEMORY,
    "mem-per-gpu": _MEMORY,
    "mem-bind": [
        (
            r"(?=[^,])((quiet|q|verbose|v|none|no|rank|local|prefer|p|sort|nosort|(map|mask)_mem:(0x)?[\da-f]+(,(0x)?[\da-f]+)*)"
            r"(,(?!$)|$))+",
            "",
        )
    ],
    "open-mode": [(r"[at].*", "")],
    "partition": [(r",*{0}(,+{0})*,*".format(_NAME), "")],
    "qos": [(r"{0}(,{0})*".format(_NAME), NEW)],
    "reservation": [(r"{0}(,{0})*,".format(_NAME), "")],
    "time": [(r"-1|\d+-", "")],
}
# What sbatch takes although it means nothing, or no more than a part of it.
_ODD: Rows = {
    "account": [ANY],
    # As free text, ~ or $ too.
    "chdir": [ANY],
    "dependency": [(r"after\w*:-\d+", OLD)],
    "distribution": [(r"plane[^=]*=[1-9]\d*", "")],
    "error": [ANY],
    "gpu-bind": [
        (r"(verbose,)?((closest|none|single:|per_task:)[^,]*|(map|mask)_gpu:([\da-f,*]|0x)*)(,verbose)?", ""),
        (r"(verbose,)?[cn][^,]*", OLD),
    ],
    "gpus": [(r",+|,?\d+,?|=?[\w.+-]*:0+", ""), (r"([A-Za-z0-9_][\w.+-]*:)?\+\d+", OLD)],
    "gpus-per-node": [(r",+|,?\d+,?|=?[\w.+-]*:0+", ""), (r"([A-Za-z0-9_][\w.+-]*:)?\+\d+", OLD)],
    "gpus-per-task": [(r",+|,?\d+,?|=?[\w.+-]*:0+", ""), (r"\D.*|\d+:\D*", NEW)],
    "gres": [
        (r"\w+:0+", ""),
        (r"0+|,+|(,*{0})+,*".format(r"(gres/)?[a-z_][\w.+-]*(:\w[\w.+-]*)?([:=]\d+[kmgtp]?)?(?=,|$)"), NEW),
    ],
    "gres-flags": [(r",*", NEW)],
    "licenses": [(r",+", "")],
    "output": [ANY],
    "qos": [ANY],
    "time": [(r"-\d+", "")],
    "wait-all-nodes": [(r"\+?0*[01]", "")],
}
# Values of the table that some releases do not take.
_REFUSED: Rows = {
    "dependency": [(r"(.*[,?])?[a-z]+:0+([^0-9].*)?", "")],
    "exclusive": [("topo", OLD)],
    "gres": [(r".*\bgres/.*|.*=.*|.+,none\b.*|none,.+", OLD), (r".*\bgres:.*|.+,none\b.*|none,.+", NEW)],
    "gpus": [_MIXED],
    "gpus-per-node": [_MIXED],
    "gpus-per-task": [(_MIXED[0], OLD)],
    "gres-flags": [
        (r".*enforce.*disable.*|.*disable.*enforce.*", ""),
        (r".*,.*|.*-sharing", OLD),
        (r".*(one-task-per|allow-task)-sharing.*", NEW),
    ],
}
_COUNTS = frozenset(option.directive for option in BY_DIRECTIVE.values() if option.expected == "a whole number from 1")


def verdict(name: str, value: str | None, slurm: t.Sequence[int] | None = None) -> str:
    """What sbatch says to an option: ``verdict("nodes", "two")`` is ``refused``.

    :arg name: the long name of an option that ``is_known``.
    :arg value: None without one.
    :arg slurm: the version of Slurm; if it is not known, or lies between those that were tried, the mildest verdict.
    """
    found = {_of_release(name, value, release) for release in releases(slurm)}
    return RIGHT if RIGHT in found else ODD if ODD in found else REFUSED


def is_known(name: str, slurm: t.Sequence[int] | None = None) -> bool:
    """Whether sbatch of that Slurm has the option, or a site's plugin may bring it."""
    return any(is_known_in(name, release) for release in releases(slurm))


def is_known_in(name: str, release: str) -> bool:
    """``is_known`` for one of the tried releases."""
    return not (
        name in GONE
        or (name in NOT_BEFORE and not holds(release, NOT_BEFORE[name]))
        or (name in NOT_SINCE and holds(release, NOT_SINCE[name]))
    )


def words(name: str) -> tuple[str, str]:
    """What sbatch expects as the value of an option, and an example: ``words("nice")``."""
    option = BY_DIRECTIVE.get(name)
    return (option.expected, option.example.strip('"')) if option else WORDS.get(name, COUNT_WORDS)


def _of_release(name: str, value: str | None, release: str) -> str:
    if value is None:
        return RIGHT if name in FLAGS or name in VALUE_ATTACHED else REFUSED
    if name in FLAGS and name not in VALUE_ATTACHED:
        return REFUSED
    option = BY_DIRECTIVE.get(name)
    if option and not value:
        return RIGHT if name in EMPTY else ODD if matches(_ODD.get(name, ()), value, release) else REFUSED
    if name in _COUNTS:
        return RIGHT if count(value.lstrip()) else REFUSED
    if name in CHECKS:
        return CHECKS[name](value, release)
    if matches(_REFUSED.get(name, ()), value, release):
        return REFUSED
    if option and option.valid(value):
        return RIGHT
    if matches(_TAKEN.get(name, ()) if option else OTHERS.get(name, [ANY]), value, release):
        return RIGHT
    return ODD if matches((_ODD if option else ODD_OTHERS).get(name, ()), value, release) else REFUSED
