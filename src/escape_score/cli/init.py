"""``escape-score init``: config, table of cohorts and sample sheets for matrices, to be filled in."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer

from escape_score.cli.log import CommandLog, remarks_to
from escape_score.cli.options import require_files


def init(
    matrices: Annotated[
        list[Path], typer.Argument(metavar="MATRIX...", help="Matrices of bulk expression or single cells.")
    ],
    folder: Annotated[
        Path, typer.Option("--dir", help="Folder for the files; what is there is never overwritten.")
    ] = Path("escape-score-config"),
) -> int:
    """Look at matrices and write a config, a table of cohorts and sample sheets to fill in."""
    require_files(*matrices)
    from escape_score.pipeline.starting import COHORTS, CONFIG, start_study

    with remarks_to(CommandLog()):
        cohorts = start_study(matrices, folder)
    names = ", ".join((CONFIG, COHORTS, *(one.sheet for one in cohorts)))
    print(f"written to {folder}: {names}")
    undecided = ", ".join(one.name for one in cohorts if one.is_undecided)
    units = f"units of {undecided} in {COHORTS} (the numbers do not decide them), and " if undecided else ""
    print(f"fill in: {units}what you know of the samples in samples-*.tsv")
    config, place = shlex.quote(str(folder / CONFIG)), shlex.quote(str(folder))
    print(f"then run: escape-score workflow --config {config} --cores 4 --directory {place}")
    return 0
