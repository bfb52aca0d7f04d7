"""Weakest links: one gene of a chain far below what interferon and infiltrate let expect."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from escape_score.model.cohort import FloatArray
from escape_score.model.profiles import TextArray
from escape_score.model.reference import Reference
from escape_score.model.scores import GeneValues
from escape_score.model.thresholds import LinkLimits
from escape_score.profile.mhc.tumour_mhc import gene_columns


@dataclass(frozen=True)
class WeakestLink:
    """The weakest link of a chain in every sample.

    Attributes
    ----------
    score
        How far the weakest link lies below expectation, in spreads; NaN where too few links are measured.
    gene
        Its symbol; empty text where there is no score.
    coverage
        Fraction of the chain measured.
    """

    score: FloatArray = field(repr=False)
    gene: TextArray = field(repr=False)
    coverage: FloatArray = field(repr=False)


def link_residuals(
    genes: GeneValues,
    chain: Sequence[str],
    terms: Mapping[str, FloatArray],
    reference: Reference,
    excess_distance: FloatArray,
) -> tuple[tuple[str, ...], FloatArray]:
    """Distance of each link from its expectation, in spreads.

    Spreads are widened by the sample's excess reference distance.

    Returns
    -------
    symbols, residuals
        Links measured, and an array of shape (n_samples, n_links).
    """
    columns = [i for i in gene_columns(genes, chain) if genes.gene_symbols[i] in reference.weakest_links]
    symbols = tuple(genes.gene_symbols[i] for i in columns)
    residuals = np.full((len(excess_distance), len(columns)), np.nan)
    for k, (column, symbol) in enumerate(zip(columns, symbols, strict=True)):
        fit = reference.weakest_links[symbol]
        expected = (
            fit.ifng_slope * terms["ifng_response"] + fit.leukocyte_slope * terms["leukocyte"] + fit.intercept
        )
        gene_spread = reference.genes.spread[reference.genes.symbols.index(symbol)]
        spread = np.sqrt(fit.spread**2 + (excess_distance / gene_spread) ** 2)
        residuals[:, k] = (genes.z[:, column] - expected) / spread
    return symbols, residuals


def weakest_link(
    symbols: tuple[str, ...],
    residuals: FloatArray,
    *,
    n_chain: int,
    limits: LinkLimits,
) -> WeakestLink:
    """Name the weakest link of every sample.

    Parameters
    ----------
    residuals
        From :func:`link_residuals`.
    n_chain
        Genes of the whole chain.
    """
    measured = ~np.isnan(residuals)
    enough = measured.sum(axis=1) >= limits.min_links
    score, gene = np.full(len(residuals), np.nan), np.full(len(residuals), "", dtype=object)
    for row in np.flatnonzero(enough):
        lowest = int(np.nanargmin(residuals[row]))
        score[row], gene[row] = -residuals[row, lowest], symbols[lowest]
    return WeakestLink(score, gene, measured.sum(axis=1) / n_chain)
