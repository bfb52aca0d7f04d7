"""Combined z-score: z of each gene across the cohort, summed over a set."""

from __future__ import annotations

import math

import numpy as np

from escape_score.model.cohort import FloatArray
from escape_score.model.method_choice import DEFAULT_MIN_COVERAGE, MethodName
from escape_score.score.kernels.values import (
    CONSTANT_SD,
    MethodScores,
    SetIndex,
    Values,
    checked_values,
    covered,
    map_blocks,
    mean_and_sd,
    wide_block,
)
from escape_score.score.methods.method import Method, Needs, Scope


def score_zscore(
    values: Values, sets: SetIndex, *, min_coverage: float = DEFAULT_MIN_COVERAGE, threads: int = 1
) -> MethodScores:
    """Score sets by the combined z-score, as R GSVA's ``method="zscore"``.

    Parameters
    ----------
    values
        Shape (n_samples, n_genes), on a log scale, at least 2 samples; every score depends on all samples.
    min_coverage, threads
        As in :attr:`Method.score`; a gene that does not vary counts as no column.

    Returns
    -------
    MethodScores
        Unitless; 0 = as the cohort's mean, standard deviation 1 for a set of independent genes.

    Raises
    ------
    MatrixInvalidError
        Fewer than 2 samples, a value that is not finite, or the matrix is not the one the sets were laid
        over.

    Notes
    -----
    Σ z / √k over the k genes of a set that vary, z with the standard deviation of n − 1 (Lee et al. 2008,
    PLoS Comput Biol 4:e1000217); only genes that are in a set are read.
    """
    checked_values(values, sets)
    mean, sd = mean_and_sd(values, sets.members, threads=threads)
    is_kept = np.ones(sets.n_columns, dtype=np.bool_)
    is_kept[sets.members[sd < CONSTANT_SD]] = False
    kept = sets.kept(is_kept)
    weights = _weights(sets, sd)

    def one_block(start: int, stop: int) -> FloatArray:
        scores: FloatArray = (wide_block(values, start, stop, sets.members) - mean) @ weights
        return scores

    scores = np.concatenate(map_blocks(one_block, values.shape[0], threads=threads))
    scores[:, kept.n_members == 0] = np.nan
    return covered(scores, kept, min_coverage=min_coverage)


def _weights(sets: SetIndex, sd: FloatArray) -> FloatArray:
    """1 / (sd √k) where a gene that varies is in a set: shape (n_members, n_sets)."""
    is_member = np.zeros((len(sets.members), sets.n_sets))
    is_member[sets.local, np.repeat(np.arange(sets.n_sets), sets.n_members)] = 1.0
    is_member[sd < CONSTANT_SD] = 0.0
    per_gene = np.where(sd < CONSTANT_SD, 1.0, sd)
    per_set = np.sqrt(np.maximum(is_member.sum(axis=0), 1.0))
    weights: FloatArray = is_member / per_gene[:, None] / per_set
    return weights


METHOD = Method(
    name=MethodName.ZSCORE,
    scope=Scope.COHORT,
    value_range=(-math.inf, math.inf),
    needs=Needs.LOG_VALUES,
    doi="10.1371/journal.pcbi.1000217",
    description="sum of z across the cohort over the root of the number of genes",
    score=score_zscore,
)
