"""Errors of single genes, and of the offset that all genes of a sample share."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from escape_score.model.cohort import FloatArray
from escape_score.model.reference import Reference
from escape_score.model.scores import GeneValues, SignatureScores
from escape_score.model.thresholds import IntervalLimits


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
