"""Whether the association of a measure with an outcome differs between groups, such as treatments."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from escape_score.model.record import NoteRecord
from escape_score.model.record_statistics import InteractionRatio, InteractionRow
from escape_score.statistics.adjusted import (
    EVENTS_EACH,
    MAX_LOG_RATIO,
    Outcome,
    no_model,
    ratio_interval,
    standardised,
)
from escape_score.statistics.columns import FloatArray
from escape_score.statistics.covariates import Covariates
from escape_score.statistics.ranks import MIN_GROUP
from escape_score.statistics.regression import BoolArray, Fit, is_collinear

TWO = 2


class Interaction(NamedTuple):
    """A model with interaction, or why there is none; both None where none is requested."""

    row: InteractionRow | None
    reason: NoteRecord | None


def interaction_row(outcome: Outcome, values: FloatArray, covariates: Covariates) -> Interaction:
    """Test the product of a measure and the groups of a column in the model of an outcome.

    Notes
    -----
    Groups of fewer than :data:`MIN_GROUP` samples are left out. There is no model with fewer than
    :data:`EVENTS_EACH` events a term, or fewer than :data:`MIN_GROUP` events in a group. Of response the
    rarer outcome is counted. The test is that of the likelihood ratio; ratios have Wald intervals.
    """
    column = covariates.formula.interaction
    if column is None:
        return Interaction(None, None)
    labels, others = covariates.columns.texts(column), covariates.without(column)
    made = others.design(outcome.is_known & np.isfinite(values) & np.array([bool(one) for one in labels]))
    sizes = Counter(labels[at] for at in np.flatnonzero(made.is_used))
    groups = tuple(sorted(label for label, n in sizes.items() if n >= MIN_GROUP))
    if len(groups) < TWO:
        return Interaction(None, no_model("few_groups", least=MIN_GROUP))
    members = [np.array([label == group for label in labels]) for group in groups]
    is_used = made.is_used & np.logical_or.reduce(members)
    if min(outcome.count(is_used & of) for of in members) < MIN_GROUP:
        return Interaction(None, no_model("few_events_in_group", least=MIN_GROUP))
    others_of = made.matrix[is_used[made.is_used]]
    model = _Model(
        x=values[is_used][:, None],
        in_group=np.column_stack([of[is_used] for of in members[1:]]).astype(np.float64),
        covariate=others_of[:, np.ptp(others_of, axis=0) > 0],
    )
    found = _tested(outcome, is_used, model)
    if not isinstance(found, _Tested):
        return Interaction(None, found)
    ratios = (
        InteractionRatio(
            group=group, ratio=math.exp(found.fit.coefficients[at]), interval=ratio_interval(found.fit, at)
        )
        for at, group in enumerate(groups[1:])
    )
    row = InteractionRow(
        column=column,
        groups=groups,
        covariates=made.covariates,
        n=int(is_used.sum()),
        n_events=outcome.count(is_used),
        ratios=tuple(ratios),
        statistic=found.statistic,
        df=len(groups) - 1,
        p_value=found.p_value,
        q_value=1.0,
    )
    return Interaction(row, None)


@dataclass(frozen=True)
class _Model:
    """Columns of a model, each of shape (n_used, …): the measure, all groups but the first, covariates."""

    x: FloatArray = field(repr=False)
    in_group: FloatArray = field(repr=False)
    covariate: FloatArray = field(repr=False)

    def columns(self, x: FloatArray) -> tuple[FloatArray, FloatArray]:
        """The model with the products of the measure and groups, which come first, and that without."""
        without = np.column_stack([x, self.in_group, self.covariate])
        return np.column_stack([x * self.in_group, without]), without


class _Tested(NamedTuple):
    fit: Fit
    statistic: float
    p_value: float


def _tested(outcome: Outcome, is_used: BoolArray, model: _Model) -> _Tested | NoteRecord:
    """Fit the model with the products and that without; else why one of them is not."""
    from scipy.stats import chi2

    whole, _ = model.columns(model.x)
    if outcome.count(is_used) < EVENTS_EACH * whole.shape[1]:
        return no_model("few_events", least=EVENTS_EACH)
    if is_collinear(whole):
        return no_model("collinear")
    whole, without = model.columns(standardised(model.x))
    fit, plain = outcome.fit(is_used, whole), outcome.fit(is_used, without)
    df = model.in_group.shape[1]
    if fit is None or plain is None or (np.abs(fit.coefficients[:df]) >= MAX_LOG_RATIO).any():
        return no_model("separated")
    statistic = max(2 * (fit.log_likelihood - plain.log_likelihood), 0.0)
    return _Tested(fit, statistic, float(chi2.sf(statistic, df)))
