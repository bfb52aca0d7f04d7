"""``escape-score read``, ``harmonise``, ``score`` and ``profile``: stages 1 to 4, one file in, one out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from escape_score.cli.log import CommandLog, remarks_to
from escape_score.cli.options import (
    AsSamples,
    CohortName,
    ColumnMap,
    GeneLengths,
    GeneSets,
    Layer,
    LengthsFromPositions,
    Matrix,
    OutFile,
    ReferenceName,
    Samples,
    Seed,
    SheetName,
    Source,
    Strandedness,
    Transpose,
    Units,
    label_of,
    read_request,
    require_files,
)


def read(
    matrix: Matrix,
    out: OutFile,
    cohort: CohortName = None,
    units: Units = None,
    *,
    samples: Samples = None,
    transpose: Transpose = None,
    sheet: SheetName = None,
    layer: Layer = None,
    strand: Strandedness = None,
    as_samples: AsSamples = None,
    columns: ColumnMap = None,
    options: Annotated[str, typer.Option("--options", help="The config's block read, as JSON.")] = "{}",
) -> int:
    """Stage 1: matrix and sample sheet to a checked cohort."""
    require_files(matrix, samples=samples)
    from escape_score.config import ReadConfig, parse_block
    from escape_score.read import read_requested
    from escape_score.store.h5ad import require_stage_file, write_cohort

    require_stage_file(out, matrix, samples)
    request = read_request(
        parse_block("--options", options, ReadConfig),
        units=units,
        transpose=transpose,
        sheet=sheet,
        layer=layer,
        strand=strand,
        as_samples=as_samples,
        columns=columns,
    )
    with remarks_to(CommandLog()):
        found = read_requested(matrix, request, samples=samples, cohort=cohort)
    write_cohort(out, found)
    return 0


def harmonise(
    cohort_file: Annotated[Path, typer.Argument(metavar="COHORT", help="cohort.h5ad of the stage read.")],
    out: OutFile,
    gene_lengths: GeneLengths = None,
    lengths_from_positions: LengthsFromPositions = None,
    *,
    min_genes: Annotated[
        int, typer.Option("--min-genes", min=1, help="Fewest recognised genes a matrix may have.")
    ] = 200,
    source: Source = None,
) -> int:
    """Stage 2: cohort to log2(TPM + 1) over approved symbols."""
    require_files(cohort_file, gene_lengths=gene_lengths)
    from escape_score.genes.lengths import open_gene_lengths
    from escape_score.harmonise import harmonise as harmonise_cohort
    from escape_score.store.h5ad import read_cohort_file, require_stage_file, write_harmonised

    require_stage_file(out, cohort_file, gene_lengths)
    cohort = read_cohort_file(cohort_file)
    cohort = replace(cohort, label=label_of(cohort, source))
    lengths = open_gene_lengths(gene_lengths, from_positions=bool(lengths_from_positions))
    write_harmonised(out, harmonise_cohort(cohort, gene_lengths=lengths, min_genes=min_genes))
    return 0


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
    source: Source = None,
) -> int:
    """Stage 3: harmonised cohort to signature scores."""
    require_files(harmonised, gene_sets=gene_sets, reference=reference)
    from escape_score.config import ScoreConfig, parse_block
    from escape_score.pipeline.choosing import choose_reference
    from escape_score.pipeline.gene_sets import open_gene_sets
    from escape_score.pipeline.profiling import score as score_cohort
    from escape_score.pipeline.references import open_reference, used_folder
    from escape_score.reference.known import AUTO_REFERENCE
    from escape_score.reference.write import write_reference
    from escape_score.store.h5ad import read_harmonised, require_stage_file, write_scores

    require_stage_file(out, harmonised, gene_sets)
    choice = parse_block("--options", options, ScoreConfig).choice(threads=threads)
    wanted = reference or AUTO_REFERENCE
    named, user_sets = open_reference(wanted), open_gene_sets(gene_sets)
    cohort = read_harmonised(harmonised)
    cohort = replace(cohort, label=label_of(cohort, source))
    chosen = choose_reference(cohort, wanted, named)
    # the stage profile reads it here, whatever becomes of references that are kept
    write_reference(used_folder(out), chosen.reference)
    scores = score_cohort(cohort, chosen.reference, user_sets, choice=choice)
    write_scores(out, chosen.applied(scores), genesets_sha256=user_sets.digest)
    return 0


def profile(
    scores: Annotated[Path, typer.Argument(metavar="SCORES", help="scores.h5ad of the stage score.")],
    out: Annotated[Path, typer.Option("--out", help="Folder of the results.")],
    part: Annotated[Path, typer.Option("--part", help="List of the files written, with digests.")],
    *,
    reference: ReferenceName = None,
    seed: Seed = 1,
    cells: Annotated[
        Path | None, typer.Option("--cells", help="Results of patients, if these are single cells.")
    ] = None,
    cells_h5ad: Annotated[bool, typer.Option("--cells-h5ad", help="Also write all cells.")] = False,
    more_cells: Annotated[list[Path] | None, typer.Argument(help="Further results of patients.")] = None,
) -> int:
    """Stage 4: signature scores to profiles: tables and one JSON a sample."""
    patients = [*([] if cells is None else [cells]), *(more_cells or ())]
    require_files(scores, *patients, reference=reference)
    from escape_score.pipeline.profiles import files_of, write_profiles
    from escape_score.pipeline.profiling import profile_scores
    from escape_score.pipeline.references import reference_of_scores
    from escape_score.pipeline.reports import files_of_workflow
    from escape_score.reference.known import AUTO_REFERENCE
    from escape_score.store.h5ad import read_scores
    from escape_score.store.manifest import write_part
    from escape_score.store.result_folder import withdraw_result

    found, meta = read_scores(scores)
    against = reference_of_scores(scores, found, reference or AUTO_REFERENCE)
    result = profile_scores(found, against, genesets_sha256=meta.genesets_sha256, seed=seed)
    if patients:
        from escape_score.pipeline.cells.stages import results_of

        result = replace(result, cells=results_of(patients, label=str(scores), has_counts=cells_h5ad))
    withdraw_result(out, files_of(result), known=files_of_workflow(()) | files_of(result))
    write_part(part, write_profiles(result, out))
    return 0
