"""What single cells show, in sentences: beside bulk, and on top of a page."""

from __future__ import annotations

from dataclasses import dataclass

from escape_score.model.record import Call, CellsRecord, EscapeProfile, QuantityRecord, SideBySide
from escape_score.report.messages import N_
from escape_score.report.text.i18n import Language, translate_record_text
from escape_score.report.text.quantities import format_quantity, quantity_words
from escape_score.report.text.wording import Badge, badge, enumerate_words

_LOST = {
    "b2m_lost_share": N_("{share} of malignant cells have lost B2M expression"),
    "hla_abc_lost_share": N_("{share} of malignant cells have lost HLA-A, HLA-B and HLA-C expression"),
    "mhc1_chain_lost_share": N_("{share} of malignant cells have lost the MHC class I chain"),
}
"""Losses that can suffice alone; the first one detected is named on top of a page."""


@dataclass(frozen=True)
class SideRow:
    """One mechanism as bulk and as cells show it."""

    title: str
    bulk: Badge
    cells: Badge
    sentence: str


def headline_of_cells(profile: EscapeProfile, words: Language) -> str:
    """Say in one sentence what the cells add to the answer of a page; empty where they add nothing."""
    cells = profile.cells
    if cells is None:
        return ""
    lost = next((one for name in _LOST for one in _of(cells, name) if one.call is Call.DETECTED), None)
    if lost is not None:
        return _lost_sentence(cells, lost, words)
    titles = _titles(profile, words)
    differing = tuple(titles[one.axis] for one in cells.side_by_side if one.is_in_agreement is False)
    if not differing:
        return ""
    text = words.gettext("Bulk RNA and single cells disagree on: {names}.")
    return text.format(names=enumerate_words(differing, 0, words))


def side_rows(profile: EscapeProfile, words: Language) -> tuple[SideRow, ...]:
    """Every mechanism that bulk and cells show, disagreements first."""
    cells = profile.cells
    if cells is None:
        return ()
    titles = _titles(profile, words)
    ordered = sorted(cells.side_by_side, key=lambda one: one.is_in_agreement is not False)
    return tuple(
        SideRow(
            title=titles[one.axis],
            bulk=badge(one.bulk, words),
            cells=badge(one.cells, words),
            sentence=side_sentence(one, cells, words),
        )
        for one in ordered
    )


def side_sentence(side: SideBySide, cells: CellsRecord, words: Language) -> str:
    """Say how bulk and cells go together; where they disagree, with the figure of the cells."""
    _ = words.gettext
    if side.cells is Call.NOT_EVALUABLE:
        return _("The cells do not allow a conclusion.")
    shown = next(iter(_of(cells, side.quantity)), None)
    figure = "" if shown is None else _figure(shown, words)
    if side.is_in_agreement is None:
        return _not_compared(side, figure, words)
    if side.is_in_agreement:
        return _("Both detect it.") if side.cells is Call.DETECTED else _("Neither detects it.")
    if side.cells is Call.DETECTED:
        return _joined(_("Bulk does not detect it."), figure)
    return _joined(_("Bulk detects it, the cells do not."), figure, _unseen(shown, words))


def _not_compared(side: SideBySide, figure: str, words: Language) -> str:
    """Where one of the two has no clear answer, the figure of the cells is all that there is."""
    _ = words.gettext
    if side.bulk is None:
        return _joined(_("Bulk describes it without a call."), figure)
    if side.bulk is Call.NOT_EVALUABLE:
        return _joined(_("Bulk does not allow a conclusion."), figure)
    return _joined(_("A borderline result does not allow a comparison."), figure)


def _joined(*sentences: str) -> str:
    return " ".join(filter(None, sentences))


def _figure(quantity: QuantityRecord, words: Language) -> str:
    """The figure of a quantity as a sentence; shares of cells that lost a gene in their own words."""
    if quantity.value is None:
        return ""
    lost = _LOST.get(quantity.quantity)
    if lost is not None:
        share = format_quantity(quantity.value, quantity.unit, words)
        return words.gettext("{clause}.").format(clause=words.gettext(lost).format(share=share))
    return words.gettext("{title}: {value}.").format(
        title=translate_record_text(quantity.title, words), value=quantity_words(quantity, words)
    )


def _unseen(quantity: QuantityRecord | None, words: Language) -> str:
    """What could not have been seen in these cells."""
    if quantity is None or quantity.limit_of_detection is None or quantity.unit != "fraction":
        return ""
    return words.gettext("Shares below {limit} would not be detected here.").format(
        limit=format_quantity(quantity.limit_of_detection, quantity.unit, words)
    )


def _lost_sentence(cells: CellsRecord, lost: QuantityRecord, words: Language) -> str:
    """The loss with its interval, and whether bulk misses it."""
    clause = words.gettext(_LOST[lost.quantity]).format(share=format_quantity(lost.value, lost.unit, words))
    missed = any(one.axis == lost.axis and one.bulk is Call.NOT_DETECTED for one in cells.side_by_side)
    text = (
        words.gettext("Single cells: {clause}, which bulk RNA does not detect.")
        if missed
        else words.gettext("Single cells: {clause}.")
    )
    return text.format(clause=clause)


def _of(cells: CellsRecord, quantity: str) -> tuple[QuantityRecord, ...]:
    return tuple(one for one in cells.quantities if one.quantity == quantity)


def _titles(profile: EscapeProfile, words: Language) -> dict[str, str]:
    """Titles of mechanisms; one that the profile does not have is called by its name in words."""
    named = {axis.axis: translate_record_text(axis.title, words) for axis in profile.axes}
    sides = profile.cells.side_by_side if profile.cells is not None else ()
    return {one.axis: one.axis.replace("_", " ") for one in sides} | named
