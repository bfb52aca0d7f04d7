"""What the page of a sample shows of its single cells: composition, quantities with their calls, the map."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from escape_score.model.record import (
    Call,
    CellMap,
    CellSampleRecord,
    CellsRecord,
    CompartmentRecord,
    EscapeProfile,
    NoteRecord,
    QuantityRecord,
)
from escape_score.report.cell_drawing import Part, composition_bar, quantity_strip
from escape_score.report.facts import Fact
from escape_score.report.messages import N_, note_markup, shared_sentence
from escape_score.report.sample.cells_said import SideRow, side_rows
from escape_score.report.text.i18n import Language, record_markup, translate_record_text
from escape_score.report.text.numbers import format_count, format_fraction, format_interval
from escape_score.report.text.quantities import (
    FRACTION,
    LOG2_RATIO,
    format_quantity,
    format_quantity_interval,
    quantity_words,
)
from escape_score.report.text.wording import Badge, badge, enumerate_words, matters

_GROUPS = {
    "presentation": N_("Antigen presentation of malignant cells"),
    "malignant": N_("State of malignant cells"),
    "t_cells": N_("T cells"),
    "myeloid": N_("Myeloid cells"),
    "composition": N_("Proportions of cells"),
}
"""Headings of groups, in the order of the page."""

COMPARTMENT_WORDS = {
    "malignant": N_("malignant cells"),
    "epithelial": N_("other epithelial cells"),
    "t": N_("T cells"),
    "nk": N_("NK cells"),
    "b": N_("B cells"),
    "plasma": N_("plasma cells"),
    "myeloid": N_("myeloid cells"),
    "mast": N_("mast cells"),
    "fibroblast": N_("fibroblasts and smooth muscle"),
    "endothelial": N_("endothelial cells"),
    "other": N_("other known types"),
    "unassigned": N_("not assigned"),
}
_FILLS = {
    "malignant": "malignant",
    "fibroblast": "stroma",
    "endothelial": "stroma",
    "epithelial": "stroma",
    "other": "rest",
    "unassigned": "rest",
}
"""Fills of the bar by compartment; all others are leukocytes."""
_LAST = ("other", "unassigned")
_ORDER = (Call.DETECTED, Call.BORDERLINE, Call.NOT_DETECTED, None)

N_REASONS = 2
"""Most reasons that the line above a list of quantities names."""

_PNG = re.compile(r"iVBORw0KGgo[A-Za-z0-9+/]*={0,2}")
_COLOUR = re.compile(r"#[0-9A-Fa-f]{6}")


@dataclass(frozen=True)
class CompartmentRow:
    """One compartment: its number in the bar, and its row of the table."""

    number: int
    fill: str
    name: str
    n_cells: str
    share: str
    interval: str


@dataclass(frozen=True)
class QuantityRow:
    """One quantity: its row of a table or list, and what is folded."""

    anchor: str
    title: str
    cells: Markup
    result: Badge
    value: str
    interval: str
    strip: Markup
    n_cells: str
    reason: Markup
    facts: tuple[Fact, ...]
    meaning: Markup
    limits: Markup


@dataclass(frozen=True)
class QuantityTable:
    """Quantities of one group; ``missing`` are not evaluable, which ``summary`` counts."""

    title: str
    rows: tuple[QuantityRow, ...]
    missing: tuple[QuantityRow, ...]
    summary: str


@dataclass(frozen=True)
class MapPicture:
    """A picture of the cells as a ``data:`` address; its keys are colours with names."""

    source: Markup
    alternative: str
    keys: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class CellsView:
    """Everything that a page shows of single cells."""

    facts: tuple[Fact, ...]
    malignant: Markup
    cautions: tuple[NoteRecord, ...]
    remarks: tuple[NoteRecord, ...]
    bar: Markup
    compartments: tuple[CompartmentRow, ...]
    absent: str
    picture: MapPicture | None
    sides: tuple[SideRow, ...]
    scope: str
    tables: tuple[QuantityTable, ...]

    @property
    def has_drawings(self) -> bool:
        """Whether any quantity has a drawing that needs its legend."""
        return any(row.strip for table in self.tables for row in table.rows)


def cells_view(profile: EscapeProfile, words: Language) -> CellsView | None:
    """Prepare the cells of a profile without invisible characters; None where it has none."""
    cells = profile.cells
    if cells is None:
        return None
    sample = cells.sample
    present = _ordered(sample.compartments)
    rows = tuple(_compartment_row(number, one, words) for number, one in enumerate(present, start=1))
    return CellsView(
        facts=_facts(cells, words),
        malignant=note_markup(sample.malignant, words),
        cautions=tuple(flag for flag in sample.flags if matters(flag)),
        remarks=tuple(flag for flag in sample.flags if not matters(flag)),
        bar=_bar(present, rows, words),
        compartments=rows,
        absent=_absent(sample.compartments, words),
        picture=None if cells.map is None else _picture(cells.map, words),
        sides=side_rows(profile, words),
        scope=_scope(cells, words),
        tables=_tables(cells.quantities, words),
    )


def _facts(cells: CellsRecord, words: Language) -> tuple[Fact, ...]:
    _ = words.gettext
    sample = cells.sample
    depth = _("UMI per cell, median") if sample.is_umi else _("Reads per cell, median")
    ambient = _("not known") if sample.ambient is None else format_fraction(sample.ambient, words)
    unknown, found = enumerate_words(sample.unknown_labels, 0, words), _("found from marker genes")
    return (
        Fact(_("Cells of this sample"), _counts(sample, words)),
        *((Fact(_("Left out"), left),) if (left := _left_out(sample, words)) else ()),
        Fact(depth, words.fixed(sample.median_umi, 0)),
        Fact(_("Cell types"), _("labels of the file") if sample.labels_are_given else found),
        *((Fact(_("Labels without a known meaning"), unknown),) if unknown else ()),
        Fact(_("Ambient RNA, share of the counts of a malignant cell"), ambient),
        Fact(_("Quantities are based on"), _origin(cells, words)),
    )


def _counts(sample: CellSampleRecord, words: Language) -> str:
    return words.gettext("{n} of {n_read} passed quality control").format(
        n=format_count(sample.n_cells, words), n_read=format_count(sample.n_read, words)
    )


def _left_out(sample: CellSampleRecord, words: Language) -> str:
    """How many cells each gate left out; empty where none."""
    _ = words.gettext
    few = _("{n} with few UMI") if sample.is_umi else _("{n} with few reads")
    gates = (
        (few, sample.n_few_umi),
        (_("{n} with few genes"), sample.n_few_genes),
        (_("{n} with a high mitochondrial share"), sample.n_mitochondrial),
    )
    return enumerate_words(tuple(text.format(n=format_count(n, words)) for text, n in gates if n), 0, words)


def _origin(cells: CellsRecord, words: Language) -> str:
    """Which samples of the patient the quantities are made from."""
    n_samples = len(cells.patient_sample_ids)
    names = enumerate_words(cells.patient_sample_ids, 0, words)
    if n_samples <= 1:
        return words.gettext("the {n} cells of this sample").format(
            n=format_count(cells.n_patient_cells, words)
        )
    text = words.gettext("{n} cells of {n_samples} samples of patient {patient}: {names}")
    return text.format(
        n=format_count(cells.n_patient_cells, words),
        n_samples=n_samples,
        patient=cells.patient_id,
        names=names,
    )


def _scope(cells: CellsRecord, words: Language) -> str:
    """That quantities are the patient's, where the page is of one of several samples."""
    n_samples = len(cells.patient_sample_ids)
    if n_samples <= 1:
        return ""
    text = words.gettext("The quantities below are those of the patient, from the cells of {n} samples.")
    return text.format(n=n_samples)


def _ordered(compartments: Iterable[CompartmentRecord]) -> tuple[CompartmentRecord, ...]:
    """Compartments with cells: most cells first, those that nothing is known of last."""
    present = (one for one in compartments if one.n_cells)
    return tuple(sorted(present, key=lambda one: (one.compartment in _LAST, -one.n_cells)))


def compartment_word(compartment: str, words: Language) -> str:
    """Name of a compartment; one of another version is called by its own name."""
    known = COMPARTMENT_WORDS.get(compartment)
    return compartment.replace("_", " ") if known is None else words.gettext(known)


def _compartment_row(number: int, one: CompartmentRecord, words: Language) -> CompartmentRow:
    return CompartmentRow(
        number=number,
        fill=_FILLS.get(one.compartment, "immune"),
        name=compartment_word(one.compartment, words),
        n_cells=format_count(one.n_cells, words),
        share=format_fraction(one.share, words),
        interval=format_quantity_interval(one.interval, FRACTION, words),
    )


def _bar(present: Sequence[CompartmentRecord], rows: Sequence[CompartmentRow], words: Language) -> Markup:
    """Draw the composition of a sample, with the same in words."""
    parts = [Part(one.share or 0.0, row.fill) for one, row in zip(present, rows, strict=True)]
    said = words.gettext("; ").join(f"{row.number} {row.name} {row.share}" for row in rows)
    return composition_bar(parts, alternative=said)


def _absent(compartments: Iterable[CompartmentRecord], words: Language) -> str:
    """Compartments without a cell: their absence can matter."""
    names = tuple(compartment_word(one.compartment, words) for one in compartments if not one.n_cells)
    return words.gettext("No cells: {names}.").format(names=", ".join(names)) if names else ""


def _picture(drawn: CellMap, words: Language) -> MapPicture | None:
    """The picture, if it is a PNG whose colours are colours: both go into the page as they are."""
    if not _PNG.fullmatch(drawn.png) or not all(map(_COLOUR.fullmatch, drawn.colours)):
        return None
    names = tuple(compartment_word(one, words) for one in drawn.compartments)
    said = words.gettext("Map of {n} cells; similar cells are close together. On it: {names}.")
    return MapPicture(
        source=Markup("data:image/png;base64,{}").format(drawn.png),
        alternative=said.format(n=format_count(drawn.n_cells, words), names=", ".join(names)),
        keys=tuple(zip(drawn.colours, names, strict=False)),
    )


def _tables(quantities: Sequence[QuantityRecord], words: Language) -> tuple[QuantityTable, ...]:
    """Quantities by group; groups that this version does not know come last."""
    numbered = list(enumerate(quantities, start=1))
    named = dict.fromkeys((*_GROUPS, *(one.group for one in quantities)))
    members = ((group, [item for item in numbered if item[1].group == group]) for group in named)
    return tuple(_table(group, own, words) for group, own in members if own)


def _table(group: str, members: Sequence[tuple[int, QuantityRecord]], words: Language) -> QuantityTable:
    known = _GROUPS.get(group)
    shown = [item for item in members if _is_evaluable(item[1])]
    missing = [item for item in members if not _is_evaluable(item[1])]
    ordered = sorted(shown, key=lambda item: _ORDER.index(item[1].call))
    title = group.replace("_", " ") if known is None else words.gettext(known)
    return QuantityTable(
        # some titles are also names inside sentences
        title=title[:1].upper() + title[1:],
        rows=tuple(_row(number, one, words) for number, one in ordered),
        missing=tuple(_row(number, one, words) for number, one in missing),
        summary=_summary([one for _, one in missing], words),
    )


def _is_evaluable(quantity: QuantityRecord) -> bool:
    return quantity.value is not None and quantity.call is not Call.NOT_EVALUABLE


def _summary(missing: Sequence[QuantityRecord], words: Language) -> str:
    """How many quantities are not evaluable, with their reasons where these are few."""
    n = len(missing)
    counted = words.ngettext("{n} quantity not evaluable", "{n} quantities not evaluable", n).format(n=n)
    kinds: dict[str, list[NoteRecord]] = {}
    for one in missing:
        kinds.setdefault(f"{one.reason.code}.{one.reason.params.get('kind')}", []).append(one.reason)
    if not 0 < len(kinds) <= N_REASONS:
        return counted
    reasons = " ".join(shared_sentence(notes, words) for notes in kinds.values())
    return words.gettext("{counted}: {reasons}").format(counted=counted, reasons=reasons)


def _row(number: int, one: QuantityRecord, words: Language) -> QuantityRow:
    is_evaluable = _is_evaluable(one)
    return QuantityRow(
        anchor=f"quantity-{number}",
        title=translate_record_text(one.title, words),
        cells=record_markup(one.cells, words),
        result=badge(one.call if is_evaluable else Call.NOT_EVALUABLE, words),
        value=format_quantity(one.value, one.unit, words),
        interval="" if one.interval is None else format_quantity_interval(one.interval, one.unit, words),
        strip=quantity_strip(one, alternative=_alternative(one, words)),
        n_cells=format_count(one.n_cells, words),
        reason=note_markup(one.reason, words),
        facts=_folded(one, words),
        meaning=record_markup(one.meaning, words),
        limits=record_markup(one.limits, words),
    )


def _alternative(one: QuantityRecord, words: Language) -> str:
    """What a strip shows, in words."""
    _ = words.gettext
    marks = (
        (_("threshold {value}"), one.threshold if one.call is not None else None),
        (_("limit of detection {value}"), one.limit_of_detection),
    )
    said = (text.format(value=format_quantity(at, one.unit, words)) for text, at in marks if at is not None)
    return ", ".join((quantity_words(one, words), *said))


def _folded(one: QuantityRecord, words: Language) -> tuple[Fact, ...]:
    """The figures of one quantity in full; a ratio also as the logarithm that it is made as."""
    _ = words.gettext
    interval, in_log2 = "", ""
    if one.interval is not None:
        interval = format_quantity_interval(one.interval, one.unit, words)
        in_log2 = format_interval(one.interval, words, decimals=2) if one.unit == LOG2_RATIO else ""
    facts = (
        (_("Value"), _in_full(one.value, one.unit, words)),
        (_("90 % interval"), interval),
        (_("90 % interval, log2"), in_log2),
        (_("Detected from"), _in_full(one.threshold if one.call is not None else None, one.unit, words)),
        (_("Limit of detection"), _in_full(one.limit_of_detection, one.unit, words)),
        (_("Cells"), format_count(one.n_cells, words)),
    )
    return tuple(Fact(label, value) for label, value in facts if value)


def _in_full(value: float | None, unit: str, words: Language) -> str:
    """A value, if it is not a fraction also as its logarithm; empty where there is none."""
    text = format_quantity(value, unit, words)
    if value is None:
        return ""
    if unit == FRACTION:
        return text
    return words.gettext("{value} (log2 {log2})").format(value=text, log2=words.fixed(value, 2))
