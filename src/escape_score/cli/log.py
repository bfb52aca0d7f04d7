"""What a command says on stderr while it works: words for people, or JSON lines for programs."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self, TextIO

if TYPE_CHECKING:
    from escape_score.store.manifest import Manifest

WIDE = 500
"""Columns where nobody's terminal ends: a path is not broken, and can be copied."""

MAX_LINES = 20
"""Most lines that a list of faults or failed samples has."""


def is_flagged(codes: Iterable[str]) -> bool:
    """Whether flags of a sample contain a caution or an error; a note on the input is neither."""
    from escape_score.model.notes import Code, Severity, severity_of

    return any(severity_of(Code(code)) is not Severity.NOTE for code in codes)


def print_limited(lines: Sequence[str], *, rest: str, to: TextIO | None = None) -> None:
    """Write lines to stderr, at most twenty; the last is then ``rest`` with the number ``{n}`` of others.

    ``to`` is another stream to write them to.
    """
    stream = to or sys.stderr
    n_shown = len(lines) if len(lines) <= MAX_LINES else MAX_LINES - 1
    for line in lines[:n_shown]:
        print(line, file=stream)
    if len(lines) > n_shown:
        print(rest.format(n=len(lines) - n_shown), file=stream)


def print_lost(folder: Path, before: Manifest | None, now: Manifest | None) -> None:
    """Report on stderr, in one line, in what the earlier result in a folder had more, or was another."""
    from escape_score.store.manifest import exchanged_since, lost_since

    lost, exchanged = lost_since(before, now), exchanged_since(before, now)
    said = [f"had {_joined(lost)}, which this one does not have"] if lost else []
    said += [f"was made with {_joined(exchanged)}"] if exchanged else []
    if said:
        print(f"note: {folder}: the earlier result {'; it '.join(said)}", file=sys.stderr)


def _joined(names: Sequence[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


@contextmanager
def remarks_to(log: CommandLog) -> Iterator[list[str]]:
    """Let a command say what the reader of a matrix remarks, once, as its other notes.

    They are said at the end of the block, and not if it fails: only errors are said then. The block may take
    them from the list.
    """
    import logging  # takes as long as a twentieth of --help

    said: list[str] = []

    class _Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            said.append(record.getMessage())

    logger = logging.getLogger("escape_score")
    usual, logger.handlers = logger.handlers, [_Handler()]
    try:
        yield said
    finally:
        logger.handlers = usual
    for text in dict.fromkeys(said):
        log.note(text)


@dataclass(frozen=True)
class CommandLog:
    """Where a command says what it does: where quiet, nothing but errors.

    As JSON, one object a line instead of words: ``time`` (UTC), ``event`` and what belongs to it.
    """

    is_quiet: bool = False
    is_json: bool = False

    def event(self, event: str, /, **facts: object) -> None:
        """Note an event for programs; people see progress and the summary instead."""
        if self.is_json and not self.is_quiet:
            now = datetime.now(UTC).isoformat(timespec="milliseconds")
            print(json.dumps({"time": now, "event": event, **facts}), file=sys.stderr, flush=True)

    def note(self, text: str) -> None:
        """Say what a user should know of the input, unless quiet."""
        self.event("note", note=text)
        if not (self.is_quiet or self.is_json):
            print(f"note: {text}", file=sys.stderr)

    def summary(self, rows: Sequence[Mapping[str, object]], *, seconds: float, closing: str) -> None:
        """End with a table of what was done, one row a cohort, and a closing line."""
        from rich.console import Console
        from rich.table import Table

        self.event("summary", seconds=round(seconds, 3), cohorts=[dict(row) for row in rows])
        if self.is_quiet or self.is_json or not rows:
            return
        table = Table(box=None, pad_edge=False, header_style="bold")
        for name in rows[0]:
            is_number = isinstance(rows[0][name], int)
            table.add_column(name, justify="right" if is_number else "left", overflow="fold")
        for row in rows:
            table.add_row(*(str(value) for value in row.values()))
        Console(stderr=True, width=WIDE).print(table)
        print(closing, file=sys.stderr)


class TransferProgress:
    """Bytes of a file on its way, then the step that follows; shown on a terminal only."""

    def __init__(self, *, is_quiet: bool) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, DownloadColumn, Progress, SpinnerColumn, TextColumn
        from rich.progress import TransferSpeedColumn as SpeedColumn

        columns = (
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            DownloadColumn(),
            SpeedColumn(),
        )
        is_shown = not is_quiet and sys.stderr.isatty()
        console = Console(stderr=True)
        self._progress = Progress(*columns, console=console, disable=not is_shown, transient=True)
        self._task, self._step = self._progress.add_task("", total=None), ""

    def __enter__(self) -> Self:
        """Start to show."""
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop to show."""
        self._progress.stop()

    def update(self, step: str, done: int, total: int | None) -> None:
        """Show what is done of a step; nothing is known of its end where ``total`` is None."""
        if step != self._step:
            # the total of a task cannot become unknown again, so a step is a task
            self._progress.remove_task(self._task)
            self._task, self._step = self._progress.add_task(step, total=total), step
        self._progress.update(self._task, completed=done, total=total)


class StageProgress:
    """The stage at work, and samples done where a stage counts them; every stage that ends is an event."""

    def __init__(self, log: CommandLog) -> None:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            SpinnerColumn,
            TextColumn,
            TimeElapsedColumn,
        )

        self._log, self._stage, self._started = log, "", 0.0
        columns = (
            SpinnerColumn(),
            TextColumn("{task.description:<10}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
        )
        is_shown = not (log.is_quiet or log.is_json) and sys.stderr.isatty()
        self._progress = Progress(
            *columns, console=Console(stderr=True), disable=not is_shown, transient=True
        )
        self._task = self._progress.add_task("", total=None)

    def __enter__(self) -> Self:
        """Start to show."""
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop to show."""
        self._end_stage()
        self._progress.stop()

    def stage(self, name: str, *, total: int | None = None) -> None:
        """Name the stage that begins, and its number of steps where known."""
        self._end_stage()
        self._stage, self._started = name, time.monotonic()
        self._progress.reset(self._task, total=total, description=name)

    def _end_stage(self) -> None:
        if self._stage:
            self._log.event("stage", stage=self._stage, seconds=round(time.monotonic() - self._started, 3))
        self._stage = ""

    def advance(self) -> None:
        """Count one step."""
        self._progress.advance(self._task)
