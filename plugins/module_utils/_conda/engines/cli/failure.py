# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why conda, mamba or micromamba failed, in their own decisive words. No I/O. Private to hpc.pytorch.

- conda prints one mapping with ``exception_name``, ``message`` and ``error``; of several errors the messages are in
  ``errors`` (``CondaMultiError`` in ``conda/__init__.py``).
- mamba 2 and micromamba 2 log to stderr: ``critical libmamba Multiple errors occurred:`` and one error a line
  (``libmamba/src/core/error_handling.cpp``). Some versions print ``solver_problems`` or, from 2.8.1 on, ``log_records``
  (mamba-org/mamba#1945) as JSON. With ``--json`` 2.8.1 does not name the match spec that is in the way.
"""

from __future__ import annotations

import re
import signal
import typing as t

from ...._common.errors import UserError
from ...._common.lines import lines_of
from ...._common.redact import without_credentials
from .output import Record, documents

_NETWORK = re.compile(
    r"HTTP|Connection|SSL|proxy|Could not resolve host|Download error|timed out|multi-download|Couldn't connect"
    r"|status: [345]\d\d|not loaded",
    re.IGNORECASE,
)
_SPACE = re.compile(r"No space left|Disk quota exceeded|NoSpaceLeft|NotEnoughSpace|ENOSPC", re.IGNORECASE)
_SOLVER = (
    "UnsatisfiableError",
    "PackagesNotFound",
    "ResolvePackageNotFound",
    "SpecsConfigurationConflict",
    "InvalidMatchSpec",
)
_UNSOLVED = "Could not solve for environment"
# A line of libmamba's log: the level, the source, the message, which may go on in the next lines.
_LOGGED = re.compile(r"\s*(?P<level>trace|debug|info|warning|error|critical)\s+libmamba\s+(?P<text>.*)")
# Advice that does not say what is wrong, or that does not apply to a user of conda_env.
_ADVICE = re.compile(
    "|".join(
        re.escape(text).replace(r"\ ", r"\s+").replace("ANY", r".*?")
        for text in (
            "Elapsed: ANY\n",
            "An HTTP error occurred when trying to retrieve this URL.",
            "HTTP errors are often intermittent, and a simple retry will get you on your way.",
            "You will need to modify your conda configuration to proceed.",
            "You will need to adjust your conda configuration to proceed.",
            "Use `conda config --show` to view your configuration's current state.",
            "Use `conda config --show channels` to view your configuration's current state, and use "
            "`conda config --show-sources` to view config file locations.",
            "Further configuration help can be found at <ANY>.",
            "As of conda 4.3, a valid channel must contain a `noarch/repodata.json` even if `noarch/repodata.json` is "
            "empty. Use `conda index ANY`, or create `noarch/repodata.json`",
            "To search for alternate channels that may provide the conda package you're looking for, navigate to "
            "ANY and use the search bar at the top of the page.",
            "Output in format: Requested package -> Available versions",
            "Multiple errors occurred:",
            "If you run into this error repeatedly, your package cache may be corrupted.",
            "Please try running `mamba clean -a` to remove this cache before retrying the operation.",
            "If you still are having issues, please report the error on `mamba-org/mamba`'s issue tracker: ANY\n",
        )
    ),
    re.IGNORECASE,
)
_MOST_ERRORS = 3
_EXPECTED = {
    "solver": (
        "packages in %(channels)s that satisfy %(specs)s",
        "correct the match specs or the channels; set cuda where a package needs __cuda",
    ),
    "network": (
        "channels that answer: %(channels)s",
        "check the address, the credentials and the network, or correct the channels",
    ),
    "space": (
        "room for the packages",
        "check the disk's space and quota (package_cache moves the cache), then run again",
    ),
    "signal": (
        "%(tool)s to finish",
        "run again; if it happens again, check this machine's memory and limits, or use engine rattler",
    ),
    "other": ("%(tool)s to succeed", "run it by hand to see what it complains about, or use engine rattler"),
}


def failure(
    tool: str, channels: t.Iterable[str], specs: t.Iterable[str], stdout: str, stderr: str, status: int
) -> UserError:
    """The error that *tool* printed, with a remedy; the solver's whole reason is in ``solver``."""
    kind, message = problem_in(stdout, stderr, status)
    expected, remedy = _EXPECTED[kind]
    shown = {
        "tool": tool,
        "channels": without_credentials(", ".join(channels)) or "the channels of the packages",
        "specs": without_credentials(", ".join(specs)) or "the request",
    }
    return UserError(expected % shown, decisive(message), remedy, **({"solver": message} if kind == "solver" else {}))


def reports_failure(stdout: str) -> bool:
    """Whether the output reports a failed solve, whatever the exit status."""
    return any(document.get("success") is False and document.get("solver_problems") for document in documents(stdout))


def has_crashed_at_its_end(stdout: str, status: int) -> bool:
    """Whether a signal has ended the tool after its whole answer, which says that it succeeded."""
    return status < 0 and any(document.get("success") is True for document in documents(stdout))


def lacks_reason(stdout: str, stderr: str) -> bool:
    """Whether the answer for programs does not say why: conda could not print it, libmamba names no match spec."""
    text = stdout + stderr
    return "is not JSON serializable" in text or (_UNSOLVED in text and "─" not in text)


def problem_in(stdout: str, stderr: str, status: int) -> tuple[str, str]:
    """``solver``, ``network``, ``space``, ``signal`` or ``other``, and the tool's message without credentials."""
    kind, message = "other", ""
    for document in documents(stdout):
        if document.get("solver_problems"):
            kind, message = "solver", "\n".join(str(problem) for problem in document["solver_problems"])
        elif document.get("exception_name") or document.get("error"):
            names = [str(document.get("exception_name") or "")]
            message = str(document.get("message") or document.get("error"))
            errors = document.get("errors")
            if isinstance(errors, list) and errors:
                names, message = [str(each.get("exception_name") or "") for each in errors], _several(errors)
            kind = "solver" if any(part in name for part in _SOLVER for name in names) else "other"
        elif document.get("success") is False and document.get("log_records"):
            message = "\n".join(_log_line(entry) for entry in document["log_records"])
    if status < 0 and not message:
        return "signal", "it was ended by %s" % _signal(-status)
    logged = "\n".join(_different(text for level, text in log_entries(stderr) if level in ("critical", "error")))
    if kind == "solver" and logged:
        # The tree on stderr has more detail than the JSON's list (mamba-org/mamba#2513).
        message = message + "\n" + logged
    message = message or logged or _end_of(stderr) or _end_of(stdout) or "exit status %d" % status
    if _UNSOLVED in message or message.startswith(_SOLVER):
        kind = "solver"
    if kind == "other":
        kind = "space" if _SPACE.search(message) else "network" if _NETWORK.search(message) else "other"
    return kind, without_credentials(message.strip())


def decisive(message: str) -> str:
    """*message* without general advice; the whole one if nothing else is in it."""
    return " ".join(_ADVICE.sub(" ", message + "\n").split()) or message


def error_messages(stdout: str) -> list[str]:
    """Each message of conda's errors."""
    found = []
    for document in documents(stdout):
        for each in [document, *(document.get("errors") or [])]:
            if isinstance(each, dict) and each.get("message"):
                found.append(str(each["message"]))
    return found


def log_entries(stderr: str) -> list[tuple[str, str]]:
    """Level and message of each entry of libmamba's log. What comes before the first one is left out."""
    found: list[tuple[str, str]] = []
    for line in lines_of(stderr):
        match = _LOGGED.match(line)
        if match:
            found.append((match.group("level"), match.group("text")))
        elif found:
            level, text = found[-1]
            found[-1] = level, text + "\n" + line
    return found


def _different(messages: t.Iterable[str]) -> list[str]:
    """Those that no earlier one holds: libmamba reports that it could not solve once more at its end."""
    found: list[str] = []
    for message in messages:
        if not any(message.strip() in earlier for earlier in found):
            found.append(message)
    return found


def _several(errors: t.Sequence[Record]) -> str:
    messages = list(dict.fromkeys(" ".join(str(each.get("message") or each.get("error")).split()) for each in errors))
    more = len(messages) - _MOST_ERRORS
    return "\n".join(messages[:_MOST_ERRORS] + (["and %d more such errors" % more] if more > 0 else []))


def _signal(number: int) -> str:
    """``signal SIGSEGV (Segmentation fault)``."""
    try:
        name = signal.Signals(number).name
    except ValueError:
        return "signal %d" % number
    return "signal %s (%s)" % (name, signal.strsignal(number))


def _end_of(text: str) -> str:
    """The last three lines, where a traceback has its error."""
    return "\n".join(lines_of(text.strip())[-3:])


def _log_line(entry: t.Any) -> str:
    return str(entry.get("message") or entry) if isinstance(entry, dict) else str(entry)
