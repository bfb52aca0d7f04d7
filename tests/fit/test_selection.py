"""Who enters a reference."""

from __future__ import annotations

import pytest

from escape_score.fit.selection import LeftOut, left_out, patient_of
from escape_score.model.cohort import SampleRecord

N, C, R = LeftOut.NORMAL, LeftOut.CELL_LINE, LeftOut.REPEAT


def sample(sample_id: str, patient: str = "", time: str = "", kind: str = "") -> SampleRecord:
    return SampleRecord(sample_id, patient_id=patient, timepoint=time, sample_type=kind)


@pytest.mark.parametrize(
    ("samples", "expected"),
    [
        pytest.param([sample("a"), sample("b")], {}, id="nothing is known"),
        pytest.param([sample("a", kind="normal"), sample("b", kind="tumour")], {0: N}, id="normal tissue"),
        pytest.param([sample("a", kind="cell line"), sample("b")], {0: C}, id="cell line"),
        pytest.param([sample("b", "p"), sample("a", "p")], {0: R}, id="the first by id enters"),
        pytest.param(
            [sample("a", "p", "post"), sample("b", "p", "baseline")], {0: R}, id="the earliest enters"
        ),
        pytest.param(
            [sample("a", "p", kind="normal"), sample("b", "p")], {0: N}, id="a normal sample is no repeat"
        ),
        pytest.param(
            [sample("TCGA-AA-0001-01A-1"), sample("TCGA-AA-0001-02A-1"), sample("TCGA-AA-0002-01A")],
            {1: R},
            id="patient of a barcode",
        ),
        pytest.param([sample("a", "p"), sample("b", "q"), sample("c")], {}, id="other patients"),
    ],
)
def test_left_out(samples: list[SampleRecord], expected: dict[int, LeftOut]) -> None:
    assert left_out(samples) == expected


def test_patient_of_a_sheet_wins_over_the_barcode() -> None:
    assert patient_of(sample("TCGA-AA-0001-01A", "p1")) == "p1"
    assert patient_of(sample("tcga.aa.0001.01A")) == "TCGA-AA-0001"
    assert patient_of(sample("TCGAAA0001")) == ""
