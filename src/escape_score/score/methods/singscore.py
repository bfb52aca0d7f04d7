"""Singscore: centred mean rank of a set expected to be up."""

from __future__ import annotations

import math

import numpy as np

from escape_score.model.cohort import FloatArray
from escape_score.model.method_choice import DEFAULT_MIN_COVERAGE, MethodName
from escape_score.score.kernels.ranks import Contribution, MemberRanks, score_ranked, sum_contributions
from escape_score.score.kernels.values import MethodScores, SetIndex, Values
from escape_score.score.methods.method import Method, Needs, Scope


def score_singscore(
    values: Values, sets: SetIndex, *, min_coverage: float = DEFAULT_MIN_COVERAGE, threads: int = 1
) -> MethodScores:
    """Score sets by singscore's centred score of an up-set.

    Parameters
    ----------
    values
        Shape (n_samples, n_genes); only the order of genes within a sample is used.
    min_coverage, threads
        As in :attr:`Method.score`.

    Returns
    -------
    MethodScores
        Unitless, −0.5 (its genes rank lowest) to 0.5 (highest); below −0.5 only where its genes equal each
        other.

    Notes
    -----
    With n genes, equal values at their least rank, and k of them, of mean rank m, in the set:
    (m − (k + 1) / 2) / (n − k) − 1 / 2 (Foroutan et al. 2018, BMC Bioinformatics 19:404). Only without equal
    values has a random set 0 on average.
    """
    return score_ranked(values, sets, [singscore_of_ranks], min_coverage=min_coverage, threads=threads)[0]


def singscore_of_ranks(ranks: MemberRanks, sets: SetIndex) -> FloatArray:
    """Scores of ranked samples: shape (n_samples, n_sets), NaN for sets of no or all genes."""
    sums = sum_contributions(ranks, sets, Contribution.LEAST_RANK)
    return normalised_mean_rank(sums, sets, ranks.n_columns) - 0.5


def normalised_mean_rank(sums: FloatArray, sets: SetIndex, n_columns: int) -> FloatArray:
    """Place the mean rank between the least (0) and the greatest (1) that a set of its size can have."""
    n_members = sets.n_members
    with np.errstate(invalid="ignore", divide="ignore"):
        scores = (sums / n_members - (n_members + 1) / 2) / (n_columns - n_members)
    scores[:, (n_members == 0) | (n_members == n_columns)] = np.nan
    return scores


METHOD = Method(
    name=MethodName.SINGSCORE,
    scope=Scope.SAMPLE,
    value_range=(-math.inf, 0.5),
    needs=Needs.GENE_ORDER,
    doi="10.1186/s12859-018-2435-4",
    description="centred mean rank, equal values at their least rank",
    score=score_singscore,
    of_ranks=singscore_of_ranks,
)
