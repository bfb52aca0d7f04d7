"""Numbers behind the figures of a cohort's page: boxes, ROC curves and curves of survival."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from escape_score.model.record_statistics import (
    Box,
    BoxPlot,
    Expectation,
    Measure,
    MeasureKind,
    ResponseRow,
    RocCurve,
    SurvivalCurve,
    SurvivalCurves,
)
from escape_score.statistics.columns import FloatArray

N_LEADING = 6
"""Measures with a box plot: the index and those with the largest effects."""
MAX_POINTS = 200
"""Samples of a group up to which each is a point of its own."""
WHISKER = 1.5
"""Interquartile ranges that a whisker reaches (Tukey 1977, Exploratory Data Analysis)."""
N_CURVES, N_GRID = 500, 21
N_TIMES = 5

BoolArray = npt.NDArray[np.bool_]


def box_plots(
    measures: Sequence[Measure], by_group: Mapping[str, FloatArray], effects: Mapping[str, float]
) -> tuple[BoxPlot, ...]:
    """Give the boxes of the index and of the measures with the largest effects.

    Parameters
    ----------
    by_group
        Values of each group, shape (n_group, n_measures); NaN = not evaluable.
    effects
        Effect of each measure that was tested.
    """
    tested = [at for at, measure in enumerate(measures) if measure.measure in effects]
    tested.sort(
        key=lambda at: (measures[at].kind is not MeasureKind.INDEX, -abs(effects[measures[at].measure]))
    )
    return tuple(
        BoxPlot(
            measure=measures[at],
            boxes=tuple(
                box_of(name, known)
                for name, values in by_group.items()
                if len(known := values[np.isfinite(values[:, at]), at])
            ),
        )
        for at in tested[:N_LEADING]
    )


def box_of(group: str, values: FloatArray) -> Box:
    """Quartiles and whiskers of a group's values, which have no NaN; at least one."""
    ordered = np.sort(values)
    lower, median, upper = (float(value) for value in np.quantile(ordered, [0.25, 0.5, 0.75]))
    reach = WHISKER * (upper - lower)
    return Box(
        group=group,
        n=len(ordered),
        low=float(ordered[ordered >= lower - reach][0]),
        lower=lower,
        median=median,
        upper=upper,
        high=float(ordered[ordered <= upper + reach][-1]),
        values=tuple(round(float(value), 4) + 0.0 for value in ordered) if len(ordered) <= MAX_POINTS else (),
    )


def roc_curves(
    measures: Sequence[Measure],
    responders: FloatArray,
    others: FloatArray,
    rows: Sequence[ResponseRow],
    *,
    seed: int,
) -> tuple[RocCurve, ...]:
    """Give the curves of the index, the best axis and the best published score; the first has a band."""
    kinds = (MeasureKind.INDEX, MeasureKind.AXIS, MeasureKind.PUBLISHED)
    of_kind = ([row for row in rows if row.measure.kind is kind] for kind in kinds)
    best = [max(found, key=lambda row: row.auroc) for found in of_kind if found]
    place = {measure.measure: at for at, measure in enumerate(measures)}
    values = [[group[:, place[row.measure.measure]] for group in (responders, others)] for row in best]
    return tuple(
        _roc_curve(row, yes, no, None if at else seed)
        for at, (row, (yes, no)) in enumerate(zip(best, values, strict=True))
    )


def roc_curve_of(row: ResponseRow, values: FloatArray, labels: Sequence[str]) -> RocCurve:
    """Give the curve of one measure from its values and the response of each sample, without a band."""
    responders, others = (values[np.array([label == word for label in labels])] for word in ("R", "NR"))
    return _roc_curve(row, responders, others, None)


def _roc_curve(row: ResponseRow, responders: FloatArray, others: FloatArray, seed: int | None) -> RocCurve:
    """In the direction of the area; NaN is left out, and without a seed there is no band."""
    yes, no = (group[np.isfinite(group)] for group in (responders, others))
    positive, negative = (no, yes) if row.measure.expects is Expectation.RESISTANCE else (yes, no)
    false_positive, true_positive = roc_points(positive, negative)
    grid = np.linspace(0, 1, N_GRID)
    low, high = ((), ()) if seed is None else _roc_band(positive, negative, grid, seed)
    return RocCurve(
        measure=row.measure,
        auroc=row.auroc,
        interval=row.interval,
        false_positive=tuple(false_positive),
        true_positive=tuple(true_positive),
        grid=() if seed is None else tuple(float(at) for at in grid),
        low=low,
        high=high,
    )


def roc_points(positive: FloatArray, negative: FloatArray) -> tuple[list[float], list[float]]:
    """False and true positive rates from (0, 0) to (1, 1), one point a threshold."""
    cuts = np.unique(np.concatenate([positive, negative]))[::-1]
    rates = (
        (len(of) - np.searchsorted(np.sort(of), cuts, side="left")) / len(of) for of in (negative, positive)
    )
    false_positive, true_positive = ([0.0, *(float(rate) for rate in of)] for of in rates)
    return false_positive, true_positive


def _roc_band(
    positive: FloatArray, negative: FloatArray, grid: FloatArray, seed: int
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Percentiles of curves of resamples of both groups (Fawcett 2006, vertical averaging, section 8)."""
    random = np.random.default_rng(seed)
    drawn = np.empty((N_CURVES, len(grid)))
    for at in range(N_CURVES):
        points = roc_points(random.choice(positive, len(positive)), random.choice(negative, len(negative)))
        drawn[at] = np.interp(grid, *points)
    low, high = np.quantile(drawn, [0.025, 0.975], axis=0)
    return tuple(float(one) for one in low), tuple(float(one) for one in high)


def survival_curves(
    measures: Sequence[Measure], values: FloatArray, days: FloatArray, event: BoolArray
) -> SurvivalCurves | None:
    """Give Kaplan-Meier curves above and up to the median of the index; None where one half is empty.

    Parameters
    ----------
    values
        Shape (n_samples, n_measures), NaN = not evaluable; ``days`` and ``event`` have shape (n_samples,).
    """
    at = next((at for at, one in enumerate(measures) if one.kind is MeasureKind.INDEX), None)
    if at is None:
        return None
    is_known = np.isfinite(values[:, at])
    index, time, died = values[is_known, at], days[is_known], event[is_known]
    cut = float(np.median(index)) if len(index) else 0.0
    is_high = index > cut
    if not is_high.any() or is_high.all():
        return None
    times = tuple(float(one) for one in np.linspace(0, float(time.max()), N_TIMES))
    halves = ((True, is_high), (False, ~is_high))
    return SurvivalCurves(
        measure=measures[at],
        cut=cut,
        times=times,
        curves=tuple(_curve(high, time[half], died[half], times) for high, half in halves),
    )


def _curve(is_high: bool, days: FloatArray, died: BoolArray, times: Sequence[float]) -> SurvivalCurve:
    from lifelines import KaplanMeierFitter

    fit = KaplanMeierFitter().fit(days, died)
    bounds = fit.confidence_interval_survival_function_.to_numpy(dtype=np.float64)
    # where nobody is left, the interval of the last estimate is not defined
    bounds = np.where(np.isfinite(bounds), bounds, fit.survival_function_.to_numpy(dtype=np.float64))
    return SurvivalCurve(
        is_high=is_high,
        n=len(days),
        n_events=int(died.sum()),
        days=tuple(float(one) for one in fit.survival_function_.index),
        survival=tuple(float(one) for one in fit.survival_function_.iloc[:, 0]),
        low=tuple(float(one) for one in bounds[:, 0]),
        high=tuple(float(one) for one in bounds[:, 1]),
        censored=tuple(float(one) for one in np.sort(days[~died])),
        at_risk=tuple(int((days >= one).sum()) for one in times),
    )
