"""Cells of a sample sheet as fields of a record, with what there is to flag about them."""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import cache
from itertools import pairwise
from types import MappingProxyType

from escape_score.errors import InputError, SampleSheetInvalidError
from escape_score.library.files import resource_path
from escape_score.model.cohort import CELL_LINE, NORMAL, TUMOUR, SampleRecord
from escape_score.model.notes import Code, Note, note
from escape_score.read.sheet.columns import DAYS_PER, EVENT_COLUMNS
from escape_score.read.sheet.rows import SheetRow, event_of


def response_of(word: str) -> str | None:
    """``R``, ``NR``, empty for words that mean not known, or None for a word that is not in the table.

    Case and punctuation do not count.
    """
    if any(character.isdigit() for character in word):  # R0 is a resection
        return None
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


def record_of(
    row: SheetRow, groups: Sequence[str] = (), numbers: Collection[str] = ()
) -> tuple[SampleRecord, tuple[Note, ...]]:
    """Turn one row into a record and what there is to flag.

    ``groups`` are further columns to keep, ``numbers`` those of them that are kept as numbers.
    """
    notes: list[Note] = []
    record = SampleRecord(
        sample_id=row.sample_id,
        patient_id=row.given("patient_id"),
        timepoint=row.given("timepoint"),
        cancer_type=row.given("cancer_type"),
        response=_label(row, "response", response_of, notes),
        os_days=_days(row, "os", notes),
        os_event=_event(row, "os_event", notes),
        pfs_days=_days(row, "pfs", notes),
        pfs_event=_event(row, "pfs_event", notes),
        purity=_purity(row, notes),
        msi=row.given("msi"),
        tmb=_number(row.given("tmb")),
        pdl1_ihc=row.given("pdl1_ihc"),
        site=row.given("site"),
        sample_type=_label(row, "sample_type", sample_type_of, notes),
        groups=tuple(
            (name, float(cell) if name in numbers else cell) for name in groups if (cell := row.given(name))
        ),
    )
    return record, tuple(notes)


def _label(row: SheetRow, column: str, meaning: Callable[[str], str | None], notes: list[Note]) -> str:
    """What the word of a cell means; a word that is not known is noted."""
    text = row.given(column)
    label = meaning(text) if text else ""
    if label is None:
        notes.append(note(Code.UNKNOWN_LABEL, word=text[:40]))
    return label or ""


def _days(row: SheetRow, endpoint: str, notes: list[Note]) -> float | None:
    """Time in days, from the first unit whose cell is filled."""
    named = ((f"{endpoint}_{unit}", days) for unit, days in DAYS_PER.items())
    column, days = next(((name, days) for name, days in named if row.given(name)), ("", 1.0))
    text = row.given(column)
    number = _number(text)
    if text and (number is None or number < 0):
        notes.append(note(Code.BAD_SURVIVAL, "days", column=column, value=text[:40]))
        return None
    return None if number is None else number * days


def _event(row: SheetRow, column: str, notes: list[Note]) -> bool | None:
    text = row.given(column)
    event = event_of(text)
    if text and event is None:
        notes.append(note(Code.BAD_SURVIVAL, "event", column=column, value=text[:40]))
    return event


_SAMPLE_TYPES: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        CELL_LINE: frozenset({"cell line", "cell lines", "cellline", "celllines"}),
        NORMAL: frozenset({"normal", "nat", "healthy", "adjacent", "n"}),
        TUMOUR: frozenset(
            {"tumour", "tumor", "cancer", "metastasis", "metastatic", "primary", "recurrent", "t"}
        ),
    }
)
"""Words of each type; one of them in a name decides, the first type first: a normal tissue near a tumour is
normal."""
_TCGA = re.compile(r"TCGA[-.][A-Z0-9]{2}[-.][A-Z0-9]{4}[-.](?P<code>\d\d)(?:[A-Z]|\b)", re.IGNORECASE)


def sample_type_of(word: str) -> str | None:
    """``tumour``, ``normal`` or ``cell line``, by a word or TCGA's code; None for what is not known.

    Codes 01-09 are tumours, 10-19 normal tissue and 50 cell lines (GDC, sample type codes).
    """
    if re.fullmatch(r"\d\d?(\.0)?", word.strip()):
        code = int(float(word))
        return TUMOUR if 1 <= code <= 9 else NORMAL if 10 <= code <= 19 else {50: CELL_LINE}.get(code)  # noqa: PLR2004
    words = re.findall(r"[a-z]+", word.lower())
    if len(words) > 1 and {*words} & {"non", "not", "no", "free", "without"}:
        return None  # non-tumour tissue, or tumour without normal: which is meant is not for us to guess
    if len(words) > 1:
        words = [one for one in words if len(one) > 1]  # T cell, T2N0
    said = {*words, " ".join(words), *(" ".join(pair) for pair in pairwise(words))}
    return next((kind for kind, known in _SAMPLE_TYPES.items() if said & known), None)


def sample_type_in(sample_id: str) -> str:
    """Type that the barcode of a TCGA sample holds; empty for other ids."""
    found = _TCGA.search(sample_id)
    return (sample_type_of(found["code"]) or "") if found else ""


def _purity(row: SheetRow, notes: list[Note]) -> float | None:
    number = _number(row.given("purity"))
    if number is not None and not 0 <= number <= 1:
        notes.append(note(Code.PURITY_OUT_OF_RANGE, number=number))
        return None
    return number
