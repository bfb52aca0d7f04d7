"""Percentiles against counting."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from escape_score.library.axes import load_thresholds
from escape_score.model.reference import Distributions
from escape_score.pipeline.profiles import Profiles, in_english
from escape_score.profile.percentiles import (
    find_own_tumours,
    percentile_interval,
    percentile_of,
    percentile_reason,
    permitted,
)

NAN = float("nan")
few_values = st.sampled_from([-1.0, 0.0, 0.5, 1.0, 2.0, NAN])


@given(st.lists(few_values, max_size=8), st.lists(few_values, min_size=1, max_size=8))
def test_percentile_of_counts_those_below_and_half_the_ties_without_oneself(
    reference: list[float], scores: list[float]
) -> None:
    names = [f"r{i}" for i in range(len(reference))]
    distributions = Distributions(tuple(names), {"axis": np.array(reference)})
    ids = [f"r{i}" if i % 2 else f"new{i}" for i in range(len(scores))]
    is_own = np.isin(ids, names)
    percentile, n = percentile_of(np.array(scores), ids, distributions, "axis", is_own=is_own)
    for row, (sample_id, score) in enumerate(zip(ids, scores, strict=True)):
        others = [
            v for name, v in zip(names, reference, strict=True) if name != sample_id and not math.isnan(v)
        ]
        if math.isnan(score) or not others:
            assert math.isnan(percentile[row])
            assert n[row] == 0
        else:
            below = sum(v < score for v in others) + sum(v == score for v in others) / 2
            assert percentile[row] == pytest.approx(100 * below / len(others))
            assert n[row] == len(others)


def test_percentile_of_a_score_the_reference_lacks_is_missing() -> None:
    is_own = np.zeros(1, dtype=bool)
    percentile, n = percentile_of(np.array([1.0]), ["a"], Distributions((), {}), "axis", is_own=is_own)
    assert np.isnan(percentile).all()
    assert n.tolist() == [0]


def test_find_own_tumours_asks_for_id_and_scores() -> None:
    distributions = Distributions(
        ("s1", "s2", "s3"),
        {
            "a": np.array([0.0, 1.0, NAN]),
            "b": np.array([2.0, -1.0, NAN]),
            "c": np.array([1.0, 0.0, NAN]),
        },
    )
    scores = {"a": np.array([0.01, 0.0, 0.0, 1.0]), "b": np.array([2.0, 2.0, 0.0, NAN]), "d": np.zeros(4)}
    found = find_own_tumours(scores, ["s1", "s2", "s3", "new"], distributions)
    assert found.tolist() == [True, False, False, False]
    assert find_own_tumours(scores, ["x", "x", "x", "s2"], distributions).tolist() == [False] * 3 + [True]


def test_tumours_of_the_reference_are_left_out_of_their_own_comparison(demo: Profiles) -> None:
    axis, reference = demo.profiles.axis("stroma"), demo.reference.distributions
    for row, sample_id in enumerate(demo.scores.sample_ids):
        own = reference.sample_ids.index(sample_id)
        others = np.delete(reference.columns["stroma"], own)
        assert axis.percentile[row] == pytest.approx(100 * float(np.mean(others < axis.score[row])))
        assert axis.percentile_n[row] == len(reference.sample_ids) - 1
        record = demo.maker.record(row)
        assert record.reference.is_sample_in_reference
        assert next(a for a in record.axes if a.axis == "stroma").percentile_n == 591


@given(n=st.integers(1, 600), data=st.data(), level=st.sampled_from([0.8, 0.9, 0.95]))
def test_percentile_interval_is_the_exact_binomial_one(n: int, data: st.DataObject, level: float) -> None:
    below = data.draw(st.integers(0, n))
    exact = stats.binomtest(below, n).proportion_ci(level, method="exact")
    found = percentile_interval(100 * below / n, n, level)
    assert (found.low, found.high) == pytest.approx((100 * exact.low, 100 * exact.high), abs=1e-6)


@given(n=st.integers(1, 100), data=st.data())
def test_percentile_interval_of_a_tie_lies_between_its_neighbours(n: int, data: st.DataObject) -> None:
    below = data.draw(st.integers(0, n - 1))
    low, mid, high = (percentile_interval(100 * k / n, n, 0.9) for k in (below, below + 0.5, below + 1))
    assert low.low <= mid.low <= high.low
    assert low.high <= mid.high <= high.high
    assert mid.low <= 100 * (below + 0.5) / n <= mid.high


@pytest.mark.parametrize(
    ("n", "match", "is_given"),
    [(10, "good", True), (9, "good", False), (591, "moderate", True), (591, "poor", False), (0, "", False)],
)
def test_permitted_refuses_what_percentile_reason_explains(n: int, match: str, *, is_given: bool) -> None:
    limits = load_thresholds().match
    found = permitted(np.array([50.0]), np.array([n]), np.array([match], dtype=object), limits)
    assert np.isnan(found[0]) == (not is_given)
    assert (percentile_reason(1.0, n, match, limits) is None) is is_given


def test_percentile_reason_of_a_missing_score_comes_first() -> None:
    reason = percentile_reason(None, 0, "poor", load_thresholds().match)
    assert reason is not None
    assert "not evaluable" in in_english(reason)
