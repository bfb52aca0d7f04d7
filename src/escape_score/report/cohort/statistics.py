"""What the labels of a sample sheet say about a cohort's scores, as the cohort's page shows it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial

from markupsafe import Markup

from escape_score.model.record_statistics import (
    CohortStatistics,
    EffectName,
    GroupComparison,
    GroupRow,
    LeftOut,
    Measure,
    MeasureKind,
    ResponseRow,
    ResponseStatistics,
    SurvivalRow,
    SurvivalStatistics,
)
from escape_score.report.cohort.models import ModelColumns, format_rate, model_notes
from escape_score.report.figures.boxes import box_figure
from escape_score.report.figures.curves import roc_figure, survival_figure
from escape_score.report.figures.forest import Effect, EffectAxis, forest_figure, volcano_figure
from escape_score.report.figures.frame import Figure
from escape_score.report.figures.overview import correlation_figure, map_figure
from escape_score.report.messages import visible_markup
from escape_score.report.text.i18n import Language, record_markup, translate_record_text
from escape_score.report.text.numbers import format_count, format_interval
from escape_score.report.text.visible import visible_text

TIMEPOINT = "timepoint"
FDR = 0.05
"""False discovery rate below which a row is bold."""


@dataclass(frozen=True)
class StatisticsRow:
    """One measure: its cells, and whether its false discovery rate is below :data:`FDR`.

    ``origin`` marks measures that are neither index nor axis: baselines, and quantities of single cells.
    """

    title: Markup
    origin: str
    cells: tuple[str, ...]
    is_found: bool


@dataclass(frozen=True)
class StatisticsTable:
    """One table: response, an endpoint, or the groups of a column; ``finding`` sums it up in a sentence."""

    title: str
    finding: Markup
    note: str
    headings: tuple[str, ...]
    rows: tuple[StatisticsRow, ...]
    figures: tuple[Figure, ...] = ()


def statistics_tables(statistics: CohortStatistics | None, words: Language) -> tuple[StatisticsTable, ...]:
    """Lay out all statistics of a cohort.

    Response first, then survival, then groups; empty where no label allows any.
    """
    if statistics is None:
        return ()
    tables = [] if statistics.response is None else [_response(statistics.response, words)]
    tables += [_survival(endpoint, words) for endpoint in statistics.survival]
    tables += [
        _groups(comparison, at, words) for at, comparison in enumerate(statistics.comparisons, start=1)
    ]
    return tuple(table for table in tables if table.rows)


@dataclass(frozen=True)
class StatisticsView:
    """All that the sample sheet's labels say; ``notes`` say how to read it and what could not be compared.

    ``figures`` show all samples, whatever their labels.
    """

    notes: tuple[Markup, ...]
    tables: tuple[StatisticsTable, ...]
    n_tests: str
    figures: tuple[Figure, ...]


def statistics_view(statistics: CohortStatistics | None, words: Language) -> StatisticsView:
    """Lay out all statistics of a cohort with what they say of themselves.

    Empty where no label allows any statistic and none is there in vain.
    """
    if statistics is None:
        return StatisticsView((), (), "", ())
    return StatisticsView(
        notes=tuple(visible_markup(note, words) for note in statistics.notes),
        tables=statistics_tables(statistics, words),
        n_tests=format_count(statistics.n_tests, words),
        figures=_drawn(
            map_figure("map", statistics.map, words),
            correlation_figure("correlation", statistics.correlation, words),
        ),
    )


def _drawn(*figures: Figure | None) -> tuple[Figure, ...]:
    return tuple(figure for figure in figures if figure is not None)


def _response(response: ResponseStatistics, words: Language) -> StatisticsTable:
    _ = words.gettext
    title = _("Response: {n} responders, {n_all} samples").format(
        n=format_count(response.n_responders, words), n_all=format_count(response.n_samples, words)
    )
    ordered = sorted(response.rows, key=lambda row: -abs(row.auroc - 0.5))
    models = ModelColumns.of(ordered)
    rows = (
        statistics_row(
            row.measure, _response_cells(row, response.n_samples, words, models), words, row.q_value
        )
        for row in ordered
    )
    headings = (
        *(_("AUROC"), _("95 % interval"), _("Direction"), _("Median: responders · non-responders")),
        *models.headings(words),
        *(_("Evaluable"), _("FDR")),
    )
    on = EffectAxis(_("AUROC"), "auroc", 0.5, 0.0, 1.0)
    effects = [
        Effect(row.measure, row.auroc, row.interval, row.q_value, _is_found(row.q_value)) for row in ordered
    ]
    names = {"R": _("responders"), "NR": _("non-responders")}
    figures = _drawn(
        box_figure("response-boxes", response.boxes, lambda group: names.get(group, group), words),
        roc_figure("response-roc", response.curves, words),
        forest_figure("response-forest", effects, on, words),
        volcano_figure("response-volcano", effects, on, words),
    )
    return _table(title, response, headings, rows, words, figures)


def _response_cells(
    row: ResponseRow, n_samples: int, words: Language, models: ModelColumns
) -> tuple[str, ...]:
    directions = {"R": words.gettext("higher in responders"), "NR": words.gettext("higher in non-responders")}
    medians = f"{words.fixed(row.median_responders, 2)} · {words.fixed(row.median_nonresponders, 2)}"
    return (
        words.fixed(row.auroc, 2),
        format_interval(row.interval, words, decimals=2),
        directions.get(row.higher_in or "", words.gettext("equal")),
        medians,
        *models.cells(row, words),
        _evaluable(row.n_evaluable, n_samples, words),
        format_rate(row.q_value, words),
    )


def _evaluable(n: int, n_all: int, words: Language) -> str:
    return words.gettext("{n} of {n_all}").format(n=format_count(n, words), n_all=format_count(n_all, words))


def _is_found(q_value: float) -> bool:
    return q_value < FDR


def _survival(survival: SurvivalStatistics, words: Language) -> StatisticsTable:
    _ = words.gettext
    names = {"os": _("Overall survival"), "pfs": _("Progression-free survival")}
    title = _("{endpoint}: {n} samples, {n_events} events").format(
        endpoint=names.get(survival.endpoint, survival.endpoint),
        n=format_count(survival.n_samples, words),
        n_events=format_count(survival.n_events, words),
    )
    ordered = sorted(survival.rows, key=lambda row: -abs(math.log(row.hazard_ratio)))
    models = ModelColumns.of(ordered)
    rows = (
        statistics_row(
            row.measure, _survival_cells(row, survival.n_samples, words, models), words, row.q_value
        )
        for row in ordered
    )
    headings = (
        *(_("Hazard ratio per SD"), _("95 % interval"), _("Direction"), _("Concordance")),
        *models.headings(words),
        *(_("Evaluable"), _("FDR")),
    )
    on = EffectAxis(_("Hazard ratio per SD"), "hazard_ratio", 1.0, 0.0, 0.0, is_ratio=True)
    effects = [
        Effect(row.measure, row.hazard_ratio, row.interval, row.q_value, _is_found(row.q_value))
        for row in ordered
    ]
    figures = _drawn(
        survival_figure(f"{survival.endpoint}-curves", survival.curves, words),
        forest_figure(f"{survival.endpoint}-forest", effects, on, words),
    )
    return _table(title, survival, headings, rows, words, figures)


def _survival_cells(
    row: SurvivalRow, n_samples: int, words: Language, models: ModelColumns
) -> tuple[str, ...]:
    shorter, longer = words.gettext("higher: shorter"), words.gettext("higher: longer")
    return (
        words.fixed(row.hazard_ratio, 2),
        format_interval(row.interval, words, decimals=2),
        shorter if row.hazard_ratio > 1 else longer,
        words.fixed(row.concordance, 2),
        *models.cells(row, words),
        _evaluable(row.n, n_samples, words),
        format_rate(row.q_value, words),
    )


def _groups(comparison: GroupComparison, at: int, words: Language) -> StatisticsTable:
    _ = words.gettext
    column = translate_record_text(visible_text(comparison.column), words)
    title = _("Groups of {column}").format(column=column)
    # other columns have groups named by the sheet
    name_of = partial(_translated if comparison.column == TIMEPOINT else _as_it_is, words=words)
    ordered = sorted(comparison.rows, key=lambda row: -abs(row.effect))
    models = ModelColumns.of(ordered)
    rows = (_group_row(row, comparison.n_samples, name_of, words, models) for row in ordered)
    is_signed = all(row.effect_name is EffectName.RANK_BISERIAL for row in ordered)
    effect = _("Effect (rank-biserial)") if is_signed else _("Effect (epsilon squared)")
    headings = (
        *(effect, _("95 % interval"), _("Direction"), _("Median (samples)")),
        *models.headings(words),
        *(_("Evaluable"), _("FDR")),
    )
    on = EffectAxis(effect, "effect", 0.0, -1.0 if is_signed else 0.0, 1.0)
    effects = [
        Effect(row.measure, row.effect, row.effect_interval, row.q_value, _is_found(row.q_value))
        for row in ordered
    ]
    stem = f"groups-{at}"
    figures = _drawn(
        box_figure(f"{stem}-boxes", comparison.boxes, name_of, words),
        forest_figure(f"{stem}-forest", effects, on, words),
        volcano_figure(f"{stem}-volcano", effects, on, words),
    )
    return _table(title, comparison, headings, rows, words, figures)


def _translated(group: str, words: Language) -> str:
    return translate_record_text(group, words)


def _as_it_is(group: str, words: Language) -> str:
    return visible_text(group)


def _group_row(
    row: GroupRow,
    n_samples: int,
    name_of: Callable[[str], str],
    words: Language,
    models: ModelColumns,
) -> StatisticsRow:
    medians = " · ".join(
        f"{name_of(group.group)} {words.fixed(group.median, 2)} ({format_count(group.n, words)})"
        for group in row.groups
    )
    cells = (
        words.fixed(row.effect, 2),
        format_interval(row.effect_interval, words, decimals=2),
        _direction(row, name_of, words),
        medians,
        *models.cells(row, words),
        _evaluable(row.n_evaluable, n_samples, words),
        format_rate(row.q_value, words),
    )
    return statistics_row(row.measure, cells, words, row.q_value)


def _direction(row: GroupRow, name_of: Callable[[str], str], words: Language) -> str:
    if row.higher_in is None:
        return words.gettext("equal")
    is_pair = len(row.groups) == 2  # noqa: PLR2004
    said = words.gettext("higher in {group}") if is_pair else words.gettext("highest median in {group}")
    return said.format(group=name_of(row.higher_in))


def statistics_row(
    measure: Measure, cells: tuple[str, ...], words: Language, q_value: float
) -> StatisticsRow:
    """Put the cells of a measure behind its title."""
    title = record_markup(visible_text(measure.title), words)
    origins = {
        MeasureKind.PUBLISHED: words.gettext("(published)"),
        MeasureKind.CELLS: words.gettext("(single cells)"),
    }
    return StatisticsRow(title, origins.get(measure.kind, ""), cells, _is_found(q_value))


def _table(  # noqa: PLR0917
    title: str,
    statistic: ResponseStatistics | SurvivalStatistics | GroupComparison,
    headings: tuple[str, ...],
    rows: Iterable[StatisticsRow],
    words: Language,
    figures: tuple[Figure, ...],
) -> StatisticsTable:
    finding = Markup(" ").join(visible_markup(one, words) for one in statistic.findings)
    notes = [_left_out(statistic.left_out, words)]
    if statistic.n_untested:
        sentence = words.ngettext(
            "{n} measure is not tested: too few samples are evaluable, or all are equal.",
            "{n} measures are not tested: too few samples are evaluable, or all are equal.",
            statistic.n_untested,
        )
        notes.append(sentence.format(n=format_count(statistic.n_untested, words)))
    notes += model_notes(statistic.rows, words)
    note = " ".join(one for one in notes if one)
    return StatisticsTable(title, finding, note, headings, tuple(rows), figures)


def _left_out(left_out: tuple[LeftOut, ...], words: Language) -> str:
    """How many samples a statistic does not count, and why."""
    if not left_out:
        return ""
    reasons = (
        words.gettext("{n} ({reason})").format(
            n=format_count(one.n_samples, words),
            reason=visible_markup(one.reason, words),
        )
        for one in left_out
    )
    return words.gettext("Samples not counted: {reasons}.").format(reasons=words.gettext("; ").join(reasons))
