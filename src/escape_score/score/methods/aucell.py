"""AUCell: area under the recovery curve of a set among the highest genes of a cell or sample."""

from __future__ import annotations

import math

import numpy as np
import scipy.sparse as sp

from escape_score.errors import UsageError
from escape_score.model.cohort import FloatArray
from escape_score.model.method_choice import DEFAULT_MIN_COVERAGE
from escape_score.score.methods.contributions import Contribution, sum_contributions
from escape_score.score.methods.model import MethodScores, SetIndex, Values, checked_values, covered
from escape_score.score.methods.ranked import score_ranked
from escape_score.score.methods.ranks import MemberRanks
from escape_score.score.methods.sparse_ranks import sum_sparse_contributions

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
    min_coverage
        Least fraction, in (0, 1], of a set's genes that must be columns.
    threads
        Samples are shared out over this many threads.

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
    sum(max(t − r, 0)) / sum_{j = 1..min(k, t − 1)}(t − j), after [1]_. Other programs order equal values at
    random; here each counts with its mean over all their orders, so that nothing is random.

    References
    ----------
    .. [1] Aibar et al. 2017, Nature Methods 14:1083–1086, doi:10.1038/nmeth.4463
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

    def scorer(ranks: MemberRanks, sets: SetIndex) -> FloatArray:
        return aucell_of_ranks(ranks, sets, top_fraction=top_fraction)

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
