"""How a text table is laid out by its first lines: delimiter, marks in numbers, header, columns."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from types import MappingProxyType

from escape_score.errors import FileUnreadableError, MatrixInvalidError, listed
from escape_score.model.units import ExpressionUnit
from escape_score.read.checks.cells import NUMBER, NumberStyle, is_missing, looks_numeric, number_style
from escape_score.read.checks.names import (
    ENSEMBL_NAMES,
    ENTREZ_NAMES,
    MOSTLY_GENES,
    SYMBOL_NAMES,
    gene_fraction,
    is_annotation_name,
    is_sheet_name,
    plain_name,
    statistics_among,
)
from escape_score.read.request import DEFAULT_REQUEST, ReadRequest

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

_ID_NAMES = frozenset({"id", "no", "nr", "row", "index", "number", "unnamed_0", ""})
"""Names of a first column of row numbers, or of numbers of probes."""


@dataclass(frozen=True)
class TextLayout:
    """Layout of one text table; where samples are in rows, genes and samples are the other way round.

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
    second_gene_column
        Position of ids that name a gene where its name is empty; None where there is none.
    samples_in_rows
        Whether samples are in rows and genes in columns.
    quantity
        What the values are, where the file says so.
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
    second_gene_column: int | None = None
    samples_in_rows: bool = False
    quantity: Quantity | None = None

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
    """Tell whether a line below the header is blank or a comment, as with ``!`` in files of GEO."""
    return line.startswith(("#", "!")) or not line.strip()


def find_layout(
    path: Path,
    lines: Sequence[str],
    *,
    more_lines: Sequence[str] = (),
    request: ReadRequest = DEFAULT_REQUEST,
    is_headerless: bool = False,
) -> TextLayout:
    """Find the layout of a text table by its first lines; names are not checked.

    Parameters
    ----------
    path
        Named in errors.
    lines, more_lines
        First lines of the file, and lines below these that show only how numbers are written.
    request
        Whether samples are in rows, and the unit declared.
    is_headerless
        Whether two columns are known to have no header; otherwise the first gene decides.

    Raises
    ------
    FileUnreadableError
        The lines hold no table.
    MatrixInvalidError
        There is a header and nothing below it, or header and rows have different widths.
    """
    filled = [at for at, line in enumerate(lines) if not is_skipped(line)]
    if not filled:
        msg = "the file is empty (no line with content); give a table of genes by samples"
        raise FileUnreadableError.at(path, msg)
    body = [lines[at] for at in filled]
    delimiter = _delimiter(path, body)
    rows = [split_line(line, delimiter) for line in body]
    more = [split_line(line, delimiter) for line in more_lines if not is_skipped(line)]
    header, n_head_lines = _commented_header(lines[: filled[0]], rows, delimiter), filled[0]
    header = header or _header_of_counts(rows[0], is_certain=is_headerless)
    if header is None:
        header, rows, n_head_lines = rows[0], rows[1:], filled[0] + 1
    chosen: _Chosen | None = None
    if rows and plain_name(header[0]) == _FIREHOSE_CORNER and n_head_lines == filled[0] + 1:
        chosen = _choose_quantity(path, header, rows[0], request)
        header, rows, n_head_lines = chosen.header, rows[1:], filled[1] + 1
    layout = layout_of_cells(
        path, n_head_lines, header, rows, delimiter=delimiter, transpose=request.transpose
    )
    if chosen is not None:
        layout = chosen.applied_to(layout)
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
    path: Path,
    n_head_lines: int,
    header: list[str],
    rows: Sequence[Sequence[str]],
    *,
    delimiter: str = "\t",
    transpose: bool = False,
) -> TextLayout:
    """Decide what each column of a table is; names are not checked.

    Raises MatrixInvalidError: there is no row, or header and rows have different widths.
    """
    if not rows:
        msg = f"no gene rows below the header (line {n_head_lines}); give one row for every gene"
        raise MatrixInvalidError.at(path, msg)
    names = _column_names(path, n_head_lines, header, rows)
    table = _Table(names, list(zip(*(row for row in rows if len(row) == len(names)), strict=True)))
    gene_column = table.row_name_column() if transpose else table.gene_column()
    others = [at for at in range(len(names)) if at != gene_column and at not in table.blank]
    samples = table.gene_columns(others, gene_column) if transpose else table.samples(others, gene_column)
    annotation = tuple(sorted(set(others).difference(samples)))
    style = number_style([cell for at in samples for cell in table.columns[at]])
    return TextLayout(
        delimiter,
        style,
        n_head_lines,
        names,
        gene_column,
        samples,
        annotation,
        tuple(sorted(table.blank)),
        rows,
        None if transpose else table.second_gene_column(gene_column),
        samples_in_rows=transpose,
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
    msg = f"the header (line {header_line}) has {len(header)} fields, the rows below have {width}; "
    raise MatrixInvalidError.at(path, msg + "give every column one name")


def _is_numeric(cells: Sequence[str]) -> bool:
    """Tell whether most cells that are not missing are numbers; nothing but missing cells counts too."""
    given = [cell for cell in cells if not is_missing(cell)]
    return sum(looks_numeric(cell) for cell in given) >= MIN_NUMERIC_FRACTION * len(given)


@dataclass(frozen=True)
class _Table:
    """First rows of a table by columns, and which of them hold numbers."""

    names: Sequence[str]
    columns: Sequence[Sequence[str]]

    @cached_property
    def plain_names(self) -> list[str]:
        """Names as ``ANNOTATION_NAMES`` has them."""
        return [plain_name(name) for name in self.names]

    @cached_property
    def is_numeric(self) -> list[bool]:
        """Whether each column holds numbers."""
        return [_is_numeric(cells) for cells in self.columns]

    @cached_property
    def blank(self) -> frozenset[int]:
        """Columns without name and content, left of a table in a sheet, or made by trailing delimiters."""
        every = range(len(self.names))
        return frozenset(at for at in every if not any(map(str.strip, (self.names[at], *self.columns[at]))))

    @cached_property
    def first(self) -> int:
        """The first column that is not blank."""
        return next((at for at in range(len(self.names)) if at not in self.blank), 0)

    @cached_property
    def has_row_numbers(self) -> bool:
        """Whether the first column counts its rows, from 0 or 1."""
        return [cell.strip() for cell in self.columns[self.first][:3]] in (["0", "1", "2"], ["1", "2", "3"])

    def row_name_column(self) -> int:
        """Choose the column of sample names where samples are in rows."""
        named = [at for at, name in enumerate(self.plain_names) if name == "sample_id"]
        return named[0] if named else self.first + int(self._is_second_named())

    def _is_second_named(self) -> bool:
        """Whether row numbers come first, and text follows them."""
        second = self.first + 1
        return self.has_row_numbers and second < len(self.names) and not self.is_numeric[second]

    def gene_columns(self, candidates: Sequence[int], name_column: int) -> tuple[int, ...]:
        """Columns of genes where samples are in rows: numbers that are not of a sheet, nor row numbers."""
        is_named = self.plain_names[name_column] == "sample_id"
        numeric = (at for at in candidates if (is_named or at > name_column) and self.is_numeric[at])
        return tuple(at for at in numeric if not is_sheet_name(self.names[at]))

    def samples(self, candidates: Sequence[int], gene_column: int) -> tuple[int, ...]:
        """Columns of numbers whose names do not say that they describe, test or sum up genes."""
        numeric = [at for at in candidates if not self._describes_gene(at, gene_column)]
        others = [self.names[at] for at in candidates]
        left_out = statistics_among([self.names[at] for at in numeric], others=others)
        return tuple(at for position, at in enumerate(numeric) if position not in left_out)

    def gene_column(self) -> int:
        """Choose the gene column: the first, unless another holds the genes and it does not."""
        first = self.columns[self.first]
        if any(cell.startswith("ENSG") for cell in first) or self.plain_names[self.first] in SYMBOL_NAMES:
            return self.first
        text = [at for at in range(len(self.names)) if not self.is_numeric[at] and at not in self.blank]
        named = [at for name in SYMBOL_NAMES for at in text if self.plain_names[at] == name]
        known = [at for at in (*named, *text) if self._holds_genes(at)]
        if known or named:
            return (known or named)[0]
        ids = [at for name in ENTREZ_NAMES for at in range(len(self.names)) if self.plain_names[at] == name]
        if ids and not gene_fraction(first, with_entrez=not self.has_row_numbers):
            return ids[0]
        return self.first + int(self._is_second_named())

    def _holds_genes(self, at: int) -> bool:
        return gene_fraction(self.columns[at], with_entrez=False) >= MOSTLY_GENES

    def _describes_gene(self, at: int, gene_column: int) -> bool:
        """Whether a column is no sample: text, named for what it describes, or ids before the genes."""
        if is_annotation_name(self.names[at]) or not self.is_numeric[at]:
            return True
        return at < gene_column and self._holds_ids(at, gene_column)

    def _holds_ids(self, at: int, gene_column: int) -> bool:
        """Whether a column before the genes numbers its rows; samples may be there too.

        Where samples follow the genes, ids are whole numbers that all differ. Counts of a hundred genes do
        not all differ, if only for those at 0.
        """
        if self.plain_names[at] in _ID_NAMES or (at == self.first and self.has_row_numbers):
            return True
        after = range(gene_column + 1, len(self.names))
        cells = [cell.strip() for cell in self.columns[at]]
        is_distinct = len(set(cells)) == len(cells) and all(cell.isdecimal() for cell in cells)
        return is_distinct and any(self.is_numeric[other] and other not in self.blank for other in after)

    def second_gene_column(self, gene_column: int) -> int | None:
        """Column of Entrez or Ensembl ids by which genes without a symbol can be named."""
        if self.plain_names[gene_column] not in SYMBOL_NAMES:
            return None
        ids = (*ENSEMBL_NAMES, *ENTREZ_NAMES)
        return next((self.plain_names.index(name) for name in ids if name in self.plain_names), None)


# --- a second header, as Firehose writes it -----------------------------------------------------------------

_FIREHOSE_CORNER = "hybridization_ref"


@dataclass(frozen=True)
class Quantity:
    """What the values of a table are, where the file says so.

    Parameters
    ----------
    unit
        Unit of the values; None where the numbers decide.
    factor
        Number by which values are multiplied to be in that unit.
    """

    unit: ExpressionUnit | None
    factor: float = 1.0


_QUANTITIES = MappingProxyType(
    {
        "scaled_estimate": Quantity(ExpressionUnit.TPM, 1e6),
        "rpkm": Quantity(ExpressionUnit.FPKM),
        "normalized_count": Quantity(None),
        "raw_count": Quantity(ExpressionUnit.COUNTS),
        "raw_counts": Quantity(ExpressionUnit.COUNTS),
    }
)
"""Second header lines of the RNA-seq tables of Firehose (TCGA level 3), best first. ``scaled_estimate`` is
the estimated fraction of transcripts, TPM / 1e6 (manual of rsem-calculate-expression)."""


@dataclass(frozen=True)
class _Chosen:
    """The quantity read, its columns, and a header that names the others by their quantities."""

    quantity: Quantity
    columns: frozenset[int]
    header: list[str]

    def applied_to(self, layout: TextLayout) -> TextLayout:
        """Keep the columns of this quantity."""
        samples = tuple(at for at in layout.sample_columns if at in self.columns)
        others = tuple(sorted({*layout.annotation_columns, *layout.sample_columns}.difference(samples)))
        return replace(layout, sample_columns=samples, annotation_columns=others, quantity=self.quantity)


def _choose_quantity(path: Path, header: list[str], second: list[str], request: ReadRequest) -> _Chosen:
    """Choose among the quantities that a second header names, by the unit declared or the best there is.

    Raises MatrixInvalidError: there is none that can be read, or none in the unit declared.
    """
    kinds = [plain_name(cell) for cell in second]
    found = [kind for kind in _QUANTITIES if kind in kinds]
    fitting = [kind for kind in found if _QUANTITIES[kind].unit in (None, request.units)]
    chosen = found if request.units is ExpressionUnit.AUTO else fitting
    if not chosen or len(header) != len(second):
        named = listed(sorted(set(second[1:])), limit=4)
        msg = f"no readable quantity in the second header line ({named}); give a table of "
        raise MatrixInvalidError.at(path, msg + f"{', '.join(_QUANTITIES)} that fits --units")
    columns = frozenset(at for at, kind in enumerate(kinds) if kind == chosen[0])
    names = [name if at in columns or not at else second[at] for at, name in enumerate(header)]
    return _Chosen(_QUANTITIES[chosen[0]], columns, names)
