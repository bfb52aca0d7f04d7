"""How numbers are written, told by the cells of a table."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from escape_score.read.checks.cells import NumberStyle, fault_in, looks_numeric, number_style

STYLES = [
    NumberStyle(".", ","),
    NumberStyle(",", "."),
    NumberStyle(",", " "),
    NumberStyle(".", "'"),
    NumberStyle(",", "\u202f"),
]


def written(number: float, style: NumberStyle) -> str:
    whole, _, rest = f"{number:,.2f}".partition(".")
    return whole.replace(",", style.thousands) + style.decimal + rest


@pytest.mark.parametrize("style", STYLES, ids=repr)
@given(numbers=st.lists(st.integers(-(10**9), 10**9), min_size=1, max_size=20))
def test_number_style_reads_what_was_written(style: NumberStyle, numbers: list[int]) -> None:
    cells = [written(number / 100, style) for number in (123_456_700, *numbers)]
    assert number_style(cells) == style
    assert [float(style.plain(cell)) for cell in cells[1:]] == [number / 100 for number in numbers]
    assert {fault_in(cell, style) for cell in cells} == {""}


@pytest.mark.parametrize(
    ("cells", "style"),
    [
        (["1.5", "2", "NA"], NumberStyle()),
        (["1,5", "2,25"], NumberStyle(",")),
        (["0,123", "2,250"], NumberStyle(",")),
        (["1,234", "12,345"], NumberStyle()),
        (["1,234", "1.5"], NumberStyle()),
        (["1,234", "1.5", "1,234.5"], NumberStyle(".", ",")),
        (["1,234,567"], NumberStyle(".", ",")),
        (["1.234.567", "0,5"], NumberStyle(",", ".")),
        (["1,234.5", "1.234,5"], NumberStyle()),
        ([], NumberStyle()),
        (["1.060", "12", "0", "3", "2.114", "40.001", "9.876", "1.234.567"], NumberStyle(",", ".")),
        (["1.060", "12", "3,5", "2.114", "40.001", "9.876", "7.001"], NumberStyle(",", ".")),
        (["1.060", "12", "0"], NumberStyle(",")),  # too few to decide: refused as no numbers
        (["1.060", "0", "0"], NumberStyle()),
        (["1.060", "12", "0.5", "2.114", "40.001", "9.876", "7.001"], NumberStyle()),
        (["1.060", "12", "0.123", "2.114", "40.001", "9.876", "7.001"], NumberStyle()),
        (["1.060", "1200", "2.114", "40.001", "9.876", "7.001"], NumberStyle()),
        (["1.060", "2.114", "40.001", "9.876", "7.001", "8.123"], NumberStyle()),
        (["1.060", "12.000", "2.114", "40.001", "9.876", "0.000", "3"], NumberStyle()),
    ],
)
def test_number_style_decides_only_without_doubt(cells: list[str], style: NumberStyle) -> None:
    assert number_style(cells) == style


@given(numbers=st.lists(st.integers(0, 10**6), min_size=20, max_size=60))
def test_points_between_thousands_are_never_read_as_decimal_points(numbers: list[int]) -> None:
    cells = [f"{number:,}".replace(",", ".") for number in (7, 1_060, *numbers)]
    style = number_style(cells)
    read = [style.plain(cell) for cell in cells if fault_in(cell, style) == ""]
    assert style.decimal == ","
    assert {float(number) for number in read} <= {7.0, 1_060.0, *map(float, numbers)}


@pytest.mark.parametrize("cell", ["1,234", "12,345,678", "1 234", "1.234,5"])
def test_fault_in_names_thousands(cell: str) -> None:
    assert fault_in(cell) == "not numeric (a thousands separator?)"


@pytest.mark.parametrize("cell", ["1,23,456.5", "1,2345", ",123", "1,234.5.6", "12 34"])
def test_fault_in_refuses_odd_groups(cell: str) -> None:
    assert fault_in(cell, NumberStyle(".", ",")) == "not numeric"


@pytest.mark.parametrize(
    ("cell", "is_number"), [("1,234.5", True), ("-.5", True), ("inf", True), ("B2M", False)]
)
def test_looks_numeric(cell: str, is_number: bool) -> None:
    assert looks_numeric(cell) is is_number
