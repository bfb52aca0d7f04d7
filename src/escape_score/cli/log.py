"""What a command says on stderr while it works: words for people, or JSON lines for programs."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

WIDE = 500
"""Columns where nobody's terminal ends: a path is not broken, and can be copied."""


MAX_LINES = 20
"""Most lines that a list of faults or failed samples has."""


def print_limited(lines: Sequence[str], *, rest: str) -> None:
    """Write lines to stderr, at most twenty; the last one then counts the others.

    Parameters
    ----------
    lines
        One for each thing to name.
    rest
        The last line where there are more; ``{n}`` is how many are left out.
    """
    n_shown = len(lines) if len(lines) <= MAX_LINES else MAX_LINES - 1
    for line in lines[:n_shown]:
        print(line, file=sys.stderr)
    if len(lines) > n_shown:
        print(rest.format(n=len(lines) - n_shown), file=sys.stderr)


@dataclass(frozen=True)
class CommandLog:
    """Where a command says what it does.

    Parameters
    ----------
    is_quiet
        Say nothing but errors.
    is_json
        One JSON object a line instead of words: ``time`` (UTC), ``event`` and what belongs to it.
    """

    is_quiet: bool = False
    is_json: bool = False

    def event(self, event: str, /, **facts: object) -> None:
        """Note an event for programs; people see progress and the summary instead."""
        if self.is_json and not self.is_quiet:
            now = datetime.now(UTC).isoformat(timespec="milliseconds")
            print(json.dumps({"time": now, "event": event, **facts}), file=sys.stderr, flush=True)

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
        console = Console(stderr=True, width=WIDE)
        console.print(table)
        print(closing, file=sys.stderr)
