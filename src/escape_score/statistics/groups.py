"""Every measure compared between the groups of one column of the sample sheet."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np

from escape_score.model.notes import Code, Note, note
from escape_score.model.record import NoteRecord
from escape_score.model.record_statistics import (
    ConfidenceInterval,
    EffectName,
    Group,
    GroupComparison,
    GroupRow,
    GroupTest,
    Measure,
    MeasureKind,
    ResponseRow,
)
from escape_score.statistics.adjusted import adjusted_groups
from escape_score.statistics.columns import CohortColumns, FloatArray
from escape_score.statistics.covariates import Covariates
from escape_score.statistics.figures import box_plots
from escape_score.statistics.patients import TimepointPairs, left_out
from escape_score.statistics.ranks import (
    MIN_GROUP,
    area_under_curve,
    counts_of,
    epsilon_squared,
    paired_rank_biserial,
    shift_between,
    shift_within_pairs,
    with_q_values,
)

GROUPED_COLUMNS = ("response", "msi", "site", "cancer_type", "pdl1_ihc")
N_RESAMPLES = 500
RESPONSE_ORDER = ("R", "NR")
BEFORE, LATER = "before treatment", "on or after treatment"
TWO = 2
FDR = 0.05
"""False discovery rate up to which a measure counts as different."""


def compare_groups(
    columns: CohortColumns, column: str, covariates: Covariates | None = None, *, seed: int
) -> GroupComparison | None:
    """Compare the groups that a column makes.

    Parameters
    ----------
    columns
        Independent samples: one a patient.
    covariates
        What models are adjusted for; for none where None.
    seed
        Of the bootstrap behind the interval of epsilon squared.

    Returns
    -------
    GroupComparison or None
        None where fewer than two groups have :data:`MIN_GROUP` samples.
    """
    labels = columns.texts(column)
    sizes = Counter(label for label in labels if label)
    groups = _ordered(column, [label for label, n in sizes.items() if n >= MIN_GROUP])
    if len(groups) < TWO:
        return None
    members = [np.array([label == group for label in labels]) for group in groups]
    others = None if covariates is None else covariates.without(column)

    def row_of(at: int) -> GroupRow | None:
        values = columns.values[:, at]
        row = _row(columns.measures[at], dict(zip(groups, (values[of] for of in members), strict=True)), seed)
        if row is None or others is None:
            return row
        model = adjusted_groups(labels, tuple(group.group for group in row.groups), values, others)
        return row.model_copy(update={"adjusted": model.row, "not_adjusted": model.reason})

    rows = _rows(columns.measures, row_of)
    small = sum(n for label, n in sizes.items() if label not in groups)
    n_samples = sum(sizes[group] for group in groups)
    reasons = {f"no_column:{column}": labels.count(""), f"small_group:{MIN_GROUP}": small}
    named = tuple(note(Code.GROUP, group=group, n=sizes[group]) for group in groups)
    compared = note(Code.STATISTICS, "compared", n=n_samples, column=column_note(column), groups=named)
    by_group = {group: columns.values[is_in] for group, is_in in zip(groups, members, strict=True)}
    return GroupComparison(
        column=column,
        groups=groups,
        n_samples=n_samples,
        left_out=left_out(reasons),
        findings=(NoteRecord.of(compared), found_among(rows)),
        n_untested=len(columns.measures) - len(rows),
        rows=rows,
        boxes=box_plots(columns.measures, by_group, {row.measure.measure: row.effect for row in rows}),
    )


def column_note(column: str) -> Note:
    """The name of a column, translated where the package knows it."""
    return note(Code.COLUMN, column) if column in GROUPED_COLUMNS else note(Code.COLUMN, "other", name=column)


def compare_timepoints(columns: CohortColumns, pairs: TimepointPairs, *, seed: int) -> GroupComparison | None:
    """Compare samples of the same patients; None where fewer than :data:`MIN_GROUP` patients have both.

    Quantities of single cells are left out: they are the patient's, the same in both samples.
    """
    n = len(pairs.before)
    if n < MIN_GROUP:
        return None
    before, later = columns.rows(pairs.before).values, columns.rows(pairs.later).values
    of_sample = [at for at, one in enumerate(columns.measures) if one.kind is not MeasureKind.CELLS]
    rows = _rows(
        [columns.measures[at] for at in of_sample],
        lambda at: _paired_row(
            columns.measures[of_sample[at]], before[:, of_sample[at]], later[:, of_sample[at]], seed
        ),
    )
    return GroupComparison(
        column="timepoint",
        groups=(BEFORE, LATER),
        n_samples=2 * n,
        left_out=left_out({"no_second": len(columns.sheet) - 2 * n}),
        findings=(NoteRecord.of(note(Code.STATISTICS, "pairs", n=n)), found_among(rows)),
        n_untested=len(of_sample) - len(rows),
        rows=rows,
        boxes=box_plots(
            columns.measures,
            {BEFORE: before, LATER: later},
            {row.measure.measure: row.effect for row in rows},
        ),
    )


def _ordered(column: str, groups: Sequence[str]) -> tuple[str, ...]:
    """Responders first, so that a positive effect means more resistance; else by name."""
    if column == "response":
        return tuple(group for group in RESPONSE_ORDER if group in groups)
    return tuple(sorted(groups))


def _rows(measures: Sequence[Measure], make: Callable[[int], GroupRow | None]) -> tuple[GroupRow, ...]:
    """Rows of all measures that can be compared, with their false discovery rates."""
    return with_q_values([row for at in range(len(measures)) if (row := make(at)) is not None])


def _row(measure: Measure, values: dict[str, FloatArray], seed: int) -> GroupRow | None:
    """One measure; None where too few values are known or all are equal."""
    known = {group: of[np.isfinite(of)] for group, of in values.items()}
    known = {group: of for group, of in known.items() if len(of) >= MIN_GROUP}
    if len(known) < TWO or np.ptp(np.concatenate(list(known.values()))) == 0:
        return None
    groups = tuple(Group(group=name, n=len(of), median=float(np.median(of))) for name, of in known.items())
    if len(known) == TWO:
        return _row_of_two(measure, groups, *known.values())
    return _row_of_many(measure, groups, list(known.values()), seed)


def _row_of_two(
    measure: Measure, groups: tuple[Group, ...], first: FloatArray, second: FloatArray
) -> GroupRow:
    from scipy.stats import mannwhitneyu

    area, shift = area_under_curve(first, second), shift_between(first, second)
    return GroupRow(
        measure=measure,
        groups=groups,
        n_evaluable=sum(group.n for group in groups),
        higher_in=higher_of(2 * area.auc - 1, groups[0].group, groups[1].group),
        test=GroupTest.MANN_WHITNEY,
        effect_name=EffectName.RANK_BISERIAL,
        effect=2 * area.auc - 1,
        effect_interval=ConfidenceInterval(low=2 * area.interval.low - 1, high=2 * area.interval.high - 1),
        shift=shift.shift,
        shift_interval=shift.interval,
        p_value=float(mannwhitneyu(first, second).pvalue),
        q_value=1.0,
    )


def higher_of(effect: float, first: str, second: str) -> str | None:
    """Which of two groups has larger values, by the sign of the effect."""
    return None if effect == 0 else second if effect > 0 else first


def _highest(groups: Sequence[Group]) -> str | None:
    """The group with the highest median; None where two share it."""
    ordered = sorted(groups, key=lambda group: -group.median)
    return None if ordered[0].median == ordered[1].median else ordered[0].group


def _row_of_many(
    measure: Measure, groups: tuple[Group, ...], values: list[FloatArray], seed: int
) -> GroupRow:
    from scipy.stats import kruskal

    random = np.random.default_rng(seed)
    drawn = [counts_of(random.integers(0, len(of), (N_RESAMPLES, len(of)))) for of in values]
    as_they_are = [np.ones((1, len(of)), dtype=np.int64) for of in values]
    return GroupRow(
        measure=measure,
        groups=groups,
        n_evaluable=sum(group.n for group in groups),
        higher_in=_highest(groups),
        test=GroupTest.KRUSKAL_WALLIS,
        effect_name=EffectName.EPSILON_SQUARED,
        effect=float(epsilon_squared(values, as_they_are)[0]),
        effect_interval=_percentiles(epsilon_squared(values, drawn)),
        shift=None,
        shift_interval=None,
        p_value=float(kruskal(*values).pvalue),
        q_value=1.0,
    )


def _paired_row(measure: Measure, before: FloatArray, later: FloatArray, seed: int) -> GroupRow | None:
    """One measure in pairs; None where too few pairs are known or nothing differs."""
    from scipy.stats import wilcoxon

    is_known = np.isfinite(before) & np.isfinite(later)
    differences = later[is_known] - before[is_known]
    n = len(differences)
    if n < MIN_GROUP or not differences.any():
        return None
    drawn = differences[np.random.default_rng(seed).integers(0, n, (N_RESAMPLES, n))]
    shift = shift_within_pairs(differences)
    effect = float(paired_rank_biserial(differences[None, :])[0])
    return GroupRow(
        measure=measure,
        groups=tuple(
            Group(group=name, n=n, median=float(np.median(of[is_known])))
            for name, of in ((BEFORE, before), (LATER, later))
        ),
        n_evaluable=2 * n,
        higher_in=higher_of(effect, BEFORE, LATER),
        test=GroupTest.WILCOXON,
        effect_name=EffectName.RANK_BISERIAL,
        effect=effect,
        effect_interval=_percentiles(paired_rank_biserial(drawn)),
        shift=shift.shift,
        shift_interval=shift.interval,
        p_value=float(wilcoxon(differences).pvalue),
        q_value=1.0,
    )


def _percentiles(resampled: FloatArray) -> ConfidenceInterval:
    """Percentile interval of a bootstrap."""
    low, high = np.quantile(resampled, [0.025, 0.975])
    return ConfidenceInterval(low=float(low), high=float(high))


def found_among(rows: Sequence[GroupRow] | Sequence[ResponseRow]) -> NoteRecord:
    """How many measures differ at a false discovery rate below :data:`FDR`."""
    n_found = sum(row.q_value < FDR for row in rows)
    return NoteRecord.of(note(Code.STATISTICS, "differ", n=n_found, n_all=len(rows)))
