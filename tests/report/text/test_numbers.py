from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from escape_score.model.record import Interval
from escape_score.report.text.i18n import translations
from escape_score.report.text.numbers import (
    format_fraction,
    format_index,
    format_interval,
    format_log2,
    format_percentile,
    format_score,
    format_z,
)

WORDS = translations("en")


@pytest.mark.parametrize(
    ("score", "text"),
    [
        (1.234, "+1.23"),
        (-0.456, "−0.46"),
        (0.0, "0.00"),
        (-0.001, "0.00"),
        (0.001, "0.00"),
        (None, "not evaluable"),
    ],
)
def test_format_score_has_sign_and_two_decimals(score: float | None, text: str) -> None:
    assert format_score(score, WORDS) == text


@given(st.floats(-1e6, 1e6))
def test_format_score_reads_back_within_rounding(score: float) -> None:
    assert float(format_score(score, WORDS).replace(",", "").replace("−", "-")) == pytest.approx(
        score, abs=0.005001
    )


@pytest.mark.parametrize(("z", "text"), [(2.75, "+2.8"), (-5.0, "−5.0"), (-0.04, "0.0")])
def test_format_z_has_one_decimal(z: float, text: str) -> None:
    assert format_z(z, WORDS) == text


@pytest.mark.parametrize(
    ("interval", "decimals", "text"),
    [
        (Interval(low=-0.31, high=1.16), 1, "[−0.3, 1.2]"),
        (Interval(low=-0.04, high=0.04), 1, "[0.0, 0.0]"),
        (Interval(low=42.4, high=97.4), 0, "[42, 97]"),
        (None, 1, "no interval"),
    ],
)
def test_format_interval_writes_both_bounds(interval: Interval | None, decimals: int, text: str) -> None:
    assert format_interval(interval, WORDS, decimals=decimals) == text


@pytest.mark.parametrize(
    ("percentile", "text"),
    [
        (87.3, "87 (n = 592)"),
        (0.0, "<1 (n = 592)"),
        (0.2, "<1 (n = 592)"),
        (99.9, ">99 (n = 592)"),
        (100.0, ">99 (n = 592)"),
        (None, "no percentile"),
    ],
)
def test_format_percentile_names_the_reference_size(percentile: float | None, text: str) -> None:
    assert format_percentile(percentile, 592, WORDS) == text


@pytest.mark.parametrize(
    ("fraction", "text"),
    [
        (0.0, "0 %"),
        (0.004, "<1 %"),
        (0.87, "87 %"),
        (0.9999, ">99 %"),
        (1.0, "100 %"),
        (None, "not evaluable"),
    ],
)
def test_format_fraction_never_rounds_to_none_or_all(fraction: float | None, text: str) -> None:
    assert format_fraction(fraction, WORDS) == text


@pytest.mark.parametrize(("score", "text"), [(73.4, "73"), (0.2, "0"), (None, "not evaluable")])
def test_format_index_is_in_whole_points(score: float | None, text: str) -> None:
    assert format_index(score, WORDS) == text


@pytest.mark.parametrize(
    ("value", "text"), [(0.421, "0.42 log2"), (-0.37, "−0.37 log2"), (None, "not known")]
)
def test_format_log2_names_its_unit(value: float | None, text: str) -> None:
    assert format_log2(value, WORDS) == text
