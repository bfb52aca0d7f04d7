"""Cells of a sample sheet as fields of a record, with what there is to flag about them."""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from types import MappingProxyType

from escape_score.errors import InputError, SampleSheetInvalidError
from escape_score.library.files import resource_path
from escape_score.model.cohort import SampleRecord
from escape_score.model.notes import Code, Note, note
from escape_score.read.sheet.rows import EVENT_COLUMNS, SheetRow

_EVENT_WORDS = MappingProxyType(
    {"0": False, "1": True, "0.0": False, "1.0": True, "false": False, "true": True}
)


def response_of(word: str) -> str | None:
    """``R``, ``NR``, empty for words that mean not known, or None for a word that is not in the table.

    Case and punctuation do not count.
    """
    return _response_words().get(" ".join(re.findall(r"[a-z]+", word.lower())))


@cache
def _response_words() -> Mapping[str, str]:
    with resource_path("response_words.tsv").open(encoding="utf-8", newline="") as handle:
        rows = csv.DictReader(handle, delimiter="\t", quoting=csv.QUOTE_NONE)
        return MappingProxyType({row["word"]: row["response"] for row in rows})


def row_faults(label: str, row: SheetRow) -> Iterator[InputError]:
    """Cells that should be numbers and are not."""
    for column in ("purity", "tmb"):
        text = row.given(column)
        number = _number(text)
        if text and (number is None or (column == "tmb" and number < 0)):
            msg = f"{label}: {column} {text[:40]!r} is no number (sample {row.sample_id}, line {row.line}); "
            need = "0 to 1" if column == "purity" else "0 or more"
            yield SampleSheetInvalidError(msg + f"give {need}, or leave it empty")


def event_coding_faults(label: str, rows: Sequence[SheetRow]) -> Iterator[InputError]:
    """Columns coded 1/2, as R's Surv takes them: there 1 means censored, so that no 1 can be trusted."""
    for column in EVENT_COLUMNS:
        row = next((row for row in rows if row.given(column) in ("2", "2.0")), None)
        if row is not None:
            msg = f"{label}: {column} is coded 1/2 (sample {row.sample_id}, line {row.line}); "
            yield SampleSheetInvalidError(msg + "code it 0/1, where 1 is an event seen")


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def record_of(row: SheetRow) -> tuple[SampleRecord, tuple[Note, ...]]:
    """Turn one row into a record and what there is to flag about it."""
    notes: list[Note] = []
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


def _response(row: SheetRow, notes: list[Note]) -> str:
    text = row.given("response")
    response = response_of(text) if text else ""
    if response is None:
        notes.append(note(Code.UNKNOWN_LABEL, word=text[:40]))
    return response or ""


def _days(row: SheetRow, column: str, notes: list[Note]) -> float | None:
    text = row.given(column)
    number = _number(text)
    if text and (number is None or number < 0):
        notes.append(note(Code.BAD_SURVIVAL, "days", column=column, value=text[:40]))
        return None
    return number


def _event(row: SheetRow, column: str, notes: list[Note]) -> bool | None:
    text = row.given(column)
    event = _EVENT_WORDS.get(text.lower())
    if text and event is None:
        notes.append(note(Code.BAD_SURVIVAL, "event", column=column, value=text[:40]))
    return event


def _purity(row: SheetRow, notes: list[Note]) -> float | None:
    number = _number(row.given("purity"))
    if number is not None and not 0 <= number <= 1:
        notes.append(note(Code.PURITY_OUT_OF_RANGE, number=number))
        return None
    return number
