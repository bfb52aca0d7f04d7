"""Why jobs of the workflow failed: what their logs say, and the exit code that follows."""

from __future__ import annotations

import re
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from escape_score.errors import BY_SIGNAL, ExitCode

ERROR_PREFIX = "error: "
_INTERNAL = f"{ERROR_PREFIX}internal:"
_ENDED = frozenset({f"{ERROR_PREFIX}terminated", f"{ERROR_PREFIX}interrupted"})
_SIGNALS = {one.value: one.name for one in signal.Signals}
_CRASHES = frozenset({signal.SIGSEGV, signal.SIGABRT, signal.SIGILL, signal.SIGBUS, signal.SIGFPE})
# No event carries what these read from text of Snakemake and its executor: the exit status of a command,
# and why the scheduler refused or ended a job.
_COMMAND_ENDED = re.compile(r"> (\S+) 2>&1' (?:returned non-zero exit status (\d+)|died with .*: (\d+)>)")
_SLURM_REFUSED = re.compile(
    r"The error message was '(.*?)'\.\n"
    r"|submission failed with exception: (.*?)(?:For further error details|\Z)",
    re.DOTALL,
)
_ENDED_BY = re.compile(
    r"(SLURM|LSF) status is: '(\w+)'|HTCondor Cluster ID (\d+) (?:is (held: .*)|was (removed)|\w)"
)
# The executor of Slurm reports an array that is refused once, and of its jobs only that they were in it.
_OF_ARRAY = re.compile(r"failed (?:for )?array .*?\((tasks \d+-\d+)\)")
# These executors stop the whole run where a job is refused, and no job is reported as failed.
_REFUSED = re.compile(
    r"(LSF|SLURM) job submission failed\. The error message was (.*)|Failed to submit (HTCondor) job: (.*)",
    re.DOTALL,
)
_CONDOR_LOGS = ".snakemake/htcondor/*/*_{}.err"


@dataclass(frozen=True)
class FailedJob:
    """A job that failed.

    Attributes
    ----------
    said
        The ``error:`` lines of its log.
    exit_status
        That of its command, 128 + signal where it was killed; None where the executor does not report it.
    refusal, state
        Why the scheduler did not accept it, or how it ended there; empty where that is not reported.
    """

    log: Path
    said: tuple[str, ...] = ()
    exit_status: int | None = None
    refusal: str = ""
    state: str = ""
    scheduler: str = "Slurm"

    @classmethod
    def from_event(cls, event: Mapping[str, Any], statuses: Mapping[str, int], directory: Path) -> Self:
        """Read the logs of an event ``job_error``; on a cluster, that of the executor has the exit status."""
        log, *executor_logs = event["log"]
        message = event["rule_msg"] or ""
        refused, ended = _SLURM_REFUSED.search(message), _ENDED_BY.search(message)
        refusal = " ".join("".join(refused.groups(default="")).split()) if refused else ""
        by, state, number, held, removed = ended.groups(default="") if ended else ("",) * 5
        # its executor does not name the log
        condor_logs = directory.glob(_CONDOR_LOGS.format(number)) if number else ()
        known = dict(statuses)
        for path in (*(directory / path for path in executor_logs), *condor_logs):
            known |= exit_statuses(_text(path))
        # A job that was ended from outside has no fault to report, and one that was refused wrote no log.
        lines = [] if refusal else _text(directory / log).splitlines()
        said = tuple(line for line in lines if line.startswith(ERROR_PREFIX) and line not in _ENDED)
        scheduler = "HTCondor" if number else "LSF" if by == "LSF" else "Slurm"
        return cls(directory / log, said, known.get(log), refusal, state or held or removed, scheduler)

    @property
    def cohort(self) -> str:
        """Name of the cohort it worked on."""
        return self.log.parent.name

    @property
    def is_chunk(self) -> bool:
        """Whether it wrote pages of a slice of the samples, without which a cohort can be finished."""
        return self.log.stem.startswith("report-")

    @property
    def exit_code(self) -> ExitCode:
        """Usage or input where that is at fault; partial where it was killed or ran out of memory."""
        if self.refusal or self.exit_status == ExitCode.USAGE:
            return ExitCode.USAGE
        if self.exit_status == ExitCode.INPUT:
            return ExitCode.INPUT
        if any("MemoryError" in line for line in self.said):
            return ExitCode.PARTIAL
        if self.said:
            is_internal = any(line.startswith(_INTERNAL) for line in self.said)
            return ExitCode.INPUT if self.exit_status is None and not is_internal else ExitCode.INTERNAL
        is_killed = self.exit_status is None or self._signal not in {0, *_CRASHES}
        return ExitCode.PARTIAL if is_killed else ExitCode.INTERNAL

    @property
    def is_fault(self) -> bool:
        """Whether input, config or command line is at fault, so that it would fail again."""
        return self.exit_code in {ExitCode.USAGE, ExitCode.INPUT}

    @property
    def lines(self) -> tuple[str, ...]:
        """Why it failed, one line a fault."""
        return self.said or (f"{ERROR_PREFIX}{self.log}: {self._problem()}",)

    @property
    def _signal(self) -> int:
        """The signal that ended it, 0 where none did or it is not known."""
        number = (self.exit_status or 0) - BY_SIGNAL
        return number if number in _SIGNALS else 0

    def _problem(self) -> str:
        job = f"the job {self.log.stem}"
        of = f"(cohort {self.cohort})"
        if self.refusal:
            return f"{self.scheduler} refused {job} {of}: {self.refusal}; correct the profile, then run again"
        if self.exit_code is not ExitCode.PARTIAL:
            return f"{job} failed with exit status {self.exit_status} {of}; see this file"
        by = _SIGNALS.get(self._signal) or (self.state and f"{self.scheduler} with the state {self.state}")
        how = f"by {by}" if by else "or ran out of memory or time"
        hint = ", as the system does when memory runs out" if self._signal == signal.SIGKILL else ""
        remedy = "give it more memory or time, then run the same command again to resume"
        return f"{job} was killed {how}{hint} {of}; {remedy}"


def exit_statuses(text: str) -> dict[str, int]:
    """Exit statuses of the commands that failed, by the log file of their jobs, read from text."""
    found = _COMMAND_ENDED.findall(text)
    return {log: int(status) if status else BY_SIGNAL + int(number) for log, status, number in found}


def array_of(message: str) -> str:
    """Which tasks of an array a message is about that was not submitted; empty for others."""
    found = _OF_ARRAY.search(message)
    return found[1] if found else ""


def refusal_of(message: str) -> str:
    """Why the scheduler did not accept a job, from the words with which Snakemake stops; empty for others."""
    if (found := _REFUSED.search(message)) is None:
        return ""
    scheduler, why = filter(None, found.groups())
    words = " ".join(why.partition("\n  File ")[0].split())
    scheduler = "Slurm" if scheduler == "SLURM" else scheduler
    return f"{scheduler} refused a job: {words}; correct the profile, then run again"


def exit_code_of(jobs: Sequence[FailedJob], *, is_any_done: bool) -> ExitCode:
    """Sum up failed jobs, of which there is at least one.

    Usage or input where that is at fault for any of them; partial where jobs were killed and another cohort
    is finished; else internal.
    """
    if faults := [job.exit_code for job in jobs if job.is_fault]:
        return max(faults)
    is_partial = all(job.is_chunk or job.exit_code is ExitCode.PARTIAL for job in jobs)
    return ExitCode.PARTIAL if is_any_done and is_partial else ExitCode.INTERNAL


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
