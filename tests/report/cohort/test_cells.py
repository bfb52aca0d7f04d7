"""Patients with single cells on the page of a cohort."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser
from tests.report.conftest import ParsedPage
from tests.report.made_up_cells import RICH, SPARSE, quantity, rich, sparse

from escape_score.model.record import CellsRecord, EscapeProfile
from escape_score.report import render_cohort
from escape_score.report.cohort.cells import N_COLUMNS, PatientTable
from escape_score.report.cohort.view import cohort_view
from escape_score.report.text.i18n import translations

WORDS = translations("en")
ProfileFactory = Callable[..., EscapeProfile]


def of_patient(patient: str, cells: CellsRecord) -> CellsRecord:
    return cells.model_copy(update={"patient_id": patient})


@pytest.fixture
def profiles(make_profile: ProfileFactory) -> tuple[EscapeProfile, ...]:
    """Three patients, one with two samples, and a sample without cells."""
    return (
        make_profile("S4", cells=of_patient("P10", sparse())),
        make_profile("S1", cells=of_patient("P2", rich())),
        make_profile("S0"),
        make_profile("S2", cells=of_patient("P2", rich())),
        make_profile("P3", cells=of_patient("P3", rich())),
    )


def table_of(profiles: tuple[EscapeProfile, ...], skipped: tuple[tuple[str, str], ...] = ()) -> PatientTable:
    table = cohort_view(iter(profiles), WORDS, skipped=skipped).patients
    assert table is not None
    return table


def test_table_has_one_row_a_patient_by_name(profiles: tuple[EscapeProfile, ...]) -> None:
    rows = table_of(profiles).rows
    assert [(row.patient, row.samples) for row in rows] == [("P2", "S1; S2"), ("P3", ""), ("P10", "S4")]
    assert [row.n_cells for row in rows] == ["1,564", "1,564", "240"]
    assert rows[0].page == f"samples/{profiles[1].slug}.html"


def test_table_does_not_link_samples_without_a_page(profiles: tuple[EscapeProfile, ...]) -> None:
    pages = {row.patient: row.page for row in table_of(profiles, (("S1", "no page"),)).rows}
    assert pages["P2"] == ""
    assert pages["P3"] != ""


def test_table_keeps_main_shares_and_called_quantities(profiles: tuple[EscapeProfile, ...]) -> None:
    titles = table_of(profiles).titles
    assert len(titles) == N_COLUMNS
    order = [one.title for one in RICH]
    assert list(titles) == sorted(titles, key=order.index)
    assert titles[:2] == ("Malignant cells among all cells", "T cells among all cells")
    called = {one.title for one in RICH if one.call is not None}
    assert set(titles[2:]) <= called


def test_cells_have_value_call_interval_and_reason(profiles: tuple[EscapeProfile, ...]) -> None:
    table = table_of(profiles)
    at = table.titles.index("Malignant cells that lost B2M")
    lost, missing = table.rows[0].cells[at], table.rows[2].cells[at]
    assert (lost.value.replace("\u00a0", " "), lost.symbol) == ("45 %", "▲")
    assert lost.said.replace("\u00a0", " ") == "45 %, 90 % interval [31, 58]; detected"
    assert (missing.value, missing.symbol) == ("", "")
    assert missing.said == (
        "not evaluable: Ambient RNA is 31% of the signal of an intact cell and would hide a loss; at most "
        "20% is allowed."
    )
    ratio = table.rows[0].cells[table.titles.index("B2M of malignant cells, compared with the stroma")]
    assert ratio.value == "1/34"
    described = table.rows[0].cells[0]
    assert (described.symbol, described.said.replace("\u00a0", " ")) == ("", "42 %, 90 % interval [39, 44]")


def test_quantity_that_a_patient_does_not_have_is_not_evaluable(make_profile: ProfileFactory) -> None:
    less = rich().model_copy(update={"quantities": RICH[:1]})
    table = table_of(
        (make_profile("a", cells=of_patient("a", less)), make_profile("b", cells=of_patient("b", rich())))
    )
    assert {cell.said for cell in table.rows[0].cells[1:]} == {"not evaluable"}


def test_quantities_that_most_patients_have_stay(make_profile: ProfileFactory) -> None:
    """Of more called quantities than fit, those without any value go."""
    extra = tuple(
        quantity("b2m_lost_share").model_copy(update={"quantity": f"extra_{at}", "title": f"Extra {at}"})
        for at in range(5)
    )
    cells = rich().model_copy(update={"quantities": (*extra, *RICH)})
    titles = table_of((make_profile("a", cells=cells),)).titles
    assert len(titles) == N_COLUMNS
    assert not {f"Extra {at}" for at in range(5)} & set(titles)


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_page_shows_patients_only_where_there_are_cells(
    profiles: tuple[EscapeProfile, ...],
    make_profile: ProfileFactory,
    parse_page: Callable[[str], ParsedPage],
    lang: str,
) -> None:
    html = render_cohort(profiles, lang=lang)
    text = parse_page(html).text
    assert 'id="patients"' in html
    assert text.count("—") >= len(SPARSE) - 4
    assert html.count("#cells") == 3
    for without in ([make_profile()], []):
        assert 'id="patients"' not in render_cohort(without, lang=lang)
    raw = {one.quantity for one in RICH}
    assert [name for name in raw if name in text] == []


@pytest.mark.slow
@pytest.mark.browser
@pytest.mark.parametrize(("lang", "width"), [("en", 1200), ("fr", 390)])
def test_page_is_accessible_and_fits(
    browser: Browser, profiles: tuple[EscapeProfile, ...], tmp_path: Path, lang: str, width: int
) -> None:
    path = tmp_path / "index.html"
    path.write_text(render_cohort(profiles, lang=lang), encoding="utf-8")
    context = browser.new_context(offline=True, viewport={"width": width, "height": 800})
    page = context.new_page()
    page.goto(path.as_uri())
    beyond = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert page.evaluate(beyond) == 0
    rules = {"runOnly": ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice"]}
    violations = Axe().run(page, options=rules).response["violations"]
    assert [(item["id"], item["nodes"][0]["html"]) for item in violations] == []
    context.close()
