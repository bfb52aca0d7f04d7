"""``escape-score read``: stage 1."""

from __future__ import annotations

from typing import Annotated

import typer

from escape_score.cli.options import CohortName, Matrix, OutFile, Samples, Units


def read(
    matrix: Matrix,
    out: OutFile,
    cohort: CohortName = None,
    units: Units = None,
    samples: Samples = None,
    *,
    limits: Annotated[str, typer.Option("--limits", help="The config's block read, as JSON.")] = "{}",
) -> int:
    """Stage 1: matrix and sample sheet to a checked cohort."""
    from escape_score.config import ReadConfig, parse_block
    from escape_score.read import ReadLimits, read_cohort
    from escape_score.store.h5ad import write_cohort

    allowed = ReadLimits.from_config(parse_block("--limits", limits, ReadConfig))
    found = read_cohort(matrix, units=units or "auto", samples=samples, cohort=cohort, limits=allowed)
    write_cohort(out, found)
    return 0
