"""How a text table is laid out, told by its first lines: delimiter, marks in numbers, header, columns."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from escape_score.errors import FileUnreadableError, MatrixInvalidError
from escape_score.read.checks.cells import NumberStyle, is_missing, looks_numeric, number_style
from escape_score.read.checks.names import SYMBOL_NAMES, is_annotation_name, plain_name

DELIMITERS = ("\t", ";", ",", " ", "|")
"""In the order of trust: a tab hardly ever stands inside a cell, a bar often (``SYMBOL|ID``)."""

NEARLY_ALL, HALF = 0.9, 0.5
"""Share of lines a delimiter must cut alike; half will do where none does better, to name the odd lines."""

MIN_NUMERIC_FRACTION = 0.5
"""A column whose cells are numbers less often than this describes genes."""


@dataclass(frozen=True)
class TextLayout:
    """Layout of one text table.

    Parameters
    ----------
    delimiter
        One character.
    style
        How numbers are written.
    n_head_lines
        Lines from the top of the file to the header, the header included.
    names
        Name of every column of the data rows, as in the header.
    gene_column
        Position of the gene names.
    sample_columns, annotation_columns, blank_columns
        Positions of samples, of columns that describe genes, and of trailing columns without name and
        content.
    """

    delimiter: str
    style: NumberStyle
    n_head_lines: int
    names: tuple[str, ...]
    gene_column: int
    sample_columns: tuple[int, ...]
    annotation_columns: tuple[int, ...]
    blank_columns: tuple[int, ...]

    @property
    def sample_ids(self) -> tuple[str, ...]:
        """Sample names in the order of the file."""
        return tuple(self.names[column] for column in self.sample_columns)


def split_line(line: str, delimiter: str) -> list[str]:
    """Split one line into cells, double quotes taken off."""
    if '"' not in line:
        return line.split(delimiter)
    try:
        return next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error:  # a stray quote makes one cell of all that follows
        return line.split(delimiter)


def is_skipped(line: str) -> bool:
    """Tell whether a line below the header is blank or a comment."""
    return line.startswith("#") or not line.strip()


def find_layout(path: Path, lines: Sequence[str], *, more_lines: Sequence[str] = ()) -> TextLayout:
    """Tell the layout of a text table.

    Parameters
    ----------
    path
        Named in errors.
    lines
        First lines of the file.
    more_lines
        Lines below these; only the way numbers are written is told by them too.

    Returns
    -------
    TextLayout
        Names are not checked.

    Raises
    ------
    FileUnreadableError
        The lines hold no table.
    MatrixInvalidError
        There is a header and nothing below it, or header and rows have different widths.
    """
    first = next((at for at, line in enumerate(lines) if not is_skipped(line)), None)
    if first is None:
        msg = f"{path}: the file is empty (no line with content); give a table of genes by samples"
        raise FileUnreadableError(msg)
    body = [line for line in lines[first:] if not is_skipped(line)]
    delimiter = _delimiter(path, body)
    rows = [split_line(line, delimiter) for line in body]
    commented = _commented_header(lines[:first], rows, delimiter)
    if commented is not None:
        at, header = commented
        layout = layout_of_cells(path, at + 1, header, rows, delimiter=delimiter)
    else:
        layout = layout_of_cells(path, first + 1, rows[0], rows[1:], delimiter=delimiter)
    return _with_style(layout, rows, more_lines)


def _with_style(layout: TextLayout, rows: Sequence[Sequence[str]], more_lines: Sequence[str]) -> TextLayout:
    """Tell the way numbers are written by more lines than the layout needs."""
    more = [split_line(line, layout.delimiter) for line in more_lines if not is_skipped(line)]
    full = [row for row in (*rows, *more) if len(row) == len(layout.names)]
    return replace(layout, style=number_style([row[at] for row in full for at in layout.sample_columns]))


def _delimiter(path: Path, body: Sequence[str]) -> str:
    """Choose the first delimiter that cuts nearly all lines into equally many cells."""
    for share in (NEARLY_ALL, HALF):
        for delimiter in DELIMITERS:
            widths = Counter(len(split_line(line, delimiter)) for line in body[1:] or body)
            width, count = widths.most_common(1)[0]
            if width > 1 and count >= share * widths.total():
                return delimiter
    msg = (
        f"{path}: no columns of genes and samples found (no tab, semicolon, comma, space or bar cuts all "
        "lines); give a table of genes by samples"
    )
    raise FileUnreadableError(msg)


def _commented_header(
    above: Sequence[str], rows: Sequence[Sequence[str]], delimiter: str
) -> tuple[int, list[str]] | None:
    """Find a header that starts with '#': the last comment, as wide as the rows, above a row of numbers."""
    at = len(above) - 1
    if at < 0 or not above[at].startswith("#") or not _is_data(rows[0]):
        return None
    header = split_line(above[at][1:], delimiter)
    return (at, header) if len(header) == len(rows[0]) else None


def _is_data(row: Sequence[str]) -> bool:
    cells = row[1:]
    return sum(looks_numeric(cell) for cell in cells) > len(cells) / 2


def layout_of_cells(
    path: Path, n_head_lines: int, header: list[str], rows: Sequence[Sequence[str]], *, delimiter: str = "\t"
) -> TextLayout:
    """Tell what each column of a table is.

    Parameters
    ----------
    path
        Named in errors.
    n_head_lines
        Lines down to the header, the header included.
    header
        Cells of the header.
    rows
        Cells of the rows below it.
    delimiter
        Between the cells.

    Returns
    -------
    TextLayout
        Names are not checked.

    Raises
    ------
    MatrixInvalidError
        There is no row, or header and rows have different widths.
    """
    if not rows:
        msg = f"{path}: no gene rows below the header (line {n_head_lines}); give one row for every gene"
        raise MatrixInvalidError(msg)
    names = _column_names(path, n_head_lines, header, rows)
    full = [row for row in rows if len(row) == len(names)]
    columns = list(zip(*full, strict=True))
    gene_column = _gene_column(names, columns)
    blank = _blank_columns(names, columns)
    others = [at for at in range(len(names)) if at != gene_column and at not in blank]
    annotation = tuple(
        at
        for at in others
        if at < gene_column or is_annotation_name(names[at]) or not _is_numeric(columns[at])
    )
    samples = tuple(sorted(set(others).difference(annotation)))
    style = number_style([cell for at in samples for cell in columns[at]])
    return TextLayout(
        delimiter, style, n_head_lines, names, gene_column, samples, annotation, tuple(sorted(blank))
    )


def _column_names(
    path: Path, header_line: int, header: list[str], rows: Sequence[Sequence[str]]
) -> tuple[str, ...]:
    """Fit the header to the rows: as wide, or one short for lack of a corner (R) or of a blank name."""
    width = Counter(len(row) for row in rows).most_common(1)[0][0]
    if len(header) == width:
        return tuple(header)
    if len(header) == width - 1:
        ends_blank = all(not row[-1].strip() for row in rows if len(row) == width)
        return (*header, "") if ends_blank else ("", *header)
    msg = f"{path}: the header (line {header_line}) has {len(header)} fields, the rows below have {width}; "
    raise MatrixInvalidError(msg + "give every column one name")


def _blank_columns(names: Sequence[str], columns: Sequence[Sequence[str]]) -> set[int]:
    """Find columns without a name and without content, as trailing delimiters make them."""
    return {
        at
        for at in range(1, len(names))
        if not names[at].strip() and all(not cell.strip() for cell in columns[at])
    }


def _is_numeric(cells: Sequence[str]) -> bool:
    """Tell whether most cells that are not missing are numbers; nothing but missing cells counts too."""
    given = [cell for cell in cells if not is_missing(cell)]
    return sum(looks_numeric(cell) for cell in given) >= MIN_NUMERIC_FRACTION * len(given)


def _gene_column(names: Sequence[str], columns: Sequence[Sequence[str]]) -> int:
    """Choose the gene column: the first, unless it holds row numbers or probe ids beside a symbol column."""
    if any(cell.startswith("ENSG") for cell in columns[0]) or plain_name(names[0]) in SYMBOL_NAMES:
        return 0
    plain = [plain_name(name) for name in names]
    named = [
        plain.index(name)
        for name in SYMBOL_NAMES
        if name in plain and not _is_numeric(columns[plain.index(name)])
    ]
    if named:
        return named[0]
    is_row_number = [cell.strip() for cell in columns[0][:3]] in (["0", "1", "2"], ["1", "2", "3"])
    is_text = len(names) > 1 and not _is_numeric(columns[1])
    return 1 if is_row_number and is_text else 0
