"""Ranks of the genes that are in any set, for blocks of samples."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from escape_score.errors import MatrixInvalidError
from escape_score.score.methods.jit import inner, kernel
from escape_score.score.methods.model import ColumnArray, DenseValues, SetIndex
from escape_score.score.methods.radix import N_DIGITS_32, N_DIGITS_64, RADIX, Bits, radix_order

NAN_ROW = -1


@dataclass(frozen=True)
class MemberRanks:
    """Where the members of sets stand in the ascending order of each sample.

    Attributes
    ----------
    first, stop
        Shape (n_samples, n_members + 1): a value equal to others stands with them at the 0-based positions
        ``first`` to ``stop`` − 1, so that its mean rank is (first + stop + 1) / 2. The last column is of no
        member: there the walk writes for all other genes, rather than ask of each whether it is one.
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
    """The block in float32 where that loses nothing; the first row mostly tells that it would."""
    if block.dtype == np.float32:
        return block.astype(np.float32, copy=False)
    with np.errstate(over="ignore"):
        if not np.array_equal(block[:1].astype(np.float32), block[:1]):
            return None
        narrow = block.astype(np.float32)
    return narrow if np.array_equal(narrow, block) else None


@inner
def mark_runs(keys: Bits, order: npt.NDArray[np.int32], first: ColumnArray, stop: ColumnArray) -> None:
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
def mark_positions(order: npt.NDArray[np.int32], position: ColumnArray) -> None:
    """Note, by label, the position in the order of one sample."""
    for place in range(order.size):
        position[order[place]] = place


@kernel(
    "uint32[2], int64, int32[1], int64, boolean",
    "uint64[2], int64, int32[1], int64, boolean",
)
def _rank_members(
    bits: Bits,
    n_digits: int,
    labels: ColumnArray,
    n_labels: int,
    has_positions: bool,
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
