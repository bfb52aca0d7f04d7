"""Each measure in a model with covariates: of response, of survival, and of the groups of a column."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from escape_score.model.notes import Code, note
from escape_score.model.record import NoteRecord
from escape_score.model.record_statistics import AdjustedRow, ConfidenceInterval, EstimateName, FTest
from escape_score.statistics.columns import CohortColumns, FloatArray
from escape_score.statistics.covariates import Covariates, Design
from escape_score.statistics.ranks import MIN_GROUP, Z_95
from escape_score.statistics.regression import (
    BoolArray,
    Fit,
    eta_interval,
    fit_cox,
    fit_linear,
    fit_logit,
    is_collinear,
)

EVENTS_EACH = 10
"""Fewest events, or of response the rarer outcome, for each term of a model (Peduzzi et al. 1995 and 1996,
J Clin Epidemiol 48:1503 and 49:1373). In a linear model, fewest samples (Harrell 2015, Regression Modeling
Strategies, section 4.4)."""
MAX_LOG_RATIO = 10.0
"""Beyond, per SD, the likelihood has no maximum."""


class Adjusted(NamedTuple):
    """A model, or why there is none; both None where there is nothing to adjust for."""

    row: AdjustedRow | None
    reason: NoteRecord | None


@dataclass(frozen=True, eq=False)
class Outcome:
    """What models of a measure explain: response, or the time to an event.

    Attributes
    ----------
    is_known
        Shape (n_samples,): samples with an outcome.
    is_event
        Shape (n_samples,): responders, or deaths or progressions.
    days
        Shape (n_samples,); None for response.
    """

    is_known: BoolArray = field(repr=False)
    is_event: BoolArray = field(repr=False)
    days: FloatArray | None = field(default=None, repr=False)

    def count(self, is_used: BoolArray) -> int:
        """How many events limit the terms of a model."""
        n_events = int(self.is_event[is_used].sum())
        return n_events if self.days is not None else min(n_events, int(is_used.sum()) - n_events)

    def fit(self, is_used: BoolArray, design: FloatArray) -> Fit | None:
        """Fit the model of some samples; None where there is no finite estimate."""
        if self.days is None:
            return fit_logit(self.is_event[is_used], design)
        return fit_cox(self.days[is_used], self.is_event[is_used], design)

    @property
    def estimate_name(self) -> EstimateName:
        """What a coefficient of the model is."""
        return EstimateName.ODDS_RATIO if self.days is None else EstimateName.HAZARD_RATIO


def response_outcome(columns: CohortColumns) -> Outcome:
    """Responders against non-responders."""
    labels = columns.texts("response")
    responds, resists = (np.array([label == word for label in labels], dtype=bool) for word in ("R", "NR"))
    return Outcome(responds | resists, responds)


def survival_outcome(columns: CohortColumns, endpoint: str) -> Outcome:
    """The time to death or progression."""
    days, event = columns.numbers(f"{endpoint}_days"), columns.numbers(f"{endpoint}_event")
    is_known = np.isfinite(days) & np.isfinite(event)
    return Outcome(is_known, is_known & (event == 1), days)


def no_model(kind: str, **params: int | str) -> NoteRecord:
    """Why a model was not fitted."""
    return NoteRecord.of(note(Code.NO_MODEL, kind, **params))


def standardised(values: FloatArray) -> FloatArray:
    """Values in units of their SD, around 0."""
    scaled: FloatArray = (values - values.mean()) / values.std(ddof=1)
    return scaled


def adjusted_row(outcome: Outcome, values: FloatArray, covariates: Covariates) -> Adjusted:
    """Fit the model of an outcome on one measure and the covariates.

    The p value is not given, so that it does not add a test to the page.
    """
    made = _usable_design(covariates, outcome.is_known & np.isfinite(values))
    if not isinstance(made, Design):
        return Adjusted(None, made)
    x, n_events = values[made.is_used], outcome.count(made.is_used)
    if n_events < EVENTS_EACH * (1 + made.matrix.shape[1]):
        return Adjusted(None, no_model("few_events", least=EVENTS_EACH))
    design = np.column_stack([x, made.matrix])
    if is_collinear(design):
        return Adjusted(None, no_model("collinear"))
    fit = outcome.fit(made.is_used, np.column_stack([standardised(x), made.matrix]))
    if fit is None or abs(fit.coefficients[0]) >= MAX_LOG_RATIO:
        return Adjusted(None, no_model("separated"))
    row = AdjustedRow(
        covariates=made.covariates,
        n=len(x),
        n_events=n_events,
        estimate_name=outcome.estimate_name,
        estimate=math.exp(fit.coefficients[0]),
        interval=ratio_interval(fit, 0),
    )
    return Adjusted(row, None)


def ratio_interval(fit: Fit, at: int) -> ConfidenceInterval:
    """Wald interval of a ratio."""
    middle, half = float(fit.coefficients[at]), Z_95 * float(fit.errors[at])
    return ConfidenceInterval(low=math.exp(middle - half), high=math.exp(middle + half))


def _usable_design(covariates: Covariates, is_used: BoolArray) -> Design | NoteRecord | None:
    """Covariates that vary; else why there is no model, None where the sheet has none of them."""
    if not covariates.has_any:
        return None
    made = covariates.design(is_used)
    return made if made.matrix.shape[1] else no_model("constant")


def adjusted_groups(
    labels: list[str], groups: tuple[str, ...], values: FloatArray, covariates: Covariates
) -> Adjusted:
    """Compare groups in a linear model of the measure, in SD, with covariates.

    Parameters
    ----------
    labels
        Group of each sample, with others than ``groups`` in between.
    covariates
        Without what is made of the column that makes the groups.

    Returns
    -------
    Adjusted
        The difference between two groups, second minus first, with the interval of t; for more groups partial
        eta squared, and the F test of the model with groups against that without.
    """
    is_group = np.array([label in groups for label in labels], dtype=bool)
    made = _usable_design(covariates, is_group & np.isfinite(values))
    if not isinstance(made, Design):
        return Adjusted(None, made)
    member = _indicators([labels[at] for at in np.flatnonzero(made.is_used)], groups)
    y, design = values[made.is_used], np.column_stack([member[:, 1:], made.matrix])
    if member.sum(axis=0).min() < MIN_GROUP:
        return Adjusted(None, no_model("few_in_group", least=MIN_GROUP))
    if len(y) < EVENTS_EACH * design.shape[1]:
        return Adjusted(None, no_model("few_samples", least=EVENTS_EACH))
    if is_collinear(design) or np.ptp(y) == 0:
        return Adjusted(None, no_model("collinear"))
    compare: Callable[[FloatArray, FloatArray, int], _Compared] = _two if len(groups) == 2 else _many  # noqa: PLR2004
    found = compare(standardised(y), design, len(groups))
    row = AdjustedRow(covariates=made.covariates, n=len(y), n_events=None, **found._asdict())
    return Adjusted(row, None)


def _indicators(labels: list[str], groups: tuple[str, ...]) -> FloatArray:
    """Shape (n_samples, n_groups): 1 where a sample is in a group."""
    return np.array([[float(label == group) for group in groups] for label in labels]).reshape(
        -1, len(groups)
    )


class _Compared(NamedTuple):
    estimate_name: EstimateName
    estimate: float
    interval: ConfidenceInterval
    test: FTest | None


def _two(values: FloatArray, design: FloatArray, n_groups: int) -> _Compared:
    from scipy.stats import t

    fit = fit_linear(values, design)
    middle, half = float(fit.coefficients[0]), float(t.ppf(0.975, fit.df) * fit.errors[0])
    interval = ConfidenceInterval(low=middle - half, high=middle + half)
    return _Compared(EstimateName.DIFFERENCE, middle, interval, None)


def _many(values: FloatArray, design: FloatArray, n_groups: int) -> _Compared:
    from scipy.stats import f as f_distribution

    with_groups, without = fit_linear(values, design), fit_linear(values, design[:, n_groups - 1 :])
    df, df_residual = n_groups - 1, with_groups.df
    explained = max(without.residual - with_groups.residual, 0.0)
    f = explained / df / (with_groups.residual / df_residual)
    low, high = eta_interval(f, df, df_residual)
    p_value = float(f_distribution.sf(f, df, df_residual))
    return _Compared(
        EstimateName.ETA_SQUARED,
        explained / (explained + with_groups.residual),
        ConfidenceInterval(low=low, high=high),
        FTest(f=f, df_groups=df, df_residual=df_residual, p_value=p_value, q_value=1.0),
    )
