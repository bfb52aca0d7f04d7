"""The immunoresistance index: exploratory, its weights fixed beforehand and never trained on response."""

from __future__ import annotations

import numpy as np
from scipy.special import ndtr

from escape_score.model.axes import Term
from escape_score.model.cohort import FloatArray
from escape_score.model.profiles import IndexScores
from escape_score.model.reference import Reference
from escape_score.profile.context import ProfileContext
from escape_score.profile.intervals.uncertainty import (
    Variances,
    added,
    bounds_of,
    held_share,
    mean_weights,
    missing_blocks_variance,
    missing_terms_variance,
    score_variances,
)
from escape_score.profile.terms import Weights


def profile_index(context: ProfileContext) -> IndexScores:
    """Index of every sample, with its blocks and intervals, also where the match forbids it."""
    limits, definitions = context.thresholds, context.design.catalogue.index
    weights = np.array([block.weight for block in definitions])
    terms = [context.design.catalogue.axis(block.axis).terms for block in definitions]
    blocks = np.column_stack([context.mean_of(each, limit=limits.index.winsor_sd) for each in terms])
    raw = weighted_mean(blocks, weights, limits.index.min_index_blocks)
    variances = _index_variances(blocks, weights, terms, context)
    # in the units of the blocks' mean, whose location errs with its spread
    of_reference = context.reference.location_variance * context.reference.index_stats[1] ** 2
    variances = Variances(variances.within, variances.absolute + of_reference)

    def scale(value: FloatArray) -> FloatArray:
        return to_index(value, context.reference)

    bounds = bounds_of(raw, variances, limits.intervals.interval_level, scale)
    return IndexScores(raw=raw, index=scale(raw), bounds=bounds, blocks=blocks)


def weighted_mean(blocks: FloatArray, weights: FloatArray, min_blocks: int) -> FloatArray:
    """Mean of the blocks present, weights renormalised over them; NaN where too few are present.

    ``blocks``: shape (n_samples, n_blocks), NaN where a block has no term.
    """
    present = ~np.isnan(blocks)
    # not @: BLAS adds in another order for a single sample
    total = (np.where(present, blocks, 0.0) * weights).sum(axis=1)
    is_known = present.sum(axis=1) >= min_blocks
    return np.where(is_known, total / np.maximum((present * weights).sum(axis=1), 1e-9), np.nan)


def to_index(raw: FloatArray, reference: Reference) -> FloatArray:
    """Weighted mean to 0–100 through the normal CDF against the reference."""
    location, spread = reference.index_stats
    return np.asarray(100.0 * ndtr((raw - location) / spread))


def _index_variances(
    blocks: FloatArray, weights: FloatArray, terms: list[tuple[Term, ...]], context: ProfileContext
) -> Variances:
    """Squared standard errors of the weighted mean of the blocks."""
    errors, limits = context.errors, context.thresholds.intervals
    has_block = (~np.isnan(blocks)).astype(np.float64)
    share = has_block * weights / np.maximum((has_block * weights).sum(axis=1), 1e-9)[:, None]
    missing = missing_blocks_variance(weights, has_block, errors.between, limits.between_block_independence)
    within: list[tuple[FloatArray, Weights]] = []
    absolute: list[tuple[FloatArray, Weights]] = []
    for column, wanted in enumerate(terms):
        values = [context.terms[term.name] for term in wanted]
        held = [_held(term, context) for term in wanted]
        for parts, each in ((within, [w for w, _ in held]), (absolute, [a for _, a in held])):
            mean, n_present = mean_weights(values, each)
            parts.append((share[:, column], mean))
        missing = missing + share[:, column] ** 2 * missing_terms_variance(
            n_present, len(wanted), errors.between, limits.within_term_independence
        )
    return Variances(
        score_variances(added(within), errors).within, score_variances(added(absolute), errors).absolute
    ).plus(missing)


def _held(term: Term, context: ProfileContext) -> tuple[Weights, Weights]:
    """Weights of a term that is held within limits, as the index's are: smaller the farther out it is.

    For the interval within a pipeline, and for the absolute one.
    """
    weights = context.weights_of(term)
    variances = score_variances(weights, context.errors)
    value = np.nan_to_num(context.standardised(term))
    limit = context.thresholds.index.winsor_sd
    within, absolute = (held_share(value, v, limit) for v in (variances.within, variances.absolute))
    return added([(within, weights)]), added([(absolute, weights)])
