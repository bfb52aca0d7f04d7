"""Small static drawings from numbers of a record, with a text alternative and colours from CSS."""

from __future__ import annotations

from collections.abc import Callable

from markupsafe import Markup

from escape_score.model.record import AxisProfile, Call, IndexProfile, Interval, Quantiles

SCORE_LIMIT = 4.0
"""Scores are drawn from -4 to +4 reference SD; what lies beyond is drawn at the edge with an arrow."""

_BAR_WIDTH = 152
_BAR_HEIGHT = 20
_GAUGE_WIDTH = 260
_GAUGE_HEIGHT = 34
_MARGIN = 6


def score_bar(axis: AxisProfile, *, alternative: str) -> Markup:
    """Draw a mechanism's score, its 90 % interval and the threshold on the reference's distribution.

    Parameters
    ----------
    axis
        The mechanism; ``score`` and ``interval`` in reference SD units.
    alternative
        What the drawing says, in words.

    Returns
    -------
    markupsafe.Markup
        An ``svg`` element, empty text where there is no score.
    """
    if axis.score is None:
        return Markup("")
    middle = _BAR_HEIGHT / 2
    parts = (
        reference_band(axis.reference_quantiles, _x_of_score, middle, 6),
        _line("track", _MARGIN, _BAR_WIDTH - _MARGIN, middle),
        _tick("threshold", _x_of_score(axis.threshold), 1, _BAR_HEIGHT - 1),
        _score_interval(axis.interval, middle),
        _dot(_x_of_score(axis.score), middle, is_detected=axis.call is Call.DETECTED),
    )
    return drawing("bar", _BAR_WIDTH, _BAR_HEIGHT, alternative, parts)


def index_gauge(index: IndexProfile, *, alternative: str) -> Markup:
    """Draw the index from 0 to 100 with its 90 % interval.

    Parameters
    ----------
    index
        The index; bounds outside 0-100 are drawn at the ends.
    alternative
        What the drawing says, in words.

    Returns
    -------
    markupsafe.Markup
        An ``svg`` element, empty text where there is no index.
    """
    if index.score is None:
        return Markup("")
    middle = 12.0
    parts = (
        reference_band(index.reference_quantiles, _x_of_index, middle, 7),
        _line("track", _MARGIN, _GAUGE_WIDTH - _MARGIN, middle),
        *(_gauge_mark(points) for points in (0, 50, 100)),
        _gauge_interval(index.interval, middle),
        _dot(_x_of_index(index.score), middle, is_detected=False, radius=6),
    )
    return drawing("gauge", _GAUGE_WIDTH, _GAUGE_HEIGHT, alternative, parts)


def reference_band(quantiles: Quantiles, x_of: Callable[[float], float], y: float, half: float) -> Markup:
    """Draw where the reference's tumours lie.

    Parameters
    ----------
    quantiles
        5, 25, 50, 75 and 95 % of their scores; nothing is drawn where they are not known.
    x_of
        From a score to its place.
    y, half
        Middle and half of the height, in pixels.

    Returns
    -------
    markupsafe.Markup
        A pale box from 5 to 95 %, a darker one from 25 to 75 %, a tick at the median.
    """
    if quantiles is None:
        return Markup("")
    low, lower, median, upper, high = (x_of(quantile) for quantile in quantiles)
    return (
        _box("most", low, high, y, half)
        + _box("half", lower, upper, y, half)
        + _tick("median", median, y - half, y + half)
    )


def _x_of_score(score: float) -> float:
    clamped = min(max(score, -SCORE_LIMIT), SCORE_LIMIT)
    return _MARGIN + (clamped + SCORE_LIMIT) / (2 * SCORE_LIMIT) * (_BAR_WIDTH - 2 * _MARGIN)


def _x_of_index(points: float) -> float:
    return _MARGIN + min(max(points, 0.0), 100.0) / 100 * (_GAUGE_WIDTH - 2 * _MARGIN)


def _score_interval(interval: Interval | None, y: float) -> Markup:
    if interval is None:
        return Markup("")
    start, end = _x_of_score(interval.low), _x_of_score(interval.high)
    arrows = Markup("").join(
        _arrow(x, y, pointing=pointing)
        for x, pointing, is_beyond in (
            (start, -1, interval.low < -SCORE_LIMIT),
            (end, 1, interval.high > SCORE_LIMIT),
        )
        if is_beyond
    )
    return _line("interval", start, end, y) + arrows


def _gauge_interval(interval: Interval | None, y: float) -> Markup:
    if interval is None:
        return Markup("")
    return _line("interval", _x_of_index(interval.low), _x_of_index(interval.high), y)


def _gauge_mark(points: int) -> Markup:
    x, anchor = _x_of_index(points), {0: "start", 100: "end"}.get(points, "middle")
    label = Markup(f'<text x="{x:.1f}" y="32" text-anchor="{anchor}">{points:d}</text>')
    return _tick("zero", x, 6, 18) + label


# Shapes hold numbers and our own class names only, so they are written at once, without escaping each part.


def _line(css_class: str, start: float, end: float, y: float) -> Markup:
    return Markup(f'<line class="{css_class}" x1="{start:.1f}" x2="{end:.1f}" y1="{y:.1f}" y2="{y:.1f}"/>')


def _tick(css_class: str, x: float, top: float, bottom: float) -> Markup:
    return Markup(f'<line class="{css_class}" x1="{x:.1f}" x2="{x:.1f}" y1="{top:.1f}" y2="{bottom:.1f}"/>')


def _box(css_class: str, start: float, end: float, y: float, half: float) -> Markup:
    place = f'x="{start:.1f}" width="{end - start:.1f}" y="{y - half:.1f}" height="{2 * half:.1f}"'
    return Markup(f'<rect class="{css_class}" {place}/>')


def _dot(x: float, y: float, *, is_detected: bool, radius: float = 4.5) -> Markup:
    css_class = "dot found" if is_detected else "dot"
    return Markup(f'<circle class="{css_class}" cx="{x:.1f}" cy="{y:.1f}" r="{radius:g}"/>')


def _arrow(x: float, y: float, *, pointing: int) -> Markup:
    step = 5 * pointing
    return Markup(f'<path class="arrow" d="M{x:.1f} {y - 4:.1f}l{step:d} 4l{-step:d} 4z"/>')


def drawing(css_class: str, width: int, height: int, alternative: str, parts: tuple[Markup, ...]) -> Markup:
    """Put shapes into an ``svg`` element with a text alternative; sizes in pixels."""
    return Markup(
        '<svg class="{}" role="img" aria-label="{}" viewBox="0 0 {w} {h}" width="{w}" height="{h}">{}</svg>'
    ).format(css_class, alternative, Markup("").join(parts), w=width, h=height)
