"""What Snakemake's log events say about a run: its jobs, how many are done, and which failed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from escape_score.launch.failures import FailedJob, array_of, exit_statuses

_LAST_RULE = "gather"
"""It writes the manifest of a cohort."""


@dataclass(frozen=True)
class Job:
    """A job that starts, or would start, and what it requests: MiB, minutes, threads."""

    rule: str
    mem_mb: int = 0
    minutes: int = 0
    threads: int = 1
    cohort: str = ""


@dataclass
class WorkflowState:
    """What the events of a run say so far.

    Attributes
    ----------
    n_done, n_steps
        Jobs finished and jobs in all.
    n_by_rule
        Jobs to run, by rule; empty where all results are up to date.
    jobs
        Jobs started, or listed by a dry run, by Snakemake's number of the job.
    failed
        Events of the jobs that failed and have not finished since, in the order they failed.
    fault
        Snakemake's last error: the class of its exception, and the message.
    is_started, is_dry_run, has_run
        Snakemake has read the workflow; it only lists jobs; it has started a job.
    """

    n_done: int = 0
    n_steps: int = 0
    n_by_rule: Mapping[str, int] = field(default_factory=dict)
    jobs: dict[int, Job] = field(default_factory=dict)
    failed: dict[int, Mapping[str, Any]] = field(default_factory=dict)
    fault: tuple[str, str] = ("", "")
    is_started: bool = False
    is_dry_run: bool = False
    has_run: bool = False
    _exit_statuses: dict[str, int] = field(default_factory=dict)
    _finished: list[str] = field(default_factory=list)
    _refused_arrays: dict[str, str] = field(default_factory=dict)

    @property
    def is_up_to_date(self) -> bool:
        """Whether nothing was to be done, once Snakemake has ended."""
        return self.is_started and not self.n_by_rule and not self.fault[0]

    def failed_jobs(self, directory: Path) -> list[FailedJob]:
        """Read why jobs failed in the logs below a run's directory."""
        return [FailedJob.from_event(one, self._exit_statuses, directory) for one in self.failed.values()]

    def observe(self, event: Mapping[str, Any]) -> str:
        """Take in one event; a line for people where it finishes a cohort, else nothing."""
        match event["event"]:
            case "workflow_started":
                self.is_started, self.is_dry_run = True, event["is_dry_run"]
            case "run_info":
                self.n_by_rule, self.n_steps = event["stats"], event["stats"]["total"]
            case "job_info":
                asked, of = event["resources"], event["wildcards"].get("cohort", "")
                size = (asked.get("mem_mb", 0), asked.get("runtime", 0), event["threads"])
                self.jobs[event["jobid"]] = Job(event["rule_name"], *size, of)
            case "job_started":
                self.has_run = True
            case "job_finished":
                self.failed.pop(event["job_id"], None)
                return self._finished_line(self.jobs.get(event["job_id"], Job("")))
            case "progress":
                self.n_done, self.n_steps = event["done"], event["total"]
            case "job_error":
                array = array_of(event["rule_msg"] or "")
                said = self._refused_arrays.get(array, event["rule_msg"])
                self.failed[event["jobid"]] = {**event, "rule_msg": said}
            case "said":
                if array := array_of(event["message"]):
                    self._refused_arrays[array] = event["message"]
            case "error":
                self.fault = event["exception"], event["message"]
                self._exit_statuses |= exit_statuses(event["message"])
        return ""

    def _finished_line(self, job: Job) -> str:
        if job.rule != _LAST_RULE:
            return ""
        self._finished.append(job.cohort)
        return f"{job.cohort}: finished ({len(self._finished)} of {self.n_by_rule[_LAST_RULE]})"


def request_lines(jobs: Sequence[Job]) -> list[str]:
    """Lines on the jobs of a dry run and the memory and time they request: one a rule, and their sum."""
    jobs = [job for job in jobs if job.rule != "all"]
    if not jobs:
        return ["nothing to be done: no job"]
    lines = [f"{'rule':<10} {'jobs':>6} {'threads':>8} {'memory each':>14} {'time each':>14}"]
    for rule in dict.fromkeys(job.rule for job in jobs):
        mine = [job for job in jobs if job.rule == rule]
        memory = _range([job.mem_mb for job in mine], "MB")
        time = _range([job.minutes for job in mine], "min")
        threads = max(job.threads for job in mine)
        lines.append(f"{rule:<10} {len(mine):>6} {threads:>8} {memory:>14} {time:>14}")
    hours = sum(job.minutes * job.threads for job in jobs) / 60
    largest = max(job.mem_mb for job in jobs)
    total = f"{len(jobs)} jobs; the largest requests {largest} MB; limits add up to {hours:.1f} core hours"
    return [*lines, total]


def _range(values: Sequence[int], unit: str) -> str:
    low, high = min(values), max(values)
    return f"{low} {unit}" if low == high else f"{low}–{high} {unit}"
