"""What the labels of a sample sheet say about a cohort's scores, as the cohort's page shows it."""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup

from escape_score.model.record_statistics import (
    CohortStatistics,
    ConfidenceInterval,
    GroupComparison,
    GroupRow,
    LeftOut,
    Measure,
    MeasureKind,
    ResponseStatistics,
    SurvivalStatistics,
)
from escape_score.report.i18n import Words, record_markup
from escape_score.report.numbers import format_count
from escape_score.report.visible import visible_text

CHANCE_AUROC, CHANCE_RATIO, NO_EFFECT = 0.5, 1.0, 0.0


@dataclass(frozen=True)
class StatisticsRow:
    """One measure: its cells, and whether its interval leaves chance out."""

    title: Markup
    is_baseline: bool
    cells: tuple[str, ...]
    is_clear: bool


@dataclass(frozen=True)
class StatisticsTable:
    """One table: response, an endpoint, or the groups of a column."""

    title: str
    note: str
    headings: tuple[str, ...]
    rows: tuple[StatisticsRow, ...]


def statistics_tables(statistics: CohortStatistics | None, words: Words) -> tuple[StatisticsTable, ...]:
    """Lay out all statistics of a cohort.

    Parameters
    ----------
    statistics
        As in ``cohort.json``; None where there are none.
    words
        Translations of the page.

    Returns
    -------
    tuple of StatisticsTable
        Response first, then survival, then groups; empty where no label allows any.
    """
    if statistics is None:
        return ()
    tables = [] if statistics.response is None else [_response(statistics.response, words)]
    tables += [_survival(endpoint, words) for endpoint in statistics.survival]
    tables += [_groups(comparison, words) for comparison in statistics.comparisons]
    return tuple(table for table in tables if table.rows)


def _response(response: ResponseStatistics, words: Words) -> StatisticsTable:
    title = words.gettext("Response: {n} responders, {n_all} samples").format(
        n=format_count(response.n_responders, words), n_all=format_count(response.n_samples, words)
    )
    rows = (
        _row(
            row.measure,
            (words.fixed(row.auroc, 2), _interval(row.interval, words), _q(row.q_value, words)),
            words,
            is_clear=_excludes(row.interval, CHANCE_AUROC),
        )
        for row in response.rows
    )
    headings = (words.gettext("AUROC"), words.gettext("95 % interval"), words.gettext("FDR"))
    return StatisticsTable(title, _left_out(response.left_out, words), headings, tuple(rows))


def _survival(survival: SurvivalStatistics, words: Words) -> StatisticsTable:
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
                _interval(row.interval, words),
                words.fixed(row.concordance, 2),
                _q(row.q_value, words),
            ),
            words,
            is_clear=_excludes(row.interval, CHANCE_RATIO),
        )
        for row in survival.rows
    )
    headings = (
        words.gettext("Hazard ratio per SD"),
        words.gettext("95 % interval"),
        words.gettext("Concordance"),
        words.gettext("FDR"),
    )
    return StatisticsTable(title, _left_out(survival.left_out, words), headings, tuple(rows))


def _groups(comparison: GroupComparison, words: Words) -> StatisticsTable:
    title = words.gettext("Groups of {column}").format(column=visible_text(comparison.column))
    rows = (_group_row(row, words) for row in comparison.rows)
    headings = (
        words.gettext("Median (samples)"),
        words.gettext("Effect"),
        words.gettext("95 % interval"),
        words.gettext("FDR"),
    )
    return StatisticsTable(title, _left_out(comparison.left_out, words), headings, tuple(rows))


def _group_row(row: GroupRow, words: Words) -> StatisticsRow:
    medians = " · ".join(
        f"{visible_text(group.group)} {words.fixed(group.median, 2)} ({format_count(group.n, words)})"
        for group in row.groups
    )
    interval = row.effect_interval
    cells = (medians, words.fixed(row.effect, 2), _interval(interval, words), _q(row.q_value, words))
    return _row(row.measure, cells, words, is_clear=interval is not None and _excludes(interval, NO_EFFECT))


def _row(measure: Measure, cells: tuple[str, ...], words: Words, *, is_clear: bool) -> StatisticsRow:
    title = record_markup(visible_text(measure.title), words)
    return StatisticsRow(title, measure.kind is MeasureKind.PUBLISHED, cells, is_clear)


def _interval(interval: ConfidenceInterval | None, words: Words) -> str:
    if interval is None:
        return words.gettext("no interval")
    return f"[{words.fixed(interval.low, 2)}, {words.fixed(interval.high, 2)}]"


def _excludes(interval: ConfidenceInterval, chance: float) -> bool:
    return interval.low > chance or interval.high < chance


def _q(value: float, words: Words) -> str:
    """A false discovery rate; the smallest are a bound, since no digit of them means anything."""
    smallest = 0.001
    return f"< {words.fixed(smallest, 3)}" if value < smallest else words.fixed(value, 3)


def _left_out(left_out: tuple[LeftOut, ...], words: Words) -> str:
    """How many samples a statistic does not count."""
    n = sum(one.n_samples for one in left_out)
    if not n:
        return ""
    text = words.ngettext("{n} sample is not counted.", "{n} samples are not counted.", n)
    return text.format(n=format_count(n, words))
