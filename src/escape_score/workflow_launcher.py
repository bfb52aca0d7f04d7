"""Start the Snakemake workflow and tell its user how it went; nothing else in the package knows Snakemake."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum, auto
from itertools import pairwise
from pathlib import Path
from types import FrameType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from escape_score.errors import EscapeScoreError, ExitCode, UsageError
from escape_score.workflow_log import WorkflowLog

MAX_ERROR_LINES = 20
_ERROR_PREFIX = "error: "
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
        stderr for each fault; 4 when a job failed without saying why, or Snakemake itself did.
    log
        What was said on the way.
    directory
        Where ``results/``, ``work/`` and ``logs/`` are.
    is_dry_run
        Nothing was run.
    """

    exit_code: int
    log: WorkflowLog
    directory: Path
    is_dry_run: bool


def launch_workflow(
    config: Path,
    *,
    cores: int | None = None,
    profile: str = "default",
    directory: Path | None = None,
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
        The profile does not exist.
    """
    workflow = workflow_folder()
    command = [
        *(sys.executable, "-m", "snakemake"),
        *("--snakefile", str(workflow / "Snakefile")),
        *("--configfile", str(config.absolute())),
        *("--directory", str((directory or Path()).absolute())),
        *("--workflow-profile", str(_profile_folder(workflow, profile))),
        *_cores_options(cores, profile),
        *extra,
    ]
    log, place = WorkflowLog(), _directory_of(command)
    status = _run_and_watch(command, log, show=show, on_step=on_step)
    exit_code = _explain_failure(log, status, config=config, directory=place) if status else ExitCode.DONE
    return WorkflowRun(int(exit_code), log, place, is_dry_run=not _DRY_RUN.isdisjoint(extra))


def workflow_folder() -> Path:
    """Find the folder of the Snakefile: inside an installed package, or at the top of the source tree.

    Returns
    -------
    Path
        A folder that holds ``Snakefile``, ``rules/`` and ``profiles/``.

    Raises
    ------
    EscapeScoreError
        The installation has none.
    """
    package = Path(__file__).resolve().parent
    for folder in (package / "workflow", package.parents[1] / "workflow"):
        if (folder / "Snakefile").is_file():
            return folder
    message = f"{package / 'workflow'}: the workflow is not installed; install escape-score again"
    raise EscapeScoreError(message)


def _profile_folder(workflow: Path, profile: str) -> Path:
    for folder in (workflow / "profiles" / profile, Path(profile).absolute()):
        if (folder / "config.yaml").is_file():
            return folder
    shipped = ", ".join(sorted(path.name for path in (workflow / "profiles").iterdir()))
    message = f"{profile}: no such profile; name one of {shipped}, or a folder with a config.yaml"
    raise UsageError(message)


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
    process = subprocess.Popen(command, text=True, errors="replace", stdout=stdout, stderr=stderr)
    with process, _forwarded(process):
        words = process.stdout or process.stderr or ()
        for line in _with_progress(_observed(words, log, on_step), log, show=show):
            if show is Show.LINES:
                (sys.stdout if is_listed else sys.stderr).write(line)
            else:
                held.append(line)
    # The bar has hidden what a run with nothing to do had to say, and a failure that is no job's.
    hidden = show is Show.PROGRESS and not log.jobs
    if hidden or (process.returncode and not log.failed_logs):
        sys.stderr.writelines(held)
    return process.returncode


@contextmanager
def _forwarded(process: subprocess.Popen[str]) -> Iterator[None]:
    """Hand SIGTERM on, so that Snakemake ends its jobs and releases its lock."""

    def terminate(_signal: int, _frame: FrameType | None) -> None:
        process.terminate()

    previous = signal.signal(signal.SIGTERM, terminate)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, previous)


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


def _explain_failure(log: WorkflowLog, status: int, *, config: Path, directory: Path) -> int:
    """Say on stderr why a run failed, as the failing jobs told it; return the exit code."""
    if log.is_locked:
        release = f"escape-score workflow --config {config} --directory {directory} -- --unlock"
        _print_errors(
            [f"{_ERROR_PREFIX}{directory}: locked by a run; if none is running, release it with: {release}"]
        )
        return ExitCode.USAGE
    if not log.failed_logs:
        # Where the config or a matrix is at fault, the Snakefile ends with our exit code and our error lines.
        return status if status in {ExitCode.USAGE, ExitCode.INPUT} else ExitCode.INTERNAL
    said = [line for path in log.failed_logs for line in _closing_errors(directory / path)]
    if said:
        _print_errors(said)
        return ExitCode.INTERNAL if log.exit_statuses == {int(ExitCode.INTERNAL)} else ExitCode.INPUT
    _print_errors(
        [f"{_ERROR_PREFIX}{directory / path}: this job failed; see its log" for path in log.failed_logs]
    )
    return ExitCode.INTERNAL


def _closing_errors(path: Path) -> list[str]:
    """The ``error:`` lines a job's log ends in."""
    if not path.is_file():
        return []
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    return [line for line in lines if line.startswith(_ERROR_PREFIX)]


def _print_errors(lines: Sequence[str]) -> None:
    for line in dict.fromkeys(lines[:MAX_ERROR_LINES]):
        sys.stderr.write(f"{line}\n")
