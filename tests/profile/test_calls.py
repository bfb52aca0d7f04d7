"""Every row of the table of calls."""

from __future__ import annotations

import numpy as np
import pytest

from escape_score.library.axes import load_axis_catalogue
from escape_score.model.axes import Axis, AxisKind
from escape_score.model.profiles import Bounds
from escape_score.model.record import Call, Interval
from escape_score.pipeline.profiles import in_english
from escape_score.profile.calls import call_axis, call_reason

NAN = float("nan")
MEAN = next(axis for axis in load_axis_catalogue().axes if axis.axis == "stroma")
LINK = next(axis for axis in load_axis_catalogue().axes if axis.kind is AxisKind.WEAKEST_LINK)


@pytest.mark.parametrize(
    ("match", "score", "low", "high", "expected"),
    [
        ("good", NAN, NAN, NAN, "not_evaluable"),
        ("", NAN, NAN, NAN, "not_evaluable"),
        ("good", 1.0, 0.1, 1.9, "detected"),
        ("good", 0.999, 0.1, 1.9, "not_detected"),
        ("good", 1.5, 0.0, 3.0, "not_detected"),
        ("good", 1.5, -0.1, 3.1, "not_detected"),
        ("good", 0.5, -0.5, 1.5, "not_detected"),
        ("good", 1.5, NAN, NAN, "detected"),
        ("moderate", 1.5, -0.1, 3.1, "not_evaluable"),
        ("poor", 0.5, -0.5, 1.5, "not_evaluable"),
        ("poor", 0.0, 0.0, 1.0, "not_evaluable"),
        ("poor", 0.4, -0.1, 0.9, "not_detected"),
        ("poor", -2.0, -3.0, -1.0, "not_detected"),
        ("poor", 2.0, 0.5, 3.5, "detected"),
        ("moderate", 0.9, 0.5, 1.3, "not_detected"),
    ],
)
def test_call_of_a_mean(match: str, score: float, low: float, high: float, expected: str) -> None:
    assert call_one(MEAN, match, score, low, high) == expected


@pytest.mark.parametrize(
    ("match", "score", "expected"),
    [
        ("good", 3.0, "detected"),
        ("good", 2.99, "not_detected"),
        ("good", NAN, "not_evaluable"),
        ("moderate", 9.0, "not_evaluable"),
        ("poor", 0.0, "not_evaluable"),
    ],
)
def test_call_of_a_weakest_link(match: str, score: float, expected: str) -> None:
    assert call_one(LINK, match, score, NAN, NAN) == expected


@pytest.mark.parametrize(
    ("score", "low", "expected"),
    [
        (0.2, -0.5, "not_evaluable"),
        (1.5, -0.1, "not_evaluable"),
        (1.5, 0.1, "detected"),
        (NAN, NAN, "not_evaluable"),
    ],
)
def test_call_where_a_loss_would_be_hidden(score: float, low: float, expected: str) -> None:
    ends = Bounds(np.array([low]), np.array([low + 2]), np.array([low]), np.array([low + 2]))
    match = np.array(["good"], dtype=object)
    for is_hidden, call in ((True, expected), (False, expected if expected == "detected" else None)):
        found = call_axis(MEAN, np.array([score]), ends, match, np.array([is_hidden]))
        usual = call_axis(MEAN, np.array([score]), ends, match)
        assert found.tolist() == ([call] if call else usual.tolist())


def call_one(axis: Axis, match: str, score: float, low: float, high: float) -> str:
    ends = Bounds(np.array([low]), np.array([high]), np.array([low]), np.array([high]))
    return str(call_axis(axis, np.array([score]), ends, np.array([match], dtype=object))[0])


def ends(low: float | None, high: float | None) -> Interval | None:
    return None if low is None or high is None else Interval(low=low, high=high)


def test_calls_do_not_depend_on_the_company() -> None:
    scores = np.array([NAN, 1.5, 0.2])
    ends = Bounds(scores - 1, scores + 1, scores - 1, scores + 1)
    matches = np.array(["", "good", "poor"], dtype=object)
    together = call_axis(MEAN, scores, ends, matches)
    alone = [call_one(MEAN, m, s, s - 1, s + 1) for m, s in zip(matches, scores, strict=True)]
    assert together.tolist() == alone


@pytest.mark.parametrize(
    ("axis", "call", "score", "low", "high", "words"),
    [
        (MEAN, Call.NOT_EVALUABLE, None, None, None, "Too few"),
        (LINK, Call.NOT_EVALUABLE, 4.0, None, None, "differ from the reference"),
        (MEAN, Call.NOT_EVALUABLE, 0.5, -0.5, 1.5, "-0.50 to 1.50"),
        (MEAN, Call.DETECTED, 1.5, 0.5, 2.5, "1.50 reaches the threshold 1"),
        (MEAN, Call.NOT_DETECTED, 1.5, -0.5, 3.5, "includes the centre of the reference"),
        (MEAN, Call.NOT_DETECTED, 0.5, -0.5, 1.5, "0.50 is below the threshold 1"),
    ],
)
def test_call_reason_says_why(
    axis: Axis, call: Call, score: float | None, *, low: float | None, high: float | None, words: str
) -> None:
    assert words in in_english(call_reason(axis, call, score, ends(low, high)))


def test_nothing_is_called_where_low_values_are_lifted() -> None:
    scores, bounds = np.array([9.0, 9.0]), Bounds(*(np.array([1.0, 1.0]) for _ in range(4)))
    match = np.array(["good", "good"], dtype=object)
    found = call_axis(MEAN, scores, bounds, match, is_lifted=np.array([True, False]))
    assert found.tolist() == [Call.NOT_EVALUABLE, Call.DETECTED]
    reason = call_reason(MEAN, Call.NOT_EVALUABLE, 9.0, None, is_lifted=True)
    assert "low values" in in_english(reason)


def test_call_reason_says_that_a_loss_would_be_hidden() -> None:
    found = in_english(call_reason(MEAN, Call.NOT_EVALUABLE, 0.5, ends(-0.5, 1.5), is_hidden=True))
    assert "0.50 shows no loss" in found
    assert "infiltrate hides it" in found
    above = in_english(call_reason(MEAN, Call.NOT_EVALUABLE, 1.5, ends(-0.5, 3.5), is_hidden=True))
    assert "1.50 reaches the threshold 1, but" in above
    assert "shows no loss" not in above
    assert "includes the centre of the reference" in in_english(
        call_reason(MEAN, Call.NOT_DETECTED, 1.5, ends(-0.5, 3.5), is_hidden=True)
    )
