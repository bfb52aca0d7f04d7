"""Profiles turned into columns."""

from __future__ import annotations

import numpy as np

from escape_score.model.record_statistics import Expectation, MeasureKind
from escape_score.pipeline.profiles import Profiles
from escape_score.statistics.columns import CohortColumns, ColumnCollector


def test_columns_hold_index_axes_and_baselines_in_order(demo: Profiles) -> None:
    columns = CohortColumns.of(demo.maker.records())
    kinds = [measure.kind for measure in columns.measures]
    assert kinds == sorted(kinds, key=list(MeasureKind).index)
    assert (kinds.count(MeasureKind.INDEX), kinds.count(MeasureKind.AXIS)) == (1, len(demo.profiles.axes))
    np.testing.assert_array_equal(columns.values[:, 0], demo.profiles.index.index)
    for at, axis in enumerate(demo.profiles.axes, start=1):
        np.testing.assert_array_equal(columns.values[:, at], axis.score)
    assert {m.expects for m in columns.measures if m.kind is MeasureKind.PUBLISHED} == {Expectation.RESPONSE}
    assert {"cyt_mean_log2", "gep18_research", "ifng6_ayers"} <= {m.measure for m in columns.measures}


def test_columns_of_no_profile_are_empty() -> None:
    columns = CohortColumns.of(())
    assert (columns.values.shape, columns.sheet) == ((0, 0), ())


def test_collector_gives_the_columns_of_what_was_added(demo: Profiles) -> None:
    records, collector = list(demo.maker.records()), ColumnCollector()
    for record in records:
        collector.add(record)
    collected, expected = collector.columns(), CohortColumns.of(records)
    np.testing.assert_array_equal(collected.values, expected.values)
    assert (collected.measures, collected.sheet) == (expected.measures, expected.sheet)
