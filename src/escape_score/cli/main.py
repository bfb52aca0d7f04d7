"""Entry point: run the app, turn every error into one line and an exit code."""

from __future__ import annotations

import atexit
import codecs
import errno
import gc
import io
import json
import os
import re
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from types import FrameType
from typing import NoReturn, cast

import typer

from escape_score.cli import axes, genesets, reference
from escape_score.cli.cells import cells
from escape_score.cli.cells_stages import cells_bulk, cells_patient, cells_read, cells_seeds
from escape_score.cli.check import check
from escape_score.cli.compare import compare
from escape_score.cli.export import export
from escape_score.cli.init import init
from escape_score.cli.log import print_limited
from escape_score.cli.options import options
from escape_score.cli.report import gather, report
from escape_score.cli.run import run
from escape_score.cli.schema import schema
from escape_score.cli.stages import harmonise, profile, read, score
from escape_score.cli.verify import verify
from escape_score.cli.workflow import workflow
from escape_score.errors import BY_SIGNAL, EscapeScoreError, ExitCode, did_you_mean, unknown_name

app = typer.Typer(
    help=options.__doc__,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.callback()(options)
for command in (
    init,
    run,
    cells,
    workflow,
    read,
    harmonise,
    score,
    profile,
    report,
    gather,
    compare,
    check,
    verify,
    export,
    schema,
):
    app.command()(command)
for job in (cells_read, cells_seeds, cells_patient, cells_bulk):
    app.command(hidden=True)(job)
app.add_typer(axes.commands, name="axes")
app.add_typer(genesets.commands, name="genesets")
app.add_typer(reference.commands, name="reference")

DEBUG = "--debug"
ENDED_BY = {
    signal.SIGINT: signal.default_int_handler,
    signal.SIGTERM: signal.SIG_DFL,
    signal.SIGHUP: signal.SIG_DFL,
    signal.SIGALRM: signal.SIG_DFL,
}
"""Signals that end a program, and what Python does then by default."""
INSIST_S = 0.5

FaultyUsageError = typer.BadParameter.__mro__[2]
"""Base of all errors of the command line: click's own class, or that of the copy inside later typers."""


WRONG_OPTION = re.compile(r"No such option:? '?(-[^\s']+)")
WRONG_COMMAND = re.compile(r"No such command '([^']*)'")
WRONG_WORD = re.compile(r"Invalid value for '?([^':]+)'?: (?:Value error, )?'(.*)' is not one of ('.+)")
"""Sentences of the parser that hold a name which is not known."""
UNREADABLE = re.compile(r"Invalid value for .*?: \w+ '(.*)' is not readable")
"""What the parser says of a file that may not be read: a fault of the input, as if a reader had found it."""


def program() -> NoReturn:
    """Run the command line, and end the process with its exit code.

    Threads of libraries may still free what they have read. If Python's own end meets one that needs the
    interpreter for that, the process aborts (134): one in eight that refused a text file, on a busy machine.
    So what is to be done at the end is done while there is an interpreter, and then the process is left.
    """
    code = main()
    atexit._run_exitfuncs()
    _leave(code)


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
    is_debug = False
    try:
        with _unwinding():
            given, is_debug = _given(argv)
            _prepare(is_program=argv is None)
            result = _command()(args=given, prog_name="escape-score", standalone_mode=False)
            sys.stdout.flush()
    except EscapeScoreError as error:
        _show(error.lines, is_debug=is_debug)
        return int(error.exit_code)
    except (typer.Abort, KeyboardInterrupt):
        _show(("interrupted",), is_debug=False)
        return BY_SIGNAL + signal.SIGINT
    except _EndedError as error:
        # modules that the signal caught half imported would crash in an orderly end
        _show(("interrupted" if error.signal_number == signal.SIGINT else "terminated",), is_debug=False)
        _leave(BY_SIGNAL + error.signal_number)
    except (BrokenPipeError, SystemExit):  # typer itself makes an exit of a closed pipe, and of nothing else
        _give_up_stdout()
        return int(ExitCode.DONE)
    except Exception as error:
        return _refuse(error, is_debug=is_debug)
    return int(result) if isinstance(result, int) else int(ExitCode.DONE)


def _given(argv: Sequence[str] | None) -> tuple[list[str], bool]:
    """Arguments without ``--debug``, and whether it is there; what follows ``--`` is for Snakemake."""
    given = list(sys.argv[1:] if argv is None else argv)
    after = given.index("--") if "--" in given else len(given)
    return [a for i, a in enumerate(given) if a != DEBUG or i > after], DEBUG in given[:after]


def _prepare(*, is_program: bool) -> None:
    """Set what the process needs before a command runs."""
    if is_program:
        # imports alone make so many objects that looking for cycles takes a tenth of a short run
        gc.set_threshold(100_000, 50, 100)
    _print_anything()
    # HDF5 refuses files on a file system without locks, such as NFS without a lock service. Ours need none:
    # each is written under a name of its own and then renamed.
    os.environ.setdefault("HDF5_USE_FILE_LOCKING", "FALSE")


@cache
def _command() -> Callable[..., object]:
    """The parser of command lines, made once a process: it takes as long as a short command."""
    return typer.main.get_command(app)


def _print_anything() -> None:
    """Print letters that the terminal does not have as JSON escapes them, instead of failing."""
    codecs.register_error("escape_score_json", _as_json_escape)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="escape_score_json")


def _as_json_escape(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return json.dumps(error.object[error.start : error.end])[1:-1], error.end


def _is_of_stdout(error: OSError) -> bool:
    """Whether printing failed, as into a full disk: a file has a name, or is written elsewhere."""
    *_, (frame, _line) = traceback.walk_tb(error.__traceback__)
    module = str(frame.f_globals.get("__name__", ""))
    is_printing = module.startswith(("escape_score.cli.", "typer."))
    return error.filename is None and is_printing


def _give_up_stdout() -> None:
    """Send what is left to nowhere, so that the interpreter does not fail at it when it ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _leave(code: int) -> NoReturn:
    """End the process at once, with all that was printed."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError):
            stream.flush()
    os._exit(code)


class _EndedError(BaseException):
    """The process was asked to end; no ``except Exception`` on the way may take it for a fault of its own."""

    def __init__(self, signal_number: int) -> None:
        super().__init__(f"signal {signal_number}")
        self.signal_number = signal_number


@contextmanager
def _unwinding() -> Iterator[None]:
    """Let signals unwind the stack, so that temporary files go; ignored ones stay ignored.

    Libraries and the garbage collector swallow an exception that meets them in a callback, or make one of
    their own of it: it is raised until the stack is unwound, comes out as what it was, and is not printed.
    """
    received: list[int] = []
    usual_hook = sys.unraisablehook

    def unwind(number: int, _frame: FrameType | None) -> None:
        received.append(number)
        signal.setitimer(signal.ITIMER_REAL, INSIST_S)
        raise _EndedError(received[0])

    def hush(unraisable: sys.UnraisableHookArgs) -> None:
        if not isinstance(unraisable.exc_value, _EndedError):
            usual_hook(unraisable)

    is_main = threading.current_thread() is threading.main_thread()
    taken = {s: usual for s, usual in ENDED_BY.items() if is_main and signal.getsignal(s) is usual}
    try:
        for number in taken:
            signal.signal(number, unwind)
        sys.unraisablehook = hush
        yield
    except BaseException:
        if received:
            raise _EndedError(received[0]) from None
        raise
    finally:
        sys.unraisablehook = usual_hook
        if received:
            signal.setitimer(signal.ITIMER_REAL, 0)
        for number, usual in taken.items():
            signal.signal(number, usual)


def _refuse(error: Exception, *, is_debug: bool) -> int:
    """Report a fault of the command line, of where it prints to, or of the program; its exit code."""
    if isinstance(error, FaultyUsageError):
        return _refuse_usage(cast("typer.BadParameter", error), is_debug=is_debug)
    if isinstance(error, OSError) and _is_of_stdout(error):
        _give_up_stdout()
        why = os.strerror(error.errno or 0)
        said = f"standard output: cannot be written ({why}); choose another file or free space"
        _show((said,), is_debug=is_debug)
        return int(ExitCode.USAGE)
    what = " ".join(f"{type(error).__name__}: {error}".split())
    _show((f"internal: {what}; run again with {DEBUG} and report it",), is_debug=is_debug)
    return int(ExitCode.INTERNAL)


def _refuse_usage(error: typer.BadParameter, *, is_debug: bool) -> int:
    """Say what is wrong with the command line, or show the help of a command that was given nothing."""
    message = error.format_message()
    if found := UNREADABLE.match(message):
        why = os.strerror(errno.EACCES)
        _show((f"{found[1]}: cannot be read ({why}); check its permissions",), is_debug=is_debug)
        return int(ExitCode.INPUT)
    if message.startswith("Usage:"):
        print(message, file=sys.stderr)
    else:
        command = error.ctx.command_path if error.ctx else "escape-score"
        said = _with_right_name(" ".join(message.split()).rstrip("."), error.ctx)
        _show((f"{said}{'' if said.endswith('?') else ';'} see {command} --help",), is_debug=is_debug)
    return int(ExitCode.USAGE)


def _with_right_name(message: str, context: object) -> str:
    """The sentence of the parser of command lines, in our words where a name in it is not known."""
    command = getattr(context, "command", None)
    if found := WRONG_OPTION.match(message):
        options = (name for one in getattr(command, "params", ()) for name in one.opts if name[:2] == "--")
        return f"unknown option {found[1]}{did_you_mean(found[1], options)}"
    if found := WRONG_COMMAND.match(message):
        known = getattr(command, "commands", {}).items()
        names = [name for name, one in known if not one.hidden]
        return unknown_name("command", found[1], names)
    if found := WRONG_WORD.match(message):
        allowed = re.findall("'([^']+)'", found[3])
        return f"{found[1]}: {unknown_name('value', found[2], allowed)}"
    return message


def _show(lines: Sequence[str], *, is_debug: bool) -> None:
    """Write faults to stderr, one line each, at most twenty."""
    if is_debug:
        traceback.print_exc()
    shown = [f"error: {line}" for line in lines]
    print_limited(shown, rest="error: and {n} more faults; fix these first")
