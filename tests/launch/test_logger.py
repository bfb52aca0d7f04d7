"""What events say about a run; the plugin that makes them has its own tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from escape_score.launch.logger import Job, WorkflowState, request_lines

STARTED = {"event": "workflow_started", "is_dry_run": False}
TO_RUN = {"event": "run_info", "stats": {"score": 1, "gather": 2, "total": 3}}
FAILED = {"event": "job_error", "jobid": 4, "log": ["logs/a/score.log"], "rule_msg": None}
ENDED = {
    "event": "error",
    "exception": "CalledProcessError",
    "message": "Command 'escape-score score > logs/a/score.log 2>&1' returned non-zero exit status 3.",
}
LOCKED = {"event": "error", "exception": "LockException", "message": "Error: Directory cannot be locked."}


def info(jobid: int, rule: str, cohort: str = "a") -> dict[str, Any]:
    resources = {"mem_mb": 1000, "runtime": 10, "tmpdir": "/tmp"}
    job = {"event": "job_info", "jobid": jobid, "rule_name": rule, "threads": 2}
    return job | {"wildcards": {"cohort": cohort}, "resources": resources}


def finished(jobid: int) -> dict[str, Any]:
    return {"event": "job_finished", "job_id": jobid}


def observed(*events: dict[str, Any]) -> WorkflowState:
    state = WorkflowState()
    for event in events:
        state.observe(event)
    return state


def test_state_counts_the_steps() -> None:
    state = observed(TO_RUN)
    assert (state.n_done, state.n_steps) == (0, 3)
    state.observe({"event": "progress", "done": 2, "total": 3})
    assert (state.n_done, state.n_steps) == (2, 3)


def test_state_knows_what_a_job_requests() -> None:
    assert observed(info(4, "score")).jobs == {4: Job("score", 1000, 10, 2, "a")}


def test_state_tells_when_a_cohort_is_finished() -> None:
    state = observed(TO_RUN, info(1, "gather", "a"), info(2, "gather", "b"), info(4, "score"))
    told = [state.observe(finished(jobid)) for jobid in (4, 2, 1)]
    assert told == ["", "b: finished (1 of 2)", "a: finished (2 of 2)"]


def test_state_names_a_failed_job_once_with_its_exit_status(tmp_path: Path) -> None:
    state = observed(info(4, "score"), ENDED, FAILED, FAILED)
    (job,) = state.failed_jobs(tmp_path)
    assert (job.log, job.exit_status) == (tmp_path / "logs" / "a" / "score.log", 3)


def test_state_gives_each_job_of_a_refused_array_the_words_of_sbatch(tmp_path: Path) -> None:
    # as written by the Slurm executor 2.8.0
    words = "SLURM sbatch failed for array job submission (tasks {}). The error message was '{}'.\n    sbatch"
    said = ({"event": "said", "message": words.format(*one)} for one in (("1-2", "no part"), ("3-9", "no")))
    lost = "Part of failed array sbatch submission (tasks 1-2); see log for details."
    events = [FAILED | {"jobid": jobid, "rule_msg": lost} for jobid in (4, 5)]
    state = observed({"event": "said", "message": "No account was given"}, *said, *events)
    state.observe(FAILED | {"jobid": 6})
    assert [job.refusal for job in state.failed_jobs(tmp_path)] == ["no part", "no part", ""]


@pytest.mark.parametrize(("jobid", "n_failed"), [(4, 0), (5, 1)])
def test_state_forgets_a_failure_when_the_job_is_done_by_a_retry(jobid: int, n_failed: int) -> None:
    state = observed(info(4, "score"), info(5, "score", "b"), FAILED, info(4, "score"), finished(jobid))
    assert len(state.failed) == n_failed


@pytest.mark.parametrize(
    ("events", "is_up_to_date"),
    [((STARTED,), True), ((STARTED, TO_RUN), False), ((STARTED, LOCKED), False), ((), False)],
)
def test_state_knows_that_nothing_was_to_be_done(
    events: tuple[dict[str, Any], ...], is_up_to_date: bool
) -> None:
    assert observed(*events).is_up_to_date is is_up_to_date


def test_state_keeps_the_fault_of_snakemake() -> None:
    assert observed(STARTED, LOCKED).fault == ("LockException", "Error: Directory cannot be locked.")


def test_state_knows_a_dry_run_and_whether_a_job_ran() -> None:
    dry = observed({"event": "workflow_started", "is_dry_run": True}, TO_RUN, info(4, "score"))
    assert (dry.is_dry_run, dry.has_run) == (True, False)
    assert observed(STARTED, {"event": "job_started", "jobs": [4]}).has_run


def test_request_lines_add_up_jobs_by_rule() -> None:
    jobs = [Job("read", 1000, 10), Job("read", 4000, 20), Job("score", 2000, 30, threads=4), Job("all")]
    lines = request_lines(jobs)
    assert lines[1].split() == ["read", "2", "1", "1000–4000", "MB", "10–20", "min"]
    assert lines[-1] == "3 jobs; the largest requests 4000 MB; limits add up to 2.5 core hours"


def test_request_lines_say_where_nothing_is_to_be_done() -> None:
    assert request_lines([Job("all")]) == ["nothing to be done: no job"]
