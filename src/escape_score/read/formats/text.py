"""Delimited text: genes in rows, samples in columns, plain or compressed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import compute as pc
from pyarrow import csv as pa_csv

from escape_score.errors import FileUnreadableError, InputError, MatrixInvalidError, raise_faults
from escape_score.model.cohort import FloatArray
from escape_score.model.notes import Code, note
from escape_score.model.units import ExpressionUnit
from escape_score.read.checks.cells import MISSING_WORDS, NumberStyle, fault_in
from escape_score.read.checks.gene_kinds import check_kind
from escape_score.read.checks.names import check_header, check_samples
from escape_score.read.checks.non_genes import is_unnamed
from escape_score.read.files.frames import ends_in_padding
from escape_score.read.files.limits import ReadLimits, check_shape
from escape_score.read.files.probe import Probe
from escape_score.read.files.streams import csv_batches, encoding_of, iter_lines, open_text
from escape_score.read.formats.one_sample import SelectedSamples, select_samples
from escape_score.read.formats.reader import (
    MatrixFormat,
    MatrixReading,
    PiecewiseMatrix,
    layout_advice,
    turned,
)
from escape_score.read.formats.table_kinds import (
    HTSEQ_ROW,
    describing_column,
    is_headless_count,
    long_refused,
)
from escape_score.read.formats.text_layout import TextLayout, find_layout, is_skipped, split_line
from escape_score.read.request import ReadRequest

N_LAYOUT_LINES = 100
"""Lines by which a layout is decided."""

MIN_LAYOUT_LINES, LAYOUT_CHARACTERS = 10, 1_000_000
"""Lines that are enough where lines are long, and characters from which they are. A table of 1,000 samples by
20,000 genes in columns has lines of 150 kB: a hundred of them would take 5 s to look at, ten take 0.5 s."""

STYLE_CHARACTERS = 500_000
"""Characters below these by which the way numbers are written is decided: the first genes may all be 0."""

MAX_CELL_FAULTS = 20
"""Faulty cells named before the search ends."""

_HTML_STARTS = (b"<!doctype html", b"<html", b"<?xml")

_CONTROL_BYTES = frozenset(range(32)) - frozenset(b"\t\n\r\f")

Piece = tuple[list[str], FloatArray]


def _is_text(probe: Probe) -> bool:
    """Any content with next to no control characters is text, and so are UTF-16 and UTF-32."""
    head = probe.text_head
    n_control = sum(byte in _CONTROL_BYTES for byte in head[:4096])
    is_wide = encoding_of(head).startswith(("utf-16", "utf-32"))
    return bool(head) and (is_wide or n_control <= 1 + 0.01 * len(head[:4096]))


def read_layout(
    path: Path,
    request: ReadRequest,
    *,
    is_headerless: bool = False,
    n_style_characters: int = STYLE_CHARACTERS,
) -> TextLayout:
    """Find the layout of a file by its first lines; raises InputError: it holds no table."""
    limits = request.limits
    with open_text(path, limits) as stream:
        if stream.peek(64).lstrip()[:64].lower().startswith(_HTML_STARTS):
            msg = "a web page (HTML or XML), not a table of genes by samples; download the file itself"
            raise FileUnreadableError.at(path, msg)
        found = iter_lines(stream, path=path, limits=limits)
        lines = tuple(_first_lines(found))
        more_lines = tuple(_first_characters(found, n_style_characters))
    try:
        return find_layout(path, lines, more_lines=more_lines, request=request, is_headerless=is_headerless)
    except InputError:
        _refuse_split_cells(path, lines)
        raise


def _refuse_split_cells(path: Path, lines: Sequence[str]) -> None:
    """Say so where no layout is found because quoted cells go over several lines."""
    number = next((at for at, line in enumerate(lines, start=1) if line.count('"') % 2), 0)
    if number:
        msg = f"a quoted name or description goes on in the next line (line {number}); "
        raise MatrixInvalidError.at(path, msg + "take the line end out, and close all quotes")


def _first_lines(lines: Iterator[str]) -> Iterator[str]:
    """First lines of a table, fewer of one that is very wide."""
    n_characters = 0
    for number, line in enumerate(islice(lines, N_LAYOUT_LINES), start=1):
        yield line
        n_characters += len(line)
        if number >= MIN_LAYOUT_LINES and n_characters > LAYOUT_CHARACTERS:
            return


def _first_characters(lines: Iterator[str], limit: int) -> Iterator[str]:
    n_characters = 0
    for line in lines:
        yield line
        n_characters += len(line)
        if n_characters > limit:
            return


def _open_matrix(path: Path, request: ReadRequest) -> MatrixReading:
    return open_table(path, read_layout(path, request), request)


def open_table(path: Path, layout: TextLayout, request: ReadRequest) -> MatrixReading:
    """Read a table as genes by samples; of several quantities of a sample one is read.

    Raises InputError: it is another kind of table, or as :func:`read_table`.
    """
    if request.transpose:
        reading = read_table(path, layout, request.limits, layout_advice(request))
        return turned(str(path), reading, request.limits)
    selected, reading = _parsed(path, layout, request)
    is_of_htseq = len(selected.sample_ids) == 1 and HTSEQ_ROW in reading.source.gene_ids
    if is_of_htseq and is_headless_count(layout):
        whole = read_layout(path, request, is_headerless=True)
        selected, reading = _parsed(path, whole, request)
    finished = selected.finished(reading)
    return replace(finished, unit=ExpressionUnit.COUNTS) if is_of_htseq else finished


def _parsed(path: Path, layout: TextLayout, request: ReadRequest) -> tuple[SelectedSamples, MatrixReading]:
    """Columns that are read, and their values."""
    selected = select_samples(path, layout, request)
    check_header(str(path), layout.names[layout.gene_column], selected.sample_ids)
    reading = read_table(path, selected.layout, request.limits, layout_advice(request))
    _refuse_repeated_genes(path, layout, reading)
    return selected, reading


def _refuse_repeated_genes(path: Path, layout: TextLayout, reading: MatrixReading) -> None:
    """Refuse one column of values whose genes are all there several times: it holds several samples."""
    column = describing_column(layout) if len(layout.sample_columns) == 1 else ""
    genes = reading.source.gene_ids
    if column and len(genes) >= 2 * len(set(genes)):
        raise long_refused(path, column)


def read_table(path: Path, layout: TextLayout, limits: ReadLimits, advice: str) -> MatrixReading:
    """Read a text table whose layout is known, with its columns as samples.

    All rows that are not blank, in the order of the file. ``advice`` is what to do where the table is
    transposed. Raises InputError: a name or cell is not usable; names line, gene and sample.
    """
    if layout.samples_in_rows:
        check_shape(path, limits, n_genes=len(layout.sample_columns))
    else:
        check_samples(str(path), layout.sample_ids, limits, layout=advice)
    pieces = _read_pieces(path, layout, limits)
    if any(np.isinf(values).any() for _, values in pieces):
        raise_faults(_locate(path, layout, limits))
    gene_ids = tuple(name for names, _ in pieces for name in names)
    source = PiecewiseMatrix(layout.sample_ids, gene_ids, tuple(values for _, values in pieces))
    notes = (note(Code.TRAILING_BYTES),) if ends_in_padding(path) else ()
    unit = layout.quantity.unit if layout.quantity else None
    return MatrixReading(source, layout.annotation_names, notes=notes, layout=advice, unit=unit)


def _read_pieces(path: Path, layout: TextLayout, limits: ReadLimits) -> list[Piece]:
    """Parse all rows; text that turns out not to be UTF-8 far down is read as Windows-1252 from the top."""
    reason: pa.ArrowInvalid | None = None
    for encoding in (None, "cp1252"):
        try:
            return list(_iter_pieces(path, layout, limits, encoding=encoding))
        except pa.ArrowInvalid as error:
            reason = reason or error
            if "invalid UTF8" not in str(error):  # nor where a comment is not UTF-8, which has no fault
                raise_faults(_locate(path, layout, limits))
    msg = f"cannot be read as a table ({' '.join(str(reason).split())[:200]}); check quotes and encoding"
    raise FileUnreadableError.at(path, msg) from reason


def _iter_pieces(
    path: Path, layout: TextLayout, limits: ReadLimits, *, encoding: str | None
) -> Iterator[Piece]:
    """Parse the rows below the header, piece by piece."""
    with open_text(path, limits, encoding=encoding) as stream:
        for _ in range(layout.n_head_lines):
            stream.readline(limits.max_line_bytes)
        if not stream.peek(1):
            return
        n_genes = 0
        with csv_batches(stream, **_csv_options(layout, limits)) as batches:
            for batch in batches:
                piece = _piece(batch, layout)
                n_genes += len(piece[0])
                if n_genes > limits.max_genes:
                    check_kind(str(path), piece[0], are_known_genes=False)
                    msg = f"too large, more than {limits.max_genes} gene rows; is this a matrix of genes?"
                    raise MatrixInvalidError.at(path, msg)
                yield piece


def _csv_options(layout: TextLayout, limits: ReadLimits) -> dict[str, Any]:
    """Options of the parser, with a type for every column, so that another kind of cell is an error."""
    number = pa.string() if layout.style.thousands else pa.float64()
    types = {
        str(column): pa.string()
        for column in (layout.second_gene_column, layout.gene_column)
        if column is not None
    }
    types |= {str(column): number for column in layout.sample_columns}
    types |= {str(column): pa.null() for column in layout.blank_columns}
    names = [str(column) for column in range(len(layout.names))]
    return {
        "read_options": pa_csv.ReadOptions(column_names=names, block_size=limits.max_line_bytes),
        "parse_options": pa_csv.ParseOptions(delimiter=layout.delimiter, invalid_row_handler=_judge_row),
        "convert_options": pa_csv.ConvertOptions(
            column_types=types,
            include_columns=list(types),
            null_values=list(MISSING_WORDS),
            strings_can_be_null=False,
            decimal_point=layout.style.decimal,
        ),
    }


def _judge_row(row: pa_csv.InvalidRow) -> str:
    """Pass over comments and blank lines; any other row of wrong width is an error."""
    return "skip" if is_skipped(row.text) else "error"


def _piece(batch: pa.RecordBatch, layout: TextLayout) -> Piece:
    """Turn parsed rows, blank ones left out, into gene names and values of shape (n_samples, n_genes)."""
    names = _row_names(batch, layout)
    values = np.empty((len(layout.sample_columns), batch.num_rows))
    for position, column in enumerate(layout.sample_columns):
        values[position] = _numbers(batch.column(str(column)), layout.style).to_numpy(zero_copy_only=False)
    if layout.quantity is not None:
        values *= layout.quantity.factor
    is_blank = np.array([not name.strip() for name in names], dtype=bool)
    if is_blank.any():
        is_kept = ~(is_blank & np.isnan(values).all(axis=0))
        return [name for name, kept in zip(names, is_kept, strict=True) if kept], values[:, is_kept]
    return names, values


def _row_names(batch: pa.RecordBatch, layout: TextLayout) -> list[str]:
    """Names of the rows; an id for a gene that has no name."""
    names: list[str] = batch.column(str(layout.gene_column)).to_pylist()
    if layout.second_gene_column is None:
        return names
    ids = batch.column(str(layout.second_gene_column)).to_pylist()
    return [second if is_unnamed(name) else name for name, second in zip(names, ids, strict=True)]


def _numbers(column: pa.Array, style: NumberStyle) -> pa.Array:
    """Numbers of a column; one with marks of thousands comes as text."""
    if not style.thousands:
        return column
    text = pc.utf8_trim_whitespace(column)
    given = pc.if_else(pc.is_in(text, pa.array(MISSING_WORDS)), None, text)
    if not pc.all(pc.match_substring_regex(given, f"^(?:{style.pattern})$"), min_count=0).as_py():
        msg = "a cell is no number"
        raise pa.ArrowInvalid(msg)
    bare = pc.replace_substring(given, style.thousands, "")
    return pc.replace_substring(bare, style.decimal, ".").cast(pa.float64())


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
    names = layout.names
    if len(cells) != len(names):
        msg = f"line {number} has {len(cells)} fields where the header has {len(names)} columns; "
        return [MatrixInvalidError.at(path, msg + "give every row one cell for every column")]
    if all(cells[column].strip() == names[column].strip() for column in layout.sample_columns):
        msg = f"line {number} repeats the header; take it out, and check that files were joined rightly"
        return [MatrixInvalidError.at(path, msg)]
    row, column_is = ("sample", "gene") if layout.samples_in_rows else ("gene", "sample")
    name = cells[layout.gene_column]
    found = [
        f"cell {cells[column][:40]!r} is {fault} ({row} {name}, {column_is} {names[column]}, line {number}); "
        "give a number, or NA"
        for column in layout.sample_columns
        if (fault := fault_in(cells[column], layout.style))
    ]
    found += [
        f"text {cells[column]!r} in a column without a name (line {number}); name it"
        for column in layout.blank_columns
        if cells[column].strip()
    ]
    return [MatrixInvalidError.at(path, what) for what in found]


def _mark_truncation(fault: InputError, last_line: int) -> InputError:
    """Add to a short last row that the file may be cut."""
    text = str(fault)
    if f"line {last_line} has" in text and "fields where" in text:
        return MatrixInvalidError(text + " (it is the last line: the file may be truncated, copy it again)")
    return fault


def _count_samples(path: Path, request: ReadRequest) -> int:
    layout = read_layout(path, request)
    if not layout.samples_in_rows:
        return len(select_samples(path, layout, request).sample_ids)
    with open_text(path, request.limits) as stream:
        rows = islice(iter_lines(stream, path=path, limits=request.limits), layout.n_head_lines, None)
        filled = (line for line in rows if not is_skipped(line))
        return sum(any(map(str.strip, split_line(line, layout.delimiter))) for line in filled)


DELIMITED_TEXT = MatrixFormat(
    "delimited text (TSV, CSV; plain or packed with gzip, zstandard, bzip2, xz)",
    _is_text,
    _open_matrix,
    _count_samples,
)
"""Tables of text with a header, in UTF-8, UTF-16, UTF-32 or Windows-1252."""
