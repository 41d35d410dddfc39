# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of sbatch that have no row in the table, with the values that they take. No I/O. Private to hpc.pytorch.

Options of common plugins (pyxis, shifter) are among them, so that none is taken for a misspelling.
"""

from __future__ import annotations

import typing as t

from .verdicts import LATER, NEW, OLD, Rows

ANY = (r".*", "")
_COUNT = [(r"\s*\+?0*[1-9]\d{0,8}", "")]
_FROM_ZERO = [(r"(\s*\+?\d{1,9})?", "")]
_TIME = r"\d+(:\d+){0,2}|\d+-(\d+(:\d+){0,2})?"
_ENDLESS = r"-\d+|INFINITE|UNLIMITED"
_HOUR = r"((([01]?\d|2[0-3]):[0-5]\d(:[0-5]\d)?)|((0?[1-9]|1[0-2]):[0-5]\d(:[0-5]\d)?\s*[ap]\.?m\.?))"
_MONTH, _DAY = r"(0?[1-9]|1[0-2])", r"(0?[1-9]|[12]\d|3[01])"
_DATE = r"(\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])|(0[1-9]|1[0-2])[0-3]\d{3}|%s[/.]%s([/.](\d\d){1,2})?)" % (
    _MONTH,
    _DAY,
)
_NAMED = r"(today|tomorrow|midnight|noon|fika|teatime)"
_FROM_NOW = r"now(\s*[+-]\s*\d{1,9}\s*(seconds?|minutes?|hours?|days?|weeks?)?)?"
_MOMENT = r"{0}|({1}|{2}|{3})([\sT]+({1}|{2}|{3}))?".format(_FROM_NOW, _NAMED, _DATE, _HOUR)
_FREQUENCY = r"(task|energy|network|filesystem)=\d+[^,]*"
_GPUS = r"([A-Za-z0-9_][\w.+-]*[:=])?\d+[kmg]?|(?!all\b)[A-Za-z_][\w.+-]*"
_CPU_CLOCK = r"(low|medium|highm1|high|\+?0*[1-9]\d{0,8})"
_GOVERNOR = r"(?-i:[Oo]n[Dd]emand|[Pp]erformance|[Uu]ser[Ss]pace|conservative|powersave|schedutil)"
_CLOCK = r"(?-i:low|medium|highm1|high|\d{1,10})"
_BOARD = r"((\*|\d{1,9})(-\d{1,9})?|)"
_LIMIT = r"(RLIMIT_)?(AS|CORE|CPU|DATA|FSIZE|MEMLOCK|NOFILE|NPROC|RSS|STACK)"

# By option: patterns of values that mean something. An option without patterns is free text.
OTHERS: Rows = {
    "acctg-freq": [(r"(\+?\d{1,10}|%s)?(,(\d{1,9}|%s)?)*" % (_FREQUENCY, _FREQUENCY), "")],
    "batch": [ANY],
    "bb": [ANY],
    "bbf": [ANY],
    "begin": [(_MOMENT, ""), ("elevenses", NEW)],
    "cluster-constraint": [ANY],
    "container": [ANY],
    "container-id": [ANY],
    "core-spec": _FROM_ZERO,
    "cores-per-socket": _COUNT,
    "cpu-freq": [
        (r"{0}|{1}|{0}-{0}:{1}".format(_CPU_CLOCK, _GOVERNOR), ""),
        (r"{0}-{0}".format(_CPU_CLOCK), OLD),
    ],
    "deadline": [(_MOMENT, "")],
    "delay-boot": [(_TIME, ""), (_ENDLESS, "")],
    "export-file": [ANY],
    # In 22.05 it is short for --extra-node-info.
    "extra": [(r"{0}(:{0}){{0,3}}".format(_BOARD), OLD), (r".*", NEW)],
    "extra-node-info": [(r"{0}(:{0}){{0,3}}".format(_BOARD), "")],
    "get-user-env": [(r"([+-]?\d+)?[SL]?", "")],
    "gid": [ANY],
    "gpu-freq": [(r"({0}|memory={0}|verbose)(,(memory={0}|verbose))*".format(_CLOCK), "")],
    "gpus-per-socket": [(r"({0})(,({0}))*,?".format(_GPUS), "")],
    "input": [ANY],
    "kill-on-invalid-dep": [(r"yes|no", "")],
    "mcs-label": [ANY],
    "mincpus": _COUNT,
    "network": [ANY],
    "no-kill": [(r"(off|no)?", "")],
    "nodefile": [ANY],
    "ntasks-per-socket": _COUNT,
    "power": [ANY],
    "prefer": [ANY],
    "profile": [(r"(all|none|energy|task|lustre|network)(,(all|none|energy|task|lustre|network))*,?", "")],
    "propagate": [(r"(?-i:(ALL|NONE|{0}(,{0})*)?,?)".format(_LIMIT), "")],
    "resv-ports": _FROM_ZERO,
    "segment": _FROM_ZERO,
    "sockets-per-node": _COUNT,
    "switches": [(r"\s*\+?0*[1-9]\d{0,8}(@(%s|))?" % _TIME, "")],
    "thread-spec": _COUNT,
    "time-min": [(_TIME, ""), (_ENDLESS, "")],
    "tmp": [(r"\+?\d{1,18}([KMGT]B?)?", "")],
    "tres-bind": [ANY],
    "tres-per-task": [(r"({0})(,({0}))*".format(r"cpu[:=]\d{1,9}|gres[/:][\w.+-]+(:[\w.+-]+)?[:=]\d{1,9}"), NEW)],
    "uid": [ANY],
    "wckey": [ANY],
}
# What sbatch takes on top, without a use for it.
ODD_OTHERS: Rows = {
    "acctg-freq": [(r"\+?\d{1,9}\D.*", "")],
    "cpu-freq": [(r"\+?0*[1-9]\d{0,8}(?![\d:x-]).*|\d+-\d+-\d+", OLD), (r"\d{20,}", "")],
    "gpu-freq": [(r"\d{1,10};|,", "")],
    "gpus-per-socket": [(r",*", "")],
    "profile": [(r".*(all|none|energy|task|lustre|network).*", "")],
    "switches": [(r"\s*\+?0*[1-9]\d{0,8}@.*", "")],
    "tres-per-task": [(r"(?!cpu|gres|mem|.*[=/]).*", NEW)],
}

# Options that came after 22.05, after 24.11, or that are gone by 24.11.
NOT_BEFORE: t.Mapping[str, str] = {
    **dict.fromkeys("container-id resv-ports segment stepmgr tres-bind tres-per-task".split(), NEW),
    **dict.fromkeys("consolidate-segments spread-segments".split(), LATER),
}
NOT_SINCE: t.Mapping[str, str] = {"power": NEW}

# What to say about a wrong value: what is expected, and an example.
WORDS: t.Mapping[str, tuple[str, str]] = {
    "acctg-freq": ("seconds, or TYPE=seconds with commas", "task=30"),
    "begin": ("a time such as 16:00, 2030-01-31T12:00 or now+1hour", "now+1hour"),
    "cpu-freq": ("low, medium, high, a number of kHz, a range or a governor", "high"),
    "deadline": ("a time such as 16:00, 2030-01-31T12:00 or now+1hour", "now+1hour"),
    "delay-boot": ("minutes, M:S, H:M:S, D-H, D-H:M or D-H:M:S", "30"),
    "extra": ("sockets[:cores[:threads]], as it is short for --extra-node-info", "2:4:1"),
    "extra-node-info": ("sockets[:cores[:threads]]", "2:4:1"),
    "get-user-env": ("seconds, with S or L behind them", "10L"),
    "gpu-freq": ("low, medium, high, highm1 or a number of MHz, and memory=VALUE", "medium,memory=high"),
    "gpus-per-socket": ("[type:]number, or several with commas", "2"),
    "kill-on-invalid-dep": ("yes or no", "yes"),
    "nice": ("a whole number below 2147483646", "100"),
    "no-kill": ("off, or nothing", "off"),
    "priority": ("a whole number below 4294967294, or TOP", "100"),
    "profile": ("all, none, energy, task, lustre or network, with commas", "task"),
    "propagate": ("ALL, NONE or limits such as STACK, in capital letters", "NONE"),
    "switches": ("a number of switches, or number@time", "1@60"),
    "time-min": ("minutes, M:S, H:M:S, D-H, D-H:M or D-H:M:S", "30"),
    "tres-per-task": ("cpu=number or gres/NAME=number, with commas", "cpu=2"),
    "tmp": ("a whole number with K, M, G or T (without one, M)", "10G"),
}
COUNT_WORDS = ("a whole number from 1", "1")
