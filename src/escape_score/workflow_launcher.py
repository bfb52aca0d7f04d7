"""Start the Snakemake workflow and tell its user how it went; nothing else in the package knows Snakemake."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from types import FrameType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from escape_score.errors import EscapeScoreError, ExitCode, UsageError
from escape_score.workflow_plan import plan_workflow

MAX_ERROR_LINES = 20
_ERROR_PREFIX = "error: "
_STEPS = re.compile(r"^(?P<done>\d+) of (?P<total>\d+) steps \(")
_FAILED_LOG = re.compile(r"^\s+log: (?P<path>.+?) \(check log file\(s\) for error details\)")
_EXIT_STATUS = re.compile(r"returned non-zero exit status (?P<status>\d+)")
_LOCKED = "Directory cannot be locked"


@dataclass
class SnakemakeLog:
    """What the lines Snakemake has written so far say.

    Attributes
    ----------
    n_done, n_steps
        Jobs finished and jobs in all; both 0 until the first job has finished.
    failed_logs
        Log files of the jobs that failed, relative to the run's directory, in the order they failed.
    exit_statuses
        Exit statuses of the commands that failed, as far as the executor tells them.
    is_locked
        Another run, or one that was killed, holds the directory.
    """

    n_done: int = 0
    n_steps: int = 0
    failed_logs: list[str] = field(default_factory=list)
    exit_statuses: set[int] = field(default_factory=set)
    is_locked: bool = False

    def observe(self, line: str) -> None:
        """Take in one line."""
        if steps := _STEPS.match(line):
            self.n_done, self.n_steps = int(steps["done"]), int(steps["total"])
        elif failed := _FAILED_LOG.match(line):
            # A cluster executor names its own log after the rule's.
            path = failed["path"].split(", ")[0]
            if path not in self.failed_logs:
                self.failed_logs.append(path)
        elif status := _EXIT_STATUS.search(line):
            self.exit_statuses.add(int(status["status"]))
        elif _LOCKED in line:
            self.is_locked = True


def launch_workflow(
    config: Path,
    *,
    cores: int | None = None,
    profile: str = "default",
    directory: Path | None = None,
    extra: Sequence[str] = (),
) -> int:
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

    Returns
    -------
    int
        0 when every cohort is done; 2 or 3 when the config or an input is at fault, one ``error:`` line on
        stderr for each fault; 4 when a job failed without saying why, or Snakemake itself did.

    Raises
    ------
    UsageError
        The profile does not exist.
    ConfigInvalidError, InputError
        The config, or a file it names, cannot be used; nothing has been started.
    """
    plan_workflow(config)
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
    log = SnakemakeLog()
    status = _run_and_watch(command, log, show_progress=sys.stderr.isatty())
    if status == 0:
        return ExitCode.DONE
    return _explain_failure(log, status, config=config, directory=_directory_of(command))


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


def _run_and_watch(command: Sequence[str], log: SnakemakeLog, *, show_progress: bool) -> int:
    """Run Snakemake to its end; its words go on to stderr, or into a progress bar on a terminal."""
    held: list[str] = []
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, errors="replace")
    with process, _forwarded(process):
        for line in _with_progress(_observed(process.stderr or (), log), log, show_progress=show_progress):
            if show_progress:
                held.append(line)
            else:
                sys.stderr.write(line)
    # The bar has hidden what a dry run, a run with nothing to do, or a failure that is no job's had to say.
    if not log.n_steps or (process.returncode and not log.failed_logs):
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


def _observed(lines: Iterable[str], log: SnakemakeLog) -> Iterator[str]:
    for line in lines:
        log.observe(line)
        yield line


def _with_progress(lines: Iterable[str], log: SnakemakeLog, *, show_progress: bool) -> Iterator[str]:
    """Pass lines on while a bar on stderr shows how many of the jobs are done."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(
        *columns, console=Console(stderr=True), transient=True, disable=not show_progress
    ) as progress:
        task = progress.add_task("escape-score workflow", total=None)
        for line in lines:
            progress.update(task, completed=log.n_done, total=log.n_steps or None)
            yield line


def _explain_failure(log: SnakemakeLog, status: int, *, config: Path, directory: Path) -> int:
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
