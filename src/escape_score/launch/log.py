"""What the workflow engine says on stderr, read line by line."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from escape_score.errors import BY_SIGNAL

_STEPS = re.compile(r"^(?P<done>\d+) of (?P<total>\d+) steps \(")
_FAILED_LOG = re.compile(r"^\s+log: (?P<path>.+?) \(check log file\(s\) for error details\)")
_EXIT_STATUS = re.compile(
    r"> (?P<path>\S+) 2>&1' (?:returned non-zero exit status (?P<status>\d+)|died with .*: (?P<signal>\d+)>)"
)
_JOB_ID = re.compile(r"^    jobid: (?P<id>\d+)")
_FINISHED = re.compile(r"^Finished jobid: (?P<id>\d+)")
_RULE = re.compile(r"^(?:local)?rule (?P<rule>\w+):")
_THREADS = re.compile(r"^    threads: (?P<threads>\d+)")
_RESOURCES = re.compile(r"^    resources: (?P<resources>.*)")
_LOCKED = "Directory cannot be locked"
_NOTHING = "Nothing to be done"


@dataclass
class Job:
    """A job that starts, or would start, and what it asks for: MiB, minutes, threads."""

    rule: str
    mem_mb: int = 0
    minutes: int = 0
    threads: int = 1


@dataclass
class WorkflowLog:
    """What the lines written so far say.

    Attributes
    ----------
    n_done, n_steps
        Jobs finished and jobs in all; both 0 until the first job has finished.
    jobs
        Jobs started, or to be started by a dry run, in order, without the target itself.
    failed_logs
        Log files of the jobs that failed and were not done since, relative to the run's directory, in the
        order they failed.
    executor_logs
        What a cluster executor wrote of such a job, by the job's own log file.
    exit_statuses
        Exit statuses of the commands that failed, by log file, as far as the executor tells them; 128 and the
        number of the signal for one that was killed.
    is_locked
        Another run, or one that was killed, holds the directory.
    is_up_to_date
        Nothing was to be done.
    """

    n_done: int = 0
    n_steps: int = 0
    jobs: list[Job] = field(default_factory=list)
    failed_logs: list[str] = field(default_factory=list)
    executor_logs: dict[str, str] = field(default_factory=dict)
    exit_statuses: dict[str, int] = field(default_factory=dict)
    is_locked: bool = False
    is_up_to_date: bool = False
    _logs_by_id: dict[str, str] = field(default_factory=dict)
    _last_id: str = ""

    def observe(self, line: str) -> None:
        """Take in one line."""
        if steps := _STEPS.match(line):
            self.n_done, self.n_steps = int(steps["done"]), int(steps["total"])
        elif failed := _FAILED_LOG.match(line):
            self._note_failure(*failed["path"].split(", "))
        elif status := _EXIT_STATUS.search(line):
            number = int(status["status"] or BY_SIGNAL + int(status["signal"]))
            self.exit_statuses[status["path"]] = number
        elif job_id := _JOB_ID.match(line):
            self._last_id = job_id["id"]
        elif finished := _FINISHED.match(line):
            self._forget_failure(finished["id"])
        elif _LOCKED in line:
            self.is_locked = True
        elif line.startswith(_NOTHING):
            self.is_up_to_date = True
        else:
            self._observe_job(line)

    def _note_failure(self, path: str, *executor_logs: str) -> None:
        """Note a job that failed; a cluster executor names its own log after the rule's."""
        self._logs_by_id[self._last_id] = path
        if path not in self.failed_logs:
            self.failed_logs.append(path)
        for log in executor_logs:
            self.executor_logs[path] = log

    def _forget_failure(self, job_id: str) -> None:
        """A job that failed was sent again, and is done now."""
        path = self._logs_by_id.pop(job_id, None)
        if path in self.failed_logs:
            self.failed_logs.remove(path)

    def _observe_job(self, line: str) -> None:
        if rule := _RULE.match(line):
            self.jobs.append(Job(rule["rule"]))
        elif self.jobs and (threads := _THREADS.match(line)):
            self.jobs[-1].threads = int(threads["threads"])
        elif self.jobs and (resources := _RESOURCES.match(line)):
            asked = dict(part.split("=", 1) for part in resources["resources"].split(", ") if "=" in part)
            self.jobs[-1].mem_mb = _number(asked.get("mem_mb"))
            self.jobs[-1].minutes = _number(asked.get("runtime"))


def _number(text: str | None) -> int:
    """What a job asks for, where it is a number."""
    return int(text) if text is not None and text.isdecimal() else 0


def asked_for(jobs: list[Job]) -> list[str]:
    """Say how many jobs there are, and how much memory and time they ask for, a line a rule.

    Parameters
    ----------
    jobs
        Of a dry run.

    Returns
    -------
    list of str
        A table for eyes, its last line the sum.
    """
    rules = [job for job in jobs if job.rule != "all"]
    if not rules:
        return ["nothing to be done: no job"]
    lines = [f"{'rule':<10} {'jobs':>6} {'threads':>8} {'memory each':>14} {'time each':>14}"]
    for rule in dict.fromkeys(job.rule for job in rules):
        mine = [job for job in rules if job.rule == rule]
        memory = _range([job.mem_mb for job in mine], "MB")
        time = _range([job.minutes for job in mine], "min")
        threads = max(job.threads for job in mine)
        lines.append(f"{rule:<10} {len(mine):>6} {threads:>8} {memory:>14} {time:>14}")
    hours = sum(job.minutes * job.threads for job in rules) / 60
    largest = max(job.mem_mb for job in rules)
    lines.append(
        f"{len(rules)} jobs; the largest asks for {largest} MB; limits add up to {hours:.1f} core hours"
    )
    return lines


def _range(values: list[int], unit: str) -> str:
    low, high = min(values), max(values)
    return f"{low} {unit}" if low == high else f"{low}–{high} {unit}"
