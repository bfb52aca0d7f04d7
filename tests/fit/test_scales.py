"""Drawing few tumours' numbers to those of many."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from escape_score.fit.scales import Moments, drawn_slopes, locations, pooled_spread, spreads

positive = st.floats(0.05, 20)


@given(own=positive, base=positive, n=st.integers(0, 10_000), prior=st.floats(1, 100))
def test_pooled_spread_lies_between_both_and_nearer_the_own_with_more_samples(
    own: float, base: float, n: int, prior: float
) -> None:
    one, more = (
        float(pooled_spread(np.array([own]), np.array([base]), np.array([float(k)]), prior)[0])
        for k in (n, n + 50)
    )
    low, high = min(own, base), max(own, base)
    assert low * (1 - 1e-12) <= one <= high * (1 + 1e-12)
    assert abs(more - own) <= abs(one - own) + 1e-9


def test_pooled_spread_of_no_samples_is_the_base() -> None:
    found = pooled_spread(np.array([9.0]), np.array([0.7]), np.array([0.0]), 30.0)
    assert found[0] == pytest.approx(0.7)


@given(own=positive, base=positive, weight=st.floats(0, 1))
def test_drawn_slopes_lie_between_both(own: float, base: float, weight: float) -> None:
    found = drawn_slopes({"a": own}, {"a": base}, weight)["a"]
    assert min(own, base) - 1e-6 <= found <= max(own, base) + 1e-6
    inverse = drawn_slopes({"a": 1 / own}, {"a": 1 / base}, weight)["a"]
    assert math.isclose(found * inverse, 1, rel_tol=1e-3, abs_tol=5e-4)


@pytest.mark.parametrize("own", [{}, {"a": math.nan}, {"a": math.inf}])
def test_drawn_slopes_take_the_base_where_the_own_is_not_known(own: dict[str, float]) -> None:
    assert drawn_slopes(own, {"a": 0.9}, 0.5) == {"a": 0.9}


def test_drawn_slopes_end_at_the_base_without_samples_and_at_the_own_with_many() -> None:
    assert drawn_slopes({"a": 2.0}, {"a": 0.5}, 0.0) == {"a": 0.5}
    assert drawn_slopes({"a": 2.0}, {"a": 0.5}, 1.0) == {"a": 2.0}


def test_robust_moments_do_not_follow_an_outlier() -> None:
    values = np.random.default_rng(1).normal(4, 1, (1000, 1))
    values[:50] += 100
    assert locations(values, Moments.ROBUST)[0] == pytest.approx(4, abs=0.15)
    assert spreads(values, Moments.ROBUST)[0] == pytest.approx(1, abs=0.15)
    assert spreads(values, Moments.PLAIN)[0] > 10
