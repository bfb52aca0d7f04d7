"""Head of a GEO series matrix: what is stated of the series and its samples, above the table.

Lines are ``!Series_key``, or ``!Sample_key`` and one cell for each sample, in quotes and separated by tabs.
The table is between ``!series_matrix_table_begin`` and ``!series_matrix_table_end`` (NCBI GEO).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from escape_score.errors import SampleSheetInvalidError
from escape_score.read.files.limits import DEFAULT_LIMITS, ReadLimits
from escape_score.read.files.streams import iter_lines, open_bytes, open_text

TABLE_BEGIN, TABLE_END = "!series_matrix_table_begin", "!series_matrix_table_end"
_STARTS = (b"!Series_", b'"!Series_')
_PAIR = re.compile(r"\s*([^:]{1,80}?)\s*:\s+(.*)|\s*([^:]{1,80}?)\s*:")


@dataclass(frozen=True)
class SeriesHead:
    """Head of a series matrix.

    Parameters
    ----------
    lines
        Number of each line from 1, its key without ``!``, and its cells.
    n_lines
        Lines down to the one that begins the table, or of the file where there is none.
    has_table
        Whether there is such a line.
    """

    lines: tuple[tuple[int, str, tuple[str, ...]], ...]
    n_lines: int
    has_table: bool

    def values(self, key: str) -> tuple[str, ...]:
        """Cells of all lines of a key."""
        return tuple(cell for _, own, cells in self.lines if own == key for cell in cells)


def starts_series_matrix(head: bytes) -> bool:
    """Recognise a series matrix by the first bytes of its text."""
    return head.removeprefix(b"\xef\xbb\xbf").startswith(_STARTS)


def is_series_matrix(path: Path) -> bool:
    """Recognise a series matrix, plain or packed; False where there is no such file."""
    try:
        if not path.is_file():
            return False
        with open_bytes(path, DEFAULT_LIMITS) as stream:
            return starts_series_matrix(stream.read(16))
    except OSError:
        return False


def read_series_head(path: Path, limits: ReadLimits = DEFAULT_LIMITS) -> SeriesHead:
    """Read the lines above the table.

    Raises FileUnreadableError: the file is damaged, or a line is longer than is read.
    """
    lines: list[tuple[int, str, tuple[str, ...]]] = []
    number = 0
    with open_text(path, limits) as stream:
        for number, line in enumerate(iter_lines(stream, path=path, limits=limits), start=1):
            key, *cells = (cell.strip().strip('"') for cell in line.split("\t"))
            if key == TABLE_BEGIN:
                return SeriesHead(tuple(lines), number, has_table=True)
            if key.startswith("!"):
                lines.append((number, key[1:], tuple(cells)))
    return SeriesHead(tuple(lines), number, has_table=False)


def series_sheet(path: Path) -> tuple[int, tuple[dict[str, str], ...]]:
    """What a series matrix states of each sample, as the rows of a sample sheet.

    Returns
    -------
    tuple
        The line that names the samples, and a row for each sample: ``sample_id`` (its accession, GSM…),
        ``title``, ``source_name``, and one column for each name of a characteristic, in lower case. All rows
        have all columns.

    Raises
    ------
    SampleSheetInvalidError
        No line names the samples, or a line has another number of cells.
    """
    head = read_series_head(path)
    ids = next(((at, cells) for at, key, cells in head.lines if key == "Sample_geo_accession"), None)
    if ids is None or not ids[1]:
        msg = "a series matrix without !Sample_geo_accession; download the file again"
        raise SampleSheetInvalidError.at(path, msg)
    rows: list[dict[str, str]] = [{"sample_id": name} for name in ids[1]]
    for number, key, cells in head.lines:
        if not key.startswith(("Sample_title", "Sample_source_name", "Sample_characteristics")):
            continue
        if len(cells) != len(rows):
            msg = f"line {number} has {len(cells)} cells for {len(rows)} samples; download the file again"
            raise SampleSheetInvalidError.at(path, msg)
        for row, cell in zip(rows, cells, strict=True):
            _add(row, *_column_and_value(key, cell))
    columns = dict.fromkeys(column for row in rows for column in row)
    return ids[0], tuple({column: row.get(column, "") for column in columns} for row in rows)


def _column_and_value(key: str, cell: str) -> tuple[str, str]:
    """Name and value of a cell; a characteristic names itself, as in ``gender: Male``."""
    if not key.startswith("Sample_characteristics"):
        return re.sub(r"_ch\d+$", "", key.removeprefix("Sample_")), cell
    found = _PAIR.fullmatch(cell)
    if found is None:
        return "characteristics", cell
    name = (found[1] or found[3]).lower()
    return ("characteristic sample_id" if name == "sample_id" else name), (found[2] or "").strip()


def _add(row: dict[str, str], column: str, value: str) -> None:
    """Add a value; further values of one column are kept in the same cell."""
    if value and row.get(column) not in (None, "", value):
        value = f"{row[column]}; {value}"
    row[column] = value or row.get(column, "")
