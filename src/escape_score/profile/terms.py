"""Terms of the axes: components, contrasts, and what the class I model adds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from escape_score.model.axes import Design
from escape_score.model.cohort import FloatArray
from escape_score.model.reference import Reference
from escape_score.model.scores import SignatureScores

Weights = Mapping[str, FloatArray]
"""Component to what one of its z adds to a score, shape (n_samples,)."""


class TermModel(Protocol):
    """What a term is made of."""

    @property
    def components(self) -> tuple[str, ...]:
        """Components behind the term, for its coverage."""

    @property
    def coverage_weights(self) -> Mapping[str, float]:
        """How much each component counts in the coverage of the term."""

    @property
    def evidence(self) -> tuple[str, int]:
        """Component whose genes speak for the term, and the direction in which they do."""

    @property
    def weights(self) -> Weights:
        """What one z of each component adds to the term, before it is standardised."""

    @property
    def denominators(self) -> tuple[str, ...]:
        """Components that the term is relative to."""

    def above_expected(self, z: FloatArray, symbols: Sequence[str], scores: SignatureScores) -> FloatArray:
        """Genes of the evidence above what the rest of the term lets expect, in the units of ``z``.

        Shape (n_samples, n_symbols), as ``z``.
        """


@dataclass(frozen=True)
class LinearTerm:
    """A component, or a component less a multiple of another: components to their factors, the first 1."""

    factors: Mapping[str, float]
    n_samples: int

    @property
    def components(self) -> tuple[str, ...]:
        """Components behind the term."""
        return tuple(self.factors)

    @property
    def coverage_weights(self) -> Mapping[str, float]:
        """What one z of each adds to the term, without sign; 1 where the reference has no slope."""
        return {name: 1.0 if np.isnan(factor) else abs(factor) for name, factor in self.factors.items()}

    @property
    def evidence(self) -> tuple[str, int]:
        """The first component."""
        return self.components[0], 1

    @property
    def denominators(self) -> tuple[str, ...]:
        """The other components."""
        return self.components[1:]

    def above_expected(self, z: FloatArray, symbols: Sequence[str], scores: SignatureScores) -> FloatArray:
        """The genes, with the multiple of the denominator added that the score has."""
        del symbols
        denominators = (self.factors[name] * scores.of(name) for name in self.denominators)
        return z + np.asarray(sum(denominators, np.zeros(len(z))))[:, None]

    @property
    def weights(self) -> Weights:
        """The factors, the same in every sample."""
        return {name: np.full(self.n_samples, factor) for name, factor in self.factors.items()}


def linear_terms(design: Design, reference: Reference, n_samples: int) -> dict[str, TermModel]:
    """Term models of all components and contrasts."""
    factors = {name: {name: 1.0} for name in design.components} | contrast_factors(design, reference)
    return {name: LinearTerm(own, n_samples) for name, own in factors.items()}


def contrast_factors(design: Design, reference: Reference) -> dict[str, dict[str, float]]:
    """Factors of both components of each contrast; NaN where the reference has no slope."""
    slopes = reference.slopes
    return {
        c.contrast: {c.numerator: 1.0, c.denominator: -slopes.get(c.contrast, np.nan)}
        for c in design.catalogue.contrasts
    }


def compute_terms(
    scores: SignatureScores, reference: Reference, design: Design, added: Mapping[str, FloatArray]
) -> dict[str, FloatArray]:
    """Every term of axes and index, also where it is outside its domain.

    Arrays of shape (n_samples,), in gene z units; NaN = not evaluable. ``scores`` must hold every component;
    ``added``: terms of the class I model, and components of which it withholds values.
    """
    own = {name: scores.values[:, i] for i, name in enumerate(scores.signature_ids)}
    values: dict[str, FloatArray] = {**own, **added}
    for name, factors in contrast_factors(design, reference).items():
        first, second = (factor * values[component] for component, factor in factors.items())
        values[name] = first + second
    return values


def mean_present(columns: Sequence[FloatArray]) -> FloatArray:
    """Mean of those columns that have a value; NaN where none has."""
    stacked = np.vstack(columns)
    present = ~np.isnan(stacked)
    n_present = present.sum(axis=0)
    total = np.where(present, stacked, 0.0).sum(axis=0)
    return np.where(n_present > 0, total / np.maximum(n_present, 1), np.nan)
