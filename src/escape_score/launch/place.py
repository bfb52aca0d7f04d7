"""What a run of the workflow needs before it starts: the Snakefile, a profile, Slurm, a directory."""

from __future__ import annotations

import importlib.util
import os
import shutil
from pathlib import Path

from escape_score.errors import OutputUnwritableError, UsageError
from escape_score.library.files import resource_path

RETRIES = "ESCAPE_SCORE_RETRIES"
_SLURM = "slurm"
_WRITTEN = (".snakemake", "results", "work", "logs")


def workflow_folder() -> Path:
    """Folder that holds ``Snakefile``, ``rules/`` and ``profiles/``, next to the shipped resources."""
    return resource_path().parent / "workflow"


def profile_folder(profile: str) -> Path:
    """Find a profile: shipped with the workflow, or a folder of the user's.

    Raises
    ------
    UsageError
        There is none.
    """
    shipped = workflow_folder() / "profiles"
    for folder in (shipped / profile, Path(profile).absolute()):
        if (folder / "config.yaml").is_file():
            return folder
    names = ", ".join(sorted(path.name for path in shipped.iterdir()))
    message = f"{profile}: no such profile; name one of {names}, or a folder with a config.yaml"
    raise UsageError(message)


def require_engine(profile: str, *, is_dry_run: bool) -> None:
    """Refuse a run whose profile would fail: a variable that is no number, a Slurm that is not there.

    Raises
    ------
    UsageError
        It would.
    """
    given = os.environ.get(RETRIES, "0")
    if not given.isdecimal():
        message = f"{RETRIES}: {given!r} is no number of retries; give 0 or more"
        raise UsageError(message)
    if profile != _SLURM:
        return
    if importlib.util.find_spec("snakemake_executor_plugin_slurm") is None:
        message = f"--profile {_SLURM}: Snakemake's plugin is missing; pip install 'escape-score[slurm]'"
        raise UsageError(message)
    if not is_dry_run and shutil.which("sbatch") is None:
        message = f"--profile {_SLURM}: no sbatch on the PATH; run it where Slurm's commands are, or without"
        raise UsageError(message)


def require_writable(directory: Path) -> None:
    """Make the directory of a run, and refuse one that its jobs could not write.

    Raises
    ------
    OutputUnwritableError
        It cannot be made or written.
    """
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
