from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from escape_score.model.record import AxisProfile, EscapeProfile, IndexProfile, Interval
from escape_score.report.drawing import index_gauge, score_bar


@pytest.fixture(scope="session")
def stroma(make_profile: Callable[..., EscapeProfile]) -> AxisProfile:
    return next(axis for axis in make_profile().axes if axis.axis == "stroma")


def bar_of(axis: AxisProfile, alternative: str) -> str:
    """Drawing of an axis with its absolute interval."""
    return score_bar(axis, axis.interval, alternative=alternative)


def test_score_bar_is_empty_without_a_score(stroma: AxisProfile) -> None:
    assert bar_of(stroma.model_copy(update={"score": None}), alternative="x") == ""


def test_score_bar_escapes_its_text_alternative(stroma: AxisProfile) -> None:
    drawing = ET.fromstring(bar_of(stroma, alternative='"><script>'))
    assert drawing.attrib["aria-label"] == '"><script>'
    assert drawing.attrib["role"] == "img"


@given(score=st.floats(-50, 50), width=st.floats(0, 50))
def test_score_bar_stays_inside_its_box(stroma: AxisProfile, score: float, width: float) -> None:
    interval = Interval(low=score - width, high=score + width)
    drawing = bar_of(stroma.model_copy(update={"score": score, "interval": interval}), alternative="x")
    box = ET.fromstring(drawing)
    places = [float(number) for number in re.findall(r'(?:x1|x2|cx)="([-0-9.]+)"', drawing)]
    assert min(places) >= 0
    assert max(places) <= float(box.attrib["width"])


def test_score_bar_grows_to_the_right(stroma: AxisProfile) -> None:
    drawings = (bar_of(stroma.model_copy(update={"score": score}), alternative="x") for score in (-1.0, 1.0))
    left, right = (float(re.findall(r'cx="([0-9.]+)"', drawing)[0]) for drawing in drawings)
    assert left < right


@pytest.mark.parametrize(("high", "n_arrows"), [(3.9, 0), (4.1, 1)])
def test_score_bar_marks_an_interval_cut_at_the_edge(stroma: AxisProfile, high: float, n_arrows: int) -> None:
    axis = stroma.model_copy(update={"interval": Interval(low=0.0, high=high)})
    assert bar_of(axis, alternative="x").count('class="arrow"') == n_arrows


def test_score_bar_draws_a_score_without_interval(stroma: AxisProfile) -> None:
    assert 'class="interval"' not in bar_of(stroma.model_copy(update={"interval": None}), alternative="x")


def test_index_gauge_is_empty_without_an_index() -> None:
    index = IndexProfile(score=None, interval=None, interval_within=None, blocks=())
    assert index_gauge(index, index.interval, alternative="x") == ""


@pytest.mark.parametrize(("score", "x"), [(0.0, 6.0), (50.0, 130.0), (100.0, 254.0)])
def test_index_gauge_places_the_index(score: float, x: float) -> None:
    index = IndexProfile(score=score, interval=None, interval_within=None, blocks=())
    drawing = ET.fromstring(index_gauge(index, index.interval, alternative="index"))
    (dot,) = drawing.findall("circle")
    assert float(dot.attrib["cx"]) == x
