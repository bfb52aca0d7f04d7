"""Response against every measure."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import pytest
from tests.statistics.conftest import MakeColumns

from escape_score.pipeline.profiles import in_english
from escape_score.statistics.outcomes import response_statistics


def test_response_gives_the_area_as_each_measure_is_expected_to_go(
    make_columns: MakeColumns, data: pd.DataFrame, golden: Mapping[str, float]
) -> None:
    columns = make_columns([{"response": word} for word in data["response"]] + [{}], [*data["score"], 0.0])
    found = response_statistics(columns)
    assert found is not None
    index, published = found.rows
    # the published score is the index turned round, and is expected to go the other way
    assert index.auroc == pytest.approx(golden["score_auc"])
    assert published.auroc == pytest.approx(golden["score_auc"])
    assert index.interval.low == pytest.approx(golden["score_auc_low"])
    assert index.p_value == pytest.approx(golden["score_p"], rel=1e-10)
    assert (index.n_responders, index.n_nonresponders) == (19, 27)
    assert [entry.n_samples for entry in found.left_out] == [1]
    assert "19 responders and 27 non-responders" in in_english(*found.findings)
    assert "The index has an AUROC of 0.62 (95 % interval 0.44 to 0.76)" in in_english(*found.findings)
    assert "The best of 1 published" in in_english(*found.findings)


def test_response_below_chance_is_said_as_it_is(make_columns: MakeColumns) -> None:
    columns = make_columns([{"response": w} for w in ["R"] * 6 + ["NR"] * 6], [*range(6, 12), *range(6)])
    found = response_statistics(columns)
    assert found is not None
    assert [row.auroc for row in found.rows] == [0, 0]
    assert all(0.2 < row.interval.high < 0.5 for row in found.rows)


@pytest.mark.parametrize(("n_yes", "n_no"), [(4, 30), (30, 4), (0, 0)])
def test_response_needs_five_of_each(make_columns: MakeColumns, n_yes: int, n_no: int) -> None:
    sheet = [{"response": "R"}] * n_yes + [{"response": "NR"}] * n_no + [{}]
    assert response_statistics(make_columns(sheet, range(len(sheet)))) is None


def test_response_leaves_out_a_measure_without_values(make_columns: MakeColumns) -> None:
    columns = make_columns([{"response": w} for w in ["R"] * 6 + ["NR"] * 6], [float("nan")] * 12)
    found = response_statistics(columns)
    assert found is not None
    assert found.rows == ()
