"""Entry point: run the app, turn every error into one line and an exit code."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Sequence
from typing import cast

import typer

from escape_score.cli.app import app
from escape_score.errors import EscapeScoreError, ExitCode

MAX_ERROR_LINES = 20
DEBUG = "--debug"
INTERRUPTED = 130
FaultyUsageError = typer.BadParameter.__mro__[2]
"""Base of all errors of the command line: click's own class, or that of the copy inside later typers."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    argv
        Arguments; those of the process where None. ``--debug`` anywhere shows tracebacks.

    Returns
    -------
    int
        Exit code of :class:`escape_score.errors.ExitCode`.
    """
    given = list(sys.argv[1:] if argv is None else argv)
    after = given.index("--") if "--" in given else len(given)
    is_debug = DEBUG in given[:after]
    arguments = [a for i, a in enumerate(given) if a != DEBUG or i > after]
    try:
        result = app(args=arguments, prog_name="escape-score", standalone_mode=False)
    except EscapeScoreError as error:
        _show(error.lines, is_debug=is_debug)
        return int(error.exit_code)
    except (typer.Abort, KeyboardInterrupt):
        _show(("interrupted",), is_debug=False)
        return INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return int(ExitCode.DONE)
    except Exception as error:
        if isinstance(error, FaultyUsageError):
            return _refuse(cast("typer.BadParameter", error), is_debug=is_debug)
        what = " ".join(f"{type(error).__name__}: {error}".split())
        _show((f"internal: {what}; run again with {DEBUG} and report it",), is_debug=is_debug)
        return int(ExitCode.INTERNAL)
    return int(result) if isinstance(result, int) else int(ExitCode.DONE)


def _refuse(error: typer.BadParameter, *, is_debug: bool) -> int:
    """Say what is wrong with the command line, or show the help of a command that was given nothing."""
    message = error.format_message()
    if message.startswith("Usage:"):
        print(message, file=sys.stderr)
    else:
        command = error.ctx.command_path if error.ctx else "escape-score"
        _show((f"{' '.join(message.split()).rstrip('.')}; see {command} --help",), is_debug=is_debug)
    return int(ExitCode.USAGE)


def _show(lines: Sequence[str], *, is_debug: bool) -> None:
    """Write faults to stderr, one line each, at most twenty."""
    if is_debug:
        traceback.print_exc()
    n_shown = len(lines) if len(lines) <= MAX_ERROR_LINES else MAX_ERROR_LINES - 1
    for line in lines[:n_shown]:
        print(f"error: {line}", file=sys.stderr)
    if len(lines) > n_shown:
        print(f"error: and {len(lines) - n_shown} more faults; mend these first", file=sys.stderr)
