"""Errors of single genes, of a component's mean for genes not measured, and of the offset all genes share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from escape_score.model.axes import Design
from escape_score.model.cohort import FloatArray
from escape_score.model.reference import Reference
from escape_score.model.scores import GeneValues, SignatureScores
from escape_score.model.thresholds import IntervalLimits

LEAST_VARIANCE = 0.05
"""Genes of a component are never taken to agree better than this, z squared."""

KNOWN = 1e6
"""Degrees of freedom of a variance that was not estimated from few genes."""


@dataclass(frozen=True)
class GeneErrors:
    """Errors of single genes in z units, shape (n_samples, n_genes); 0 where a gene is not measured.

    Attributes
    ----------
    noise
        Variance of counting and technical noise.
    bias
        By how much the logarithm of few reads is below that of many.
    loading
        What one log2 of a wrong offset adds.
    spread
        Shape (n_genes,): spread of each gene in the reference, log2.
    """

    noise: FloatArray = field(repr=False)
    bias: FloatArray = field(repr=False)
    loading: FloatArray = field(repr=False)
    spread: FloatArray = field(repr=False)


def counting_errors(scores: SignatureScores, limits: IntervalLimits) -> tuple[FloatArray, FloatArray]:
    """Variance and bias of log2(TPM + 1) by counting; a usual number of reads where it is not known.

    Reads behind a gene are its TPM before placing times the sample's reads per TPM, as if it had a usual
    length: right within a factor of about two for a single gene. Half a read is added: none is no certainty,
    a gene without reads may well have had some.

    Returns
    -------
    variance, bias
        Shape (n_samples, n_genes), log2² and log2.
    """
    placement = scores.placement
    is_unknown = np.isnan(placement.reads_per_tpm)
    reads_per_tpm = np.where(is_unknown, limits.assumed_reads_per_tpm, placement.reads_per_tpm)
    tpm_of_read = (np.exp2(-placement.offset_log2) / reads_per_tpm)[:, None]
    tpm = np.exp2(scores.genes.log2_tpm) - 1.0
    above = tpm + tpm_of_read / 2
    variance = above * tpm_of_read / ((above + 1.0) * np.log(2.0)) ** 2
    bias = np.log(2.0) * variance * np.exp(-2.0 * tpm / tpm_of_read)
    return np.nan_to_num(variance, nan=0.0), np.nan_to_num(bias, nan=0.0)


def gene_errors(
    scores: SignatureScores, reference: Reference, limits: IntervalLimits, *, z_clip: float
) -> GeneErrors:
    """Errors of all genes kept, in z units of the reference."""
    spread = spreads_of(scores.genes.gene_symbols, scores.genes, reference)
    measured = ~np.isnan(scores.genes.z)
    counting, bias = counting_errors(scores, limits)
    tpm = np.exp2(np.where(measured, scores.genes.log2_tpm, 0.0)) - 1.0
    is_held = np.abs(np.where(measured, scores.genes.z, 0.0)) >= z_clip
    return GeneErrors(
        noise=np.where(measured, (counting + limits.technical_sd**2) / spread**2, 0.0),
        bias=np.where(measured, bias / spread, 0.0),
        loading=np.where(measured & ~is_held, tpm / (tpm + 1.0) / spread, 0.0),
        spread=spread,
    )


def spreads_of(members: Iterable[str], genes: GeneValues, reference: Reference) -> FloatArray:
    """Reference spreads of those members that are measured, in the order of the genes."""
    symbols = (genes.gene_symbols[i] for i in genes.columns(members))
    return reference.genes.spread[reference.genes.positions(symbols)]


def placement_variance(scores: SignatureScores, reference: Reference) -> FloatArray:
    """Squared standard error of the offset, log2: a median over the anchors that are measured."""
    n_all = max(int(reference.genes.is_anchor.sum()), 1)
    n = np.maximum(scores.placement.n_anchors, 1)
    return np.asarray(np.pi / 2 * scores.placement.distance**2 * np.maximum(1 / n - 1 / n_all, 0.0))


@dataclass(frozen=True)
class ComponentSpread:
    """Dispersion of one component's genes: variance of their z and genes measured, both per sample."""

    variance: FloatArray = field(repr=False)
    n_measured: FloatArray = field(repr=False)
    n_genes: int


def component_spread(genes: GeneValues, members: tuple[str, ...]) -> ComponentSpread:
    """Dispersion of the genes in a set."""
    z = np.take(genes.z, genes.columns(members), axis=1)
    measured = ~np.isnan(z)
    n = measured.sum(axis=1).astype(np.float64)
    mean = np.where(measured, z, 0.0).sum(axis=1) / np.maximum(n, 1)
    squares = np.where(measured, (z - mean[:, None]) ** 2, 0.0).sum(axis=1)
    return ComponentSpread(np.where(n > 1, squares / np.maximum(n - 1, 1), 0.0), n, len(members))


def usual_variance(name: str, n_genes: int, reference: Reference) -> float:
    """Variance between a component's genes in a tumour of the reference.

    Each gene has variance 1 over the tumours, of which s² is common to the n genes, s the spread of their
    mean; the rest is between genes: n (1 − s²) / (n − 1), the decomposition of a variance. 1 where the
    reference does not know.
    """
    spread = reference.term_stats.get(name, (np.nan, np.nan))[1]
    if n_genes == 1 or np.isnan(spread):
        return 1.0
    return max(n_genes * (1.0 - spread**2) / (n_genes - 1), LEAST_VARIANCE)


@dataclass(frozen=True)
class Dispersion:
    """How far genes of one component differ, by component.

    Attributes
    ----------
    usual
        Variance between the genes in a tumour of the reference.
    ratio
        Shape (n_samples,): by how much genes differ more than usual, over all components of the sample; NaN
        where there are none.
    """

    spreads: Mapping[str, ComponentSpread] = field(repr=False)
    usual: Mapping[str, float] = field(repr=False)
    ratio: FloatArray = field(repr=False)


def find_dispersion(genes: GeneValues, design: Design, reference: Reference) -> Dispersion:
    """Dispersion of the genes of all components."""
    spreads = {name: component_spread(genes, members) for name, members in design.components.items()}
    usual = {name: usual_variance(name, spread.n_genes, reference) for name, spread in spreads.items()}
    pooled = {name: spreads[name] for name in design.pooled}
    return Dispersion(spreads, usual, dispersion_ratio(pooled, usual))


def dispersion_ratio(spreads: Mapping[str, ComponentSpread], usual: Mapping[str, float]) -> FloatArray:
    """Squares between genes over what they usually are, shape (n_samples,); NaN without genes."""
    freedom = {name: np.maximum(spread.n_measured - 1, 0) for name, spread in spreads.items()}
    # added one after the other: numpy would add in another order for a single sample
    expected = sum(freedom[name] * usual[name] for name in spreads)
    found = sum(freedom[name] * spread.variance for name, spread in spreads.items())
    return np.where(expected > 0, found / np.where(expected > 0, expected, 1.0), np.nan)


def missing_variance(spread: ComponentSpread, expected: FloatArray, limits: IntervalLimits) -> FloatArray:
    """Squared standard error of a component's mean z for the genes that are not measured."""
    prior, freedom = limits.interval_prior_df, np.maximum(spread.n_measured - 1, 0)
    shrunk = (spread.variance * freedom + prior * expected) / (freedom + prior)
    n = np.maximum(spread.n_measured, 1)
    return np.where(spread.n_measured > 0, shrunk / n * (1 - n / spread.n_genes), np.nan)


@dataclass(frozen=True)
class ComponentErrors:
    """What is known of one component's errors.

    Attributes
    ----------
    missing, freedom
        Shape (n_samples,): variance of its mean z for genes not measured, and its degrees of freedom.
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
    genes: GeneValues, design: Design, dispersion: Dispersion, inflation: float
) -> dict[str, ComponentErrors]:
    """Errors of all components; ``inflation`` multiplies the variance for missing genes."""
    limits = design.thresholds.intervals
    found = {}
    for name, spread in dispersion.spreads.items():
        columns = genes.columns(design.components[name])
        is_measured = ~np.isnan(np.take(genes.z, columns, axis=1))
        expected = dispersion.usual[name] * dispersion.ratio
        found[name] = ComponentErrors(
            missing=inflation * np.nan_to_num(missing_variance(spread, expected, limits)),
            freedom=np.maximum(spread.n_measured - 1, 0) + limits.interval_prior_df,
            columns=columns,
            share=is_measured / np.maximum(spread.n_measured, 1)[:, None],
        )
    return found
