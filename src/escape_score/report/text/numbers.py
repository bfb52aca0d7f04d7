"""Numbers as a page shows them; what is absent is said in words, never as 0, NaN or a blank."""

from __future__ import annotations

from escape_score.model.record import Interval
from escape_score.model.record_statistics import ConfidenceInterval
from escape_score.report.text.i18n import Language

_ALL = 100
_EXPONENT_FROM = 10_000


def format_score(score: float | None, words: Language) -> str:
    """Write a score in reference SD units with its sign and two decimals, such as ``+1.23``."""
    return words.gettext("not evaluable") if score is None else words.signed_to[2](score)


def format_z(z: float | None, words: Language) -> str:
    """Write a gene's distance from the reference, in its spreads, with its sign and one decimal."""
    return words.gettext("not known") if z is None else words.signed_to[1](z)


def format_interval(
    interval: Interval | ConfidenceInterval | None, words: Language, *, decimals: int = 1
) -> str:
    """Write an interval, such as ``[−0.3, 1.2]``."""
    if interval is None:
        return words.gettext("no interval")
    fixed = words.fixed_to[decimals]
    return words.between(fixed(interval.low), fixed(interval.high))


def format_percentile(percentile: float | None, percentile_n: int, words: Language) -> str:
    """Write a percentile with the number of tumours behind it, such as ``87 (n = 592)``."""
    if percentile is None:
        return words.gettext("no percentile")
    text = words.gettext("{rank} (n = {n})")
    return text.format(rank=written_percentile(percentile, words), n=format_count(percentile_n, words))


def written_percentile(percentile: float, words: Language) -> str:
    """Write a percentile, such as ``87``.

    The ends are ``<1`` and ``>99``: a reference of some hundred tumours has no finer answer.
    """
    if percentile < 1:
        return f"<{words.gap}1"
    if percentile > _ALL - 1:
        return f">{words.gap}99"
    return words.fixed_to[0](percentile)


def format_percentile_interval(interval: Interval | None, words: Language) -> str:
    """Write the interval of a percentile, whose ends are written as percentiles are."""
    if interval is None:
        return words.gettext("no interval")
    return words.between(written_percentile(interval.low, words), written_percentile(interval.high, words))


def format_fraction(fraction: float | None, words: Language) -> str:
    """Write a fraction (0-1) in percent, such as ``87 %``; rounding never reaches 0 or 100 by itself."""
    if fraction is None:
        return words.gettext("not evaluable")
    return f"{_whole(100 * fraction, words)}{words.gap or ' '}%"


def format_index(score: float | None, words: Language) -> str:
    """Write the index (0-100) in whole points, as its interval is never narrower than some points."""
    return words.gettext("not evaluable") if score is None else words.fixed(score, 0)


def format_log2(value: float | None, words: Language) -> str:
    """Write a distance or an offset in log2 units with two decimals, such as ``0.42 log2``."""
    return words.gettext("not known") if value is None else f"{words.fixed(value, 2)} log2"


def format_value(value: float | None, words: Language) -> str:
    """Write a value of any unit with four significant digits; what would need more is not in it."""
    if value is None:
        return words.gettext("not evaluable")
    return words.number(f"{value:.4g}" if abs(value) < _EXPONENT_FROM else f"{value:,.0f}")


def format_count(n: int, words: Language) -> str:
    """Write a number of things with grouped thousands."""
    return words.number(f"{n:,}")


def leaves_out(interval: Interval | ConfidenceInterval | None, value: float) -> bool:
    """Whether there is an interval and a value, such as that of chance, is outside."""
    return interval is not None and (interval.low > value or interval.high < value)


def _whole(percent: float, words: Language) -> str:
    """Whole percent; the ends are kept for what lies exactly on them."""
    if 0 < percent < 1:
        return f"<{words.gap}1"
    if _ALL - 1 < percent < _ALL:
        return f">{words.gap}99"
    return words.fixed(percent, 0)
