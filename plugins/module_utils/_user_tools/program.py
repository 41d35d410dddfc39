# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a tool: its errors are one line, and a closed pipe or Ctrl-C ends it in silence. Private to hpc.pytorch."""

from __future__ import annotations

import os
import signal
import sys
import traceback
import typing as t

from .._common.errors import UserError, one_line
from .._common.lines import visible

# The exit status for a command line that is wrong, and for what cannot be read.
UNUSABLE = 2


def run(name: str, work: t.Callable[[t.Sequence[str]], int]) -> t.NoReturn:
    """Call *work* with the command line and end with the exit status that it returns.

    :arg name: of the tool, for its messages.
    """
    # Reset while the tool was loading.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for stream in (sys.stdout, sys.stderr):
        # A file's name need not be text, and a terminal may know few characters.
        if stream is not None:
            t.cast(t.Any, stream).reconfigure(errors="backslashreplace")
    try:
        if sys.stdout is None:
            raise UserError("an open standard output", "a closed one", "send it to /dev/null")
        status = work(sys.argv[1:])
        sys.stdout.flush()
    except SystemExit:
        # argparse has printed the help or the version.
        status = _flushed(name)
    except KeyboardInterrupt:
        _end_by(signal.SIGINT)
    except BrokenPipeError:
        _end_by(signal.SIGPIPE)
    except UserError as error:
        status = _failed(name, str(error))
    except OSError as error:
        status = _failed(name, "%s%s" % (error.strerror or error, ": %s" % error.filename if error.filename else ""))
    except Exception as error:
        place = traceback.extract_tb(error.__traceback__)[-1]
        status = _failed(
            name,
            "a mistake in this program, at %s:%s: %s: %s; remedy: report it, with what you gave it"
            % (os.path.basename(place.filename), place.lineno, type(error).__name__, error),
        )
    # Not sys.exit, which would flush a full disk or a closed pipe again.
    os._exit(status)


def complain(name: str, message: str) -> None:
    """Print one line to the standard error output."""
    if sys.stderr is not None:
        sys.stderr.write("%s: %s\n" % (name, visible(one_line(message))))
        sys.stderr.flush()


def _flushed(name: str) -> int:
    try:
        t.cast(t.TextIO, sys.stdout).flush()
    except BrokenPipeError:
        _end_by(signal.SIGPIPE)
    except OSError as error:
        return _failed(name, str(error.strerror))
    return 0


def _failed(name: str, message: str) -> int:
    try:
        complain(name, message)
    except OSError:
        pass
    return UNUSABLE


def _end_by(number: signal.Signals) -> t.NoReturn:
    """End as a program does that does not handle the signal, so that a shell's loop ends too."""
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
    os._exit(128 + number)
