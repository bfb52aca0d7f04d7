"""Cells of the delimited formats."""

from __future__ import annotations

import pytest

from escape_score.export.tables import number, text


@pytest.mark.parametrize(
    ("value", "cell"), [(float("nan"), "NA"), (1 / 3, "0.333333333"), (-2.0, "-2"), (1e-12, "1e-12")]
)
def test_number_has_nine_digits(value: float, cell: str) -> None:
    assert number(value) == cell


@pytest.mark.parametrize(
    ("value", "cell"),
    [("", "NA"), ("a\tb", "a\\u0009b"), ("=1+1", "'=1+1"), ("-12", "-12"), ("é 样", "é 样")],
)
def test_text_stays_in_its_cell(value: str, cell: str) -> None:
    assert text(value) == cell
