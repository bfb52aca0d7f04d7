"""Numbers behind figures, and false discovery rates over a whole page."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import false_discovery_control, spearmanr
from tests.statistics.conftest import RESISTANCE, MakeColumns, measure_of

from escape_score.model.record_statistics import Expectation, MeasureKind
from escape_score.statistics.columns import CohortColumns
from escape_score.statistics.compute import compute_statistics
from escape_score.statistics.figures import MAX_POINTS, box_of, roc_points, survival_curves
from escape_score.statistics.outcomes import response_statistics
from escape_score.statistics.overview import correlation_of, sample_map


def test_rates_are_controlled_over_all_tests_of_the_page(
    make_columns: MakeColumns, data: pd.DataFrame
) -> None:
    sheet = [
        {"response": word, "arm": group, "os_days": float(days), "os_event": bool(event)}
        for word, group, days, event in zip(
            data["response"], data["group"], data["days"], data["event"], strict=True
        )
    ]
    found = compute_statistics(make_columns(sheet, data["score"]), seed=1)
    assert found.response is not None
    tests = [
        *((row.p_value, row.q_value) for row in found.response.rows),
        *((row.p_value, row.q_value) for row in found.survival[0].rows),
        *((row.p_value, row.q_value) for row in found.comparisons[0].rows),
    ]
    assert found.n_tests == len(tests) == 6
    p_values, q_values = np.array(tests).T
    np.testing.assert_allclose(q_values, false_discovery_control(p_values))
    n_found = sum(row.q_value < 0.05 for row in found.comparisons[0].rows)
    assert found.comparisons[0].findings[-1].params["n"] == n_found


def test_samples_that_are_not_evaluable_are_counted_and_not_tested(make_columns: MakeColumns) -> None:
    values = [float("nan"), *range(1, 20)]
    found = response_statistics(make_columns([{"response": w} for w in ["R"] * 10 + ["NR"] * 10], values))
    assert found is not None
    assert [(row.n_evaluable, found.n_samples, found.n_untested) for row in found.rows] == [(19, 20, 0)] * 2
    assert [row.higher_in for row in found.rows] == ["NR", "R"]
    assert [box.n for box in found.boxes[0].boxes] == [9, 10]


def test_box_is_that_of_tukey() -> None:
    box = box_of("a", np.array([1.0, 2, 3, 4, 5, 6, 7, 8, 30]))
    assert (box.low, box.lower, box.median, box.upper, box.high) == (1, 3, 5, 7, 8)
    assert box.values[-1] == 30
    assert box_of("a", np.arange(MAX_POINTS + 1.0)).values == ()


def test_area_under_the_points_is_the_auroc(make_columns: MakeColumns, data: pd.DataFrame) -> None:
    columns = make_columns([{"response": word} for word in data["response"]], data["ties"])
    found = response_statistics(columns, seed=3)
    assert found is not None
    index = found.curves[0]
    assert np.trapezoid(index.true_positive, index.false_positive) == pytest.approx(found.rows[0].auroc)
    assert index.auroc == found.rows[0].auroc
    assert all(low <= high for low, high in zip(index.low, index.high, strict=True))
    assert response_statistics(columns, seed=3) == found
    assert roc_points(np.array([2.0]), np.array([1.0])) == ([0, 0, 1], [0, 1, 1])


def test_curves_of_survival_are_kaplan_meier() -> None:
    """By hand: three samples a half; one dies at each of the days, one is censored."""
    values = np.array([[1.0], [2], [3], [4], [5], [6]])
    days, event = np.array([1.0, 2, 3, 2, 4, 6]), np.array([True, False, True, True, True, False])
    found = survival_curves((RESISTANCE,), values, days, event)
    assert found is not None
    high, low = found.curves
    assert (high.is_high, low.is_high) == (True, False)
    assert (found.cut, high.n, low.n, high.n_events) == (3.5, 3, 3, 2)
    first = low.days.index(1.0)
    assert low.survival[first] == pytest.approx(2 / 3)
    # (2/3) to the power of e^(±1.96 · √(1/6) / ln(2/3)), by Greenwood's variance 1 / (3 · 2)
    assert (low.low[first], low.high[first]) == pytest.approx((0.0541, 0.9452), abs=1e-4)
    assert low.survival[-1] == pytest.approx(0.0)
    assert high.survival[-1] == pytest.approx(1 / 3)
    assert (high.at_risk[0], high.at_risk[-1], low.censored) == (3, 1, (2.0,))
    assert survival_curves((RESISTANCE,), np.ones((6, 1)), days, event) is None


def columns_of(values: np.ndarray, sheet: list[dict[str, str | float | bool]]) -> CohortColumns:
    axes = tuple(
        measure_of(f"a{at}", Expectation.RESISTANCE, MeasureKind.AXIS) for at in range(values.shape[1])
    )
    return CohortColumns("c", axes, tuple(sheet), values, tuple(f"s{at}" for at in range(len(sheet))))


def test_map_has_the_distances_of_samples_in_a_plane() -> None:
    random = np.random.default_rng(2)
    plane = random.normal(size=(30, 2)) * [3, 1]
    turn = np.linalg.qr(random.normal(size=(4, 4)))[0][:2]
    columns = columns_of(plane @ turn, [{"arm": "ab"[at % 2]} for at in range(30)])
    found = sample_map(columns)
    assert found is not None
    assert sum(found.shares) == pytest.approx(1, abs=1e-3)
    placed = np.array([(one.x, one.y) for one in found.points])
    np.testing.assert_allclose(
        np.linalg.norm(placed[0] - placed[1:], axis=1),
        np.linalg.norm(plane[0] - plane[1:], axis=1),
        atol=1e-3,
    )
    assert (found.column, found.points[1].group, found.points[3].sample_id) == ("arm", "b", "s3")
    assert sample_map(columns.rows(range(9))) is None


def test_map_leaves_out_what_is_rarely_evaluable() -> None:
    values = np.random.default_rng(0).normal(size=(40, 5))
    values[:20, 0] = np.nan
    values[0, 1] = np.nan
    found = sample_map(columns_of(values, [{}] * 40))
    assert found is not None
    assert (found.measures, len(found.points), found.column) == (("a1", "a2", "a3", "a4"), 39, "")


def test_correlations_are_those_of_scipy() -> None:
    values = np.random.default_rng(1).integers(0, 6, size=(25, 3)).astype(np.float64)
    values[:3, 1] = np.nan
    values[:18, 2] = np.nan
    found = correlation_of(columns_of(values, [{}] * 25))
    assert found is not None
    expected = spearmanr(values[3:, 0], values[3:, 1]).statistic
    assert found.values[0][1] == found.values[1][0] == pytest.approx(expected, abs=5e-5)
    assert (found.values[0][0], found.values[0][2]) == (1.0, None)
