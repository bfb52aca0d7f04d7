"""``escape-score workflow``: many cohorts through the workflow, and a summary at its end."""

from __future__ import annotations

import csv
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from escape_score.cli.log import CommandLog, is_flagged, print_limited, print_lost
from escape_score.cli.options import LogJson, Quiet, require_config
from escape_score.errors import ExitCode, counted

if TYPE_CHECKING:
    from escape_score.launch.launcher import WorkflowRun
    from escape_score.launch.logger import WorkflowState
    from escape_score.launch.plan import WorkflowPlan
    from escape_score.store.manifest import FailedSample


def workflow(
    context: typer.Context,
    *,
    config: Annotated[Path, typer.Option("--config", help="Config of the workflow.")],
    cores: Annotated[int | None, typer.Option("--cores", min=1, help="Most cores to use.")] = None,
    profile: Annotated[
        str, typer.Option("--profile", help="default, slurm, lsf, htcondor, or a folder with a config.yaml.")
    ] = "default",
    directory: Annotated[
        Path | None, typer.Option("--directory", help="Where results/, work/ and logs/ go.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show how many jobs would run, and what they request.")
    ] = False,
    quiet: Quiet = False,
    log_json: LogJson = False,
    extra: Annotated[list[str] | None, typer.Argument(help="After --: options for snakemake.")] = None,
) -> int:
    """Profile many cohorts through Snakemake."""
    require_config(config)
    from escape_score.launch.launcher import launch_workflow
    from escape_score.launch.logger import request_lines
    from escape_score.launch.plan import plan_workflow

    log = CommandLog(is_quiet=quiet, is_json=log_json)
    started = time.monotonic()
    plan = plan_workflow(config)
    log.event("start", cohorts={name: cohort.n_samples for name, cohort in plan.cohorts.items()})
    with _shown(log, is_dry_run=dry_run) as on_event:
        run = launch_workflow(
            config,
            cores=cores,
            profile=profile,
            directory=directory,
            cohorts=plan.cohorts,
            extra=[*(extra or ()), *context.args],
            is_dry_run=dry_run,
            on_event=on_event,
        )
    print_limited(run.errors, rest="error: and {n} more faults; correct these first")
    if run.exit_code:
        print(f"log of Snakemake: {run.log}", file=sys.stderr)
    if run.state.is_dry_run:
        jobs = list(run.state.jobs.values())
        log.event("plan", jobs=[asdict(job) for job in jobs])
        print(*(request_lines(jobs) if run.exit_code == ExitCode.DONE else ()), sep="\n")
    elif run.state.jobs or run.state.is_up_to_date:
        return _summarise(plan, run, log, seconds=time.monotonic() - started)
    return run.exit_code


@contextmanager
def _shown(log: CommandLog, *, is_dry_run: bool) -> Iterator[Callable[[WorkflowState, str], None]]:
    """Show events: a bar on a terminal, and a line for each finished cohort; or JSON lines."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    console, is_shown = Console(stderr=True), not (log.is_quiet or log.is_json or is_dry_run)
    is_bar = is_shown and console.is_terminal
    with Progress(*columns, console=console, transient=True, disable=not is_bar) as progress:
        task = progress.add_task("escape-score workflow", total=None)

        def on_event(state: WorkflowState, line: str) -> None:
            progress.update(task, completed=state.n_done, total=state.n_steps or None)
            last = [job.rule for job in state.jobs.values()][-1:]
            failed = [event["log"][0] for event in state.failed.values()]
            log.event("step", done=state.n_done, total=state.n_steps, last_job="".join(last), failed=failed)
            if line and is_shown:
                console.out(line, highlight=False)

        yield on_event


def _summarise(plan: WorkflowPlan, run: WorkflowRun, log: CommandLog, *, seconds: float) -> int:
    """Print the table of cohorts and the samples that failed; the exit code of the whole."""
    from escape_score.store.manifest import earlier_manifest

    n_samples, n_cohorts = sum(cohort.n_samples for cohort in plan.cohorts.values()), len(plan.cohorts)
    closing = f"{counted(n_samples, 'sample')} of {counted(n_cohorts, 'cohort')} in {seconds:.0f} s"
    if run.state.is_up_to_date:
        closing += "; nothing was to be done, all results are up to date"
    log.summary(list(_rows(plan, run)), seconds=seconds, closing=closing)
    # The result of an unfinished cohort is one from before.
    finished = [name for name in plan.cohorts if name not in run.unfinished]
    for name in finished:
        folder = run.directory / "results" / name
        print_lost(folder, run.earlier[name], earlier_manifest(folder))
    failed = {name: _failed(run.directory / "results" / name) for name in finished}
    for name, samples in failed.items():
        lines = [f"warning: {name}: {one.sample_id}: failed ({one.problem})" for one in samples]
        print_limited(lines, rest=f"warning: {name}: {{n}} more failed; see qc.tsv")
    has_failed = run.exit_code == ExitCode.DONE and any(failed.values())
    return ExitCode.PARTIAL if has_failed else run.exit_code


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
            "flagged": _n_flagged(results / "profiles.tsv") if is_done else 0,
            "failed": len(_failed(results)) if is_done else 0,
            "job seconds": round(sum(float(s) for p in logs.glob("*.benchmark.tsv") for s in _cells(p, "s"))),
            "look at": str(results / "index.html") if is_done else f"not finished: {logs}",
        }


def _failed(results: Path) -> tuple[FailedSample, ...]:
    from escape_score.store.manifest import earlier_manifest

    manifest = earlier_manifest(results)
    return () if manifest is None else manifest.failed


def _n_flagged(profiles: Path) -> int:
    """Samples of a result with a caution or an error."""
    return sum(is_flagged(flags.split(",")) for flags in _cells(profiles, "flags"))


def _cells(table: Path, column: str) -> list[str]:
    """Cells of a column that are not empty."""
    with table.open(encoding="utf-8", newline="") as handle:
        return [row[column] for row in csv.DictReader(handle, delimiter="\t") if row[column]]
