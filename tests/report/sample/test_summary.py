"""The summary: what a tumour board needs of a sample, on one sheet whatever it is called."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.report.conftest import ParsedPage, made
from tests.report.made_up_cells import rich

from escape_score.model.notes import Code
from escape_score.model.record import Call, EscapeProfile, NoteRecord
from escape_score.pipeline.pages.pdf import print_pages
from escape_score.report import render_summary
from escape_score.report.sample.summary import N_CAUTIONS, QUANTITIES, cut, summary_view
from escape_score.report.text.i18n import translations

if TYPE_CHECKING:
    from playwright.sync_api import Browser

ProfileFactory = Callable[..., EscapeProfile]
LONG = "W" * 300
SHEET = ("patient_id", "cancer_type", "site", "timepoint", "msi", "tmb", "pdl1_ihc")


@pytest.fixture(scope="module")
def fullest(make_profile: ProfileFactory) -> EscapeProfile:
    """Everything at once: all mechanisms detected or not evaluable, MSI, cells, long names from outside."""
    base = make_profile()
    axes = tuple(
        axis.model_copy(update={"call": Call.DETECTED if number % 5 else Call.NOT_EVALUABLE})
        for number, axis in enumerate(base.axes * 2)
    )
    unknown = NoteRecord(code="long", severity=base.flags[0].severity, params={"names": LONG})
    return make_profile(
        f"{LONG}长{LONG}",
        cohort=LONG,
        axes=axes,
        decisive_mechanisms=tuple(axis.axis for axis in base.axes),
        msi_suspected=True,
        notes=(NoteRecord(code="msi", severity=base.flags[0].severity, params={"value": LONG}),),
        flags=(unknown, *base.flags, made(Code.SAMPLE_EMPTY, "zero")),
        cells=rich(),
        metadata=dict.fromkeys(SHEET, "长" * 300),
        reference=base.reference.model_copy(update={"name": LONG, "tumour_type": LONG}),
        provenance=base.provenance.model_copy(update={"package_version": LONG}),
    )


@pytest.mark.parametrize(
    ("text", "most", "shown"),
    [("abc", 3, "abc"), ("abcd", 3, "ab…"), ("ab d", 4, "ab d"), ("ab def", 4, "ab…"), ("长长长", 5, "长…")],
)
def test_cut_ends_with_an_ellipsis(text: str, most: int, shown: str) -> None:
    assert cut(text, most) == shown


def test_summary_has_what_was_called_and_nothing_else(make_profile: ProfileFactory) -> None:
    profile = make_profile()
    view = summary_view(profile, translations("en"))
    calls = {call: [axis for axis in profile.axes if axis.call is call] for call in Call}
    assert len(view.mechanisms) == len(calls[Call.DETECTED]) + len(calls[Call.BORDERLINE]) > 2
    assert [row.call.word for row in view.mechanisms] == sorted(
        (row.call.word for row in view.mechanisms), key=["detected", "borderline"].index
    )
    assert view.mechanisms[0].score == "+4.62"
    assert view.not_evaluable.startswith(f"{len(calls[Call.NOT_EVALUABLE])} mechanisms not evaluable: ")
    assert not view.has_cells
    assert view.phenotype == "not given"
    assert profile.input.sha256[:12] in view.provenance


def test_interval_is_that_of_the_call(make_profile: ProfileFactory) -> None:
    base = make_profile()
    within = make_profile(reference=base.reference.model_copy(update={"is_cohort": True}))
    first, second = (summary_view(one, translations("en")).mechanisms[0] for one in (base, within))
    assert (first.interval, second.interval) == ("[4.1, 5.1]", "[4.2, 5.0]")


def test_errors_are_the_first_of_three_cautions(make_profile: ProfileFactory, fullest: EscapeProfile) -> None:
    lines = summary_view(fullest, translations("en")).cautions
    assert len(lines) == N_CAUTIONS
    (first,) = summary_view(make_profile(flags=fullest.flags[-1:]), translations("en")).cautions
    assert lines[0] == first


def test_wrong_unit_has_a_line_of_its_own(fullest: EscapeProfile) -> None:
    wrong_unit = made(Code.UNITS_SUSPECT, "sums", sums="3e6 to 4e6")
    view = summary_view(fullest.model_copy(update={"flags": (wrong_unit,)}), translations("en"))
    assert view.unit.startswith("The unit of the input is probably wrong")
    assert not any("3e6" in line for line in view.cautions)
    full = fullest.model_copy(update={"flags": (wrong_unit, *fullest.flags)})
    assert len(summary_view(full, translations("en")).cautions) == N_CAUTIONS - 1
    assert summary_view(fullest, translations("en")).unit == ""


def test_cells_are_lost_shares_and_t_cells(fullest: EscapeProfile) -> None:
    assert fullest.cells is not None
    known = {one.quantity for one in fullest.cells.quantities}
    view = summary_view(fullest, translations("en"))
    assert len(view.cells) == len(known & set(QUANTITIES)) >= 4


def test_sample_without_a_result_gives_the_reason(empty_profile: EscapeProfile) -> None:
    view = summary_view(empty_profile, translations("en"))
    assert view.mechanisms == ()
    assert view.findings == "No mechanism is evaluable."
    assert view.index.reason == "The immunoresistance index is not evaluable."


def test_summary_escapes_text_from_outside(
    hostile_profile: EscapeProfile, parse_page: Callable[[str], ParsedPage]
) -> None:
    page = parse_page(render_summary(hostile_profile))
    assert not any(name in ("script", "img", "iframe") for name, _ in page.tags)
    assert "\u202e" not in page.text
    assert "<script>alert(1)</script>" in page.text


@pytest.mark.browser
@pytest.mark.parametrize("lang", ["en", "fr"])
def test_the_fullest_sample_fits_one_sheet(
    lang: str, fullest: EscapeProfile, browser: Browser, chromium: Path, tmp_path: Path
) -> None:
    path = tmp_path / "full.html"
    wrong_unit = made(Code.UNITS_SUSPECT, "sums", sums="3e6 to 4e6")
    shown = fullest.model_copy(update={"flags": (wrong_unit, *fullest.flags)})
    path.write_text(render_summary(shown, lang=lang), encoding="utf-8")
    (pdf,) = print_pages(chromium, [path])
    assert len(re.findall(rb"/Type /Page\b", pdf.read_bytes())) == 1
    page = browser.new_page(viewport={"width": 794, "height": 1123})
    page.emulate_media(media="print")
    page.goto(path.as_uri())
    last, foot, right = page.evaluate(
        "[document.querySelector('.foot').previousElementSibling.getBoundingClientRect().bottom,"
        " document.querySelector('.foot').getBoundingClientRect().top,"
        " Math.max(...[...document.querySelectorAll('*')].map(e => e.getBoundingClientRect().right))]"
    )
    page.close()
    assert last <= foot
    assert right <= 794
