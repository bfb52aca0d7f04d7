"""UCell: Mann-Whitney U of a set among the highest genes of a cell or sample."""

from __future__ import annotations

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

DEFAULT_MAX_RANK = 1500


def score_ucell(
    values: Values,
    sets: SetIndex,
    *,
    max_rank: int = DEFAULT_MAX_RANK,
    min_coverage: float = DEFAULT_MIN_COVERAGE,
    threads: int = 1,
) -> MethodScores:
    """Score sets by UCell.

    Parameters
    ----------
    values
        Shape (n_samples, n_genes); only the order of genes within a sample is used. CSR is never made dense;
        it must then be ≥ 0.
    max_rank
        Ranks from the top beyond this one count as this one.
    min_coverage, threads
        As in :attr:`Method.score`; genes that are no columns count as at ``max_rank``.

    Returns
    -------
    MethodScores
        Unitless, 0 (all of its genes at ``max_rank`` or beyond) to 1 (they are the highest).

    Raises
    ------
    MatrixInvalidError
        A value is NaN, negative in a sparse matrix, or the matrix is not the one the sets were laid over.
    UsageError
        ``max_rank`` is below 2.

    Notes
    -----
    With descending ranks r (equal values share their mean rank) of the k genes of a set:
    1 − (sum(min(r, max_rank)) − k (k + 1) / 2) / (k max_rank − k (k + 1) / 2) (Andreatta & Carmona 2021,
    Comput Struct Biotechnol J 19:3796–3798). For fewer than 2 ``max_rank`` genes, zeros can have a mean rank
    below ``max_rank``: it is used, as in UCell for R, while pyucell puts every zero at ``max_rank``. A set of
    more than 2 ``max_rank`` − 2 genes has no score.
    """
    checked_values(values, sets)
    if max_rank < 2:  # noqa: PLR2004
        msg = f"max_rank is {max_rank}; give at least 2"
        raise UsageError(msg)
    if sp.issparse(values):
        kind = Contribution.CAPPED_RANK_FROM_TOP
        sums = sum_sparse_contributions(values.tocsr(), sets, kind, limit=float(max_rank), threads=threads)
        return covered(_ucell(sums, sets, max_rank), sets, min_coverage=min_coverage)
    scorer = partial(ucell_of_ranks, max_rank=max_rank)
    return score_ranked(values, sets, [scorer], min_coverage=min_coverage, threads=threads)[0]


def ucell_of_ranks(ranks: MemberRanks, sets: SetIndex, *, max_rank: int = DEFAULT_MAX_RANK) -> FloatArray:
    """Scores of ranked samples: shape (n_samples, n_sets), NaN for sets that are too large."""
    sums = sum_contributions(ranks, sets, Contribution.CAPPED_RANK_FROM_TOP, limit=float(max_rank))
    return _ucell(sums, sets, max_rank)


def _ucell(sums: FloatArray, sets: SetIndex, max_rank: int) -> FloatArray:
    """From the sums of capped ranks of measured genes to scores."""
    missing = (sets.n_genes - sets.n_members) * float(max_rank)
    least = sets.n_genes * (sets.n_genes + 1) / 2
    span = sets.n_genes * float(max_rank) - least
    with np.errstate(invalid="ignore", divide="ignore"):
        scores = 1.0 - (sums + missing - least) / span
    scores[:, (span <= 0) | (sets.n_members == 0)] = np.nan
    return scores


METHOD = Method(
    name=MethodName.UCELL,
    scope=Scope.SAMPLE,
    value_range=(0.0, 1.0),
    needs=Needs.GENE_ORDER,
    doi="10.1016/j.csbj.2021.06.043",
    description="Mann-Whitney U among the highest 1,500 genes, for single cells",
    score=score_ucell,
    of_ranks=ucell_of_ranks,
)
