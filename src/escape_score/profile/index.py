"""The immunoresistance index: exploratory, its weights fixed beforehand and never trained on response."""

from __future__ import annotations

import numpy as np
from scipy import stats

from escape_score.model.axes import AxisCatalogue
from escape_score.model.cohort import FloatArray
from escape_score.model.profiles import Bounds, IndexScores
from escape_score.model.reference import Reference
from escape_score.model.thresholds import IndexLimits
from escape_score.profile.terms import Terms, mean_present, standardise


def index_blocks(
    terms: Terms, reference: Reference, catalogue: AxisCatalogue, limits: IndexLimits
) -> FloatArray:
    """Blocks of the index, shape (n_samples, n_blocks); NaN where a block has no term."""
    return np.column_stack(
        [
            mean_present([standardise(terms, reference, t, limit=limits.winsor_sd) for t in block.terms])
            for block in catalogue.index_blocks
        ]
    )


def weighted_mean(blocks: FloatArray, catalogue: AxisCatalogue, limits: IndexLimits) -> FloatArray:
    """Mean of the blocks present, weights renormalised over them; NaN where too few are present."""
    weights = np.array([block.weight for block in catalogue.index_blocks])
    present = ~np.isnan(blocks)
    # not @: BLAS adds in another order for a single sample
    total = (np.where(present, blocks, 0.0) * weights).sum(axis=1)
    return np.where(
        present.sum(axis=1) >= limits.min_index_blocks,
        total / np.maximum((present * weights).sum(axis=1), 1e-9),
        np.nan,
    )


def to_index(raw: FloatArray, reference: Reference) -> FloatArray:
    """Weighted mean to 0–100 through the normal CDF against the reference."""
    location, spread = reference.index_stats
    return 100.0 * stats.norm.cdf((raw - location) / spread)


def score_index(
    blocks: FloatArray,
    raw: FloatArray,
    reference: Reference,
    *,
    variance_within: FloatArray,
    variance_absolute: FloatArray,
    level: float,
) -> IndexScores:
    """Put index and intervals on the 0–100 scale."""
    k = stats.norm.ppf(0.5 + level / 2)
    within, absolute = k * np.sqrt(variance_within), k * np.sqrt(variance_absolute)
    return IndexScores(
        raw=raw,
        index=to_index(raw, reference),
        bounds=Bounds(
            low=to_index(raw - absolute, reference),
            high=to_index(raw + absolute, reference),
            low_within=to_index(raw - within, reference),
            high_within=to_index(raw + within, reference),
        ),
        blocks=blocks,
    )
