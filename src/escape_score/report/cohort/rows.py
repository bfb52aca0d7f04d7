"""One sample as a row of the cohort's table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from escape_score.model.record import EscapeProfile, IndexProfile
from escape_score.report.cohort.mechanisms import MechanismTally
from escape_score.report.cohort.tallies import filter_key
from escape_score.report.sample.verdict import detected_first
from escape_score.report.text.i18n import Language
from escape_score.report.text.numbers import format_index, format_interval
from escape_score.report.text.wording import (
    Badge,
    archetype_word,
    enumerate_words,
    matters,
    phenotype_word,
    status_badge,
)

N_LEADING = 3
"""Mechanisms that a row names."""


@dataclass(frozen=True)
class SampleRow:
    """One sample in the table.

    ``page`` is the file name of its own page, empty where it has none, ``index_order`` what the column is
    sorted by, ``keys`` the classes and mechanisms that a filter can ask for, ``sheet`` what the sample sheet
    says.
    """

    sample_id: str
    page: str
    index: str
    index_order: str
    interval: str
    phenotype: str
    archetype: str
    sheet: str
    status: Badge
    n_flags: int
    n_detected: int
    detected: str
    keys: str


def sample_row(
    profile: EscapeProfile,
    slug: str,
    mechanisms: Mapping[str, MechanismTally],
    words: Language,
) -> SampleRow:
    """Prepare the row of a sample."""
    found = detected_first(profile.axes)
    titles = tuple(mechanisms[axis.axis].title for axis in found)
    keys = (
        filter_key("s", profile.status),
        filter_key("p", profile.phenotype),
        filter_key("a", profile.archetype),
        *(mechanisms[axis.axis].key for axis in found),
    )
    return SampleRow(
        sample_id=profile.sample_id,
        page=f"samples/{slug}.html",
        index=format_index(profile.index.score, words),
        index_order="" if profile.index.score is None else f"{profile.index.score:.3f}",
        interval=_index_interval(profile.index, words),
        phenotype=phenotype_word(profile.phenotype, words),
        archetype=archetype_word(profile.archetype, words),
        sheet="",
        status=status_badge(profile.status, words),
        n_flags=sum(matters(flag) for flag in profile.flags),
        n_detected=len(found),
        detected=enumerate_words(titles[:N_LEADING], max(0, len(titles) - N_LEADING), words),
        keys=" ".join(keys),
    )


def _index_interval(index: IndexProfile, words: Language) -> str:
    """Empty where there is no index, as the cell already says so."""
    return "" if index.score is None else format_interval(index.interval, words, decimals=0)


def rows_with_sheet(
    rows: Sequence[SampleRow], sheets: Sequence[Mapping[str, str]], words: Language
) -> tuple[SampleRow, ...]:
    """Add what the sample sheet says to rows, where it tells samples apart.

    Columns of the sheet with the same value in every sample are left out: a page of one sample has them.
    """
    labels = dict.fromkeys(label for sheet in sheets for label in sheet)
    told = [label for label in labels if len({sheet.get(label, "") for sheet in sheets}) > 1]
    return tuple(
        replace(
            row,
            sheet=words.gettext("; ").join(
                words.gettext("{label}: {value}").format(label=label, value=sheet[label])
                for label in told
                if sheet.get(label)
            ),
        )
        for row, sheet in zip(rows, sheets, strict=True)
    )
