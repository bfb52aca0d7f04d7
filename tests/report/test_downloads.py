"""Downloads of every figure in Chromium: reached by keyboard alone, and with the numbers of the JSON."""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest
from playwright.sync_api import Browser, Page
from tests.report.made_up import GROUPS, RESPONSE, SURVIVAL, box, measure, statistics

from escape_score.model.record import EscapeProfile
from escape_score.model.record_statistics import BoxPlot, Correlation, MapPoint, SampleMap
from escape_score.report import render_cohort

pytestmark = pytest.mark.browser

FOUND = statistics(
    response=RESPONSE,
    survival=(SURVIVAL,),
    comparisons=(
        GROUPS.model_copy(
            update={"boxes": (BoxPlot(measure=measure("wnt"), boxes=(box("a", (-1.0, -0.5, 0.5, 1.0)),)),)}
        ),
    ),
    map=SampleMap(
        measures=("Stroma", "WNT"),
        shares=(0.625, 0.25),
        column="response",
        points=(
            MapPoint(sample_id="S0", x=-1.0625, y=0.5, group="R"),
            MapPoint(sample_id="S1", x=2.125, y=-0.75, group="NR"),
        ),
    ),
    correlation=Correlation(titles=("Stroma", "WNT", "MDSC"), values=((1.0, 0.375, None),) * 3),
)
MOST_TABS = 400
PAUSE_MS = 110
"""Chromium drops the eleventh download of a page within a second."""


@pytest.fixture(scope="module")
def downloads(
    browser: Browser,
    tmp_path_factory: pytest.TempPathFactory,
    make_profile: Callable[..., EscapeProfile],
) -> Iterator[tuple[Page, dict[str, bytes]]]:
    """The page, and the content of every file that Tab and Enter alone have downloaded, by its name."""
    path = tmp_path_factory.mktemp("downloads") / "index.html"
    html = render_cohort([make_profile(f"S{at}") for at in range(3)], statistics=lambda: FOUND)
    path.write_text(html, encoding="utf-8")
    context = browser.new_context(offline=True)
    page = context.new_page()
    page.goto(path.as_uri())
    yield page, by_keyboard(page)
    context.close()


def by_keyboard(page: Page) -> dict[str, bytes]:
    """Go through the page with Tab; open what is folded, and press Enter on every link below a figure."""
    files = dict[str, bytes]()
    for _ in range(MOST_TABS):
        page.keyboard.press("Tab")
        kind = page.evaluate(
            """() => {
              const at = document.activeElement;
              if (at === document.body) return "end";
              if (at.matches("summary") && !at.parentElement.open) return "folded";
              return at.closest(".plots .links") ? "link" : "";
            }"""
        )
        if kind == "end":
            return files
        if kind == "folded":
            page.keyboard.press("Enter")
        if kind == "link":
            with page.expect_download() as download:
                page.keyboard.press("Enter")
            name = download.value.suggested_filename
            assert name not in files
            files[name] = Path(download.value.path()).read_bytes()
            page.wait_for_timeout(PAUSE_MS)
    pytest.fail("the end of the page was not reached")


def test_every_figure_has_three_downloads_by_keyboard(downloads: tuple[Page, dict[str, bytes]]) -> None:
    page, files = downloads
    stems = {Path(name).stem for name in files}
    assert len(stems) == page.locator(".plots figure").count() >= 6
    assert set(files) == {f"{stem}.{kind}" for stem in stems for kind in ("svg", "png", "tsv")}


def test_pictures_have_the_size_and_the_shapes_of_the_page(downloads: tuple[Page, dict[str, bytes]]) -> None:
    page, files = downloads
    for figure in page.locator(".plots figure").all():
        link = figure.locator("a").first
        name = link.get_attribute("download") or ""
        drawn = ElementTree.fromstring(files[name])
        width, height = (int(drawn.attrib[side]) for side in ("width", "height"))
        assert drawn.attrib["viewBox"] == figure.locator("svg").get_attribute("viewBox")
        shapes = [one.attrib["d"] for one in drawn.iter() if one.tag.endswith("path")]
        on_page = figure.locator("svg path").evaluate_all("all => all.map(one => one.getAttribute('d'))")
        assert shapes == on_page != []
        png = files[name.replace(".svg", ".png")]
        assert png[:8] == b"\x89PNG\r\n\x1a\n"
        assert struct.unpack(">II", png[16:24]) == (2 * width, 2 * height)


def test_tables_hold_the_numbers_of_the_json(downloads: tuple[Page, dict[str, bytes]]) -> None:
    _, files = downloads
    known = set(numbers(json.loads(FOUND.model_dump_json())))
    tables = {name: content.decode() for name, content in files.items() if name.endswith(".tsv")}
    for name, table in tables.items():
        header, *rows = (line.split("\t") for line in table.splitlines())
        assert {len(row) for row in rows} == {len(header)}, name
        cells = [cell for row in rows for cell in row if re.fullmatch(r"-?[0-9.]+(e-?[0-9]+)?", cell)]
        assert cells, name
        assert {float(cell) for cell in cells} <= known, name
    points = (
        {(one.sample_id, repr(one.x), repr(one.y), one.group) for one in FOUND.map.points}
        if FOUND.map
        else ()
    )
    assert {tuple(line.split("\t")) for line in tables["map.tsv"].splitlines()[1:]} == points
    assert "0.375" in tables["correlation.tsv"]
    values = {value for plot in RESPONSE.boxes for one in plot.boxes for value in one.values}
    drawn = (line.split("\t") for line in tables["response-boxes.tsv"].splitlines())
    assert {float(line[-1]) for line in drawn if line[-2] == "value"} == values


def numbers(node: object) -> Iterator[float]:
    """Every number of a JSON."""
    if isinstance(node, dict):
        node = list(node.values())
    if isinstance(node, list):
        for one in node:
            yield from numbers(one)
    elif isinstance(node, int | float):
        yield float(node)
