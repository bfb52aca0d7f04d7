"""What every reader of a file format offers: a matrix that hands out whole samples, and its digest."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from scipy import sparse

from escape_score.errors import FileUnreadableError, MatrixInvalidError
from escape_score.model.cohort import FloatArray, MatrixSource, iter_blocks
from escape_score.model.notes import Note
from escape_score.model.units import ExpressionUnit
from escape_score.read.checks.names import check_samples
from escape_score.read.checks.single_cells import CellGlance
from escape_score.read.files.limits import ReadLimits
from escape_score.read.files.probe import Probe
from escape_score.read.request import DEFAULT_REQUEST, ReadRequest

IN_OBS = "samples belong in obs, genes in var"
"""Layout of AnnData."""

IN_COLUMNS = "samples belong in columns, genes in rows"
"""Layout of tables."""


SYMBOL_COLUMNS = (
    "gene_symbols",
    "gene_symbol",
    "gene_name",
    "gene_names",
    "feature_name",
    "symbol",
    "symbols",
)
"""Columns of var in which gene symbols are, as scanpy, Cell Ranger and CELLxGENE name them."""


def layout_advice(request: ReadRequest, rule: str = IN_COLUMNS) -> str:
    """What to do where a matrix turns out to be the other way round than it was read."""
    return "leave --transpose out" if request.transpose else f"use --transpose, or change it: {rule}"


class SparseSource(Protocol):
    """Anything that yields whole rows as they are stored: the cells of a file or of a matrix in memory."""

    @property
    def sample_ids(self) -> tuple[str, ...]:
        """Names of the rows."""

    @property
    def gene_ids(self) -> tuple[str, ...]:
        """Names of the columns, as in the file."""

    def sparse_block(self, start: int, stop: int) -> sparse.csr_array:
        """Values of rows ``start`` to ``stop``: CSR of shape (stop - start, n_genes), in the stored type."""


@dataclass(frozen=True)
class MatrixReading:
    """A matrix opened by a reader.

    Parameters
    ----------
    source
        Samples × genes.
    annotation_columns
        Names of columns that describe genes and are no samples.
    notes
        What the reader noticed about the file.
    parts
        Files the matrix was read from, where it is more than the one named.
    remedy
        What to do where the values are no expression: another matrix that the file holds; empty where it
        holds none.
    layout
        What to do where the matrix turns out to be transposed.
    unit
        Unit that the layout states; None where the numbers decide.
    gene_lengths
        Length of each row in bp by its name, where the file is a table of featureCounts.
    sheet
        Sample sheet that came with the matrix, because it lists its files.
    whole
        The matrix with the rows of another species, where such rows were left out of ``source``.
    """

    source: MatrixSource
    annotation_columns: tuple[str, ...] = ()
    notes: tuple[Note, ...] = ()
    parts: tuple[Path, ...] = ()
    remedy: str = ""
    layout: str = layout_advice(DEFAULT_REQUEST)
    unit: ExpressionUnit | None = None
    gene_lengths: Mapping[str, float] | None = field(default=None, repr=False, hash=False)
    sheet: Path | None = None
    whole: MatrixSource | None = None


@dataclass(frozen=True)
class MatrixFormat:
    """One file format.

    Parameters
    ----------
    name
        Name for messages.
    is_recognised
        Whether content is of this format; judges bytes, never a file name.
    open_matrix
        Opens a recognised file; raises an ``InputError`` that names file and place.
    count_samples
        Counts samples by header or footer alone.
    list_parts
        Lists all files that a matrix is read from.
    glance
        Looks whether the rows are cells without reading all values or checking the size; None where the
        format has no cheap way, or the file is not as it should be. May raise an ``InputError``.
    is_of_cells
        Whether ``escape-score cells`` reads it.
    """

    name: str
    is_recognised: Callable[[Probe], bool]
    open_matrix: Callable[[Path, ReadRequest], MatrixReading]
    count_samples: Callable[[Path, ReadRequest], int]
    list_parts: Callable[[Path, ReadRequest], tuple[Path, ...]] = lambda path, _: (path,)
    glance: Callable[[Path, ReadRequest], CellGlance | None] = lambda _path, _request: None
    is_of_cells: bool = False


def refuse_transpose(path: Path, request: ReadRequest, what: str) -> None:
    """Refuse ``--transpose`` for a format that itself says where genes are."""
    if request.transpose:
        msg = f"a {what} has genes and samples in fixed places by its definition; leave --transpose out"
        raise MatrixInvalidError.at(path, msg)


def turned(label: str, reading: MatrixReading, limits: ReadLimits) -> MatrixReading:
    """Turn round a matrix that was read with its rows as genes, and check what its samples are called.

    Raises MatrixInvalidError, or InputFaultsError for several: a sample's name cannot be used.
    """
    source = reading.source
    check_samples(label, source.gene_ids, limits, layout=reading.layout)
    values = np.ascontiguousarray(source.block(0, len(source.sample_ids)).T)
    return replace(reading, source=ArrayMatrix(source.gene_ids, source.sample_ids, values))


@contextmanager
def library_faults(
    path: Path,
    what: str,
    kinds: tuple[type[Exception], ...],
    *,
    by: str = "",
    remedy: str = "copy the file again",
) -> Iterator[None]:
    """Turn errors of these kinds, which a library raises on a damaged file, into our own."""
    try:
        yield
    except kinds as error:
        reason = " ".join(str(error).split())[:120] or type(error).__name__
        msg = f"damaged or truncated {what} ({by}{reason}); {remedy}"
        raise FileUnreadableError.at(path, msg) from error


@dataclass(frozen=True, eq=False)
class PiecewiseMatrix:
    """A matrix held in memory as pieces of genes in order, so that a file is never transposed as a whole.

    Parameters
    ----------
    pieces
        Each of shape (n_samples, n_genes of the piece), float64.
    """

    sample_ids: tuple[str, ...] = field(repr=False)
    gene_ids: tuple[str, ...] = field(repr=False)
    pieces: tuple[FloatArray, ...] = field(repr=False)

    def block(self, start: int, stop: int) -> FloatArray:
        """Values of samples ``start`` to ``stop``: (stop - start, n_genes), float64, NaN = not measured."""
        if not self.pieces:
            return np.empty((stop - start, 0))
        return np.concatenate([piece[start:stop] for piece in self.pieces], axis=1)


@dataclass(frozen=True, eq=False)
class ArrayMatrix:
    """Rows of an array in memory or backed by a file, dense or sparse, converted when asked for."""

    sample_ids: tuple[str, ...] = field(repr=False)
    gene_ids: tuple[str, ...] = field(repr=False)
    values: Any = field(repr=False)

    def block(self, start: int, stop: int) -> FloatArray:
        """Values of samples ``start`` to ``stop``: (stop - start, n_genes), float64, not stored = 0."""
        rows = self.values[start:stop]
        return np.asarray(rows.toarray() if hasattr(rows, "toarray") else rows, dtype=np.float64)

    def sparse_block(self, start: int, stop: int) -> sparse.csr_array:
        """Values of rows ``start`` to ``stop`` as they are stored: CSR of shape (stop - start, n_genes)."""
        return sparse.csr_array(self.values[start:stop])


def digest_of(paths: Sequence[Path]) -> str:
    """Digest the content of one regular file, or of several with their names.

    sha256 of the file in 64 hex digits; where there are several, of lines of path and sha256. Paths are
    relative to the folder that all are in, because pipelines give files of different samples one name.
    """
    if len(paths) == 1:
        with paths[0].open("rb") as handle:
            return hashlib.file_digest(handle, "sha256").hexdigest()
    whole = [path.absolute() for path in paths]  # links are not followed, because names are samples
    folder = os.path.commonpath([path.parent for path in whole])
    lines = sorted(f"{path.relative_to(folder).as_posix()}\t{digest_of([path])}\n" for path in whole)
    return hashlib.sha256("".join(lines).encode("utf-8", "surrogateescape")).hexdigest()


def matrix_digest(source: MatrixSource) -> str:
    """Digest names and values of a matrix in memory.

    sha256 in 64 hex digits, of the names (each behind its length) and of all values as little-endian
    float64; the same for dense and sparse storage.
    """
    digest = hashlib.sha256()
    for names in (source.sample_ids, source.gene_ids):
        spelt = [name.encode("utf-8", "surrogatepass") for name in names]
        digest.update(b"".join([b"%d\n" % len(spelt), *(b"%d:%s" % (len(name), name) for name in spelt)]))
    for _, block in iter_blocks(source):
        digest.update((block + 0.0).astype("<f8", order="C").tobytes())
    return digest.hexdigest()
