"""What the launcher reads out of Snakemake's words; e2e/test_workflow.py runs the real thing."""

from __future__ import annotations

from pathlib import Path

import pytest

from escape_score.cli import main
from escape_score.launch.log import WorkflowLog
from escape_score.launch.place import workflow_folder

# As written by Snakemake 9.27.1 when the command of one job ends with status 3.
FAILED_JOB = """\
1 of 17 steps (6%) done
Error in rule score:
    message: None
    jobid: 4
    input: work/a/harmonised.h5ad
    output: work/a/scores.h5ad
    log: logs/a/score.log (check log file(s) for error details)
    shell:
        escape-score score work/a/harmonised.h5ad --out work/a/scores.h5ad > logs/a/score.log 2>&1
        (command exited with non-zero exit code)
7 of 17 steps (41%) done
WorkflowError:
At least one job did not complete successfully.
"""
LOCKED = (
    "Error: Directory cannot be locked. Please make sure that no other Snakemake process is trying to create "
    "the same files in the following directory:\n"
)


def write_config(folder: Path) -> Path:
    """A config of one cohort, which nothing runs."""
    (folder / "m.tsv").write_text("gene\ts1\nCD8A\t1\n", encoding="utf-8")
    sheet = "cohort\texpression\tsamples\tunits\na\tm.tsv\t\ttpm\n"
    (folder / "cohorts.tsv").write_text(sheet, encoding="utf-8")
    config = folder / "config.yaml"
    config.write_text("cohorts: cohorts.tsv\n", encoding="utf-8")
    return config


def observed(text: str) -> WorkflowLog:
    log = WorkflowLog()
    for line in text.splitlines(keepends=True):
        log.observe(line)
    return log


def test_workflow_log_counts_the_steps() -> None:
    log = observed(FAILED_JOB)
    assert (log.n_done, log.n_steps) == (7, 17)


def test_workflow_log_names_each_failed_job_once() -> None:
    assert observed(FAILED_JOB * 2).failed_logs == ["logs/a/score.log"]


@pytest.mark.parametrize(
    ("ending", "status"),
    [
        ("returned non-zero exit status 3.", 3),
        ("returned non-zero exit status 137.", 137),
        ("died with <Signals.SIGKILL: 9>.", 137),
    ],
)
def test_workflow_log_knows_how_a_command_ended(ending: str, status: int) -> None:
    line = f"Command 'set -euo pipefail;  escape-score read m.tsv > logs/a/read.log 2>&1' {ending}\n"
    assert observed(line).exit_statuses == {"logs/a/read.log": status}


def test_workflow_log_forgets_a_failure_that_was_mended() -> None:
    assert observed(FAILED_JOB + "Finished jobid: 4 (Rule: score)\n").failed_logs == []
    assert observed(FAILED_JOB + "Finished jobid: 5 (Rule: score)\n").failed_logs == ["logs/a/score.log"]


def test_workflow_log_takes_the_log_of_the_rule_on_a_cluster() -> None:
    line = (
        "    log: logs/a/read.log, /run/.snakemake/slurm_logs/8.log (check log file(s) for error details)\n"
    )
    log = observed(line)
    assert log.failed_logs == ["logs/a/read.log"]
    assert log.executor_logs == {"logs/a/read.log": "/run/.snakemake/slurm_logs/8.log"}


@pytest.mark.parametrize(("text", "is_locked"), [(LOCKED, True), (FAILED_JOB, False)])
def test_workflow_log_knows_a_lock(text: str, is_locked: bool) -> None:
    assert observed(text).is_locked is is_locked


def test_workflow_folder_holds_the_snakefile() -> None:
    assert (workflow_folder() / "rules" / "common.smk").is_file()


def test_workflow_starts_nothing_without_a_config(tmp_path: Path) -> None:
    command = ["workflow", "--config", str(tmp_path / "none.yaml"), "--directory", str(tmp_path / "run")]
    assert main(command) in {2, 3}
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("options", [[], ["--dry-run"]])
def test_workflow_refuses_a_directory_that_is_a_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str]
) -> None:
    (tmp_path / "file").touch()
    config = write_config(tmp_path)
    command = ["workflow", "--config", str(config), "--directory", str(tmp_path / "file")]
    assert main([*command, *options]) == 2
    (error,) = capsys.readouterr().err.splitlines()
    assert error.startswith(f"error: {tmp_path / 'file'}: cannot be made")


def test_workflow_log_knows_that_nothing_was_to_be_done() -> None:
    text = "Nothing to be done (all requested files are present and up to date).\n"
    assert observed(text).is_up_to_date
    assert not observed(FAILED_JOB).is_up_to_date


def test_workflow_refuses_slurm_where_there_is_none(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    config = write_config(tmp_path)
    run = tmp_path / "run"
    command = ["workflow", "--config", str(config), "--directory", str(run), "--profile", "slurm"]
    assert main(command) == 2
    (error,) = capsys.readouterr().err.splitlines()
    assert error.startswith("error: --profile slurm: ")
    assert not run.exists()
