"""Figures of the cohort's page: marks are inside the box, and downloads have the numbers of the JSON."""

from __future__ import annotations

import base64
import csv
import io
import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from tests.report.made_up import RESPONSE, SURVIVAL

from escape_score.model.record_statistics import (
    CohortStatistics,
    ConfidenceInterval,
    Correlation,
    Expectation,
    Measure,
    MeasureKind,
    SampleMap,
)
from escape_score.report.cohort.statistics import statistics_view
from escape_score.report.figures.boxes import box_figure
from escape_score.report.figures.curves import roc_figure, survival_figure
from escape_score.report.figures.forest import Effect, EffectAxis, forest_figure, volcano_figure
from escape_score.report.figures.frame import Figure, Scale, figure_of, scale_of
from escape_score.report.figures.overview import correlation_figure, map_figure
from escape_score.report.text.i18n import translations
from escape_score.statistics.columns import CohortColumns
from escape_score.statistics.compute import compute_statistics

WORDS = translations("en")
SVG = "{http://www.w3.org/2000/svg}"


def measure(name: str, kind: MeasureKind) -> Measure:
    return Measure(measure=name, title=f"{name} <&>", kind=kind, unit="SD", expects=Expectation.RESISTANCE)


@pytest.fixture(scope="module")
def found() -> CohortStatistics:
    """A cohort with response, two groups, survival and enough samples for a map."""
    random, n = np.random.default_rng(5), 60
    values = random.normal(size=(n, 6))
    values[:, 1] += np.arange(n) % 2 * 3
    values[3, 4] = np.nan
    kinds = [MeasureKind.INDEX, *[MeasureKind.AXIS] * 4, MeasureKind.PUBLISHED]
    measures = tuple(measure(f"m{at}", kind) for at, kind in enumerate(kinds))
    sheet = tuple(
        {
            "response": "R" if at % 2 else "NR",
            "arm": "=ab\u202e"[at % 2 : at % 2 + 2],
            "os_days": float(random.integers(1, 900)),
            "os_event": at % 3 > 0,
        }
        for at in range(n)
    )
    ids = tuple(f"s{at}" for at in range(n))
    return compute_statistics(CohortColumns("c", measures, sheet, values, ids), seed=1)


def figures_of(found: CohortStatistics) -> dict[str, Figure]:
    view = statistics_view(found, WORDS)
    return {one.stem: one for one in (*view.figures, *(f for table in view.tables for f in table.figures))}


def unpacked(uri: str) -> str:
    return base64.b64decode(uri.partition("base64,")[2]).decode()


def rows_of(figure: Figure) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(unpacked(figure.data)), delimiter="\t", quoting=csv.QUOTE_NONE))


def places(root: ET.Element) -> list[tuple[float, float]]:
    """Every point of every path and text; a path is moves, lines and steps relative to its start."""
    found = []
    for one in root.iter(f"{SVG}path"):
        pairs = re.findall(r"[ML](-?[\d.]+) (-?[\d.]+)", one.attrib["d"])
        assert pairs, one.attrib
        found += [(float(x), float(y)) for x, y in pairs]
    found += [(float(one.attrib["x"]), float(one.attrib["y"])) for one in root.iter(f"{SVG}text")]
    return found


def test_a_page_has_every_figure(found: CohortStatistics) -> None:
    assert list(figures_of(found)) == [
        *("map", "correlation"),
        *("response-boxes", "response-roc", "response-forest", "response-volcano"),
        *("os-curves", "os-forest"),
        *("groups-1-boxes", "groups-1-forest", "groups-1-volcano"),
    ]
    assert statistics_view(None, WORDS).figures == ()


def test_marks_are_inside_the_box(found: CohortStatistics) -> None:
    for stem, figure in figures_of(found).items():
        root = ET.fromstring(unpacked(figure.svg))
        width, height = (float(root.attrib[name]) for name in ("width", "height"))
        drawn = places(root)
        assert len(drawn) > 20, stem
        assert all(0 <= x <= width and 0 <= y <= height for x, y in drawn), stem
        assert root.attrib["aria-label"]
        assert "var(" not in unpacked(figure.svg)
        assert unpacked(figure.svg).endswith(figure.picture.partition(">")[2])


def test_downloads_have_the_numbers_of_the_json(found: CohortStatistics) -> None:
    figures, response = figures_of(found), found.response
    assert response is not None
    assert found.map is not None
    forest = {row["measure"]: row for row in rows_of(figures["response-forest"])}
    for row in response.rows:
        told = [forest[row.measure.measure][name] for name in ("auroc", "low", "high", "q_value")]
        assert [float(one) for one in told] == [row.auroc, row.interval.low, row.interval.high, row.q_value]
    values = [
        (row["measure"], row["group"], float(row["value"]))
        for row in rows_of(figures["response-boxes"])
        if row["statistic"] == "value"
    ]
    assert values == [
        (plot.measure.measure, box.group, value)
        for plot in response.boxes
        for box in plot.boxes
        for value in box.values
    ]
    placed = [(row["sample_id"], float(row["component_1"])) for row in rows_of(figures["map"])]
    assert placed == [(one.sample_id, one.x) for one in found.map.points]
    curves = found.survival[0].curves
    assert curves is not None
    survival = [float(row["survival"]) for row in rows_of(figures["os-curves"])]
    assert survival == [share for curve in curves.curves for share in curve.survival]


def test_cells_of_downloads_are_harmless(found: CohortStatistics) -> None:
    groups = {row["group"] for row in rows_of(figures_of(found)["groups-1-boxes"])}
    assert groups == {"'=a", "ab"}
    figure = figure_of("x", "", (10, 10), (), [("a\tb\u202e\n", 1.0, None)], said="")
    assert unpacked(figure.data) == "a\\u0009b\\u202e\\u000a\t1.0\t\n"


def test_effects_are_drawn_where_they_are() -> None:
    on = EffectAxis("AUROC", "auroc", 0.5, 0.0, 1.0)
    one = Effect(
        measure("m", MeasureKind.AXIS), 0.75, ConfidenceInterval(low=0.5, high=1.0), 0.01, is_found=True
    )
    forest, volcano = forest_figure("f", [one], on, WORDS), volcano_figure("v", [one], on, WORDS)
    assert forest is not None
    assert volcano is not None
    chance = re.search(r'class="chance" d="M([\d.]+)', forest.picture)
    low, high = re.findall(r'class="axis" d="M([\d.]+) 16.0L([\d.]+) 16.0"', forest.picture)[0]
    point = re.search(r'class="points p1" d="M([\d.]+)', forest.picture)
    assert chance is not None
    assert point is not None
    assert float(low) == float(chance[1])
    assert float(point[1]) == pytest.approx((float(low) + float(high)) / 2, abs=0.06)


@pytest.mark.parametrize(
    "figure",
    [
        box_figure("a", (), str, WORDS),
        roc_figure("a", (), WORDS),
        survival_figure("a", None, WORDS),
        map_figure("a", None, WORDS),
        correlation_figure("a", None, WORDS),
        forest_figure("a", [], EffectAxis("", "", 0, -1, 1), WORDS),
        volcano_figure("a", [], EffectAxis("", "", 0, -1, 1), WORDS),
    ],
)
def test_nothing_is_drawn_of_nothing(figure: Figure | None) -> None:
    assert figure is None


def test_map_and_correlation_of_a_few_samples_are_drawn() -> None:
    shown = Correlation(titles=("a", "b"), values=((1.0, None), (None, 1.0)))
    figure = correlation_figure("c", shown, WORDS)
    assert figure is not None
    assert unpacked(figure.data) == "measure\ta\tb\na\t1.0\t\nb\t\t1.0\n"
    empty = SampleMap(measures=("a",), shares=(0.5, 0.5), column="", points=())
    assert map_figure("m", empty, WORDS) is not None


def test_figures_are_written_in_the_language_of_the_page() -> None:
    french = translations("fr")
    roc, curves = roc_figure("a", RESPONSE.curves, french), survival_figure("a", SURVIVAL.curves, french)
    assert roc is not None
    assert curves is not None
    assert "taux de faux positifs" in roc.picture
    assert "0,71 [0,55" in roc.picture
    assert "treg &gt; 41,5" in curves.picture


@pytest.mark.parametrize(("low", "high"), [(0.0, 1.0), (-3.2, 4.1), (0.0, 8500.0), (5.0, 5.0)])
def test_ticks_are_round_and_inside(low: float, high: float) -> None:
    scale = scale_of([low, high], 10, 200)
    ticks = scale.ticks()
    assert 3 <= len(ticks) <= 12
    assert all(scale.low <= tick <= scale.high for tick in ticks)
    assert Scale(0.1, 10, 0, 100, is_log=True)(1.0) == pytest.approx(50)
    assert Scale(0, 1, 0, 100)(7.0) == 100
