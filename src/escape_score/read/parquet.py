"""Parquet: genes in rows, samples in columns; columns are read only when asked for."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import ParamSpec, TypeVar

import numpy as np
import pyarrow as pa
from pyarrow import parquet as pq

from escape_score.errors import FileUnreadableError, MatrixInvalidError
from escape_score.model.cohort import FloatArray
from escape_score.read.cells import is_missing, looks_numeric
from escape_score.read.faults import listed, raise_faults
from escape_score.read.formats import MatrixFormat, MatrixReading
from escape_score.read.limits import ReadLimits
from escape_score.read.names import SYMBOL_NAMES, is_annotation_name, plain_name, sample_name_faults
from escape_score.read.probe import Probe

MAGIC = b"PAR1"

_N_PROBED_ROWS = 100

_Arguments = ParamSpec("_Arguments")
_Result = TypeVar("_Result")


@dataclass(frozen=True)
class ParquetColumns:
    """What the columns of a parquet file mean.

    Parameters
    ----------
    gene
        Name of the column of gene names.
    samples, annotation
        Names of columns of samples, and of columns that describe genes.
    """

    gene: str
    samples: tuple[str, ...]
    annotation: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class ParquetMatrix:
    """A parquet file of which only the samples asked for are read.

    Parameters
    ----------
    path
        The file.
    sample_ids
        Names of the sample columns.
    gene_ids
        Names of the rows.
    file
        The file opened: the footer of a wide file is slow to read, and is read once.
    """

    path: Path
    sample_ids: tuple[str, ...]
    gene_ids: tuple[str, ...]
    file: pq.ParquetFile = field(repr=False)

    def block(self, start: int, stop: int) -> FloatArray:
        """Values of samples ``start`` to ``stop``: (stop - start, n_genes), float64, NaN = not measured."""
        names = self.sample_ids[start:stop]
        values = np.empty((len(names), len(self.gene_ids)))
        table = _guarded(self.path, self.file.read, columns=list(names))
        for position, name in enumerate(names):
            column = table.column(name).cast(pa.float64(), safe=False)
            values[position] = column.to_numpy()
        return values


def _guarded(
    path: Path, call: Callable[_Arguments, _Result], *args: _Arguments.args, **kwargs: _Arguments.kwargs
) -> _Result:
    """Call a function of the parquet library, its errors turned into ours."""
    try:
        return call(*args, **kwargs)
    except (pa.ArrowException, OSError) as error:
        msg = (
            f"{path}: damaged or truncated parquet ({' '.join(str(error).split())[:120]}); copy the file "
            "again"
        )
        raise FileUnreadableError(msg) from error


def _open_file(path: Path) -> pq.ParquetFile:
    return pq.ParquetFile(path, page_checksum_verification=True)


def _read_head(file: pq.ParquetFile, names: tuple[str, ...]) -> pa.Table:
    """First rows of some columns."""
    batches = file.iter_batches(batch_size=_N_PROBED_ROWS, columns=list(names))
    return pa.Table.from_batches([next(batches)])


def _is_parquet(probe: Probe) -> bool:
    return probe.head.startswith(MAGIC)


def _open_matrix(path: Path, limits: ReadLimits) -> MatrixReading:
    file = _guarded(path, _open_file, path)
    columns = _columns(path, file, limits)
    raise_faults(sample_name_faults(path, columns.samples))
    gene_ids = _guarded(path, file.read, columns=[columns.gene]).column(columns.gene)
    names = tuple("" if name is None else str(name) for name in gene_ids.to_pylist())
    return MatrixReading(ParquetMatrix(path, columns.samples, names, file), columns.annotation)


def _columns(path: Path, file: pq.ParquetFile, limits: ReadLimits) -> ParquetColumns:
    """Tell what each column means by the footer, with a look at the first rows of text columns."""
    schema, n_rows = file.schema_arrow, file.metadata.num_rows
    if n_rows == 0:
        msg = f"{path}: no gene rows (the table is empty); give one row for every gene"
        raise MatrixInvalidError(msg)
    if n_rows > limits.max_genes:
        msg = (
            f"{path}: too large, {n_rows} gene rows where at most {limits.max_genes} are read; is this a "
            "matrix?"
        )
        raise MatrixInvalidError(msg)
    gene = _gene_column(path, schema)
    index_names = _index_names(schema)
    others = [column for column in schema if column.name != gene and column.name not in index_names]
    samples = tuple(
        column.name for column in others if _is_numeric(column.type) and not is_annotation_name(column.name)
    )
    chosen = frozenset(samples)
    annotation = tuple(column.name for column in others if column.name not in chosen)
    _check_text_columns(path, file, annotation)
    return ParquetColumns(gene, samples, annotation)


def _is_numeric(kind: pa.DataType) -> bool:
    """Tell columns of numbers; a column of nothing but missing cells has no type."""
    is_number = pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)
    return bool(is_number or pa.types.is_null(kind))


def _is_text(kind: pa.DataType) -> bool:
    value_type = kind.value_type if pa.types.is_dictionary(kind) else kind
    return bool(
        pa.types.is_string(value_type)
        or pa.types.is_large_string(value_type)
        or pa.types.is_string_view(value_type)
    )


def _index_names(schema: pa.Schema) -> tuple[str, ...]:
    """Columns that pandas wrote as row names."""
    metadata = (schema.metadata or {}).get(b"pandas")
    try:
        written = json.loads(metadata)["index_columns"] if metadata else []
    except (ValueError, KeyError, TypeError):
        return ()
    return tuple(name for name in written if isinstance(name, str) and name in schema.names)


def _gene_column(path: Path, schema: pa.Schema) -> str:
    """Choose the gene column: pandas' row names, else text named for genes, else the first text column."""
    text = [column.name for column in schema if _is_text(column.type)]
    index = _index_names(schema)
    plain = {plain_name(name): name for name in reversed(text)}
    named = [plain[name] for name in SYMBOL_NAMES if name in plain]
    annotated = [name for name in text if is_annotation_name(name)]
    numbered = [name for name in schema.names[:1] if is_annotation_name(name)]
    candidates = [
        *(name for name in index if name in text),
        *named,
        *annotated,
        *text[:1],
        *index[:1],
        *numbered,
    ]
    if not candidates:
        msg = (
            f"{path}: no gene column (no column of text, no row names); add the gene names as a column 'gene'"
        )
        raise MatrixInvalidError(msg)
    return str(candidates[0])


def _check_text_columns(path: Path, file: pq.ParquetFile, annotation: tuple[str, ...]) -> None:
    """Refuse numbers stored as text: which of their cells are numbers is not for us to guess."""
    schema = file.schema_arrow
    text = tuple(
        name for name in annotation if _is_text(schema.field(name).type) and not is_annotation_name(name)
    )
    if not text:
        return
    head = _guarded(path, _read_head, file, text)
    stored = [name for name in text if _holds_numbers(head.column(name))]
    if stored:
        msg = (
            f"{path}: numbers are stored as text (type string, columns {listed(stored)}); store them as float"
        )
        raise MatrixInvalidError(msg)


def _holds_numbers(column: pa.ChunkedArray) -> bool:
    cells = [cell for cell in column.to_pylist() if cell is not None and not is_missing(cell)]
    return bool(cells) and sum(looks_numeric(cell) for cell in cells) > len(cells) / 2


def _count_samples(path: Path, limits: ReadLimits) -> int:
    return len(_columns(path, _guarded(path, _open_file, path), limits).samples)


PARQUET = MatrixFormat(
    name="parquet", is_recognised=_is_parquet, open_matrix=_open_matrix, count_samples=_count_samples
)
"""Parquet, gene names in a text column or as pandas row names."""
