"""Delimited text: genes in rows, samples in columns, plain or compressed."""

from __future__ import annotations

import io
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow import csv as pa_csv

from escape_score.errors import FileUnreadableError, InputError, MatrixInvalidError
from escape_score.model.cohort import FloatArray
from escape_score.read.blocks import PiecewiseMatrix
from escape_score.read.cells import MISSING_WORDS, fault_in
from escape_score.read.faults import raise_faults
from escape_score.read.formats import MatrixFormat, MatrixReading
from escape_score.read.limits import ReadLimits
from escape_score.read.names import check_header, sample_name_faults
from escape_score.read.probe import Probe
from escape_score.read.streams import encoding_of, iter_lines, open_text
from escape_score.read.text_layout import TextLayout, find_layout, is_skipped, split_line

N_LAYOUT_LINES = 100
"""Lines a layout is told by."""

MAX_CELL_FAULTS = 20
"""Faulty cells named before the search ends."""

_HTML_STARTS = (b"<!doctype html", b"<html", b"<?xml")

_CONTROL_BYTES = frozenset(range(32)) - frozenset(b"\t\n\r\f")

Piece = tuple[list[str], FloatArray]


def _is_text(probe: Probe) -> bool:
    """Any content without zero bytes is text, and UTF-16 with its mark."""
    head = probe.text_head
    return (
        bool(head) and (encoding_of(head) == "utf-16" or b"\x00" not in head) and _is_mostly_printable(head)
    )


def _is_mostly_printable(head: bytes) -> bool:
    """Tell text from binary content by its control characters."""
    n_control = sum(byte in _CONTROL_BYTES for byte in head[:4096])
    return encoding_of(head) == "utf-16" or n_control <= 0.01 * len(head[:4096])


def _read_layout(path: Path, limits: ReadLimits) -> TextLayout:
    with open_text(path, limits) as stream:
        if stream.peek(64).lstrip()[:64].lower().startswith(_HTML_STARTS):
            msg = (
                f"{path}: a web page (HTML or XML), not a table of genes by samples; download the file itself"
            )
            raise FileUnreadableError(msg)
        lines = tuple(islice(iter_lines(stream, path=path, limits=limits), N_LAYOUT_LINES))
    return find_layout(path, lines)


def _open_matrix(path: Path, limits: ReadLimits) -> MatrixReading:
    layout = _read_layout(path, limits)
    check_header(path, layout.names[layout.gene_column], layout.sample_ids)
    raise_faults(sample_name_faults(path, layout.sample_ids))
    try:
        pieces = list(_iter_pieces(path, layout, limits))
    except pa.ArrowInvalid as error:
        raise_faults(_locate(path, layout, limits))
        msg = f"{path}: cannot be read as a table ({error}); check quotes and encoding"
        raise FileUnreadableError(msg) from error
    if any(np.isinf(values).any() for _, values in pieces):
        raise_faults(_locate(path, layout, limits))
    gene_ids = tuple(name for names, _ in pieces for name in names)
    source = PiecewiseMatrix(layout.sample_ids, gene_ids, tuple(values for _, values in pieces))
    annotation = tuple(layout.names[column] for column in layout.annotation_columns)
    return MatrixReading(source, annotation)


def _iter_pieces(path: Path, layout: TextLayout, limits: ReadLimits) -> Iterator[Piece]:
    """Parse the rows below the header, piece by piece."""
    with open_text(path, limits) as stream:
        for _ in range(layout.n_head_lines):
            stream.readline(limits.max_line_bytes)
        if not stream.peek(1):
            return
        n_genes = 0
        for batch in _open_csv(stream, layout, limits):
            piece = _piece(batch, layout)
            n_genes += len(piece[0])
            if n_genes > limits.max_genes:
                msg = f"{path}: too large, more than {limits.max_genes} gene rows; is this a matrix of genes?"
                raise MatrixInvalidError(msg)
            yield piece


def _open_csv(stream: io.BufferedReader, layout: TextLayout, limits: ReadLimits) -> pa_csv.CSVStreamingReader:
    """Start the parser with a type for every column, so that another kind of cell is an error."""
    types = {str(layout.gene_column): pa.string()}
    types |= {str(column): pa.float64() for column in layout.sample_columns}
    types |= {str(column): pa.null() for column in layout.blank_columns}
    return pa_csv.open_csv(
        stream,
        read_options=pa_csv.ReadOptions(
            column_names=[str(column) for column in range(len(layout.names))],
            block_size=limits.max_line_bytes,
        ),
        parse_options=pa_csv.ParseOptions(delimiter=layout.delimiter, invalid_row_handler=_judge_row),
        convert_options=pa_csv.ConvertOptions(
            column_types=types,
            include_columns=list(types),
            null_values=list(MISSING_WORDS),
            strings_can_be_null=False,
            decimal_point=layout.decimal,
        ),
    )


def _judge_row(row: pa_csv.InvalidRow) -> str:
    """Pass over comments and blank lines; any other row of wrong width is an error."""
    return "skip" if is_skipped(row.text) else "error"


def _piece(batch: pa.RecordBatch, layout: TextLayout) -> Piece:
    """Turn parsed rows, blank ones left out, into gene names and values of shape (n_samples, n_genes)."""
    names = batch.column(str(layout.gene_column)).to_pylist()
    values = np.empty((len(layout.sample_columns), batch.num_rows))
    for position, column in enumerate(layout.sample_columns):
        values[position] = batch.column(str(column)).to_numpy(zero_copy_only=False)
    is_blank = np.array([not name.strip() for name in names], dtype=bool)
    if is_blank.any():
        is_kept = ~(is_blank & np.isnan(values).all(axis=0))
        return [name for name, kept in zip(names, is_kept, strict=True) if kept], values[:, is_kept]
    return names, values


def _locate(path: Path, layout: TextLayout, limits: ReadLimits) -> tuple[InputError, ...]:
    """Read again, slowly, to name line, gene and sample of what could not be read."""
    faults: list[InputError] = []
    last_line = 0
    with open_text(path, limits) as stream:
        for number, line in enumerate(iter_lines(stream, path=path, limits=limits), start=1):
            last_line = number
            if number > layout.n_head_lines and not is_skipped(line):
                faults += _row_faults(path, layout, number, split_line(line, layout.delimiter))
            if len(faults) > MAX_CELL_FAULTS:
                break
    return tuple(_mark_truncation(fault, last_line) for fault in faults[:MAX_CELL_FAULTS])


def _row_faults(path: Path, layout: TextLayout, number: int, cells: list[str]) -> list[InputError]:
    """Say what is wrong with one row."""
    if len(cells) != len(layout.names):
        msg = (
            f"{path}: line {number} has {len(cells)} fields where the header has {len(layout.names)} "
            "columns; "
        )
        return [MatrixInvalidError(msg + "give every row one cell for every column")]
    if all(cells[column].strip() == layout.names[column].strip() for column in layout.sample_columns):
        msg = (
            f"{path}: line {number} repeats the header; take it out, and check that files were joined rightly"
        )
        return [MatrixInvalidError(msg)]
    gene = cells[layout.gene_column]
    found = ((column, fault_in(cells[column], layout.decimal)) for column in layout.sample_columns)
    return [
        _cell_fault(path, cells[column], fault, f"gene {gene}, sample {layout.names[column]}, line {number}")
        for column, fault in found
        if fault
    ] + [
        MatrixInvalidError(
            f"{path}: text {cells[column]!r} in a column without a name (line {number}); name it"
        )
        for column in layout.blank_columns
        if cells[column].strip()
    ]


def _cell_fault(path: Path, cell: str, fault: str, place: str) -> InputError:
    return MatrixInvalidError(f"{path}: cell {cell[:40]!r} is {fault} ({place}); give a number, or NA")


def _mark_truncation(fault: InputError, last_line: int) -> InputError:
    """Add to a short last row that the file may be cut."""
    text = str(fault)
    if f"line {last_line} has" in text and "fields where" in text:
        return MatrixInvalidError(text + " (it is the last line: the file may be truncated, copy it again)")
    return fault


def _count_samples(path: Path, limits: ReadLimits) -> int:
    return len(_read_layout(path, limits).sample_columns)


DELIMITED_TEXT = MatrixFormat(
    name="delimited text (TSV, CSV, plain or gzip)",
    is_recognised=_is_text,
    open_matrix=_open_matrix,
    count_samples=_count_samples,
)
"""Tables of text, UTF-8 or with a byte order mark, with a header."""
