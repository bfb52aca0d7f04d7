"""Errors of a component's mean for the genes that are not measured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from escape_score.model.axes import Thresholds
from escape_score.model.cohort import FloatArray
from escape_score.model.scores import GeneValues, SignatureScores
from escape_score.profile.tumour_mhc import gene_columns

OVERLAPPING = frozenset({"mhc1_fallback", "weakest_link_mhc1"})
"""Lists whose genes stand in other components too; they stay out of the pooled variance."""

KNOWN = 1e6
"""Degrees of freedom of a variance that was not estimated from few genes."""


@dataclass(frozen=True)
class ComponentSpread:
    """Dispersion of one component's genes.

    Variance of their z and genes measured, both per sample; genes in the set.
    """

    variance: FloatArray = field(repr=False)
    n_measured: FloatArray = field(repr=False)
    n_genes: int


def component_spread(genes: GeneValues, members: tuple[str, ...]) -> ComponentSpread:
    """Dispersion of a component's genes in every sample."""
    z = np.take(genes.z, gene_columns(genes, members), axis=1)
    measured = ~np.isnan(z)
    n = measured.sum(axis=1).astype(np.float64)
    mean = np.where(measured, z, 0.0).sum(axis=1) / np.maximum(n, 1)
    squares = np.where(measured, (z - mean[:, None]) ** 2, 0.0).sum(axis=1)
    return ComponentSpread(np.where(n > 1, squares / np.maximum(n - 1, 1), 0.0), n, len(members))


def pooled_variance(spreads: Mapping[str, ComponentSpread]) -> FloatArray:
    """Variance within sets, pooled over the components of each sample."""
    freedom = [np.maximum(spread.n_measured - 1, 0) for spread in spreads.values()]
    weighted = [s.variance * f for s, f in zip(spreads.values(), freedom, strict=True)]
    # added one after the other: numpy would add in another order for a single sample
    total, squares = sum(freedom), sum(weighted)
    return np.where(total > 0, squares / np.maximum(total, 1), np.nan)


def missing_variance(spread: ComponentSpread, pooled: FloatArray, thresholds: Thresholds) -> FloatArray:
    """Squared standard error of a component's mean z for the genes that are not measured."""
    prior, freedom = thresholds.interval_prior_df, np.maximum(spread.n_measured - 1, 0)
    shrunk = (spread.variance * freedom + prior * pooled) / (freedom + prior)
    n = np.maximum(spread.n_measured, 1)
    return np.where(spread.n_measured > 0, shrunk / n * (1 - n / spread.n_genes), np.nan)


@dataclass(frozen=True)
class ComponentErrors:
    """What is known of one component's errors.

    Attributes
    ----------
    missing
        Shape (n_samples,): variance of its mean z for genes that are not measured.
    freedom
        Shape (n_samples,): degrees of freedom of that variance.
    columns
        Its genes, as positions among the genes kept.
    share
        Shape (n_samples, n_columns): what each gene adds to the mean; 0 where it is not measured.
    """

    missing: FloatArray = field(repr=False)
    freedom: FloatArray = field(repr=False)
    columns: npt.NDArray[np.intp] = field(repr=False)
    share: FloatArray = field(repr=False)


def component_errors(
    scores: SignatureScores,
    components: Mapping[str, tuple[str, ...]],
    thresholds: Thresholds,
    inflation: float,
) -> dict[str, ComponentErrors]:
    """Errors of all components; ``inflation`` multiplies the variance for missing genes."""
    spreads = {name: component_spread(scores.genes, members) for name, members in components.items()}
    pooled = pooled_variance({name: spread for name, spread in spreads.items() if name not in OVERLAPPING})
    found = {}
    for name, spread in spreads.items():
        columns = gene_columns(scores.genes, components[name])
        is_measured = ~np.isnan(np.take(scores.genes.z, columns, axis=1))
        found[name] = ComponentErrors(
            missing=inflation * np.nan_to_num(missing_variance(spread, pooled, thresholds)),
            freedom=np.maximum(spread.n_measured - 1, 0) + thresholds.interval_prior_df,
            columns=columns,
            share=is_measured / np.maximum(spread.n_measured, 1)[:, None],
        )
    return found
