"""What the page of one sample shows: its record, in the order of the page, and sentences made of it.

Templates compute nothing; filters write the values of the record in the language of the page.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import NamedTuple

from markupsafe import Markup

from escape_score.model.record import (
    Archetype,
    AxisChange,
    AxisProfile,
    Call,
    CellsRecord,
    EscapeProfile,
    IndexBlock,
    Interval,
    LinkRecord,
    NoteRecord,
    PairedChange,
    Phenotype,
    Status,
)
from escape_score.report.drawing import index_gauge, score_bar
from escape_score.report.messages import note_markup, sentence
from escape_score.report.sample.approaches import ApproachGroup, approach_groups
from escape_score.report.sample.cautions import Caution, Reason, cautions_of, is_caution, reasons_of
from escape_score.report.sample.cells import CellsView, cells_view
from escape_score.report.sample.cells_said import side_sentence
from escape_score.report.sample.figures import (
    Family,
    LevelRow,
    axis_of_portrait,
    composition_rows,
    portrait,
    target_rows,
)
from escape_score.report.sample.ranking import Ranked, ranked
from escape_score.report.sample.verdict import Verdict, called_first, verdict_of
from escape_score.report.text.i18n import Language, translate_record_text
from escape_score.report.text.numbers import (
    format_index,
    format_interval,
    format_percentile_interval,
    format_score,
)
from escape_score.report.text.terms import Term, of_sample, terms_of
from escape_score.report.text.visible import VisibleProfile, checked_slug, visible_profile
from escape_score.report.text.wording import enumerate_words, is_wrong_unit, word_of

LEUKOCYTE_FRACTION_LIMIT = 0.8
"""Above it adjusted scores leave the range they were calibrated in."""


class Mechanism(NamedTuple):
    """One row of the table of mechanisms and its folded details; ``interval`` is that of the call.

    ``cells``: what single cells show of it, empty where there are none.
    """

    axis: AxisProfile
    interval: Interval | None
    anchor: str
    approaches: tuple[ApproachGroup, ...]
    cells: str = ""


@dataclass(frozen=True)
class Changes:
    """All changes since one earlier sample, with the titles of what changed."""

    caption: str
    rows: tuple[tuple[str, AxisChange], ...]


@dataclass(frozen=True)
class Msi:
    """A possible mismatch-repair deficiency: what to do, and what the sample sheet says of it."""

    text: str
    notes: tuple[NoteRecord, ...]


@dataclass(frozen=True)
class Fold:
    """Mechanisms that are folded into one line: how many, and which.

    Their rows, or the reasons why they are not evaluable.
    """

    summary: str
    names: str
    rows: tuple[Mechanism, ...]
    reasons: tuple[Reason, ...]


@dataclass(frozen=True)
class Advice:
    """What would improve the result: the first in plain words, and all with their commands."""

    first: str
    summary: str
    items: tuple[Markup, ...]


@dataclass(frozen=True)
class Figures:
    """Figures of the page; empty where the record has no numbers for one."""

    scale: Markup
    families: tuple[Family, ...]
    composition: tuple[LevelRow, ...]
    targets: tuple[LevelRow, ...]


@dataclass(frozen=True)
class SampleView:
    """A profile without invisible characters, and what its page says of it."""

    profile: EscapeProfile
    verdict: Verdict
    msi: Msi | None
    phenotype: str
    archetype: str
    groups: dict[Call | None, tuple[Mechanism, ...]]
    cells: CellsView | None
    uncounted: str
    blocks: tuple[tuple[str, IndexBlock], ...]
    ranking: tuple[Ranked, ...]
    folds: tuple[Fold, ...]
    advice: Advice | None
    cautions: tuple[Caution, ...]
    flags: tuple[NoteRecord, ...]
    notes: tuple[NoteRecord, ...]
    remarks: tuple[NoteRecord, ...]
    figures: Figures
    terms: tuple[Term, ...]
    changes: tuple[Changes, ...]
    is_beyond_leukocyte_limit: bool
    is_judged_by_score: bool

    @property
    def mechanisms(self) -> tuple[Mechanism, ...]:
        """All mechanisms in the order of their details."""
        return tuple(chain.from_iterable(self.groups.values()))


def sample_view(profile: EscapeProfile, words: Language) -> SampleView:
    """Prepare the page of one sample; every text from outside has its invisible characters escaped."""
    return view_of_visible(visible_profile(profile), words)


def view_of_visible(shown: VisibleProfile, words: Language) -> SampleView:
    """Prepare the page of a profile whose texts are visible already."""
    checked_slug(shown)
    verdict, titles = verdict_of(shown, words), {axis.axis: axis.title for axis in shown.axes}
    groups = _by_call(shown, words)
    cautions = tuple(flag for flag in shown.flags if is_caution(flag))
    # a wrong unit is on the first screen and among the advice
    flags = tuple(one for one in cautions if one.code != verdict.reason_flag and not is_wrong_unit(one))
    remarks = (*(one for one in shown.notes if one.code != "msi"), *shown.reference.withheld)
    return SampleView(
        profile=shown,
        verdict=verdict,
        msi=_msi(shown, words),
        phenotype=_class_word(shown.phenotype, shown, words),
        archetype=_class_word(shown.archetype, shown, words),
        groups=groups,
        cells=cells_view(shown, words),
        uncounted=_uncounted(shown, words),
        blocks=tuple((_title_of(block, titles, words), block) for block in shown.index.blocks),
        ranking=ranked(shown, words),
        folds=tuple(_folds(groups, words)),
        advice=_advice(shown, words),
        cautions=cautions_of(flags, remarks, words),
        flags=flags,
        notes=tuple(flag for flag in shown.flags if not is_caution(flag)),
        remarks=remarks,
        figures=_figures(shown, words),
        terms=terms_of(of_sample(shown.status), words),
        changes=tuple(_changes(change, titles, words) for change in shown.changes),
        is_beyond_leukocyte_limit=(shown.leukocyte_fraction or 0.0) > LEUKOCYTE_FRACTION_LIMIT,
        is_judged_by_score=_has_no_interval(shown),
    )


def _folds(groups: dict[Call | None, tuple[Mechanism, ...]], words: Language) -> Iterator[Fold]:
    """One line for the mechanisms of each call that is not among the findings."""
    _ = words.gettext
    texts = {
        Call.NOT_DETECTED: _("Not detected ({n}):"),
        Call.NOT_EVALUABLE: _("Not evaluable ({n}):"),
        None: _("Descriptive only ({n}):"),
    }
    for call, text in texts.items():
        rows = groups[call]
        if rows:
            titles = tuple(translate_record_text(row.axis.title, words) for row in rows)
            summary, names = text.format(n=len(rows)), enumerate_words(titles, 0, words)
            if call is Call.NOT_EVALUABLE:
                yield Fold(summary, names, (), reasons_of([(row.anchor, row.axis) for row in rows], words))
            else:
                yield Fold(summary, names, rows, ())


_COMMAND = re.compile(r"\s*:\s*escape-score [^.]*(?=\.)")
"""A command at the end of an advice, which the first screen leaves to the fold."""


def _advice(profile: EscapeProfile, words: Language) -> Advice | None:
    """Advice of the record, after the check of a unit that is probably wrong."""
    check = words.gettext("Check the unit of the input.")
    wrong, known = tuple(filter(is_wrong_unit, profile.flags)), profile.reference.advice
    items = (
        *(Markup("{} {}").format(check, note_markup(flag, words)) for flag in wrong),
        *(note_markup(one, words) for one in known),
    )
    if not items:
        return None
    first = check if wrong else _COMMAND.sub("", sentence(known[0], words))
    return Advice(first, words.gettext("What would improve the result ({n})").format(n=len(items)), items)


def _has_no_interval(profile: EscapeProfile) -> bool:
    """Whether a mechanism was called without an interval."""
    judged = (axis for axis in profile.axes if axis.call not in (None, Call.NOT_EVALUABLE))
    is_cohort = profile.reference.is_cohort
    return any((axis.interval_within if is_cohort else axis.interval) is None for axis in judged)


def _figures(profile: EscapeProfile, words: Language) -> Figures:
    return Figures(
        axis_of_portrait(words),
        portrait(profile, words),
        composition_rows(profile, words),
        target_rows(profile, words),
    )


def _msi(profile: EscapeProfile, words: Language) -> Msi | None:
    """What stands above everything where a mismatch-repair deficiency is possible or reported."""
    notes = tuple(one for one in profile.notes if one.code == "msi")
    if profile.msi_suspected and any(one.params.get("kind") == "high" for one in notes):
        return Msi(
            words.gettext(
                "The RNA is consistent with this: MLH1 and EPM2AIP1 are low, as in mismatch-repair "
                "deficiency."
            ),
            notes,
        )
    if profile.msi_suspected:
        text = words.gettext(
            "Possible mismatch-repair deficiency: MLH1 and EPM2AIP1 are low. Confirm MSI or mismatch repair "
            "by an assay. Its result outweighs this profile."
        )
        return Msi(text, notes)
    return Msi("", notes) if notes else None


def _class_word(found: Phenotype | Archetype | None, profile: EscapeProfile, words: Language) -> str:
    """Name of a class; a provisional profile is given none, whether it could be evaluated or not."""
    if found is None and profile.status is Status.PROVISIONAL:
        return words.gettext("not given")
    return word_of(found, words)


def _uncounted(profile: EscapeProfile, words: Language) -> str:
    """Decisive losses that the index does not count; empty where there are none."""
    blocks = {block.block for block in profile.index.blocks}
    titles = tuple(
        translate_record_text(axis.title, words)
        for axis in profile.axes
        if axis.axis in profile.decisive_mechanisms and axis.axis not in blocks
    )
    if not titles or profile.index.score is None:
        return ""
    return words.gettext("The index does not count: {names}.").format(names=enumerate_words(titles, 0, words))


def _by_call(profile: EscapeProfile, words: Language) -> dict[Call | None, tuple[Mechanism, ...]]:
    """Mechanisms of every call, detected ones first, the strongest on top; last those not called."""
    said = {} if profile.cells is None else _said_of_cells(profile.cells, words)
    rows = {
        axis.axis: Mechanism(
            axis,
            axis.interval_within if profile.reference.is_cohort else axis.interval,
            f"mechanism-{number}",
            approach_groups([one for one in profile.approaches if one.mechanism == axis.axis], words),
            said.get(axis.axis, ""),
        )
        for number, axis in enumerate(profile.axes, start=1)
    }
    members: dict[Call | None, tuple[AxisProfile, ...]] = {
        call: tuple(axis for axis in profile.axes if axis.call is call) for call in (*Call, None)
    }
    for call in (Call.DETECTED, Call.BORDERLINE):
        members[call] = called_first(profile.axes, call)
    return {call: tuple(rows[axis.axis] for axis in axes) for call, axes in members.items()}


def _said_of_cells(cells: CellsRecord, words: Language) -> dict[str, str]:
    """What the cells show of each mechanism that they are evidence for: their call, and how it fits bulk."""
    text = words.gettext("{call}. {sentence}")
    return {
        one.axis: text.format(call=word_of(one.cells, words), sentence=side_sentence(one, cells, words))
        for one in cells.side_by_side
    }


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


def score_drawing(row: Mechanism, words: Language) -> Markup:
    """Draw a score, its interval and the threshold of its call, with the same in words."""
    axis = row.axis
    if axis.call is None:
        alternative = words.gettext("score {score}, 90 % interval {interval}")
    else:
        alternative = words.gettext("score {score}, 90 % interval {interval}, threshold {threshold}")
    said = alternative.format(
        score=format_score(axis.score, words),
        interval=format_interval(row.interval, words),
        threshold=format_score(axis.threshold, words),
    )
    return score_bar(axis, row.interval, alternative=said)


def index_drawing(profile: EscapeProfile, words: Language) -> Markup:
    """Draw the index and its interval, with the same in words."""
    index, interval = profile.index, profile.index_interval
    alternative = words.gettext("index {score} on a scale from 0 to 100, 90 % interval {interval}").format(
        score=format_index(index.score, words), interval=format_interval(interval, words, decimals=0)
    )
    return index_gauge(index, interval, alternative=alternative)


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
        interval=format_percentile_interval(axis.percentile_interval, words)
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
