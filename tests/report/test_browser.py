from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page
from tests.report.conftest import made
from tests.report.made_up import RESPONSE, SURVIVAL, statistics

from escape_score.model.notes import Code
from escape_score.model.record import EscapeProfile
from escape_score.report import render_cohort, render_sample

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def results(
    tmp_path_factory: pytest.TempPathFactory,
    sample_profiles: tuple[EscapeProfile, ...],
    make_profile: Callable[..., EscapeProfile],
) -> Path:
    """A result folder with the page of every sample and of the cohort, one with an endless name."""
    endless = "W" * 300
    flags = (made(Code.NO_METADATA, sample=endless),)
    sample_profiles += (make_profile(endless, cohort=endless, flags=flags, metadata={endless: endless}),)
    folder = tmp_path_factory.mktemp("results")
    (folder / "samples").mkdir()
    for profile in sample_profiles:
        page = folder / "samples" / f"{profile.slug}.html"
        page.write_text(render_sample(profile), encoding="utf-8")
    index = render_cohort(sample_profiles, skipped=[("S9", "all values are missing")])
    (folder / "index.html").write_text(index, encoding="utf-8")
    return folder


@pytest.fixture(params=[(1280, "light"), (1280, "dark"), (640, "light"), (390, "light"), (320, "dark")])
def context(browser: Browser, request: pytest.FixtureRequest) -> Iterator[BrowserContext]:
    """Offline; 640 px is what a reader sees of 1280 px at 200 %."""
    width, scheme = request.param
    context = browser.new_context(offline=True, viewport={"width": width, "height": 800}, color_scheme=scheme)
    yield context
    context.close()


def open_page(context: BrowserContext, path: Path) -> tuple[Page, list[str]]:
    """Open a file; the list gathers whatever should not happen."""
    page, faults = context.new_page(), list[str]()
    page.on("pageerror", lambda error: faults.append(f"error: {error}"))
    page.on("console", lambda message: faults.append(f"console: {message.text}"))
    page.on("dialog", lambda dialog: faults.append(f"dialog: {dialog.message}"))
    page.on(
        "request",
        lambda request: (
            None
            if urlsplit(request.url).scheme in {"file", "data"}
            else faults.append(f"request: {request.url}")
        ),
    )
    page.goto(path.as_uri())
    return page, faults


def test_pages_open_offline_without_faults_or_overflow(context: BrowserContext, results: Path) -> None:
    paths = sorted(results.rglob("*.html"))
    assert len(paths) == 6
    for path in paths:
        page, faults = open_page(context, path)
        page.evaluate("document.querySelectorAll('details').forEach(part => { part.open = true })")
        overflow = page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        assert (path.name, faults, overflow) == (path.name, [], 0)
        page.close()


def test_first_screen_holds_the_verdict(
    browser: Browser, results: Path, sample_profiles: tuple[EscapeProfile, ...]
) -> None:
    context = browser.new_context(offline=True, viewport={"width": 1280, "height": 800})
    page, _ = open_page(context, results / "samples" / f"{sample_profiles[0].slug}.html")
    for selector in (".headline", ".caution", ".figures .index"):
        box = page.locator(selector).last.bounding_box()
        assert box is not None
        assert box["y"] + box["height"] < 600
    context.close()


def test_mechanism_link_unfolds_its_details(
    browser: Browser, results: Path, sample_profiles: tuple[EscapeProfile, ...]
) -> None:
    context = browser.new_context(offline=True)
    page, _ = open_page(context, results / "samples" / f"{sample_profiles[0].slug}.html")
    page.locator(".mechanisms a").first.click()
    assert page.locator("#mechanism-1 h3").is_visible()
    context.close()


def test_cohort_page_leads_to_every_sample_and_back(browser: Browser, results: Path) -> None:
    context = browser.new_context(offline=True)
    page, _ = open_page(context, results / "index.html")
    links = page.locator("#sample-table a")
    assert links.count() == 5
    for number in range(5):
        name = links.nth(number).inner_text()
        links.nth(number).click()
        assert page.locator("h1").inner_text() == name
        page.locator("nav a").first.click()
        assert page.url == (results / "index.html").as_uri()
    context.close()


@pytest.fixture(scope="module")
def labelled_page(
    tmp_path_factory: pytest.TempPathFactory, make_profile: Callable[..., EscapeProfile]
) -> Path:
    """A cohort's page with figures and labels by which its table can be filtered."""
    profiles = [
        make_profile(f"S{at}", metadata={"response": "R" if at % 3 else "NR", "arm": "ab"[at % 2]})
        for at in range(8)
    ]
    html = render_cohort(profiles, statistics=lambda: statistics(response=RESPONSE, survival=(SURVIVAL,)))
    path = tmp_path_factory.mktemp("labelled") / "index.html"
    path.write_text(html, encoding="utf-8")
    return path


def test_choice_is_in_the_address_and_restored(browser: Browser, labelled_page: Path) -> None:
    context = browser.new_context(offline=True)
    page, faults = open_page(context, labelled_page)
    page.locator("#filters label", has_text="Response").locator("select").select_option(label="NR")
    page.locator("#sample-table thead button").first.click()
    assert page.locator("#shown").inner_text() == "3 of 8 samples shown"
    again = context.new_page()
    again.goto(page.url)
    assert again.locator("#shown").inner_text() == "3 of 8 samples shown"
    assert again.locator("th[aria-sort]").get_attribute("aria-sort") == "ascending"
    with again.expect_download() as download:
        again.locator("#rows").click()
    header, *rows = Path(download.value.path()).read_text(encoding="utf-8").splitlines()
    assert header.split("\t") == [
        *("Sample", "Status", "Index", "Index, lower end", "Index, upper end", "Phenotype", "Archetype"),
        *("Flags", "Detected", "Mechanisms detected", "Response", "arm"),
    ]
    cells = [row.split("\t") for row in rows]
    assert [row[0] for row in cells] == ["S0", "S3", "S6"]
    assert {row[1] for row in cells} == {"provisional"}
    for row in cells:
        assert float(row[3]) < float(row[2]) < float(row[4])
        assert len(row[9].split("; ")) == int(row[8]) > 0
        assert row[10] == "NR"
    assert [row[11] for row in cells] == ["a", "b", "a"]
    again.locator("#filters input").fill("no such sample")
    assert again.locator("#shown").inner_text() == "No sample matches."
    again.locator("#filters button").click()
    again.wait_for_function("!location.hash.includes('l0')")
    assert faults == []
    context.close()


def test_figures_are_downloaded_without_a_fault(browser: Browser, labelled_page: Path) -> None:
    context = browser.new_context(offline=True)
    page, faults = open_page(context, labelled_page)
    page.evaluate("document.querySelectorAll('details').forEach(part => { part.open = true })")
    starts = {"SVG": b"<svg xmlns", "data (TSV)": b"measure\tgroup", "PNG": b"\x89PNG\r\n"}
    for name, start in starts.items():
        with page.expect_download() as download:
            page.locator(".plots .links > *", has_text=name).first.click()
        assert Path(download.value.path()).read_bytes().startswith(start)
        assert download.value.suggested_filename.startswith("response-boxes.")
    assert faults == []
    context.close()


def test_figures_are_downloaded_without_scripts(browser: Browser, labelled_page: Path) -> None:
    context = browser.new_context(offline=True, java_script_enabled=False)
    page = context.new_page()
    page.goto(labelled_page.as_uri())
    with page.expect_download() as download:
        page.locator(".plots a").first.click()
    assert Path(download.value.path()).read_bytes().startswith(b"<svg")
    context.close()
