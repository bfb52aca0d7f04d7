"""Quantities of single cells as a page shows them: percent, plain ratios, counts in 10,000."""

from __future__ import annotations

from escape_score.model.record import Interval, QuantityRecord
from escape_score.report.text.i18n import Language
from escape_score.report.text.numbers import format_fraction, format_interval

FRACTION, LOG2_RATIO, LOG2_RATE = "fraction", "log2_ratio", "log2_rate"
"""Units of a quantity, as the record names them."""

_ONE_DECIMAL_BELOW = 10.0
_THREE_DIGITS_BELOW = 1000.0
_SAME = 0.07
"""Distance from 0, in log2, that a ratio with one decimal does not show."""


def format_quantity(value: float | None, unit: str, words: Language) -> str:
    """Write a value: a fraction in percent, a ratio as ``4.3-fold lower``, a rate as counts in 10,000."""
    if value is None:
        return words.gettext("not evaluable")
    if unit == FRACTION:
        return _percent(value, words)
    if unit == LOG2_RATE:
        return words.gettext("{rate} in 10,000").format(rate=_rate(value, words))
    if abs(value) < _SAME:
        return words.gettext("same level")
    text = words.gettext("{factor}-fold lower") if value < 0 else words.gettext("{factor}-fold higher")
    return text.format(factor=_factor(value, words))


def format_short(value: float, unit: str, words: Language) -> str:
    """Write a value for a narrow column: a ratio as ``1/4.3`` or ``2.1×``."""
    if unit == FRACTION:
        return _percent(value, words)
    if unit == LOG2_RATE:
        return _rate(value, words)
    if abs(value) < _SAME:
        return "1×"
    return f"1/{_factor(value, words)}" if value < 0 else f"{_factor(value, words)}×"


def format_quantity_interval(interval: Interval | None, unit: str, words: Language) -> str:
    """Write an interval in the unit of its value; a ratio has words only where its ends differ in them."""
    if interval is None:
        return words.gettext("no interval")
    ends = (interval.low, interval.high)
    if unit == FRACTION:
        percent = Interval(low=100 * interval.low, high=100 * interval.high)
        return format_interval(percent, words, decimals=0)
    if unit == LOG2_RATE:
        low, high = (_rate(end, words) for end in ends)
    elif min(map(abs, ends)) < _SAME or interval.low < 0 < interval.high:
        low, high = (format_quantity(end, unit, words) for end in ends)
    else:
        low, high = (_factor(end, words) for end in sorted(ends, key=abs))
    return words.between(low, high)


def quantity_words(quantity: QuantityRecord, words: Language) -> str:
    """Write a value with its interval in one phrase."""
    value = format_quantity(quantity.value, quantity.unit, words)
    if quantity.value is None or quantity.interval is None:
        return value
    return words.gettext("{value}, 90 % interval {interval}").format(
        value=value, interval=format_quantity_interval(quantity.interval, quantity.unit, words)
    )


def _percent(fraction: float, words: Language) -> str:
    """Percent that no line of a sentence breaks apart."""
    return format_fraction(fraction, words).replace(" ", "\u00a0")


def _factor(value: float, words: Language) -> str:
    """A ratio or its inverse, whichever is above 1."""
    factor = 2 ** abs(value)
    return words.fixed(factor, 1 if factor < _ONE_DECIMAL_BELOW else 0)


def _rate(value: float, words: Language) -> str:
    rate = 2**value
    return words.number(f"{rate:.3g}" if rate < _THREE_DIGITS_BELOW else f"{rate:,.0f}")
