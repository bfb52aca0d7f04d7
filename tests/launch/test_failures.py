"""What follows from jobs that failed; e2e/test_workflow.py kills real ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from escape_score.errors import ExitCode
from escape_score.launch.failures import FailedJob, exit_code_of, failed_jobs
from escape_score.launch.log import WorkflowLog

BAD_CELL = "error: m.tsv: cell 'x' is not numeric (line 2); give a number, or NA"
BUG = "error: internal: KeyError: 'x'; run again with --debug and report it"
NO_MEMORY = "error: internal: MemoryError: ; run again with --debug and report it"


def job(*said: str, status: int | None = None, name: str = "read") -> FailedJob:
    return FailedJob(Path(f"logs/a/{name}.log"), said, status)


INPUT = job(BAD_CELL, status=3)
USAGE = job("error: out: cannot be written (disk full); free space", status=2)
KILLED = job(status=137)
KILLED_CHUNK = job(status=137, name="report-2")


def test_failed_job_knows_its_place() -> None:
    assert (KILLED_CHUNK.cohort, KILLED_CHUNK.name) == ("a", "report-2")
    assert KILLED_CHUNK.is_chunk
    assert not KILLED.is_chunk


@pytest.mark.parametrize(
    ("failed", "is_fault", "is_worth_retrying"),
    [
        (INPUT, True, False),
        (USAGE, True, False),
        (job(BAD_CELL), True, False),
        (KILLED, False, True),
        (job(), False, True),
        (job(NO_MEMORY, status=4), False, True),
        (job(BUG, status=4), False, False),
        (job(status=127), False, False),
        (job(status=139), False, False),
        (job(status=143), False, True),
        (job(status=255), False, False),
    ],
)
def test_failed_job_is_retried_only_where_that_can_help(
    failed: FailedJob, is_fault: bool, is_worth_retrying: bool
) -> None:
    assert failed.is_fault is is_fault
    assert failed.is_worth_retrying is is_worth_retrying


@pytest.mark.parametrize(
    ("failed", "words"),
    [
        (INPUT, [BAD_CELL]),
        (KILLED, ["error: logs/a/read.log: ", "killed by SIGKILL", "cohort a", "same command again"]),
        (job(), ["error: logs/a/read.log: ", "killed or ran out of memory or time"]),
        (job(status=127), ["error: logs/a/read.log: ", "exit status 127"]),
    ],
)
def test_failed_job_says_why_in_one_line(failed: FailedJob, words: list[str]) -> None:
    (line,) = failed.lines
    assert all(word in line for word in words)


@pytest.mark.parametrize(
    ("jobs", "is_any_done", "code"),
    [
        ([KILLED], True, ExitCode.PARTIAL),
        ([KILLED], False, ExitCode.INTERNAL),
        ([KILLED_CHUNK], True, ExitCode.PARTIAL),
        ([job(BUG, status=4, name="report-1")], True, ExitCode.PARTIAL),
        ([job(BUG, status=4)], True, ExitCode.INTERNAL),
        ([KILLED, INPUT], True, ExitCode.INPUT),
        ([job(BAD_CELL)], True, ExitCode.INPUT),
        ([USAGE], True, ExitCode.USAGE),
        ([USAGE, INPUT], False, ExitCode.INPUT),
        ([job(status=127)], True, ExitCode.INTERNAL),
        ([job(status=1)], True, ExitCode.INTERNAL),
        ([job(status=139)], True, ExitCode.INTERNAL),
        ([job(NO_MEMORY, status=4)], True, ExitCode.PARTIAL),
        ([KILLED, job(status=127)], True, ExitCode.INTERNAL),
    ],
)
def test_exit_code_of_follows_the_gravest(jobs: list[FailedJob], is_any_done: bool, code: ExitCode) -> None:
    assert exit_code_of(jobs, is_any_done=is_any_done) is code


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f"warning: s1\n{BAD_CELL}\n", (BAD_CELL,)),
        ("error: terminated\n", ()),
        ("error: interrupted\n", ()),
        (None, ()),
    ],
)
def test_failed_jobs_read_the_log_of_a_job(tmp_path: Path, text: str | None, said: tuple[str, ...]) -> None:
    if text is not None:
        (tmp_path / "read.log").write_text(text, encoding="utf-8")
    (found,) = failed_jobs(WorkflowLog(failed_logs=["read.log"]), tmp_path)
    assert found == FailedJob(tmp_path / "read.log", said, None)


def test_failed_jobs_ask_the_log_of_the_executor_for_the_status(tmp_path: Path) -> None:
    remote = tmp_path / "8.log"
    remote.write_text(
        "Command 'escape-score read > read.log 2>&1' returned non-zero exit status 3.\n", "utf-8"
    )
    log = WorkflowLog(failed_logs=["read.log"], executor_logs={"read.log": str(remote)})
    assert [found.exit_status for found in failed_jobs(log, tmp_path)] == [3]


def test_only_a_kill_as_by_the_system_is_told_as_want_of_memory() -> None:
    assert "where memory runs out" in KILLED.lines[0]
    assert "where memory runs out" not in job(status=143).lines[0]
    assert "exit status 139" in job(status=139).lines[0]
