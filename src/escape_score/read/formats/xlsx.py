"""Excel workbooks (xlsx): the one sheet that is a matrix, genes in rows and samples in columns."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from escape_score.errors import (
    FileUnreadableError,
    InputError,
    MatrixInvalidError,
    did_you_mean,
    listed,
    raise_faults,
)
from escape_score.model.cohort import FloatArray
from escape_score.read.checks.cells import NumberStyle, fault_in, is_missing
from escape_score.read.checks.names import MIN_GENE_FRACTION, check_header, check_samples, gene_fraction
from escape_score.read.checks.non_genes import is_unnamed
from escape_score.read.files.limits import ReadLimits, check_filling
from escape_score.read.formats.one_sample import select_samples
from escape_score.read.formats.reader import (
    MatrixFormat,
    MatrixReading,
    PiecewiseMatrix,
    layout_advice,
    turned,
)
from escape_score.read.formats.text_layout import TextLayout, layout_of_cells
from escape_score.read.request import ReadRequest

if TYPE_CHECKING:
    from escape_score.read.files.workbook import Cell, SheetRow, Workbook

TEXT_SUFFIXES = frozenset({".csv", ".tsv", ".txt", ".tab"})

N_HEAD_ROWS = 100
"""Rows by which a layout is decided."""

PIECE_ROWS = 1_024
"""Genes a piece."""

MAX_CELL_FAULTS = 20
"""Faulty cells named before the search ends."""

_KIND_FAULTS = {
    "b": "not numeric (a truth value)",
    "e": "not numeric (the error of a formula)",
    "d": "not numeric (a date)",
    "f": "not numeric (a formula whose value was not saved)",
}


@dataclass(frozen=True)
class MatrixSheet:
    """A worksheet that may be the matrix.

    Parameters
    ----------
    name, part
        Name of the tab, and the part of the workbook that holds its cells.
    layout
        Its columns; ``n_head_lines`` is the number of the header's row.
    has_genes
        Whether its first rows are named by human genes.
    """

    name: str
    part: str
    layout: TextLayout
    has_genes: bool


def _open_workbook(path: Path, limits: ReadLimits) -> Workbook:
    # openpyxl takes a tenth of a second to load, which other files need not wait for
    from escape_score.read.files.workbook import open_workbook

    return open_workbook(path, limits)


def _open_matrix(path: Path, request: ReadRequest) -> MatrixReading:
    limits = request.limits
    book = _open_workbook(path, limits)
    if path.suffix.lower() in TEXT_SUFFIXES:  # some step before took it for text
        msg = f"content is an Excel workbook (xlsx) under the name {path.suffix}; "
        raise FileUnreadableError.at(path, msg + "name it .xlsx, or export the sheet as text")
    sheet = _choose_sheet(book, request)
    selected = select_samples(path, sheet.layout, request)
    layout = selected.layout
    sheet = replace(sheet, layout=layout)
    if not request.transpose:
        check_header(str(path), layout.names[layout.gene_column], layout.sample_ids)
        check_samples(str(path), layout.sample_ids, limits, layout=layout_advice(request))
    rows = _gene_rows(path, sheet, book.rows(sheet.part))
    names: list[str] = []
    pieces: list[FloatArray] = []
    while piece := list(islice(rows, PIECE_ROWS)):
        names += [name for name, _ in piece]
        check_filling(path, limits, n_samples=len(layout.sample_columns), n_genes=len(names))
        pieces.append(np.ascontiguousarray(np.stack([values for _, values in piece]).T))
    source = PiecewiseMatrix(layout.sample_ids, tuple(names), tuple(pieces))
    reading = MatrixReading(source, layout.annotation_names, layout=layout_advice(request))
    return turned(str(path), reading, limits) if request.transpose else selected.finished(reading)


# --- which sheet --------------------------------------------------------------------------------------------


def _choose_sheet(book: Workbook, request: ReadRequest) -> MatrixSheet:
    """Choose the sheet named, or the only one with genes and numbers, or else the only one with numbers."""
    parts = _named(book, request.sheet)
    sheets = [sheet for name, part in parts for sheet in _matrix_sheets(book, name, part, request)]
    chosen = [sheet for sheet in sheets if sheet.has_genes] or sheets
    if len(chosen) == 1:
        return chosen[0]
    names = listed([sheet.name for sheet in chosen] or [name for name, _ in parts])
    if chosen:
        msg = f"several sheets of the workbook could be the matrix ({names}); name one with --sheet"
        raise MatrixInvalidError.at(book.path, msg)
    msg = f"no sheet of the workbook is a matrix of genes by samples (sheets: {names}); "
    raise MatrixInvalidError.at(book.path, msg + "give one row for every gene below a header, or it is empty")


def _named(book: Workbook, name: str | None) -> Sequence[tuple[str, str]]:
    """All sheets, or the one of a name; blanks at its ends and case do not count where only one is meant."""
    exact = [sheet for sheet in book.sheets if sheet[0] == name]
    alike = [sheet for sheet in book.sheets if name and sheet[0].strip().lower() == name.strip().lower()]
    if name is None or exact:
        return exact or book.sheets
    if len(alike) != 1:
        found = listed([sheet for sheet, _ in book.sheets])
        asked = did_you_mean(name, [sheet for sheet, _ in book.sheets]) or ";"
        msg = f"the workbook has no sheet {name!r} (sheets: {found}){asked} name one of them with --sheet"
        raise MatrixInvalidError.at(book.path, msg)
    return alike


def _matrix_sheets(book: Workbook, name: str, part: str, request: ReadRequest) -> Iterator[MatrixSheet]:
    """The sheet if it has columns of numbers, else nothing."""
    with closing(book.rows(part)) as rows:
        table = _table(list(islice(rows, N_HEAD_ROWS)))
    if len(table) < 2:  # noqa: PLR2004
        return
    n_columns = max(cell.column for row in table for cell in row.cells) + 1
    header, *body = [row.texts(n_columns) for row in table]
    try:
        layout = layout_of_cells(book.path, table[0].number, header, body, transpose=request.transpose)
    except MatrixInvalidError:
        return
    if any(not is_missing(row[at]) for row in body for at in layout.sample_columns):
        genes = layout.sample_ids if request.transpose else [row[layout.gene_column] for row in body]
        yield MatrixSheet(name, part, layout, gene_fraction(genes) >= MIN_GENE_FRACTION)


def _table(head: Sequence[SheetRow]) -> Sequence[SheetRow]:
    """Leave out the titles above a table, which fill less than half of its columns."""
    width = max((len(row.cells) for row in head), default=0)
    first = next((at for at, row in enumerate(head) if len(row.cells) >= max(2, width / 2)), len(head))
    return head[first:]


# --- its rows -----------------------------------------------------------------------------------------------


def _gene_rows(path: Path, sheet: MatrixSheet, rows: Iterator[SheetRow]) -> Iterator[tuple[str, FloatArray]]:
    """Gene and values, shape (n_samples,), of all rows below the header; faulty cells are named together."""
    layout = sheet.layout
    position_of = {column: position for position, column in enumerate(layout.sample_columns)}
    others = set(range(len(layout.names))).difference(layout.blank_columns)
    faults: list[InputError] = []
    for row in rows:
        if row.number <= layout.n_head_lines:
            continue
        values = np.full(len(position_of), np.nan)
        texts = {cell.column: cell.text for cell in row.cells if cell.column in others}
        name = texts.get(layout.gene_column, "")
        if layout.second_gene_column is not None and is_unnamed(name):
            name = texts.get(layout.second_gene_column, "")
        for cell in row.cells:
            position = position_of.get(cell.column)
            if position is None:
                fault = "" if cell.column in others or not cell.text.strip() else "in a column without a name"
            else:
                values[position], fault = _number(cell, layout.style)
            if fault:
                column = layout.names[cell.column] if cell.column < len(layout.names) else ""
                sample, gene = (name, column) if layout.samples_in_rows else (column, name)
                names = f"sample {sample[:40]}, gene {gene[:40]}"
                place = f"cell {cell.column_letter}{row.number} of sheet {sheet.name[:40]!r}"
                what = f"cell {cell.text[:40]!r} is {fault} ({names}, {place})"
                faults.append(MatrixInvalidError.at(path, f"{what}; give a number, or leave it blank"))
        if len(faults) >= MAX_CELL_FAULTS:
            break
        if name.strip() or not np.isnan(values).all():
            yield name, values
    raise_faults(faults[:MAX_CELL_FAULTS])


def _number(cell: Cell, style: NumberStyle) -> tuple[float, str]:
    """Number of a cell, or what is wrong with it."""
    if cell.kind == "n":
        number = float(cell.value)
        return (number, "") if math.isfinite(number) else (math.nan, "infinite (too large for a number)")
    fault = _KIND_FAULTS.get(cell.kind) or fault_in(cell.text, style)
    is_number = not fault and not is_missing(cell.text)
    return (float(style.plain(cell.text)) if is_number else math.nan), fault


def _count_samples(path: Path, request: ReadRequest) -> int:
    book = _open_workbook(path, request.limits)
    sheet = _choose_sheet(book, request)
    if not request.transpose:
        return len(select_samples(path, sheet.layout, request).sample_ids)
    return sum(1 for _ in _gene_rows(path, sheet, book.rows(sheet.part)))


XLSX = MatrixFormat(
    "Excel workbook (xlsx)", lambda probe: probe.head.startswith(b"PK\x03\x04"), _open_matrix, _count_samples
)
"""Workbooks of Excel 2007 and later, the matrix in one sheet."""
