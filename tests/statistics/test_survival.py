"""Survival against every measure."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import pytest
from tests.statistics.conftest import MakeColumns

from escape_score.pipeline.profiles import in_english
from escape_score.statistics.outcomes import survival_statistics


def sheet_of(data: pd.DataFrame) -> list[dict[str, float | bool | str]]:
    return [
        {"os_days": float(days), "os_event": bool(event)}
        for days, event in zip(data["days"], data["event"], strict=True)
    ]


def test_survival_is_that_of_coxph(
    make_columns: MakeColumns, data: pd.DataFrame, golden: Mapping[str, float]
) -> None:
    found = survival_statistics(make_columns(sheet_of(data), data["score"]), "os")
    assert found is not None
    index, published = found.rows
    got = (index.hazard_ratio, index.interval.low, index.interval.high, index.p_value)
    expected = [golden[name] for name in ("hazard_ratio", "hazard_low", "hazard_high", "hazard_p")]
    np.testing.assert_allclose(got, expected, rtol=1e-5)
    assert index.concordance == pytest.approx(golden["concordance"], rel=1e-10)
    # the same numbers turned round, for a measure expected to go the other way
    assert published.hazard_ratio == pytest.approx(1 / index.hazard_ratio, rel=1e-6)
    assert published.concordance == pytest.approx(index.concordance)
    assert (index.n, index.n_events) == (46, int(data["event"].sum()))
    assert f"46 patients, {index.n_events} events" in in_english(*found.findings)


def test_survival_counts_only_samples_with_time_and_event(
    make_columns: MakeColumns, data: pd.DataFrame
) -> None:
    sheet = [*sheet_of(data), {"os_days": 10.0}, {"os_event": True}, {}]
    found = survival_statistics(make_columns(sheet, [*data["score"], 1, 2, 3]), "os")
    assert found is not None
    assert (found.n_samples, [entry.n_samples for entry in found.left_out]) == (46, [3])
    assert survival_statistics(make_columns(sheet, [*data["score"], 1, 2, 3]), "pfs") is None


@pytest.mark.parametrize("n_events", [0, 9])
def test_survival_needs_ten_events(make_columns: MakeColumns, n_events: int) -> None:
    sheet: list[dict[str, float | bool | str]] = [
        {"pfs_days": float(i), "pfs_event": i < n_events} for i in range(40)
    ]
    assert survival_statistics(make_columns(sheet, range(40)), "pfs") is None


@pytest.mark.parametrize("values", [[100.0] * 12 + [0.0, 1.0] * 6, [float(-i) for i in range(24)]])
def test_survival_gives_no_number_where_the_likelihood_has_no_maximum(
    make_columns: MakeColumns, values: list[float]
) -> None:
    sheet: list[dict[str, float | bool | str]] = [
        {"os_days": float(i + 1), "os_event": i < 12} for i in range(24)
    ]
    found = survival_statistics(make_columns(sheet, values), "os")
    assert found is not None
    assert found.rows == ()
    assert "2 models did not converge" in in_english(*found.findings)
