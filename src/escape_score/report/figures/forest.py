"""Forests of effects with their intervals, in one cohort and over several, and the volcano of effects."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from escape_score.model.record_comparison import PooledRow, PoolingModel
from escape_score.model.record_statistics import ConfidenceInterval, Measure
from escape_score.report.figures.frame import (
    Figure,
    Row,
    Scale,
    axis_x,
    axis_y,
    box,
    dots,
    figure_of,
    path,
    shortened,
    text,
)
from escape_score.report.text.i18n import Language, translate_record_text
from escape_score.report.text.numbers import format_interval
from escape_score.report.text.visible import visible_text

_LABELS, _PLOT, _LINE, _TOP = 260, 240, 16, 8
_COHORTS = 180
"""Room of the names of cohorts; titles of measures have a line of their own."""
_VALUES = 130
"""Room of an effect and its interval in words."""
_FOUND = 0.05
_LEAST_RATIO, _MOST_RATIO = 0.1, 10.0
_LEAST_RATE = 1e-6
"""Rates below are drawn here."""
_N_NAMED = 8
_NAME = 135
"""Room of a name in pixels, so that names of both sides do not meet."""
_VOLCANO = (440, 320)


@dataclass(frozen=True)
class Effect:
    """One measure: its effect, where chance is in it, and its false discovery rate."""

    measure: Measure
    value: float
    interval: ConfidenceInterval | None
    q_value: float
    is_found: bool

    def title(self, words: Language) -> str:
        """Title in the language of the page."""
        return translate_record_text(visible_text(self.measure.title), words)


@dataclass(frozen=True)
class EffectAxis:
    """How an effect is named and drawn; ratios on a logarithmic scale."""

    label: str
    column: str
    chance: float
    low: float
    high: float
    is_ratio: bool = False


def forest_figure(stem: str, effects: Sequence[Effect], on: EffectAxis, words: Language) -> Figure | None:
    """Draw every effect with its interval, the largest first; None where there is none."""
    if not effects:
        return None
    bottom = _TOP + _LINE * len(effects) + 4
    scale = _forest_scale(effects, on)
    parts = [axis_x(scale, bottom, words, label=on.label, top=_TOP)]
    parts.append(path("chance", [(scale(on.chance), _TOP), (scale(on.chance), bottom)]))
    for at, effect in enumerate(effects):
        y = _TOP + _LINE * (at + 0.5)
        css_class = "bold" if effect.is_found else ""
        title = effect.title(words)
        parts.append(text(_LABELS - 8, y + 4, title, anchor="end", css_class=css_class, width=_LABELS - 12))
        if effect.interval is not None:
            ends = [(scale(end), y) for end in (effect.interval.low, effect.interval.high)]
            parts.append(path("axis", ends))
        parts.append(dots("p1" if effect.is_found else "p0", [(scale(effect.value), y)]))
    said = words.gettext("{label} of {n} measures with 95 % intervals, as in the table").format(
        label=on.label, n=len(effects)
    )
    caption = words.gettext("Points with 95 % intervals; dashed: no difference. Bold: FDR below 0.05.")
    rows = (
        (
            effect.measure.measure,
            effect.value,
            *((effect.interval.low, effect.interval.high) if effect.interval else (None, None)),
            effect.q_value,
        )
        for effect in effects
    )
    table = (("measure", on.column, "low", "high", "q_value"), *rows)
    return figure_of(stem, caption, (_LABELS + _PLOT + 20, bottom + 38), parts, table, said=said)


def _forest_scale(effects: Sequence[Effect], on: EffectAxis) -> Scale:
    """Ratios are cut at tenfold; other effects have the ends of their range."""
    return _scale_of([one.interval for one in effects if one.interval is not None], on, _LABELS)


def _scale_of(intervals: Sequence[ConfidenceInterval], on: EffectAxis, left: float) -> Scale:
    if not on.is_ratio:
        return Scale(on.low, on.high, left, left + _PLOT)
    ends = [end for one in intervals for end in (one.low, one.high)]
    low = max(min([0.5, *ends]), _LEAST_RATIO)
    return Scale(low, min(max([2.0, *ends]), _MOST_RATIO), left, left + _PLOT, is_log=True)


def cohorts_figure(stem: str, rows: Sequence[PooledRow], on: EffectAxis, words: Language) -> Figure | None:
    """Draw some measures in every cohort, and their pooled effects; None where there is none."""
    if not rows:
        return None
    held = [held for row in rows for held in (row.interval, *(one.interval for one in row.cohorts))]
    scale = _scale_of([*held, *(row.prediction for row in rows if row.prediction)], on, _COHORTS)
    parts, y = list[Markup](), float(_TOP)
    for row in rows:
        drawn, y = _measure(row, y, scale, words)
        parts += drawn
    axis = axis_x(scale, y, words, label=on.label, top=_TOP)
    chance = path("chance", [(scale(on.chance), _TOP), (scale(on.chance), y)])
    titles = [translate_record_text(visible_text(row.measure.title), words) for row in rows]
    said = words.gettext(
        "{label} in every cohort and pooled, for: {names}. The numbers are in the table."
    ).format(label=on.label, names=words.gettext("; ").join(titles))
    caption = words.gettext(
        "Squares: cohorts, larger with more weight, with 95 % intervals. Diamonds: pooled effects with 95 % "
        "intervals, hollow for a fixed effect of two cohorts. Dotted: 95 % prediction interval for another "
        "cohort. Dashed: no difference. Intervals are cut at the ends of the axis. Bold: FDR below 0.05."
    )
    size = (_COHORTS + _PLOT + _VALUES, y + 38)
    return figure_of(stem, caption, size, [axis, chance, *parts], _cohorts_table(rows, on), said=said)


def _measure(row: PooledRow, top: float, scale: Scale, words: Language) -> tuple[list[Markup], float]:
    """Title, cohorts, diamond and prediction interval of one measure, and where the next one begins."""
    title = translate_record_text(visible_text(row.measure.title), words)
    is_found = row.q_value < _FOUND
    parts = [text(8, top + 14, title, css_class="name" if is_found else "", width=_COHORTS + 110)]
    y = top + _LINE * 1.5
    for one in row.cohorts:
        half = 2 + 4 * math.sqrt(one.weight)
        parts += [
            text(
                _COHORTS - 8,
                y + 4,
                visible_text(one.cohort),
                anchor="end",
                css_class="tick",
                width=_COHORTS - 16,
            ),
            path("axis", [(scale(end), y) for end in (one.interval.low, one.interval.high)]),
            box("weight", scale(one.effect) - half, y - half, 2 * half, 2 * half),
            _written(one.effect, one.interval, y, words),
        ]
        y += _LINE
    parts += _pooled(row, y, scale, words)
    y += _LINE
    if row.prediction is not None:
        ends = [(scale(end), y - 2) for end in (row.prediction.low, row.prediction.high)]
        said = words.gettext("prediction interval")
        parts += [
            text(_COHORTS - 8, y + 2, said, anchor="end", css_class="tick", width=_COHORTS - 16),
            path("predicted", ends),
        ]
        y += _LINE
    return parts, y


def _pooled(row: PooledRow, y: float, scale: Scale, words: Language) -> list[Markup]:
    is_random = row.model is PoolingModel.RANDOM
    low, middle, high = (scale(at) for at in (row.interval.low, row.effect, row.interval.high))
    said = words.gettext("pooled, random effects") if is_random else words.gettext("pooled, fixed effect")
    corners = [(low, y), (middle, y - 5), (high, y), (middle, y + 5)]
    return [
        text(_COHORTS - 8, y + 4, said, anchor="end", width=_COHORTS - 16),
        path("pooled" if is_random else "fixed", corners, is_closed=True),
        _written(row.effect, row.interval, y, words),
    ]


def _written(effect: float, interval: ConfidenceInterval, y: float, words: Language) -> Markup:
    said = f"{words.fixed(effect, 2)} {format_interval(interval, words, decimals=2)}"
    return text(_COHORTS + _PLOT + _VALUES - 6, y + 4, said, anchor="end")


def _cohorts_table(rows: Sequence[PooledRow], on: EffectAxis) -> list[Row]:
    table: list[Row] = [("measure", "cohort", on.column, "low", "high", "weight", "q_value")]
    for row in rows:
        name, pooled = row.measure.measure, row.interval
        table += [
            (name, one.cohort, one.effect, one.interval.low, one.interval.high, one.weight, None)
            for one in row.cohorts
        ]
        table.append((name, f"pooled, {row.model}", row.effect, pooled.low, pooled.high, None, row.q_value))
        if row.prediction is not None:
            table.append((name, "prediction", None, row.prediction.low, row.prediction.high, None, None))
    return table


def volcano_figure(stem: str, effects: Sequence[Effect], on: EffectAxis, words: Language) -> Figure | None:
    """Draw effects against false discovery rates; the measures found are named."""
    if not effects:
        return None
    width, height = _VOLCANO
    left, bottom = 52, height - 42
    heights = {id(one): -math.log10(max(one.q_value, _LEAST_RATE)) for one in effects}
    most = max(2.0, *heights.values()) * 1.08
    scale_x = Scale(on.low, on.high, left, width - 12)
    scale_y = Scale(0.0, most, bottom, 12)
    limit = scale_y(-math.log10(0.05))
    parts = [
        axis_x(scale_x, bottom, words, label=on.label),
        axis_y(scale_y, left, words, label="−log10 FDR"),
        path("chance", [(left, limit), (width - 12, limit)]),
        path("chance", [(scale_x(on.chance), 12), (scale_x(on.chance), bottom)]),
    ]
    for css_class, is_found in (("p0", False), ("p1", True)):
        chosen = [one for one in effects if one.is_found is is_found]
        parts.append(dots(css_class, [(scale_x(one.value), scale_y(heights[id(one)])) for one in chosen]))
    named = sorted((one for one in effects if one.is_found), key=lambda one: one.q_value)[:_N_NAMED]
    places = sorted(((scale_y(heights[id(one)]), scale_x(one.value), one) for one in named), key=_height)
    parts += _names(places, width, words)
    said = words.gettext("Effect and false discovery rate of {n} measures, as in the table").format(
        n=len(effects)
    )
    caption = words.gettext("Effect against false discovery rate; above the dashed line: FDR below 0.05.")
    table: list[Row] = [
        ("measure", on.column, "q_value"),
        *((e.measure.measure, e.value, e.q_value) for e in effects),
    ]
    return figure_of(stem, caption, _VOLCANO, parts, table, said=said)


def _height(place: tuple[float, float, Effect]) -> tuple[float, float]:
    return place[0], place[1]


def _names(places: list[tuple[float, float, Effect]], width: int, words: Language) -> list[Markup]:
    """Names beside their points, each below the one before it on the same side."""
    written, last = [], {True: -math.inf, False: -math.inf}
    for y, x, one in places:
        is_right = x > width / 2
        last[is_right] = max(y + 4, last[is_right] + 12)
        said = shortened(one.title(words), _NAME)
        at, anchor = (x - 7, "end") if is_right else (x + 7, "start")
        written.append(text(at, last[is_right], said, anchor=anchor))
    return written
