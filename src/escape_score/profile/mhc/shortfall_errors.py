"""What errors do to the MHC class I shortfall, which is no sum of components."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from scipy import stats

from escape_score.model.axes import AxisCatalogue
from escape_score.model.cohort import FloatArray
from escape_score.model.reference import Reference
from escape_score.model.scores import SignatureScores
from escape_score.model.thresholds import IntervalLimits, Thresholds
from escape_score.profile.intervals.gene_errors import spreads_of
from escape_score.profile.intervals.missing_genes import KNOWN, ComponentErrors
from escape_score.profile.mhc.chain_errors import CHAIN
from escape_score.profile.mhc.tumour_mhc import gene_columns
from escape_score.profile.terms import SHORTFALL, Terms, compute_terms

FALLBACK = "mhc1_fallback"
"""Stands in where 6p21 is not quantified."""

SHORTFALL_PARTS = (FALLBACK, "leukocyte", "ifng_response")
"""Components whose errors the shortfall inherits."""

REGION = "mhc_region_genes"
"""List of the genes of 6p21 that belong to presentation."""

LOCUS = "mhc_locus"
"""The doubt whether 6p21 was quantified, counted like a component."""

NUDGE_Z = 0.2
"""By how much a component is moved to see what the shortfall makes of it."""


def shortfall_weights(
    scores: SignatureScores,
    reference: Reference,
    *,
    catalogue: AxisCatalogue,
    components: Mapping[str, tuple[str, ...]],
    thresholds: Thresholds,
    terms: Terms,
) -> dict[str, FloatArray]:
    """What one z of each component adds to the MHC class I shortfall: the component is moved, and it is seen.

    The shortfall is no sum of components: infiltrate is taken away on the linear scale. ``LOCUS`` stands for
    the whole of what 6p21 may be too low by.
    """

    def change(moved: SignatureScores) -> FloatArray:
        values = compute_terms(moved, reference, catalogue, components, thresholds).values[SHORTFALL]
        return np.nan_to_num(values - terms.values[SHORTFALL])

    is_tested = ~scores.placement.is_mhc_locus_unquantified
    weights = {CHAIN: is_tested.astype(np.float64)}
    for name in SHORTFALL_PARTS:
        spread = spreads_of(components[name], scores.genes, reference)
        moved = raised(scores, components[name], NUDGE_Z * spread, spread)
        values = scores.values.copy()
        values[:, scores.signature_ids.index(name)] += NUDGE_Z
        weights[name] = change(replace(moved, values=values)) / NUDGE_Z
    # where the chain is tested, its genes elsewhere count in the test alone
    weights[FALLBACK] = np.where(is_tested, 0.0, weights[FALLBACK])
    locus = components[REGION]
    doubt = scores.placement.locus_doubt_log2[:, None]
    return {
        **weights,
        LOCUS: change(raised(scores, locus, doubt, spreads_of(locus, scores.genes, reference))),
    }


def raised(
    scores: SignatureScores, members: Sequence[str], by_log2: FloatArray, spread: FloatArray
) -> SignatureScores:
    """Scores with some genes higher, by what fits the shape (n_samples, n_members)."""
    genes, columns = scores.genes, gene_columns(scores.genes, members)
    z, log2_tpm = genes.z.copy(), genes.log2_tpm.copy()
    z[:, columns] += by_log2 / spread
    log2_tpm[:, columns] += by_log2
    return replace(scores, genes=replace(genes, z=z, log2_tpm=log2_tpm))


def locus_errors(scores: SignatureScores, limits: IntervalLimits) -> ComponentErrors:
    """The doubt whether 6p21 was quantified: the interval has to reach where it would lie if not."""
    n = len(scores.sample_ids)
    variance = np.full(n, stats.norm.ppf(0.5 + limits.interval_level / 2) ** -2)
    return ComponentErrors(variance, np.full(n, KNOWN), np.empty(0, dtype=np.intp), np.empty((n, 0)))
