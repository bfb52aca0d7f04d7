"""Ranks of the genes that are in any set, sums of them over sets, and scores of methods from one ranking."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from escape_score.errors import MatrixInvalidError
from escape_score.model.cohort import FloatArray
from escape_score.model.method_choice import DEFAULT_MIN_COVERAGE, Ties
from escape_score.score.kernels.jit import inner, kernel
from escape_score.score.kernels.radix import N_DIGITS_32, N_DIGITS_64, RADIX, Bits, radix_order
from escape_score.score.kernels.values import (
    ColumnArray,
    DenseValues,
    IntArray,
    MethodScores,
    SetIndex,
    Values,
    checked_values,
    covered,
    dense_block,
    map_blocks,
)

RankScorer = Callable[..., FloatArray]
"""From the ranks of a block and sets, with options of its own, to scores of shape (n_samples, n_sets)."""
NAN_ROW = -1
TIES_MID, TIES_GSEAPY, TIES_GSVA = 0, 1, 2
CODE_OF_TIES = {Ties.MID: TIES_MID, Ties.GSEAPY: TIES_GSEAPY, Ties.GSVA: TIES_GSVA}


@dataclass(frozen=True)
class MemberRanks:
    """Places of the members of sets in the ascending order of each sample.

    Attributes
    ----------
    first, stop
        Shape (n_samples, n_members + 1): a value and its equals have the 0-based positions ``first`` to
        ``stop`` − 1, so that its mean rank is (first + stop + 1) / 2. The last column is of no member: there
        the walk writes for all other genes, rather than ask of each whether it is one.
    position
        Shape (n_samples, n_members + 1): its own position where equal values keep the order of columns; of
        shape (0, 0) where it was not asked for.
    n_columns
        Genes ranked.
    """

    first: ColumnArray = field(repr=False)
    stop: ColumnArray = field(repr=False)
    position: ColumnArray = field(repr=False)
    n_columns: int


def rank_members(block: DenseValues, sets: SetIndex, *, has_positions: bool = False) -> MemberRanks:
    """Rank every sample of a block once, for all rank methods.

    Parameters
    ----------
    block
        Shape (n_samples, n_genes), C order, no NaN. float32 is sorted by its 32 bits; float64 by its 64 bits,
        unless every value of the block is one that float32 holds too.

    Raises
    ------
    MatrixInvalidError
        A value is NaN.
    """
    bits, n_digits = sortable_bits(block)
    first, stop, position = _rank_members(bits, n_digits, sets.labels, len(sets.members) + 1, has_positions)
    if first.size and (first[:, 0] == NAN_ROW).any():
        msg = "matrix: a value is missing; leave out genes that are not measured in every sample"
        raise MatrixInvalidError(msg)
    return MemberRanks(first, stop, position, block.shape[1])


def sortable_bits(block: DenseValues) -> tuple[Bits, int]:
    """The bits to sort by, and how many digits they have; no two different values become equal."""
    narrow = _narrowed(block)
    if narrow is not None:
        return narrow.view(np.uint32), N_DIGITS_32
    return block.view(np.uint64), N_DIGITS_64


def _narrowed(block: DenseValues) -> npt.NDArray[np.float32] | None:
    """The block in float32 where that loses nothing; the first row mostly shows that it would."""
    if block.dtype == np.float32:
        return block.astype(np.float32, copy=False)
    with np.errstate(over="ignore"):
        if not np.array_equal(block[:1].astype(np.float32), block[:1]):
            return None
        narrow = block.astype(np.float32)
    return narrow if np.array_equal(narrow, block) else None


@inner
def mark_runs(keys: Bits, order: ColumnArray, first: ColumnArray, stop: ColumnArray) -> None:
    """Walk the sorted keys of one sample and note, by label, where the run of equal keys lies."""
    n = keys.size
    start = 0
    while start < n:
        end = start + 1
        while end < n and keys[end] == keys[start]:
            end += 1
        for place in range(start, end):
            first[order[place]] = start
            stop[order[place]] = end
        start = end


@inner
def mark_positions(order: ColumnArray, position: ColumnArray) -> None:
    """Note, by label, the position in the order of one sample."""
    for place in range(order.size):
        position[order[place]] = place


@kernel("uint32[2], int64, int32[1], int64, boolean", "uint64[2], int64, int32[1], int64, boolean")
def _rank_members(
    bits: Bits, n_digits: int, labels: ColumnArray, n_labels: int, has_positions: bool
) -> tuple[ColumnArray, ColumnArray, ColumnArray]:
    """First, stop and position of labels in every row; −1 all over a row with NaN."""
    n_rows, n_columns = bits.shape
    keys = np.empty((2, n_columns), dtype=bits.dtype)
    order = np.empty((2, n_columns), dtype=np.int32)
    counts = np.empty((n_digits, RADIX), dtype=np.int32)
    first = np.empty((n_rows, n_labels), dtype=np.int32)
    stop = np.empty((n_rows, n_labels), dtype=np.int32)
    position = np.empty((n_rows if has_positions else 0, n_labels if has_positions else 0), dtype=np.int32)
    for row in range(n_rows):
        side = radix_order(bits[row], labels, keys, order, counts)
        if side < 0:
            first[row] = NAN_ROW
            continue
        mark_runs(keys[side], order[side], first[row], stop[row])
        if has_positions:
            mark_positions(order[side], position[row])
    return first, stop, position


class Contribution(IntEnum):
    """What a gene adds that has, with its equals, the positions ``first`` to ``stop`` − 1."""

    MEAN_RANK = 0
    """Its mean rank, from 1 for the lowest value."""
    LEAST_RANK = 1
    """The least rank of its equals, from 1 for the lowest value."""
    CAPPED_RANK_FROM_TOP = 2
    """Its mean rank from 1 for the highest value, at most ``limit``."""
    AREA_FROM_TOP = 3
    """``limit`` minus its rank from 1 for the highest value, at least 0; mean over all orders of equals."""


@inner
def contribution_of(first: int, stop: int, n_columns: int, kind: int, limit: float) -> float:
    """What one gene adds, by :class:`Contribution`."""
    if kind == Contribution.MEAN_RANK:
        return 0.5 * (first + stop + 1)
    if kind == Contribution.LEAST_RANK:
        return first + 1.0
    if kind == Contribution.CAPPED_RANK_FROM_TOP:
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
    laid = sets.indptr, sets.local
    return _sum_contributions(ranks.first, ranks.stop, *laid, ranks.n_columns, int(kind), limit)


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


def score_ranked(
    values: Values,
    sets: SetIndex,
    scorers: Sequence[RankScorer],
    *,
    min_coverage: float = DEFAULT_MIN_COVERAGE,
    threads: int = 1,
    has_positions: bool = False,
) -> list[MethodScores]:
    """Rank each sample once and score it by every scorer.

    Parameters
    ----------
    values
        Shape (n_samples, n_genes), float32 or float64, dense or CSR (made dense a block at a time), no NaN.
    scorers
        Such as :func:`escape_score.score.methods.singscore.singscore_of_ranks`.
    has_positions
        Whether a scorer needs ``MemberRanks.position``.

    Returns
    -------
    list of MethodScores
        One for each scorer.

    Raises
    ------
    MatrixInvalidError
        A value is NaN, or the matrix is not the one the sets were laid over.
    """
    checked_values(values, sets)

    def one_block(start: int, stop: int) -> list[FloatArray]:
        ranks = rank_members(dense_block(values, start, stop), sets, has_positions=has_positions)
        return [scorer(ranks, sets) for scorer in scorers]

    blocks = map_blocks(one_block, values.shape[0], threads=threads)
    empty = np.empty((0, sets.n_sets))
    return [
        covered(np.concatenate([empty, *(block[i] for block in blocks)]), sets, min_coverage=min_coverage)
        for i in range(len(scorers))
    ]
