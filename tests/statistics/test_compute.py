"""All statistics of a cohort of profiles."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest

from escape_score.model.record import EscapeProfile
from escape_score.model.record_statistics import CohortStatistics, MeasureKind
from escape_score.pipeline.profiles import Profiles, in_english
from escape_score.statistics import CohortColumns, compute_statistics

SheetRow = Mapping[str, str | float | bool]


def columns_of(demo: Profiles, sheet: list[SheetRow]) -> CohortColumns:
    return CohortColumns.of(profiles_of(demo, sheet))


def profiles_of(demo: Profiles, sheet: list[SheetRow]) -> Iterator[EscapeProfile]:
    """The eight tumours again and again, each time with another row of a sheet."""
    records = list(demo.maker.records())
    for at, row in enumerate(sheet):
        yield records[at % len(records)].model_copy(update={"sample_id": f"s{at}", "metadata": dict(row)})


@pytest.fixture(scope="module")
def labelled(demo: Profiles) -> CohortStatistics:
    sheet: list[SheetRow] = [
        {
            "patient_id": f"p{at}",
            "timepoint": "pre",
            "response": "NR" if at % 8 < 5 else "R",
            "msi": "MSI-H" if at % 3 else "MSS",
            "os_days": 100.0 + 7 * (at * 5 % 11),
            "os_event": at % 2 == 0,
        }
        for at in range(24)
    ]
    later: list[SheetRow] = [{"patient_id": f"p{at}", "timepoint": "on", "response": "R"} for at in range(6)]
    return compute_statistics(columns_of(demo, [*sheet, *later]), seed=3)


def test_statistics_count_one_sample_a_patient(labelled: CohortStatistics) -> None:
    assert (labelled.n_samples, labelled.n_patients, labelled.seed) == (30, 24, 3)
    assert [(in_english(entry.reason), entry.n_samples) for entry in labelled.left_out] == [
        ("taken on or after treatment", 6)
    ]
    assert labelled.response is not None
    assert (labelled.response.n_responders, labelled.response.n_nonresponders) == (9, 15)
    assert "Samples not counted: 6 of 30." in in_english(*labelled.notes)
    assert "Not compared" not in in_english(*labelled.notes)


def test_groups_of_any_column_are_compared(demo: Profiles) -> None:
    sheet: list[SheetRow] = [{"site": "liver", "arm": "AB"[at % 2], "rare": f"r{at % 9}"} for at in range(24)]
    found = compute_statistics(columns_of(demo, sheet), seed=3)
    assert [(one.column, one.groups) for one in found.comparisons] == [("arm", ("A", "B"))]
    assert "24 patients compared by arm" in in_english(*found.comparisons[0].findings)


def test_statistics_put_every_axis_beside_the_baselines(labelled: CohortStatistics) -> None:
    assert labelled.response is not None
    assert [comparison.column for comparison in labelled.comparisons] == ["msi", "timepoint"]
    assert [survival.endpoint for survival in labelled.survival] == ["os"]
    for rows in (labelled.response.rows, labelled.survival[0].rows, labelled.comparisons[0].rows):
        kinds = [row.measure.kind for row in rows]
        assert set(kinds) == set(MeasureKind) - {MeasureKind.CELLS}
        assert kinds.count(MeasureKind.INDEX) == 1


def test_statistics_travel_as_json(labelled: CohortStatistics) -> None:
    assert CohortStatistics.model_validate_json(labelled.model_dump_json()) == labelled


def test_statistics_are_the_same_again(demo: Profiles) -> None:
    sheet: list[SheetRow] = [{"site": "abc"[at % 3]} for at in range(24)]
    once, again = (compute_statistics(columns_of(demo, sheet), seed=1) for _ in range(2))
    assert once.model_dump_json() == again.model_dump_json()
    assert "Samples without a patient_id: 24." in in_english(*once.notes)


def test_statistics_of_survival_alone_say_how_samples_became_patients(demo: Profiles) -> None:
    sheet: list[SheetRow] = [
        {"os_days": 100.0 + 7 * (at * 5 % 11), "os_event": at % 2 == 0} for at in range(24)
    ]
    found = compute_statistics(columns_of(demo, sheet), seed=1)
    assert (found.comparisons, found.response) == ((), None)
    assert "Samples without a patient_id: 24." in in_english(*found.notes)


def test_statistics_without_labels_are_empty(demo: Profiles) -> None:
    found = compute_statistics(columns_of(demo, [{}] * 24), seed=1)
    assert (found.comparisons, found.response, found.survival, found.notes) == ((), None, (), ())
    assert compute_statistics(CohortColumns.of(()), seed=1).n_samples == 0


def test_statistics_say_what_was_too_little(demo: Profiles) -> None:
    sheet: list[SheetRow] = [
        {"msi": "MSS", "pfs_event": True, "pfs_days": 1.0, "patient_id": f"p{at}", "timepoint": "pre"}
        for at in range(8)
    ]
    notes = in_english(*compute_statistics(columns_of(demo, sheet), seed=1).notes)
    assert "Not compared by msi: fewer than two groups of at least 5" in notes
    assert "PFS not modelled: fewer than 10 events" in notes
    assert "Timepoints not compared: fewer than 5 patients" in notes
    assert "OS not" not in notes
