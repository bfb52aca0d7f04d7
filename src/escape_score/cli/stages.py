"""The stages one by one, as the rules of the workflow call them."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from escape_score.config import ReadConfig, ScoreConfig
from escape_score.errors import ConfigInvalidError, ReferenceInvalidError
from escape_score.model.cohort import HarmonisedCohort
from escape_score.model.reference import Reference
from escape_score.model.units import ExpressionUnit
from escape_score.pipeline import stages as pipeline
from escape_score.pipeline.fitting import fit_on_cohort
from escape_score.pipeline.outputs import ProfiledCohort, write_profiles
from escape_score.reference.read import COHORT_REFERENCE, DEFAULT_REFERENCE, load_reference
from escape_score.reference.write import write_reference
from escape_score.store import h5ad
from escape_score.store.manifest import write_part
from escape_score.store.result_folder import withdraw_result

Block = TypeVar("Block", bound=BaseModel)


def read_stage(
    matrix: Path,
    out: Path,
    *,
    cohort: str | None,
    units: ExpressionUnit | None,
    samples: Path | None,
    limits: str,
) -> int:
    """Matrix and sample sheet to ``cohort.h5ad``."""
    from escape_score.read import ReadLimits, read_cohort

    read = read_cohort(
        matrix,
        name=cohort or pipeline.cohort_name(matrix),
        declared_unit=units or ExpressionUnit.AUTO,
        sample_sheet=samples,
        limits=ReadLimits.from_config(_block("--limits", limits, ReadConfig)),
    )
    h5ad.write_cohort(out, read)
    return 0


def _block(option: str, text: str, model: type[Block]) -> Block:
    """Read the block of a config that a rule hands on."""
    try:
        return model.model_validate_json(text)
    except ValidationError as error:
        what = error.errors(include_url=False)[0]
        msg = f"{option}: {'.'.join(str(part) for part in what['loc'])}: {what['msg']}; give a JSON object"
        raise ConfigInvalidError(msg) from error


def harmonise_stage(cohort_file: Path, out: Path, *, gene_lengths: Path | None, min_genes: int) -> int:
    """``cohort.h5ad`` to ``harmonised.h5ad``."""
    cohort = h5ad.read_cohort_file(cohort_file)
    h5ad.write_harmonised(
        out, pipeline.harmonise(cohort, gene_lengths=gene_lengths, min_genes=min_genes, source=cohort_file)
    )
    return 0


def score_stage(
    harmonised: Path,
    out: Path,
    *,
    gene_sets: Path | None,
    reference: str | None,
    options: str,
    threads: int,
) -> int:
    """``harmonised.h5ad`` to ``scores.h5ad``; a reference fitted on the cohort goes beside it."""
    choice = _block("--options", options, ScoreConfig).choice(threads=threads)
    user_sets = pipeline.read_user_gene_sets(gene_sets)
    cohort = h5ad.read_harmonised(harmonised)
    loaded = _reference_to_score(reference, cohort, harmonised, out)
    scores = pipeline.score(cohort, loaded, user_sets, source=harmonised, choice=choice)
    h5ad.write_scores(out, scores, genesets_sha256=pipeline.genesets_digest(user_sets))
    return 0


def _reference_to_score(name: str | None, cohort: HarmonisedCohort, source: Path, out: Path) -> Reference:
    """The reference named; where it is the cohort, one fitted now and kept for the stage profile."""
    if name != COHORT_REFERENCE:
        return load_reference(name or DEFAULT_REFERENCE)
    fitted = fit_on_cohort(cohort, source=source)
    write_reference(fitted_reference(out), fitted)
    return fitted


def fitted_reference(scores: Path) -> Path:
    """Folder of the reference that was fitted on a cohort, beside its scores."""
    return scores.with_name("reference")


def _reference_to_profile(name: str | None, scores: Path) -> Reference:
    """The reference named; where it is the cohort, the one that the stage score fitted."""
    if name != COHORT_REFERENCE:
        return load_reference(name or DEFAULT_REFERENCE)
    folder = fitted_reference(scores)
    if not folder.is_dir():
        msg = f"{folder}: no such folder; run the stage score with --reference {COHORT_REFERENCE} first"
        raise ReferenceInvalidError(msg)
    return load_reference(str(folder))


def profile_stage(scores_file: Path, out: Path, part: Path, *, reference: str | None, seed: int) -> int:
    """``scores.h5ad`` to tables and one JSON a sample."""
    scores, meta = h5ad.read_scores(scores_file)
    loaded = _reference_to_profile(reference, scores_file)
    if (loaded.name, loaded.sha256) != (scores.reference, scores.reference_sha256):
        other = loaded.name if loaded.name != scores.reference else f"this state of {loaded.name}"
        msg = (
            f"{scores_file}: scored against {scores.reference}, not {other}; score again or give that "
            "reference"
        )
        raise ReferenceInvalidError(msg)
    profiles, maker = pipeline.profile(scores, loaded, genesets_sha256=meta.genesets_sha256, seed=seed)
    cohort = ProfiledCohort(scores, profiles, maker, loaded, meta.genesets_sha256, seed)
    withdraw_result(out)
    write_part(part, write_profiles(cohort, out))
    return 0
