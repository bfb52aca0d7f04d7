"""A sample sheet's file as rows: encodings, dialects, widths, and rows given twice."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from escape_score.errors import (
    FileUnreadableError,
    InputError,
    SampleSheetInvalidError,
    listed,
    raise_faults,
)
from escape_score.library.files import small_file
from escape_score.model.notes import Code, Note, note
from escape_score.read.files.limits import DEFAULT_LIMITS
from escape_score.read.files.series_matrix import is_series_matrix, series_sheet
from escape_score.read.sheet.columns import has_ids, name_columns

if TYPE_CHECKING:
    from escape_score.read.files.workbook import Workbook

_MISSING_WORDS = frozenset({"", "na", "n/a", "#n/a", "nan", "null", "none", "-"})


Line = tuple[int, Sequence[str]]
"""Number of a line, and its cells."""

_EVENT_WORDS = MappingProxyType(
    dict.fromkeys(("0", "0.0", "false", "no", "alive", "living", "censored", "progression free"), False)
    | dict.fromkeys(("1", "1.0", "true", "yes", "dead", "deceased", "died", "death", "event"), True)
    | dict.fromkeys(("progressed", "progression", "progressive disease"), True)
)
"""Words for an event; cBioPortal writes them behind a digit, as in ``1:DECEASED``."""


def event_of(text: str) -> bool | None:
    """Whether a word says that an event was seen; None where it is not a known word."""
    word = text.strip().lower().replace("_", " ")
    digit, mark, rest = word.partition(":")
    if mark and digit in ("0", "1"):
        said = _EVENT_WORDS.get(rest.strip())
        return None if said is not None and said != (digit == "1") else digit == "1"
    return _EVENT_WORDS.get(word)


def _given(text: str) -> str:
    """A cell without blanks at its ends; empty where it says nothing."""
    text = text.strip()
    return "" if text.lower() in _MISSING_WORDS else text


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
        return _given(self.cells.get(column, ""))


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


@dataclass(frozen=True)
class SheetRows:
    """A sheet as rows, with the names of the columns that are not read.

    ``named``: those of them that a caller wants to keep.
    """

    rows: tuple[SheetRow, ...]
    unknown: tuple[str, ...]
    named: tuple[str, ...] = ()


def read_rows(path: Path, mapped: Mapping[str, str]) -> SheetRows:
    """Read all filled lines below the header, of text or of a workbook.

    Raises FileMissingError, FileUnreadableError: there is no such file, or it is of another kind. Raises
    SampleSheetInvalidError, or InputFaultsError for several: it is empty, has no sample ids, a column twice,
    or rows of another width.
    """
    if is_series_matrix(path):
        line, samples = series_sheet(path)
        stated: list[Line] = [(line, list(cells.values())) for cells in samples]
        return named_rows(str(path), tuple(samples[0]), stated, mapped)
    data = small_file(path, "sample sheet")
    filled = _workbook_lines(path, mapped) if data.startswith(b"PK\x03\x04") else _text_lines(path, data)
    if not filled:
        msg = f"{path}: sample sheet is empty; give a header with sample_id and one row a sample"
        raise SampleSheetInvalidError(msg)
    (_, header), *body = filled
    if not body:
        msg = "sample sheet is empty below its header; give one row a sample"
        raise SampleSheetInvalidError.at(path, msg)
    is_wider = all(len(cells) == len(header) + 1 and cells[-1].strip() for _, cells in body)
    if is_wider and not has_ids([*header, *mapped]):
        header = ["", *header]  # R names no column of row names
    return named_rows(str(path), header, body, mapped)


def named_rows(
    label: str, header: Sequence[str], body: Sequence[Line], mapped: Mapping[str, str]
) -> SheetRows:
    """Give the cells of a sheet the names of their columns; raises what :func:`read_rows` does."""
    is_status = {
        at: all(event_of(cells[at]) is not None for _, cells in body if at < len(cells) and _given(cells[at]))
        for at in range(len(header))
    }
    columns = name_columns(label, header, mapped, is_status=is_status)
    rows = [(line, _fitted(cells, len(header))) for line, cells in body]
    faults = [
        SampleSheetInvalidError.at(
            label, f"line {line} has {len(cells)} fields where the header has {len(header)}; fix the row"
        )
        for line, cells in rows
        if len(cells) != len(header)
    ]
    raise_faults([*columns.faults, *faults])
    named = (MappingProxyType(dict(zip(columns.names, cells, strict=True))) for _, cells in rows)
    return SheetRows(
        tuple(SheetRow(line, cells) for (line, _), cells in zip(rows, named, strict=True)),
        columns.unknown,
        tuple(name for name in columns.unknown if mapped.get(name) == name),
    )


def _fitted(cells: Sequence[str], width: int) -> Sequence[str]:
    """Cells without blank ones behind the last column."""
    while len(cells) > width and not cells[-1].strip():
        cells = cells[:-1]
    return cells


def _text_lines(path: Path, data: bytes) -> list[Line]:
    """Filled lines of a text with their numbers."""
    text = _decode(path, data)
    header_line = next((line for line in text.splitlines() if line.strip(" \t\r\n,;") and line[0] != "#"), "")
    delimiter = max("\t,;", key=lambda mark: (header_line.count(mark), mark == "\t"))
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    lines = ((reader.line_num, cells) for cells in reader)
    try:
        return _below_comments(
            [(line, cells) for line, cells in lines if any(cell.strip() for cell in cells)]
        )
    except csv.Error as error:
        msg = f"{path}: sample sheet cannot be read (line {reader.line_num}: {error}); check its quotes"
        raise SampleSheetInvalidError(msg) from error


def _below_comments(lines: list[Line]) -> list[Line]:
    """Lines from the header on: cBioPortal describes its columns above it, in lines that begin with ``#``."""
    n_comments = next((at for at, (_, cells) in enumerate(lines) if not cells[0].startswith("#")), 0)
    return lines[n_comments:] if n_comments and has_ids(lines[n_comments][1]) else lines


def _workbook_lines(path: Path, mapped: Mapping[str, str]) -> list[Line]:
    """Filled rows of the sheet of a workbook that holds sample ids, or of its only one."""
    # openpyxl takes a tenth of a second to load
    from escape_score.read.files.workbook import open_workbook

    book = open_workbook(path, DEFAULT_LIMITS)
    sheets = {name: lines for name, part in book.sheets if (lines := _sheet_lines(book, part))}
    own = mapped.get("sample_id", "")
    with_ids = [name for name, ((_, header), *_) in sheets.items() if has_ids(header) or own in header]
    if len(with_ids) > 1:
        msg = f"several sheets of the workbook have sample ids ({listed(with_ids)}); save one of them alone"
        raise SampleSheetInvalidError.at(path, msg)
    return sheets[with_ids[0]] if with_ids else next(iter(sheets.values()), [])


def _sheet_lines(book: Workbook, part: str) -> list[Line]:
    """Filled rows of one sheet, all as wide as the header at least."""
    rows = list(book.rows(part))
    n_header = rows[0].cells[-1].column + 1 if rows else 0
    return [(row.number, row.texts(max(n_header, row.cells[-1].column + 1))) for row in rows]


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
