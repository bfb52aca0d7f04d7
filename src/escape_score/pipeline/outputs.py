"""Writing a cohort's results into a folder."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from escape_score.model.profiles import CohortProfiles
from escape_score.model.record import slug_of
from escape_score.model.reference import Reference
from escape_score.model.scores import SignatureScores
from escape_score.pipeline.failures import noting_failure
from escape_score.profile import RecordMaker
from escape_score.store.atomic import write_text
from escape_score.store.h5ad import write_scores
from escape_score.store.manifest import (
    SAMPLES,
    FailedSample,
    FileEntry,
    Part,
    ResultHeader,
    entry_of,
    library_versions,
)
from escape_score.store.tables import profiles_table, qc_table, scores_table, write_parquet
from escape_score.store.tsv import write_tsv


@dataclass(frozen=True)
class ProfiledCohort:
    """A cohort with all that its results are written from."""

    scores: SignatureScores
    profiles: CohortProfiles
    maker: RecordMaker
    reference: Reference
    genesets_sha256: str
    seed: int


def write_profiles(
    cohort: ProfiledCohort,
    folder: Path,
    *,
    has_samples: bool = True,
    on_sample: Callable[[], None] = lambda: None,
) -> Part:
    """Write tables, scores and, where wanted, one JSON a sample.

    Parameters
    ----------
    folder
        Result folder.
    has_samples
        Whether ``samples/*.json`` are written.
    on_sample
        Called after each sample, for progress.

    Returns
    -------
    Part
        The files written; those of samples in the order of the samples.
    """
    scores, flags = cohort.scores, cohort.maker.flags
    samples, failed = _write_samples(cohort, folder, on_sample) if has_samples else ((), ())
    tables = (
        ("profiles", profiles_table(scores, cohort.profiles, flags, cohort.reference)),
        ("scores", scores_table(scores)),
    )
    for name, table in tables:
        write_tsv(folder / f"{name}.tsv", table)
        write_parquet(folder / f"{name}.parquet", table)
    write_tsv(folder / "qc.tsv", qc_table(scores, cohort.profiles, flags, cohort.reference))
    write_scores(folder / "scores.h5ad", scores, genesets_sha256=cohort.genesets_sha256)
    written = ("profiles.tsv", "profiles.parquet", "scores.tsv", "scores.parquet", "qc.tsv", "scores.h5ad")
    return Part(
        header=header_of(cohort),
        files=(*samples, *(entry_of(folder, folder / name) for name in written)),
        failed=failed,
        sample_ids=scores.sample_ids,
    )


def _write_samples(
    cohort: ProfiledCohort, folder: Path, on_sample: Callable[[], None]
) -> tuple[tuple[FileEntry, ...], tuple[FailedSample, ...]]:
    """Write one JSON a sample; one that fails does not take the others along."""
    entries, failed = [], list[FailedSample]()
    for row, sample_id in enumerate(cohort.scores.sample_ids):
        slug = slug_of(sample_id)
        path = folder / SAMPLES / f"{slug}.json"
        with noting_failure(failed, slug, folder):
            write_text(path, cohort.maker.record(row).model_dump_json(indent=1) + "\n")
            entries.append(entry_of(folder, path))
        on_sample()
    return tuple(entries), tuple(failed)


def header_of(cohort: ProfiledCohort) -> ResultHeader:
    """What the result was made from and with."""
    facts = cohort.scores.facts
    return ResultHeader(
        cohort=facts.name,
        n_samples=len(facts.samples),
        input_sha256=facts.input_sha256,
        reference=cohort.reference.name,
        reference_sha256=cohort.reference.sha256,
        genesets_sha256=cohort.genesets_sha256,
        parameters={"unit": facts.unit.unit.value, **dict(facts.parameters)},
        seed=cohort.seed,
        versions=library_versions(),
    )
