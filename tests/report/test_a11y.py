"""Pages in Chromium, offline: accessible, usable by keyboard, quick with many samples, clean in print."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page
from tests.report.conftest import made
from tests.report.made_up import GROUPS, RESPONSE, clustering, statistics
from tests.statistics.gathered import three_cohorts

from escape_score.model.notes import Code
from escape_score.model.record import EscapeProfile
from escape_score.pipeline.pages.pdf import print_pages
from escape_score.report import render_cohort, render_comparison, render_sample, render_summary
from escape_score.statistics.comparison import compare_cohorts

WCAG = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
N_MANY = 5000

ProfileFactory = Callable[..., EscapeProfile]

pytestmark = pytest.mark.browser


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(offline=True, viewport={"width": 1280, "height": 800})
    yield context
    context.close()


@pytest.fixture
def open_text(context: BrowserContext, tmp_path: Path) -> Iterator[Callable[[str], Page]]:
    """Open a page given as text; a fault in it fails the test."""
    faults = list[str]()

    def opened(html: str) -> Page:
        path = tmp_path / "page.html"
        path.write_text(html, encoding="utf-8")
        page = context.new_page()
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda message: faults.append(message.text))
        page.goto(path.as_uri())
        return page

    yield opened
    assert faults == []


MEDIA: tuple[tuple[int, Literal["screen", "print"], Literal["light", "dark"]], ...] = (
    (1280, "screen", "light"),
    (320, "screen", "dark"),
    (794, "print", "light"),
)


@pytest.fixture(scope="module", params=["en", "fr"])
def page_files(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    sample_profiles: tuple[EscapeProfile, ...],
) -> list[Path]:
    """Pages of samples, a summary and the page of the cohort in one language."""
    lang = request.param
    pages = {profile.slug: render_sample(profile, lang=lang) for profile in sample_profiles[2:3]}
    pages["summary"] = render_summary(sample_profiles[1], lang=lang)
    labelled = [
        profile.model_copy(update={"metadata": {"response": word, "msi": "MSS"}})
        for profile, word in zip(sample_profiles[:3], ("R", "NR", ""), strict=True)
    ]
    found = statistics(
        response=RESPONSE,
        comparisons=(GROUPS,),
        notes=(made(Code.STATISTICS, "how_to_read"),),
        clustering=clustering([axis.axis for axis in labelled[0].axes], [one.sample_id for one in labelled]),
    )
    pages["index"] = render_cohort(
        labelled, skipped=[("S9", "no values")], statistics=lambda: found, lang=lang
    )
    folder = tmp_path_factory.mktemp(lang)
    for name, html in pages.items():
        (folder / f"{name}.html").write_text(html, encoding="utf-8")
    return sorted(folder.iterdir())


@pytest.mark.slow
def test_axe_finds_no_violation_on_screen_and_on_paper(browser: Browser, page_files: list[Path]) -> None:
    context = browser.new_context(offline=True)
    page = context.new_page()
    for path in page_files:
        page.goto(path.as_uri())
        page.evaluate("document.querySelectorAll('details').forEach(part => { part.open = true })")
        if path.stem == "index":
            page.locator("#by-clusters").check()
        for width, media, scheme in MEDIA:
            page.set_viewport_size({"width": width, "height": 800})
            page.emulate_media(media=media, color_scheme=scheme)
            # nobody points at a link on paper
            rules = {"target-size": {"enabled": media == "screen"}}
            violations = Axe().run(page, options=WCAG | {"rules": rules}).response["violations"]
            shown = [(path.stem, media, scheme, item["id"], item["nodes"][0]["html"]) for item in violations]
            assert shown == []
    context.close()


@pytest.mark.parametrize("lang", ["en", "fr"])
@pytest.mark.parametrize(
    "shown",
    [(1280, "light", "screen"), (1280, "dark", "screen"), (390, "dark", "screen"), (800, "light", "print")],
)
def test_axe_finds_no_violation_in_a_comparison(
    browser: Browser,
    tmp_path: Path,
    lang: str,
    shown: tuple[int, Literal["light", "dark"], Literal["screen", "print"]],
) -> None:
    width, scheme, medium = shown
    path = tmp_path / "index.html"
    path.write_text(render_comparison(compare_cohorts(three_cohorts()), lang=lang), encoding="utf-8")
    context = browser.new_context(offline=True, viewport={"width": width, "height": 800}, color_scheme=scheme)
    page, faults = context.new_page(), list[str]()
    page.on("console", lambda message: faults.append(message.text))
    page.goto(path.as_uri())
    page.emulate_media(media=medium, color_scheme=scheme)
    page.evaluate("document.querySelectorAll('details').forEach(part => { part.open = true })")
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0
    violations = Axe().run(page, options=WCAG).response["violations"]
    assert [(item["id"], item["nodes"][0]["html"]) for item in violations] == []
    assert faults == []
    context.close()


def test_figures_of_a_comparison_are_saved_as_png(open_text: Callable[[str], Page]) -> None:
    page = open_text(render_comparison(compare_cohorts(three_cohorts())))
    with page.expect_download() as saved:
        page.locator(".plots button").first.click()
    assert saved.value.suggested_filename == "calls.png"
    assert saved.value.path().read_bytes().startswith(b"\x89PNG")


def test_table_sorts_by_keyboard(open_text: Callable[[str], Page], make_profile: ProfileFactory) -> None:
    base = make_profile()
    scores = {"S2": 12.0, "S10": None, "S1": 88.0}
    profiles = [
        make_profile(name, index=base.index.model_copy(update={"score": score}))
        for name, score in scores.items()
    ]
    page = open_text(render_cohort(profiles))
    for column, orders in {
        1: (["S1", "S2", "S10"], ["S10", "S2", "S1"]),
        3: (["S1", "S2", "S10"], ["S2", "S1", "S10"]),
    }.items():
        button = page.locator(f"#sample-table thead th:nth-child({column}) button")
        for order, direction in zip(orders, ("ascending", "descending"), strict=True):
            button.focus()
            page.keyboard.press("Enter")
            assert page.locator("#sample-table tbody th").all_inner_texts() == order
            if column == 1:
                assert page.locator("#sample-table thead th").first.get_attribute("aria-sort") == direction


def test_table_filters_by_keyboard(
    open_text: Callable[[str], Page], make_profile: ProfileFactory, matched_profile: EscapeProfile
) -> None:
    page = open_text(render_cohort([make_profile("S1"), make_profile("S2"), matched_profile]))
    rows = page.locator("#sample-table tbody tr:visible th")
    page.locator("input[type=search]").focus()
    page.keyboard.type("s2")
    assert rows.all_inner_texts() == ["S2"]
    assert page.locator("#shown").inner_text() == "1 of 3 samples shown"
    page.get_by_role("button", name="Show all").press("Enter")
    page.locator("#shown", has_text="3 of 3").wait_for()
    page.locator("#filters select").nth(1).select_option("inflamed")
    assert rows.all_inner_texts() == [matched_profile.sample_id]


def test_term_is_explained_by_keyboard(
    open_text: Callable[[str], Page], make_profile: ProfileFactory
) -> None:
    page = open_text(render_sample(make_profile()))
    explanation = page.locator("#term-archetype")
    assert not explanation.is_visible()
    page.locator('[popovertarget="term-archetype"]').press("Enter")
    assert explanation.is_visible()
    page.keyboard.press("Escape")
    assert not explanation.is_visible()


def test_heatmap_is_read_by_arrow_keys(
    open_text: Callable[[str], Page], make_profile: ProfileFactory
) -> None:
    labels = {"S1": "R", "S2": "NR"}
    page = open_text(
        render_cohort([make_profile(name, metadata={"response": labels[name]}) for name in labels])
    )
    page.locator("#heatmap").focus()
    first = page.locator("#heatmap + .column a").inner_text()
    assert f"Response: {labels[first]}" in page.locator("#heatmap + .column").inner_text()
    page.keyboard.press("ArrowRight")
    assert {first, page.locator("#heatmap + .column a").inner_text()} == {"S1", "S2"}


def test_order_of_the_heatmap_is_chosen_by_keyboard_and_without_scripts(
    browser: Browser, tmp_path: Path, make_profile: ProfileFactory
) -> None:
    profiles = [make_profile(name) for name in ("S1", "S2", "S3")]
    order = clustering([axis.axis for axis in profiles[0].axes], ["S3", "S1", "S2"])
    html = render_cohort(profiles, statistics=lambda: statistics(clustering=order))
    (tmp_path / "index.html").write_text(html, encoding="utf-8")
    context = browser.new_context(offline=True, java_script_enabled=False)
    page = context.new_page()
    page.goto((tmp_path / "index.html").as_uri())
    shown = [page.locator("#heatmap"), page.locator("#clusters"), page.locator(".tree.upright")]
    assert [one.is_visible() for one in shown] == [True, False, False]
    page.locator("#by-heatmap").focus()
    page.keyboard.press("ArrowRight")
    assert [one.is_visible() for one in shown] == [False, True, True]
    context.close()


@pytest.mark.slow
def test_cohort_of_many_samples_opens(open_text: Callable[[str], Page], make_profile: ProfileFactory) -> None:
    base = make_profile()
    profiles = (
        base.model_copy(update={"sample_id": f"S{number}", "slug": f"s{number}"}) for number in range(N_MANY)
    )
    page = open_text(render_cohort(profiles))
    page.screenshot()
    assert page.locator("#sample-table tbody tr").count() == N_MANY


def test_pdf_has_the_page_of_the_sample(tmp_path: Path, chromium: Path, make_profile: ProfileFactory) -> None:
    path = tmp_path / "sample.html"
    path.write_text(render_sample(make_profile()), encoding="utf-8")
    (pdf,) = print_pages(chromium, [path])
    first = pdf.read_bytes()
    assert 2 <= len(re.findall(rb"/Type /Page\b", first)) <= 4
    a4 = re.findall(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", first)
    assert {(round(float(width)), round(float(height))) for width, height in a4} == {(595, 842)}
    assert b"file:" not in first
    assert print_pages(chromium, [path])[0].read_bytes() == first


def test_pdf_of_hostile_names_runs_and_opens_nothing(
    tmp_path: Path, chromium: Path, hostile_profile: EscapeProfile
) -> None:
    path = tmp_path / "sample.html"
    path.write_text(render_sample(hostile_profile), encoding="utf-8")
    (pdf,) = print_pages(chromium, [path])
    assert re.findall(rb"/(?:JS|JavaScript|Launch|URI|EmbeddedFile)\b", pdf.read_bytes()) == []
