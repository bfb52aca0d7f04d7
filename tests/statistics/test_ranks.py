"""Rank statistics against R, against their definitions, and at their limits."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import kruskal

from escape_score.statistics.ranks import (
    area_under_curve,
    counts_of,
    epsilon_squared,
    paired_rank_biserial,
    rank_sum_place,
    rates_of,
    shift_between,
    shift_within_pairs,
    signed_rank_place,
)

few_numbers = st.lists(st.integers(-20, 20), min_size=5, max_size=12).map(
    lambda v: np.array(v, dtype=np.float64)
)


@pytest.mark.parametrize("column", ["score", "ties"])
def test_area_under_curve_is_that_of_proc(
    column: str, data: pd.DataFrame, golden: Mapping[str, float]
) -> None:
    first, second = (data.loc[data["response"] == word, column].to_numpy() for word in ("R", "NR"))
    area = area_under_curve(first, second)
    found = (area.auc, area.interval.low, area.interval.high)
    expected = [golden[f"{column}_auc{end}"] for end in ("", "_low", "_high")]
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    assert area.method.startswith("DeLong")


def test_area_of_groups_apart_has_an_interval_that_knows_their_size() -> None:
    few, many = (area_under_curve(np.arange(n, dtype=np.float64), np.arange(100.0, 100 + n)) for n in (5, 50))
    assert few.auc == many.auc == 1
    assert few.interval.high == many.interval.high == 1
    assert 0.5 < few.interval.low < 0.75
    assert 0.95 < many.interval.low < 1


@given(few_numbers, few_numbers)
def test_area_counts_pairs_and_turns_round_with_the_groups(first: np.ndarray, second: np.ndarray) -> None:
    area, turned = area_under_curve(first, second), area_under_curve(second, first)
    pairs = (second[:, None] > first).mean() + 0.5 * (second[:, None] == first).mean()
    assert area.auc == pytest.approx(pairs)
    assert area.interval.low <= area.auc + 1e-12
    assert area.auc <= area.interval.high + 1e-12
    assert 0 <= area.interval.low <= area.interval.high <= 1
    assert turned.interval.low == pytest.approx(1 - area.interval.high, abs=1e-6)


def test_shift_between_is_that_of_r(data: pd.DataFrame, golden: Mapping[str, float]) -> None:
    first, second = (data.loc[data["response"] == word, "score"].to_numpy() for word in ("R", "NR"))
    shift = shift_between(first, second)
    found = (shift.shift, shift.interval.low, shift.interval.high)
    np.testing.assert_allclose(found, [golden[f"shift{end}"] for end in ("", "_low", "_high")], rtol=1e-12)


def test_shift_within_pairs_is_that_of_r(data: pd.DataFrame, golden: Mapping[str, float]) -> None:
    shift = shift_within_pairs((data["later"] - data["score"]).to_numpy())
    found = (shift.shift, shift.interval.low, shift.interval.high)
    expected = [golden[f"paired_{name}"] for name in ("shift", "low", "high")]
    np.testing.assert_allclose(found, expected, rtol=1e-12)


@given(few_numbers, few_numbers, st.integers(-5, 5))
def test_shift_moves_with_a_group(first: np.ndarray, second: np.ndarray, by: int) -> None:
    here, moved = shift_between(first, second), shift_between(first, second + by)
    assert moved.shift == pytest.approx(here.shift + by)
    assert moved.interval.low == pytest.approx(here.interval.low + by)
    assert here.interval.low <= here.shift <= here.interval.high


def test_paired_rank_biserial_is_that_of_r(data: pd.DataFrame, golden: Mapping[str, float]) -> None:
    differences = (data["later"] - data["score"]).to_numpy()
    rows = np.stack([differences, -differences, np.zeros_like(differences)])
    expected = golden["paired_rank_biserial"]
    np.testing.assert_allclose(paired_rank_biserial(rows), [expected, -expected, 0], rtol=1e-12)


@pytest.mark.parametrize("column", ["score", "ties"])
def test_epsilon_squared_is_that_of_r(column: str, data: pd.DataFrame, golden: Mapping[str, float]) -> None:
    groups = [part[column].to_numpy() for _, part in data.groupby("group")]
    found = epsilon_squared(groups, [np.ones((1, len(group)), dtype=np.int64) for group in groups])
    assert found[0] == pytest.approx(golden[f"{column}_epsilon_squared"], rel=1e-12)


def test_epsilon_squared_of_equal_values_is_zero() -> None:
    groups, counts = [np.ones(3), np.ones(3)], [np.ones((2, 3), dtype=np.int64)] * 2
    assert epsilon_squared(groups, counts).tolist() == [0, 0]


@given(
    groups=st.lists(st.lists(st.integers(0, 6), min_size=2, max_size=9), min_size=2, max_size=4),
    seed=st.integers(0, 2**32 - 1),
)
def test_epsilon_squared_of_a_resample_is_that_of_its_values(groups: list[list[int]], seed: int) -> None:
    """H of scipy over its largest value, n - 1."""
    random = np.random.default_rng(seed)
    values = [np.array(group, dtype=np.float64) for group in groups]
    draws = [random.integers(0, len(of), (3, len(of))) for of in values]
    found = epsilon_squared(values, [counts_of(drawn) for drawn in draws])
    for row, share in enumerate(found):
        resample = [of[drawn[row]] for of, drawn in zip(values, draws, strict=True)]
        n, differ = sum(map(len, resample)), np.ptp(np.concatenate(resample)) > 0
        assert share == pytest.approx(kruskal(*resample).statistic / (n - 1) if differ else 0.0, abs=1e-12)


def test_shift_of_zeros_has_no_sign() -> None:
    found = shift_between(np.array([0.0, -0.0] * 9), np.array([-0.0, 0.0] * 9))
    ends = (found.shift, found.interval.low, found.interval.high)
    assert [math.copysign(1.0, end) for end in ends] == [1.0, 1.0, 1.0]


def test_rates_are_those_of_r(golden: Mapping[str, float]) -> None:
    found = rates_of([0.01, 0.04, 0.03, 0.5, 0.04])
    np.testing.assert_allclose(found, [golden[f"bh_{i}"] for i in range(1, 6)], rtol=1e-12)
    assert rates_of([]) == []


@pytest.mark.parametrize(("m", "n", "place"), [(5, 5, 3), (10, 10, 24), (50, 20, 350), (50, 50, 966)])
def test_rank_sum_place_is_that_of_r(m: int, n: int, place: int) -> None:
    assert rank_sum_place(m, n) == rank_sum_place(n, m) == place


@pytest.mark.parametrize(("n", "place"), [(10, 9), (50, 435)])
def test_signed_rank_place_is_that_of_r(n: int, place: int) -> None:
    assert signed_rank_place(n) == place


def test_large_groups_take_the_normal_approximation() -> None:
    # exact: 1008 (R 4.2.2); one further out is a slightly wider interval
    assert rank_sum_place(51, 51) == 1007
    # 52 · 51 / 2 − 1.96 · √(52 · 51 · 104 / 12) = 1028.9
    assert rank_sum_place(52, 51) == 1028
    # 51 · 52 / 4 − 1.96 · √(51 · 52 · 103 / 24) = 453.9
    assert signed_rank_place(51) == 453
