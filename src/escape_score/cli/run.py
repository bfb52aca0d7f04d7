"""``escape-score run``: one matrix, all stages, one process."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from escape_score.cli.log import CommandLog
from escape_score.cli.progress import StageProgress
from escape_score.config import ReadConfig, RunConfig, load_config
from escape_score.errors import ExitCode, UsageError
from escape_score.model.method_choice import MethodChoice
from escape_score.model.reference import Reference
from escape_score.model.units import ExpressionUnit
from escape_score.pipeline import stages as pipeline
from escape_score.pipeline.fitting import fit_on_cohort
from escape_score.pipeline.outputs import ProfiledCohort, header_of, write_profiles
from escape_score.pipeline.reports import finish_result, sample_files, write_pages
from escape_score.reference.read import COHORT_REFERENCE, DEFAULT_REFERENCE, load_reference
from escape_score.report.text.i18n import translations
from escape_score.store.manifest import FailedSample, Part
from escape_score.store.result_folder import staged_result


@dataclass(frozen=True)
class RunRequest:
    """What to do, from the command line and a config."""

    matrix: Path
    out: Path
    samples: Path | None
    cohort: str
    units: ExpressionUnit
    gene_lengths: Path | None
    reference: str
    gene_sets: Path | None
    lang: str
    seed: int
    min_genes: int
    read: ReadConfig
    choice: MethodChoice
    has_reports: bool

    @classmethod
    def from_options(
        cls,
        *,
        config: Path | None,
        matrix: Path | None,
        out: Path | None,
        samples: Path | None,
        cohort: str | None,
        units: ExpressionUnit | None,
        gene_lengths: Path | None,
        reference: str | None,
        gene_sets: Path | None,
        lang: str | None,
        seed: int | None,
        has_reports: bool,
    ) -> RunRequest:
        """Join the command line, which wins, with a config.

        Raises
        ------
        UsageError
            Neither names a matrix or an output folder.
        ConfigInvalidError
            The config is not usable.
        """
        blocks = load_config(config) if config is not None else RunConfig()
        matrix, out = matrix or blocks.expression, out or blocks.outdir
        if matrix is None or out is None:
            missing = "MATRIX" if matrix is None else "--out"
            msg = f"run: {missing} is not given; name it on the command line or in --config"
            raise UsageError(msg)
        return cls(
            matrix=matrix,
            out=out,
            samples=samples or blocks.samples,
            cohort=cohort or pipeline.cohort_name(matrix),
            units=units or blocks.units,
            gene_lengths=gene_lengths or blocks.harmonise.gene_lengths,
            reference=reference or blocks.profile.reference or DEFAULT_REFERENCE,
            gene_sets=gene_sets or blocks.score.gene_sets,
            lang=lang or blocks.report.lang,
            seed=blocks.seed if seed is None else seed,
            min_genes=blocks.min_genes,
            read=blocks.read,
            choice=blocks.score.choice(threads=blocks.threads),
            has_reports=has_reports,
        )


def run_matrix(request: RunRequest, log: CommandLog) -> int:
    """Carry a request out.

    Returns
    -------
    int
        0 when done (a sample that is not evaluable is no failure), 5 when some samples failed.
    """
    started = time.monotonic()
    translations(request.lang)  # an unknown language is told before the work, not after it
    named = None if request.reference == COHORT_REFERENCE else load_reference(request.reference)
    user_sets = pipeline.read_user_gene_sets(request.gene_sets)
    with StageProgress(log) as progress:
        cohort = _profiled(request, named, user_sets, progress)
        with staged_result(request.out) as folder:
            failed = _write(cohort, folder, request, progress)
    _summarise(cohort, request, failed, log, seconds=time.monotonic() - started)
    return ExitCode.PARTIAL if failed else ExitCode.DONE


def _profiled(
    request: RunRequest,
    named: Reference | None,
    user_sets: pipeline.UserGeneSets,
    progress: StageProgress,
) -> ProfiledCohort:
    """Read, harmonise, score and profile; without a reference by name, one is fitted on the cohort."""
    from escape_score.read import ReadLimits, read_cohort

    progress.stage("read")
    cohort = read_cohort(
        request.matrix,
        name=request.cohort,
        declared_unit=request.units,
        sample_sheet=request.samples,
        limits=ReadLimits.from_config(request.read),
    )
    progress.stage("harmonise")
    harmonised = pipeline.harmonise(
        cohort, gene_lengths=request.gene_lengths, min_genes=request.min_genes, source=request.matrix
    )
    progress.stage("score")
    reference = named or fit_on_cohort(harmonised, source=request.matrix)
    scores = pipeline.score(harmonised, reference, user_sets, source=request.matrix, choice=request.choice)
    progress.stage("profile")
    digest = pipeline.genesets_digest(user_sets)
    profiles, maker = pipeline.profile(scores, reference, genesets_sha256=digest, seed=request.seed)
    return ProfiledCohort(scores, profiles, maker, reference, digest, request.seed)


def _write(
    cohort: ProfiledCohort, folder: Path, request: RunRequest, progress: StageProgress
) -> tuple[FailedSample, ...]:
    """Write tables, profiles, pages and, last, the manifest; tell which samples failed."""
    n = len(cohort.scores.sample_ids)
    progress.stage("write", total=n if request.has_reports else None)
    part = write_profiles(cohort, folder, has_samples=request.has_reports, on_sample=progress.advance)
    parts = [part]
    if request.has_reports:
        progress.stage("report", total=n)
        paths = [folder / path for path in sample_files(part.files)]
        pages, failed = write_pages(folder, paths, lang=request.lang, on_sample=progress.advance)
        parts.append(Part(files=pages, failed=failed))
    return finish_result(folder, header_of(cohort), parts, lang=request.lang if request.has_reports else None)


def _summarise(
    cohort: ProfiledCohort,
    request: RunRequest,
    failed: Sequence[FailedSample],
    log: CommandLog,
    *,
    seconds: float,
) -> None:
    """Say what was done and where to look."""
    n_flagged = sum(bool(cohort.maker.flags.of_sample(sample_id)) for sample_id in cohort.scores.sample_ids)
    counts = Counter(str(status) for status in cohort.profiles.status)
    row = {
        "cohort": request.cohort,
        "samples": len(cohort.scores.sample_ids),
        "flagged": n_flagged,
        "failed": len(failed),
        "seconds": round(seconds),
    }
    said = ", ".join(f"{n} {status}" for status, n in sorted(counts.items()))
    where = request.out / ("index.html" if request.has_reports else "profiles.tsv")
    log.summary([row], seconds=seconds, closing=f"{row['samples']} samples ({said}); see {where}")
