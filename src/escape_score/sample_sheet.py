"""Sample sheets: what is known of each sample besides its expression."""

from __future__ import annotations

import csv
import io
import math
import re
import stat
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from types import MappingProxyType

from escape_score.errors import (
    FileMissingError,
    FileUnreadableError,
    InputError,
    InputFaultsError,
    SampleSheetInvalidError,
)
from escape_score.model.cohort import SampleRecord
from escape_score.model.flags import Flag, FlagLog, FlagNote
from escape_score.resources import resource_path

MAX_SHEET_BYTES = 64 * 1024**2
"""Sheets are small; a larger file is no sheet."""

_TEXT_COLUMNS = ("patient_id", "timepoint", "cancer_type", "msi", "pdl1_ihc", "site")
_DAYS_COLUMNS = ("os_days", "pfs_days")
_EVENT_COLUMNS = ("os_event", "pfs_event")
COLUMNS = ("sample_id", "response", "purity", "tmb", *_TEXT_COLUMNS, *_DAYS_COLUMNS, *_EVENT_COLUMNS)
"""Columns that are read; others are left alone."""

_MISSING_WORDS = frozenset({"", "na", "n/a", "nan", "null", "none", "-"})
_EVENT_WORDS = MappingProxyType(
    {"0": False, "1": True, "0.0": False, "1.0": True, "false": False, "true": True}
)


@dataclass(frozen=True)
class SampleSheet:
    """A sample sheet as read.

    Parameters
    ----------
    path
        The file, for messages.
    records
        One record a sample id, in the order of the file.
    flags
        Unknown labels, bad survival and purity by sample, and rows that stand twice.
    """

    path: Path
    records: tuple[SampleRecord, ...]
    flags: FlagLog = FlagLog()


@dataclass(frozen=True)
class _Row:
    """One line of a sheet: cells by column."""

    line: int
    cells: Mapping[str, str] = field(hash=False)

    @property
    def sample_id(self) -> str:
        return self.cells["sample_id"]

    def given(self, column: str) -> str:
        """Cell without blanks at its ends; empty where the sheet says nothing."""
        text = self.cells.get(column, "").strip()
        return "" if text.lower() in _MISSING_WORDS else text


def read_sample_sheet(path: Path) -> SampleSheet:
    """Read a sample sheet.

    Parameters
    ----------
    path
        TSV or CSV with a column ``sample_id``. Known columns: ``patient_id, timepoint, cancer_type,
        response`` (R, NR, RECIST and the words of ``resources/response_words.tsv``), ``os_days, pfs_days`` (≥
        0), ``os_event, pfs_event`` (0/1/true/false), ``purity`` (0–1), ``msi, tmb`` (≥ 0), ``pdl1_ihc,
        site``.

    Returns
    -------
    SampleSheet
        Sample ids are text, as they stand in the file.

    Raises
    ------
    FileMissingError, FileUnreadableError
        There is no such file, or it is no text.
    SampleSheetInvalidError
        The file is empty, has no sample_id, a row of another width, one sample with different rows, text for
        tmb or purity, or events coded 1/2.
    InputFaultsError
        Several of these.
    """
    rows = _unique_rows(path, _read_rows(path))
    faults = [fault for row in rows.kept for fault in _row_faults(path, row)]
    faults += _event_coding_faults(path, rows.kept)
    _raise_all([*rows.faults, *faults])
    parsed = [_record(row) for row in rows.kept]
    notes = tuple((record.sample_id, note) for record, row_notes in parsed for note in row_notes)
    flags = FlagLog(cohort=rows.notes, by_sample=notes)
    return SampleSheet(path, tuple(record for record, _ in parsed), flags)


def join_sheet(
    sheet: SampleSheet | None, sample_ids: Sequence[str]
) -> tuple[tuple[SampleRecord, ...], FlagLog]:
    """Give each sample of a matrix its record.

    Parameters
    ----------
    sheet
        Sheet as read, or None where there is none.
    sample_ids
        Samples of the matrix, unique but for blanks at their ends, which do not count in the join.

    Returns
    -------
    records : tuple of SampleRecord
        One a sample, in the order of ``sample_ids``, bearing the id of the matrix.
    flags : FlagLog
        Flags of the sheet for these samples; sheet_rows_unused for all, no_metadata for samples without a
        row.

    Raises
    ------
    SampleSheetInvalidError
        Sheet and matrix have no sample in common.
    """
    if sheet is None:
        return tuple(SampleRecord(sample_id) for sample_id in sample_ids), FlagLog()
    by_key = {record.sample_id.strip(): record for record in sheet.records}
    keys = {sample_id.strip(): sample_id for sample_id in sample_ids}
    if not by_key.keys() & keys.keys():
        msg = (
            f"{sheet.path}: no sample_id in common with the matrix (sheet {_some(by_key)}; matrix "
            f"{_some(keys)}); "
        )
        raise SampleSheetInvalidError(msg + "make the ids match")
    records = tuple(
        replace(by_key.get(key, SampleRecord(key)), sample_id=sample_id) for key, sample_id in keys.items()
    )
    unused = [key for key in by_key if key not in keys]
    own = tuple((keys[o.strip()], note) for o, note in sheet.flags.by_sample if o.strip() in keys)
    bare = tuple((keys[key], _no_metadata(keys[key])) for key in keys if key not in by_key)
    return records, FlagLog((*sheet.flags.cohort, *_unused(unused)), own + bare)


def response_of(word: str) -> str | None:
    """Translate a word for response.

    Parameters
    ----------
    word
        As a sheet says it; case and punctuation do not count.

    Returns
    -------
    str or None
        ``R``, ``NR``, empty for words that mean not known, None for a word not in the table.
    """
    return _response_words().get(_plain_word(word))


@cache
def _response_words() -> Mapping[str, str]:
    with resource_path("response_words.tsv").open(encoding="utf-8", newline="") as handle:
        rows = csv.DictReader(handle, delimiter="\t", quoting=csv.QUOTE_NONE)
        return MappingProxyType({row["word"]: row["response"] for row in rows})


def _plain_word(word: str) -> str:
    return " ".join(re.findall(r"[a-z]+", word.lower()))


def _some(names: Mapping[str, object]) -> str:
    return ", ".join(repr(name) for name in list(names)[:3])


def _no_metadata(sample_id: str) -> FlagNote:
    return FlagNote(Flag.NO_METADATA, f"The sample sheet has no row for {sample_id}.")


def _unused(names: Sequence[str]) -> tuple[FlagNote, ...]:
    if not names:
        return ()
    shown = ", ".join(names[:5]) + (" …" if len(names) > 5 else "")  # noqa: PLR2004
    return (
        FlagNote(Flag.SHEET_ROWS_UNUSED, f"{len(names)} rows of the sample sheet fit no sample: {shown}."),
    )


def _raise_all(faults: Sequence[InputError]) -> None:
    if len(faults) == 1:
        raise faults[0]
    if faults:
        raise InputFaultsError(tuple(faults))


# --- file to rows -------------------------------------------------------------------------------------------


def _read_text(path: Path) -> str:
    """Content in any of the encodings that spreadsheets write."""
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            msg = f"{path}: sample sheet is not a regular file; give a TSV or CSV file"
            raise FileUnreadableError(msg)
        if status.st_size > MAX_SHEET_BYTES:
            msg = (
                f"{path}: too large for a sample sheet (over {MAX_SHEET_BYTES} bytes); was the matrix meant?"
            )
            raise FileUnreadableError(msg)
        return _decode(path, path.read_bytes())
    except FileNotFoundError as error:
        msg = f"{path}: sample sheet not found (no such file); check the path"
        raise FileMissingError(msg) from error
    except OSError as error:
        msg = f"{path}: sample sheet cannot be read ({error.strerror}); check its permissions"
        raise FileUnreadableError(msg) from error


def _decode(path: Path, data: bytes) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", errors="replace")
    if b"\x00" in data:
        msg = f"{path}: sample sheet is no text file; save it as TSV or CSV"
        raise FileUnreadableError(msg)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace")


def _read_rows(path: Path) -> list[_Row]:
    text = _read_text(path)
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
    header = _header(path, filled[0][1])
    rows = [_row(path, header, line, cells) for line, cells in filled[1:]]
    if not rows:
        msg = f"{path}: sample sheet is empty below its header; give one row a sample"
        raise SampleSheetInvalidError(msg)
    return rows


def _header(path: Path, cells: Sequence[str]) -> tuple[str, ...]:
    header = tuple(cell.strip().lower() for cell in cells)
    if "sample_id" not in header:
        msg = f"{path}: sample sheet has no column sample_id (columns: {', '.join(cells[:8])}); name it so"
        raise SampleSheetInvalidError(msg)
    twice = [name for name, count in Counter(header).items() if count > 1 and name in COLUMNS]
    if twice:
        msg = f"{path}: duplicate columns in the sample sheet ({', '.join(twice)}); keep one of each"
        raise SampleSheetInvalidError(msg)
    return header


def _row(path: Path, header: tuple[str, ...], line: int, cells: list[str]) -> _Row:
    while len(cells) > len(header) and not cells[-1].strip():
        cells = cells[:-1]
    if len(cells) != len(header):
        msg = f"{path}: line {line} has {len(cells)} fields where the header has {len(header)}; mend the row"
        raise SampleSheetInvalidError(msg)
    return _Row(line, MappingProxyType(dict(zip(header, cells, strict=True))))


# --- rows that stand twice ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class _UniqueRows:
    kept: tuple[_Row, ...]
    faults: tuple[InputError, ...]
    notes: tuple[FlagNote, ...]


def _unique_rows(path: Path, rows: Sequence[_Row]) -> _UniqueRows:
    """Keep the first of rows that say the same; rows of one sample that differ are faults."""
    by_id: dict[str, list[_Row]] = defaultdict(list)
    for row in rows:
        by_id[row.sample_id.strip()].append(row)
    faults: list[InputError] = []
    for key, same in by_id.items():
        if not key:
            msg = f"{path}: sample_id is empty (line {same[0].line}); name every sample"
            faults.append(SampleSheetInvalidError(msg))
        elif len({tuple(row.cells.items()) for row in same}) > 1:
            lines = ", ".join(str(row.line) for row in same)
            msg = f"{path}: duplicate rows of sample {key} conflict (lines {lines}); keep the right one"
            faults.append(SampleSheetInvalidError(msg))
    n_twice = len(rows) - len(by_id)
    sentence = f"{n_twice} rows of the sample sheet stand twice, word for word; one of each is used."
    notes = (FlagNote(Flag.SHEET_DUPLICATE_ROWS, sentence),) if n_twice else ()
    return _UniqueRows(tuple(same[0] for same in by_id.values()), tuple(faults), notes)


# --- cells to fields ----------------------------------------------------------------------------------------


def _row_faults(path: Path, row: _Row) -> Iterator[InputError]:
    """Cells that should be numbers and are not."""
    for column in ("purity", "tmb"):
        text = row.given(column)
        number = _number(text)
        if text and (number is None or (column == "tmb" and number < 0)):
            msg = f"{path}: {column} {text[:40]!r} is no number (sample {row.sample_id}, line {row.line}); "
            need = "0 to 1" if column == "purity" else "0 or more"
            yield SampleSheetInvalidError(msg + f"give {need}, or leave it empty")


def _event_coding_faults(path: Path, rows: Sequence[_Row]) -> Iterator[InputError]:
    """Columns coded 1/2, as R's Surv takes them: there 1 means censored, so that no 1 can be trusted."""
    for column in _EVENT_COLUMNS:
        row = next((row for row in rows if row.given(column) in ("2", "2.0")), None)
        if row is not None:
            msg = f"{path}: {column} is coded 1/2 (sample {row.sample_id}, line {row.line}); "
            yield SampleSheetInvalidError(msg + "code it 0/1, where 1 is an event seen")


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _record(row: _Row) -> tuple[SampleRecord, tuple[FlagNote, ...]]:
    """Turn one row into a record and what there is to flag about it."""
    notes: list[FlagNote] = []
    record = SampleRecord(
        sample_id=row.sample_id,
        patient_id=row.given("patient_id"),
        timepoint=row.given("timepoint"),
        cancer_type=row.given("cancer_type"),
        response=_response(row, notes),
        os_days=_days(row, "os_days", notes),
        os_event=_event(row, "os_event", notes),
        pfs_days=_days(row, "pfs_days", notes),
        pfs_event=_event(row, "pfs_event", notes),
        purity=_purity(row, notes),
        msi=row.given("msi"),
        tmb=_number(row.given("tmb")),
        pdl1_ihc=row.given("pdl1_ihc"),
        site=row.given("site"),
    )
    return record, tuple(notes)


def _response(row: _Row, notes: list[FlagNote]) -> str:
    text = row.given("response")
    response = response_of(text) if text else ""
    if response is None:
        notes.append(
            FlagNote(Flag.UNKNOWN_LABEL, f"The response {text[:40]!r} is not a known word; it is left out.")
        )
    return response or ""


def _days(row: _Row, column: str, notes: list[FlagNote]) -> float | None:
    text = row.given(column)
    number = _number(text)
    if text and (number is None or number < 0):
        notes.append(
            FlagNote(Flag.BAD_SURVIVAL, f"{column} is {text[:40]!r}, no number of days; it is left out.")
        )
        return None
    return number


def _event(row: _Row, column: str, notes: list[FlagNote]) -> bool | None:
    text = row.given(column)
    event = _EVENT_WORDS.get(text.lower())
    if text and event is None:
        sentence = f"{column} must be 0/1 or true/false and is {text[:40]!r}; it is left out."
        notes.append(FlagNote(Flag.BAD_SURVIVAL, sentence))
    return event


def _purity(row: _Row, notes: list[FlagNote]) -> float | None:
    number = _number(row.given("purity"))
    if number is not None and not 0 <= number <= 1:
        sentence = f"purity is {number:g}, not between 0 and 1; it is left out."
        notes.append(FlagNote(Flag.PURITY_OUT_OF_RANGE, sentence))
        return None
    return number
