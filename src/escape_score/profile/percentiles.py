"""Percentiles against the reference's own tumours."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from escape_score.model.cohort import FloatArray
from escape_score.model.reference import Distributions


def percentile_of(
    scores: FloatArray, sample_ids: Sequence[str], distributions: Distributions, column: str
) -> tuple[FloatArray, npt.NDArray[np.int64]]:
    """Place scores among the reference's tumours.

    A tumour that belongs to the reference is left out of its own comparison.

    Returns
    -------
    percentile, n
        Share of reference tumours below, ties counted half, in %; and the tumours compared with. NaN and 0
        where the score or the distribution is missing.
    """
    if column not in distributions.columns:
        return np.full(len(scores), np.nan), np.zeros(len(scores), dtype=np.int64)
    own = dict(zip(distributions.sample_ids, distributions.columns[column], strict=True))
    ordered = np.sort(distributions.columns[column][~np.isnan(distributions.columns[column])])
    below = np.searchsorted(ordered, scores, side="left").astype(np.float64)
    upto = np.searchsorted(ordered, scores, side="right").astype(np.float64)
    n = np.full(len(scores), len(ordered), dtype=np.int64)
    for row, sample_id in enumerate(sample_ids):
        value = own.get(sample_id, np.nan)
        if not np.isnan(value):
            n[row] -= 1
            below[row] -= value < scores[row]
            upto[row] -= value <= scores[row]
    percentile = 100.0 * (below + upto) / 2 / np.maximum(n, 1)
    known = ~np.isnan(scores) & (n > 0)
    return np.where(known, percentile, np.nan), np.where(known, n, 0)
