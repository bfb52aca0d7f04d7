"""GCT 1.2 and 1.3, the text format of GenePattern and of the Connectivity Map."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from escape_score.errors import MatrixInvalidError
from escape_score.read.checks.cells import PLAIN_STYLE
from escape_score.read.checks.names import MIN_GENE_FRACTION, TRANSPOSED_FRACTION, gene_fraction
from escape_score.read.files.limits import ReadLimits, check_shape
from escape_score.read.files.probe import Probe
from escape_score.read.files.streams import encoding_of, iter_lines, open_text
from escape_score.read.formats.reader import IN_COLUMNS, MatrixFormat, MatrixReading, refuse_transpose
from escape_score.read.formats.text import read_table
from escape_score.read.formats.text_layout import TextLayout, split_line
from escape_score.read.request import ReadRequest

_SIZE_LINE, _HEADER_LINE = 2, 3
_VERSIONS = ("#1.2", "#1.3")
_N_PROBED_ROWS = 1_000
_DELIMITER = "\t"


class GctSize(NamedTuple):
    """What the second line promises: rows and columns of numbers, and those that describe genes and samples.

    Columns that describe genes are between the id and the first sample, rows that describe samples between
    the header and the first gene.
    """

    n_genes: int
    n_samples: int
    n_gene_fields: int = 1
    n_sample_fields: int = 0

    @property
    def width(self) -> int:
        """Columns of the file."""
        return 1 + self.n_gene_fields + self.n_samples


def _is_gct(probe: Probe) -> bool:
    head = probe.text_head
    first = head[:64].decode(encoding_of(head), errors="replace").lstrip("\ufeff").splitlines()[:1]
    return bool(first) and _first_field(first[0]) in _VERSIONS


def _first_field(line: str) -> str:
    """First field of a line, without what a spreadsheet adds when it saves one."""
    return line.split(_DELIMITER, maxsplit=1)[0].strip().strip('",')


def _read_head(path: Path, limits: ReadLimits) -> tuple[GctSize, list[str], list[list[str]]]:
    """Size, header and first gene rows."""
    with open_text(path, limits) as stream:
        lines = iter_lines(stream, path=path, limits=limits)
        top = list(islice(lines, _HEADER_LINE))
        if len(top) < _HEADER_LINE:
            msg = f"GCT file of {len(top)} lines, without a header; the file may be truncated"
            raise MatrixInvalidError.at(path, msg)
        size = _size(path, _first_field(top[0]), top[1])
        check_shape(path, limits, n_samples=size.n_samples, n_genes=size.n_genes)
        body = islice(lines, size.n_sample_fields, size.n_sample_fields + _N_PROBED_ROWS)
        rows = [split_line(line, _DELIMITER) for line in body]
    return size, _header(path, size, split_line(top[2], _DELIMITER)), rows


def _size(path: Path, version: str, line: str) -> GctSize:
    fields = [field.strip().strip('"') for field in line.split(_DELIMITER)]
    while fields and not fields[-1]:
        fields.pop()
    n_expected = 2 if version == "#1.2" else 4
    if len(fields) != n_expected or not all(field.isascii() and field.isdecimal() for field in fields):
        msg = f"line {_SIZE_LINE} of a GCT {version[1:]} must hold {n_expected} numbers of rows and columns; "
        raise MatrixInvalidError.at(path, msg + f"it holds {line[:60]!r}")
    if any(len(field) > len("1000000000") for field in fields):
        msg = f"too large (line {_SIZE_LINE} promises {line[:60]!r} rows and columns)"
        raise MatrixInvalidError.at(path, msg)
    return GctSize(*map(int, fields))


def _header(path: Path, size: GctSize, header: list[str]) -> list[str]:
    """Header without the blank fields that a spreadsheet leaves at its end."""
    while len(header) > size.width and not header[-1].strip():
        header = header[:-1]
    if len(header) != size.width:
        n_found = len(header) - 1 - size.n_gene_fields
        msg = f"the header (line {_HEADER_LINE}) has {n_found} samples where line {_SIZE_LINE} promises "
        msg += f"{size.n_samples} (dimensions do not match); is the file truncated?"
        raise MatrixInvalidError.at(path, msg)
    return header


def _layout(size: GctSize, header: list[str], rows: Sequence[Sequence[str]]) -> TextLayout:
    described = range(1 + size.n_gene_fields)
    gene_column = _gene_column(described, rows)
    blank = range(size.width, max((len(row) for row in rows), default=0))
    return TextLayout(
        delimiter=_DELIMITER,
        style=PLAIN_STYLE,
        n_head_lines=_HEADER_LINE + size.n_sample_fields,
        names=(*header, *("" for _ in blank)),
        gene_column=gene_column,
        sample_columns=tuple(range(1 + size.n_gene_fields, size.width)),
        annotation_columns=tuple(at for at in described if at != gene_column),
        blank_columns=tuple(blank),
    )


def _gene_column(described: range, rows: Sequence[Sequence[str]]) -> int:
    """Choose the ids, unless only a column that describes them holds genes."""
    fractions = [gene_fraction([row[at] for row in rows if len(row) > at]) for at in described]
    best = fractions.index(max(fractions))
    is_needed = fractions[0] < MIN_GENE_FRACTION and fractions[best] >= TRANSPOSED_FRACTION
    return best if is_needed else 0


def _open_matrix(path: Path, request: ReadRequest) -> MatrixReading:
    limits = request.limits
    refuse_transpose(path, request, "GCT file")
    size, header, rows = _read_head(path, limits)
    reading = read_table(path, _layout(size, header, rows), limits, f"write it anew: {IN_COLUMNS}")
    n_rows = len(reading.source.gene_ids)
    if n_rows != size.n_genes:
        msg = f"{n_rows} gene rows where line {_SIZE_LINE} promises {size.n_genes} (dimensions do not "
        raise MatrixInvalidError.at(path, msg + "match); the file may be truncated, copy it again")
    return reading


def _count_samples(path: Path, request: ReadRequest) -> int:
    return _read_head(path, request.limits)[0].n_samples


GCT = MatrixFormat("GCT 1.2 or 1.3", _is_gct, _open_matrix, _count_samples)
"""Genes with an id and descriptions; what describes samples is passed over."""
