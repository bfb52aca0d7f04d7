"""Phenotype, archetype, match and status: each rule, and their order."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from escape_score.library.axes import load_thresholds
from escape_score.model.cohort import Cohort
from escape_score.model.record import Archetype, Call, Phenotype, ReferenceMatch
from escape_score.pipeline.profiles import Profiles, in_english
from escape_score.profile.archetype import (
    call_archetype,
    call_phenotype,
    match_of,
    msi_suspected,
    status_of,
    withheld_by,
)
from escape_score.reference.read import load_reference

NAN = float("nan")
THRESHOLDS = load_thresholds()
MATCH = THRESHOLDS.match


@pytest.mark.parametrize(
    ("t_level", "stroma", "expected"),
    [
        (-0.68, 0.0, "desert"),
        (-0.67, 0.0, "excluded"),
        (0.0, -3.0, "excluded"),
        (0.67, 0.0, "excluded"),
        (0.68, 0.0, "inflamed"),
        (-0.68, 1.0, "desert"),
        (-0.68, 1.01, "excluded"),
        (0.75, 1.75, "inflamed"),
        (0.75, 1.76, "excluded"),
        (3.0, 3.9, "inflamed"),
        (NAN, 0.0, ""),
        (1.0, NAN, ""),
    ],
)
def test_call_phenotype(t_level: float, stroma: float, expected: str) -> None:
    assert phenotype_of(t_level, stroma, Call.NOT_EVALUABLE) == expected


def phenotype_of(t_level: float, stroma: float, lack: Call) -> str:
    """Phenotype of one sample, with the call of its lack of effector T cells."""
    calls = np.array([lack.value], dtype=object)
    return str(call_phenotype(np.array([t_level]), np.array([stroma]), calls, THRESHOLDS.phenotype)[0])


@pytest.mark.parametrize(
    ("t_level", "lack", "expected"),
    [
        (-2.0, Call.DETECTED, "desert"),
        (-2.0, Call.BORDERLINE, "desert"),
        (-2.0, Call.NOT_DETECTED, "excluded"),
        (2.0, Call.NOT_DETECTED, "inflamed"),
        (2.0, Call.BORDERLINE, "excluded"),
        (2.0, Call.DETECTED, "excluded"),
        (0.0, Call.DETECTED, "excluded"),
    ],
)
def test_phenotype_never_contradicts_the_call_of_effector_t_cells(
    t_level: float, lack: Call, expected: str
) -> None:
    assert phenotype_of(t_level, 0.0, lack) == expected


@pytest.mark.parametrize(
    ("found", "suspected"),
    [
        (Call.DETECTED, "yes"),
        (Call.BORDERLINE, "yes"),
        (Call.NOT_DETECTED, "no"),
        (Call.NOT_EVALUABLE, ""),
    ],
)
def test_msi_is_suspected_where_the_proxy_reaches_its_threshold(found: Call, suspected: str) -> None:
    assert msi_suspected(np.array([found.value], dtype=object)).tolist() == [suspected]


@pytest.mark.parametrize(
    ("phenotype", "exhaustion", "suppressive", "presentation", "expected"),
    [
        ("desert", True, True, True, Archetype.DESERT),
        ("excluded", True, True, False, Archetype.EXCLUDED),
        ("excluded", False, False, True, Archetype.ANTIGEN_PRESENTATION_DEFICIENT),
        ("inflamed", False, False, False, Archetype.INFLAMED),
        ("inflamed", True, False, False, Archetype.EXHAUSTED),
        ("inflamed", False, True, False, Archetype.SUPPRESSIVE),
        ("inflamed", True, True, False, Archetype.SUPPRESSIVE),
        ("inflamed", True, True, True, Archetype.ANTIGEN_PRESENTATION_DEFICIENT),
        ("", True, True, True, ""),
    ],
)
def test_call_archetype(
    phenotype: str, exhaustion: bool, suppressive: bool, *, presentation: bool, expected: str
) -> None:
    found = call_archetype(
        np.array([phenotype], dtype=object),
        exhaustion=np.array([exhaustion]),
        suppressive=np.array([suppressive]),
        presentation=np.array([presentation]),
    )
    assert found.tolist() == [expected]


def test_match_of_has_three_levels() -> None:
    distance = np.array([0.0, 0.599, 0.6, 0.999, 1.0, 9.0, NAN])
    own_distance = load_reference().anchor_distance
    assert match_of(distance, own_distance, MATCH).tolist() == [
        "good",
        "good",
        "moderate",
        "moderate",
        "poor",
        "poor",
        "",
    ]


def test_match_of_widens_its_limits_with_the_spread_of_the_reference_itself() -> None:
    distance = np.array([0.59, 0.83, 0.86, 1.07, 1.1])
    assert match_of(distance, 0.6, MATCH).tolist() == [
        "good",
        "good",
        "moderate",
        "moderate",
        "poor",
    ]
    assert match_of(distance, 0.2, MATCH).tolist() == [
        "good",
        "moderate",
        "moderate",
        "poor",
        "poor",
    ]


@pytest.mark.parametrize(
    ("match", "index", "phenotype", "expected"),
    [
        ("good", 50.0, "desert", "reference-matched"),
        ("good", NAN, "desert", "reference-matched"),
        ("good", 50.0, "", "reference-matched"),
        ("good", NAN, "", "not-evaluable"),
        ("moderate", 50.0, "desert", "provisional"),
        ("poor", NAN, "desert", "provisional"),
        ("", NAN, "", "not-evaluable"),
    ],
)
def test_status_of(match: str, index: float, phenotype: str, expected: str) -> None:
    words = (np.array([word], dtype=object) for word in (match, phenotype))
    matched, kind = words
    assert status_of(matched, np.array([index]), kind, is_relative=False).tolist() == [expected]


@pytest.mark.parametrize(
    ("match", "expected"),
    [
        ("good", "cohort-relative"),
        ("moderate", "cohort-relative"),
        ("poor", "provisional"),
        ("", "provisional"),
    ],
)
def test_status_of_a_cohort_that_is_its_own_reference(match: str, expected: str) -> None:
    matched, kind = np.array([match], dtype=object), np.array([""], dtype=object)
    assert status_of(matched, np.array([50.0]), kind, is_relative=True).tolist() == [expected]
    assert status_of(matched, np.array([NAN]), kind, is_relative=True).tolist() == ["not-evaluable"]


def test_weak_link_off_the_reference_does_not_name_the_archetype(
    demo: Profiles,
    demo_tpm: pd.DataFrame,
    *,
    make_cohort: Callable[..., Cohort],
    run_engine: Callable[..., Profiles],
) -> None:
    lost = demo_tpm.copy()
    lost["TAP1"] /= 1000
    matched = run_engine(make_cohort(lost)).profiles
    is_desert = matched.phenotype == Phenotype.DESERT
    assert (matched.match == "good").all()
    assert (matched.archetype[~is_desert] == Archetype.ANTIGEN_PRESENTATION_DEFICIENT).all()
    anchors = demo.reference.genes
    names = [s for s, a in zip(anchors.symbols, anchors.is_anchor, strict=True) if a]
    lost[names] *= np.exp2(np.random.default_rng(3).normal(0, 1.5, len(names)))
    distant = run_engine(make_cohort(lost)).profiles
    assert (distant.match == "poor").all()
    assert np.isnan(distant.axis("mhc1_weakest_link").score).all()
    assert set(distant.archetype) == {""}


@pytest.mark.parametrize(
    ("match", "n"),
    [(ReferenceMatch.GOOD, 0), (ReferenceMatch.MODERATE, 2), (ReferenceMatch.POOR, 3), (None, 3)],
)
def test_withheld_by_grows_with_the_distance(match: ReferenceMatch | None, n: int) -> None:
    assert len(withheld_by(match)) == n


def test_poor_match_withholds_what_depends_on_levels(
    demo_tpm: pd.DataFrame, make_cohort: Callable[..., Cohort], run_engine: Callable[..., Profiles]
) -> None:
    rng = np.random.default_rng(1)
    result = run_engine(make_cohort(demo_tpm * np.exp2(rng.normal(0, 1.5, demo_tpm.shape[1]))))
    assert set(result.profiles.match) == {"poor"}
    record = result.maker.record(0)
    assert (record.status, record.archetype, record.phenotype) == ("provisional", None, None)
    assert (record.index.score, record.index.interval) == (None, None)
    assert any(axis.score is not None for axis in record.axes)
    assert in_english(*record.reference.withheld) == in_english(*withheld_by(ReferenceMatch.POOR))
    for axis in record.axes:
        assert (axis.percentile, axis.percentile_interval) == (None, None)
        if axis.score is not None:
            assert axis.percentile_reason
            assert axis.percentile_reason is not None
            assert "too far" in in_english(axis.percentile_reason)
