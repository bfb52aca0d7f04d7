"""Progress on a terminal; silent elsewhere."""

from __future__ import annotations

import sys
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


class StageProgress:
    """Shows the stage at work, and samples done where a stage counts them.

    Parameters
    ----------
    is_quiet
        Show nothing even on a terminal.
    """

    def __init__(self, *, is_quiet: bool = False) -> None:
        columns = (
            SpinnerColumn(),
            TextColumn("{task.description:<10}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
        )
        is_shown = not is_quiet and sys.stderr.isatty()
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
        self._progress.stop()

    def stage(self, name: str, *, total: int | None = None) -> None:
        """Name the stage that begins, and its number of steps where known."""
        self._progress.reset(self._task, total=total, description=name)

    def advance(self) -> None:
        """Count one step."""
        self._progress.advance(self._task)
