"""Cells of a file sorted by sample into one temporary file, in one pass, so that samples are read alone."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from escape_score.errors import MatrixInvalidError, OutputUnwritableError
from escape_score.read.cells.matrices import CellMatrix
from escape_score.read.cells.values import BlockReader, kind_of_values, shape_problem
from escape_score.read.formats.reader import SparseSource
from escape_score.read.formats.turned import CompactRows, Numbers, compact, stretches

MAX_STORED = 2_000_000
"""Values that are worked on at once: some 100 MB with all copies, and few enough calls."""

MAX_DENSE = 16_000_000
"""Values of a dense matrix that are read at once, most of which are 0."""


N_CHECKED = 256
"""Cells that are looked at once rows were turned."""


class SampleCells(NamedTuple):
    """Cells of one sample: rows of the file that passed, their counts, and the gate of all its rows."""

    rows: npt.NDArray[np.intp]
    counts: sp.csr_array
    gate_of: npt.NDArray[np.int8]


def cell_stretches(matrix: CellMatrix, start: int, stop: int) -> Iterator[tuple[int, int]]:
    """Blocks of cells between two of them, of about the same work."""
    if matrix.n_stored is not None:
        ends = np.concatenate([[0], np.cumsum(matrix.n_stored[start:stop])])
        yield from ((start + first, start + last) for first, last in stretches(ends, MAX_STORED))
        return
    step = max(MAX_DENSE // max(len(matrix.feature_names), 1), 1)
    yield from ((first, min(first + step, stop)) for first in range(start, stop, step))


class Rows(NamedTuple):
    """Stored values of some cells, and how many each cell has."""

    values: Numbers
    columns: Numbers
    sizes: Numbers

    @classmethod
    def of(cls, counts: sp.csr_array) -> Rows:
        """Those of a matrix."""
        return cls(counts.data, counts.indices, np.diff(counts.indptr))


def joined(parts: Sequence[Rows], n_genes: int, *, is_estimated: bool) -> sp.csr_array:
    """Cells of several blocks as one matrix, in order: int32, or float64 where counts are estimated."""
    kinds = (np.float64 if is_estimated else np.int32, np.int32, np.int64)
    values, columns, sizes = (
        _concatenated([part[at] for part in parts], kind) for at, kind in enumerate(kinds)
    )
    starts = np.concatenate([[0], np.cumsum(sizes)])
    starts = starts.astype(np.int32) if starts[-1] < 2**31 else starts
    return sp.csr_array((values, columns, starts), shape=(len(sizes), n_genes))


def _concatenated(parts: Sequence[Numbers], kind: type[np.generic]) -> Numbers:
    """Arrays in one of another type, without a copy of all in their own."""
    found, at = np.empty(sum(map(len, parts)), dtype=kind), 0
    for part in parts:
        found[at : at + len(part)] = part
        at += len(part)
    return found


class _Part(NamedTuple):
    """Cells of one block in the file, sorted by sample."""

    at_columns: int
    at_values: int
    kind: np.dtype[Any]
    samples: npt.NDArray[np.int32]
    rows: npt.NDArray[np.intp]
    starts: npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Spilled:
    """A temporary file of all cells that passed.

    Parameters
    ----------
    parts
        Blocks in the order of the file.
    gate_of
        Shape (n_cells,): the gate of each row of the file.
    """

    path: Path
    parts: tuple[_Part, ...] = field(repr=False)
    column_kind: np.dtype[Any]
    n_genes: int
    is_estimated: bool
    gate_of: npt.NDArray[np.int8] = field(repr=False)

    def load(self, sample: int, sample_of: npt.NDArray[np.int32]) -> SampleCells:
        """Cells of one sample, in the order of the file it was made from."""
        rows, found = [np.empty(0, dtype=np.intp)], []
        with self.path.open("rb", buffering=0) as file:
            for part in self.parts:
                first, last = np.searchsorted(part.samples, [sample, sample + 1]).tolist()
                if first < last:
                    begin, end = part.starts[first : last + 1 : last - first].tolist()
                    columns = _read(file, part.at_columns, self.column_kind, begin, end)
                    values = _read(file, part.at_values, part.kind, begin, end)
                    found.append(Rows(values, columns, np.diff(part.starts[first : last + 1])))
                    rows.append(part.rows[first:last])
        counts = joined(found, self.n_genes, is_estimated=self.is_estimated)
        return SampleCells(np.concatenate(rows), counts, self.gate_of[sample_of == sample])


def _read(file: io.FileIO, at: int, kind: np.dtype[Any], begin: int, end: int) -> Numbers:
    file.seek(at + begin * kind.itemsize)
    return np.fromfile(file, dtype=kind, count=end - begin)


def checked_source(matrix: CellMatrix) -> SparseSource:
    """Open the values; raises MatrixInvalidError: rows that were turned just now are no counts of cells."""
    source = matrix.open_source()
    if isinstance(source, CompactRows):
        problem, remedy = shape_problem(np.diff(source.starts))
        if not problem:
            head = source.sparse_block(0, min(len(matrix.cell_ids), N_CHECKED))
            problem, remedy = kind_of_values(head).problem, matrix.remedy
        if problem:
            raise MatrixInvalidError.at(matrix.label, f"{problem}; {remedy}")
    return source


def spill(matrix: CellMatrix, reader: BlockReader, sample_of: npt.NDArray[np.int32], path: Path) -> Spilled:
    """Read all cells once, and write those that pass sorted by sample within each block.

    Raises OutputUnwritableError: the disk is full, or the folder cannot be written. MatrixInvalidError: a
    value is not a count.
    """
    source, n_genes, n_cells = checked_source(matrix), len(reader.genes.symbols), len(sample_of)
    kind = np.dtype(np.min_scalar_type(max(n_genes - 1, 0)))
    gate_of, parts, position = np.zeros(n_cells, dtype=np.int8), [], 0
    try:
        # one thread reads the next block and writes the last one while this one is worked on
        with path.open("wb", buffering=0) as file, ThreadPoolExecutor(1, "cells") as disk:
            writing = disk.submit(file.write, b"")
            for start, stop, block in blocks_ahead(source, list(cell_stretches(matrix, 0, n_cells)), disk):
                gathered = reader.gather(block, matrix.cell_ids[start:stop])
                gate_of[start:stop] = gathered.gate_of
                rows = gathered.kept + start
                order = np.argsort(sample_of[rows], kind="stable")
                is_sorted = np.array_equal(order, np.arange(len(order)))
                counts = gathered.counts if is_sorted else gathered.counts[order]
                columns, values = counts.indices.astype(kind), compact(counts.data)
                starts, at_values = counts.indptr.astype(np.int64), position + columns.nbytes
                own = sample_of[rows[order]]
                parts.append(_Part(position, at_values, values.dtype, own, rows[order], starts))
                position = at_values + values.nbytes
                writing.result()
                writing = disk.submit(_write, file, columns, values)
            writing.result()
    except OSError as error:
        msg = f"cells cannot be sorted into a temporary file ({error.strerror}); free space, or set TMPDIR"
        raise OutputUnwritableError.at(path.parent, msg) from error
    return Spilled(path, tuple(parts), kind, n_genes, reader.is_estimated, gate_of)


def _write(file: io.FileIO, *arrays: Numbers) -> None:
    for array in arrays:
        rest = array.view(np.uint8)
        while len(rest):
            rest = rest[file.write(rest.data) :]


def blocks_ahead(
    source: SparseSource, stretches: Sequence[tuple[int, int]], disk: ThreadPoolExecutor
) -> Iterator[tuple[int, int, sp.csr_array]]:
    """Blocks of cells with their bounds, each read while the one before is worked on."""
    ahead = disk.submit(source.sparse_block, *stretches[0]) if stretches else None
    for (start, stop), following in zip(stretches, [*stretches[1:], None], strict=True):
        block = ahead.result() if ahead else source.sparse_block(start, stop)
        ahead = disk.submit(source.sparse_block, *following) if following else None
        yield start, stop, block
