"""Sums of cells by group, and the genes that quantities need, in one pass over the counts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from escape_score.model.cohort import FloatArray
from escape_score.score.kernels.jit import kernel

Positions = npt.NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Aggregate:
    """What is kept of many cells.

    Parameters
    ----------
    sums
        Shape (n_groups, n_genes), float64: counts of each gene over the cells of a group. Counts are whole
        numbers, so a sum does not depend on the order of cells.
    selected
        Shape (n_cells, n_wanted), CSR, float32: counts of the wanted genes.
    n_umi
        Shape (n_cells,): counts of a cell over all genes.
    """

    sums: FloatArray = field(repr=False)
    selected: sp.csr_array = field(repr=False)
    n_umi: FloatArray = field(repr=False)


def aggregate_cells(
    blocks: Iterable[tuple[sp.csr_array, Positions]], *, n_groups: int, n_genes: int, wanted: Sequence[int]
) -> Aggregate:
    """Sum cells by group, and keep the counts of some genes.

    Parameters
    ----------
    blocks
        Pairs of counts, CSR of shape (n_cells of the block, n_genes), and the group of each cell.
    wanted
        Columns that are kept, in the order of the result.

    Returns
    -------
    Aggregate
        The same numbers however the cells are divided into blocks.
    """
    place_of = np.full(n_genes, -1, dtype=np.int32)
    place_of[np.asarray(wanted, dtype=np.intp)] = np.arange(len(wanted), dtype=np.int32)
    sums, selected, totals = np.zeros((n_groups, n_genes)), list[sp.csr_array](), list[FloatArray]()
    for counts, groups in blocks:
        data = np.ascontiguousarray(counts.data, dtype=np.float32)
        indices = np.ascontiguousarray(counts.indices, dtype=np.int32)
        indptr = np.ascontiguousarray(counts.indptr, dtype=np.int64)
        group_of = np.ascontiguousarray(groups, dtype=np.int32)
        added, kept, columns, starts, total = _sum_and_select(
            data, indices, indptr, group_of, place_of, n_groups
        )
        sums += added
        shape = (counts.shape[0], len(wanted))
        selected.append(sp.csr_array((kept, columns, starts), shape=shape))
        totals.append(total)
    empty = sp.csr_array((0, len(wanted)), dtype=np.float32)
    rows = sp.csr_array(sp.vstack([empty, *selected], format="csr"))
    rows.sort_indices()
    return Aggregate(sums, rows, np.concatenate([np.zeros(0), *totals]))


@kernel("float32[1], int32[1], int64[1], int32[1], int32[1], int64")
def _sum_and_select(  # noqa: PLR0917
    data: npt.NDArray[np.float32],
    indices: Positions,
    indptr: npt.NDArray[np.int64],
    groups: Positions,
    place_of: Positions,
    n_groups: int,
) -> tuple[FloatArray, npt.NDArray[np.float32], Positions, npt.NDArray[np.int64], FloatArray]:
    """Sums, kept counts with their columns and row starts, and totals of a block."""
    n_cells, n_kept = groups.size, 0
    for i in range(indptr[0], indptr[n_cells]):
        n_kept += place_of[indices[i]] >= 0
    sums, totals = np.zeros((n_groups, place_of.size)), np.zeros(n_cells)
    # one entry more than is kept, because each count is written first and the place moves on only if wanted
    kept, columns = np.empty(n_kept + 1, dtype=np.float32), np.empty(n_kept + 1, dtype=np.int32)
    starts = np.zeros(n_cells + 1, dtype=np.int64)
    at = 0
    for cell in range(n_cells):
        of_group, total = sums[groups[cell]], 0.0
        for i in range(indptr[cell], indptr[cell + 1]):
            column = indices[i]
            of_group[column] += data[i]
            total += data[i]
            kept[at], columns[at] = data[i], place_of[column]
            at += place_of[column] >= 0
        starts[cell + 1], totals[cell] = at, total
    return sums, kept[:n_kept], columns[:n_kept], starts, totals
