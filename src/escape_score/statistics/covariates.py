"""Columns of the sample sheet as columns of numbers in a model."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from escape_score.config.formula import Factor, ModelFormula
from escape_score.statistics.columns import CohortColumns, FloatArray
from escape_score.statistics.regression import BoolArray

LABELS = frozenset({"site", "cancer_type", "msi"})
"""Columns whose values are labels even where they look like numbers; of others C(column) makes labels."""


@dataclass(frozen=True)
class Design:
    """Covariates of the samples that have all of them.

    Attributes
    ----------
    is_used
        Shape (n_samples,), over all samples of the cohort.
    matrix
        Shape (n_used, n_terms), without an intercept; every column varies.
    covariates
        Columns of the sample sheet that it is made of.
    """

    is_used: BoolArray = field(repr=False)
    matrix: FloatArray = field(repr=False)
    covariates: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Covariates:
    """What the models of one cohort are adjusted for."""

    columns: CohortColumns = field(repr=False)
    formula: ModelFormula
    _made: dict[bytes, Design] = field(default_factory=dict, repr=False)
    _others: dict[str, Covariates] = field(default_factory=dict, repr=False)

    def without(self, column: str) -> Covariates:
        """The same without what is made of one column; made once, with its designs."""
        if column not in self._others:
            self._others[column] = Covariates(self.columns, self.formula.without(column))
        return self._others[column]

    def design(self, is_used: BoolArray) -> Design:
        """Covariates of some samples; most measures have the same, so that each design is made once."""
        key = is_used.tobytes()
        if key not in self._made:
            self._made[key] = self._design(is_used)
        return self._made[key]

    @property
    def has_any(self) -> bool:
        """Whether the sample sheet has a value of any covariate."""
        return any(any(self.columns.texts(name)) for name in self.formula.columns)

    def _design(self, is_used: BoolArray) -> Design:
        """Terms whose columns all vary, of the samples that have a value in each of them."""
        factors = dict.fromkeys(factor for term in self.formula.covariates for factor in term)
        values = {factor: _values(self.columns, factor) for factor in factors}
        varying = {factor for factor, of in values.items() if _varies(of, is_used)}
        terms = [term for term in self.formula.covariates if varying.issuperset(term)]
        kept = list(dict.fromkeys(factor for term in terms for factor in term))
        is_complete = is_used.copy()
        for factor in kept:
            is_complete &= np.array([value is not None for value in values[factor]], dtype=bool)
        table = {
            factor: [values[factor][at] for at in np.flatnonzero(is_complete).tolist()] for factor in kept
        }
        matrix = _matrix(table, terms) if terms and is_complete.any() else np.empty((is_complete.sum(), 0))
        return Design(is_complete, matrix, tuple(dict.fromkeys(factor.column for factor in kept)))


def _values(columns: CohortColumns, factor: Factor) -> Sequence[float | str | None]:
    """Numbers or labels of one column; None where a sample has no value."""
    texts = columns.texts(factor.column)
    if factor.is_category or factor.column in LABELS:
        return [text or None for text in texts]
    try:
        numbers = [float(row.get(factor.column, "nan")) for row in columns.sheet]
    except ValueError:
        return [text or None for text in texts]
    return [None if math.isnan(number) else number for number in numbers]


def _varies(values: Sequence[float | str | None], is_used: BoolArray) -> bool:
    return len({value for value, used in zip(values, is_used, strict=True) if used and value is not None}) > 1


def _matrix(table: dict[Factor, list[float | str | None]], terms: Sequence[tuple[Factor, ...]]) -> FloatArray:
    """Columns of numbers, shape (n_used, n_terms); labels are compared with the first of them."""
    import pandas as pd
    from formulaic import Formula

    names = {factor: f"v{at}" for at, factor in enumerate(table)}
    # the names are ours, so that nothing but the columns of this table is looked up
    written = "1 + " + " + ".join(":".join(names[factor] for factor in term) for term in terms)
    frame = pd.DataFrame({names[factor]: values for factor, values in table.items()})
    made = np.asarray(Formula(written).get_model_matrix(frame, context={}), dtype=np.float64)
    varying: FloatArray = made[:, np.ptp(made, axis=0) > 0]
    return varying
