from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from escape_score.report.drawing import px
from escape_score.report.text.decimals import kept
from escape_score.report.text.i18n import translations

LANGUAGES = pytest.mark.parametrize("lang", ["en", "fr"])
NEAR_STEPS = st.one_of(
    st.floats(), st.integers(-9000, 9000).map(lambda halves: halves / 200), st.floats(-45.0, 45.0)
)
"""Any float, those in the middle between two steps and those on a step among them."""


@LANGUAGES
@given(value=NEAR_STEPS, decimals=st.integers(0, 3))
@example(value=0.25, decimals=1)
@example(value=-0.04, decimals=1)
@example(value=10.0, decimals=0)
@example(value=float("nan"), decimals=2)
@example(value=float("-inf"), decimals=2)
def test_numbers_that_are_kept_are_those_of_python(lang: str, value: float, decimals: int) -> None:
    words = translations(lang)
    signed = format(value, f"+z,.{decimals}f")
    for _ in range(2):  # the second is kept
        assert words.fixed(value, decimals) == words.number(format(value, f"z,.{decimals}f"))
        assert words.signed(value, decimals) == words.number(
            signed if float(signed.replace(",", "")) else signed.removeprefix("+")
        )


@given(NEAR_STEPS.map(lambda value: value * 10))
def test_places_in_pixels_have_at_most_one_decimal(value: float) -> None:
    assert px(value) == px(value) == f"{value:z.1f}".removesuffix(".0")


def test_only_numbers_near_zero_are_kept() -> None:
    asked = []

    @kept(1)
    def write(value: float) -> str:
        asked.append(value)
        return f"{value:.1f}"

    assert [write(value) for value in (1.04, 1.01, 0.98)] == ["1.0"] * 3
    assert [write(500.0), write(500.0)] == ["500.0"] * 2
    assert [write(0.25), write(0.25)] == ["0.2"] * 2  # halfway between two steps
    assert asked == [1.04, 500.0, 500.0, 0.25, 0.25]


@LANGUAGES
def test_ends_of_an_interval_keep_their_order(lang: str) -> None:
    words = translations(lang)
    assert words.between("a", "b") == words.gettext("[{low}, {high}]").format(low="a", high="b")
