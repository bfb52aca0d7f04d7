"""Find what a run of the workflow needs, start Snakemake, follow its events, and sum up how it went."""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from textwrap import shorten
from types import MappingProxyType

from escape_score.errors import ExitCode, OutputUnwritableError, UsageError, did_you_mean
from escape_score.launch.failures import ERROR_PREFIX, FailedJob, exit_code_of, refusal_of
from escape_score.launch.logger import WorkflowState
from escape_score.launch.results import find_changed, runs_nothing
from escape_score.library.files import resource_path
from escape_score.store.atomic import undisturbed
from escape_score.store.manifest import Manifest, earlier_manifest

RETRIES = "ESCAPE_SCORE_RETRIES"
MAX_MESSAGE = 400
SCHEDULERS = MappingProxyType(
    {
        "slurm": ("Slurm", "sbatch"),
        "lsf": ("LSF", "bsub"),
        "htcondor": ("HTCondor", "condor_submit"),
    }
)
"""Name and command of the scheduler behind an executor, which is also an extra to install."""
_CACHE = "XDG_CACHE_HOME"
_WRITTEN = (".snakemake", "results", "work", "logs")
_ENGINE = (sys.executable, "-m", "escape_score.launch.engine")
_STEPS = frozenset({"job_info", "job_error", "progress"})
OnEvent = Callable[[WorkflowState, str], None]


@dataclass(frozen=True)
class WorkflowRun:
    """How a run of the workflow went.

    Attributes
    ----------
    exit_code
        0 when every cohort is done; 2 or 3 when the config or an input is at fault; 4 when the program or
        Snakemake is; 5 when jobs were killed and other cohorts, or the rest of the cohort, are finished.
    errors
        One ``error:`` line for each fault.
    directory, log
        Where ``results/``, ``work/`` and ``logs/`` are, and the file of all words of Snakemake.
    unfinished
        Cohorts without a result of this config; one from before a change may still be there.
    earlier
        Manifests of the results that were there before, by cohort.
    """

    exit_code: ExitCode
    errors: tuple[str, ...]
    state: WorkflowState
    directory: Path
    log: Path
    unfinished: frozenset[str]
    earlier: Mapping[str, Manifest | None]


def launch_workflow(
    config: Path,
    *,
    cores: int | None,
    profile: str,
    directory: Path | None,
    cohorts: Collection[str],
    extra: Sequence[str],
    is_dry_run: bool,
    on_event: OnEvent,
) -> WorkflowRun:
    """Run every cohort of a workflow config through Snakemake.

    Parameters
    ----------
    config
        The workflow's config file; paths in it are relative to the file that names them.
    cores
        At most; None leaves it to the profile, and the default profile takes all cores.
    profile
        A profile shipped with the workflow, such as ``slurm``, or the folder of another one.
    directory
        Where ``results/``, ``work/`` and ``logs/`` go; None is the current folder.
    cohorts
        Those of the config: where one of them is finished, a run of which jobs were killed is a partial one.
    extra
        Options and targets for Snakemake; they win over all of the above.
    is_dry_run
        Whether to find out which jobs would run, and run none.
    on_event
        Called when a job starts, ends or fails, and with lines for people.

    Raises
    ------
    UsageError
        The profile does not exist, or needs a scheduler that is not there.
    OutputUnwritableError
        The directory cannot be written.
    """
    named, _ = _shared_options().parse_known_args(extra)
    place = named.directory or directory or Path()
    environment = _with_cache(place)
    is_dry = is_dry_run or runs_nothing(extra)
    outputs, notes = find_changed(cohorts, place) if is_dry else (set[Path](), list[str]())
    forced = [*(named.forcerun or ()), *sorted(path.relative_to(place).as_posix() for path in outputs)]
    options = (
        *("--snakefile", str(workflow_folder() / "Snakefile"), "--configfile", str(config.absolute())),
        *("--directory", str(place.absolute()), "--workflow-profile", str(profile_folder(profile))),
        *(("--cores", str(cores or "all")) if cores or profile == "default" else ()),
        *(
            *extra,
            *(["--dry-run"] if is_dry_run else []),
            *(["--forcerun", *forced] if outputs else []),
        ),
        *("--logger", "escape-score", *named.logger),
    )
    require_engine(profile, is_dry_run=is_dry)
    require_writable(place)
    earlier = {cohort: earlier_manifest(place / "results" / cohort) for cohort in cohorts}
    log = place / "logs" / f"snakemake-{datetime.now():%Y%m%d-%H%M%S}.log"
    run = partial(_run, options, log, on_event, environment=environment, is_quiet=is_dry_run)
    status, state = run()
    # in a real run the rules make changed results anew, and their notes are in the log
    said = log.read_text(encoding="utf-8").splitlines()
    for line in notes or (line for line in said if line.startswith("note: results/")):
        on_event(state, line)
    jobs = state.failed_jobs(place) if status else []
    # Targets that a user names are the user's to finish.
    if not any(word.startswith(("results/", "work/")) for word in extra):
        jobs += _without_chunks(run, jobs, place)
    unfinished = frozenset(job.cohort for job in jobs if not job.is_chunk)
    code, errors = ExitCode.DONE, [line for job in jobs for line in job.lines]
    if jobs:
        is_any_done = any((place / path).is_file() for path in _manifests({*cohorts} - unfinished))
        code = exit_code_of(jobs, is_any_done=is_any_done)
    elif status:
        code, errors = _explained(state, status, log, config=config, directory=place)
    elif not state.has_run:
        log.unlink()
    return WorkflowRun(code, tuple(errors), state, place, log, unfinished, earlier)


def _shared_options() -> argparse.ArgumentParser:
    """Options of Snakemake that concern the launcher too."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--directory", "-d", type=Path, nargs="?")
    parser.add_argument("--logger", nargs="*", default=[])
    parser.add_argument("--forcerun", "-R", nargs="*")
    return parser


def _run(
    options: Sequence[str],
    log: Path,
    on_event: OnEvent,
    *targets: str,
    environment: Mapping[str, str],
    is_quiet: bool,
) -> tuple[int, WorkflowState]:
    """Run Snakemake to its end; exit status, and what its events said. All its words go to the log."""
    state = WorkflowState()
    log.parent.mkdir(exist_ok=True)
    reading, writing = os.pipe()
    events = ("--logger-escape-score-events", f"/dev/fd/{writing}")
    # Targets come first: further back an option could take them for its values.
    command = [*_ENGINE, *targets, *events, *options]
    with log.open("a", encoding="utf-8") as words:
        # What a user wants to see of a run without jobs, such as a list, is on stdout.
        stdout = words if is_quiet else None
        with (
            subprocess.Popen(
                command, stdout=stdout, stderr=words, pass_fds=(writing,), env=environment
            ) as process,
            # Snakemake ends its jobs and releases its lock; then we obey the signal too.
            undisturbed(partial(_stop, process)) as received,
        ):
            os.close(writing)
            with os.fdopen(reading, encoding="utf-8") as lines:
                for line in lines:
                    news = state.observe(event := json.loads(line))
                    if news or event["event"] in _STEPS:
                        on_event(state, news)
            process.wait()
            if received:
                sys.stderr.write("stopped: finished jobs are kept; run the same command again to resume\n")
    if not (process.returncode or state.is_started):
        on_event(state, log.read_text(encoding="utf-8").strip())
    return process.returncode, state


def _with_cache(directory: Path) -> Mapping[str, str]:
    """The environment, with a cache that Snakemake can write, if need be below the directory."""
    try:
        cache = Path(os.environ.get(_CACHE) or "~/.cache").expanduser() / "snakemake"
        cache.mkdir(parents=True, exist_ok=True)
        is_writable = os.access(cache, os.W_OK | os.X_OK)
    except (OSError, RuntimeError):
        is_writable = False
    return (
        os.environ
        if is_writable
        else {**os.environ, _CACHE: str(directory.absolute() / ".snakemake" / "cache")}
    )


def _stop(process: subprocess.Popen[bytes], number: int) -> None:
    """Ask Snakemake to stop, unless Ctrl-C has: a second signal would break off its clearing up."""
    # At SIGTERM Snakemake 9.27 may wait for ever: its handler takes a lock that it may hold.
    if number != signal.SIGINT or not _is_in_foreground():
        process.send_signal(signal.SIGINT)


def _is_in_foreground() -> bool:
    """Whether keys pressed in the terminal reach Snakemake, which shares our process group."""
    try:
        with Path("/dev/tty").open() as terminal:
            return os.tcgetpgrp(terminal.fileno()) == os.getpgrp()
    except OSError:
        return False


def _without_chunks(
    run: Callable[..., tuple[int, WorkflowState]], jobs: Sequence[FailedJob], directory: Path
) -> list[FailedJob]:
    """Finish cohorts of which nothing but slices of the pages failed; jobs that failed on the way."""
    whole = {job.cohort for job in jobs if job.is_chunk and not job.is_fault}
    whole -= {job.cohort for job in jobs if job.is_fault or not job.is_chunk}
    if not whole:
        return []
    _, state = run(*_manifests(whole), "--config", "pages=finished")
    return state.failed_jobs(directory)


def _manifests(cohorts: Iterable[str]) -> list[str]:
    return [f"results/{cohort}/manifest.json" for cohort in sorted(cohorts)]


def _explained(
    state: WorkflowState, status: int, log: Path, *, config: Path, directory: Path
) -> tuple[ExitCode, list[str]]:
    """Exit code and error lines where Snakemake failed before any of its jobs did."""
    exception, message = state.fault
    if exception == "LockException":
        release = f"escape-score workflow --config {config} --directory {directory} -- --unlock"
        why = f"{directory}: locked by a run; if none is running, release it with: {release}"
        return ExitCode.USAGE, [f"{ERROR_PREFIX}{why}"]
    if exception == "MissingRuleException":
        what = message.strip().splitlines()[-1].partition(" (")[0]
        why = f"{what}; name a rule, or a file such as results/COHORT/index.html"
        return ExitCode.USAGE, [f"{ERROR_PREFIX}Snakemake: {why}"]
    if refusal := refusal_of(message):
        return ExitCode.USAGE, [f"{ERROR_PREFIX}{refusal}"]
    lines = [line for line in log.read_text(encoding="utf-8").splitlines() if line.strip()]
    # Where the config or a matrix is at fault, the Snakefile ends with our exit code and our error lines.
    own = [line for line in lines if line.startswith(ERROR_PREFIX)]
    said = message.splitlines() if message.startswith("Traceback") else [message]
    why = shorten([*lines[-1:], *filter(str.strip, said)][-1], MAX_MESSAGE, placeholder=" …")
    code = ExitCode(status) if status in {ExitCode.USAGE, ExitCode.INPUT} else ExitCode.INTERNAL
    return code, own or [f"{ERROR_PREFIX}Snakemake: {why}"]


def workflow_folder() -> Path:
    """Folder that holds ``Snakefile``, ``rules/`` and ``profiles/``, next to the shipped resources."""
    return resource_path().parent / "workflow"


def profile_folder(profile: str) -> Path:
    """Find a profile, shipped with the workflow or a folder of the user's; UsageError where there is none."""
    shipped = workflow_folder() / "profiles"
    for folder in (shipped / profile, Path(profile).absolute()):
        if (folder / "config.yaml").is_file():
            return folder
    names = sorted(path.name for path in shipped.iterdir())
    asked = did_you_mean(profile, names)
    advice = f"name one of {', '.join(names)}, or a folder with a config.yaml"
    message = f"{profile}: no such profile{asked}{' ' if asked else '; '}{advice}"
    raise UsageError(message)


def require_engine(profile: str, *, is_dry_run: bool) -> None:
    """Refuse a run whose profile would fail: a variable that is not a number, or no such scheduler here."""
    given = os.environ.get(RETRIES, "0")
    if not given.isdecimal():
        message = f"{RETRIES}: {given!r} is no number of retries; give 0 or more"
        raise UsageError(message)
    text = (profile_folder(profile) / "config.yaml").read_text(encoding="utf-8")
    found = re.search(r"^executor:\s*(\S+)", text, re.MULTILINE)
    executor = found[1] if found else ""
    if executor not in SCHEDULERS:
        return
    name, command = SCHEDULERS[executor]
    if importlib.util.find_spec(f"snakemake_executor_plugin_{executor}") is None:
        message = (
            f"--profile {profile}: Snakemake's plugin is missing; pip install 'escape-score[{executor}]'"
        )
        raise UsageError(message)
    if not is_dry_run and shutil.which(command) is None:
        where = f"run it where {name}'s commands are, or without"
        message = f"--profile {profile}: no {command} on the PATH; {where}"
        raise UsageError(message)


def require_writable(directory: Path) -> None:
    """Make the directory of a run, and refuse one that its jobs could not write."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        why = "it is not a folder" if isinstance(error, FileExistsError) else error.strerror
        message = f"{directory}: cannot be made ({why}); choose another --directory"
        raise OutputUnwritableError(message) from error
    for folder in (directory, *(directory / name for name in _WRITTEN)):
        if folder.exists() and not os.access(folder, os.W_OK | os.X_OK):
            message = f"{folder}: cannot be written (no permission); choose another --directory"
            raise OutputUnwritableError(message)
