"""Quantities of single cells among the measures of a cohort."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from escape_score.model.notes import Code, note
from escape_score.model.record import (
    CellSampleRecord,
    CellsRecord,
    EscapeProfile,
    NoteRecord,
    QuantityRecord,
)
from escape_score.model.record_statistics import Expectation, Measure, MeasureKind
from escape_score.pipeline.profiles import Profiles
from escape_score.statistics.columns import CohortColumns
from escape_score.statistics.compute import compute_statistics

DIRECTIONS = {"lost_share": 1, "vs_stroma": -1, "t_share": 0}
REASON = NoteRecord.of(note(Code.CELL_QUANTITY, "described"))


def quantity(name: str, value: float | None) -> QuantityRecord:
    return QuantityRecord(
        quantity=name,
        title=name.replace("_", " "),
        group="presentation",
        axis="",
        unit="fraction",
        cells="malignant cells",
        direction=DIRECTIONS[name],
        threshold=None,
        value=value,
        interval=None,
        n_cells=30,
        limit_of_detection=None,
        call=None,
        reason=REASON,
        meaning="",
        limits="",
    )


def with_cells(
    profile: EscapeProfile, patient: str, values: Sequence[float | None], **sheet: str
) -> EscapeProfile:
    sample = CellSampleRecord(
        sample_id=profile.sample_id,
        patient_id=patient,
        n_read=90,
        n_cells=60,
        n_few_umi=30,
        n_few_genes=0,
        n_mitochondrial=0,
        median_umi=900,
        is_umi=True,
        ambient=None,
        labels_are_given=True,
        malignant=REASON,
        compartments=(),
    )
    cells = CellsRecord(
        patient_id=patient,
        patient_sample_ids=(profile.sample_id,),
        n_patient_cells=60,
        sample=sample,
        quantities=tuple(quantity(name, value) for name, value in zip(DIRECTIONS, values, strict=True)),
    )
    return profile.model_copy(update={"cells": cells, "metadata": {"patient_id": patient, **sheet}})


@pytest.fixture(scope="module")
def records(demo: Profiles) -> list[EscapeProfile]:
    made = list(demo.maker.records())
    return [made[at % len(made)] for at in range(24)]


def test_quantities_are_columns_after_the_published_scores(records: list[EscapeProfile]) -> None:
    """Any sample can be the first that has them; those without are not evaluable."""
    shown = [
        records[0],
        with_cells(records[1], "a", (0.4, None, 0.2)),
        with_cells(records[2], "b", (0.1, -2.0, 0.3)),
    ]
    columns = CohortColumns.of(shown)
    kinds = [measure.kind for measure in columns.measures]
    assert kinds == sorted(kinds, key=list(MeasureKind).index)
    of_cells = [measure for measure in columns.measures if measure.kind is MeasureKind.CELLS]
    assert [(one.measure, one.expects) for one in of_cells] == [
        ("lost_share", Expectation.RESISTANCE),
        ("vs_stroma", Expectation.RESPONSE),
        ("t_share", None),
    ]
    expected = np.array([[np.nan] * 3, [0.4, np.nan, 0.2], [0.1, -2.0, 0.3]])
    np.testing.assert_array_equal(columns.values[:, -3:], expected)
    np.testing.assert_array_equal(columns.values[:, :-3], CohortColumns.of(records[:3]).values)


def test_response_counts_every_patient_once(records: list[EscapeProfile]) -> None:
    """Losses go with resistance; what only describes has an area above 0.5 if responders have more."""
    shown = []
    for at, record in enumerate(records):
        patient, responds = f"p{at // 2}", (at // 2) % 2 == 0
        level = 0.1 if responds else 0.6
        values = (level + at // 2 / 100, -level, 0.9 - level)
        shown.append(with_cells(record, patient, values, response="R" if responds else "NR"))
    response = compute_statistics(CohortColumns.of(shown), seed=1).response
    assert response is not None
    areas = {row.measure.measure: row for row in response.rows}
    assert {areas[name].auroc for name in DIRECTIONS} == {1.0}
    assert {areas[name].n_responders + areas[name].n_nonresponders for name in DIRECTIONS} == {12}


def test_timepoints_leave_quantities_of_the_patient_out() -> None:
    """They are the same in both samples, so that a pair would say nothing."""
    measures = tuple(
        Measure(measure=name, title=name, kind=kind, unit="1", expects=Expectation.RESISTANCE)
        for name, kind in (("share", MeasureKind.CELLS), ("stroma", MeasureKind.AXIS))
    )
    sheet = tuple(
        {"patient_id": f"p{at // 2}", "timepoint": ("baseline", "on treatment")[at % 2]} for at in range(12)
    )
    rng = np.random.default_rng(0)
    values = np.column_stack([np.repeat(rng.random(6), 2), rng.random(12) + np.arange(12) % 2])
    (paired,) = compute_statistics(CohortColumns("c", measures, sheet, values), seed=1).comparisons
    assert [row.measure.measure for row in paired.rows] == ["stroma"]
    assert paired.rows[0].effect > 0
