"""How each measure goes with response, by ROC curves, and with survival, by a Cox model for every one."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TypeVar

import numpy as np

from escape_score.config.formula import ModelFormula
from escape_score.model.notes import Code, Note, note
from escape_score.model.record import NoteRecord
from escape_score.model.record_statistics import (
    Expectation,
    Measure,
    MeasureKind,
    ResponseRow,
    ResponseStatistics,
    SurvivalRow,
    SurvivalStatistics,
)
from escape_score.statistics.adjusted import (
    MAX_LOG_RATIO,
    Outcome,
    adjusted_row,
    ratio_interval,
    response_outcome,
    standardised,
    survival_outcome,
)
from escape_score.statistics.columns import CohortColumns, FloatArray
from escape_score.statistics.covariates import Covariates
from escape_score.statistics.figures import box_plots, roc_curves, survival_curves
from escape_score.statistics.groups import found_among, higher_of
from escape_score.statistics.interactions import interaction_row
from escape_score.statistics.patients import left_out
from escape_score.statistics.ranks import MIN_GROUP, area_under_curve, shift_between, with_q_values
from escape_score.statistics.regression import fit_cox

ENDPOINTS = ("os", "pfs")
MIN_EVENTS = 10
"""Fewest events for a model of one covariate (Peduzzi et al. 1995, J Clin Epidemiol 48:1503)."""
CHANCE = 0.5


NO_COVARIATES = ModelFormula(())

Modelled = TypeVar("Modelled", ResponseRow, SurvivalRow)


def response_statistics(
    columns: CohortColumns, formula: ModelFormula = NO_COVARIATES, *, seed: int = 0
) -> ResponseStatistics | None:
    """Give the area under the ROC curve of every measure, published baselines included.

    Parameters
    ----------
    columns
        Independent samples: one a patient.
    formula
        Model of response, with what it is adjusted for.
    seed
        Of the bootstrap behind the band of the ROC curve.

    Returns
    -------
    ResponseStatistics or None
        None with fewer than five responders or fewer than five others. Each area is that of the measure as it
        is expected to go: above 0.5 where it does, below where it goes the other way.
    """
    labels = columns.texts("response")
    responds, resists = (np.array([label == word for label in labels]) for word in ("R", "NR"))
    n_yes, n_no = int(responds.sum()), int(resists.sum())
    if min(n_yes, n_no) < MIN_GROUP:
        return None
    outcome, covariates = response_outcome(columns), Covariates(columns, formula)
    rows = [
        _modelled(row, outcome, columns.values[:, at], covariates)
        for at, measure in enumerate(columns.measures)
        if (row := _auc_row(measure, columns.values[responds, at], columns.values[resists, at])) is not None
    ]
    finished = with_q_values(rows)
    by_group = {"R": columns.values[responds], "NR": columns.values[resists]}
    effects = {row.measure.measure: 2 * row.auroc - 1 for row in rows}
    return ResponseStatistics(
        n_samples=n_yes + n_no,
        n_responders=n_yes,
        n_nonresponders=n_no,
        left_out=left_out({"no_column:response": len(labels) - n_yes - n_no}),
        findings=(*map(NoteRecord.of, _auc_findings(finished, n_yes, n_no)), found_among(finished)),
        n_untested=len(columns.measures) - len(rows),
        rows=finished,
        boxes=box_plots(columns.measures, by_group, effects),
        curves=roc_curves(columns.measures, by_group["R"], by_group["NR"], finished, seed=seed),
    )


def _modelled(row: Modelled, outcome: Outcome, values: FloatArray, covariates: Covariates) -> Modelled:
    """A row with its models: adjusted, and with the interaction that is requested."""
    adjusted = adjusted_row(outcome, values, covariates)
    product = interaction_row(outcome, values, covariates)
    return row.model_copy(
        update={
            "adjusted": adjusted.row,
            "not_adjusted": adjusted.reason,
            "interaction": product.row,
            "no_interaction": product.reason,
        }
    )


def _auc_row(measure: Measure, responders: FloatArray, others: FloatArray) -> ResponseRow | None:
    """One measure; None where too few values are known or all are equal."""
    from scipy.stats import mannwhitneyu

    yes, no = (values[np.isfinite(values)] for values in (responders, others))
    if min(len(yes), len(no)) < MIN_GROUP or np.ptp(np.concatenate([yes, no])) == 0:
        return None
    is_resistance = measure.expects is Expectation.RESISTANCE
    area = area_under_curve(*((yes, no) if is_resistance else (no, yes)))
    shift, above = shift_between(yes, no), (area.auc - CHANCE) * (1 if is_resistance else -1)
    return ResponseRow(
        measure=measure,
        n_responders=len(yes),
        n_nonresponders=len(no),
        auroc=area.auc,
        interval=area.interval,
        interval_method=area.method,
        median_responders=float(np.median(yes)),
        median_nonresponders=float(np.median(no)),
        shift=shift.shift,
        shift_interval=shift.interval,
        n_evaluable=len(yes) + len(no),
        higher_in=higher_of(above, "R", "NR"),
        p_value=float(mannwhitneyu(yes, no).pvalue),
        q_value=1.0,
    )


def _auc_findings(rows: tuple[ResponseRow, ...], n_yes: int, n_no: int) -> Iterator[Note]:
    """Who was compared, and how the index and the best published score do."""
    yield note(Code.STATISTICS, "responders", n=n_yes, n_all=n_no)
    for index in (row for row in rows if row.measure.kind is MeasureKind.INDEX):
        yield note(Code.STATISTICS, "index_auroc", **_area(index))
    published = [row for row in rows if row.measure.kind is MeasureKind.PUBLISHED]
    if published:
        best = max(published, key=lambda row: row.auroc)
        yield note(
            Code.STATISTICS, "best_published", n=len(published), title=best.measure.title, **_area(best)
        )


def _area(row: ResponseRow) -> dict[str, float]:
    return {"number": row.auroc, "low": row.interval.low, "high": row.interval.high}


def survival_statistics(
    columns: CohortColumns, endpoint: str, formula: ModelFormula = NO_COVARIATES
) -> SurvivalStatistics | None:
    """Give hazard ratio and concordance of every measure, published baselines included.

    Parameters
    ----------
    columns
        Independent samples: one a patient.
    endpoint
        ``os`` or ``pfs``; the sheet's columns ``<endpoint>_days`` and ``<endpoint>_event`` are read.
    formula
        Model of survival, with what it is adjusted for.

    Returns
    -------
    SurvivalStatistics or None
        None with fewer than :data:`MIN_EVENTS` events. Hazard ratios are per standard deviation of the
        measure among these samples; above 1 = larger values go with a shorter time.
    """
    days, event = columns.numbers(f"{endpoint}_days"), columns.numbers(f"{endpoint}_event")
    is_known = np.isfinite(days) & np.isfinite(event)
    n_events = int(event[is_known].sum())
    if n_events < MIN_EVENTS:
        return None
    outcome, covariates = survival_outcome(columns, endpoint), Covariates(columns, formula)
    rows, n_unfitted = [], 0
    for at, measure in enumerate(columns.measures):
        values = columns.values[is_known, at]
        if _can_be_fitted(values, event[is_known]):
            row = _cox_row(measure, values, days[is_known], event[is_known])
            rows += [] if row is None else [_modelled(row, outcome, columns.values[:, at], covariates)]
            n_unfitted += row is None
    finished = with_q_values(rows)
    return SurvivalStatistics(
        endpoint=endpoint,
        n_samples=int(is_known.sum()),
        n_events=n_events,
        left_out=left_out({f"no_{endpoint}": int((~is_known).sum())}),
        findings=tuple(
            map(
                NoteRecord.of,
                _cox_findings(finished, endpoint, int(is_known.sum()), n_events, n_unfitted),
            )
        ),
        n_untested=len(columns.measures) - len(rows),
        rows=finished,
        curves=survival_curves(
            columns.measures, columns.values[is_known], days[is_known], event[is_known].astype(bool)
        ),
    )


def _can_be_fitted(values: FloatArray, event: FloatArray) -> bool:
    """Whether enough events have a value, and values differ."""
    is_known = np.isfinite(values)
    return bool(event[is_known].sum() >= MIN_EVENTS and np.ptp(values[is_known]) > 0)


def _cox_row(measure: Measure, values: FloatArray, days: FloatArray, event: FloatArray) -> SurvivalRow | None:
    """One measure; None where the model does not converge."""
    from lifelines.utils import concordance_index
    from scipy.stats import norm

    is_known = np.isfinite(values)
    x, time, died = values[is_known], days[is_known], event[is_known].astype(bool)
    fit = fit_cox(time, died, standardised(x)[:, None])
    if fit is None or abs(fit.coefficients[0]) >= MAX_LOG_RATIO:
        return None
    sign = -1.0 if measure.expects is Expectation.RESISTANCE else 1.0
    return SurvivalRow(
        measure=measure,
        n=len(x),
        n_events=int(died.sum()),
        hazard_ratio=math.exp(fit.coefficients[0]),
        interval=ratio_interval(fit, 0),
        concordance=float(concordance_index(time, sign * x, died)),
        p_value=float(2 * norm.sf(abs(fit.coefficients[0] / fit.errors[0]))),
        q_value=1.0,
    )


def _cox_findings(
    rows: tuple[SurvivalRow, ...], endpoint: str, n: int, n_events: int, n_unfitted: int
) -> Iterator[Note]:
    """What was modelled, and how the index does."""
    yield note(Code.STATISTICS, f"{endpoint}_models", n=n, n_all=n_events)
    for index in (row for row in rows if row.measure.kind is MeasureKind.INDEX):
        interval = {"low": index.interval.low, "high": index.interval.high}
        ratio, share = index.hazard_ratio, index.concordance
        yield note(Code.STATISTICS, "index_hazard", number=ratio, share=share, **interval)
    if n_unfitted:
        yield note(Code.STATISTICS, "unconverged", n=n_unfitted)
