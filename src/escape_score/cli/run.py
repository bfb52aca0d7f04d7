"""``escape-score run``: one matrix, all stages, one process."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from escape_score.cli.log import CommandLog, StageProgress, is_flagged, print_limited, print_lost, remarks_to
from escape_score.cli.options import (
    Adjust,
    AsSamples,
    CohortName,
    ColumnMap,
    Formula,
    GeneLengths,
    GeneSets,
    GroupBy,
    HasReports,
    Layer,
    LengthsFromPositions,
    LogJson,
    OwnLanguage,
    OwnSeed,
    Quiet,
    ReferenceName,
    RunConfigFile,
    Samples,
    SheetName,
    Strandedness,
    Transpose,
    Units,
    require_config,
    require_files,
)
from escape_score.errors import ExitCode, UsageError, counted

if TYPE_CHECKING:
    from escape_score.config import RunConfig
    from escape_score.pipeline.profiles import Profiles
    from escape_score.store.manifest import FailedSample


def run(
    matrix: Annotated[
        Path | None, typer.Argument(help="Expression matrix: genes in rows, samples in columns.")
    ] = None,
    *,
    out: Annotated[Path | None, typer.Option("--out", help="Folder of the results.")] = None,
    samples: Samples = None,
    cohort: CohortName = None,
    units: Units = None,
    gene_lengths: GeneLengths = None,
    lengths_from_positions: LengthsFromPositions = None,
    reference: ReferenceName = None,
    gene_sets: GeneSets = None,
    config: RunConfigFile = None,
    lang: OwnLanguage = None,
    transpose: Transpose = None,
    sheet: SheetName = None,
    layer: Layer = None,
    strand: Strandedness = None,
    as_samples: AsSamples = None,
    columns: ColumnMap = None,
    group_by: GroupBy = None,
    adjust: Adjust = None,
    formula: Formula = None,
    seed: OwnSeed = None,
    reports: HasReports = True,
    quiet: Quiet = False,
    log_json: LogJson = False,
) -> int:
    """Profile one matrix: all stages in one process."""
    require_config(config)
    if config is None:
        _require_named(matrix, out)
        require_files(
            *([matrix] if matrix else []),
            samples=samples,
            gene_lengths=gene_lengths,
            gene_sets=gene_sets,
            reference=reference,
        )
    from escape_score.config import RunConfig, load_config

    settings = (load_config(config) if config is not None else RunConfig()).overridden(
        expression=matrix,
        outdir=out,
        samples=samples,
        units=units,
        gene_lengths=gene_lengths,
        lengths_from_positions=lengths_from_positions,
        reference=reference,
        gene_sets=gene_sets,
        lang=lang,
        seed=seed,
        transpose=transpose,
        sheet=sheet,
        layer=layer,
        strand=strand,
        as_samples=as_samples,
        columns=columns or None,
        groups=group_by or None,
        adjust=adjust or None,
        formula=formula,
    )
    return _run(settings, cohort, CommandLog(is_quiet=quiet, is_json=log_json), has_reports=reports)


def _run(settings: RunConfig, cohort: str | None, log: CommandLog, *, has_reports: bool) -> int:
    """Plan, profile and write; 5 where some samples failed."""
    matrix, out = _require_named(settings.expression, settings.outdir)
    require_files(
        matrix,
        samples=settings.samples,
        gene_lengths=settings.harmonise.gene_lengths,
        gene_sets=settings.score.gene_sets,
        reference=settings.profile.reference,
    )
    from escape_score.pipeline.profiling import ProfileOptions, profile_opened
    from escape_score.read import ReadRequest, read_requested
    from escape_score.report.text.i18n import translations
    from escape_score.store.ownership import require_result_folder

    translations(settings.report.lang)  # an unknown language is an error before the work, not after it
    named = (matrix, settings.samples, settings.score.gene_sets, settings.harmonise.gene_lengths)
    require_result_folder(out, named)
    request = ReadRequest.from_config(settings.reading, units=settings.units)
    options = ProfileOptions(
        reference=settings.profile.reference or ProfileOptions.reference,
        gene_sets=settings.score.gene_sets,
        gene_lengths=settings.harmonise.gene_lengths,
        lengths_from_positions=settings.harmonise.lengths_from_positions,
        min_genes=settings.min_genes,
        choice=settings.score.choice(threads=settings.threads),
        statistics=settings.statistics,
        seed=settings.seed,
    )
    return profile_and_write(
        lambda progress: profile_opened(
            lambda: read_requested(matrix, request, samples=settings.samples, cohort=cohort),
            options,
            on_stage=progress.stage,
        ),
        out,
        log,
        lang=settings.report.lang if has_reports else None,
        reference=settings.profile.reference,
        threads=settings.threads,
    )


def profile_and_write(
    profiled: Callable[[StageProgress], Profiles],
    out: Path,
    log: CommandLog,
    *,
    lang: str | None,
    reference: str | None,
    threads: int,
) -> int:
    """Profile, write and summarise; 5 where some samples failed.

    There are no pages if ``lang`` is None. ``reference``: as it was named. ``threads`` write pages.
    """
    from escape_score.pipeline.profiles import write_result
    from escape_score.store.manifest import earlier_manifest

    started, before = time.monotonic(), earlier_manifest(out)
    with StageProgress(log) as progress, remarks_to(log):
        result = profiled(progress)
        failed = write_result(
            result,
            out,
            lang=lang,
            threads=threads,
            on_stage=lambda stage: progress.stage(stage, total=len(result) if stage == "report" else None),
            on_sample=progress.advance,
        )
    if result.reference.is_edited:
        print(f"warning: {reference}: a file was changed after the fit; fit it again", file=sys.stderr)
    print_lost(out, before, earlier_manifest(out))
    _warn_of(failed, log)
    where = out / ("profiles.tsv" if lang is None else "index.html")
    _summarise(result, failed, log, where=where, seconds=time.monotonic() - started)
    return ExitCode.PARTIAL if failed else ExitCode.DONE


def _warn_of(failed: Sequence[FailedSample], log: CommandLog) -> None:
    """Name samples that failed, and why."""
    for one in failed:
        log.event("failed", sample=one.sample_id, problem=one.problem)
    if not log.is_json:
        lines = [f"warning: {one.sample_id}: failed ({one.problem})" for one in failed]
        print_limited(lines, rest="warning: {n} more samples failed; see qc.tsv")


def _require_named(matrix: Path | None, out: Path | None) -> tuple[Path, Path]:
    """The matrix and the folder of results; UsageError where one is not given."""
    if matrix is None or out is None:
        missing = "MATRIX" if matrix is None else "--out"
        msg = f"run: {missing} is not given; name it on the command line or in --config"
        raise UsageError(msg)
    return matrix, out


def _summarise(
    result: Profiles, failed: Sequence[FailedSample], log: CommandLog, *, where: Path, seconds: float
) -> None:
    """Print what was done and where to look."""
    from escape_score.model.notes import Severity
    from escape_score.pipeline.profiles import in_english

    counts = Counter(str(status) for status in result.profiles.status)
    row = {
        "cohort": result.cohort,
        "samples": len(result),
        "flagged": sum(
            is_flagged(note.code for note in result.maker.flags.of_sample(one)) for one in result.sample_ids
        ),
        "failed": len(failed),
        "seconds": round(seconds),
    }
    said = ", ".join(f"{n} {status}" for status, n in sorted(counts.items()))
    why = result.why_reference
    log.event("reference", reference=result.reference.name, choice=why)
    cautions = [
        f"caution: {in_english(one)}\n"
        for one in result.maker.flags.cohort
        if one.severity is Severity.CAUTION
    ]
    closing = f"{''.join(cautions)}{why}\n{counted(len(result), 'sample')} ({said}); see {where}"
    log.summary([row], seconds=seconds, closing=closing)
