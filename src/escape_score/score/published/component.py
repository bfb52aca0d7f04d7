"""Score by the first principal component of scaled genes: the twelve-chemokine signature."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from escape_score.model.cohort import FloatArray
from escape_score.model.notes import Code, note
from escape_score.score.kernels.values import CONSTANT_SD
from escape_score.score.published.cohorts import not_evaluable, too_few_samples
from escape_score.score.published.inputs import ScoreInput
from escape_score.score.published.model import MIN_SAMPLES, Outcome

MIN_DIRECTION = 1e-6
"""Least sum of loadings, of length 1, that tells which end of the component is high."""


def score_first_component(inputs: ScoreInput) -> Outcome:
    """First principal component of the genes, scaled across samples, rising with their mean.

    Samples with too few genes are left out, then genes that are not measured in all the others or do not vary
    there; coverage is the fraction of genes that enter.

    References
    ----------
    .. [1] Messina et al. 2012, Sci Rep 2:765, doi:10.1038/srep00765
    """
    is_covered = inputs.coverage >= inputs.min_coverage
    n_covered = int(is_covered.sum())
    if n_covered < MIN_SAMPLES:
        return too_few_samples(inputs, n_covered)
    covered = inputs.log2_tpm[is_covered]
    used = covered[:, _is_usable(covered)]
    fraction = used.shape[1] / len(inputs.genes)
    if fraction < inputs.min_coverage:
        n, n_all = used.shape[1], len(inputs.genes)
        return not_evaluable(inputs, note(Code.NOT_SCORED, "varying", n=n, n_all=n_all))
    scores = first_component(used)
    if scores is None:
        return not_evaluable(inputs, note(Code.NOT_SCORED, "component"))
    values = np.full(len(is_covered), np.nan)
    values[is_covered] = scores
    return Outcome(values, np.where(is_covered, fraction, inputs.coverage), note(Code.NOT_SCORED, "coverage"))


def first_component(log2_tpm: FloatArray) -> FloatArray | None:
    """Positions of samples on the first component of scaled genes; None where its sign cannot be told.

    Parameters
    ----------
    log2_tpm
        Shape (n_samples, n_genes), no NaN, every gene varies.

    Notes
    -----
    Sums run over samples in the order of their values, and each sample is projected alone, so that the order
    of samples does not change the last bit. The covariance of the component and the mean of the scaled genes
    is its eigenvalue times the mean loading: the sum of loadings has the sign of their correlation.
    """
    ordered = log2_tpm[np.lexsort(log2_tpm.T[::-1])]
    mean, sd = ordered.mean(axis=0), ordered.std(axis=0, ddof=1)
    scaled = (ordered - mean) / sd
    loadings = np.linalg.eigh(scaled.T @ scaled / (len(scaled) - 1))[1][:, -1]
    total = float(loadings.sum())
    if abs(total) < MIN_DIRECTION:
        return None
    own = (log2_tpm - mean) / sd * (loadings * np.sign(total))
    scores: FloatArray = np.ascontiguousarray(own).sum(axis=1)
    return scores


def _is_usable(log2_tpm: FloatArray) -> npt.NDArray[np.bool_]:
    """Whether each gene is measured in all samples and varies."""
    is_usable = np.isfinite(log2_tpm).all(axis=0)
    sd = np.where(is_usable, log2_tpm, 0.0).std(axis=0, ddof=1)
    varies: npt.NDArray[np.bool_] = is_usable & (sd >= CONSTANT_SD)
    return varies
