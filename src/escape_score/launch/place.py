"""What a run of the workflow needs before it starts: the Snakefile, a profile, Slurm, a directory."""

from __future__ import annotations

import importlib.util
import os
import shutil
from pathlib import Path

from escape_score.errors import EscapeScoreError, OutputUnwritableError, UsageError

SLURM = "slurm"
_WRITTEN = (".snakemake", "results", "work", "logs")


def workflow_folder() -> Path:
    """Find the folder of the Snakefile: inside an installed package, or at the top of the source tree.

    Returns
    -------
    Path
        A folder that holds ``Snakefile``, ``rules/`` and ``profiles/``.

    Raises
    ------
    EscapeScoreError
        The installation has none.
    """
    package = Path(__file__).resolve().parents[1]
    for folder in (package / "_data" / "workflow", package.parents[1] / "workflow"):
        if (folder / "Snakefile").is_file():
            return folder
    message = f"{package / '_data' / 'workflow'}: the workflow is not installed; install escape-score again"
    raise EscapeScoreError(message)


def profile_folder(workflow: Path, profile: str) -> Path:
    """Find a profile: shipped with the workflow, or a folder of the user's.

    Raises
    ------
    UsageError
        There is none.
    """
    for folder in (workflow / "profiles" / profile, Path(profile).absolute()):
        if (folder / "config.yaml").is_file():
            return folder
    shipped = ", ".join(sorted(path.name for path in (workflow / "profiles").iterdir()))
    message = f"{profile}: no such profile; name one of {shipped}, or a folder with a config.yaml"
    raise UsageError(message)


def require_slurm(*, is_dry_run: bool) -> None:
    """Refuse a run on Slurm where its plugin or its commands are missing.

    Raises
    ------
    UsageError
        They are.
    """
    if importlib.util.find_spec("snakemake_executor_plugin_slurm") is None:
        message = f"--profile {SLURM}: Snakemake's plugin is missing; pip install 'escape-score[slurm]'"
        raise UsageError(message)
    if not is_dry_run and shutil.which("sbatch") is None:
        message = f"--profile {SLURM}: no sbatch on the PATH; run it where Slurm's commands are, or without"
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
