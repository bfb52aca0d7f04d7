"""``escape-score workflow``: many cohorts through the workflow, watched, and summed up at its end."""

from __future__ import annotations

import csv
import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from escape_score.cli.log import CommandLog
from escape_score.errors import ExitCode, ResultInvalidError, UsageError
from escape_score.launch.launcher import Show, WorkflowRun, launch_workflow
from escape_score.launch.log import WorkflowLog, asked_for
from escape_score.launch.plan import WorkflowPlan, plan_workflow
from escape_score.store.manifest import FailedSample, read_manifest

RETRIES = "ESCAPE_SCORE_RETRIES"
USUAL_RETRIES = 2
MAX_NAMED = 20
"""Failed samples of a cohort that are named one by one."""


def run_workflow(
    config: Path,
    *,
    cores: int | None,
    profile: str,
    directory: Path | None,
    extra: Sequence[str],
    is_dry_run: bool,
    log: CommandLog,
) -> int:
    """Run the workflow, or say what it would ask for.

    Returns
    -------
    int
        That of the run; 5 where it is done and samples of it failed.
    """
    started = time.monotonic()
    plan = plan_workflow(config)
    log.event("start", cohorts={name: cohort.n_samples for name, cohort in plan.cohorts.items()})
    run = launch_workflow(
        config,
        cores=cores,
        profile=profile,
        directory=directory,
        cohorts=plan.cohorts,
        attempts=_attempts(profile),
        extra=[*extra, *(["--dry-run"] if is_dry_run else [])],
        show=_show(log, is_dry_run=is_dry_run),
        on_step=lambda seen: _note(seen, log),
    )
    if run.is_dry_run:
        return _say_what_is_asked_for(run, log)
    if not (run.log.jobs or run.log.is_up_to_date):
        return run.exit_code
    seconds, n_samples = time.monotonic() - started, sum(c.n_samples for c in plan.cohorts.values())
    n_cohorts = len(plan.cohorts)
    of = "1 cohort" if n_cohorts == 1 else f"{n_cohorts} cohorts"
    closing = f"{n_samples} samples of {of} in {seconds:.0f} s"
    if run.log.is_up_to_date:
        closing += "; nothing was to be done, all results are up to date"
    log.summary(list(_rows(plan, run)), seconds=seconds, closing=closing)
    return _with_failed_samples(plan, run)


def _show(log: CommandLog, *, is_dry_run: bool) -> Show:
    if log.is_quiet or log.is_json or is_dry_run:
        return Show.NOTHING
    return Show.PROGRESS if sys.stderr.isatty() else Show.LINES


def _note(seen: WorkflowLog, log: CommandLog) -> None:
    """One event for every job that starts, ends or fails."""
    job = seen.jobs[-1].rule if seen.jobs else ""
    log.event("step", done=seen.n_done, total=seen.n_steps, last_job=job, failed=seen.failed_logs)


def _say_what_is_asked_for(run: WorkflowRun, log: CommandLog) -> int:
    log.event("plan", jobs=[vars(job) for job in run.log.jobs])
    if run.exit_code == ExitCode.DONE:
        print(*asked_for(run.log.jobs), sep="\n")
    return run.exit_code


def _attempts(profile: str) -> int:
    """How often a job is tried: here no limit grows, so that only an executor tries again."""
    given = os.environ.get(RETRIES, "0" if profile == "default" else str(USUAL_RETRIES))
    if not given.isdecimal():
        msg = f"{RETRIES}: {given!r} is no number of retries; give 0 or more"
        raise UsageError(msg)
    return 1 + int(given)


def _with_failed_samples(plan: WorkflowPlan, run: WorkflowRun) -> int:
    """Name the samples that failed; the exit code of a run that has some."""
    # the result of an unfinished cohort is one from before
    finished = [name for name in plan.cohorts if name not in run.unfinished]
    failed = {name: _failed(run.directory / "results" / name) for name in finished}
    for name, samples in failed.items():
        n_shown = len(samples) if len(samples) <= MAX_NAMED else MAX_NAMED - 1
        for one in samples[:n_shown]:
            print(f"warning: {name}: {one.sample_id}: failed ({one.problem})", file=sys.stderr)
        if len(samples) > n_shown:
            print(f"warning: {name}: {len(samples) - n_shown} more failed; see qc.tsv", file=sys.stderr)
    has_failed = run.exit_code == ExitCode.DONE and any(failed.values())
    return int(ExitCode.PARTIAL if has_failed else run.exit_code)


def _failed(results: Path) -> tuple[FailedSample, ...]:
    try:
        return read_manifest(results).failed
    except ResultInvalidError:
        return ()


def _rows(plan: WorkflowPlan, run: WorkflowRun) -> Iterator[Mapping[str, object]]:
    """What the summary says of each cohort."""
    here = Path.cwd()
    folder = run.directory.relative_to(here) if run.directory.is_relative_to(here) else run.directory
    for name, cohort in plan.cohorts.items():
        results, logs = folder / "results" / name, folder / "logs" / name
        is_done = name not in run.unfinished and (results / "manifest.json").is_file()
        yield {
            "cohort": name,
            "samples": cohort.n_samples,
            "flagged": flagged(results / "profiles.tsv") if is_done else 0,
            "failed": len(_failed(results)) if is_done else 0,
            "job seconds": round(_job_seconds(logs)),
            "look at": str(results / "index.html") if is_done else f"not finished: {logs}",
        }


def flagged(profiles: Path) -> int:
    """Samples with any flag, by the table of profiles."""
    with profiles.open(encoding="utf-8", newline="") as handle:
        return sum(1 for row in csv.DictReader(handle, delimiter="\t") if row["flags"])


def _job_seconds(logs: Path) -> float:
    """Time of all jobs of a cohort, from what was measured with each."""
    seconds = 0.0
    for path in logs.glob("*.benchmark.tsv"):
        with path.open(encoding="utf-8", newline="") as handle:
            seconds += sum(float(row["s"]) for row in csv.DictReader(handle, delimiter="\t"))
    return seconds
