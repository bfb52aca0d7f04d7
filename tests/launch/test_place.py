"""What a run of the workflow needs before it starts."""

from __future__ import annotations

from pathlib import Path

import pytest

from escape_score.errors import OutputUnwritableError, UsageError
from escape_score.launch.launcher import (
    RETRIES,
    profile_folder,
    require_engine,
    require_writable,
    workflow_folder,
)


def test_workflow_folder_holds_the_snakefile() -> None:
    assert (workflow_folder() / "rules" / "common.smk").is_file()


def test_profile_folder_finds_shipped_and_own_profiles(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").touch()
    assert profile_folder("slurm") == workflow_folder() / "profiles" / "slurm"
    assert profile_folder(str(tmp_path)) == tmp_path


def test_profile_folder_names_the_shipped_ones_where_there_is_none() -> None:
    with pytest.raises(UsageError, match="none: no such profile; name one of default, htcondor, lsf, slurm"):
        profile_folder("none")


@pytest.mark.parametrize("profile", ["default", "slurm", "lsf", "htcondor"])
def test_require_engine_refuses_retries_that_are_no_number(
    profile: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(RETRIES, "many")
    with pytest.raises(UsageError, match="'many' is no number of retries; give 0 or more"):
        require_engine(profile, is_dry_run=True)


def test_require_engine_refuses_slurm_where_there_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UsageError, match="--profile slurm: no sbatch on the PATH"):
        require_engine("slurm", is_dry_run=False)
    require_engine("slurm", is_dry_run=True)
    require_engine("default", is_dry_run=False)


@pytest.mark.parametrize(("profile", "command"), [("lsf", "bsub"), ("htcondor", "condor_submit")])
def test_require_engine_names_what_a_scheduler_needs(
    profile: str, command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    with pytest.raises(UsageError, match=rf"plugin is missing; pip install 'escape-score\[{profile}\]'"):
        require_engine(profile, is_dry_run=True)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: name)
    with pytest.raises(UsageError, match=f"--profile {profile}: no {command} on the PATH"):
        require_engine(profile, is_dry_run=False)


def test_require_writable_makes_the_folder_and_refuses_a_file(tmp_path: Path) -> None:
    require_writable(tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b").is_dir()
    (tmp_path / "file").touch()
    with pytest.raises(OutputUnwritableError, match="file: cannot be made"):
        require_writable(tmp_path / "file")
