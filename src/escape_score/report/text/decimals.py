"""Numbers that are written with fixed decimals: what was written once is kept, as a page has a thousand."""

from __future__ import annotations

from collections.abc import Callable

Writer = Callable[[float], str]

_KEPT = 4000
"""Steps of the last decimal from zero up to which numbers are kept, such as ±40.00 and ±400.0."""
_CLEAR = 0.49
"""Distance from a step up to which rounding is clear; a number in the middle is rounded by all its digits."""


def kept(decimals: int) -> Callable[[Writer], Writer]:
    """Make a function keep what it writes of a number that it rounds to so many decimals.

    It has to write the same for all numbers that are rounded to the same step.
    """
    scale, below, above = 10.0**decimals, -_CLEAR, _CLEAR

    def keeping(anew: Writer) -> Writer:
        found = dict[int, str]()

        def write(value: float) -> str:
            steps = value * scale
            try:
                near = round(steps)
                if below < steps - near < above:
                    return found[near]
            except (KeyError, ValueError, OverflowError):  # new, not a number, infinite
                pass
            text = anew(value)
            if abs(steps) < _KEPT and below < steps - near < above:
                found[near] = text
            return text

        return write

    return keeping
