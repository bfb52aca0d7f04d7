"""Drawings of single cells: a quantity on the scale of its unit, and the composition of a sample."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from escape_score.model.record import Call, QuantityRecord
from escape_score.report.drawing import arrow, dot, drawing, line, px, tick
from escape_score.report.text.quantities import FRACTION, LOG2_RATE, LOG2_RATIO

_WIDTH, _HEIGHT, _MARGIN, _MIDDLE = 180, 34, 14, 13.0
_COMPOSITION_WIDTH, _COMPOSITION_HEIGHT, _GAP = 340, 28, 2.0
_NUMBERED_FROM = 13.0
"""Narrowest part of a composition, in pixels, that has room for its number."""


@dataclass(frozen=True)
class Scale:
    """Ends of a unit's scale, and where it has labels."""

    low: float
    high: float
    labels: tuple[tuple[float, str], ...]

    def x(self, value: float) -> float:
        """Place of a value in pixels; what is beyond an end is drawn there."""
        inside = min(max(value, self.low), self.high)
        return _MARGIN + (inside - self.low) / (self.high - self.low) * (_WIDTH - 2 * _MARGIN)


_SCALES = {
    FRACTION: Scale(0.0, 1.0, ((0.0, "0"), (0.5, "50"), (1.0, "100 %"))),
    LOG2_RATIO: Scale(-6.0, 6.0, ((-4.0, "1/16"), (-2.0, "1/4"), (0.0, "1"), (2.0, "4×"), (4.0, "16×"))),
    LOG2_RATE: Scale(-4.0, 11.0, ((0.0, "1"), (3.3219, "10"), (6.6439, "100"), (9.9658, "1000"))),
}
"""Ratios run from 1/64 to 64, rates from 1/16 to 2,048 in 10,000."""


def quantity_strip(quantity: QuantityRecord, *, alternative: str) -> Markup:
    """Draw a value, its 90 % interval, its threshold and its limit of detection.

    ``alternative`` is what the drawing says, in words; empty text where there is no value, or its unit has no
    scale.
    """
    scale = _SCALES.get(quantity.unit)
    if quantity.value is None or scale is None:
        return Markup("")
    threshold = quantity.threshold if quantity.call is not None else None
    parts = (
        line("track", _MARGIN, _WIDTH - _MARGIN, _MIDDLE),
        *(_label(scale, at, text) for at, text in scale.labels),
        "" if threshold is None else tick("threshold", scale.x(threshold), 3, 23),
        _interval(quantity, scale),
        _limit(quantity.limit_of_detection, scale),
        dot(scale.x(quantity.value), _MIDDLE, is_detected=quantity.call is Call.DETECTED),
    )
    return drawing("strip", _WIDTH, _HEIGHT, alternative, parts)


def _label(scale: Scale, at: float, text: str) -> str:
    x = scale.x(at)
    anchor, place = ("end", float(_WIDTH)) if at == scale.high else ("middle", x)
    label = f'<text x="{px(place)}" y="33" text-anchor="{anchor}">{text}</text>'
    return tick("zero", x, 19, 23) + label


def _interval(quantity: QuantityRecord, scale: Scale) -> str:
    interval = quantity.interval
    if interval is None:
        return ""
    start, end = scale.x(interval.low), scale.x(interval.high)
    beyond = ((start, -1, interval.low < scale.low), (end, 1, interval.high > scale.high))
    arrows = (arrow(x, _MIDDLE, pointing=pointing) for x, pointing, is_beyond in beyond if is_beyond)
    return line("interval", start, end, _MIDDLE) + "".join(arrows)


def _limit(limit: float | None, scale: Scale) -> str:
    """A triangle above the line: shapes differ, so that colour is never needed."""
    if limit is None or not scale.low <= limit <= scale.high:
        return ""
    return f'<path class="limit" d="M{px(scale.x(limit))} 9l-4 -8h8z"/>'


@dataclass(frozen=True)
class Part:
    """One compartment of a composition: its share, and the class of CSS of its fill."""

    share: float
    css_class: str


def composition_bar(parts: Sequence[Part], *, alternative: str) -> Markup:
    """Draw shares from left to right, with a number in each that has room for one.

    Parts have gaps, and order and number name them, so that colour is never needed.
    """
    total = sum(part.share for part in parts)
    if total <= 0:
        return Markup("")
    place, drawn = 0.0, []
    for number, part in enumerate(parts, start=1):
        width = part.share / total * _COMPOSITION_WIDTH
        drawn.append(_part(number, part.css_class, place, width))
        place += width
    return drawing("composition", _COMPOSITION_WIDTH, _COMPOSITION_HEIGHT, alternative, tuple(drawn))


def _part(number: int, css_class: str, start: float, width: float) -> str:
    place = f'x="{px(start + _GAP / 2)}" width="{px(max(width - _GAP, 0.6))}"'
    shape = f'<rect class="{css_class}" {place} y="1" height="26"/>'
    if width < _NUMBERED_FROM:
        return shape
    middle = start + width / 2
    return f'{shape}<text class="on-{css_class}" x="{px(middle)}" y="18" text-anchor="middle">{number}</text>'
