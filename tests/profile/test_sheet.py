"""What the sample sheet adds: samples of one patient in time, intervals of change, and the MSI status."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from escape_score.model.cohort import Cohort, SampleRecord
from escape_score.model.record import Interval
from escape_score.pipeline.profiles import Profiles, in_english
from escape_score.profile.sheet import change_interval, msi_notes, pair_samples, time_order

MakeCohort = Callable[..., Cohort]
RunEngine = Callable[..., Profiles]


def samples(*rows: tuple[str, str]) -> tuple[SampleRecord, ...]:
    return tuple(
        SampleRecord(f"s{i}", patient_id=patient, timepoint=time) for i, (patient, time) in enumerate(rows)
    )


@pytest.mark.parametrize(
    "ordered",
    [
        ("0", "6", "12"),
        ("-1", "0.5", "3"),
        ("week 2", "Week 6", "week 10"),
        ("T1", "T2", "T10"),
        ("baseline", "on-treatment", "post"),
        ("Pre", "On", "Progression"),
        ("pre-treatment (biopsy)", "post treatment"),
        ("screening", "relapse"),
    ],
)
def test_time_order_follows_time(ordered: tuple[str, ...]) -> None:
    places = time_order(ordered)
    assert places is not None
    assert sorted(places) == list(places)
    assert len(set(places)) == len(places)


@pytest.mark.parametrize(
    "times",
    [("baseline", "6"), ("week 2", "day 10"), ("A", "B"), ("", "baseline"), ("C1D1", "C2D1"), ("", "")],
)
def test_time_order_does_not_guess(times: tuple[str, ...]) -> None:
    assert time_order(times) is None


def test_pair_samples_compares_with_the_first_and_the_one_before() -> None:
    pairing = pair_samples(samples(("p", "12"), ("q", "0"), ("p", "0"), ("p", "6"), ("", "0"), ("", "6")))
    assert pairing.earlier == {3: (2,), 0: (2, 3)}
    assert pairing.notes == {}


@pytest.mark.parametrize(
    ("times", "reason"),
    [
        (("baseline", ""), "a timepoint is missing"),
        (("baseline", "6"), "the timepoints baseline, 6 have no known order"),
        (("pre", "baseline", "post"), r"two have the same timepoint \(pre, baseline, post\)"),
    ],
)
def test_pair_samples_says_why_it_does_not(times: tuple[str, ...], reason: str) -> None:
    pairing = pair_samples(samples(*(("p", time) for time in times)))
    assert pairing.earlier == {}
    assert set(pairing.notes) == set(range(len(times)))
    for note in pairing.notes.values():
        assert re.search(reason, in_english(note))


finite = st.floats(-50, 50)
width = st.floats(0, 20)


@given(a=finite, b=finite, da=width, db=width)
def test_change_interval_of_symmetric_intervals_adds_variances(
    a: float, b: float, da: float, db: float
) -> None:
    found = change_interval(a, Interval(low=a - da, high=a + da), b, Interval(low=b - db, high=b + db))
    assert found is not None
    half = math.hypot(da, db)
    assert found.low == pytest.approx(b - a - half, abs=1e-9)
    assert found.high == pytest.approx(b - a + half, abs=1e-9)


@given(a=finite, b=finite, w=st.tuples(width, width, width, width))
def test_change_interval_turns_round_with_its_samples(
    a: float, b: float, w: tuple[float, float, float, float]
) -> None:
    first, second = Interval(low=a - w[0], high=a + w[1]), Interval(low=b - w[2], high=b + w[3])
    there, back = change_interval(a, first, b, second), change_interval(b, second, a, first)
    assert there is not None
    assert back is not None
    assert (there.low, there.high) == pytest.approx((-back.high, -back.low))
    assert there.low <= b - a <= there.high


def test_change_interval_needs_both() -> None:
    assert change_interval(0.0, None, 1.0, Interval(low=0, high=2)) is None


def test_records_carry_the_change_of_the_later_sample(
    demo_tpm: pd.DataFrame, make_cohort: MakeCohort, run_engine: RunEngine
) -> None:
    cohort = make_cohort(demo_tpm)
    names = [sample.sample_id for sample in cohort.samples]
    times = {
        names[0]: ("p", "post"),
        names[1]: ("p", "pre"),
        names[2]: ("q", "pre"),
        names[3]: ("q", "week 3"),
    }
    sheet = tuple(
        replace(
            s, patient_id=times.get(s.sample_id, ("", ""))[0], timepoint=times.get(s.sample_id, ("", ""))[1]
        )
        for s in cohort.samples
    )
    result = run_engine(replace(cohort, samples=sheet))
    plain = run_engine(cohort)
    np.testing.assert_array_equal(result.profiles.index.index, plain.profiles.index.index)
    later, earlier, unordered = (result.maker.record(row) for row in (0, 1, 2))
    (change,) = later.changes
    assert (change.earlier_sample_id, change.earlier_timepoint, change.timepoint) == (names[1], "pre", "post")
    assert (earlier.changes, unordered.changes) == ((), ())
    assert "no known order" in in_english(*unordered.notes)
    before, after = ({axis.axis: axis for axis in record.axes} for record in (earlier, later))
    assert {one.axis for one in change.axes} == {
        name for name, axis in after.items() if axis.score is not None
    }
    for one in change.axes:
        assert one.delta == pytest.approx((after[one.axis].score or 0) - (before[one.axis].score or 0))
        has_interval = after[one.axis].interval_within is not None
        assert (one.interval is not None) is has_interval
    assert change.index is not None
    assert change.index.delta == pytest.approx((later.index.score or 0) - (earlier.index.score or 0))


@pytest.mark.parametrize(
    ("msi", "suspected", "words"),
    [
        ("MSI-H", "yes", ["Read this before the index"]),
        ("dMMR", "no", ["Read this before the index", "The assay is decisive"]),
        ("MSI-high", "", ["Read this before the index"]),
        ("MSS", "yes", ["that sheet and sample belong together"]),
        ("pMMR", "yes", ["that sheet and sample belong together"]),
        ("MSS", "no", []),
        ("MSI-L", "", []),
        ("", "yes", []),
        ("3.7", "yes", []),
    ],
)
def test_msi_notes_hold_the_sheet_against_the_proxy(msi: str, suspected: str, words: list[str]) -> None:
    notes = list(msi_notes(SampleRecord("s", msi=msi), suspected))
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
