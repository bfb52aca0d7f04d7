"""GEO series matrix: the table between its markers, genes in rows and samples in columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path

from escape_score.errors import FileUnreadableError, MatrixInvalidError
from escape_score.model.units import ExpressionUnit
from escape_score.read.checks.gene_kinds import kind_of
from escape_score.read.checks.names import MIN_GENE_FRACTION, are_row_numbers, gene_fraction
from escape_score.read.files.series_matrix import (
    TABLE_END,
    SeriesHead,
    read_series_head,
    starts_series_matrix,
)
from escape_score.read.files.streams import iter_lines, open_text
from escape_score.read.formats.reader import (
    MatrixFormat,
    MatrixReading,
    layout_advice,
    refuse_transpose,
)
from escape_score.read.formats.text import N_LAYOUT_LINES, read_table
from escape_score.read.formats.text_layout import TextLayout, find_layout
from escape_score.read.request import ReadRequest

_BY_ARRAY = "profiling by array"
_NANOSTRING_WORDS = ("nanostring", "ncounter")


def _read_layout(path: Path, request: ReadRequest) -> tuple[SeriesHead, TextLayout]:
    """Head of the file and layout of its table.

    Raises MatrixInvalidError: there is no table, or it has no rows.
    """
    refuse_transpose(path, request, "series matrix")
    head = read_series_head(path, request.limits)
    with open_text(path, request.limits) as stream:
        lines = iter_lines(stream, path=path, limits=request.limits)
        table = tuple(islice(lines, head.n_lines, head.n_lines + N_LAYOUT_LINES))
    rows = [line for line in table[1:] if line.strip() and not line.strip('"').startswith("!")]
    if not rows:
        files = [name for name in head.values("Series_supplementary_file") if name.lower() != "none"]
        where = f" ({files[0][:200]})" if files else ""
        msg = (
            "the series matrix has no values, as is usual for RNA-seq; give the counts in the supplementary "
        )
        raise MatrixInvalidError.at(path, f"{msg}files of the series{where}")
    layout = find_layout(path, (table[0], *rows))
    return head, replace(layout, n_head_lines=head.n_lines + 1)


def _open_matrix(path: Path, request: ReadRequest) -> MatrixReading:
    head, layout = _read_layout(path, request)
    _refuse_cut(path, request)
    reading = read_table(path, layout, request.limits, layout_advice(request))
    _refuse_probes(path, head, reading.source.gene_ids)
    return replace(reading, unit=_unit(head))


def _refuse_cut(path: Path, request: ReadRequest) -> None:
    """Refuse a table without the line that ends it."""
    last = b""
    with open_text(path, request.limits) as stream:
        for line in stream:
            last = line if line.strip() else last
    if last.strip().strip(b'"') != TABLE_END.encode():
        msg = f"the table does not end with {TABLE_END}; the file may be truncated, copy it again"
        raise FileUnreadableError.at(path, msg)


def _refuse_probes(path: Path, head: SeriesHead, names: Sequence[str]) -> None:
    """Refuse rows that are named by probes, with the platform whose annotation names their genes."""
    has_genes = gene_fraction(names, with_entrez=not are_row_numbers(names)) >= MIN_GENE_FRACTION
    kind = kind_of(names, are_known_genes=has_genes)
    platforms = sorted({*head.values("Series_platform_id"), *head.values("Sample_platform_id")})
    if platforms and ((kind is not None and "probes" in kind[0].description) or (not has_genes and not kind)):
        msg = f"rows are named by probes of an array, such as {names[0][:40]!r} (platform "
        raise MatrixInvalidError.at(
            path,
            f"{msg}{', '.join(platforms[:5])}); map them to gene symbols with the annotation of the platform "
            "in GEO, one row for every gene",
        )


def _unit(head: SeriesHead) -> ExpressionUnit | None:
    """Unit by the technique that the head names: signals of an array or of NanoString."""
    words = " ".join(cell for _, key, cells in head.lines if "contact" not in key for cell in cells[:1])
    if any(word in words.lower() for word in _NANOSTRING_WORDS):
        return ExpressionUnit.NANOSTRING
    kinds = [kind.lower() for kind in head.values("Series_type")]
    is_array = bool(kinds) and all(_BY_ARRAY in kind for kind in kinds)
    return ExpressionUnit.ARRAY if is_array else None


SERIES_MATRIX = MatrixFormat(
    "GEO series matrix",
    lambda probe: starts_series_matrix(probe.text_head),
    _open_matrix,
    lambda path, request: len(_read_layout(path, request)[1].sample_columns),
)
"""Series matrices with values; their head is read as a sample sheet on request."""
