"""What one cell of a text matrix may hold."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

MISSING_WORDS = ("", "NA", "N/A", "n/a", "NaN", "nan", "null", "NULL")
"""Cells that mean: not measured."""

NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")

_DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+(?:[eE][+-]?\d+)?")
_THOUSANDS = re.compile(r"[+-]?\d{1,3}(?:,\d{3})+")


def is_missing(cell: str) -> bool:
    """Tell whether a cell means: not measured."""
    return cell.strip() in MISSING_WORDS


def fault_in(cell: str, decimal: str) -> str:
    """Say what is wrong with a cell that should hold a number; empty where nothing is."""
    text = cell.strip()
    if text in MISSING_WORDS:
        return ""
    if text.lower().lstrip("+-") in ("inf", "infinity"):
        return "infinite"
    if not NUMBER.fullmatch(text.replace(decimal, ".", 1) if decimal != "." else text):
        return "not numeric"
    return "" if math.isfinite(float(text.replace(decimal, "."))) else "infinite (too large for a number)"


def looks_numeric(cell: str) -> bool:
    """Tell whether a cell holds a number in any notation, infinite ones included."""
    text = cell.strip()
    return bool(NUMBER.fullmatch(text) or _DECIMAL_COMMA.fullmatch(text)) or text.lower().lstrip("+-") in (
        "inf",
        "infinity",
    )


def decimal_mark(cells: Sequence[str]) -> str:
    """Tell the decimal mark by some cells of a table.

    Parameters
    ----------
    cells
        Cells that should hold numbers.

    Returns
    -------
    str
        ``","`` where commas stand in numbers, never points, and not only where thousands are grouped; else
        ``"."``.
    """
    with_comma = [cell.strip() for cell in cells if _DECIMAL_COMMA.fullmatch(cell.strip())]
    has_point = any("." in cell and NUMBER.fullmatch(cell.strip()) for cell in cells)
    only_thousands = all(_THOUSANDS.fullmatch(cell) for cell in with_comma)
    return "," if with_comma and not has_point and not only_thousands else "."
