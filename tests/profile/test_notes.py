"""What stands beside the scores."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from escape_score.model.cohort import Cohort, SampleRecord
from escape_score.model.record import AxisProfile, Call, ReferenceMatch
from escape_score.pipeline.profiles import Profiles, in_english
from escape_score.profile.notes import MMR_AXIS, msi_notes, withheld_by

MakeCohort = Callable[..., Cohort]
RunEngine = Callable[..., Profiles]


def with_call(demo: Profiles, call: Call) -> tuple[AxisProfile, ...]:
    axes = demo.maker.record(0).axes
    return tuple(a.model_copy(update={"call": call}) if a.axis == MMR_AXIS else a for a in axes)


@pytest.mark.parametrize(
    ("msi", "call", "words"),
    [
        ("MSI-H", Call.DETECTED, ["Read this before the index"]),
        ("dMMR", Call.NOT_DETECTED, ["Read this before the index", "The assay is decisive"]),
        ("MSI-high", Call.NOT_EVALUABLE, ["Read this before the index"]),
        ("MSS", Call.DETECTED, ["that sheet and sample belong together"]),
        ("pMMR", Call.DETECTED, ["that sheet and sample belong together"]),
        ("MSS", Call.NOT_DETECTED, []),
        ("MSI-L", Call.NOT_EVALUABLE, []),
        ("", Call.DETECTED, []),
        ("3.7", Call.DETECTED, []),
    ],
)
def test_msi_notes_hold_the_sheet_against_the_proxy(
    msi: str, call: Call, words: list[str], demo: Profiles
) -> None:
    notes = list(msi_notes(SampleRecord("s", msi=msi), with_call(demo, call)))
    assert len(notes) == len(words)
    assert all(word in in_english(one) for word, one in zip(words, notes, strict=True))


def test_sheet_is_shown_and_never_enters_a_score(
    demo_tpm: pd.DataFrame,
    make_cohort: MakeCohort,
    run_engine: RunEngine,
    numbers: Callable[[Profiles], pd.DataFrame],
) -> None:
    cohort = make_cohort(demo_tpm)
    sheet: dict[str, Any] = {
        "purity": 0.2,
        "msi": "MSI-H",
        "tmb": 40.0,
        "pdl1_ihc": "90 %",
        "timepoint": "baseline",
    }
    said = replace(cohort, samples=tuple(replace(sample, **sheet) for sample in cohort.samples))
    with_sheet, without = run_engine(said), run_engine(cohort)
    pd.testing.assert_frame_equal(numbers(with_sheet), numbers(without), check_exact=True)
    record = with_sheet.maker.record(0)
    assert {key: record.metadata[key] for key in sheet} == sheet
    assert any("MSI-H" in in_english(one) for one in record.notes)


@pytest.mark.parametrize(
    ("match", "n"),
    [(ReferenceMatch.GOOD, 0), (ReferenceMatch.MODERATE, 2), (ReferenceMatch.POOR, 3), (None, 3)],
)
def test_withheld_by_grows_with_the_distance(match: ReferenceMatch | None, n: int) -> None:
    assert len(withheld_by(match)) == n


def test_poor_match_withholds_percentiles_and_archetype_alone(
    demo_tpm: pd.DataFrame, make_cohort: MakeCohort, run_engine: RunEngine
) -> None:
    rng = np.random.default_rng(1)
    result = run_engine(make_cohort(demo_tpm * np.exp2(rng.normal(0, 1.5, demo_tpm.shape[1]))))
    assert set(result.profiles.match) == {"poor"}
    record = result.maker.record(0)
    assert (record.status, record.archetype) == ("provisional", None)
    assert record.phenotype is not None
    assert record.index.score is not None
    assert in_english(*record.reference.withheld) == in_english(*withheld_by(ReferenceMatch.POOR))
    for axis in record.axes:
        assert (axis.percentile, axis.percentile_interval) == (None, None)
        if axis.score is not None:
            assert axis.percentile_reason
            assert axis.percentile_reason is not None
            assert "too far" in in_english(axis.percentile_reason)
