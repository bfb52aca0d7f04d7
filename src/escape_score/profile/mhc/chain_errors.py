"""Errors of the test for a loss of the whole MHC class I chain, whose genes weigh unequally.

Take two most powerful tests for the same loss, one with all genes and one with some. Each is a standard
normal, and their correlation is the ratio of their limits of detection: with a = V⁻¹δ / D,
a_someᵀ V a_all = D_some / D_all. So

    variance of z_some − z_all = 2 (1 − D_some / D_all) · φ.

φ is by how much a sample's residuals vary more than V says: their mean square in units of V, drawn to what
the genes of its other components let expect.
"""

from __future__ import annotations

import numpy as np

from escape_score.model.cohort import FloatArray
from escape_score.model.reference import PresentationModel, Reference
from escape_score.model.scores import SignatureScores
from escape_score.model.thresholds import PresentationLimits, Thresholds
from escape_score.profile.intervals.gene_errors import spreads_of
from escape_score.profile.intervals.missing_genes import KNOWN, ComponentErrors
from escape_score.profile.mhc.presentation import LossTest, PresentationState, as_if_measured, chain_loss
from escape_score.profile.mhc.tumour_mhc import gene_columns
from escape_score.profile.terms import Terms

CHAIN = "mhc1_chain"
"""The test, counted like a component whose genes weigh as they do in it."""


def chain_errors(
    scores: SignatureScores,
    reference: Reference,
    terms: Terms,
    thresholds: Thresholds,
    dispersion_ratio: FloatArray,
) -> ComponentErrors:
    """What missing genes would have told the test, and what each gene adds to it.

    Parameters
    ----------
    dispersion_ratio
        Shape (n_samples,): by how much genes of one component differ more than in the reference.

    Returns
    -------
    ComponentErrors
        ``share`` holds what one z of each gene adds to the test. No genes and no error where the reference
        has no presentation model.
    """
    state, chain, model = terms.presentation, terms.chain, reference.presentation
    if state is None or chain is None or model is None:
        n = len(scores.sample_ids)
        return ComponentErrors(np.zeros(n), np.full(n, KNOWN), np.empty(0, dtype=np.intp), np.empty((n, 0)))
    prior = thresholds.intervals.interval_prior_df
    freedom = state.is_measured.sum(axis=1) + prior
    excess = (squared_residual(state) + prior * expected_excess(state, model, dispersion_ratio)) / freedom
    columns = gene_columns(scores.genes, state.gene_symbols)
    place = {symbol: k for k, symbol in enumerate(state.gene_symbols)}
    own = np.array([place[scores.genes.gene_symbols[i]] for i in columns], dtype=np.intp)
    return ComponentErrors(
        missing=2.0 * lost_correlation(chain, state, model, thresholds.presentation) * excess,
        freedom=freedom,
        columns=columns,
        share=np.take(chain.weight, own, axis=1) * spreads_of(state.gene_symbols, scores.genes, reference),
    )


def lost_correlation(
    found: LossTest, state: PresentationState, model: PresentationModel, limits: PresentationLimits
) -> FloatArray:
    """1 − correlation of the test with what it would be if all genes were measured, shape (n_samples,).

    0 where there is no test.
    """
    complete = chain_loss(as_if_measured(state, model, limits), limits)
    return np.maximum(np.nan_to_num(1.0 - found.detectable_sd / complete.detectable_sd), 0.0)


def squared_residual(state: PresentationState) -> FloatArray:
    """Sum of squares of a sample's residuals in units of V: about the number of its genes."""
    return np.asarray(
        (state.residual * (state.precision * state.residual[:, None, :]).sum(axis=2)).sum(axis=1)
    )


def expected_excess(
    state: PresentationState, model: PresentationModel, dispersion_ratio: FloatArray
) -> FloatArray:
    """By how much residuals are expected to vary more than V says, at least 1.

    Genes of all components differ ``dispersion_ratio`` times as much as usual: so do the tumours' own levels
    of these, of which V also holds the errors of leukocytes and distance.
    """
    own = np.where(state.is_measured, np.diag(model.covariance) * (1.0 - state.share) ** 2, 0.0)
    total = np.where(state.is_measured, own + state.error, 1.0)
    share = (own / total).sum(axis=1) / np.maximum(state.is_measured.sum(axis=1), 1)
    return np.asarray(np.maximum(1.0, np.nan_to_num(dispersion_ratio * share, nan=1.0)))
