"""Pooled effects of one question: a table of all measures, and the forest of the leading ones."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator

from markupsafe import Markup

from escape_score.model.record_comparison import (
    PooledEffectName,
    PooledRow,
    PooledShift,
    Question,
    QuestionKind,
)
from escape_score.model.record_statistics import MeasureKind
from escape_score.report.cohort.models import format_rate
from escape_score.report.cohort.statistics import StatisticsTable, statistics_row
from escape_score.report.figures.forest import EffectAxis, cohorts_figure
from escape_score.report.messages import visible_markup
from escape_score.report.text.i18n import Language, translate_record_text
from escape_score.report.text.numbers import format_count, format_fraction, format_interval
from escape_score.report.text.visible import visible_text

N_LEADING = 4
"""Measures of the forest: the index, and those with the largest effects."""
SHORTER, LONGER = "shorter", "longer"


def question_table(question: Question, at: int, words: Language) -> StatisticsTable:
    """Lay out one question, the largest effects first."""
    ordered = sorted(question.rows, key=lambda row: -_size(question, row))
    on = _axis(question.effect_name, words)
    leading = sorted(ordered, key=lambda row: row.measure.kind is not MeasureKind.INDEX)[:N_LEADING]
    figure = cohorts_figure(f"pooled-{at}", leading, on, words)
    has_shifts = any(row.shift is not None for row in ordered)
    return StatisticsTable(
        title=_title(question, words),
        finding=Markup(" ").join(visible_markup(one, words) for one in question.findings),
        note=" ".join(_notes(question, words)),
        headings=_headings(on, words, has_shifts=has_shifts),
        rows=tuple(
            statistics_row(
                row.measure, _cells(question, row, words, has_shifts=has_shifts), words, row.q_value
            )
            for row in ordered
        ),
        figures=() if figure is None else (figure,),
    )


def _size(question: Question, row: PooledRow) -> float:
    """Distance from no difference, for the order of the table."""
    match question.effect_name:
        case PooledEffectName.HAZARD_RATIO:
            return abs(math.log(row.effect)) if row.effect > 0 else math.inf
        case PooledEffectName.AUROC:
            return abs(row.effect - 0.5)
        case PooledEffectName.RANK_BISERIAL:
            return abs(row.effect)


def _axis(name: PooledEffectName, words: Language) -> EffectAxis:
    match name:
        case PooledEffectName.HAZARD_RATIO:
            return EffectAxis(words.gettext("Hazard ratio per SD"), name.value, 1.0, 0.0, 0.0, is_ratio=True)
        case PooledEffectName.AUROC:
            return EffectAxis(words.gettext("AUROC"), name.value, 0.5, 0.0, 1.0)
        case PooledEffectName.RANK_BISERIAL:
            return EffectAxis(words.gettext("Effect (rank-biserial)"), name.value, 0.0, -1.0, 1.0)


def _title(question: Question, words: Language) -> str:
    _ = words.gettext
    first, second = (_group(name, question, words) for name in question.groups or ("", ""))
    titles = {
        QuestionKind.RESPONSE: _("Response: {n} cohorts"),
        QuestionKind.SURVIVAL: {"os": _("Overall survival: {n} cohorts")}.get(
            question.label, _("Progression-free survival: {n} cohorts")
        ),
        QuestionKind.GROUPS: _("Groups of {column}: {first} and {second}, {n} cohorts"),
        QuestionKind.PAIRS: _("{first} and {second}, in pairs: {n} cohorts"),
    }
    column = translate_record_text(visible_text(question.label), words)
    n = format_count(len(question.cohorts), words)
    return titles[question.kind].format(n=n, column=column, first=first, second=second)


def _group(name: str, question: Question, words: Language) -> str:
    """Timepoints are words of ours; other groups are named by the sheet."""
    shown = visible_text(name)
    return translate_record_text(shown, words) if question.kind is QuestionKind.PAIRS else shown


def _headings(on: EffectAxis, words: Language, *, has_shifts: bool) -> tuple[str, ...]:
    _ = words.gettext
    return (
        *(on.label, _("95 % interval"), _("Direction"), _("Prediction interval"), _("FDR")),
        *(_("Samples"), _("I²"), _("τ²"), _("p of Q")),
        *((_("Shift, in the measure’s unit"),) if has_shifts else ()),
        _("In each cohort"),
    )


def _cells(question: Question, row: PooledRow, words: Language, *, has_shifts: bool) -> tuple[str, ...]:
    differ = row.heterogeneity
    each = (f"{visible_text(one.cohort)}\u00a0{words.fixed(one.effect, 2)}" for one in row.cohorts)
    return (
        words.fixed(row.effect, 2),
        format_interval(row.interval, words, decimals=2),
        _direction(question, row, words),
        words.gettext("two cohorts")
        if row.prediction is None
        else format_interval(row.prediction, words, decimals=2),
        format_rate(row.q_value, words),
        format_count(sum(one.n for one in row.cohorts), words),
        _i_squared(row, words),
        words.fixed(differ.tau_squared, 3),
        format_rate(differ.p_value, words),
        *((_shift(row.shift, words),) if has_shifts else ()),
        " · ".join(each),
    )


def _i_squared(row: PooledRow, words: Language) -> str:
    ends = row.heterogeneity.i_squared_interval
    interval = words.gettext("[{low}, {high}]").format(
        low=words.fixed(100 * ends.low, 0), high=words.fixed(100 * ends.high, 0)
    )
    return f"{format_fraction(row.heterogeneity.i_squared, words)} {interval}"


def _shift(shift: PooledShift | None, words: Language) -> str:
    if shift is None:
        return words.gettext("other references")
    return f"{words.fixed(shift.shift, 2)} {format_interval(shift.interval, words, decimals=2)}"


def _direction(question: Question, row: PooledRow, words: Language) -> str:
    """The direction in words."""
    _ = words.gettext
    if row.higher_in is None:
        return _("equal")
    if question.kind is QuestionKind.SURVIVAL:
        return {SHORTER: _("higher: shorter"), LONGER: _("higher: longer")}[row.higher_in]
    if question.kind is QuestionKind.RESPONSE:
        return {"R": _("higher in responders"), "NR": _("higher in non-responders")}[row.higher_in]
    return _("higher in {group}").format(group=_group(row.higher_in, question, words))


def _notes(question: Question, words: Language) -> Iterator[str]:
    """Which cohorts are not pooled and why, for the question and for single measures."""
    _ = words.gettext
    if question.left_out:
        reasons = (
            f"{visible_text(one.cohort)} ({visible_markup(one.reason, words)})" for one in question.left_out
        )
        yield _("Cohorts not pooled: {reasons}.").format(reasons=_("; ").join(reasons))
    missing = Counter(
        (visible_text(one.cohort), str(visible_markup(one.reason, words)))
        for row in question.rows
        for one in row.left_out
    )
    if missing:
        reasons = (
            f"{cohort} ({why}; {format_count(n, words)})" for (cohort, why), n in sorted(missing.items())
        )
        yield _("Not pooled for some measures (number of measures): {reasons}.").format(
            reasons=_("; ").join(reasons)
        )
    if question.n_untested:
        sentence = words.ngettext(
            "{n} measure is not pooled: fewer than two cohorts have its effect.",
            "{n} measures are not pooled: fewer than two cohorts have their effect.",
            question.n_untested,
        )
        yield sentence.format(n=format_count(question.n_untested, words))
