"""All statistics of a cohort from its columns."""

from __future__ import annotations

from escape_score.config import DEFAULT_STATISTICS, StatisticsConfig
from escape_score.model.cohort import require_columns
from escape_score.model.notes import Code, Note, note
from escape_score.model.record import NoteRecord
from escape_score.model.record_statistics import (
    CohortStatistics,
    GroupComparison,
    ResponseStatistics,
    SurvivalStatistics,
)
from escape_score.statistics.clustering import clustering_of
from escape_score.statistics.columns import CohortColumns
from escape_score.statistics.covariates import Covariates
from escape_score.statistics.groups import GROUPED_COLUMNS, column_note, compare_groups, compare_timepoints
from escape_score.statistics.multiplicity import over_all_tests, p_values_of
from escape_score.statistics.outcomes import ENDPOINTS, MIN_EVENTS, response_statistics, survival_statistics
from escape_score.statistics.overview import correlation_of, sample_map
from escape_score.statistics.patients import CountedSamples, TimepointPairs, counted_samples, timepoint_pairs
from escape_score.statistics.ranks import MIN_GROUP


def compute_statistics(
    columns: CohortColumns, config: StatisticsConfig = DEFAULT_STATISTICS, *, seed: int
) -> CohortStatistics:
    """Compare groups, response and survival with every score of a cohort.

    Parameters
    ----------
    columns
        Numbers and labels of one cohort.
    config
        Columns that are compared, and what models are adjusted for.
    seed
        Of every bootstrap.

    Returns
    -------
    CohortStatistics
        One sample a patient, taken before treatment, except for timepoints, which are compared in pairs.
        Empty lists where the sample sheet says too little, with a note for every label that was there.

    Raises
    ------
    UsageError
        ``config`` names a column that the sample sheet does not have.
    """
    if columns.sheet:
        require_columns(config.named, columns.named)
    formula = config.model
    counted = counted_samples(columns)
    patients = columns.rows(counted.baseline)
    pairs = timepoint_pairs(columns, counted.baseline)
    response, survival, comparisons = over_all_tests(
        response_statistics(patients, formula, seed=seed),
        tuple(
            found
            for endpoint in ENDPOINTS
            if (found := survival_statistics(patients, endpoint, formula)) is not None
        ),
        _comparisons(columns, patients, pairs, config, seed),
    )
    parts = (*survival, *comparisons, *(() if response is None else (response,)))
    has_any = bool(comparisons or survival or response)
    return CohortStatistics(
        cohort=columns.cohort,
        seed=seed,
        formula=str(formula),
        n_samples=len(columns.sheet),
        n_patients=len(counted.baseline),
        left_out=counted.left_out,
        comparisons=comparisons,
        response=response,
        survival=survival,
        n_tests=sum(len(p_values_of(row)) for part in parts for row in part.rows),
        map=sample_map(columns),
        correlation=correlation_of(patients),
        clustering=clustering_of(columns),
        notes=(
            *(_patient_notes(columns, counted) if has_any else ()),
            *map(NoteRecord.of, _missed_notes(columns, patients, response, comparisons, survival, config)),
        ),
    )


def _comparisons(
    columns: CohortColumns,
    patients: CohortColumns,
    pairs: TimepointPairs,
    config: StatisticsConfig,
    seed: int,
) -> tuple[GroupComparison, ...]:
    covariates = Covariates(patients, config.model)
    found = [compare_groups(patients, column, covariates, seed=seed) for column in _grouped(patients, config)]
    found.append(compare_timepoints(columns, pairs, seed=seed))
    return tuple(comparison for comparison in found if comparison is not None)


def _grouped(columns: CohortColumns, config: StatisticsConfig) -> tuple[str, ...]:
    """Columns whose groups are compared; response has a section of its own, with the same two groups."""
    if config.groups:
        return tuple(dict.fromkeys(config.groups))
    return tuple(column for column in (*GROUPED_COLUMNS, *columns.further) if column != "response")


def _patient_notes(columns: CohortColumns, counted: CountedSamples) -> list[NoteRecord]:
    """How to read the statistics, and how samples became patients."""
    n_all = len(columns.sheet)
    notes = [note(Code.STATISTICS, "how_to_read")]
    if n_all > len(counted.baseline):
        notes.append(note(Code.STATISTICS, "not_counted", n=n_all - len(counted.baseline), n_all=n_all))
    if counted.n_without_patient:
        notes.append(note(Code.STATISTICS, "no_patient_id", n=counted.n_without_patient))
    return [NoteRecord.of(one) for one in notes]


def _missed_notes(  # noqa: PLR0917
    columns: CohortColumns,
    patients: CohortColumns,
    response: ResponseStatistics | None,
    comparisons: tuple[GroupComparison, ...],
    survival: tuple[SurvivalStatistics, ...],
    config: StatisticsConfig,
) -> list[Note]:
    """Labels that are there but too few."""
    compared = {comparison.column for comparison in comparisons} | ({"response"} if response else set())
    notes = [
        note(Code.STATISTICS, "few_groups", column=column_note(column), least=MIN_GROUP)
        for column in config.groups or GROUPED_COLUMNS
        if column not in compared and any(columns.texts(column))
    ]
    if "timepoint" not in compared and any(columns.texts("timepoint")):
        notes.append(note(Code.STATISTICS, "few_pairs", least=MIN_GROUP))
    seen = {statistics.endpoint for statistics in survival}
    notes += [
        note(Code.STATISTICS, f"few_{endpoint}_events", least=MIN_EVENTS)
        for endpoint in ENDPOINTS
        if endpoint not in seen and any(patients.texts(f"{endpoint}_event"))
    ]
    return notes
