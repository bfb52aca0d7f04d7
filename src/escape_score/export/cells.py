"""Cells of the delimited formats."""

from __future__ import annotations

import math

MISSING = "NA"


def number(value: float) -> str:
    """A number of nine significant digits, as in the tables of a result."""
    return MISSING if math.isnan(value) else f"{value:.9g}"


def one_line(text: str) -> str:
    """Text in one cell: tabs, line ends and other control characters are spelt out."""
    return "".join(c if c.isprintable() or ord(c) > LAST_CONTROL else f"\\u{ord(c):04x}" for c in text)


LAST_CONTROL = 0x9F
"""Last code point of the control characters of Unicode."""


def plain(text: str) -> str:
    """Text of our own in one cell that no spreadsheet takes for a formula; missing where empty."""
    cell = one_line(text)
    return f"'{cell}" if cell.startswith(FORMULA_START) else cell or MISSING


FORMULA_START = ("=", "+", "-", "@")
