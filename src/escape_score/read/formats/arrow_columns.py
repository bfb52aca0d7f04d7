"""What the columns of an Arrow table mean, told by its schema: parquet and feather share it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from escape_score.errors import MatrixInvalidError, listed
from escape_score.read.checks.cells import is_missing, looks_numeric
from escape_score.read.checks.names import SYMBOL_NAMES, is_annotation_name, plain_name
from escape_score.read.files.limits import ReadLimits, check_shape

N_PROBED_ROWS = 100
"""Rows that columns of text are told by."""


@dataclass(frozen=True)
class ArrowColumns:
    """What the columns of a table mean.

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


def find_columns(
    path: Path,
    schema: pa.Schema,
    n_rows: int,
    limits: ReadLimits,
    *,
    read_head: Callable[[tuple[str, ...]], pa.Table],
) -> ArrowColumns:
    """Tell what each column means.

    Parameters
    ----------
    path
        Named in errors.
    schema
        Names and types of the columns, with what pandas wrote beside them.
    n_rows
        Rows of the table.
    limits
        Sizes above which a table is refused.
    read_head
        Reads the first rows of some columns.

    Returns
    -------
    ArrowColumns
        Names are not checked.

    Raises
    ------
    MatrixInvalidError
        There is no row or no gene column, or numbers are stored as text.
    """
    if n_rows == 0:
        msg = f"{path}: no gene rows (the table is empty); give one row for every gene"
        raise MatrixInvalidError(msg)
    gene = _gene_column(path, schema)
    index_names = _index_names(schema)
    others = [column for column in schema if column.name != gene and column.name not in index_names]
    samples = tuple(
        column.name for column in others if _is_numeric(column.type) and not is_annotation_name(column.name)
    )
    check_shape(path, limits, n_samples=len(samples), n_genes=n_rows)
    chosen = frozenset(samples)
    annotation = tuple(column.name for column in others if column.name not in chosen)
    _check_text_columns(path, schema, annotation, read_head)
    return ArrowColumns(gene, samples, annotation)


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


def _check_text_columns(
    path: Path,
    schema: pa.Schema,
    annotation: tuple[str, ...],
    read_head: Callable[[tuple[str, ...]], pa.Table],
) -> None:
    """Refuse numbers stored as text: which of their cells are numbers is not for us to guess."""
    text = tuple(
        name for name in annotation if _is_text(schema.field(name).type) and not is_annotation_name(name)
    )
    if not text:
        return
    head = read_head(text)
    stored = [name for name in text if _holds_numbers(head.column(name))]
    if stored:
        msg = (
            f"{path}: numbers are stored as text (type string, columns {listed(stored)}); store them as float"
        )
        raise MatrixInvalidError(msg)


def _holds_numbers(column: pa.ChunkedArray) -> bool:
    cells = [cell for cell in column.to_pylist() if cell is not None and not is_missing(cell)]
    return bool(cells) and sum(looks_numeric(cell) for cell in cells) > len(cells) / 2
