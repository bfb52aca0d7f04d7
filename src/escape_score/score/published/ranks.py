"""Score by ranks of each gene across samples: Davoli's cytotoxic immune signature."""

from __future__ import annotations

import numpy as np
from scipy.stats import rankdata

from escape_score.model.cohort import FloatArray
from escape_score.score.published.cohorts import too_few_samples
from escape_score.score.published.inputs import ScoreInput, measured_mean
from escape_score.score.published.model import MIN_SAMPLES, Outcome


def score_sample_rank(inputs: ScoreInput) -> Outcome:
    """Mean over genes of (rank − 1) / (n − 1) among the n samples that have the gene measured.

    Ties stand at their mean rank. Only samples with enough genes are ranked; below ``MIN_SAMPLES`` of them
    there is no score.

    References
    ----------
    .. [1] Davoli et al. 2017, Science 355:eaaf8399, doi:10.1126/science.aaf8399
    """
    is_covered = inputs.coverage >= inputs.min_coverage
    n_covered = int(is_covered.sum())
    if n_covered < MIN_SAMPLES:
        return too_few_samples(inputs, n_covered)
    values = np.full(len(is_covered), np.nan)
    values[is_covered] = measured_mean(_relative_ranks(inputs.log2_tpm[is_covered]))
    return inputs.outcome(values)


def _relative_ranks(log2_tpm: FloatArray) -> FloatArray:
    """Ranks of each column on 0–1; NaN where not measured, or measured in one sample only."""
    ranks = np.asarray(rankdata(log2_tpm, axis=0, nan_policy="omit"), dtype=np.float64)
    n = np.isfinite(log2_tpm).sum(axis=0)
    relative: FloatArray = (ranks - 1.0) / np.where(n > 1, n - 1.0, np.nan)
    return relative
