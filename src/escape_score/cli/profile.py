"""``escape-score profile``: stage 4."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from escape_score.cli.options import ReferenceName


def profile(
    scores: Annotated[Path, typer.Argument(metavar="SCORES", help="scores.h5ad of the stage score.")],
    out: Annotated[Path, typer.Option("--out", help="Folder of the results.")],
    part: Annotated[Path, typer.Option("--part", help="List of the files written, with digests.")],
    reference: ReferenceName = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Seed of every random draw.")] = 1,
) -> int:
    """Stage 4: signature scores to profiles: tables and one JSON a sample."""
    from escape_score.pipeline.profiles import write_profiles
    from escape_score.pipeline.profiling import profile_scores
    from escape_score.pipeline.references import reference_of_scores
    from escape_score.reference.read import AUTO_REFERENCE
    from escape_score.store.h5ad import read_scores
    from escape_score.store.manifest import write_part
    from escape_score.store.result_folder import withdraw_result

    found, meta = read_scores(scores)
    against = reference_of_scores(scores, found, reference or AUTO_REFERENCE)
    result = profile_scores(found, against, genesets_sha256=meta.genesets_sha256, seed=seed)
    withdraw_result(out)
    write_part(part, write_profiles(result, out))
    return 0
