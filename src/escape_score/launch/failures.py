"""Why jobs of the workflow failed: what their logs say, and what follows from it."""

from __future__ import annotations

import signal
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from escape_score.errors import BY_SIGNAL, ExitCode
from escape_score.launch.log import WorkflowLog

ERROR_PREFIX = "error: "
_INTERNAL = f"{ERROR_PREFIX}internal:"
_ENDED = frozenset({f"{ERROR_PREFIX}terminated", f"{ERROR_PREFIX}interrupted"})
_CHUNK = "report-"
_SIGNALS = {one.value: one.name for one in signal.Signals}
_CRASHES = frozenset({signal.SIGSEGV, signal.SIGABRT, signal.SIGILL, signal.SIGBUS, signal.SIGFPE})


@dataclass(frozen=True)
class FailedJob:
    """A job that failed.

    Parameters
    ----------
    log
        Its log file.
    said
        The ``error:`` lines that its log ends in.
    exit_status
        That of its command, or None where the executor does not tell.
    """

    log: Path
    said: tuple[str, ...]
    exit_status: int | None

    @property
    def cohort(self) -> str:
        """Name of the cohort it worked on."""
        return self.log.parent.name

    @property
    def name(self) -> str:
        """The rule, and for a slice of the samples its number."""
        return self.log.stem

    @property
    def is_chunk(self) -> bool:
        """Whether it wrote pages of a slice of the samples, without which a cohort can be finished."""
        return self.name.startswith(_CHUNK)

    @property
    def is_fault(self) -> bool:
        """Whether input, config or command line is at fault, so that it would fail again."""
        if self.exit_status in {ExitCode.USAGE, ExitCode.INPUT}:
            return True
        return self.exit_status is None and bool(self.said) and not self.is_internal

    @property
    def is_internal(self) -> bool:
        """Whether it met an error of the program."""
        if any("MemoryError" in line for line in self.said):
            return False
        return any(line.startswith(_INTERNAL) for line in self.said) or self._signal in _CRASHES

    @property
    def _signal(self) -> int:
        """The signal that ended it, 0 where none did or it is not told."""
        number = (self.exit_status or 0) - BY_SIGNAL
        return number if number in _SIGNALS else 0

    @property
    def is_killed(self) -> bool:
        """Whether it was ended from outside, as far as that can be told."""
        is_ended = self.exit_status is None or self._signal not in {0, *_CRASHES}
        return not self.said and is_ended

    @property
    def is_worth_retrying(self) -> bool:
        """Whether more memory or time, or another machine, may help it."""
        return self.is_killed or any("MemoryError" in line for line in self.said)

    @property
    def lines(self) -> tuple[str, ...]:
        """Why it failed, a line a fault."""
        if self.said:
            return self.said
        return (f"{ERROR_PREFIX}{self.log}: {self._problem} (cohort {self.cohort}); {self._remedy}",)

    @property
    def _problem(self) -> str:
        if not self.is_killed:
            return f"the job {self.name} failed with exit status {self.exit_status}"
        name = _SIGNALS.get(self._signal)
        by = f"by {name}" if name else "or ran out of memory or time"
        hint = ", as the system does where memory runs out" if self._signal == signal.SIGKILL else ""
        return f"the job {self.name} was killed {by}{hint}"

    @property
    def _remedy(self) -> str:
        if not self.is_killed:
            return "the file says more"
        return "give it more, then run the same command again: what is done stays done"


def failed_jobs(log: WorkflowLog, directory: Path) -> list[FailedJob]:
    """Read why the jobs of a run failed.

    Parameters
    ----------
    log
        What the engine said.
    directory
        That of the run; the paths of logs are relative to it.

    Returns
    -------
    list of FailedJob
        In the order they failed.
    """
    return [
        FailedJob(directory / path, tuple(_closing_errors(directory / path)), _exit_status(log, path))
        for path in log.failed_logs
    ]


def exit_code_of(jobs: Sequence[FailedJob], *, is_any_done: bool) -> ExitCode:
    """Sum up failed jobs.

    Parameters
    ----------
    jobs
        At least one.
    is_any_done
        Whether any cohort is finished.

    Returns
    -------
    ExitCode
        Usage or input where that is at fault for any of them, else internal where the program is; partial
        where jobs were killed and the rest is finished.
    """
    faults = [job for job in jobs if job.is_fault]
    if faults:
        is_usage = all(job.exit_status == ExitCode.USAGE for job in faults)
        return ExitCode.USAGE if is_usage else ExitCode.INPUT
    is_partial = all(job.is_chunk or job.is_worth_retrying for job in jobs)
    return ExitCode.PARTIAL if is_any_done and is_partial else ExitCode.INTERNAL


def _closing_errors(path: Path) -> Iterator[str]:
    """The ``error:`` lines a job's log ends in; that it was ended from outside is no fault of its own."""
    if path.is_file():
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith(ERROR_PREFIX) and line not in _ENDED:
                yield line


def _exit_status(log: WorkflowLog, path: str) -> int | None:
    """Exit status of a job's command; on a cluster the log of the executor tells it."""
    remote = Path(log.executor_logs.get(path, ""))
    if path not in log.exit_statuses and remote.is_file():
        inner = WorkflowLog()
        for line in remote.read_text(encoding="utf-8", errors="replace").splitlines():
            inner.observe(line)
        return inner.exit_statuses.get(path)
    return log.exit_statuses.get(path)
