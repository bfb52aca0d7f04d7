"""A sample sheet's file as rows: encodings, dialects, widths, and rows given twice."""

from __future__ import annotations

import csv
import io
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from escape_score.errors import FileUnreadableError, InputError, SampleSheetInvalidError
from escape_score.library.files import small_file
from escape_score.model.notes import Code, Note, note
from escape_score.read.files.series_matrix import is_series_matrix, series_sheet

_TEXT_COLUMNS = ("patient_id", "timepoint", "cancer_type", "msi", "pdl1_ihc", "site")
_DAYS_COLUMNS = ("os_days", "pfs_days")
EVENT_COLUMNS = ("os_event", "pfs_event")
COLUMNS = ("sample_id", "response", "purity", "tmb", *_TEXT_COLUMNS, *_DAYS_COLUMNS, *EVENT_COLUMNS)
"""Columns that are read; others are left alone."""

_MISSING_WORDS = frozenset({"", "na", "n/a", "nan", "null", "none", "-"})


@dataclass(frozen=True)
class SheetRow:
    """One line of a sheet: cells by column."""

    line: int
    cells: Mapping[str, str] = field(hash=False)

    @property
    def sample_id(self) -> str:
        """The sample's name, as in the file."""
        return self.cells["sample_id"]

    def given(self, column: str) -> str:
        """Cell without blanks at its ends; empty where the sheet says nothing."""
        text = self.cells.get(column, "").strip()
        return "" if text.lower() in _MISSING_WORDS else text


def _decode(path: Path, data: bytes) -> str:
    """Content in any of the encodings that spreadsheets write."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", errors="replace")
    if b"\x00" in data:
        raise FileUnreadableError.at(path, "sample sheet is no text file; save it as TSV or CSV")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace")


def read_rows(path: Path) -> list[SheetRow]:
    """Read all filled lines below the header, or what a GEO series matrix states of its samples.

    Raises FileMissingError, FileUnreadableError: there is no such file, or it is no text. Raises
    SampleSheetInvalidError: it is empty, has no ``sample_id``, a column twice, or a row of another width.
    """
    if is_series_matrix(path):
        line, samples = series_sheet(path)
        return [SheetRow(line, MappingProxyType(cells)) for cells in samples]
    text = _decode(path, small_file(path, "sample sheet"))
    if not text.strip(" \t\r\n,;"):
        msg = f"{path}: sample sheet is empty; give a header with sample_id and one row a sample"
        raise SampleSheetInvalidError(msg)
    header_line = next(line for line in text.splitlines() if line.strip())
    delimiter = max("\t,;", key=lambda mark: (header_line.count(mark), mark == "\t"))
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    lines = ((reader.line_num, cells) for cells in reader)
    try:
        filled = [(line, cells) for line, cells in lines if any(cell.strip() for cell in cells)]
    except csv.Error as error:
        msg = f"{path}: sample sheet cannot be read (line {reader.line_num}: {error}); check its quotes"
        raise SampleSheetInvalidError(msg) from error
    header = check_header(str(path), filled[0][1])
    rows = [_row(path, header, line, cells) for line, cells in filled[1:]]
    if not rows:
        msg = "sample sheet is empty below its header; give one row a sample"
        raise SampleSheetInvalidError.at(path, msg)
    return rows


def check_header(label: str, cells: Sequence[str]) -> tuple[str, ...]:
    """Names of the columns, lower case.

    Raises SampleSheetInvalidError: there is no ``sample_id``, or a column that is read is there twice.
    """
    header = tuple(cell.strip().lower() for cell in cells)
    if "sample_id" not in header:
        msg = f"{label}: sample sheet has no column sample_id (columns: {', '.join(cells[:8])}); name it so"
        raise SampleSheetInvalidError(msg)
    twice = [name for name, count in Counter(header).items() if count > 1 and name in COLUMNS]
    if twice:
        msg = f"{label}: duplicate columns in the sample sheet ({', '.join(twice)}); keep one of each"
        raise SampleSheetInvalidError(msg)
    return header


def _row(path: Path, header: tuple[str, ...], line: int, cells: list[str]) -> SheetRow:
    while len(cells) > len(header) and not cells[-1].strip():
        cells = cells[:-1]
    if len(cells) != len(header):
        msg = f"{path}: line {line} has {len(cells)} fields where the header has {len(header)}; fix the row"
        raise SampleSheetInvalidError(msg)
    return SheetRow(line, MappingProxyType(dict(zip(header, cells, strict=True))))


@dataclass(frozen=True)
class UniqueRows:
    """One row a sample, what is wrong with the others, and a note on those given twice."""

    kept: tuple[SheetRow, ...]
    faults: tuple[InputError, ...]
    notes: tuple[Note, ...]


def unique_rows(label: str, rows: Sequence[SheetRow]) -> UniqueRows:
    """Keep the first of rows that say the same; rows of one sample that differ are faults."""
    by_id: dict[str, list[SheetRow]] = defaultdict(list)
    for row in rows:
        by_id[row.sample_id.strip()].append(row)
    faults: list[InputError] = []
    for key, same in by_id.items():
        if not key:
            msg = f"{label}: sample_id is empty (line {same[0].line}); name every sample"
            faults.append(SampleSheetInvalidError(msg))
        elif len({tuple(row.cells.items()) for row in same}) > 1:
            lines = ", ".join(str(row.line) for row in same)
            msg = f"{label}: duplicate rows of sample {key} conflict (lines {lines}); keep the right one"
            faults.append(SampleSheetInvalidError(msg))
    n_twice = len(rows) - len(by_id)
    notes = (note(Code.SHEET_DUPLICATE_ROWS, n=n_twice),) if n_twice else ()
    return UniqueRows(tuple(same[0] for same in by_id.values()), tuple(faults), notes)
