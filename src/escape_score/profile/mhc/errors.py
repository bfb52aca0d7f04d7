"""Errors of the class I model, which is not a sum of components.

Of the test for a loss of the whole chain, whose genes weigh unequally: take two most powerful tests for the
same loss, one with all genes and one with some. Each is a standard normal, and their correlation is the ratio
of their limits of detection: with a = V⁻¹δ / D, a_someᵀ V a_all = D_some / D_all. So

    variance of z_some − z_all = 2 (1 − D_some / D_all) · φ.

φ is by how much a sample's residuals vary more than V says: their mean square in units of V, shrunk towards
what the genes of its other components let expect.
"""

from __future__ import annotations

import numpy as np
from scipy import stats

from escape_score.model.cohort import FloatArray
from escape_score.model.thresholds import PresentationLimits
from escape_score.profile.intervals.missing_genes import KNOWN, ComponentErrors
from escape_score.profile.mhc.presentation import LossTest, PresentationState, as_if_measured, chain_loss

CHAIN = "mhc1_chain"
"""The test, counted like a component whose genes weigh as they do in it."""

LOCUS = "mhc_locus"
"""The doubt whether 6p21 was quantified, counted like a component."""


def missing_chain_variance(
    state: PresentationState,
    chain: LossTest,
    dispersion_ratio: FloatArray,
    limits: PresentationLimits,
    *,
    prior_df: float,
) -> tuple[FloatArray, FloatArray]:
    """Variance of the test for genes that are not measured, and its degrees of freedom.

    Parameters
    ----------
    dispersion_ratio
        Shape (n_samples,): by how much genes of one component differ more than in the reference.
    prior_df
        Degrees of freedom that the expected variance counts for.
    """
    freedom = state.is_measured.sum(axis=1) + prior_df
    excess = (squared_residual(state) + prior_df * expected_excess(state, dispersion_ratio)) / freedom
    return 2.0 * lost_correlation(chain, state, limits) * excess, freedom


def lost_correlation(found: LossTest, state: PresentationState, limits: PresentationLimits) -> FloatArray:
    """1 − correlation of the test with what it would be if all genes were measured, shape (n_samples,).

    0 where there is no test.
    """
    complete = chain_loss(as_if_measured(state, limits), limits)
    return np.maximum(np.nan_to_num(1.0 - found.detectable_sd / complete.detectable_sd), 0.0)


def squared_residual(state: PresentationState) -> FloatArray:
    """Sum of squares of a sample's residuals in units of V: about the number of its genes."""
    return np.asarray(
        (state.residual * (state.precision * state.residual[:, None, :]).sum(axis=2)).sum(axis=1)
    )


def expected_excess(state: PresentationState, dispersion_ratio: FloatArray) -> FloatArray:
    """By how much residuals are expected to vary more than V says, at least 1.

    Genes of all components differ ``dispersion_ratio`` times as much as usual: so do the tumours' own levels
    of these, of which V also holds the errors of leukocytes and distance.
    """
    own = np.where(state.is_measured, np.diag(state.model.covariance) * (1.0 - state.share) ** 2, 0.0)
    total = np.where(state.is_measured, own + state.error, 1.0)
    share = (own / total).sum(axis=1) / np.maximum(state.is_measured.sum(axis=1), 1)
    return np.asarray(np.maximum(1.0, np.nan_to_num(dispersion_ratio * share, nan=1.0)))


def locus_errors(n_samples: int, level: float) -> ComponentErrors:
    """The doubt whether 6p21 was quantified: the interval has to reach where the loss would lie if not."""
    return without_genes(np.full(n_samples, stats.norm.ppf(0.5 + level / 2) ** -2))


def without_genes(variance: FloatArray) -> ComponentErrors:
    """A component of known variance that no gene is behind."""
    n = len(variance)
    return ComponentErrors(variance, np.full(n, KNOWN), np.empty(0, dtype=np.intp), np.empty((n, 0)))
