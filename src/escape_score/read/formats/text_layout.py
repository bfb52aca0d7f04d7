"""How a text table is laid out by its first lines: delimiter, marks in numbers, header, columns."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from escape_score.errors import FileUnreadableError, MatrixInvalidError
from escape_score.read.checks.cells import NUMBER, NumberStyle, is_missing, looks_numeric, number_style
from escape_score.read.checks.names import (
    SYMBOL_NAMES,
    gene_fraction,
    is_annotation_name,
    is_test_name,
    plain_name,
    statistics_among,
)

DELIMITERS = ("\t", ";", ",", " ", "|")
"""In the order of trust: a tab is hardly ever inside a cell, a bar often (``SYMBOL|ID``)."""

NEARLY_ALL, HALF = 0.9, 0.5
"""Share of lines a delimiter must cut alike; half will do where none does better, to name the odd lines."""

MIN_NUMERIC_FRACTION = 0.5
"""A column whose cells are numbers less often than this describes genes."""

STRAND_COLUMNS = ("unstranded", "stranded_first", "stranded_second")
"""Counts of STAR by strandedness, named as in tables of the GDC."""

_STAR_FIRST = "N_unmapped"
"""First cell of STAR's ReadsPerGene.out.tab, which has no header."""


@dataclass(frozen=True)
class TextLayout:
    """Layout of one text table.

    Parameters
    ----------
    delimiter, style
        One character between cells, and how numbers are written.
    n_head_lines
        Lines from the top of the file to the header, the header included.
    names
        Name of every column of the data rows, as in the header.
    gene_column, sample_columns, annotation_columns, blank_columns
        Positions of gene names, of samples, of columns that describe genes, and of trailing columns without
        name and content.
    first_rows
        Cells of the first rows by which the layout was found.
    """

    delimiter: str
    style: NumberStyle
    n_head_lines: int
    names: tuple[str, ...]
    gene_column: int
    sample_columns: tuple[int, ...]
    annotation_columns: tuple[int, ...]
    blank_columns: tuple[int, ...]
    first_rows: Sequence[Sequence[str]] = field(default=(), repr=False)

    @property
    def first_genes(self) -> tuple[str, ...]:
        """Names of the first rows."""
        return self.first_cells(self.gene_column)

    def first_cells(self, column: int) -> tuple[str, ...]:
        """Cells of a column in the first rows."""
        return tuple(row[column] for row in self.first_rows if len(row) == len(self.names))

    @property
    def sample_ids(self) -> tuple[str, ...]:
        """Sample names in the order of the file."""
        return tuple(self.names[column] for column in self.sample_columns)

    @property
    def annotation_names(self) -> tuple[str, ...]:
        """Names of the columns that describe genes."""
        return tuple(self.names[column] for column in self.annotation_columns)


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


def find_layout(
    path: Path, lines: Sequence[str], *, more_lines: Sequence[str] = (), is_headerless: bool = False
) -> TextLayout:
    """Find the layout of a text table by its first lines; names are not checked.

    Parameters
    ----------
    path
        Named in errors.
    lines, more_lines
        First lines of the file, and lines below these that show only how numbers are written.
    is_headerless
        Whether two columns are known to have no header; otherwise the first gene decides.

    Raises
    ------
    FileUnreadableError
        The lines hold no table.
    MatrixInvalidError
        There is a header and nothing below it, or header and rows have different widths.
    """
    first = next((at for at, line in enumerate(lines) if not is_skipped(line)), None)
    if first is None:
        msg = "the file is empty (no line with content); give a table of genes by samples"
        raise FileUnreadableError.at(path, msg)
    body = [line for line in lines[first:] if not is_skipped(line)]
    delimiter = _delimiter(path, body)
    rows = [split_line(line, delimiter) for line in body]
    more = [split_line(line, delimiter) for line in more_lines if not is_skipped(line)]
    header = _commented_header(lines[:first], rows, delimiter)
    header = header or _header_of_counts(rows[0], is_certain=is_headerless)
    if header is not None:
        layout = layout_of_cells(path, first, header, rows, delimiter=delimiter)
    else:
        layout = layout_of_cells(path, first + 1, rows[0], rows[1:], delimiter=delimiter)
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
    msg = "no columns of genes and samples found (no tab, semicolon, comma, space or bar cuts all lines); "
    raise FileUnreadableError.at(path, msg + "give a table of genes by samples")


def _commented_header(
    above: Sequence[str], rows: Sequence[Sequence[str]], delimiter: str
) -> list[str] | None:
    """Find a header that starts with '#': the last comment, as wide as the rows, above a row of numbers."""
    values = rows[0][1:]
    if not above or not above[-1].startswith("#") or 2 * sum(map(looks_numeric, values)) <= len(values):
        return None
    header = split_line(above[-1][1:], delimiter)
    return header if len(header) == len(rows[0]) else None


def _header_of_counts(first: Sequence[str], *, is_certain: bool) -> list[str] | None:
    """Make up a header where a program writes none: STAR's counts, and two columns of gene and number."""
    if first[0] == _STAR_FIRST and len(first) == 1 + len(STRAND_COLUMNS):
        return ["gene_id", *STRAND_COLUMNS]
    if len(first) != 2 or not NUMBER.fullmatch(first[1].strip()):  # noqa: PLR2004
        return None
    return ["gene_id", "value"] if is_certain or gene_fraction(first[:1]) else None


def layout_of_cells(
    path: Path, n_head_lines: int, header: list[str], rows: Sequence[Sequence[str]], *, delimiter: str = "\t"
) -> TextLayout:
    """Decide what each column of a table is; names are not checked.

    Raises MatrixInvalidError: there is no row, or header and rows have different widths.
    """
    if not rows:
        msg = f"no gene rows below the header (line {n_head_lines}); give one row for every gene"
        raise MatrixInvalidError.at(path, msg)
    names = _column_names(path, n_head_lines, header, rows)
    columns = list(zip(*(row for row in rows if len(row) == len(names)), strict=True))
    gene_column = _gene_column(names, columns)
    # trailing delimiters make columns without name and content
    blank = {at for at in range(1, len(names)) if not any(map(str.strip, (names[at], *columns[at])))}
    others = [at for at in range(len(names)) if at != gene_column and at not in blank]
    samples = _sample_columns(names, columns, [at for at in others if at > gene_column])
    annotation = tuple(sorted(set(others).difference(samples)))
    style = number_style([cell for at in samples for cell in columns[at]])
    return TextLayout(
        delimiter, style, n_head_lines, names, gene_column, samples, annotation, tuple(sorted(blank)), rows
    )


def _sample_columns(
    names: Sequence[str], columns: Sequence[Sequence[str]], candidates: Sequence[int]
) -> tuple[int, ...]:
    """Columns of numbers whose names do not say that they describe, test or sum up genes."""
    named = [at for at in candidates if not is_annotation_name(names[at])]
    numeric = [at for at in named if _is_numeric(columns[at])]
    are_tested = any(is_test_name(names[at]) for at in candidates)
    left_out = statistics_among([names[at] for at in numeric], are_tested=are_tested)
    return tuple(at for position, at in enumerate(numeric) if position not in left_out)


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
    msg = f"the header (line {header_line}) has {len(header)} fields, the rows below have {width}; "
    raise MatrixInvalidError.at(path, msg + "give every column one name")


def _is_numeric(cells: Sequence[str]) -> bool:
    """Tell whether most cells that are not missing are numbers; nothing but missing cells counts too."""
    given = [cell for cell in cells if not is_missing(cell)]
    return sum(looks_numeric(cell) for cell in given) >= MIN_NUMERIC_FRACTION * len(given)


def _gene_column(names: Sequence[str], columns: Sequence[Sequence[str]]) -> int:
    """Choose the gene column: the first, unless it holds row numbers or probe ids and another the symbols."""
    plain = [plain_name(name) for name in names]
    if any(cell.startswith("ENSG") for cell in columns[0]) or plain[0] in SYMBOL_NAMES:
        return 0
    named = [plain.index(name) for name in SYMBOL_NAMES if name in plain]
    of_text = [at for at in named if not _is_numeric(columns[at])]
    if of_text:
        return of_text[0]
    is_row_number = [cell.strip() for cell in columns[0][:3]] in (["0", "1", "2"], ["1", "2", "3"])
    is_text = len(names) > 1 and not _is_numeric(columns[1])
    return 1 if is_row_number and is_text else 0
