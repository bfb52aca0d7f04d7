"""Entry point: run the app, turn every error into one line and an exit code."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Sequence

import click

from escape_score.cli.app import app
from escape_score.errors import EscapeScoreError, ExitCode

MAX_ERROR_LINES = 20
DEBUG = "--debug"
INTERRUPTED = 130


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
    except click.ClickException as error:
        _show((f"{error.format_message()}; see escape-score {_command(arguments)}--help",), is_debug=is_debug)
        return int(ExitCode.USAGE)
    except (click.Abort, KeyboardInterrupt):
        _show(("interrupted",), is_debug=False)
        return INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return int(ExitCode.DONE)
    except Exception as error:
        what = " ".join(f"{type(error).__name__}: {error}".split())
        _show((f"internal: {what}; run again with {DEBUG} and report it",), is_debug=is_debug)
        return int(ExitCode.INTERNAL)
    return int(result) if isinstance(result, int) else int(ExitCode.DONE)


def _command(arguments: list[str]) -> str:
    """Name of the command given, with a space; empty where there is none."""
    return f"{arguments[0]} " if arguments and not arguments[0].startswith("-") else ""


def _show(lines: Sequence[str], *, is_debug: bool) -> None:
    """Write faults to stderr, one line each, at most twenty."""
    if is_debug:
        traceback.print_exc()
    for line in lines[:MAX_ERROR_LINES]:
        print(f"error: {line}", file=sys.stderr)
    if len(lines) > MAX_ERROR_LINES:
        print(f"error: and {len(lines) - MAX_ERROR_LINES} more faults", file=sys.stderr)
