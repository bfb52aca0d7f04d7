"""Every row of the table of calls."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from escape_score.library.axes import load_axis_catalogue
from escape_score.model.axes import Axis, AxisKind
from escape_score.model.profiles import AxisValues, Bounds
from escape_score.model.record import Call, Interval
from escape_score.pipeline.profiles import in_english
from escape_score.profile.calls import Circumstances, call_axis, call_reason
from escape_score.profile.domain import Outside

NAN = float("nan")
CATALOGUE = load_axis_catalogue()
MEAN = CATALOGUE.axis("stroma")
LINK = next(axis for axis in CATALOGUE.axes if axis.kind is AxisKind.WEAKEST_LINK)
CHAIN = next(axis for axis in CATALOGUE.axes if axis.kind is AxisKind.CHAIN_LOSS)
LINK_LOSS = next(axis for axis in CATALOGUE.axes if axis.kind is AxisKind.LINK_LOSS)


def values_of(scores: list[float], *, is_hidden: bool = False, is_stand_in: bool = False) -> AxisValues:
    """Scores, in all of which a loss is hidden, or other genes stand in."""
    n = len(scores)
    return AxisValues(
        np.array(scores),
        np.ones(n),
        np.full(n, "", dtype=object),
        is_hidden=np.full(n, is_hidden),
        is_stand_in=np.full(n, is_stand_in),
    )


def circumstances(match: list[str], low: list[float], high: list[float]) -> Circumstances:
    """Circumstances in which nothing else forbids a call."""
    n, ends = len(match), (np.array(low), np.array(high))
    return Circumstances(
        bounds=Bounds(*ends, *ends),
        match=np.array(match, dtype=object),
        raw_high=np.full(n, NAN),
        outside=np.full(n, "", dtype=object),
        is_lifted=np.zeros(n, dtype=bool),
        is_absent=np.zeros(n, dtype=bool),
    )


def call_one(axis: Axis, match: str, score: float, low: float, high: float, **flags: bool) -> tuple[str, str]:
    """Call and reason of one sample."""
    given = circumstances([match], [low], [high])
    call, reason = call_axis(axis, values_of([score], **flags), given)
    return str(call[0]), str(reason[0])


@pytest.mark.parametrize(
    ("match", "score", "low", "high", "expected"),
    [
        ("good", NAN, NAN, NAN, ("not_evaluable", "no_genes")),
        ("", NAN, NAN, NAN, ("not_evaluable", "no_genes")),
        ("good", 1.5, 1.0, 2.0, ("detected", "reaches")),
        ("good", 1.5, 0.999, 2.0, ("borderline", "borderline")),
        ("good", 1.0, 0.1, 1.9, ("borderline", "borderline")),
        ("good", 0.999, 0.1, 1.9, ("not_detected", "below")),
        ("good", 1.5, 0.0, 3.0, ("not_evaluable", "doubt")),
        ("good", 0.5, -0.5, 1.5, ("not_detected", "below")),
        ("good", 1.5, NAN, NAN, ("detected", "reaches")),
        ("moderate", 1.5, -0.1, 3.1, ("not_evaluable", "doubt")),
        ("moderate", 1.5, 0.5, 2.5, ("borderline", "borderline")),
        ("poor", 0.5, -0.5, 1.5, ("not_evaluable", "doubt")),
        ("poor", 0.0, 0.0, 1.0, ("not_evaluable", "doubt")),
        ("poor", 0.4, -0.1, 0.9, ("not_detected", "below")),
        ("poor", -2.0, -3.0, -1.0, ("not_detected", "below")),
        ("poor", 2.0, 1.0, 3.5, ("detected", "reaches")),
        ("moderate", 0.9, 0.5, 1.3, ("not_detected", "below")),
    ],
)
def test_call_of_a_mean(
    match: str, score: float, *, low: float, high: float, expected: tuple[str, str]
) -> None:
    assert call_one(MEAN, match, score, low, high) == expected


@pytest.mark.parametrize(
    ("match", "score", "expected"),
    [
        ("good", 3.0, ("detected", "reaches")),
        ("good", 2.99, ("not_detected", "below")),
        ("good", NAN, ("not_evaluable", "no_genes")),
        ("moderate", 9.0, ("not_evaluable", "single_gene")),
        ("poor", 0.0, ("not_evaluable", "single_gene")),
    ],
)
def test_call_of_a_weakest_link(match: str, score: float, expected: tuple[str, str]) -> None:
    assert call_one(LINK, match, score, NAN, NAN) == expected


@pytest.mark.parametrize(
    ("score", "low", "expected"),
    [
        (0.2, -0.5, ("not_evaluable", "hidden")),
        (1.5, 0.1, ("borderline", "borderline")),
        (1.5, 1.1, ("detected", "reaches")),
        (NAN, NAN, ("not_evaluable", "no_genes")),
    ],
)
def test_a_loss_that_would_be_hidden_is_never_said_to_be_absent(
    score: float, low: float, expected: tuple[str, str]
) -> None:
    assert call_one(MEAN, "good", score, low, low + 2, is_hidden=True) == expected


@pytest.mark.parametrize("score", [-2.0, 0.5, 9.0])
def test_genes_that_stand_in_for_others_permit_no_call(score: float) -> None:
    expected = ("not_evaluable", "stand_in")
    assert call_one(CHAIN, "good", score, score - 0.1, score + 0.1, is_stand_in=True) == expected


@pytest.mark.parametrize(
    ("score", "low", "raw_high", "expected"),
    [
        (2.0, 1.5, -0.1, ("not_evaluable", "contradicts")),
        (2.0, 0.5, -0.1, ("not_evaluable", "contradicts")),
        (2.0, 1.5, 0.1, ("detected", "reaches")),
        (2.0, 1.5, NAN, ("detected", "reaches")),
        (0.5, 0.2, -0.1, ("not_detected", "below")),
        (-1.0, -1.5, 2.0, ("not_detected", "below")),
    ],
)
def test_a_mechanism_is_not_called_against_its_own_genes(
    score: float, *, low: float, raw_high: float, expected: tuple[str, str]
) -> None:
    given = replace(circumstances(["good"], [low], [2 * score - low]), raw_high=np.array([raw_high]))
    call, reason = call_axis(MEAN, values_of([score]), given)
    assert (call[0], reason[0]) == expected


@pytest.mark.parametrize("outside", [kind.value for kind in Outside])
def test_what_is_outside_its_domain_says_which_rule(outside: str) -> None:
    given = replace(circumstances(["good"], [NAN], [NAN]), outside=np.array([outside], dtype=object))
    call, reason = call_axis(MEAN, values_of([NAN]), given)
    assert (call[0], reason[0]) == (Call.NOT_EVALUABLE, outside)


def test_nothing_is_called_where_low_values_are_lifted() -> None:
    given = replace(
        circumstances(["good"] * 3, [1.0] * 3, [9.0] * 3), is_lifted=np.array([True, False, True])
    )
    call, reason = call_axis(MEAN, values_of([9.0, 9.0, NAN]), given)
    assert call.tolist() == [Call.NOT_EVALUABLE, Call.DETECTED, Call.NOT_EVALUABLE]
    assert reason.tolist() == ["lifted", "reaches", "no_genes"]


@pytest.mark.parametrize("axis", [CHAIN, LINK_LOSS])
def test_class_one_is_not_called_without_a_part_of_its_molecule(axis: Axis) -> None:
    given = replace(circumstances(["good"], [5.0], [7.0]), is_absent=np.array([True]))
    assert call_axis(axis, values_of([6.0]), given)[1].tolist() == ["no_molecule"]
    assert call_axis(MEAN, values_of([6.0]), given)[1].tolist() == ["reaches"]


def test_a_cohort_that_is_its_own_reference_is_judged_within_its_pipeline() -> None:
    given = circumstances(["good"], [0.2], [2.8])
    wide = replace(given, bounds=replace(given.bounds, low_within=np.array([1.2])))
    assert call_axis(MEAN, values_of([1.5]), wide)[0].tolist() == [Call.BORDERLINE]
    relative = replace(wide, is_relative=True)
    assert call_axis(MEAN, values_of([1.5]), relative)[0].tolist() == [Call.DETECTED]


def test_calls_do_not_depend_on_the_company() -> None:
    scores = [NAN, 1.5, 0.2]
    matches = ["", "good", "poor"]
    low, high = [s - 1 for s in scores], [s + 1 for s in scores]
    together = call_axis(MEAN, values_of(scores), circumstances(matches, low, high))
    alone = [call_one(MEAN, m, s, s - 1, s + 1) for m, s in zip(matches, scores, strict=True)]
    assert [*zip(*(part.tolist() for part in together), strict=True)] == alone


@pytest.mark.parametrize(
    ("axis", "kind", "score", "low", "high", "words"),
    [
        (MEAN, "no_genes", None, None, None, "Too few"),
        (LINK, "single_gene", 4.0, None, None, "differ from the reference"),
        (MEAN, "doubt", 0.5, -0.5, 1.5, "-0.50 to 1.50"),
        (MEAN, "reaches", 1.5, 1.2, 1.8, "1.50 reaches the threshold 1"),
        (MEAN, "borderline", 1.5, 0.5, 2.5, "0.50 to 2.50 includes the threshold"),
        (MEAN, "below", 0.5, -0.5, 1.5, "0.50 is below the threshold 1"),
        (CHAIN, "hidden", 0.5, -0.5, 1.5, "infiltrate hides it"),
        (CHAIN, "stand_in", 2.5, 1.5, 3.5, "6p21"),
        (CHAIN, "contradicts", 2.5, 1.5, 3.5, "only by its adjustment"),
        (CHAIN, "uncovered", None, None, None, "interferon response of the tumour cells"),
        (CATALOGUE.axis("exhaustion"), "few", None, None, None, "T cells, which are below the limit"),
        (CATALOGUE.axis("exhaustion"), "few_beside", None, None, None, "T cells, which are too few"),
        (CATALOGUE.axis("mdsc"), "silent", None, None, None, "any reads"),
    ],
)
def test_call_reason_says_why(
    axis: Axis, kind: str, score: float | None, *, low: float | None, high: float | None, words: str
) -> None:
    interval = None if low is None or high is None else Interval(low=low, high=high)
    assert words in in_english(call_reason(axis, kind, score, interval))
