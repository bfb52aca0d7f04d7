"""Matrices that a file holds by columns, or as single entries, turned to rows in memory, compactly."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import h5py
import numpy as np
import numpy.typing as npt
import pyarrow as pa
from scipy import sparse

from escape_score.errors import FileUnreadableError, MatrixInvalidError
from escape_score.read.files.limits import ReadLimits
from escape_score.read.formats.h5ad import hdf5_faults, row_starts
from escape_score.read.formats.mtx import MtxHeader, count_fault, entry_fault, iter_batches

Numbers = npt.NDArray[Any]

MAX_STORED = 4_000_000
"""Values of a file that are turned at once; 4 million need some 100 MB."""


class Piece(NamedTuple):
    """Some entries of all rows, sorted by row: CSR with columns counted from ``first_column``."""

    first_column: int
    starts: npt.NDArray[np.int32]
    columns: Numbers
    values: Numbers


@dataclass(frozen=True, eq=False)
class CompactRows:
    """Rows of a matrix in the smallest types of numbers that hold them.

    Parameters
    ----------
    starts
        Shape (n_rows + 1,): where rows begin.
    columns, values
        Shape (n_stored,).
    """

    sample_ids: tuple[str, ...] = field(repr=False)
    gene_ids: tuple[str, ...] = field(repr=False)
    starts: npt.NDArray[np.int64] = field(repr=False)
    columns: Numbers = field(repr=False)
    values: Numbers = field(repr=False)

    def sparse_block(self, start: int, stop: int) -> sparse.csr_array:
        """Values of rows ``start`` to ``stop`` as CSR of shape (stop - start, n_genes)."""
        first, last = self.starts[start], self.starts[stop]
        columns = self.columns[first:last].astype(np.int32)
        starts = self.starts[start : stop + 1] - first
        return sparse.csr_array(
            (self.values[first:last], columns, starts), shape=(stop - start, len(self.gene_ids))
        )


def compact(values: Numbers) -> Numbers:
    """The same numbers in the smallest type that holds them: unsigned where whole and not negative."""
    if not len(values):
        return values.astype(np.uint8)
    low, high = values.min(), values.max()
    is_whole = values.dtype.kind in "biu" or (
        np.isfinite(low) and np.isfinite(high) and np.array_equal(np.rint(values), values)
    )
    if is_whole and low >= 0 and high < 2**32:
        return values.astype(np.min_scalar_type(int(high)))
    return values.astype(np.float32) if _fits_float32(values) else values.astype(np.float64)


def _fits_float32(values: Numbers) -> bool:
    if values.dtype == np.float32:
        return True
    with np.errstate(over="ignore"):
        return np.array_equal(values.astype(np.float32), values, equal_nan=True)


def rows_of(
    pieces: Callable[[], Iterable[Piece]], sample_ids: tuple[str, ...], gene_ids: tuple[str, ...]
) -> CompactRows:
    """Put pieces together by rows; they are gone through twice, first to count."""
    sizes, kind = np.zeros(len(sample_ids), dtype=np.int64), np.dtype(np.uint8)
    for piece in pieces():
        sizes += np.diff(piece.starts)
        kind = np.result_type(kind, piece.values.dtype)
    starts = np.concatenate([[0], np.cumsum(sizes)])
    columns = np.empty(starts[-1], dtype=np.min_scalar_type(max(len(gene_ids) - 1, 0)))
    values, free = np.empty(starts[-1], dtype=kind), starts[:-1].copy()
    for piece in pieces():
        n_own = np.diff(piece.starts)
        at = np.arange(len(piece.values)) + np.repeat(free - piece.starts[:-1], n_own)
        columns[at], values[at] = piece.columns + piece.first_column, piece.values
        free += n_own
    return CompactRows(sample_ids, gene_ids, starts, columns, values)


def turned_columns(
    path: Path, place: str, sample_ids: tuple[str, ...], gene_ids: tuple[str, ...]
) -> CompactRows:
    """Rows of a matrix that an HDF5 file holds sparse by genes (CSC).

    Raises FileUnreadableError: the file is damaged.
    """
    with hdf5_faults(path), h5py.File(path) as file:
        starts = row_starts(path, file[place])
        if len(starts) != len(gene_ids) + 1:
            msg = f"damaged HDF5 file ({place} has {len(starts) - 1} columns, not {len(gene_ids)})"
            raise FileUnreadableError.at(path, f"{msg}; copy the file again")
        return rows_of(
            lambda: _pieces_of_columns(path, file[place], starts, len(sample_ids)), sample_ids, gene_ids
        )


def _pieces_of_columns(
    path: Path, x: h5py.Group, starts: npt.NDArray[np.int64], n_rows: int
) -> Iterator[Piece]:
    for first, last in stretches(starts, MAX_STORED):
        own = slice(starts[first], starts[last])
        inside, values = x["indices"][own], x["data"][own]
        if len(inside) and (inside.min() < 0 or inside.max() >= n_rows):
            msg = f"damaged HDF5 file (a value is beyond its {n_rows} rows); copy the file again"
            raise FileUnreadableError.at(path, msg)
        block = sparse.csc_array(
            (values, inside, starts[first : last + 1] - starts[first]), shape=(n_rows, last - first)
        ).tocsr()
        yield Piece(first, block.indptr, block.indices, compact(block.data))


def turned_entries(
    path: Path,
    header: MtxHeader,
    limits: ReadLimits,
    sample_ids: tuple[str, ...],
    gene_ids: tuple[str, ...],
) -> CompactRows:
    """Rows of a Matrix Market file of features by barcodes.

    Raises MatrixInvalidError: it holds another number of entries than it says, or one outside the matrix.
    """
    try:
        pieces = list(_pieces_of_entries(path, header, limits))
    except pa.ArrowInvalid as error:
        raise entry_fault(path, header, limits) from error
    n_found = sum(len(piece.values) for piece in pieces)
    if n_found != header.n_entries:
        raise count_fault(path, str(n_found), header)
    return rows_of(lambda: pieces, sample_ids, gene_ids)


def first_values(path: Path, header: MtxHeader, limits: ReadLimits) -> Numbers:
    """Values of the first batch of entries; raises what :func:`turned_entries` raises for a damaged file."""
    try:
        batch = next(iter_batches(path, header, limits), None)
    except pa.ArrowInvalid as error:
        raise entry_fault(path, header, limits) from error
    return np.empty(0) if batch is None else batch[2]


def _pieces_of_entries(path: Path, header: MtxHeader, limits: ReadLimits) -> Iterator[Piece]:
    shape, n_before = (header.n_barcodes, header.n_features), 0
    smallest = np.min_scalar_type(max(header.n_features - 1, 0))
    for features, barcodes, values in iter_batches(path, header, limits):
        is_inside = (features >= 1) & (features <= shape[1]) & (barcodes >= 1) & (barcodes <= shape[0])
        if not is_inside.all():
            at = int(np.argmin(is_inside))
            msg = f"entry {n_before + at + 1} (row {features[at]:.0f}, column {barcodes[at]:.0f}) is outside "
            msg += f"the {shape[1]} rows and {shape[0]} columns; copy the file again"
            raise MatrixInvalidError.at(path, msg)
        n_before += len(values)
        at_rows, at_columns = ((one - 1).astype(np.int32) for one in (barcodes, features))
        # not by coo_array.tocsr, which adds entries of one cell up
        order = np.argsort(at_rows, kind="stable") if (np.diff(at_rows) < 0).any() else slice(None)
        starts = np.concatenate([[0], np.cumsum(np.bincount(at_rows, minlength=shape[0]))]).astype(np.int32)
        yield Piece(0, starts, at_columns[order].astype(smallest), compact(values[order]))


def stretches(starts: npt.NDArray[np.int64], max_stored: int) -> Iterator[tuple[int, int]]:
    """Neighbouring lines that hold at most ``max_stored`` values together, or one line that holds more."""
    first, n_lines = 0, len(starts) - 1
    while first < n_lines:
        last = int(np.searchsorted(starts, starts[first] + max_stored, side="right")) - 1
        last = min(max(last, first + 1), n_lines)
        yield first, last
        first = last
