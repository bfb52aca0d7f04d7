"""Which samples count."""

from __future__ import annotations

import pytest
from tests.statistics.conftest import MakeColumns

from escape_score.pipeline.profiles import in_english
from escape_score.statistics.patients import Timepoint, counted_samples, timepoint_of, timepoint_pairs


@pytest.mark.parametrize(
    ("word", "timepoint"),
    [
        ("", Timepoint.NOT_STATED),
        ("Pre-Treatment", Timepoint.BASELINE),
        ("BASELINE", Timepoint.BASELINE),
        ("C1D1", Timepoint.BASELINE),
        ("week 0", Timepoint.BASELINE),
        ("Day 1", Timepoint.BASELINE),
        ("D1", Timepoint.BASELINE),
        ("d2", Timepoint.LATER),
        ("day 2", Timepoint.LATER),
        ("d15", Timepoint.LATER),
        ("week 1", Timepoint.LATER),
        ("wk6", Timepoint.LATER),
        ("On", Timepoint.LATER),
        ("on-treatment", Timepoint.LATER),
        ("EDT", Timepoint.LATER),
        ("T7", Timepoint.UNKNOWN_WORD),
        ("??", Timepoint.UNKNOWN_WORD),
    ],
)
def test_timepoint_of_knows_the_usual_words(word: str, timepoint: Timepoint) -> None:
    assert timepoint_of(word) is timepoint


def test_counted_samples_are_one_a_patient_before_treatment(make_columns: MakeColumns) -> None:
    sheet = [
        {"patient_id": "a", "timepoint": "on"},
        {"patient_id": "a", "timepoint": "pre"},
        {"patient_id": "a", "timepoint": "pre"},
        {"patient_id": "b"},
        {"patient_id": "b", "timepoint": "baseline"},
        {"patient_id": "c", "timepoint": "on"},
        {"patient_id": "d", "timepoint": "visit x"},
        {},
        {},
    ]
    counted = counted_samples(make_columns(sheet, range(len(sheet))))
    assert counted.baseline == (1, 4, 7, 8)
    assert {in_english(entry.reason): entry.n_samples for entry in counted.left_out} == {
        "another sample of the same patient": 2,
        "taken on or after treatment": 2,
        "its timepoint is not a known word": 1,
    }
    assert counted.n_without_patient == 2


def test_counted_samples_do_not_mix_a_nameless_sample_with_a_patient(make_columns: MakeColumns) -> None:
    columns = make_columns([{}, {"patient_id": "sample 0"}, {"patient_id": "0"}], [1, 2, 3])
    assert counted_samples(columns).baseline == (0, 1, 2)


def test_timepoint_pairs_join_samples_of_one_patient(make_columns: MakeColumns) -> None:
    sheet = [
        {"patient_id": "a", "timepoint": "on"},
        {"patient_id": "b", "timepoint": "pre"},
        {"patient_id": "a", "timepoint": "pre"},
        {"patient_id": "a", "timepoint": "post"},
        {"timepoint": "pre"},
        {"timepoint": "on"},
    ]
    columns = make_columns(sheet, range(len(sheet)))
    pairs = timepoint_pairs(columns, counted_samples(columns).baseline)
    assert (pairs.before, pairs.later) == ((2,), (0,))


@pytest.mark.parametrize("word", ["day -7", "D-14", "week -2", "Day −28"])
def test_timepoint_of_takes_days_before_the_first_dose_for_baseline(word: str) -> None:
    assert timepoint_of(word) is Timepoint.BASELINE
