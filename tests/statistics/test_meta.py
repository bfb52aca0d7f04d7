"""Pooled effects: those of metafor and statsmodels, and what must hold for any effects."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.meta_analysis import combine_effects
from statsmodels.stats.proportion import proportion_confint
from tests.statistics.conftest import GOLDEN

from escape_score.model.record_comparison import PoolingModel
from escape_score.statistics.meta import Pooled, error_of, heterogeneity_of, pool, wilson_interval
from escape_score.statistics.ranks import Z_95

TABLE = pd.read_csv(GOLDEN / "meta_analysis__metafor_3.8.tsv", sep="\t")
SETS = {name: dict(zip(rows["statistic"], rows["value"], strict=True)) for name, rows in TABLE.groupby("set")}
effects_and_errors = st.lists(
    st.tuples(st.floats(-3, 3, allow_nan=False), st.floats(0.1, 2)), min_size=2, max_size=9
)


def arrays_of(found: Mapping[str, float]) -> tuple[np.ndarray, np.ndarray]:
    n = sum(name.startswith("effect_") for name in found)
    effects, errors = (
        np.array([found[f"{kind}_{at + 1}"] for at in range(n)]) for kind in ("effect", "error")
    )
    return effects, errors


def statistics_of(pooled: Pooled) -> dict[str, float]:
    differ = pooled.heterogeneity
    found = {
        "q": differ.q,
        "q_p": differ.p_value,
        "tau_squared": differ.tau_squared,
        "i_squared": differ.i_squared,
        "i_squared_low": differ.i_squared_interval.low,
        "i_squared_high": differ.i_squared_interval.high,
        "pooled": pooled.effect,
        "error": pooled.standard_error,
        "low": pooled.interval.low,
        "high": pooled.interval.high,
        "p": pooled.p_value,
        **{f"weight_{at}": weight for at, weight in enumerate(pooled.weights, start=1)},
    }
    if pooled.prediction is not None:
        found |= {"prediction_low": pooled.prediction.low, "prediction_high": pooled.prediction.high}
    return found


@pytest.mark.parametrize("name", SETS)
def test_pooled_effects_are_those_of_metafor(name: str) -> None:
    golden = SETS[name]
    found = statistics_of(pool(*arrays_of(golden)))
    wanted = {key: value for key, value in golden.items() if not key.startswith(("effect_", "error_"))}
    assert found == pytest.approx(wanted, rel=1e-7, abs=1e-9)


@pytest.mark.parametrize("name", SETS)
def test_mean_and_q_are_those_of_statsmodels(name: str) -> None:
    effects, errors = arrays_of(SETS[name])
    # with a smaller tolerance than its own it takes a variance just beyond the root for 0
    other = combine_effects(effects, errors**2, method_re="pm")
    pooled = pool(effects, errors)
    is_random = pooled.model is PoolingModel.RANDOM
    assert pooled.effect == pytest.approx(
        other.mean_effect_re if is_random else other.mean_effect_fe, abs=1e-4
    )
    assert pooled.heterogeneity.q == pytest.approx(other.q)
    assert pooled.heterogeneity.tau_squared == pytest.approx(other.tau2, abs=1e-4)


@given(effects_and_errors, st.randoms(use_true_random=False))
def test_order_of_cohorts_does_not_matter(cohorts: list[tuple[float, float]], random: object) -> None:
    shuffled = list(cohorts)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    first, second = (pool(*map(np.array, zip(*one, strict=True))) for one in (cohorts, shuffled))
    one, other = statistics_of(first), statistics_of(second)
    weights = {name for name in one if name.startswith("weight_")}
    assert {k: v for k, v in one.items() if k not in weights} == pytest.approx(
        {k: v for k, v in other.items() if k not in weights}, rel=1e-6, abs=1e-7
    )
    assert sorted(one[name] for name in weights) == pytest.approx(sorted(other[name] for name in weights))


@given(st.floats(-3, 3), st.floats(0.05, 2), st.integers(2, 12))
def test_identical_cohorts_do_not_differ(effect: float, error: float, k: int) -> None:
    pooled = pool(np.full(k, effect), np.full(k, error))
    assert pooled.heterogeneity.tau_squared == 0
    assert pooled.heterogeneity.i_squared == 0
    assert pooled.effect == pytest.approx(effect, abs=1e-12)
    # the correction never makes an interval of no width
    assert pooled.standard_error == pytest.approx(error / math.sqrt(k))


@given(effects_and_errors, st.floats(-2, 2), st.floats(0.2, 5))
def test_effects_move_with_their_scale(
    cohorts: list[tuple[float, float]], moved: float, factor: float
) -> None:
    effects, errors = map(np.array, zip(*cohorts, strict=True))
    one, other = pool(effects, errors), pool(moved + factor * effects, factor * errors)
    assert other.effect == pytest.approx(moved + factor * one.effect, abs=1e-6)
    assert other.standard_error == pytest.approx(factor * one.standard_error, rel=1e-5)
    assert other.heterogeneity.i_squared == pytest.approx(one.heterogeneity.i_squared, abs=1e-5)


@given(effects_and_errors)
def test_intervals_hold_what_they_are_of(cohorts: list[tuple[float, float]]) -> None:
    pooled = pool(*map(np.array, zip(*cohorts, strict=True)))
    assert min(effect for effect, _ in cohorts) - 1e-9 <= pooled.effect
    assert pooled.effect <= max(effect for effect, _ in cohorts) + 1e-9
    assert sum(pooled.weights) == pytest.approx(1)
    ends = pooled.heterogeneity.i_squared_interval
    assert ends.low <= pooled.heterogeneity.i_squared <= ends.high < 1
    assert (pooled.prediction is None) is (len(cohorts) == 2)
    if pooled.prediction is not None:
        assert pooled.prediction.low <= pooled.interval.low <= pooled.interval.high <= pooled.prediction.high


def test_two_cohorts_have_a_fixed_effect_and_three_have_not() -> None:
    effects, errors = np.array([0.2, 0.9, 0.5]), np.array([0.2, 0.2, 0.2])
    assert pool(effects[:2], errors[:2]).model is PoolingModel.FIXED
    assert pool(effects, errors).model is PoolingModel.RANDOM


def test_cohorts_far_apart_differ_in_all_of_the_variance() -> None:
    found = heterogeneity_of(np.array([-50.0, 50.0, 0.0]), np.array([0.1, 0.1, 0.1]))
    assert found.i_squared > 0.999
    assert found.tau_squared == pytest.approx(2500, rel=0.01)
    assert found.p_value == pytest.approx(0, abs=1e-12)


def test_error_comes_back_from_an_interval() -> None:
    assert error_of(0.3 - Z_95 * 0.25, 0.3 + Z_95 * 0.25) == pytest.approx(0.25)


@given(st.integers(1, 300).flatmap(lambda n_all: st.tuples(st.integers(0, n_all), st.just(n_all))))
def test_wilson_intervals_are_those_of_statsmodels(counts: tuple[int, int]) -> None:
    found = wilson_interval(*counts)
    wanted = proportion_confint(*counts, method="wilson")
    assert (found.low, found.high) == pytest.approx(wanted, abs=1e-9)
    assert 0 <= found.low <= counts[0] / counts[1] <= found.high <= 1
