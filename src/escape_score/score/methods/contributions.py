"""Sums over the members of sets of what each member's run of equal values contributes."""

from __future__ import annotations

from enum import IntEnum

import numpy as np

from escape_score.model.cohort import FloatArray
from escape_score.score.methods.jit import inner, kernel
from escape_score.score.methods.model import ColumnArray, IntArray, SetIndex
from escape_score.score.methods.ranks import MemberRanks


class Contribution(IntEnum):
    """What a gene adds that stands, with its equals, at positions ``first`` to ``stop`` − 1."""

    MEAN_RANK = 0
    """Its mean rank, from 1 for the lowest value."""
    LEAST_RANK = 1
    """The least rank of its equals, from 1 for the lowest value."""
    CAPPED_RANK_FROM_TOP = 2
    """Its mean rank from 1 for the highest value, at most ``limit``."""
    AREA_FROM_TOP = 3
    """``limit`` minus its rank from 1 for the highest value, at least 0; mean over all orders of equals."""


_MEAN_RANK = int(Contribution.MEAN_RANK)
_LEAST_RANK = int(Contribution.LEAST_RANK)
_CAPPED_RANK_FROM_TOP = int(Contribution.CAPPED_RANK_FROM_TOP)


@inner
def contribution_of(first: int, stop: int, n_columns: int, kind: int, limit: float) -> float:
    """What one gene adds, by :class:`Contribution`."""
    if kind == _MEAN_RANK:
        return 0.5 * (first + stop + 1)
    if kind == _LEAST_RANK:
        return first + 1.0
    if kind == _CAPPED_RANK_FROM_TOP:
        return min(n_columns - 0.5 * (first + stop - 1), limit)
    above = n_columns - stop
    n_counted = min(float(n_columns - first), limit) - above
    if n_counted <= 0.0:
        return 0.0
    return n_counted * (limit - above - 0.5 * (n_counted + 1.0)) / (stop - first)


def sum_contributions(
    ranks: MemberRanks, sets: SetIndex, kind: Contribution, *, limit: float = 0.0
) -> FloatArray:
    """Sum contributions over the members of each set: shape (n_samples, n_sets)."""
    sums: FloatArray = _sum_contributions(
        ranks.first, ranks.stop, sets.indptr, sets.local, ranks.n_columns, int(kind), limit
    )
    return sums


@kernel("int32[2], int32[2], int64[1], int32[1], int64, int64, float64")
def _sum_contributions(
    first: ColumnArray,
    stop: ColumnArray,
    indptr: IntArray,
    local: ColumnArray,
    n_columns: int,
    kind: int,
    limit: float,
) -> FloatArray:
    """Sum over compressed rows, set by set."""
    n_rows, n_sets = first.shape[0], indptr.size - 1
    sums = np.zeros((n_rows, n_sets))
    for row in range(n_rows):
        for s in range(n_sets):
            total = 0.0
            for i in range(indptr[s], indptr[s + 1]):
                member = local[i]
                total += contribution_of(first[row, member], stop[row, member], n_columns, kind, limit)
            sums[row, s] = total
    return sums
