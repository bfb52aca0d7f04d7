"""Single-sample GSEA: a weighted walk down the genes of one sample, in closed form."""

from __future__ import annotations

import math
from functools import lru_cache, partial

import numpy as np

from escape_score.errors import UsageError
from escape_score.model.cohort import FloatArray
from escape_score.model.method_choice import DEFAULT_MIN_COVERAGE, MethodName, Ties
from escape_score.score.kernels.jit import kernel
from escape_score.score.kernels.ranks import CODE_OF_TIES, TIES_GSEAPY, TIES_GSVA, MemberRanks, score_ranked
from escape_score.score.kernels.values import ColumnArray, IntArray, MethodScores, SetIndex, Values
from escape_score.score.methods.engine_gseapy import score_ssgsea_gseapy
from escape_score.score.methods.method import Method, Needs, Scope


def score_ssgsea(
    values: Values,
    sets: SetIndex,
    *,
    alpha: float = 0.25,
    ties: Ties = Ties.MID,
    min_coverage: float = DEFAULT_MIN_COVERAGE,
    threads: int = 1,
) -> MethodScores:
    """Score sets by ssGSEA, without the division by the cohort's range.

    Parameters
    ----------
    values
        Shape (n_samples, n_genes); only the order of genes within a sample is used.
    alpha
        Power of ranks that weights the steps of the walk at members.
    ties
        Places of equal values; anything but ``MID`` lets scores depend on the order of genes.
    min_coverage, threads
        As in :attr:`Method.score`.

    Returns
    -------
    MethodScores
        Unitless, between −n and n for n genes; 0 = as random genes.

    Raises
    ------
    UsageError
        ``alpha`` is below 0.

    Notes
    -----
    With ascending ranks r of n genes, k of them in the set S, and the place R of a gene (its rank, or one
    made unique by ``ties``): sum_S(r^alpha R) / sum_S(r^alpha) − (n (n + 1) / 2 − sum_S R) / (n − k), the
    sum of the differences of the two running fractions of Barbie et al. 2009, Nature 462:108–112.
    """
    if not 0 <= alpha < math.inf:
        msg = f"alpha is {alpha}; give 0 or more"
        raise UsageError(msg)
    scorer, has_positions = partial(ssgsea_of_ranks, alpha=alpha, ties=ties), ties is not Ties.MID
    return score_ranked(
        values, sets, [scorer], min_coverage=min_coverage, threads=threads, has_positions=has_positions
    )[0]


def ssgsea_of_ranks(
    ranks: MemberRanks, sets: SetIndex, *, alpha: float = 0.25, ties: Ties = Ties.MID
) -> FloatArray:
    """Scores of ranked samples: shape (n_samples, n_sets), NaN for sets of no or all genes."""
    weights = _weights(ranks.n_columns, alpha)
    position = ranks.first if ties is Ties.MID else ranks.position
    places, laid = (ranks.first, ranks.stop, position), (sets.indptr, sets.local)
    return _ssgsea(*places, *laid, weights, ranks.n_columns, CODE_OF_TIES[ties])


@lru_cache(maxsize=8)
def _weights(n_columns: int, alpha: float) -> FloatArray:
    """Table of r ** alpha at index 2 r, for every rank and half rank up to ``n_columns``."""
    weights = np.power(0.5 * np.arange(2 * n_columns + 1, dtype=np.float64), alpha)
    weights.flags.writeable = False
    return weights


@kernel("int32[2], int32[2], int32[2], int64[1], int32[1], float64[1], int64, int64")
def _ssgsea(
    first: ColumnArray,
    stop: ColumnArray,
    position: ColumnArray,
    indptr: IntArray,
    local: ColumnArray,
    weights: FloatArray,
    n_columns: int,
    ties: int,
) -> FloatArray:
    """The closed form, set by set."""
    n_rows, n_sets = first.shape[0], indptr.size - 1
    scores = np.full((n_rows, n_sets), np.nan)
    for row in range(n_rows):
        for s in range(n_sets):
            n_members = indptr[s + 1] - indptr[s]
            if n_members in (0, n_columns):
                continue
            weighted, total, places = 0.0, 0.0, 0.0
            for i in range(indptr[s], indptr[s + 1]):
                member = local[i]
                twice_rank = first[row, member] + stop[row, member] + 1
                place = 0.5 * twice_rank
                if ties == TIES_GSEAPY:
                    place = position[row, member] + 1.0
                elif ties == TIES_GSVA:
                    place = float(twice_rank - 1 - position[row, member])
                    twice_rank -= twice_rank % 2
                weight = weights[twice_rank]
                weighted += weight * place
                total += weight
                places += place
            outside = 0.5 * n_columns * (n_columns + 1.0) - places
            scores[row, s] = weighted / total - outside / (n_columns - n_members)
    return scores


METHOD = Method(
    name=MethodName.SSGSEA,
    scope=Scope.SAMPLE,
    value_range=(-math.inf, math.inf),
    needs=Needs.GENE_ORDER,
    doi="10.1038/nature08460",
    description="weighted walk down the genes of a sample; grows with the number of genes",
    score=score_ssgsea,
    of_ranks=ssgsea_of_ranks,
    by_gseapy=score_ssgsea_gseapy,
)
