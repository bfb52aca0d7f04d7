"""Progress on a terminal; silent elsewhere."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)

from escape_score.cli.log import CommandLog


class StageProgress:
    """Shows the stage at work, and samples done where a stage counts them.

    Parameters
    ----------
    log
        Whether anything is shown on a terminal; gets an event for every stage that ends.
    """

    def __init__(self, log: CommandLog) -> None:
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
