"""Groups of a sample sheet compared."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import pytest
from tests.statistics.conftest import MakeColumns

from escape_score.model.record_statistics import EffectName, GroupTest
from escape_score.pipeline.profiles import in_english
from escape_score.statistics.groups import compare_groups, compare_timepoints
from escape_score.statistics.patients import counted_samples, timepoint_pairs


def test_compare_groups_of_two_is_mann_whitney_as_r_has_it(
    make_columns: MakeColumns, data: pd.DataFrame, golden: Mapping[str, float]
) -> None:
    columns = make_columns([{"response": word} for word in data["response"]], data["ties"])
    comparison = compare_groups(columns, "response", seed=1)
    assert comparison is not None
    row, turned = comparison.rows
    assert comparison.groups == ("R", "NR")
    assert [(group.group, group.n) for group in row.groups] == [("R", 19), ("NR", 27)]
    assert (row.test, row.effect_name) == (GroupTest.MANN_WHITNEY, EffectName.RANK_BISERIAL)
    assert row.p_value == pytest.approx(golden["ties_p"], rel=1e-10)
    assert row.effect == pytest.approx(2 * golden["ties_auc"] - 1)
    assert turned.effect == pytest.approx(-row.effect)
    assert row.effect_interval is not None
    assert row.effect_interval.low == pytest.approx(2 * golden["ties_auc_low"] - 1)
    assert "R (n = 19), NR (n = 27)" in in_english(*comparison.findings)


def test_compare_groups_of_three_is_kruskal_wallis_as_r_has_it(
    make_columns: MakeColumns, data: pd.DataFrame, golden: Mapping[str, float]
) -> None:
    columns = make_columns([{"site": word} for word in data["group"]], data["score"])
    comparison = compare_groups(columns, "site", seed=1)
    assert comparison is not None
    row = comparison.rows[0]
    assert (row.test, row.effect_name) == (GroupTest.KRUSKAL_WALLIS, EffectName.EPSILON_SQUARED)
    assert row.p_value == pytest.approx(golden["score_kruskal_p"], rel=1e-10)
    assert row.effect == pytest.approx(golden["score_epsilon_squared"])
    assert row.shift is None
    assert row.effect_interval is not None
    assert 0 <= row.effect_interval.low < row.effect_interval.high <= 1
    assert compare_groups(columns, "site", seed=1) == comparison
    assert compare_groups(columns, "site", seed=2) != comparison


def test_compare_groups_leaves_small_groups_and_empty_cells_out(make_columns: MakeColumns) -> None:
    sheet = [{"msi": word} for word in ["MSS"] * 6 + ["MSI"] * 5 + ["rare"] * 4] + [{}]
    comparison = compare_groups(make_columns(sheet, range(16)), "msi", seed=1)
    assert comparison is not None
    assert (comparison.groups, comparison.n_samples) == (("MSI", "MSS"), 11)
    assert {in_english(entry.reason): entry.n_samples for entry in comparison.left_out} == {
        "no msi in the sample sheet": 1,
        "group of fewer than 5": 4,
    }


@pytest.mark.parametrize("words", [["a"] * 20, ["a"] * 20 + ["b"] * 4, [""] * 20])
def test_compare_groups_needs_two_groups(make_columns: MakeColumns, words: list[str]) -> None:
    assert (
        compare_groups(make_columns([{"site": w} for w in words], range(len(words))), "site", seed=1) is None
    )


def test_compare_groups_counts_known_values_only(make_columns: MakeColumns) -> None:
    nan = float("nan")
    columns = make_columns([{"site": w} for w in "aaaaaabbbbbb"], [nan, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12])
    comparison = compare_groups(columns, "site", seed=1)
    assert comparison is not None
    assert [group.n for group in comparison.rows[0].groups] == [5, 6]
    columns = make_columns([{"site": w} for w in "aaaaabbbbbb"], [nan, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11])
    comparison = compare_groups(columns, "site", seed=1)
    assert comparison is not None
    assert comparison.rows == ()


def test_compare_groups_skips_a_measure_that_never_changes(make_columns: MakeColumns) -> None:
    comparison = compare_groups(make_columns([{"site": w} for w in "aaaaabbbbb"], [1.0] * 10), "site", seed=1)
    assert comparison is not None
    assert comparison.rows == ()


def test_compare_timepoints_pairs_patients_as_r_does(
    make_columns: MakeColumns, data: pd.DataFrame, golden: Mapping[str, float]
) -> None:
    n = len(data)
    sheet = [{"patient_id": str(i), "timepoint": when} for when in ("pre", "on") for i in range(n)]
    columns = make_columns(sheet, [*data["score"], *data["later"]])
    pairs = timepoint_pairs(columns, counted_samples(columns).baseline)
    comparison = compare_timepoints(columns, pairs, seed=1)
    assert comparison is not None
    row = comparison.rows[0]
    assert row.test is GroupTest.WILCOXON
    assert row.p_value == pytest.approx(golden["paired_p"], rel=1e-10)
    assert row.shift == pytest.approx(golden["paired_shift"])
    assert row.effect == pytest.approx(golden["paired_rank_biserial"])
    assert [group.n for group in row.groups] == [n, n]
    assert comparison.left_out == ()
    assert compare_timepoints(columns, pairs, seed=1) == comparison


def test_compare_timepoints_needs_five_patients(make_columns: MakeColumns) -> None:
    sheet = [{"patient_id": str(i), "timepoint": when} for when in ("pre", "on") for i in range(4)]
    columns = make_columns(sheet, range(8))
    pairs = timepoint_pairs(columns, counted_samples(columns).baseline)
    assert len(pairs.before) == 4
    assert compare_timepoints(columns, pairs, seed=1) is None
