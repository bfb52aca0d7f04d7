"""``escape-score score``: stage 3."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from escape_score.cli.options import GeneSets, OutFile, ReferenceName


def score(
    harmonised: Annotated[
        Path, typer.Argument(metavar="HARMONISED", help="harmonised.h5ad of the stage harmonise.")
    ],
    out: OutFile,
    gene_sets: GeneSets = None,
    reference: ReferenceName = None,
    *,
    options: Annotated[str, typer.Option("--options", help="The config's block score, as JSON.")] = "{}",
    threads: Annotated[int, typer.Option("--threads", min=1, help="Threads of the methods chosen.")] = 1,
) -> int:
    """Stage 3: harmonised cohort to signature scores."""
    from escape_score.config import ScoreConfig, parse_block
    from escape_score.pipeline.gene_sets import open_gene_sets
    from escape_score.pipeline.profiling import score as score_cohort
    from escape_score.pipeline.references import fit_on_cohort, fitted_folder, open_reference
    from escape_score.reference.read import AUTO_REFERENCE
    from escape_score.reference.write import write_reference
    from escape_score.store.h5ad import read_harmonised, write_scores

    choice = parse_block("--options", options, ScoreConfig).choice(threads=threads)
    named, user_sets = open_reference(reference or AUTO_REFERENCE), open_gene_sets(gene_sets)
    cohort = read_harmonised(harmonised)
    against = named or fit_on_cohort(cohort)
    if named is None:
        write_reference(fitted_folder(out), against)
    write_scores(
        out, score_cohort(cohort, against, user_sets, choice=choice), genesets_sha256=user_sets.digest
    )
    return 0
