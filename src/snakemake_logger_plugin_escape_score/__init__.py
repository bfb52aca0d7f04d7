"""Snakemake's logger plugin ``escape-score``: one line a finished cohort, or all events as JSON lines."""

from __future__ import annotations

import json
import logging
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from snakemake_interface_logger_plugins.base import LogHandlerBase
from snakemake_interface_logger_plugins.settings import LogHandlerSettingsBase

from escape_score.launch.logger import WorkflowState

_OF_EVERY_RECORD = frozenset(vars(logging.makeLogRecord({}))) | {"message"}


@dataclass
class LogHandlerSettings(LogHandlerSettingsBase):
    """Options of the plugin on Snakemake's command line."""

    events: Path | None = field(
        default=None, metadata={"type": Path, "help": "File or pipe for all events, as JSON lines."}
    )


class LogHandler(LogHandlerBase):
    """Receives every record of Snakemake's log."""

    writes_to_file = False
    has_filter = True
    has_formatter = True
    needs_rulegraph = False

    def __post_init__(self) -> None:
        """Open the file of events, if there is one."""
        path = getattr(self.settings, "events", None)
        self._events = path.open("a", encoding="utf-8", buffering=1) if path else None
        self._state = WorkflowState()

    @property
    def writes_to_stream(self) -> bool:
        """Whether its lines replace those of Snakemake, which are what a dry run is for."""
        return self._events is None and not self.common_settings.dryrun

    def emit(self, record: logging.LogRecord) -> None:
        """Write an event, or print what people need to see of a record."""
        event = self._event_of(record)
        if self._events and event:
            self._events.write(json.dumps(event, default=str) + "\n")
        elif self.writes_to_stream:
            line = self._state.observe(event) if event else ""
            # Why jobs failed is said at the end, when no retry is left.
            is_of_job = "jobid" in event or event.get("exception") == "RuleException"
            is_problem = record.levelno >= logging.WARNING and not is_of_job
            _print(record.getMessage() if is_problem else line)

    def close(self) -> None:
        """Say why jobs failed, or that nothing was to be done."""
        if self._events:
            self._events.close()
        elif self.writes_to_stream:
            _print(*(line for job in self._state.failed_jobs(Path()) for line in job.lines))
            _print("nothing to be done: all results are up to date" if self._state.is_up_to_date else "")
        self._state = WorkflowState()
        super().close()

    def _event_of(self, record: logging.LogRecord) -> dict[str, Any]:
        """What Snakemake added to a record, as plain values.

        An error that is no event, such as the words of an executor, is one called ``said``; nothing else is.
        """
        if getattr(record, "event", None) is None:
            is_error = record.levelno >= logging.ERROR
            return {"event": "said", "message": record.getMessage()} if is_error else {}
        added = {key: value for key, value in vars(record).items() if key not in _OF_EVERY_RECORD}
        # Snakemake's lists with names are dictionaries to us.
        plain = {
            key: dict(value.items()) if hasattr(value, "items") else value for key, value in added.items()
        }
        return plain | {"message": record.getMessage(), "is_dry_run": self.common_settings.dryrun}


def _print(*lines: str) -> None:
    sys.stderr.writelines(f"{line}\n" for line in lines if line)
