"""Which samples of a public matrix are taken."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from escape_score.pipeline.public_matrix import BARCODE, choose_samples

barcodes = st.lists(
    st.builds(
        "TCGA-AA-{}-{}{}".format,
        st.sampled_from(["0001", "0002", "0003"]),
        st.sampled_from(["01", "02", "06", "10", "11"]),
        st.sampled_from(["A", "B", "A-11R-1234-07", ""]),
    ),
    unique=True,
)


def test_one_sample_a_patient_primary_before_metastasis() -> None:
    names = [
        "TCGA-AA-0001-06A",
        "TCGA-AA-0001-01B",
        "TCGA-AA-0001-01A",
        "TCGA-AA-0002-06A",
        "TCGA-AA-0002-11A",
    ]
    choice = choose_samples(names, ("01", "06"))
    assert [names[row] for row in choice.rows] == ["TCGA-AA-0001-01A", "TCGA-AA-0002-06A"]
    assert choice.left_out_in_words == "2 further samples of a patient, 1 normal tissue"
    assert choose_samples(names[2:3], ("01",)).left_out_in_words == "none"


def test_blood_of_leukaemia_is_taken_where_it_is_wanted() -> None:
    names = ["TCGA-AB-2803-03A", "TCGA-AB-2803-03B", "TCGA-AB-2804-01A"]
    choice = choose_samples(names, ("03",))
    assert choice.rows == (0,)
    assert choice.left_out == {"further samples of a patient": 1, "of other sample types": 1}


@given(barcodes, st.permutations(["01", "02", "06"]))
def test_every_patient_counts_once_and_every_sample_is_accounted_for(
    names: list[str], codes: list[str]
) -> None:
    choice = choose_samples(names, codes)
    taken = [names[row] for row in choice.rows]
    patients = {name[:12] for name in names if name[13:15] in codes}
    assert sorted(name[:12] for name in taken) == sorted(patients)
    assert len(taken) + sum(choice.left_out.values()) == len(names)
    assert all(name[13:15] in codes for name in taken)
    assert list(choice.rows) == sorted(choice.rows)


@given(barcodes)
def test_choice_is_the_same_in_any_order(names: list[str]) -> None:
    turned = list(reversed(names))
    first, second = choose_samples(names, ["01", "06"]), choose_samples(turned, ["01", "06"])
    assert {names[row] for row in first.rows} == {turned[row] for row in second.rows}
    assert first.left_out == second.left_out


def test_barcodes_of_other_kinds_are_none() -> None:
    for text in ("TCGA-AA-0001", "GTEX-1117F-0226", "tcga-aa-0001-01A", "TCGA-AA-0001-01A\n", "sample"):
        assert not re.fullmatch(BARCODE, text)
