"""What the launcher refuses before it starts Snakemake; e2e/test_workflow.py runs the real thing."""

from __future__ import annotations

from pathlib import Path

import pytest

from escape_score.cli import main


def write_config(folder: Path) -> Path:
    """A config of one cohort, which nothing runs."""
    (folder / "m.tsv").write_text("gene\ts1\nCD8A\t1\n", encoding="utf-8")
    sheet = "cohort\texpression\tsamples\tunits\na\tm.tsv\t\ttpm\n"
    (folder / "cohorts.tsv").write_text(sheet, encoding="utf-8")
    config = folder / "config.yaml"
    config.write_text("cohorts: cohorts.tsv\n", encoding="utf-8")
    return config


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


def test_workflow_refuses_a_folder_with_the_executor_slurm_where_there_is_none(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "config.yaml").write_text("executor: slurm\njobs: 2\n", encoding="utf-8")
    config = write_config(tmp_path)
    command = ["workflow", "--config", str(config), "--directory", str(tmp_path / "run"), "--profile"]
    assert main([*command, str(mine)]) == 2
    (error,) = capsys.readouterr().err.splitlines()
    assert error.startswith(f"error: --profile {mine}: ")
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
@pytest.mark.parametrize("variable", ["HOME", "XDG_CACHE_HOME"])
def test_cache_that_cannot_be_written_is_below_the_directory_of_the_run(
    variable: str, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv(variable, str(tmp_path / "file" / "home"))
    config, run = write_config(tmp_path), tmp_path / "run"
    command = ["workflow", "--config", str(config), "--directory", str(run), "--cores", "1", "--dry-run"]
    assert main(command) == 0, capfd.readouterr().err
    assert (run / ".snakemake" / "cache").is_dir()
