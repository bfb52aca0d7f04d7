"""The index of a cohort with its intervals."""

from __future__ import annotations

import numpy as np

from escape_score.model.axes import Term
from escape_score.model.cohort import FloatArray
from escape_score.model.profiles import IndexScores
from escape_score.profile import index as index_of
from escape_score.profile.context import ProfileContext
from escape_score.profile.intervals.uncertainty import (
    Variances,
    Weights,
    added,
    held_share,
    mean_weights,
    missing_blocks_variance,
    missing_terms_variance,
    score_variances,
    term_weights,
)
from escape_score.profile.terms import standardise


def profile_index(context: ProfileContext) -> IndexScores:
    """Index with its blocks and intervals."""
    blocks = index_of.index_blocks(
        context.terms, context.reference, context.catalogue, context.thresholds.index
    )
    variances = _index_variances(blocks, context)
    # in the units of the blocks' mean, whose location errs with its spread
    of_reference = context.reference.location_variance * context.reference.index_stats[1] ** 2
    return index_of.score_index(
        blocks,
        index_of.weighted_mean(blocks, context.catalogue, context.thresholds.index),
        context.reference,
        variance_within=variances.within,
        variance_absolute=variances.absolute + of_reference,
        level=context.thresholds.intervals.interval_level,
    )


def _index_variances(blocks: FloatArray, context: ProfileContext) -> Variances:
    """Squared standard errors of the weighted mean of the blocks."""
    definitions, errors = context.catalogue.index_blocks, context.errors
    has_block = (~np.isnan(blocks)).astype(np.float64)
    weight = np.array([block.weight for block in definitions])
    share = has_block * weight / np.maximum((has_block * weight).sum(axis=1), 1e-9)[:, None]
    missing = missing_blocks_variance(
        definitions, has_block, errors.between, context.thresholds.intervals.between_block_independence
    )
    within: list[tuple[FloatArray, Weights]] = []
    absolute: list[tuple[FloatArray, Weights]] = []
    for column, block in enumerate(definitions):
        held = [_held_weights(term, context) for term in block.terms]
        for parts, each in ((within, [w for w, _ in held]), (absolute, [a for _, a in held])):
            weights, n_present = mean_weights(block.terms, context.terms, each)
            parts.append((share[:, column], weights))
        missing = missing + share[:, column] ** 2 * missing_terms_variance(
            n_present, len(block.terms), errors.between, context.thresholds.intervals.within_term_independence
        )
    return Variances(
        score_variances(added(within), errors).within, score_variances(added(absolute), errors).absolute
    ).plus(missing)


def _held_weights(term: Term, context: ProfileContext) -> tuple[Weights, Weights]:
    """Weights of a term that is held within limits, as the index's are: smaller the farther out it is.

    For the interval within a pipeline, and for the absolute one.
    """
    weights = term_weights(term, context.errors, context.reference, context.catalogue)
    variances = score_variances(weights, context.errors)
    value = np.nan_to_num(standardise(context.terms, context.reference, term))
    limit = context.thresholds.index.winsor_sd
    within, absolute = (held_share(value, v, limit) for v in (variances.within, variances.absolute))
    return added([(within, weights)]), added([(absolute, weights)])
