"""What one cell of a text matrix may hold."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

MISSING_WORDS = ("", "NA", "N/A", "n/a", "NaN", "nan", "null", "NULL")
"""Cells that mean: not measured."""

NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")

_DECIMAL_COMMA = re.compile(r"[+-]?[0-9]+,[0-9]+(?:[eE][+-]?[0-9]+)?")
_THOUSANDS = re.compile(r"[+-]?[1-9][0-9]{0,2}(?:,[0-9]{3})+")

_POINTED = re.compile(r"[+-]?[0-9]*\.[0-9]*(?:[eE][+-]?[0-9]+)?")
_POINT_GROUPS = re.compile(r"[+-]?[1-9][0-9]{0,2}(?:\.[0-9]{3})+")

MIN_POINT_GROUPS = 5
"""Cells such as ``1.060`` from which points are between thousands, if all cells with a point are like them,
and whole numbers above 0 are there but none of four digits. Decimals have all of three places in nine of ten
cells at most, and many are below 1: in fifteen tables of ten programs the sample of cells never looks so."""

_GROUP_MARKS = (",", ".", " ", "\u00a0", "\u202f", "'", "\u2019")
"""Marks between thousands: comma, point, blank, two kinds of fixed blank, and two of apostrophe."""

_INFINITE_WORDS = ("inf", "infinity")


@dataclass(frozen=True)
class NumberStyle:
    """How numbers are written in a table: decimal mark, and mark between groups of three digits, if any."""

    decimal: str = "."
    thousands: str = ""

    @property
    def pattern(self) -> str:
        """Regular expression of one number, without anchors."""
        mark, decimal = re.escape(self.thousands), re.escape(self.decimal)
        grouped = rf"[1-9][0-9]{{0,2}}(?:{mark}[0-9]{{3}})+|" if mark else ""
        return rf"[+-]?(?:(?:{grouped}[0-9]+)(?:{decimal}[0-9]*)?|{decimal}[0-9]+)(?:[eE][+-]?[0-9]+)?"

    def plain(self, cell: str) -> str:
        """The number as Python writes it."""
        text = cell.strip()
        text = text.replace(self.thousands, "") if self.thousands else text
        return text.replace(self.decimal, ".", 1)


PLAIN_STYLE = NumberStyle()


def is_missing(cell: str) -> bool:
    """Whether a cell means: not measured."""
    return cell.strip() in MISSING_WORDS


def fault_in(cell: str, style: NumberStyle = PLAIN_STYLE) -> str:
    """Say what is wrong with a cell that should hold a number; empty where nothing is."""
    text = cell.strip()
    if text in MISSING_WORDS:
        return ""
    if text.lower().lstrip("+-") in _INFINITE_WORDS:
        return "infinite"
    if not _compiled(style.pattern).fullmatch(text):
        alone = _THOUSANDS.fullmatch(text) or _POINT_GROUPS.fullmatch(text)
        is_grouped = _grouping(text) is not None or alone is not None
        return "not numeric (a thousands separator?)" if is_grouped else "not numeric"
    return "" if math.isfinite(float(style.plain(text))) else "infinite (too large for a number)"


def looks_numeric(cell: str) -> bool:
    """Whether a cell holds a number in any notation, infinite ones included."""
    text = cell.strip()
    if NUMBER.fullmatch(text) or _DECIMAL_COMMA.fullmatch(text):
        return True
    return text.lower().lstrip("+-") in _INFINITE_WORDS or _grouping(text) is not None


def number_style(cells: Sequence[str]) -> NumberStyle:
    """Find how numbers are written by some cells of a table.

    A mark between thousands only where a cell shows it without doubt (``1,234.5``, ``1,234,567``, ``1
    234``) and all such cells agree; ``1,234`` alone may be either and shows nothing. The decimal mark is
    ``","`` where numbers have commas, points never, and not only where thousands may be grouped; else
    ``"."``. Where points may be between thousands (``1.060`` and ``12``), they are from ``MIN_POINT_GROUPS``
    such cells on; of fewer, the style is one by which they are no numbers, so that they are refused.
    """
    texts = [cell.strip() for cell in cells]
    if _may_be_grouped_by_points(texts):
        is_sure = sum(map(_is_grouped_by_points, texts)) >= MIN_POINT_GROUPS
        return NumberStyle(",", "." if is_sure else "")
    unusual = [cell.strip() for cell in cells if not NUMBER.fullmatch(cell.strip())]
    styles = {style for style in map(_grouping, unusual) if style is not None}
    decimals = {style.decimal for style in styles if style.decimal}
    marks = {style.thousands for style in styles}
    if len(marks) == 1 and len(decimals) <= 1:
        thousands = marks.pop()
        other = {",": ".", ".": ","}.get(thousands) or _decimal_mark(cells)
        return NumberStyle(decimals.pop() if decimals else other, thousands)
    return NumberStyle(_decimal_mark(cells))


def _is_grouped_by_points(text: str) -> bool:
    return _POINT_GROUPS.fullmatch(text) is not None


def _may_be_grouped_by_points(texts: Sequence[str]) -> bool:
    """Whether every number with a point looks like thousands, and the whole numbers beside them agree."""
    pointed = [text for text in texts if _POINTED.fullmatch(text) or _is_grouped_by_points(text)]
    if not pointed or not all(map(_is_grouped_by_points, pointed)):
        return False
    whole = [abs(int(text)) for text in texts if re.fullmatch(r"[+-]?[0-9]{1,18}", text)]
    return any(whole) and max(whole) < 1000  # noqa: PLR2004


def _decimal_mark(cells: Sequence[str]) -> str:
    with_comma = [cell.strip() for cell in cells if _DECIMAL_COMMA.fullmatch(cell.strip())]
    has_point = any("." in cell and NUMBER.fullmatch(cell.strip()) for cell in cells)
    only_thousands = all(_THOUSANDS.fullmatch(cell) for cell in with_comma)
    return "," if with_comma and not has_point and not only_thousands else "."


def _grouping(text: str) -> NumberStyle | None:
    """Style of a number that shows its mark of thousands without doubt; its decimal mark where it has one."""
    for mark in _GROUP_MARKS:
        if mark not in text:
            continue
        groups = r"{1,}" if mark not in ",." else r"{2,}"
        shape = rf"[+-]?[1-9][0-9]{{0,2}}(?:{re.escape(mark)}[0-9]{{3}})"
        decimals = [one for one in ".," if one != mark]
        for decimal in decimals:
            if _compiled(rf"{shape}{{1,}}{re.escape(decimal)}[0-9]+").fullmatch(text):
                return NumberStyle(decimal, mark)
        if _compiled(shape + groups).fullmatch(text):
            return NumberStyle("", mark)
    return None


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)
