"""Approaches of one mechanism on a page: evidence of the sample's own tumour type apart from all other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from escape_score.model.record import ApproachRecord
from escape_score.report.text.i18n import Language, record_markup
from escape_score.report.text.wording import word_of


@dataclass(frozen=True)
class ApproachGroup:
    """Approaches under one heading; it is empty where the record does not compare tumour types."""

    heading: str
    approaches: tuple[ApproachRecord, ...]


def approach_groups(approaches: Sequence[ApproachRecord], words: Language) -> tuple[ApproachGroup, ...]:
    """Approaches by where their evidence was seen: this tumour type, others, no single one.

    One group without a heading where no evidence is of one type, or the sample's own type is not known.
    """
    if all(item.is_own_type is None for item in approaches):
        return (ApproachGroup("", tuple(approaches)),) if approaches else ()
    headings = (
        (True, words.gettext("Seen in this tumour type")),
        (False, words.gettext("Seen in other tumour types")),
        (None, words.gettext("Seen in several tumour types or in the laboratory")),
    )
    groups = (
        ApproachGroup(heading, tuple(item for item in approaches if item.is_own_type is place))
        for place, heading in headings
    )
    return tuple(group for group in groups if group.approaches)


def evidence_words(item: ApproachRecord, words: Language) -> Markup:
    """Level of the evidence, the tumour types it was seen in, and the setting where it is known."""
    parts = [Markup.escape(word_of(item.level, words))]
    parts += [record_markup(name, words) for name in item.tumour_types]
    said = Markup(", ").join(parts)
    if not item.setting:
        return said
    return Markup("{} ({})").format(said, record_markup(item.setting, words))
