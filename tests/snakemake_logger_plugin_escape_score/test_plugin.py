"""The logger plugin, given records like those of Snakemake 9.27; e2e/test_workflow.py runs it for real."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import pytest
from snakemake_interface_logger_plugins.common import LogEvent
from snakemake_interface_logger_plugins.registry import LoggerPluginRegistry
from snakemake_interface_logger_plugins.settings import OutputSettingsLoggerInterface

from snakemake_logger_plugin_escape_score import LogHandler, LogHandlerSettings


@dataclass
class Output:
    """Of Snakemake's settings those that the plugin looks at."""

    dryrun: bool = False


class Named(list[object]):
    """A list with names, as Snakemake's resources are."""

    def items(self) -> list[tuple[str, object]]:
        return [("mem_mb", self[0]), ("runtime", self[1])]


def handler_of(events: Path | None = None, *, is_dry_run: bool = False) -> LogHandler:
    settings = cast("OutputSettingsLoggerInterface", Output(dryrun=is_dry_run))
    return LogHandler(settings, LogHandlerSettings(events=events))


def record(message: str, level: int = logging.INFO, /, **added: object) -> logging.LogRecord:
    return logging.makeLogRecord({"msg": message, "levelno": level, **added})


def job_info(jobid: int, rule: str) -> logging.LogRecord:
    facts = {"rule_name": rule, "wildcards": {"cohort": "a"}, "threads": 1, "log": [f"logs/a/{rule}.log"]}
    return record("", event=LogEvent.JOB_INFO, jobid=jobid, resources=Named([1000, 10]), **facts)


STARTED = record("Workflow has started!", event=LogEvent.WORKFLOW_STARTED, cwd="/run")
TO_RUN = record("Job stats", event=LogEvent.RUN_INFO, stats={"read": 1, "gather": 1, "total": 2})
FINISHED = record("Finished", event=LogEvent.JOB_FINISHED, job_id=2)
JOB_FAILED = record(
    "Error", logging.ERROR, event=LogEvent.JOB_ERROR, jobid=1, log=["logs/a/read.log"], rule_msg=None
)
COMMAND_FAILED = record(
    "RuleException:\nCommand 'escape-score read > logs/a/read.log 2>&1' returned non-zero exit status 3.",
    logging.ERROR,
    event=LogEvent.ERROR,
    exception="RuleException",
)


@pytest.fixture
def printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., list[str]]:
    """Lines on stderr after some records, in the folder of a run whose job ``read`` has a log."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "logs" / "a").mkdir(parents=True)
    (tmp_path / "logs" / "a" / "read.log").write_text("error: m.tsv: bad; correct it\n", encoding="utf-8")

    def lines_of(*records: logging.LogRecord, is_dry_run: bool = False) -> list[str]:
        handler = handler_of(is_dry_run=is_dry_run)
        for one in records:
            handler.emit(one)
        handler.close()
        handler.close()  # as logging does once more when Python ends
        return capsys.readouterr().err.splitlines()

    return lines_of


def test_snakemake_finds_the_plugin() -> None:
    assert "escape-score" in LoggerPluginRegistry().plugins


def test_events_are_written_as_json_lines_of_plain_values(tmp_path: Path) -> None:
    handler = handler_of(tmp_path / "events")
    said = record("sbatch failed", logging.ERROR)
    for one in (STARTED, record("no event"), said, job_info(1, "read"), JOB_FAILED):
        handler.emit(one)
    handler.close()
    lines = (tmp_path / "events").read_text(encoding="utf-8").splitlines()
    started, words, info, failed = (json.loads(line) for line in lines)
    assert words == {"event": "said", "message": "sbatch failed"}
    assert (started["event"], started["is_dry_run"]) == ("workflow_started", False)
    assert info["resources"] == {"mem_mb": 1000, "runtime": 10}
    assert (failed["event"], failed["jobid"], failed["log"]) == ("job_error", 1, ["logs/a/read.log"])
    assert "levelno" not in failed


@pytest.mark.parametrize(
    ("has_events", "is_dry_run", "is_instead"),
    [(False, False, True), (False, True, False), (True, False, False)],
)
def test_lines_replace_those_of_snakemake_only_where_people_read_them(
    tmp_path: Path, has_events: bool, is_dry_run: bool, is_instead: bool
) -> None:
    handler = handler_of(tmp_path / "events" if has_events else None, is_dry_run=is_dry_run)
    assert handler.writes_to_stream is is_instead
    handler.close()


def test_a_finished_cohort_is_one_line(printed: Callable[..., list[str]]) -> None:
    assert printed(STARTED, TO_RUN, job_info(2, "gather"), FINISHED) == ["a: finished (1 of 1)"]


def test_a_failed_job_is_the_error_line_of_its_log(printed: Callable[..., list[str]]) -> None:
    lines = printed(STARTED, TO_RUN, job_info(1, "read"), COMMAND_FAILED, JOB_FAILED)
    assert lines == ["error: m.tsv: bad; correct it"]


def test_warnings_and_other_errors_are_printed(printed: Callable[..., list[str]]) -> None:
    locked = record("locked", logging.ERROR, event=LogEvent.ERROR, exception="LockException")
    assert printed(STARTED, record("slow disk", logging.WARNING), locked) == ["slow disk", "locked"]


def test_nothing_to_be_done_is_said(printed: Callable[..., list[str]]) -> None:
    assert printed(STARTED) == ["nothing to be done: all results are up to date"]
    assert printed() == []


def test_a_dry_run_is_left_to_snakemake(printed: Callable[..., list[str]]) -> None:
    assert printed(STARTED, TO_RUN, job_info(2, "gather"), record("x", logging.ERROR), is_dry_run=True) == []
