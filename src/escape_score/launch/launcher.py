"""Start the Snakemake workflow and tell its user how it went; nothing else in the package knows Snakemake."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum, auto
from itertools import pairwise
from pathlib import Path
from types import FrameType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from escape_score.errors import ExitCode
from escape_score.launch.failures import ERROR_PREFIX, FailedJob, exit_code_of, failed_jobs
from escape_score.launch.log import WorkflowLog
from escape_score.launch.place import (
    SLURM,
    profile_folder,
    require_slurm,
    require_writable,
    workflow_folder,
)

MAX_ERROR_LINES = 20
_ENGINE = (sys.executable, "-m", "snakemake")
_DRY_RUN = frozenset({"-n", "--dry-run", "--dryrun"})


class Show(Enum):
    """What of the engine's own words its user sees while it works."""

    NOTHING = auto()
    PROGRESS = auto()
    LINES = auto()


@dataclass(frozen=True)
class WorkflowRun:
    """How a run of the workflow went.

    Attributes
    ----------
    exit_code
        0 when every cohort is done; 2 or 3 when the config or an input is at fault, one ``error:`` line on
        stderr for each fault; 4 when the program or Snakemake is; 5 when jobs were killed and other cohorts,
        or the rest of the cohort, are finished.
    log
        What was said on the way.
    directory
        Where ``results/``, ``work/`` and ``logs/`` are.
    is_dry_run
        Nothing was run.
    unfinished
        Cohorts without a result of this config; one from before a change may still be there.
    """

    exit_code: int
    log: WorkflowLog
    directory: Path
    is_dry_run: bool
    unfinished: frozenset[str] = frozenset()


def launch_workflow(
    config: Path,
    *,
    cores: int | None = None,
    profile: str = "default",
    directory: Path | None = None,
    cohorts: Collection[str] = (),
    attempts: int = 1,
    extra: Sequence[str] = (),
    show: Show = Show.LINES,
    on_step: Callable[[WorkflowLog], None] = lambda log: None,
) -> WorkflowRun:
    """Run every cohort of a workflow config through Snakemake.

    Parameters
    ----------
    config
        The workflow's config file; paths in it are relative to the file that names them.
    cores
        Cores to use at most; None leaves it to the profile, and without a word there to all cores.
    profile
        A profile shipped with the workflow (``default``, ``slurm``), or the folder of another one.
    directory
        Where ``results/``, ``work/`` and ``logs/`` go; None is the current folder.
    cohorts
        Those of the config: where one of them is finished, a run of which jobs were killed is a partial one.
    attempts
        How often a job is tried that was killed or ran out of memory or time, with more of both each time.
        One whose input is at fault is not tried again.
    extra
        Options and targets handed to Snakemake as they are; they win over all of the above.
    show
        What of Snakemake's words goes to stderr meanwhile.
    on_step
        Called with each job that has started, finished or failed.

    Returns
    -------
    WorkflowRun
        How it went; what failed has been said on stderr.

    Raises
    ------
    UsageError
        The profile does not exist, or needs a Slurm that is not there.
    OutputUnwritableError
        The directory cannot be written.
    """
    workflow = workflow_folder()
    command = [
        *_ENGINE,
        *("--snakefile", str(workflow / "Snakefile")),
        *("--configfile", str(config.absolute())),
        *("--directory", str((directory or Path()).absolute())),
        *("--workflow-profile", str(profile_folder(workflow, profile))),
        *_cores_options(cores, profile),
        *extra,
    ]
    engine = _Engine(command, show=show, on_step=on_step)
    place, is_dry_run = _directory_of(command), not _DRY_RUN.isdisjoint(extra)
    if profile == SLURM:
        require_slurm(is_dry_run=is_dry_run)
    require_writable(place)
    status, log = engine.run()
    jobs = failed_jobs(log, place) if status else []
    # What a user picks as targets is theirs to finish.
    if not any(word.startswith(("results/", "work/")) for word in extra):
        jobs = _without_chunks(engine, _with_retries(engine, jobs, place, attempts), place)
    unfinished = frozenset(job.cohort for job in jobs if not job.is_chunk)
    exit_code = ExitCode.DONE
    if jobs:
        exit_code = _explain_jobs(jobs, place, {*cohorts} - unfinished)
    elif status and not log.failed_logs:
        exit_code = _explain_failure(log, status, config=config, directory=place)
    return WorkflowRun(int(exit_code), log, place, is_dry_run, unfinished)


@dataclass(frozen=True)
class _Engine:
    """Snakemake with the options of this run."""

    command: Sequence[str]
    show: Show
    on_step: Callable[[WorkflowLog], None]

    def say(self, line: str) -> None:
        """Tell people what goes on."""
        if self.show is not Show.NOTHING:
            sys.stderr.write(f"{line}\n")

    def run(self, *options: str) -> tuple[int, WorkflowLog]:
        """Run to the end; exit status, and what was said."""
        log = WorkflowLog()
        # Targets come first: further back an option could take them for its values.
        n_before = len(_ENGINE)
        command = [*self.command[:n_before], *options, *self.command[n_before:]]
        return _run_and_watch(command, log, show=self.show, on_step=self.on_step), log


def _with_retries(engine: _Engine, jobs: list[FailedJob], directory: Path, attempts: int) -> list[FailedJob]:
    """Try cohorts again that failed for want of memory or time; the jobs that failed all the same."""
    for attempt in range(2, attempts + 1):
        again = _cohorts(job for job in jobs if job.is_worth_retrying) - _cohorts(
            job for job in jobs if not job.is_worth_retrying
        )
        if not again:
            break
        kept = [job for job in jobs if job.cohort not in again]
        engine.say(f"attempt {attempt} of {attempts}, with more memory and time: {', '.join(sorted(again))}")
        status, log = engine.run(*_manifests(again), "--attempt", str(attempt))
        if status and not log.failed_logs:
            break
        jobs = kept + failed_jobs(log, directory)
    return jobs


def _without_chunks(engine: _Engine, jobs: list[FailedJob], directory: Path) -> list[FailedJob]:
    """Finish cohorts of which nothing but slices of the pages failed; all jobs that failed."""
    whole = _cohorts(job for job in jobs if job.is_chunk and not job.is_fault) - _cohorts(
        job for job in jobs if job.is_fault or not job.is_chunk
    )
    if not whole:
        return jobs
    engine.say(f"finishing without the pages of jobs that failed: {', '.join(sorted(whole))}")
    _, log = engine.run(*_manifests(whole), "--config", "pages=finished")
    return jobs + failed_jobs(log, directory)


def _cohorts(jobs: Iterable[FailedJob]) -> set[str]:
    return {job.cohort for job in jobs}


def _manifests(cohorts: Iterable[str]) -> list[str]:
    return [f"results/{cohort}/manifest.json" for cohort in sorted(cohorts)]


def _cores_options(cores: int | None, profile: str) -> list[str]:
    if cores is not None:
        return ["--cores", str(cores)]
    return ["--cores", "all"] if profile == "default" else []


def _directory_of(command: Sequence[str]) -> Path:
    """The directory Snakemake takes: the last one named, as for any option given twice."""
    named = [Path()]
    for option, value in pairwise(command):
        if option in {"--directory", "-d"}:
            named.append(Path(value))
        elif value.startswith("--directory="):
            named.append(Path(value.removeprefix("--directory=")))
    return named[-1]


def _run_and_watch(
    command: Sequence[str], log: WorkflowLog, *, show: Show, on_step: Callable[[WorkflowLog], None]
) -> int:
    """Run Snakemake to its end; its words go on to stderr, into a progress bar, or nowhere."""
    held: list[str] = []
    # A dry run lists its jobs on stdout; everything else is said on stderr.
    is_listed = not _DRY_RUN.isdisjoint(command)
    stdout, stderr = (subprocess.PIPE, subprocess.STDOUT) if is_listed else (None, subprocess.PIPE)
    process = _start(command, stdout=stdout, stderr=stderr)
    with process, _forwarded(process):
        words = process.stdout or process.stderr or ()
        for line in _with_progress(_observed(words, log, on_step), log, show=show):
            if log.failed_logs and line.startswith(ERROR_PREFIX):
                continue  # from the log of a job that failed: said once, at the end
            if show is Show.LINES:
                (sys.stdout if is_listed else sys.stderr).write(line)
            else:
                held.append(line)
    # The bar has hidden what a run without jobs had to say, and a failure that is no job's.
    hidden = show is Show.PROGRESS and not log.jobs and not log.is_up_to_date
    if hidden or (process.returncode and not log.failed_logs):
        sys.stderr.writelines(held)
    return process.returncode


def _start(command: Sequence[str], *, stdout: int | None, stderr: int | None) -> subprocess.Popen[str]:
    """Start Snakemake so that SIGINT stops it, by which we hand on signals.

    In the background of a script SIGINT is ignored, and a child would inherit that.
    """
    usual = signal.getsignal(signal.SIGINT)
    is_ignored = usual is signal.SIG_IGN
    if is_ignored:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return subprocess.Popen(command, text=True, errors="replace", stdout=stdout, stderr=stderr)
    finally:
        if is_ignored:
            signal.signal(signal.SIGINT, usual)


@contextmanager
def _forwarded(process: subprocess.Popen[str]) -> Iterator[None]:
    """Hand signals on, let Snakemake end its jobs and release its lock, then follow the signal ourselves."""
    received: list[int] = []

    def hand_on(number: int, _frame: FrameType | None) -> None:
        received.append(number)
        # Ctrl-C has reached Snakemake too; a second signal would break off its clearing up. And at SIGTERM
        # Snakemake 9.27 may wait for ever: its handler takes a lock that it may hold.
        if number == signal.SIGTERM or not _is_in_foreground(process):
            process.send_signal(signal.SIGINT)

    previous = {
        number: signal.signal(number, hand_on)
        for number in (signal.SIGTERM, signal.SIGINT)
        if signal.getsignal(number) is not signal.SIG_IGN
    }
    try:
        yield
        process.wait()
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
    if received:
        sys.stderr.write("stopped: what is done stays done; run the same command again to go on\n")
        signal.raise_signal(received[0])


def _is_in_foreground(process: subprocess.Popen[str]) -> bool:
    """Whether keys pressed in the terminal reach Snakemake, whatever its output is redirected to."""
    try:
        terminal = os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY)
    except OSError:
        return False
    try:
        return os.tcgetpgrp(terminal) == os.getpgid(process.pid)
    except OSError:
        return False
    finally:
        os.close(terminal)


def _observed(
    lines: Iterable[str], log: WorkflowLog, on_step: Callable[[WorkflowLog], None]
) -> Iterator[str]:
    """Read lines, and tell of those that change what is known of the jobs."""
    before = (0, 0, 0)
    for line in lines:
        log.observe(line)
        now = (log.n_done, len(log.jobs), len(log.failed_logs))
        if now != before:
            on_step(log)
        before = now
        yield line


def _with_progress(lines: Iterable[str], log: WorkflowLog, *, show: Show) -> Iterator[str]:
    """Pass lines on while a bar on stderr shows how many of the jobs are done."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(
        *columns, console=Console(stderr=True), transient=True, disable=show is not Show.PROGRESS
    ) as progress:
        task = progress.add_task("escape-score workflow", total=None)
        for line in lines:
            progress.update(task, completed=log.n_done, total=log.n_steps or None)
            yield line


def _explain_jobs(jobs: Sequence[FailedJob], directory: Path, others: Iterable[str]) -> ExitCode:
    """Say on stderr why jobs failed; return the exit code, by whether another cohort is done."""
    _print_errors([line for job in jobs for line in job.lines])
    is_any_done = any((directory / path).is_file() for path in _manifests(others))
    return exit_code_of(jobs, is_any_done=is_any_done)


def _explain_failure(log: WorkflowLog, status: int, *, config: Path, directory: Path) -> ExitCode:
    """Say on stderr why Snakemake failed before any of its jobs did; return the exit code."""
    if log.is_locked:
        release = f"escape-score workflow --config {config} --directory {directory} -- --unlock"
        _print_errors(
            [f"{ERROR_PREFIX}{directory}: locked by a run; if none is running, release it with: {release}"]
        )
        return ExitCode.USAGE
    # Where the config or a matrix is at fault, the Snakefile ends with our exit code and our error lines.
    return ExitCode(status) if status in {ExitCode.USAGE, ExitCode.INPUT} else ExitCode.INTERNAL


def _print_errors(lines: Sequence[str]) -> None:
    """Write faults to stderr, each once, at most twenty."""
    told = list(dict.fromkeys(lines))
    n_shown = len(told) if len(told) <= MAX_ERROR_LINES else MAX_ERROR_LINES - 1
    for line in told[:n_shown]:
        sys.stderr.write(f"{line}\n")
    if len(told) > n_shown:
        sys.stderr.write(f"{ERROR_PREFIX}and {len(told) - n_shown} more faults; mend these first\n")
