"""What the labels of a sample sheet say about a cohort's scores, as the cohort's page shows it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from markupsafe import Markup

from escape_score.model.record import NoteRecord
from escape_score.model.record_statistics import (
    CohortStatistics,
    GroupComparison,
    GroupRow,
    LeftOut,
    Measure,
    MeasureKind,
    ResponseStatistics,
    SurvivalStatistics,
)
from escape_score.report.messages import note_markup
from escape_score.report.text.i18n import Language, record_markup, translate_record_text
from escape_score.report.text.numbers import format_count, format_interval, leaves_out
from escape_score.report.text.visible import visible_note, visible_text

TIMEPOINT = "timepoint"
CHANCE_AUROC, CHANCE_RATIO, NO_EFFECT = 0.5, 1.0, 0.0


@dataclass(frozen=True)
class StatisticsRow:
    """One measure: its cells, and whether its interval leaves chance out.

    ``origin`` marks measures that are neither index nor axis: baselines, and quantities of single cells.
    """

    title: Markup
    origin: str
    cells: tuple[str, ...]
    is_clear: bool


@dataclass(frozen=True)
class StatisticsTable:
    """One table: response, an endpoint, or the groups of a column; ``finding`` sums it up in a sentence."""

    title: str
    finding: Markup
    note: str
    headings: tuple[str, ...]
    rows: tuple[StatisticsRow, ...]


def statistics_tables(statistics: CohortStatistics | None, words: Language) -> tuple[StatisticsTable, ...]:
    """Lay out all statistics of a cohort.

    Response first, then survival, then groups; empty where no label allows any.
    """
    if statistics is None:
        return ()
    tables = [] if statistics.response is None else [_response(statistics.response, words)]
    tables += [_survival(endpoint, words) for endpoint in statistics.survival]
    tables += [_groups(comparison, words) for comparison in statistics.comparisons]
    return tuple(table for table in tables if table.rows)


@dataclass(frozen=True)
class StatisticsView:
    """All that the sample sheet's labels say; ``notes`` say how to read it and what could not be compared."""

    notes: tuple[Markup, ...]
    tables: tuple[StatisticsTable, ...]


def statistics_view(statistics: CohortStatistics | None, words: Language) -> StatisticsView:
    """Lay out all statistics of a cohort with what they say of themselves.

    Empty where no label allows any statistic and none is there in vain.
    """
    notes = () if statistics is None else statistics.notes
    return StatisticsView(
        notes=tuple(_visible(note, words) for note in notes),
        tables=statistics_tables(statistics, words),
    )


def _response(response: ResponseStatistics, words: Language) -> StatisticsTable:
    title = words.gettext("Response: {n} responders, {n_all} samples").format(
        n=format_count(response.n_responders, words), n_all=format_count(response.n_samples, words)
    )
    rows = (
        _row(
            row.measure,
            (
                words.fixed(row.auroc, 2),
                format_interval(row.interval, words, decimals=2),
                _q(row.q_value, words),
            ),
            words,
            is_clear=leaves_out(row.interval, CHANCE_AUROC),
        )
        for row in response.rows
    )
    headings = (words.gettext("AUROC"), words.gettext("95 % interval"), words.gettext("FDR"))
    return _table(title, response, headings, rows, words)


def _survival(survival: SurvivalStatistics, words: Language) -> StatisticsTable:
    names = {"os": words.gettext("Overall survival"), "pfs": words.gettext("Progression-free survival")}
    title = words.gettext("{endpoint}: {n} samples, {n_events} events").format(
        endpoint=names.get(survival.endpoint, survival.endpoint),
        n=format_count(survival.n_samples, words),
        n_events=format_count(survival.n_events, words),
    )
    rows = (
        _row(
            row.measure,
            (
                words.fixed(row.hazard_ratio, 2),
                format_interval(row.interval, words, decimals=2),
                words.fixed(row.concordance, 2),
                _q(row.q_value, words),
            ),
            words,
            is_clear=leaves_out(row.interval, CHANCE_RATIO),
        )
        for row in survival.rows
    )
    headings = (
        words.gettext("Hazard ratio per SD"),
        words.gettext("95 % interval"),
        words.gettext("Concordance"),
        words.gettext("FDR"),
    )
    return _table(title, survival, headings, rows, words)


def _groups(comparison: GroupComparison, words: Language) -> StatisticsTable:
    column = translate_record_text(visible_text(comparison.column), words)
    title = words.gettext("Groups of {column}").format(column=column)
    # other columns have groups named by the sheet
    name_of = _translated if comparison.column == TIMEPOINT else _as_it_is
    rows = (_group_row(row, name_of, words) for row in comparison.rows)
    headings = (
        words.gettext("Median (samples)"),
        words.gettext("Effect"),
        words.gettext("95 % interval"),
        words.gettext("FDR"),
    )
    return _table(title, comparison, headings, rows, words)


def _translated(group: str, words: Language) -> str:
    return translate_record_text(group, words)


def _as_it_is(group: str, _words: Language) -> str:
    return visible_text(group)


def _group_row(row: GroupRow, name_of: Callable[[str, Language], str], words: Language) -> StatisticsRow:
    medians = " · ".join(
        f"{name_of(group.group, words)} {words.fixed(group.median, 2)} ({format_count(group.n, words)})"
        for group in row.groups
    )
    interval = row.effect_interval
    cells = (
        medians,
        words.fixed(row.effect, 2),
        format_interval(interval, words, decimals=2),
        _q(row.q_value, words),
    )
    return _row(row.measure, cells, words, is_clear=leaves_out(interval, NO_EFFECT))


def _row(measure: Measure, cells: tuple[str, ...], words: Language, *, is_clear: bool) -> StatisticsRow:
    title = record_markup(visible_text(measure.title), words)
    origins = {
        MeasureKind.PUBLISHED: words.gettext("(published)"),
        MeasureKind.CELLS: words.gettext("(single cells)"),
    }
    return StatisticsRow(title, origins.get(measure.kind, ""), cells, is_clear)


def _q(value: float, words: Language) -> str:
    """A false discovery rate; the smallest are a bound, since no digit of them means anything."""
    smallest = 0.001
    return f"< {words.fixed(smallest, 3)}" if value < smallest else words.fixed(value, 3)


def _table(
    title: str,
    statistic: ResponseStatistics | SurvivalStatistics | GroupComparison,
    headings: tuple[str, ...],
    rows: Iterable[StatisticsRow],
    words: Language,
) -> StatisticsTable:
    finding = Markup(" ").join(_visible(one, words) for one in statistic.findings)
    return StatisticsTable(title, finding, _left_out(statistic.left_out, words), headings, tuple(rows))


def _left_out(left_out: tuple[LeftOut, ...], words: Language) -> str:
    """How many samples a statistic does not count, and why."""
    if not left_out:
        return ""
    reasons = (
        words.gettext("{n} ({reason})").format(
            n=format_count(one.n_samples, words),
            reason=_visible(one.reason, words),
        )
        for one in left_out
    )
    return words.gettext("Samples not counted: {reasons}.").format(reasons=words.gettext("; ").join(reasons))


def _visible(note: NoteRecord, words: Language) -> Markup:
    """A note whose names from the sheet have their invisible characters escaped."""
    return note_markup(visible_note(note), words)
