"""What the page of one sample shows: frozen objects of finished texts, so that templates compute nothing."""

from __future__ import annotations

from dataclasses import dataclass
from gettext import NullTranslations
from itertools import groupby

from markupsafe import Markup

from escape_score.model.record import (
    AxisProfile,
    Call,
    EscapeProfile,
    FlagRecord,
    IndexBlock,
    IndexProfile,
)
from escape_score.report.changes import ChangeView, change_views
from escape_score.report.facts import Fact, header_facts, provenance_facts, quality_facts, sheet_facts
from escape_score.report.i18n import translate_record_text
from escape_score.report.mechanism_view import MechanismView, mechanism_view
from escape_score.report.numbers import format_fraction, format_index, format_interval, format_score
from escape_score.report.slug import checked_slug
from escape_score.report.svg import index_gauge
from escape_score.report.verdict import Verdict, detected_first, verdict_of
from escape_score.report.visible import visible_profile
from escape_score.report.wording import Badge, archetype_word, matters, phenotype_word, status_badge

LEUKOCYTE_FRACTION_LIMIT = 0.8
"""Above it adjusted scores leave the range they were calibrated in."""


@dataclass(frozen=True)
class GroupView:
    """A family of mechanisms."""

    title: str
    mechanisms: tuple[MechanismView, ...]


@dataclass(frozen=True)
class BlockView:
    """One block of the index."""

    title: str
    weight: str
    score: str


@dataclass(frozen=True)
class IndexView:
    """The index with its intervals and blocks."""

    is_evaluable: bool
    score: str
    interval: str
    interval_within: str
    blocks: tuple[BlockView, ...]
    gauge: Markup


@dataclass(frozen=True)
class CallCounts:
    """How many mechanisms have each call."""

    n_detected: int
    n_not_detected: int
    n_not_evaluable: int


@dataclass(frozen=True)
class SampleView:
    """Everything that the page of one sample shows, as text."""

    sample_id: str
    cohort: str
    status: Badge
    verdict: Verdict
    phenotype: str
    archetype: str
    facts: tuple[Fact, ...]
    counts: CallCounts
    detected: tuple[MechanismView, ...]
    groups: tuple[GroupView, ...]
    index: IndexView
    flags: tuple[FlagRecord, ...]
    notes: tuple[FlagRecord, ...]
    remarks: tuple[str, ...]
    changes: tuple[ChangeView, ...]
    quality: tuple[Fact, ...]
    sheet: tuple[Fact, ...]
    provenance: tuple[Fact, ...]
    is_sample_in_reference: bool
    is_beyond_leukocyte_limit: bool


def sample_view(profile: EscapeProfile, words: NullTranslations) -> SampleView:
    """Prepare the page of one sample.

    Parameters
    ----------
    profile
        The profile as published.
    words
        Translations of the page.

    Returns
    -------
    SampleView
        Finished texts; every text from outside has its invisible characters escaped.

    Raises
    ------
    ResultInvalidError
        The slug cannot name a file.
    """
    checked_slug(profile)
    shown = visible_profile(profile)
    rows = {axis.axis: mechanism_view(axis, number, words) for number, axis in enumerate(shown.axes, start=1)}
    fraction = shown.leukocyte_fraction
    return SampleView(
        sample_id=shown.sample_id,
        cohort=shown.cohort,
        status=status_badge(shown.status, words),
        verdict=verdict_of(shown, words),
        phenotype=phenotype_word(shown.phenotype, words),
        archetype=archetype_word(shown.archetype, words),
        facts=header_facts(shown, words),
        counts=_count_calls(shown.axes),
        detected=tuple(rows[axis.axis] for axis in detected_first(shown.axes)),
        groups=_grouped(shown.axes, rows, words),
        index=_index(shown, words),
        flags=tuple(flag for flag in shown.flags if matters(flag)),
        notes=tuple(flag for flag in shown.flags if not matters(flag)),
        remarks=(*shown.notes, *shown.reference.withheld),
        changes=change_views(shown, words),
        quality=quality_facts(shown, words),
        sheet=sheet_facts(shown.metadata, words),
        provenance=provenance_facts(shown, words),
        is_sample_in_reference=shown.reference.is_sample_in_reference,
        is_beyond_leukocyte_limit=fraction is not None and fraction > LEUKOCYTE_FRACTION_LIMIT,
    )


def _grouped(
    axes: tuple[AxisProfile, ...], rows: dict[str, MechanismView], words: NullTranslations
) -> tuple[GroupView, ...]:
    """Families in the order their first mechanism stands in."""
    first_seen = {group: place for place, group in enumerate(dict.fromkeys(axis.group for axis in axes))}
    ordered = sorted(axes, key=lambda axis: first_seen[axis.group])
    return tuple(
        GroupView(translate_record_text(group, words), tuple(rows[axis.axis] for axis in members))
        for group, members in groupby(ordered, key=lambda axis: axis.group)
    )


def _index(profile: EscapeProfile, words: NullTranslations) -> IndexView:
    index, titles = profile.index, {axis.axis: axis.title for axis in profile.axes}
    return IndexView(
        is_evaluable=index.score is not None,
        score=format_index(index.score, words),
        interval=format_interval(index.interval, words, decimals=0),
        interval_within=format_interval(index.interval_within, words, decimals=0),
        blocks=tuple(_block(block, titles, words) for block in index.blocks),
        gauge=index_gauge(index, alternative=_gauge_alternative(index, words)),
    )


def _gauge_alternative(index: IndexProfile, words: NullTranslations) -> str:
    return words.gettext("index {score} on a scale from 0 to 100, 90 % interval {interval}").format(
        score=format_index(index.score, words), interval=format_interval(index.interval, words, decimals=0)
    )


def _block(block: IndexBlock, titles: dict[str, str], words: NullTranslations) -> BlockView:
    """A block has the title of the mechanism of the same name, where there is one."""
    title = titles.get(block.block, block.block.replace("_", " "))
    return BlockView(
        title=translate_record_text(title, words),
        weight=format_fraction(block.weight, words),
        score=format_score(block.score, words),
    )


def _count_calls(axes: tuple[AxisProfile, ...]) -> CallCounts:
    calls = [axis.call for axis in axes]
    return CallCounts(
        n_detected=calls.count(Call.DETECTED),
        n_not_detected=calls.count(Call.NOT_DETECTED),
        n_not_evaluable=calls.count(Call.NOT_EVALUABLE),
    )
