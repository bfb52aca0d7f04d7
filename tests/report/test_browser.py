from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page
from tests.report.conftest import made

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
