"""What the page of a comparison shows, as text: cohorts, calls, and the questions that were pooled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from escape_score.model.record import NoteRecord
from escape_score.model.record_comparison import (
    CohortComparison,
    ComparedCohort,
    MechanismCalls,
    Share,
)
from escape_score.model.record_statistics import ConfidenceInterval
from escape_score.report.cohort.statistics import StatisticsTable
from escape_score.report.cohort.view import counted_status
from escape_score.report.comparison.questions import question_table
from escape_score.report.facts import Fact
from escape_score.report.figures.calls import calls_figure
from escape_score.report.figures.frame import Figure
from escape_score.report.messages import visible_markup
from escape_score.report.text.i18n import Language, record_markup
from escape_score.report.text.numbers import format_count, format_fraction, format_interval
from escape_score.report.text.visible import visible_text
from escape_score.report.text.wording import unit_word

_N_TYPES = 3
"""Tumour types of a cohort that are named; the rest are counted."""


@dataclass(frozen=True)
class CohortLine:
    """One cohort in the table of cohorts."""

    name: str
    n_samples: str
    n_patients: str
    tumour_types: Markup
    unit: str
    reference: str
    choice: Markup
    statuses: str


@dataclass(frozen=True)
class CallLine:
    """One cohort's calls of one mechanism: a cell for each call."""

    cohort: str
    cells: tuple[str, ...]


@dataclass(frozen=True)
class CallBlock:
    """One mechanism in the table of calls."""

    title: Markup
    lines: tuple[CallLine, ...]


@dataclass(frozen=True)
class ComparisonView:
    """Everything that the page of a comparison shows."""

    title: str
    headline: str
    cautions: tuple[Markup, ...]
    cohorts: tuple[CohortLine, ...]
    figures: tuple[Figure, ...]
    calls: tuple[CallBlock, ...]
    questions: tuple[StatisticsTable, ...]
    notes: tuple[Markup, ...]
    n_tests: str
    provenance: tuple[Fact, ...]


def comparison_view(comparison: CohortComparison, words: Language) -> ComparisonView:
    """Prepare the page; every text from outside has its invisible characters escaped."""
    drawn = calls_figure("calls", comparison.calls, words)
    return ComparisonView(
        title=visible_text(comparison.title) or _untitled(comparison.cohorts, words),
        headline=_headline(comparison, words),
        cautions=tuple(_said(comparison.cautions, words)),
        cohorts=tuple(_cohort_line(one, words) for one in comparison.cohorts),
        figures=() if drawn is None else (drawn,),
        calls=tuple(_call_block(one, words) for one in comparison.calls),
        questions=tuple(
            question_table(one, at, words) for at, one in enumerate(comparison.questions, start=1)
        ),
        notes=tuple(_said(comparison.notes, words)),
        n_tests=format_count(comparison.n_tests, words),
        provenance=tuple(_provenance(comparison, words)),
    )


def _said(notes: Sequence[NoteRecord], words: Language) -> list[Markup]:
    return [visible_markup(one, words) for one in notes]


def _untitled(cohorts: Sequence[ComparedCohort], words: Language) -> str:
    return words.gettext("Comparison of {names}").format(
        names=", ".join(visible_text(one.cohort) for one in cohorts)
    )


def _headline(comparison: CohortComparison, words: Language) -> str:
    n_samples = sum(one.n_samples for one in comparison.cohorts)
    return words.gettext("{n} cohorts with {n_samples} samples; {n_tests} pooled effects.").format(
        n=format_count(len(comparison.cohorts), words),
        n_samples=format_count(n_samples, words),
        n_tests=format_count(comparison.n_tests, words),
    )


def _cohort_line(one: ComparedCohort, words: Language) -> CohortLine:
    statuses = (counted_status(count.status, count.n_samples, words) for count in one.statuses)
    choice = one.reference_choice
    return CohortLine(
        name=visible_text(one.cohort),
        n_samples=format_count(one.n_samples, words),
        n_patients=format_count(one.n_patients, words),
        tumour_types=_tumour_types(one, words),
        unit=unit_word(visible_text(one.unit), words),
        reference=visible_text(one.reference),
        choice=Markup("") if choice is None else visible_markup(choice, words),
        statuses=", ".join(statuses),
    )


def _tumour_types(one: ComparedCohort, words: Language) -> Markup:
    """The most frequent types with their samples, and how many have none."""
    if not one.tumour_types:
        return Markup("{}").format(words.gettext("not stated"))
    named = [
        Markup("{} ({})").format(
            record_markup(visible_text(count.label), words), format_count(count.n_samples, words)
        )
        for count in one.tumour_types[:_N_TYPES]
    ]
    if (n_more := len(one.tumour_types) - _N_TYPES) > 0:
        rest = words.ngettext("and {n} more", "and {n} more", n_more)
        named.append(Markup("{}").format(rest.format(n=n_more)))
    if missing := one.n_samples - sum(count.n_samples for count in one.tumour_types):
        said = words.gettext("not stated ({n})").format(n=format_count(missing, words))
        named.append(Markup("{}").format(said))
    return Markup(", ").join(named)


def _call_block(mechanism: MechanismCalls, words: Language) -> CallBlock:
    lines = (
        CallLine(visible_text(one.cohort), tuple(_share(share, words) for share in one.shares))
        for one in mechanism.cohorts
    )
    return CallBlock(record_markup(visible_text(mechanism.title), words), tuple(lines))


def _share(one: Share, words: Language) -> str:
    """Samples, percent and interval, such as ``12: 40 % [25, 57]``."""
    percent = ConfidenceInterval(low=100 * one.interval.low, high=100 * one.interval.high)
    return words.gettext("{n}: {share} {interval}").format(
        n=format_count(one.n, words),
        share=format_fraction(one.share, words),
        interval=format_interval(percent, words, decimals=0),
    )


def _provenance(comparison: CohortComparison, words: Language) -> list[Fact]:
    _ = words.gettext
    facts = [Fact(_("Version of the record"), comparison.schema_version)]
    for one in comparison.cohorts:
        name = visible_text(one.cohort)
        facts += [
            Fact(_("{cohort}: cohort.json, sha256").format(cohort=name), one.statistics_sha256),
            Fact(_("{cohort}: reference, sha256").format(cohort=name), one.reference_sha256),
            Fact(_("{cohort}: version of escape_score").format(cohort=name), one.package_version),
        ]
    return facts
