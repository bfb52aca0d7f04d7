"""Cells of the delimited formats."""

from __future__ import annotations

import math

from escape_score.store.tsv import FLOAT_FORMAT, safe_cell

MISSING = "NA"


def number(value: float) -> str:
    """A number of nine significant digits, as in the tables of a result."""
    return MISSING if math.isnan(value) else FLOAT_FORMAT % value


def text(value: object) -> str:
    """Text in one cell, harmless in a spreadsheet; missing where empty."""
    return safe_cell(str(value)) or MISSING
