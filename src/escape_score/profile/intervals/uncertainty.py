"""How uncertain scores are.

Every axis, and the index, is a weighted sum of components, and a component is the mean of some genes. Four
errors are followed through these sums, each with its own sign, so that what two components share is counted
once and what cancels cancels:

missing genes   A component is a sample of genes from all that could show the same thing: dispersion of the
                genes measured, finite-set correction (all measured = no error), the own variance shrunk
                towards the usual one of the reference, times what the sample's genes differ more.
counting        Poisson noise of the reads behind each gene, and the bias of a logarithm of few reads.
placement       The offset is a median over anchors; with few of them all genes shift together.
technical       What else differs between two libraries of one tumour.

The absolute interval adds the distance of the sample's pipeline and tissue to the reference, gene by gene.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy.special import ndtr, ndtri, stdtrit

from escape_score.model.axes import Design
from escape_score.model.cohort import FloatArray
from escape_score.model.profiles import Bounds
from escape_score.model.reference import Reference
from escape_score.model.scores import SignatureScores
from escape_score.profile.intervals.errors import (
    KNOWN,
    ComponentErrors,
    GeneErrors,
    component_errors,
    find_dispersion,
    gene_errors,
    placement_variance,
)
from escape_score.profile.terms import Weights, mean_present


@dataclass(frozen=True)
class Errors:
    """Errors of all components, and of the genes and the offset that they share.

    Attributes
    ----------
    placement
        Variance of the offset, log2².
    pipeline
        Variance of a gene's level by the sample's distance to the reference, log2²; of absolute intervals
        only.
    between
        Variance between standardised components of a sample, for those that are missing.
    level
        Probability of the intervals.
    """

    components: Mapping[str, ComponentErrors] = field(repr=False)
    genes: GeneErrors = field(repr=False)
    placement: FloatArray = field(repr=False)
    pipeline: FloatArray = field(repr=False)
    between: FloatArray = field(repr=False)
    level: float


def compute_errors(
    scores: SignatureScores,
    reference: Reference,
    design: Design,
    *,
    terms: Mapping[str, FloatArray],
    more: Callable[[FloatArray], Mapping[str, ComponentErrors]],
) -> Errors:
    """Errors of every component in every sample.

    ``more`` gives what else counts like a component, from how much more than usual a sample's genes differ.
    """
    limits, placement = design.thresholds.intervals, scores.placement
    # the genes of a panel are no random choice
    inflation = limits.panel_inflation**2 if scores.facts.is_targeted_panel else 1.0
    dispersion = find_dispersion(scores.genes, design, reference)
    own = component_errors(scores.genes, design, dispersion, inflation)
    excess = placement.excess_distance(reference.anchor_distance)
    pooled = [name for name in reference.term_stats if name in set(design.pooled)]
    return Errors(
        components={**own, **more(dispersion.ratio)},
        genes=gene_errors(scores, reference, limits, z_clip=design.thresholds.placement.z_clip),
        placement=inflation * placement_variance(scores, reference),
        pipeline=(limits.distance_factor * excess) ** 2,
        between=between_variance(terms, pooled, reference, design.thresholds.index.winsor_sd),
        level=limits.interval_level,
    )


def between_variance(
    terms: Mapping[str, FloatArray], components: Sequence[str], reference: Reference, limit: float
) -> FloatArray:
    """Mean square of a sample's standardised components, held within a limit; at least the reference's: 1."""
    if not components:  # a panel without the genes of any
        return np.ones(len(next(iter(terms.values()))))
    moments = [(terms[name], *reference.term_stats[name]) for name in components]
    columns = [np.clip((value - location) / spread, -limit, limit) for value, location, spread in moments]
    return np.maximum(1.0, np.nan_to_num(mean_present([column**2 for column in columns]), nan=1.0))


def added(parts: Sequence[tuple[FloatArray, Weights]]) -> Weights:
    """Sum of weights, each times a factor."""
    total: dict[str, FloatArray] = {}
    for factor, weights in parts:
        for name, weight in weights.items():
            total[name] = total.get(name, 0.0) + factor * weight
    return total


@dataclass(frozen=True)
class Variances:
    """Squared standard errors of a score, shape (n_samples,) each."""

    within: FloatArray = field(repr=False)
    absolute: FloatArray = field(repr=False)

    def plus(self, more: FloatArray) -> Variances:
        """Both with a further variance."""
        return Variances(self.within + more, self.absolute + more)


def student_factor(variance: FloatArray, uncertainty: FloatArray, level: float) -> FloatArray:
    """Brings a variance that is itself estimated to normal units: t quantile over normal quantile, squared.

    ``uncertainty`` is the sum over its parts of part² / degrees of freedom (Welch and Satterthwaite).
    """
    upper = 0.5 + level / 2
    freedom = np.where(uncertainty > 0, variance**2 / np.where(uncertainty > 0, uncertainty, 1.0), KNOWN)
    return np.asarray((stdtrit(freedom, upper) / ndtri(upper)) ** 2)


def score_variances(weights: Weights, errors: Errors) -> Variances:
    """Squared standard errors of a weighted sum of components.

    Noise is added up gene by gene, since components share genes.
    """
    columns = np.unique(np.concatenate([errors.components[name].columns for name in weights]))
    share = np.zeros((len(errors.placement), len(columns)))
    missing, uncertainty = np.zeros((2, len(errors.placement)))
    for name, weight in weights.items():
        component = errors.components[name]
        share[:, np.searchsorted(columns, component.columns)] += weight[:, None] * component.share
        part = weight**2 * component.missing
        missing, uncertainty = missing + part, uncertainty + part**2 / component.freedom
    noise, bias, loading = (
        np.take(values, columns, axis=1)
        for values in (errors.genes.noise, errors.genes.bias, errors.genes.loading)
    )
    scale = 1.0 / errors.genes.spread[columns]
    within = missing * student_factor(missing, uncertainty, errors.level)
    within = within + (share**2 * noise).sum(axis=1) + (share * bias).sum(axis=1) ** 2
    within = within + (share * loading).sum(axis=1) ** 2 * np.nan_to_num(errors.placement)
    absolute = within + ((share * scale) ** 2).sum(axis=1) * np.nan_to_num(errors.pipeline)
    return Variances(within, absolute)


def mean_weights(terms: Sequence[FloatArray], parts: Sequence[Weights]) -> tuple[Weights, FloatArray]:
    """Weights of the mean of those terms that are present, and how many are."""
    is_present = [~np.isnan(values) for values in terms]
    n = np.vstack(is_present).sum(axis=0)
    return added([(here / np.maximum(n, 1), part) for here, part in zip(is_present, parts, strict=True)]), n


def missing_terms_variance(
    n_present: FloatArray, n_wanted: int, between: FloatArray, independence: float
) -> FloatArray:
    """Variance of a mean for terms that are missing; ``independence`` is 1 − their correlation."""
    return np.where(
        n_present > 0, independence * between * (1 / np.maximum(n_present, 1) - 1 / n_wanted), 0.0
    )


def _density(value: FloatArray) -> FloatArray:
    """Of the standard normal distribution."""
    return np.asarray(np.exp(-(value**2) / 2) / np.sqrt(2 * np.pi))


def held_share(value: FloatArray, variance: FloatArray, limit: float) -> FloatArray:
    """SD of a normal score held within ±limit, over its SD: near 0 far beyond the limit."""
    sd = np.sqrt(np.maximum(variance, 1e-12))
    low, high = (-limit - value) / sd, (limit - value) / sd
    p_low, p_high = ndtr(low), ndtr(-high)
    d_low, d_high = _density(low), _density(high)
    # of the standardised score held within low and high
    mean = (d_low - d_high) + low * p_low + high * p_high
    square = (1 - p_low - p_high) + low * d_low - high * d_high + low**2 * p_low + high**2 * p_high
    return np.nan_to_num(np.sqrt(np.clip(square - mean**2, 0.0, 1.0)))


def missing_blocks_variance(
    weights: FloatArray, has_block: FloatArray, between: FloatArray, independence: float
) -> FloatArray:
    """Variance of the index's weighted mean for blocks that are missing.

    ``has_block`` has shape (n_samples, n_blocks), 1 where the block has a value; ``independence`` is 1 − the
    correlation assumed between blocks.
    """
    weights = weights / weights.sum()
    # not @: BLAS adds in another order for a single sample
    total = np.maximum((has_block * weights).sum(axis=1), 1e-9)
    effective = (has_block * weights**2).sum(axis=1) / total**2
    return np.asarray(independence * between * np.maximum(effective - (weights**2).sum(), 0.0))


def bounds_of(
    score: FloatArray,
    variances: Variances,
    level: float,
    scale: Callable[[FloatArray], FloatArray] = lambda value: value,
) -> Bounds:
    """Ends of the intervals of a normal score, each brought to another scale."""
    k = ndtri(0.5 + level / 2)
    within, absolute = k * np.sqrt(variances.within), k * np.sqrt(variances.absolute)
    return Bounds(
        low=scale(score - absolute),
        high=scale(score + absolute),
        low_within=scale(score - within),
        high_within=scale(score + within),
    )
