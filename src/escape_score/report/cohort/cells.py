"""Single cells on the page of a cohort: one row a patient, a column for each quantity that matters most."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field, replace

from escape_score.model.record import Call, CellsRecord, EscapeProfile, QuantityRecord
from escape_score.report.messages import sentence
from escape_score.report.text.i18n import Language, translate_record_text
from escape_score.report.text.numbers import format_count
from escape_score.report.text.quantities import format_short, quantity_words
from escape_score.report.text.wording import badge, enumerate_words

N_COLUMNS = 10
"""Most quantities of the table; a page of a sample has all."""

N_MAIN = 2
"""Shares of the composition that keep a column, however many quantities are called."""

_MAIN_GROUP = "composition"


@dataclass(frozen=True)
class PatientCell:
    """One quantity of one patient; ``said`` has its interval and call, or why it is not evaluable."""

    value: str
    symbol: str
    css_class: str
    said: str


@dataclass(frozen=True)
class PatientRow:
    """One patient; ``page`` is the file name of its first sample, empty where it has none."""

    patient: str
    page: str
    samples: str
    n_cells: str
    cells: tuple[PatientCell, ...]


@dataclass(frozen=True)
class PatientTable:
    """The table of patients: titles of its quantities, and its rows by name."""

    titles: tuple[str, ...]
    rows: tuple[PatientRow, ...]


@dataclass
class _Column:
    """One quantity so far."""

    title: str
    is_called: bool
    is_main: bool
    n_values: int = 0


@dataclass
class _Patient:
    """What is kept of a patient: text, not records, as a cohort can be large."""

    row: PatientRow
    samples: list[str]
    cells: dict[str, PatientCell]


@dataclass
class PatientCollector:
    """Patients so far; every sample of a patient carries the same quantities, and the first is read."""

    _patients: dict[str, _Patient] = field(default_factory=dict)
    _columns: dict[str, _Column] = field(default_factory=dict)

    def add(self, profile: EscapeProfile, slug: str, words: Language) -> None:
        """Keep the patient of a profile that has cells."""
        cells = profile.cells
        if cells is None:
            return
        known = self._patients.get(cells.patient_id)
        if known is not None:
            known.samples.append(profile.sample_id)
            return
        for one in cells.quantities:
            column = self._columns.setdefault(one.quantity, _column(one, words))
            column.n_values += one.value is not None
        self._patients[cells.patient_id] = _patient(cells, profile.sample_id, slug, words)

    def table(self, pageless: Collection[str], words: Language) -> PatientTable | None:
        """Lay out the table; None where no sample has cells. ``pageless`` samples are not linked."""
        if not self._patients:
            return None
        shown = self._shown()
        missing = PatientCell("", "", "unknown", words.gettext("not evaluable"))
        rows = (
            replace(
                one.row,
                page="" if one.samples[0] in pageless else one.row.page,
                samples=_several(one, words),
                cells=tuple(one.cells.get(name, missing) for name in shown),
            )
            for _, one in sorted(self._patients.items(), key=lambda item: _natural(item[0]))
        )
        return PatientTable(tuple(self._columns[name].title for name in shown), tuple(rows))

    def _shown(self) -> list[str]:
        """Quantities with a column, in the order of the record: main shares, and as many others as fit.

        Of the others, those that are called come first, and those that most patients have.
        """
        columns = self._columns
        frequent = sorted(columns, key=lambda name: -columns[name].n_values)
        main = [name for name in frequent if columns[name].is_main][:N_MAIN]
        others = sorted(
            (name for name in frequent if name not in main), key=lambda name: not columns[name].is_called
        )
        kept = {*main, *others[: N_COLUMNS - len(main)]}
        return [name for name in columns if name in kept]


def _several(patient: _Patient, words: Language) -> str:
    """Samples of a patient, where they are not one that is named like the patient."""
    names = tuple(patient.samples)
    return "" if names == (patient.row.patient,) else enumerate_words(names[:3], len(names[3:]), words)


def _column(one: QuantityRecord, words: Language) -> _Column:
    title = translate_record_text(one.title, words)
    return _Column(title, one.call is not None, one.group == _MAIN_GROUP)


def _patient(cells: CellsRecord, sample_id: str, slug: str, words: Language) -> _Patient:
    row = PatientRow(
        patient=cells.patient_id,
        page=f"samples/{slug}.html",
        samples="",
        n_cells=format_count(cells.n_patient_cells, words),
        cells=(),
    )
    return _Patient(row, [sample_id], {one.quantity: _cell(one, words) for one in cells.quantities})


def _cell(one: QuantityRecord, words: Language) -> PatientCell:
    if one.value is None or one.call is Call.NOT_EVALUABLE:
        text = words.gettext("not evaluable: {reason}")
        return PatientCell("", "", "unknown", text.format(reason=sentence(one.reason, words)))
    said = quantity_words(one, words)
    if one.call is None:
        return PatientCell(format_short(one.value, one.unit, words), "", "", said)
    found = badge(one.call, words)
    text = words.gettext("{value}; {call}").format(value=said, call=found.word)
    return PatientCell(format_short(one.value, one.unit, words), found.symbol, found.css_class, text)


def _natural(name: str) -> list[tuple[int, str]]:
    """Numbers inside names in numeric order, as ``P2`` before ``P10``."""
    return [(int(part) if part.isdecimal() else 0, part) for part in re.split(r"([0-9]+)", name)]
