"""Contributions from the top of sparse samples: only what is not zero is ordered."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from escape_score.errors import MatrixInvalidError
from escape_score.model.cohort import FloatArray
from escape_score.score.kernels.jit import inner, kernel
from escape_score.score.kernels.radix import N_DIGITS_32, N_DIGITS_64, RADIX, Bits, radix_order
from escape_score.score.kernels.ranks import Contribution, contribution_of
from escape_score.score.kernels.values import ColumnArray, IntArray, SetIndex, map_blocks

CELLS_PER_BLOCK = 2048
MAX_DISTINCT = 400
"""Cells with more distinct values are sorted; counts, and counts scaled by cell, have fewer."""
_TABLE_SIZE = 1024
ZERO_SLOT = _TABLE_SIZE
"""Slot of stored zeros, which add nothing beyond what a zero adds."""
_HASH = 0x9E3779B97F4A7C15
"""2^64 / golden ratio: Knuth, The Art of Computer Programming 3, §6.4."""
_HASH_SHIFT = 54
_SORTED_IN_A_ROW = 15
"""After a cell of too many distinct values, so many are sorted before counting is tried again."""
_OTHER_TYPES = (
    "int32[1], int64[1], int64, int64, boolean[1], int64[1], int32[1], int64[1], int64, int64, float64"
)


def sum_sparse_contributions(
    values: sp.csr_array | sp.csr_matrix, sets: SetIndex, kind: Contribution, *, limit: float, threads: int
) -> FloatArray:
    """Sum contributions over each set, shape (n_samples, n_sets), without making the matrix dense.

    Parameters
    ----------
    values
        Shape (n_samples, n_genes), ≥ 0, no column twice in a row. Zeros, stored or not, are equal values.

    Raises
    ------
    MatrixInvalidError
        A value is negative or NaN.
    """
    if values.nnz and not values.data.min() >= 0:
        msg = "matrix: a value is negative or missing; a sparse matrix must hold counts or scaled counts"
        raise MatrixInvalidError(msg)
    if not values.has_canonical_format:
        values = values.copy()
        values.sum_duplicates()
    indptr, indices = values.indptr.astype(np.int64), values.indices.astype(np.int32, copy=False)
    data = np.ascontiguousarray(values.data)
    bits: Bits = data.view(np.uint32) if data.dtype == np.float32 else data.view(np.uint64)
    n_digits = N_DIGITS_32 if data.dtype == np.float32 else N_DIGITS_64
    laid = sets.member_of_column >= 0, *sets.by_column, sets.n_members

    def one_block(start: int, stop: int) -> FloatArray:
        return _sum_rows(bits, indices, indptr, start, stop, *laid, n_digits, int(kind), limit)

    blocks = map_blocks(one_block, values.shape[0], threads=threads, block_size=CELLS_PER_BLOCK)
    return np.concatenate([np.empty((0, sets.n_sets)), *blocks])


@inner
def _slot_of(value: np.uint64, table: npt.NDArray[np.uint64]) -> int:
    """Slot of a value in the hash table, or the free one where it would go; 0 marks a free slot."""
    slot = np.int64((value * np.uint64(_HASH)) >> np.uint64(_HASH_SHIFT))
    while table[slot] != np.uint64(0) and table[slot] != value:
        slot = (slot + 1) & (_TABLE_SIZE - 1)
    return int(slot)


@inner
def _count_distinct(
    cell: Bits,
    sign: np.uint64,
    table: npt.NDArray[np.uint64],
    counts: ColumnArray,
    slots: ColumnArray,
    slot_of_entry: ColumnArray,
) -> int:
    """Enter the values of a cell into the table, zeros left out; −1, and an empty table, if too many."""
    n_distinct = 0
    for i in range(cell.size):
        value = np.uint64(cell[i]) & (sign - np.uint64(1))
        if value == np.uint64(0):
            slot_of_entry[i] = ZERO_SLOT
            continue
        slot = _slot_of(value, table)
        if table[slot] == np.uint64(0):
            if n_distinct == MAX_DISTINCT:
                table[:] = np.uint64(0)
                return -1
            table[slot] = value
            counts[0, slot] = counts[1, slot] = 0
            slots[n_distinct] = slot
            n_distinct += 1
        # by turns, for values that follow their like would wait for the count before
        counts[i & 1, slot] += 1
        slot_of_entry[i] = slot
    return n_distinct


@inner
def _by_counting(
    n_columns: int,
    table: npt.NDArray[np.uint64],
    counts: ColumnArray,
    slots: ColumnArray,
    added: FloatArray,
    kind: int,
    limit: float,
) -> float:
    """What a zero adds; ``added``: what a value adds beyond that, by its slot. Empties the table."""
    distinct = np.empty(slots.size, dtype=np.uint64)
    first = n_columns
    for i in range(slots.size):
        distinct[i] = table[slots[i]]
        first -= counts[0, slots[i]] + counts[1, slots[i]]
    zero = contribution_of(0, first, n_columns, kind, limit) if first else 0.0
    distinct.sort()
    for i in range(slots.size):
        slot = _slot_of(distinct[i], table)
        stop = first + counts[0, slot] + counts[1, slot]
        added[slot] = contribution_of(first, stop, n_columns, kind, limit) - zero
        first = stop
    for i in range(slots.size):
        table[slots[i]] = np.uint64(0)
    return zero


@inner
def _by_sorting(
    n_columns: int,
    cell: Bits,
    sign: np.uint64,
    entries: ColumnArray,
    keys: Bits,
    order: ColumnArray,
    digits: ColumnArray,
    extra: FloatArray,
    kind: int,
    limit: float,
) -> float:
    """The same through the sorted entries, for cells of many distinct values."""
    side = radix_order(cell, entries, keys, order, digits)
    n_entries = cell.size
    start, offset = 0, n_columns - n_entries
    while start < n_entries and np.uint64(keys[side, start]) == sign:
        extra[order[side, start]] = 0.0
        start += 1
    zero = contribution_of(0, offset + start, n_columns, kind, limit) if offset + start else 0.0
    while start < n_entries:
        stop = start + 1
        while stop < n_entries and keys[side, stop] == keys[side, start]:
            stop += 1
        more = contribution_of(offset + start, offset + stop, n_columns, kind, limit) - zero
        for place in range(start, stop):
            extra[order[side, place]] = more
        start = stop
    return zero


@inner
def _collect(
    total: FloatArray,
    zero: float,
    more: FloatArray,
    more_of_entry: ColumnArray,
    columns: ColumnArray,
    is_member: npt.NDArray[np.bool_],
    set_indptr: IntArray,
    set_of: ColumnArray,
    n_members: IntArray,
    hits: ColumnArray,
) -> None:
    """Add up one cell: ``more[more_of_entry]`` is what each entry adds beyond a zero."""
    for s in range(n_members.size):
        total[s] = zero * n_members[s]
    n_hits = 0
    for i in range(columns.size):
        # Most genes are in no set, and no processor foresees which: entries are sieved without a branch.
        hits[n_hits] = i
        n_hits += is_member[columns[i]]
    for i in hits[:n_hits]:
        for j in range(set_indptr[columns[i]], set_indptr[columns[i] + 1]):
            total[set_of[j]] += more[more_of_entry[i]]


@kernel(f"uint32[1], {_OTHER_TYPES}", f"uint64[1], {_OTHER_TYPES}")
def _sum_rows(
    bits: Bits,
    indices: ColumnArray,
    indptr: IntArray,
    start: int,
    stop: int,
    is_member: npt.NDArray[np.bool_],
    set_indptr: IntArray,
    set_of: ColumnArray,
    n_members: IntArray,
    n_digits: int,
    kind: int,
    limit: float,
) -> FloatArray:
    """Sums of rows ``start`` to ``stop``: of zeros for all members, then what others add beyond them."""
    n_columns, longest, n_to_sort = set_indptr.size - 1, 1, 0
    for row in range(start, stop):
        longest = max(longest, indptr[row + 1] - indptr[row])
    keys = np.empty((2, longest), dtype=bits.dtype)
    order = np.empty((2, longest), dtype=np.int32)
    digits = np.empty((n_digits, RADIX), dtype=np.int32)
    numbers, hits = np.arange(longest).astype(np.int32), np.empty(longest + 1, dtype=np.int32)
    table, counts = np.zeros(_TABLE_SIZE, dtype=np.uint64), np.zeros((2, _TABLE_SIZE), dtype=np.int32)
    slots, slot_of_entry = np.empty(MAX_DISTINCT, dtype=np.int32), np.empty(longest, dtype=np.int32)
    added, extra = np.zeros(_TABLE_SIZE + 1), np.zeros(longest)
    sign = np.uint64(1 << 31) if n_digits == N_DIGITS_32 else np.uint64(1 << 63)
    sums = np.zeros((stop - start, n_members.size))
    for row in range(start, stop):
        here, end = indptr[row], indptr[row + 1]
        cell = bits[here:end]
        n_distinct, n_to_sort = -1, n_to_sort - 1
        if n_to_sort < 0:
            n_distinct = _count_distinct(cell, sign, table, counts, slots, slot_of_entry)
            n_to_sort = 0 if n_distinct >= 0 else _SORTED_IN_A_ROW
        if n_distinct >= 0:
            zero = _by_counting(n_columns, table, counts, slots[:n_distinct], added, kind, limit)
            more, more_of_entry = added, slot_of_entry
        else:
            zero = _by_sorting(n_columns, cell, sign, numbers, keys, order, digits, extra, kind, limit)
            more, more_of_entry = extra, numbers
        columns = indices[here:end]
        total = sums[row - start]
        _collect(total, zero, more, more_of_entry, columns, is_member, set_indptr, set_of, n_members, hits)
    return sums
