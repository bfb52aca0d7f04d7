"""``escape-score harmonise``: stage 2."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from escape_score.cli.options import GeneLengths, OutFile


def harmonise(
    cohort_file: Annotated[Path, typer.Argument(metavar="COHORT", help="cohort.h5ad of the stage read.")],
    out: OutFile,
    gene_lengths: GeneLengths = None,
    min_genes: Annotated[
        int, typer.Option("--min-genes", min=1, help="Fewest recognised genes a matrix may have.")
    ] = 200,
) -> int:
    """Stage 2: cohort to log2(TPM + 1) over approved symbols."""
    from escape_score.genes.lengths import open_gene_lengths
    from escape_score.harmonise import harmonise as harmonise_cohort
    from escape_score.store.h5ad import read_cohort_file, write_harmonised

    cohort, lengths = read_cohort_file(cohort_file), open_gene_lengths(gene_lengths)
    write_harmonised(out, harmonise_cohort(cohort, gene_lengths=lengths, min_genes=min_genes))
    return 0
