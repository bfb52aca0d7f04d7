"""The rule of ``auto``: every line of its table, and what holds for any references."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from escape_score.library.axes import load_design
from escape_score.reference.auto import Candidate, Decision, Rule, closest, decide
from escape_score.reference.known import Origin

LIMITS = load_design().thresholds.auto
FAR = Candidate("far", Origin.SHIPPED, 1.4, 0.0, 0.1)
NEAR = Candidate("near", Origin.SHIPPED, 0.5, 0.9, 1.0)
MODERATE = Candidate("moderate", Origin.FETCHED, 0.8, 0.1, 0.9)
OWN_TYPE = Candidate("type", Origin.SHIPPED, 0.6, 0.8, 0.9, is_own_type=True)
LAB = Candidate("lab", Origin.FITTED, 0.9, 0.2, 0.8)
FAR_LAB = Candidate("old-lab", Origin.FITTED, 0.3, 0.7, 0.79)


@pytest.mark.parametrize(
    ("candidates", "can_be_own", "rule", "name"),
    [
        pytest.param((FAR, NEAR, OWN_TYPE, LAB), True, Rule.KEPT, "lab", id="a: the user's own that matches"),
        pytest.param((FAR, NEAR, FAR_LAB), True, Rule.CLOSEST, "near", id="a: an own one that does not"),
        pytest.param((FAR, NEAR, OWN_TYPE), True, Rule.TYPE, "type", id="b: the own type, although farther"),
        pytest.param((FAR, NEAR, MODERATE), True, Rule.CLOSEST, "near", id="b: the closest"),
        pytest.param((FAR, MODERATE), False, Rule.CLOSEST, "moderate", id="b: moderately, of few samples"),
        pytest.param((FAR, MODERATE), True, Rule.COHORT, "moderate", id="c: the cohort, not moderately"),
        pytest.param((FAR, FAR_LAB), True, Rule.COHORT, "far", id="c: never shrunk to one of the user's"),
        pytest.param((FAR,), False, Rule.PROVISIONAL, "far", id="d: the closest"),
    ],
)
def test_decide_follows_the_table(
    candidates: tuple[Candidate, ...], *, can_be_own: bool, rule: Rule, name: str
) -> None:
    decision = decide(candidates, can_be_own=can_be_own, limits=LIMITS)
    assert (decision.rule, decision.candidate.name) == (rule, name)


def test_four_fifths_are_enough() -> None:
    exact = replace(NEAR, share_good=LIMITS.matched_fraction)
    assert decide((FAR, exact), can_be_own=True, limits=LIMITS).rule is Rule.CLOSEST
    less = replace(NEAR, share_good=LIMITS.matched_fraction - 0.01)
    assert decide((FAR, less), can_be_own=True, limits=LIMITS).rule is Rule.COHORT


SHARES = st.tuples(st.floats(0, 1), st.floats(0, 1)).map(sorted)
ORIGINS = st.sampled_from(list(Origin))
DRAWN = st.tuples(ORIGINS, st.floats(0.1, 3), SHARES, st.booleans())


def candidates_of(drawn: list[tuple[Origin, float, list[float], bool]]) -> tuple[Candidate, ...]:
    """References with names, and one that is shipped."""
    named = (
        Candidate(f"r{i}", origin, distance, good, matched, is_own_type=is_own)
        for i, (origin, distance, (good, matched), is_own) in enumerate(drawn)
    )
    return (*named, FAR)


CANDIDATES = st.lists(DRAWN, min_size=1, max_size=9).map(candidates_of)


@given(CANDIDATES, st.booleans(), st.randoms())
def test_decision_does_not_depend_on_the_order_of_references(
    candidates: tuple[Candidate, ...], can_be_own: bool, random: object
) -> None:
    shuffled = list(candidates)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    decisions = [decide(some, can_be_own=can_be_own, limits=LIMITS) for some in (candidates, shuffled)]
    assert decisions[0] == decisions[1]


@given(CANDIDATES, st.booleans())
def test_what_is_taken_matches_or_the_cohort_or_the_closest_is(
    candidates: tuple[Candidate, ...], can_be_own: bool
) -> None:
    found: Decision = decide(candidates, can_be_own=can_be_own, limits=LIMITS)
    if found.rule in {Rule.KEPT, Rule.TYPE, Rule.CLOSEST}:
        assert found.candidate.share_matched >= LIMITS.matched_fraction
    else:
        assert found.rule is (Rule.COHORT if can_be_own else Rule.PROVISIONAL)
        assert found.candidate == closest(one for one in candidates if one.origin is not Origin.FITTED)
    assert (found.candidate.origin is Origin.FITTED) is (found.rule is Rule.KEPT)
