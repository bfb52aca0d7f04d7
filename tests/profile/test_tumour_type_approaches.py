"""Approaches seen in the sample's own tumour type come first."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest

import escape_score as es
from escape_score.library.axes import load_axis_catalogue
from escape_score.library.tumour_types import load_tumour_types
from escape_score.model.cohort import SampleRecord
from escape_score.model.record import ApproachRecord, EvidenceLevel
from escape_score.pipeline.profiles import Profiles
from escape_score.profile.tumour_type import own_first, own_type
from escape_score.reference.read import load_reference

COLORECTAL = load_reference().tumour_type


@pytest.mark.parametrize(
    ("given", "own"),
    [("", {"COADREAD"}), ("melanoma", {"MELANOMA"}), ("something else", set()), ("READ", {"COADREAD"})],
)
def test_the_sheet_goes_before_the_reference(given: str, own: set[str]) -> None:
    assert own_type(SampleRecord("S1", cancer_type=given), COLORECTAL) == own


def approach(name: str, *types: str) -> ApproachRecord:
    names = load_tumour_types().names
    return ApproachRecord(
        mechanism="tam",
        approach=name,
        statement="Seen.",
        level=EvidenceLevel.PATIENT_COHORT,
        tumour_types=tuple(names[one] for one in types),
        citation="One 2020, Journal",
        doi="10.1000/1",
    )


@pytest.mark.parametrize(
    ("own", "order"),
    [
        ({"COADREAD"}, [("crc", True), ("two", True), ("skin", False), ("lung", False), ("any", None)]),
        ({"MELANOMA"}, [("skin", True), ("two", True), ("lung", False), ("crc", False), ("any", None)]),
        ({"UVM"}, [("skin", False), ("lung", False), ("crc", False), ("two", False), ("any", None)]),
        ({"LUAD"}, [("lung", True), ("skin", False), ("crc", False), ("two", False), ("any", None)]),
        ({"LUNG"}, [("lung", True), ("skin", False), ("crc", False), ("two", False), ("any", None)]),
        (set(), [("skin", None), ("any", None), ("lung", None), ("crc", None), ("two", None)]),
    ],
)
def test_approaches_of_the_own_type_come_first(
    own: set[str], order: Sequence[tuple[str, bool | None]]
) -> None:
    given = [
        approach("skin", "SKCM"),
        approach("any"),
        approach("lung", "NSCLC"),
        approach("crc", "COADREAD"),
        approach("two", "SKCM", "COADREAD"),
    ]
    found = own_first(given, frozenset(own))
    assert [(item.approach, item.is_own_type) for item in found] == order


def test_every_approach_has_a_place_in_every_type() -> None:
    approaches = load_axis_catalogue().approaches
    for one in load_tumour_types().names:
        found = own_first(approaches, frozenset({one}))
        assert len(found) == len(approaches)
        places = [(True, False, None).index(item.is_own_type) for item in found]
        assert places == sorted(places)
        assert all((item.is_own_type is None) is (not item.tumour_types) for item in found)


def test_records_begin_with_approaches_of_their_own_type(demo_tpm: pd.DataFrame, demo: Profiles) -> None:
    """One tumour, in which mechanisms with approaches are detected, under four types."""
    row = next(i for i, record in enumerate(demo.maker.records()) if record.approaches)
    ids = ["own", "other", "unknown", "none"]
    four = pd.concat([demo_tpm.iloc[[row]]] * len(ids)).set_axis(ids)
    sheet = pd.DataFrame({"cancer_type": ["COAD", "melanoma", "odd", ""]}, ids)
    own, other, unknown, none = es.profile(es.from_dataframe(four, units="tpm", samples=sheet))
    names = load_tumour_types().names
    for profile, name in ((own, names["COADREAD"]), (none, names["COADREAD"]), (other, names["SKCM"])):
        for item in profile.approaches:
            assert item.is_own_type is ((name in item.tumour_types) if item.tumour_types else None)
    assert {item.is_own_type for item in unknown.approaches} == {None}


def test_a_sample_far_from_the_reference_has_no_type_of_its_own_without_a_sheet(
    demo_tpm: pd.DataFrame, demo: Profiles
) -> None:
    row = next(i for i, record in enumerate(demo.maker.records()) if record.approaches)
    anchors = [
        s for s, a in zip(demo.reference.genes.symbols, demo.reference.genes.is_anchor, strict=True) if a
    ]
    far = demo_tpm.iloc[[row]].copy()
    far[anchors] *= np.exp2(np.random.default_rng(2).normal(0, 0.9, len(anchors)))
    (profile,) = es.profile(es.from_dataframe(far, units="tpm"))
    assert profile.status == "provisional"
    assert profile.approaches
    assert {item.is_own_type for item in profile.approaches} == {None}
