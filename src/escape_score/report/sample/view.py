"""What the page of one sample shows: frozen objects of finished texts, so that templates compute nothing."""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup

from escape_score.model.record import (
    AxisProfile,
    Call,
    EscapeProfile,
    IndexBlock,
    IndexProfile,
    NoteRecord,
    PublishedRecord,
)
from escape_score.report.drawing import index_gauge
from escape_score.report.facts import (
    Fact,
    assay_facts,
    header_facts,
    provenance_facts,
    quality_facts,
    sheet_facts,
)
from escape_score.report.messages import note_markup
from escape_score.report.sample.changes import ChangeView, change_views
from escape_score.report.sample.mechanisms import MechanismView, mechanism_view
from escape_score.report.sample.verdict import Verdict, detected_first, verdict_of
from escape_score.report.text.i18n import Language, record_markup, translate_record_text
from escape_score.report.text.numbers import (
    format_fraction,
    format_index,
    format_interval,
    format_score,
    format_value,
)
from escape_score.report.text.slug import checked_slug
from escape_score.report.text.visible import visible_profile
from escape_score.report.text.wording import (
    Badge,
    archetype_word,
    call_badge,
    matters,
    phenotype_word,
    status_badge,
)

LEUKOCYTE_FRACTION_LIMIT = 0.8
"""Above it adjusted scores leave the range they were calibrated in."""


MSI_PROXY = "mmr_deficiency"
"""Axis that hints at a tumour for which MSI has to be tested."""

COHORT_SCOPE = "cohort"
"""Scope of a published score that depends on the other samples."""


@dataclass(frozen=True)
class FlagView:
    """A flag and its sentence."""

    flag: str
    sentence: Markup


@dataclass(frozen=True)
class PublishedView:
    """A score by a published formula."""

    title: Markup
    value: str
    unit: Markup
    reason: Markup
    coverage: str
    matches: str
    differs: Markup
    is_of_cohort: bool
    doi: str


@dataclass(frozen=True)
class CallGroup:
    """All mechanisms with the same call."""

    call: Badge
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
    assays: tuple[Fact, ...]
    override: str
    counts: CallCounts
    is_evaluable: bool
    detected: tuple[MechanismView, ...]
    groups: tuple[CallGroup, ...]
    index: IndexView
    flags: tuple[FlagView, ...]
    notes: tuple[FlagView, ...]
    published: tuple[PublishedView, ...]
    remarks: tuple[Markup, ...]
    changes: tuple[ChangeView, ...]
    quality: tuple[Fact, ...]
    sheet: tuple[Fact, ...]
    provenance: tuple[Fact, ...]
    is_sample_in_reference: bool
    is_beyond_leukocyte_limit: bool


def sample_view(profile: EscapeProfile, words: Language) -> SampleView:
    """Prepare the page of one sample.

    Finished texts; every text from outside has its invisible characters escaped.
    """
    checked_slug(profile)
    shown = visible_profile(profile)
    rows = {
        axis.axis: mechanism_view(axis, number, words, approaches=shown.approaches)
        for number, axis in enumerate(shown.axes, start=1)
    }
    fraction, verdict = shown.leukocyte_fraction, verdict_of(shown, words)
    return SampleView(
        sample_id=shown.sample_id,
        cohort=shown.cohort,
        status=status_badge(shown.status, words),
        verdict=verdict,
        phenotype=phenotype_word(shown.phenotype, words),
        archetype=archetype_word(shown.archetype, words),
        facts=header_facts(shown, words),
        assays=assay_facts(shown, words),
        override=_override(shown, words),
        counts=_count_calls(shown.axes),
        is_evaluable=any(axis.call is not Call.NOT_EVALUABLE for axis in shown.axes),
        detected=tuple(rows[axis.axis] for axis in detected_first(shown.axes)),
        groups=_by_call(shown.axes, rows, words),
        index=_index(shown, words),
        flags=tuple(
            _flag(flag, words) for flag in shown.flags if matters(flag) and flag.code != verdict.reason_flag
        ),
        notes=tuple(_flag(flag, words) for flag in shown.flags if not matters(flag)),
        published=tuple(_published(score, words) for score in shown.published),
        remarks=tuple(note_markup(one, words) for one in (*shown.notes, *shown.reference.withheld)),
        changes=change_views(shown, words),
        quality=quality_facts(shown, words),
        sheet=sheet_facts(shown.metadata, words),
        provenance=provenance_facts(shown, words),
        is_sample_in_reference=shown.reference.is_sample_in_reference,
        is_beyond_leukocyte_limit=fraction is not None and fraction > LEUKOCYTE_FRACTION_LIMIT,
    )


def _override(profile: EscapeProfile, words: Language) -> str:
    """What stands beside the index where it would mislead: MSI-high tumours can have any index."""
    proxy = next((axis for axis in profile.axes if axis.axis == MSI_PROXY), None)
    if proxy is None or proxy.call is not Call.DETECTED:
        return ""
    return words.gettext(
        "The RNA proxy of mismatch repair is detected: confirm MSI by an assay, which outweighs this index."
    )


def _by_call(
    axes: tuple[AxisProfile, ...], rows: dict[str, MechanismView], words: Language
) -> tuple[CallGroup, ...]:
    """Detected ones first, as they are the answer; a call that no mechanism has is left out."""
    members = {call: [axis for axis in axes if axis.call is call] for call in Call}
    members[Call.DETECTED] = list(detected_first(axes))
    return tuple(
        CallGroup(call_badge(call, words), tuple(rows[axis.axis] for axis in found))
        for call, found in members.items()
        if found
    )


def _flag(flag: NoteRecord, words: Language) -> FlagView:
    return FlagView(flag.code, note_markup(flag, words))


def _published(score: PublishedRecord, words: Language) -> PublishedView:
    return PublishedView(
        title=record_markup(score.title, words),
        value=format_value(score.value, words),
        unit=record_markup(score.unit, words),
        reason=Markup("") if score.reason is None else note_markup(score.reason, words),
        coverage=format_fraction(score.coverage, words),
        matches=translate_record_text(score.matches, words),
        differs=record_markup(score.differs, words),
        is_of_cohort=score.scope == COHORT_SCOPE,
        doi=score.doi,
    )


def _index(profile: EscapeProfile, words: Language) -> IndexView:
    index, titles = profile.index, {axis.axis: axis.title for axis in profile.axes}
    return IndexView(
        is_evaluable=index.score is not None,
        score=format_index(index.score, words),
        interval=format_interval(index.interval, words, decimals=0),
        interval_within=format_interval(index.interval_within, words, decimals=0),
        blocks=tuple(_block(block, titles, words) for block in index.blocks),
        gauge=index_gauge(index, alternative=_gauge_alternative(index, words)),
    )


def _gauge_alternative(index: IndexProfile, words: Language) -> str:
    return words.gettext("index {score} on a scale from 0 to 100, 90 % interval {interval}").format(
        score=format_index(index.score, words), interval=format_interval(index.interval, words, decimals=0)
    )


def _block(block: IndexBlock, titles: dict[str, str], words: Language) -> BlockView:
    """A block has the title of the mechanism of the same name, where there is one."""
    title = titles.get(block.block, block.block.replace("_", " "))
    return BlockView(
        title=translate_record_text(title, words),
        weight=format_value(block.weight, words),
        score=format_score(block.score, words),
    )


def _count_calls(axes: tuple[AxisProfile, ...]) -> CallCounts:
    calls = [axis.call for axis in axes]
    return CallCounts(
        n_detected=calls.count(Call.DETECTED),
        n_not_detected=calls.count(Call.NOT_DETECTED),
        n_not_evaluable=calls.count(Call.NOT_EVALUABLE),
    )
