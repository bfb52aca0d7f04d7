"""How uncertain scores are.

Every axis, and the index, is a weighted sum of components, and a component is the mean of some genes. Four
errors are followed through these sums, each with its own sign, so that what two components share is counted
once and what cancels cancels:

missing genes   A component is a sample of genes from all that could tell the same thing: dispersion of the
                genes measured, finite-set correction (all measured = no error), the own variance shrunk towards
                the sample's pooled variance within sets.
counting        Poisson noise of the reads behind each gene, and the bias of a logarithm of few reads.
placement       The offset is a median over anchors; with few of them all genes shift together.
technical       What else differs between two libraries of one tumour.

The absolute interval adds the distance of the sample's pipeline and tissue to the reference, gene by gene.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
from scipy import stats

from escape_score.model.axes import AxisCatalogue, IndexBlockDefinition, Term, Thresholds
from escape_score.model.cohort import FloatArray
from escape_score.model.reference import Reference
from escape_score.model.scores import GeneValues, SignatureScores
from escape_score.profile.terms import SHORTFALL, Terms, compute_terms, mean_present
from escape_score.profile.tumour_mhc import gene_columns

FALLBACK = "mhc1_fallback"

OVERLAPPING = frozenset({FALLBACK, "weakest_link_mhc1"})
"""Lists whose genes stand in other components too; they stay out of the pooled variance."""

SHORTFALL_PARTS = ("mhc1", FALLBACK, "leukocyte", "ifng_response")
"""Components whose errors the MHC class I shortfall inherits."""

REGION = "mhc_region_genes"
"""List of the genes of 6p21 that belong to presentation."""

LOCUS = "mhc_locus"
"""The doubt whether 6p21 was quantified, counted like a component."""

KNOWN = 1e6
"""Degrees of freedom of a variance that was not estimated from few genes."""

NUDGE_Z = 0.2
"""By how much a component is moved to see what the shortfall makes of it."""

Weights = Mapping[str, FloatArray]
"""Component to what one of its z adds to a score, shape (n_samples,)."""


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
class GeneErrors:
    """Errors of single genes in z units, shape (n_samples, n_genes); 0 where a gene is not measured.

    Attributes
    ----------
    noise
        Variance of counting and technical noise.
    bias
        By how much the logarithm of few reads lies below that of many.
    loading
        What one log2 of a wrong offset adds.
    spread
        Shape (n_genes,): spread of each gene in the reference, log2.
    """

    noise: FloatArray = field(repr=False)
    bias: FloatArray = field(repr=False)
    loading: FloatArray = field(repr=False)
    spread: FloatArray = field(repr=False)


def counting_errors(scores: SignatureScores, thresholds: Thresholds) -> tuple[FloatArray, FloatArray]:
    """Variance and bias of log2(TPM + 1) by counting; a usual number of reads where it is not known.

    Reads behind a gene are its TPM before placing times the sample's reads per million and the share of
    a gene of usual length: right within a factor of about two for a single gene. One read is added, so that
    none is not taken for certainty; a gene without reads may well have had some.

    Returns
    -------
    variance, bias
        Shape (n_samples, n_genes), log2² and log2.
    """
    placement = scores.placement
    n_reads = np.where(np.isnan(placement.n_reads), thresholds.assumed_reads, placement.n_reads)
    shrink = np.exp2(-placement.offset_log2) / thresholds.reads_per_tpm_ratio
    tpm_of_read = (1e6 / n_reads * shrink)[:, None]
    tpm = np.exp2(scores.genes.log2_tpm) - 1.0
    above = tpm + tpm_of_read
    variance = above * tpm_of_read / ((above + 1.0) * np.log(2.0)) ** 2
    bias = np.log(2.0) * variance * np.exp(-2.0 * tpm / tpm_of_read)
    return np.nan_to_num(variance, nan=0.0), np.nan_to_num(bias, nan=0.0)


def gene_errors(scores: SignatureScores, reference: Reference, thresholds: Thresholds) -> GeneErrors:
    """Errors of all genes kept, in z units of the reference."""
    spread = spreads_of(scores.genes.gene_symbols, scores.genes, reference)
    measured = ~np.isnan(scores.genes.z)
    counting, bias = counting_errors(scores, thresholds)
    tpm = np.exp2(np.where(measured, scores.genes.log2_tpm, 0.0)) - 1.0
    is_held = np.abs(np.where(measured, scores.genes.z, 0.0)) >= thresholds.z_clip
    return GeneErrors(
        noise=np.where(measured, (counting + thresholds.technical_sd**2) / spread**2, 0.0),
        bias=np.where(measured, bias / spread, 0.0),
        loading=np.where(measured & ~is_held, tpm / (tpm + 1.0) / spread, 0.0),
        spread=spread,
    )


def placement_variance(scores: SignatureScores, reference: Reference) -> FloatArray:
    """Squared standard error of the offset, log2: a median over the anchors that are measured."""
    n_all = max(int(reference.genes.is_anchor.sum()), 1)
    n = np.maximum(scores.placement.n_anchors, 1)
    return np.asarray(np.pi / 2 * scores.placement.distance**2 * np.maximum(1 / n - 1 / n_all, 0.0))


def excess_distance(scores: SignatureScores, reference: Reference) -> FloatArray:
    """How much farther from the reference a sample lies than the reference's own tumours do, log2."""
    return np.sqrt(np.maximum(scores.placement.distance**2 - reference.anchor_distance**2, 0.0))


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


@dataclass(frozen=True)
class Errors:
    """Errors of all components, and of the genes and the offset that they share.

    Attributes
    ----------
    placement
        Variance of the offset, log2².
    pipeline
        Variance of a gene's level by the sample's distance to the reference, log2²; part of absolute intervals
        only.
    shortfall
        What each component adds to the MHC class I shortfall.
    between
        Variance between standardised components of a sample, for those that are missing.
    level
        Probability of the intervals.
    """

    components: Mapping[str, ComponentErrors] = field(repr=False)
    genes: GeneErrors = field(repr=False)
    placement: FloatArray = field(repr=False)
    pipeline: FloatArray = field(repr=False)
    shortfall: Weights = field(repr=False)
    between: FloatArray = field(repr=False)
    level: float


def compute_errors(
    scores: SignatureScores,
    reference: Reference,
    catalogue: AxisCatalogue,
    components: Mapping[str, tuple[str, ...]],
    thresholds: Thresholds,
    terms: Terms,
) -> Errors:
    """Errors of every component in every sample.

    Parameters
    ----------
    components
        Component to its gene symbols.
    terms
        The cohort's own terms.
    """
    # the genes of a panel are no random choice
    inflation = thresholds.panel_inflation**2 if scores.facts.is_targeted_panel else 1.0
    return Errors(
        {**component_errors(scores, components, thresholds, inflation), LOCUS: locus_errors(scores, thresholds)},
        gene_errors(scores, reference, thresholds),
        inflation * placement_variance(scores, reference),
        (thresholds.distance_factor * excess_distance(scores, reference)) ** 2,
        shortfall_weights(scores, reference, catalogue, components, thresholds, terms),
        between_variance(terms, reference, components, thresholds),
        thresholds.interval_level,
    )


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


def between_variance(
    terms: Terms, reference: Reference, components: Mapping[str, tuple[str, ...]], thresholds: Thresholds
) -> FloatArray:
    """Mean square of a sample's standardised components, at least that of the reference: 1."""
    columns = [
        np.clip((terms.values[name] - location) / spread, -thresholds.winsor_sd, thresholds.winsor_sd)
        for name, (location, spread) in reference.term_stats.items()
        if name in components and name not in OVERLAPPING
    ]
    return np.maximum(1.0, np.nan_to_num(mean_present([c**2 for c in columns]), nan=1.0))


def shortfall_weights(
    scores: SignatureScores,
    reference: Reference,
    catalogue: AxisCatalogue,
    components: Mapping[str, tuple[str, ...]],
    thresholds: Thresholds,
    terms: Terms,
) -> Weights:
    """What one z of each component adds to the MHC class I shortfall: the component is moved, and it is seen.

    The shortfall is no sum of components: infiltrate is taken away on the linear scale. ``LOCUS`` stands for
    the whole of what 6p21 may be too low by.
    """

    def change(moved: SignatureScores) -> FloatArray:
        values = compute_terms(moved, reference, catalogue, components, thresholds).values[SHORTFALL]
        return np.nan_to_num(values - terms.values[SHORTFALL])

    weights = {}
    for name in SHORTFALL_PARTS:
        spread = spreads_of(components[name], scores.genes, reference)
        moved = raised(scores, components[name], NUDGE_Z * spread, spread)
        values = scores.values.copy()
        values[:, scores.signature_ids.index(name)] += NUDGE_Z
        weights[name] = change(replace(moved, values=values)) / NUDGE_Z
    locus = components[REGION]
    doubt = scores.placement.locus_doubt_log2[:, None]
    return {**weights, LOCUS: change(raised(scores, locus, doubt, spreads_of(locus, scores.genes, reference)))}


def spreads_of(members: Sequence[str], genes: GeneValues, reference: Reference) -> FloatArray:
    """Reference spreads of those members that are measured, in the order of the genes."""
    at = {symbol: i for i, symbol in enumerate(reference.genes.symbols)}
    columns = gene_columns(genes, members)
    return reference.genes.spread[np.array([at[genes.gene_symbols[i]] for i in columns], dtype=np.intp)]


def raised(
    scores: SignatureScores, members: Sequence[str], by_log2: FloatArray, spread: FloatArray
) -> SignatureScores:
    """Scores with some genes higher, by what fits the shape (n_samples, n_members)."""
    genes, columns = scores.genes, gene_columns(scores.genes, members)
    z, log2_tpm = genes.z.copy(), genes.log2_tpm.copy()
    z[:, columns] += by_log2 / spread
    log2_tpm[:, columns] += by_log2
    return replace(scores, genes=replace(genes, z=z, log2_tpm=log2_tpm))


def locus_errors(scores: SignatureScores, thresholds: Thresholds) -> ComponentErrors:
    """The doubt whether 6p21 was quantified: the interval has to reach where it would lie if not."""
    n = len(scores.sample_ids)
    variance = np.full(n, stats.norm.ppf(0.5 + thresholds.interval_level / 2) ** -2)
    return ComponentErrors(variance, np.full(n, KNOWN), np.empty(0, dtype=np.intp), np.empty((n, 0)))


def term_weights(
    term: Term, errors: Errors, reference: Reference, catalogue: AxisCatalogue
) -> dict[str, FloatArray]:
    """What one z of each component adds to a standardised term, with the term's sign."""
    scale = term.sign / reference.term_stats.get(term.name, (np.nan, np.nan))[1]
    ones = np.ones(len(errors.placement))
    if term.name == SHORTFALL:
        return {name: weight * scale for name, weight in errors.shortfall.items()}
    for contrast in catalogue.contrasts:
        if contrast.contrast == term.name:
            slope = reference.slopes.get(term.name, np.nan)
            return {contrast.numerator: ones * scale, contrast.denominator: -slope * scale * ones}
    return {term.name: ones * scale}


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

    Parameters
    ----------
    uncertainty
        Sum over its parts of part² / degrees of freedom (Welch and Satterthwaite).
    """
    upper = 0.5 + level / 2
    freedom = np.where(uncertainty > 0, variance**2 / np.where(uncertainty > 0, uncertainty, 1.0), KNOWN)
    return np.asarray((stats.t.ppf(upper, freedom) / stats.norm.ppf(upper)) ** 2)


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
    within = missing * student_factor(missing, uncertainty, errors.level) + (share**2 * noise).sum(axis=1) + (share * bias).sum(axis=1) ** 2
    within = within + (share * loading).sum(axis=1) ** 2 * np.nan_to_num(errors.placement)
    absolute = within + ((share * scale) ** 2).sum(axis=1) * np.nan_to_num(errors.pipeline)
    return Variances(within, absolute)


def mean_weights(
    wanted: tuple[Term, ...], terms: Terms, parts: Sequence[Weights]
) -> tuple[Weights, FloatArray]:
    """Weights of the mean of those terms that are present, and how many are."""
    is_present = [~np.isnan(terms.values[term.name]) for term in wanted]
    n = np.vstack(is_present).sum(axis=0)
    return added([(here / np.maximum(n, 1), part) for here, part in zip(is_present, parts, strict=True)]), n


def missing_terms_variance(
    n_present: FloatArray, n_wanted: int, between: FloatArray, independence: float
) -> FloatArray:
    """Variance of a mean for terms that are missing; ``independence`` is 1 − their correlation."""
    return np.where(
        n_present > 0, independence * between * (1 / np.maximum(n_present, 1) - 1 / n_wanted), 0.0
    )


def held_share(value: FloatArray, variance: FloatArray, limit: float) -> FloatArray:
    """SD of a normal score held within ±limit, over its SD: near 0 far beyond the limit."""
    sd = np.sqrt(np.maximum(variance, 1e-12))
    low, high = (-limit - value) / sd, (limit - value) / sd
    p_low, p_high = stats.norm.cdf(low), stats.norm.sf(high)
    d_low, d_high = stats.norm.pdf(low), stats.norm.pdf(high)
    # of the standardised score held within low and high
    mean = (d_low - d_high) + low * p_low + high * p_high
    square = (1 - p_low - p_high) + low * d_low - high * d_high + low**2 * p_low + high**2 * p_high
    return np.nan_to_num(np.sqrt(np.clip(square - mean**2, 0.0, 1.0)))


def missing_blocks_variance(
    blocks: tuple[IndexBlockDefinition, ...], has_block: FloatArray, between: FloatArray, independence: float
) -> FloatArray:
    """Variance of the index's weighted mean for blocks that are missing.

    Parameters
    ----------
    has_block
        Shape (n_samples, n_blocks), 1 where the block has a value.
    independence
        1 − correlation assumed between blocks.
    """
    weights = np.array([block.weight for block in blocks])
    weights = weights / weights.sum()
    # not @: BLAS adds in another order for a single sample
    total = np.maximum((has_block * weights).sum(axis=1), 1e-9)
    effective = (has_block * weights**2).sum(axis=1) / total**2
    return np.asarray(independence * between * np.maximum(effective - (weights**2).sum(), 0.0))
