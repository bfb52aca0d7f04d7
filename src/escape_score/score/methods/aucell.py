"""AUCell: area under the recovery curve of a set among the highest genes of a cell or sample."""

from __future__ import annotations

import math
from functools import partial

import numpy as np
import scipy.sparse as sp

from escape_score.errors import UsageError
from escape_score.model.cohort import FloatArray
from escape_score.model.method_choice import DEFAULT_MIN_COVERAGE, MethodName
from escape_score.score.kernels.ranks import Contribution, MemberRanks, score_ranked, sum_contributions
from escape_score.score.kernels.sparse_ranks import sum_sparse_contributions
from escape_score.score.kernels.values import MethodScores, SetIndex, Values, checked_values, covered
from escape_score.score.methods.method import Method, Needs, Scope

DEFAULT_TOP_FRACTION = 0.05


def score_aucell(
    values: Values,
    sets: SetIndex,
    *,
    top_fraction: float = DEFAULT_TOP_FRACTION,
    min_coverage: float = DEFAULT_MIN_COVERAGE,
    threads: int = 1,
) -> MethodScores:
    """Score sets by AUCell.

    Parameters
    ----------
    values
        Shape (n_samples, n_genes); only the order of genes within a sample is used. CSR is never made dense;
        it must then be ≥ 0.
    top_fraction
        Fraction, in (0, 1], of the genes that is looked at, from the highest.
    min_coverage, threads
        As in :attr:`Method.score`.

    Returns
    -------
    MethodScores
        Unitless, 0 (none of its genes is among the highest) to 1 (they are the highest).

    Raises
    ------
    MatrixInvalidError
        A value is NaN, negative in a sparse matrix, or the matrix is not the one the sets were laid over.
    UsageError
        ``top_fraction`` is not in (0, 1].

    Notes
    -----
    With t = ceil(``top_fraction`` n) of n genes, at least 2, and descending ranks r of a set's k genes:
    sum(max(t − r, 0)) / sum_{j = 1..min(k, t − 1)}(t − j), after Aibar et al. 2017, Nature Methods
    14:1083–1086. Other programs order equal values at random; here each counts with its mean over all their
    orders, so that nothing is random.
    """
    checked_values(values, sets)
    if not 0 < top_fraction <= 1:
        msg = f"top_fraction is {top_fraction}; give a fraction above 0, at most 1"
        raise UsageError(msg)
    if sp.issparse(values):
        n_top = _n_top(sets.n_columns, top_fraction)
        kind = Contribution.AREA_FROM_TOP
        sums = sum_sparse_contributions(values.tocsr(), sets, kind, limit=float(n_top), threads=threads)
        return covered(_aucell(sums, sets, n_top), sets, min_coverage=min_coverage)
    scorer = partial(aucell_of_ranks, top_fraction=top_fraction)
    return score_ranked(values, sets, [scorer], min_coverage=min_coverage, threads=threads)[0]


def aucell_of_ranks(
    ranks: MemberRanks, sets: SetIndex, *, top_fraction: float = DEFAULT_TOP_FRACTION
) -> FloatArray:
    """Scores of ranked samples: shape (n_samples, n_sets)."""
    n_top = _n_top(ranks.n_columns, top_fraction)
    sums = sum_contributions(ranks, sets, Contribution.AREA_FROM_TOP, limit=float(n_top))
    return _aucell(sums, sets, n_top)


def _n_top(n_columns: int, top_fraction: float) -> int:
    """Genes looked at."""
    return min(max(math.ceil(top_fraction * n_columns), 2), max(n_columns, 2))


def _aucell(sums: FloatArray, sets: SetIndex, n_top: int) -> FloatArray:
    """Divide areas by the greatest that a set of its size can have."""
    n_steps = np.minimum(sets.n_members, n_top - 1)
    greatest = n_steps * float(n_top) - n_steps * (n_steps + 1) / 2
    with np.errstate(invalid="ignore"):
        areas: FloatArray = sums / greatest
    return areas


METHOD = Method(
    name=MethodName.AUCELL,
    scope=Scope.SAMPLE,
    value_range=(0.0, 1.0),
    needs=Needs.GENE_ORDER,
    doi="10.1038/nmeth.4463",
    description="area under the recovery curve among the highest 5 % of genes, for single cells",
    score=score_aucell,
    of_ranks=aucell_of_ranks,
)
