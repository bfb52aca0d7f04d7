"""What follows from jobs that failed; e2e/test_workflow.py kills real ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from escape_score.errors import ExitCode
from escape_score.launch.failures import FailedJob, exit_code_of, exit_statuses, refusal_of

BAD_CELL = "error: m.tsv: cell 'x' is not numeric (line 2); give a number, or NA"
BUG = "error: internal: KeyError: 'x'; run again with --debug and report it"
NO_MEMORY = "error: internal: MemoryError: ; run again with --debug and report it"
# As written by the Slurm executor 2.8.0.
REFUSED = (
    "SLURM sbatch failed. The error message was 'sbatch: error: invalid partition specified: none\n"
    "sbatch: error: Batch job submission failed: Invalid partition name specified'.\n"
    "    sbatch call:\n        sbatch --parsable --job-name x\n"
)
NO_ACCOUNT = (
    "Job submission failed with exception: The given account escape_score appears to be invalid. "
    "Available accounts:\nroot"
)
NO_COMMAND = "Job submission failed with exception: [Errno 2] No such file or directory: 'sshare'"
TIMEOUT = "SLURM-job '8' failed, SLURM status is: 'TIMEOUT'. Detailed failure reason unavailable."


def job(*said: str, status: int | None = None, name: str = "read", **slurm: str) -> FailedJob:
    return FailedJob(Path(f"logs/a/{name}.log"), said, status, **slurm)


INPUT = job(BAD_CELL, status=3)
USAGE = job("error: out: cannot be written (disk full); free space", status=2)
KILLED = job(status=137)
KILLED_CHUNK = job(status=137, name="report-2")


def test_failed_job_knows_its_place() -> None:
    assert KILLED_CHUNK.cohort == "a"
    assert KILLED_CHUNK.is_chunk
    assert not KILLED.is_chunk


@pytest.mark.parametrize(
    ("failed", "code"),
    [
        (INPUT, ExitCode.INPUT),
        (USAGE, ExitCode.USAGE),
        (job(BAD_CELL), ExitCode.INPUT),
        (KILLED, ExitCode.PARTIAL),
        (job(), ExitCode.PARTIAL),
        (job(NO_MEMORY, status=4), ExitCode.PARTIAL),
        (job(NO_MEMORY), ExitCode.PARTIAL),
        (job(BUG, status=4), ExitCode.INTERNAL),
        (job(BUG), ExitCode.INTERNAL),
        (job(status=127), ExitCode.INTERNAL),
        (job(status=139), ExitCode.INTERNAL),
        (job(status=143), ExitCode.PARTIAL),
        (job(status=255), ExitCode.INTERNAL),
        (job(refusal="invalid partition"), ExitCode.USAGE),
        (job(state="TIMEOUT"), ExitCode.PARTIAL),
    ],
)
def test_failed_job_knows_what_is_at_fault(failed: FailedJob, code: ExitCode) -> None:
    assert failed.exit_code is code
    assert failed.is_fault is (code in {ExitCode.USAGE, ExitCode.INPUT})


@pytest.mark.parametrize(
    ("failed", "words"),
    [
        (INPUT, [BAD_CELL]),
        (KILLED, ["error: logs/a/read.log: ", "killed by SIGKILL", "cohort a", "same command again"]),
        (job(), ["error: logs/a/read.log: ", "killed or ran out of memory or time"]),
        (job(status=127), ["error: logs/a/read.log: ", "exit status 127"]),
        (job(state="TIMEOUT"), ["killed by Slurm", "TIMEOUT", "more memory or time"]),
        (job(refusal="invalid partition: none"), ["Slurm refused the job read", "invalid partition: none"]),
    ],
)
def test_failed_job_says_why_in_one_line(failed: FailedJob, words: list[str]) -> None:
    (line,) = failed.lines
    assert all(word in line for word in words)


def test_only_a_kill_as_by_the_system_hints_at_want_of_memory() -> None:
    assert "when memory runs out" in KILLED.lines[0]
    assert "when memory runs out" not in job(status=143).lines[0]
    assert "exit status 139" in job(status=139).lines[0]


@pytest.mark.parametrize(
    ("jobs", "is_any_done", "code"),
    [
        ([KILLED], True, ExitCode.PARTIAL),
        ([KILLED], False, ExitCode.INTERNAL),
        ([KILLED_CHUNK], True, ExitCode.PARTIAL),
        ([job(BUG, status=4, name="report-1")], True, ExitCode.PARTIAL),
        ([job(BUG, status=4)], True, ExitCode.INTERNAL),
        ([KILLED, INPUT], True, ExitCode.INPUT),
        ([job(BAD_CELL)], True, ExitCode.INPUT),
        ([USAGE], True, ExitCode.USAGE),
        ([USAGE, INPUT], False, ExitCode.INPUT),
        ([job(status=127)], True, ExitCode.INTERNAL),
        ([job(status=1)], True, ExitCode.INTERNAL),
        ([job(status=139)], True, ExitCode.INTERNAL),
        ([job(NO_MEMORY, status=4)], True, ExitCode.PARTIAL),
        ([KILLED, job(status=127)], True, ExitCode.INTERNAL),
    ],
)
def test_exit_code_of_follows_the_most_severe(
    jobs: list[FailedJob], is_any_done: bool, code: ExitCode
) -> None:
    assert exit_code_of(jobs, is_any_done=is_any_done) is code


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f"warning: s1\n{BAD_CELL}\n", (BAD_CELL,)),
        ("error: terminated\n", ()),
        ("error: interrupted\n", ()),
        (None, ()),
    ],
)
def test_from_event_reads_the_log_of_a_job(tmp_path: Path, text: str | None, said: tuple[str, ...]) -> None:
    if text is not None:
        (tmp_path / "read.log").write_text(text, encoding="utf-8")
    found = FailedJob.from_event({"log": ["read.log"], "rule_msg": None}, {"read.log": 3}, tmp_path)
    assert found == FailedJob(tmp_path / "read.log", said, 3)


def test_from_event_takes_the_status_from_the_log_of_the_executor(tmp_path: Path) -> None:
    remote = tmp_path / "8.log"
    remote.write_text(
        "Command 'escape-score read > read.log 2>&1' returned non-zero exit status 3.\n", "utf-8"
    )
    event = {"log": ["read.log", str(remote)], "rule_msg": TIMEOUT}
    found = FailedJob.from_event(event, {}, tmp_path)
    assert (found.exit_status, found.state) == (3, "TIMEOUT")


def test_from_event_takes_the_words_of_sbatch_and_no_earlier_log(tmp_path: Path) -> None:
    (tmp_path / "read.log").write_text(f"{BAD_CELL}\n", encoding="utf-8")
    found = FailedJob.from_event({"log": ["read.log"], "rule_msg": REFUSED}, {}, tmp_path)
    assert found.said == ()
    assert found.refusal.startswith("sbatch: error: invalid partition specified: none sbatch: error: Batch")


@pytest.mark.parametrize(
    ("ending", "status"),
    [
        ("returned non-zero exit status 3.", 3),
        ("returned non-zero exit status 137.", 137),
        ("died with <Signals.SIGKILL: 9>.", 137),
    ],
)
def test_exit_statuses_are_read_by_log_file(ending: str, status: int) -> None:
    text = f"Command 'set -euo pipefail;  escape-score read m.tsv > logs/a/read.log 2>&1' {ending}\n"
    assert exit_statuses(text) == {"logs/a/read.log": status}


@pytest.mark.parametrize("ending", ["", "For further error details see the cluster/cloud log."])
@pytest.mark.parametrize(
    ("message", "said"), [(NO_ACCOUNT, "Available accounts: root"), (NO_COMMAND, "'sshare'")]
)
def test_job_that_was_never_submitted_shows_the_words_of_slurm(
    message: str, said: str, ending: str, tmp_path: Path
) -> None:
    event = {"log": ["logs/a/read.log"], "rule_msg": message + ending}
    failed = FailedJob.from_event(event, {}, tmp_path)
    assert failed.exit_code is ExitCode.USAGE
    (line,) = failed.lines
    assert "Slurm refused the job read (cohort a)" in line
    assert said in line
    assert line.endswith("; correct the profile, then run again")
    assert "further error" not in line


@pytest.mark.parametrize(
    ("message", "words"),
    [
        # As written by the executors of LSF 0.3.3 and HTCondor 0.3.0.
        ("LSF-job '8' failed, LSF status is: 'EXIT'", ["killed by LSF with the state EXIT"]),
        (
            "Job 3 with HTCondor Cluster ID 8 is held: memory limit of 10 megabytes",
            ["killed by HTCondor with the state held: memory limit of 10 megabytes"],
        ),
        ("Job 3 with HTCondor Cluster ID 8 was removed/aborted.", ["by HTCondor with the state removed"]),
    ],
)
def test_job_that_another_scheduler_ended_names_it(message: str, words: list[str], tmp_path: Path) -> None:
    failed = FailedJob.from_event({"log": ["logs/a/read.log"], "rule_msg": message}, {}, tmp_path)
    assert failed.exit_code is ExitCode.PARTIAL
    (line,) = failed.lines
    assert all(word in line for word in words), line


def test_from_event_finds_the_log_of_htcondor(tmp_path: Path) -> None:
    logs = tmp_path / ".snakemake" / "htcondor" / "read"
    logs.mkdir(parents=True)
    for cluster, status in ((8, 2), (18, 3)):
        words = f"Command 'escape-score read > read.log 2>&1' returned non-zero exit status {status}.\n"
        (logs / f"read-3_{cluster}.err").write_text(words, encoding="utf-8")
    message = "Job 3 with HTCondor Cluster ID 8 completed but failed with ExitCode 1."
    found = FailedJob.from_event({"log": ["read.log"], "rule_msg": message}, {}, tmp_path)
    assert (found.exit_status, found.state, found.scheduler) == (2, "", "HTCondor")


@pytest.mark.parametrize(
    ("message", "said"),
    [
        (
            'LSF job submission failed. The error message was none: No such queue.\n\n  File "x.py", line 1',
            "LSF refused a job: none: No such queue.; correct the profile, then run again",
        ),
        (
            "SLURM job submission failed. The error message was sbatch: submission failed",
            "Slurm refused a job: sbatch: submission failed; correct the profile, then run again",
        ),
        (
            "Failed to submit HTCondor job: no such group",
            "HTCondor refused a job: no such group; correct the profile, then run again",
        ),
        ("no such rule", ""),
    ],
)
def test_refusal_of_is_the_words_of_the_scheduler(message: str, said: str) -> None:
    assert refusal_of(message) == said
