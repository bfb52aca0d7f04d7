"""What the page of one sample shows: its record, in the order of the page, and sentences made of it.

Templates compute nothing; filters write the values of the record in the language of the page.
"""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup

from escape_score.model.record import (
    ApproachRecord,
    AxisChange,
    AxisProfile,
    Call,
    EscapeProfile,
    IndexBlock,
    IndexProfile,
    LinkRecord,
    NoteRecord,
    PairedChange,
)
from escape_score.report.drawing import index_gauge, score_bar
from escape_score.report.messages import sentence
from escape_score.report.sample.verdict import Verdict, detected_first, verdict_of
from escape_score.report.text.i18n import Language, translate_record_text
from escape_score.report.text.numbers import format_index, format_interval, format_score
from escape_score.report.text.visible import checked_slug, visible_profile
from escape_score.report.text.wording import matters

LEUKOCYTE_FRACTION_LIMIT = 0.8
"""Above it adjusted scores leave the range they were calibrated in."""

MSI_PROXY = "mmr_deficiency"
"""Axis that hints at a tumour for which MSI has to be tested."""


@dataclass(frozen=True)
class Mechanism:
    """One row of the table of mechanisms and its folded details."""

    axis: AxisProfile
    anchor: str
    approaches: tuple[ApproachRecord, ...]


@dataclass(frozen=True)
class Changes:
    """All changes since one earlier sample, with the titles of what changed."""

    caption: str
    rows: tuple[tuple[str, AxisChange], ...]


@dataclass(frozen=True)
class SampleView:
    """A profile without invisible characters, and what its page says of it."""

    profile: EscapeProfile
    verdict: Verdict
    override: str
    groups: dict[Call, tuple[Mechanism, ...]]
    blocks: tuple[tuple[str, IndexBlock], ...]
    flags: tuple[NoteRecord, ...]
    notes: tuple[NoteRecord, ...]
    remarks: tuple[NoteRecord, ...]
    changes: tuple[Changes, ...]
    is_beyond_leukocyte_limit: bool


def sample_view(profile: EscapeProfile, words: Language) -> SampleView:
    """Prepare the page of one sample; every text from outside has its invisible characters escaped."""
    checked_slug(profile)
    shown = visible_profile(profile)
    verdict, titles = verdict_of(shown, words), {axis.axis: axis.title for axis in shown.axes}
    return SampleView(
        profile=shown,
        verdict=verdict,
        override=_override(shown, words),
        groups=_by_call(shown),
        blocks=tuple((_title_of(block, titles, words), block) for block in shown.index.blocks),
        flags=tuple(flag for flag in shown.flags if matters(flag) and flag.code != verdict.reason_flag),
        notes=tuple(flag for flag in shown.flags if not matters(flag)),
        remarks=(*shown.notes, *shown.reference.withheld),
        changes=tuple(_changes(change, titles, words) for change in shown.changes),
        is_beyond_leukocyte_limit=(shown.leukocyte_fraction or 0.0) > LEUKOCYTE_FRACTION_LIMIT,
    )


def _override(profile: EscapeProfile, words: Language) -> str:
    """What is said next to the index where it would mislead: MSI-high tumours can have any index."""
    if not any(axis.axis == MSI_PROXY and axis.call is Call.DETECTED for axis in profile.axes):
        return ""
    return words.gettext(
        "The RNA proxy of mismatch repair is detected: confirm MSI by an assay, which outweighs this index."
    )


def _by_call(profile: EscapeProfile) -> dict[Call, tuple[Mechanism, ...]]:
    """Mechanisms of every call, the detected ones first and the strongest of them on top."""
    rows = {
        axis.axis: Mechanism(
            axis,
            f"mechanism-{number}",
            tuple(one for one in profile.approaches if one.mechanism == axis.axis),
        )
        for number, axis in enumerate(profile.axes, start=1)
    }
    members = {call: tuple(axis for axis in profile.axes if axis.call is call) for call in Call}
    members[Call.DETECTED] = detected_first(profile.axes)
    return {call: tuple(rows[axis.axis] for axis in axes) for call, axes in members.items()}


def _title_of(block: IndexBlock, titles: dict[str, str], words: Language) -> str:
    """A block of the index has the title of the mechanism of the same name, where there is one."""
    return translate_record_text(titles.get(block.block, block.block.replace("_", " ")), words)


def _changes(change: PairedChange, titles: dict[str, str], words: Language) -> Changes:
    caption = words.gettext("Since {sample} ({earlier} to {later})").format(
        sample=change.earlier_sample_id, earlier=change.earlier_timepoint, later=change.timepoint
    )
    index = () if change.index is None else ((words.gettext("Index, points"), change.index),)
    named = ((translate_record_text(titles.get(one.axis, one.axis), words), one) for one in change.axes)
    return Changes(caption, (*index, *named))


def score_drawing(axis: AxisProfile, words: Language) -> Markup:
    """Draw a score, its interval and threshold, with the same in words."""
    alternative = words.gettext("score {score}, 90 % interval {interval}, threshold {threshold}").format(
        score=format_score(axis.score, words),
        interval=format_interval(axis.interval, words),
        threshold=format_score(axis.threshold, words),
    )
    return score_bar(axis, alternative=alternative)


def index_drawing(index: IndexProfile, words: Language) -> Markup:
    """Draw the index and its interval, with the same in words."""
    alternative = words.gettext("index {score} on a scale from 0 to 100, 90 % interval {interval}").format(
        score=format_index(index.score, words), interval=format_interval(index.interval, words, decimals=0)
    )
    return index_gauge(index, alternative=alternative)


def format_raw(axis: AxisProfile, words: Language) -> str:
    """Write a score without its adjustment, or why there is none."""
    if axis.has_raw:
        return format_score(axis.raw_score, words)
    if axis.adjusted_for is None:
        return words.gettext("not adjusted")
    return words.gettext("no unadjusted version")


def percentile_range(axis: AxisProfile, words: Language) -> str:
    """What the size of the reference leaves open, or why there is no percentile."""
    if axis.percentile is None:
        return "" if axis.percentile_reason is None else sentence(axis.percentile_reason, words)
    return words.gettext("90 % interval {interval}").format(
        interval=format_interval(axis.percentile_interval, words, decimals=0)
    )


def link_name(link: LinkRecord, words: Language) -> str:
    """Name of a link of a chain: a gene, or two that are lost together."""
    first, _, second = link.link.partition("+")
    if "+" not in link.link:
        return first
    return words.gettext("{first} and {second} together").format(first=first, second=second)


def link_statement(link: LinkRecord, words: Language) -> str:
    """Say whether the loss of a link could have been seen: where it could not, a low z excludes none."""
    _ = words.gettext
    if link.z is None or link.detectable_sd is None:
        statement = _(
            "{link} was not measured, or its expected level is not known. Its loss cannot be assessed."
        )
    elif link.is_evaluable:
        statement = _("A five-fold loss of {link} could be detected in this sample.")
    else:
        statement = _(
            "A five-fold loss of {link} could not be detected reliably in this sample. A loss is therefore "
            "not excluded."
        )
    return statement.format(link=link_name(link, words))
