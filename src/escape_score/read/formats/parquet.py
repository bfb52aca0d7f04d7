"""Parquet, and what feather shares with it: tables of Arrow, whose schema says what the columns mean.

Genes are in rows, samples in columns; columns are read only when asked for, and as a whole where samples are
in rows.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow import parquet as pq

from escape_score.errors import MatrixInvalidError, listed
from escape_score.model.cohort import FloatArray
from escape_score.read.checks.cells import is_missing, looks_numeric
from escape_score.read.checks.names import (
    MOSTLY_GENES,
    SYMBOL_NAMES,
    check_samples,
    gene_fraction,
    is_annotation_name,
    is_sheet_name,
    plain_name,
    statistics_among,
)
from escape_score.read.files.limits import ReadLimits, check_filling, check_shape
from escape_score.read.formats.one_sample import select_columns
from escape_score.read.formats.reader import (
    MatrixFormat,
    MatrixReading,
    layout_advice,
    library_faults,
    turned,
)
from escape_score.read.request import ReadRequest

N_PROBED_ROWS = 100
"""Rows by which columns of text are judged."""

Faults = Callable[[Path], AbstractContextManager[None]]
"""Turns what Arrow raises on a damaged file into our own error."""


@dataclass(frozen=True)
class ArrowFile:
    """An open file.

    Parameters
    ----------
    schema
        Names and types of the columns, with what pandas wrote about them.
    n_rows
        Rows of the table.
    read, read_head
        Read some columns, and the first ``N_PROBED_ROWS`` rows of some.
    """

    schema: pa.Schema
    n_rows: int
    read: Callable[[Sequence[str]], pa.Table]
    read_head: Callable[[Sequence[str]], pa.Table]


@dataclass(frozen=True, eq=False)
class ArrowMatrix:
    """A file of which only the samples asked for are read; ``columns``: the column of each sample."""

    path: Path
    sample_ids: tuple[str, ...] = field(repr=False)
    gene_ids: tuple[str, ...] = field(repr=False)
    columns: tuple[str, ...] = field(repr=False)
    file: ArrowFile = field(repr=False)
    faults: Faults = field(repr=False)

    def block(self, start: int, stop: int) -> FloatArray:
        """Values of samples ``start`` to ``stop``: (stop - start, n_genes), float64, NaN = not measured."""
        names = self.columns[start:stop]
        values = np.empty((len(names), len(self.gene_ids)))
        with self.faults(self.path):
            table = self.file.read(names)
            for position, name in enumerate(names):
                column = table.column(name)
                if not (pa.types.is_integer(column.type) or pa.types.is_floating(column.type)):
                    column = column.cast(pa.float64(), safe=False)
                values[position] = column.to_numpy()
        return values


@dataclass(frozen=True)
class ArrowColumns:
    """Names of the column of genes, of samples, and of columns that describe genes.

    Where samples are in rows, of the column of samples, of genes, and of columns that describe samples.
    """

    row_name: str
    values: tuple[str, ...]
    annotation: tuple[str, ...]


def arrow_format(
    name: str, magic: bytes, open_file: Callable[[Path, ReadLimits], ArrowFile], faults: Faults
) -> MatrixFormat:
    """Make a format of the way its files are opened, and of the bytes they begin with."""

    def open_matrix(path: Path, request: ReadRequest) -> MatrixReading:
        limits = request.limits
        with faults(path):
            file = open_file(path, limits)
            columns = find_columns(path, file, request)
            chosen = select_columns(path, columns.values, request)
            if not request.transpose:
                check_samples(str(path), chosen.sample_ids, limits, layout=layout_advice(request))
            names = file.read([columns.row_name]).column(columns.row_name).to_pylist()
        row_names = tuple("" if name is None else str(name) for name in names)
        read = tuple(columns.values[at] for at in chosen.columns)
        reading = MatrixReading(
            ArrowMatrix(path, chosen.sample_ids, row_names, read, file, faults),
            columns.annotation,
            notes=chosen.notes,
            layout=layout_advice(request),
            unit=chosen.unit,
        )
        return turned(str(path), reading, limits) if request.transpose else reading

    def count_samples(path: Path, request: ReadRequest) -> int:
        with faults(path):
            file = open_file(path, request.limits)
            columns = find_columns(path, file, request)
            return (
                file.n_rows
                if request.transpose
                else len(select_columns(path, columns.values, request).columns)
            )

    return MatrixFormat(name, lambda probe: probe.head.startswith(magic), open_matrix, count_samples)


def find_columns(path: Path, file: ArrowFile, request: ReadRequest) -> ArrowColumns:
    """Decide what each column means; names are not checked.

    Raises MatrixInvalidError: there is no row or no column of names, or numbers are stored as text.
    """
    limits = request.limits
    if file.n_rows == 0:
        msg = "no gene rows (the table is empty); give one row for every gene"
        raise MatrixInvalidError.at(path, msg)
    index_names = _index_names(file.schema)
    row_name = _row_name_column(path, file, index_names, transpose=request.transpose)
    others = [column for column in file.schema if column.name != row_name and column.name not in index_names]
    describes = is_sheet_name if request.transpose else is_annotation_name
    named = [column.name for column in others if _is_numeric(column.type) and not describes(column.name)]
    of_test = [column.name for column in others]
    left_out = frozenset[int]() if request.transpose else statistics_among(named, others=of_test)
    values = tuple(name for at, name in enumerate(named) if at not in left_out)
    if request.transpose:
        check_filling(path, limits, n_samples=file.n_rows, n_genes=len(values))
        check_shape(path, limits, n_genes=len(values))
    chosen = frozenset(values)
    annotation = tuple(column.name for column in others if column.name not in chosen)
    _check_text_columns(path, file, annotation)
    return ArrowColumns(row_name, values, annotation)


def _is_numeric(kind: pa.DataType) -> bool:
    """Tell columns of numbers; a column of nothing but missing cells has no type."""
    is_number = pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)
    return bool(is_number or pa.types.is_null(kind))


def _is_text(kind: pa.DataType) -> bool:
    value_type = kind.value_type if pa.types.is_dictionary(kind) else kind
    is_string = pa.types.is_string(value_type) or pa.types.is_large_string(value_type)
    return bool(is_string or pa.types.is_string_view(value_type))


def _index_names(schema: pa.Schema) -> tuple[str, ...]:
    """Columns that pandas wrote as row names."""
    metadata = (schema.metadata or {}).get(b"pandas")
    try:
        written = json.loads(metadata)["index_columns"] if metadata else []
    except (ValueError, KeyError, TypeError):
        return ()
    return tuple(name for name in written if isinstance(name, str) and name in schema.names)


def _row_name_column(path: Path, file: ArrowFile, index: Sequence[str], *, transpose: bool) -> str:
    """Choose the column of genes, or of samples where they are in rows.

    That is pandas' row names, else text with genes or named for genes, else the first text column.
    """
    schema = file.schema
    text: list[str] = [column.name for column in schema if _is_text(column.type)]
    plain = {plain_name(name): name for name in reversed(text)}
    if transpose:
        named = [name for name in schema.names if plain_name(name) == "sample_id"]
        return _first_of(path, [*named, *index[:1], *text[:1]], "sample")
    if len(text) == 1:  # the only choice; the gene table takes long to load
        return text[0]
    head = file.read_head(text) if text else None
    known = [name for name in text if head is not None and _holds_genes(head.column(name))]
    candidates = [
        *(name for name in index if name in text and (name in known or not known)),
        *(plain[name] for name in SYMBOL_NAMES if name in plain and (plain[name] in known or not known)),
        *known,
        *(name for name in text if is_annotation_name(name)),
        *text[:1],
        *index[:1],
        *(name for name in schema.names[:1] if is_annotation_name(name)),
    ]
    return _first_of(path, candidates, "gene")


def _first_of(path: Path, candidates: Sequence[str], what: str) -> str:
    if not candidates:
        msg = f"no {what} column (no column of text, no row names); add the {what} names as a column"
        raise MatrixInvalidError.at(path, msg)
    return candidates[0]


def _holds_genes(column: pa.ChunkedArray) -> bool:
    names = [str(name) for name in column.to_pylist() if name is not None]
    return gene_fraction(names, with_entrez=False) >= MOSTLY_GENES


def _check_text_columns(path: Path, file: ArrowFile, annotation: Sequence[str]) -> None:
    """Refuse numbers stored as text: which of their cells are numbers is not for us to guess."""
    text = [name for name in annotation if _is_text(file.schema.field(name).type)]
    text = [name for name in text if not is_annotation_name(name)]
    head = file.read_head(text) if text else None
    stored = [name for name in text if head is not None and _holds_numbers(head.column(name))]
    if stored:
        msg = f"numbers are stored as text (type string, columns {listed(stored)}); store them as float"
        raise MatrixInvalidError.at(path, msg)


def _holds_numbers(column: pa.ChunkedArray) -> bool:
    cells = [cell for cell in column.to_pylist() if cell is not None and not is_missing(cell)]
    return bool(cells) and sum(looks_numeric(cell) for cell in cells) > len(cells) / 2


# --- parquet --------------------------------------------------------------------------------------------


def _open_file(path: Path, limits: ReadLimits) -> ArrowFile:
    """Open a file once: the footer of a wide one is slow to read."""
    file = pq.ParquetFile(path, page_checksum_verification=True)
    n_rows = file.metadata.num_rows
    if n_rows > limits.max_genes:
        msg = f"too large, {n_rows} gene rows where at most {limits.max_genes} are read; is this a matrix?"
        raise MatrixInvalidError.at(path, msg)

    def read_head(names: Sequence[str]) -> pa.Table:
        batches = file.iter_batches(batch_size=N_PROBED_ROWS, columns=list(names))
        return pa.Table.from_batches([next(batches)])

    return ArrowFile(file.schema_arrow, n_rows, lambda names: file.read(columns=list(names)), read_head)


_faults = partial(library_faults, what="parquet", kinds=(pa.ArrowException, OSError))
PARQUET = arrow_format("parquet", b"PAR1", _open_file, _faults)
"""Parquet, gene names in a text column or as pandas row names."""
