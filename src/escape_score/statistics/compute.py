"""All statistics of a cohort from its columns."""

from __future__ import annotations

from escape_score.model.record_statistics import CohortStatistics, GroupComparison, SurvivalStatistics
from escape_score.statistics.columns import CohortColumns
from escape_score.statistics.groups import GROUPED_COLUMNS, MIN_GROUP, compare_groups, compare_timepoints
from escape_score.statistics.patients import CountedSamples, TimepointPairs, counted_samples, timepoint_pairs
from escape_score.statistics.response import response_statistics
from escape_score.statistics.survival import ENDPOINTS, MIN_EVENTS, survival_statistics

HOW_TO_READ = (
    "These numbers describe this cohort; nothing was fitted to its labels, and nothing is adjusted for other "
    "variables. An association is no cause."
)


def compute_statistics(columns: CohortColumns, *, seed: int) -> CohortStatistics:
    """Compare groups, response and survival with every score of a cohort.

    Parameters
    ----------
    columns
        Numbers and labels of one cohort.
    seed
        Of every bootstrap.

    Returns
    -------
    CohortStatistics
        One sample a patient, taken before treatment, except for timepoints, which are compared in pairs.
        Empty lists where the sample sheet says too little, with a note for every label that was there.
    """
    counted = counted_samples(columns)
    patients = columns.rows(counted.baseline)
    pairs = timepoint_pairs(columns, counted.baseline)
    response = response_statistics(patients)
    comparisons = _comparisons(columns, patients, pairs, seed)
    survival = tuple(
        found for endpoint in ENDPOINTS if (found := survival_statistics(patients, endpoint)) is not None
    )
    has_any = bool(comparisons or survival or response)
    return CohortStatistics(
        cohort=columns.cohort,
        seed=seed,
        n_samples=len(columns.sheet),
        n_patients=len(counted.baseline),
        left_out=counted.left_out,
        comparisons=comparisons,
        response=response,
        survival=survival,
        notes=(
            *((HOW_TO_READ,) if has_any else ()),
            *_patient_notes(columns, counted, has_any=has_any),
            *_missed_notes(columns, patients, comparisons, survival),
        ),
    )


def _comparisons(
    columns: CohortColumns, patients: CohortColumns, pairs: TimepointPairs, seed: int
) -> tuple[GroupComparison, ...]:
    found = [compare_groups(patients, column, seed=seed) for column in GROUPED_COLUMNS]
    found.append(compare_timepoints(columns, pairs, seed=seed))
    return tuple(comparison for comparison in found if comparison is not None)


def _patient_notes(columns: CohortColumns, counted: CountedSamples, *, has_any: bool) -> list[str]:
    """How samples became patients."""
    if not has_any:
        return []
    n_left = len(columns.sheet) - len(counted.baseline)
    why = "; ".join(f"{entry.n_samples} {entry.reason}" for entry in counted.left_out)
    notes = [f"{n_left} of {len(columns.sheet)} samples are not counted: {why}."] if n_left else []
    if counted.n_without_patient:
        notes.append(
            f"{counted.n_without_patient} samples have no patient_id and count as patients of their own."
        )
    return notes


def _missed_notes(
    columns: CohortColumns,
    patients: CohortColumns,
    comparisons: tuple[GroupComparison, ...],
    survival: tuple[SurvivalStatistics, ...],
) -> list[str]:
    """Labels that are there but too few."""
    compared = {comparison.column for comparison in comparisons}
    notes = [
        f"Not compared by {column}: fewer than two groups of at least {MIN_GROUP} patients."
        for column in GROUPED_COLUMNS
        if column not in compared and any(columns.texts(column))
    ]
    if "timepoint" not in compared and any(columns.texts("timepoint")):
        notes.append(f"Timepoints not compared: fewer than {MIN_GROUP} patients with two samples.")
    seen = {statistics.endpoint for statistics in survival}
    notes += [
        f"{endpoint.upper()} not modelled: fewer than {MIN_EVENTS} events among the patients counted."
        for endpoint in ENDPOINTS
        if endpoint not in seen and any(patients.texts(f"{endpoint}_event"))
    ]
    return notes
