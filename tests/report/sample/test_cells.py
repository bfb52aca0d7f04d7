"""Single cells on the page of a sample: what is said, drawn, folded, and what is never said."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from pathlib import Path

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from hypothesis import given
from hypothesis import strategies as st
from playwright.sync_api import Browser
from tests.report.conftest import ParsedPage, made
from tests.report.made_up_cells import (
    DEFINITIONS,
    RICH,
    SPARSE,
    cell_map,
    cell_sample,
    of_two_samples,
    quantity,
    rich,
    side,
    sparse,
    with_quantities,
)

from escape_score.model.cells import Compartment
from escape_score.model.notes import Code
from escape_score.model.record import Call, CellsRecord, EscapeProfile, Interval, QuantityRecord
from escape_score.report import render_sample
from escape_score.report.cell_drawing import Part, composition_bar, quantity_strip
from escape_score.report.sample.cells import COMPARTMENT_WORDS, CellsView, cells_view, compartment_word
from escape_score.report.sample.cells_said import headline_of_cells, side_sentence
from escape_score.report.sample.view import sample_view
from escape_score.report.text.i18n import Language, translations

WORDS = translations("en")
ProfileFactory = Callable[..., EscapeProfile]
PageParser = Callable[[str], ParsedPage]
for_every_language = pytest.mark.parametrize("lang", ["en", "fr"])


def view_of(make_profile: ProfileFactory, cells: CellsRecord, words: Language = WORDS) -> CellsView:
    view = cells_view(make_profile(cells=cells), words)
    assert view is not None
    return view


def section_of(html: str) -> str:
    """The section of cells of a page."""
    return html.partition('<section aria-labelledby="cells">')[2].partition('<section aria-labelledby="mean')[
        0
    ]


def plain(text: str) -> str:
    return text.replace("\u00a0", " ")


def test_page_without_cells_does_not_mention_them(make_profile: ProfileFactory) -> None:
    html = render_sample(make_profile())
    assert cells_view(make_profile(), WORDS) is None
    assert "ingle cells" not in html
    assert ".quantities" not in html


def test_facts_say_what_was_read_and_how_cells_were_labelled(make_profile: ProfileFactory) -> None:
    facts = {fact.label: plain(str(fact.value)) for fact in view_of(make_profile, rich()).facts}
    assert facts == {
        "Cells of this sample": "1,564 of 2,013 passed quality control",
        "Left out": "311 with few UMI; 138 with a high mitochondrial share",
        "UMI per cell, median": "5,432",
        "Cell types": "found from marker genes",
        "Ambient RNA, share of the counts of a malignant cell": "8 %",
        "Quantities are based on": "the 1,564 cells of this sample",
    }
    facts = {fact.label: str(fact.value) for fact in view_of(make_profile, sparse()).facts}
    assert facts["Reads per cell, median"] == "612"
    assert facts["Cell types"] == "labels of the file"
    assert facts["Labels without a known meaning"] == "clu-7; doublet?"
    assert facts["Ambient RNA, share of the counts of a malignant cell"] == "not known"


def test_page_of_one_of_two_samples_says_whose_the_quantities_are(make_profile: ProfileFactory) -> None:
    view = view_of(make_profile, of_two_samples())
    assert view.facts[-1].value == "3,111 cells of 2 samples of patient P7: TUM-0042-A; TUM-0042-B"
    assert view.scope == "The quantities below are those of the patient, from the cells of 2 samples."
    assert view.scope in render_sample(make_profile(cells=of_two_samples()))
    assert view_of(make_profile, rich()).scope == ""


def test_composition_has_the_most_frequent_first_and_names_what_is_absent(
    make_profile: ProfileFactory,
) -> None:
    view = view_of(make_profile, rich())
    assert [row.number for row in view.compartments] == list(range(1, 10))
    assert [row.name for row in view.compartments][:3] == [
        "malignant cells",
        "T cells",
        "fibroblasts and smooth muscle",
    ]
    assert view.compartments[-1].name == "not assigned"
    assert view.absent == "No cells: B cells, mast cells, other known types."
    drawing = ET.fromstring(view.bar)
    assert plain(drawing.attrib["aria-label"]).startswith("1 malignant cells 42 %; 2 T cells 24 %")
    assert len(drawing.findall("rect")) == 9


@given(shares=st.lists(st.floats(0, 1), max_size=12))
def test_composition_bar_fills_its_width_in_order(shares: list[float]) -> None:
    bar = composition_bar([Part(share, "immune") for share in shares], alternative='"<x>')
    if sum(shares) <= 0:
        assert bar == ""
        return
    drawing = ET.fromstring(bar)
    assert drawing.attrib["aria-label"] == '"<x>'
    starts = [float(part.attrib["x"]) for part in drawing.findall("rect")]
    assert starts == sorted(starts)
    numbers = [int(text.text or "") for text in drawing.findall("text")]
    assert numbers == sorted(numbers)
    assert set(numbers) <= set(range(1, len(shares) + 1))


@given(
    value=st.floats(-40, 40),
    width=st.floats(0, 40),
    limit=st.none() | st.floats(-40, 40),
    name=st.sampled_from(sorted(DEFINITIONS)),
)
def test_strip_stays_inside_its_box(value: float, width: float, limit: float | None, name: str) -> None:
    strip = quantity_strip(quantity(name, value, value - width, value + width, limit=limit), alternative="<")
    box = ET.fromstring(strip)
    assert box.attrib["aria-label"] == "<"
    places = [float(number) for number in re.findall(r'(?:x1|x2|cx|d="M)="?([-0-9.]+)', strip)]
    assert min(places) >= 0
    assert max(places) <= float(box.attrib["width"])


def test_strip_has_threshold_and_limit_only_where_there_are_any() -> None:
    called = quantity("b2m_lost_share", 0.45, 0.31, 0.58, limit=0.35)
    assert quantity_strip(called, alternative="x").count('class="threshold"') == 1
    assert quantity_strip(called, alternative="x").count('class="limit"') == 1
    described = quantity_strip(quantity("t_share", 0.2, 0.1, 0.3), alternative="x")
    assert "threshold" not in described
    assert "limit" not in described
    assert quantity_strip(quantity("t_share"), alternative="x") == ""


def test_every_quantity_is_shown_once_detected_ones_first(make_profile: ProfileFactory) -> None:
    tables = view_of(make_profile, rich()).tables
    assert [table.title for table in tables] == [
        "Antigen presentation of malignant cells",
        "State of malignant cells",
        "T cells",
        "Myeloid cells",
        "Proportions of cells",
    ]
    shown = [row.title for table in tables for row in (*table.rows, *table.missing)]
    assert sorted(shown) == sorted(one.title for one in RICH)
    assert [row.result.word for row in tables[0].rows] == [
        "detected",
        "detected",
        "borderline",
        "borderline",
        "not detected",
    ]


def test_rows_have_plain_values_and_the_logarithm_in_the_fold(make_profile: ProfileFactory) -> None:
    rows = {row.title: row for table in view_of(make_profile, rich()).tables for row in table.rows}
    b2m = rows["B2M of malignant cells, compared with the stroma"]
    assert (b2m.value, b2m.interval, b2m.n_cells) == ("34-fold lower", "[24, 84]", "124")
    facts = {fact.label: fact.value for fact in b2m.facts}
    assert facts["Value"] == "34-fold lower (log2 −5.10)"
    assert facts["Detected from"] == "23-fold lower (log2 −4.50)"
    assert facts["Limit of detection"] == "28-fold lower (log2 −4.80)"
    assert facts["90 % interval, log2"] == "[−6.40, −4.60]"
    lost = rows["Malignant cells that lost B2M"]
    assert (plain(lost.value), lost.interval) == ("45 %", "[31, 58]")
    said = ET.fromstring(lost.strip).attrib["aria-label"]
    assert plain(said) == "45 %, 90 % interval [31, 58], threshold 20 %, limit of detection 35 %"
    described = rows["T cells among all cells"]
    assert described.result.word == "descriptive only"
    assert "Detected from" not in {fact.label for fact in described.facts}


def test_what_is_not_evaluable_has_its_reason_and_no_drawing(
    make_profile: ProfileFactory, parse_page: PageParser
) -> None:
    tables = view_of(make_profile, sparse()).tables
    missing = [row for table in tables for row in table.missing]
    assert len(missing) == len(SPARSE) - 1
    assert {row.strip for row in missing} == {""}
    assert {row.result.word for row in missing} == {"not evaluable"}
    t_cells = next(table for table in tables if table.title == "T cells")
    assert t_cells.summary == "3 quantities not evaluable: 9–11 cells of this kind; the minimum is 20."
    html = render_sample(make_profile(cells=sparse()))
    text = parse_page(section_of(html)).text
    for row in missing:
        assert f"{row.title} : {row.reason}".replace(" :", ":") in text.replace(" :", ":")
    assert section_of(html).count('<details class="missing">') == 2
    assert not re.search(r"\bnan\b|\bNone\b|0\.00", text)


def test_page_shows_the_map_with_a_text_for_it(make_profile: ProfileFactory, parse_page: PageParser) -> None:
    page = parse_page(render_sample(make_profile(cells=rich())))
    ((_, picture),) = [found for found in page.tags if found[0] == "img"]
    assert picture["src"] == f"data:image/png;base64,{cell_map().png}"
    assert picture["alt"] == (
        "Map of 1,500 cells; similar cells are close together. "
        "On it: malignant cells, T cells, fibroblasts and smooth muscle."
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"png": "iVBORw0KGgo=&quot; onerror=x"},
        {"png": "R0lGODlh"},
        {"colours": ("#ff0000", "red;background:url(x)", "#0000ff")},
    ],
)
def test_page_shows_no_picture_that_is_not_one(
    make_profile: ProfileFactory, changes: dict[str, object]
) -> None:
    drawn = cell_map().model_copy(update=changes)
    html = render_sample(make_profile(cells=rich(map=drawn)))
    assert "<img" not in html
    assert "onerror" not in html


BOTH = (Call.DETECTED, Call.NOT_DETECTED)


@pytest.mark.parametrize(
    ("bulk", "found", "name", "agreement", "said"),
    [
        (
            Call.NOT_DETECTED,
            Call.DETECTED,
            "b2m_lost_share",
            False,
            "Bulk does not detect it. 45 % of malignant cells have lost B2M expression.",
        ),
        (
            Call.DETECTED,
            Call.NOT_DETECTED,
            "cd8_exhausted_share",
            False,
            "Bulk detects it, the cells do not. Exhausted cells among CD8 T cells: 18 %, 90 % interval "
            "[7, 33]. Shares below 45 % would not be detected here.",
        ),
        (Call.DETECTED, Call.DETECTED, "b2m_lost_share", True, "Both detect it."),
        (Call.NOT_DETECTED, Call.NOT_DETECTED, "ifng_response", True, "Neither detects it."),
        (
            Call.NOT_DETECTED,
            Call.NOT_EVALUABLE,
            "spp1_macrophage_share",
            None,
            "The cells do not allow a conclusion.",
        ),
        (
            Call.BORDERLINE,
            Call.DETECTED,
            "b2m_lost_share",
            None,
            "A borderline result does not allow a comparison. "
            "45 % of malignant cells have lost B2M expression.",
        ),
        (
            None,
            Call.NOT_DETECTED,
            "ifng_response",
            None,
            "Bulk describes it without a call. Interferon-gamma response of malignant cells: "
            "10.6 in 10,000, 90 % interval [6.96, 14.9].",
        ),
    ],
)
def test_bulk_and_cells_are_compared_in_a_sentence(
    bulk: Call | None, found: Call, name: str, agreement: bool | None, said: str
) -> None:
    shown = side_sentence(side("x", bulk, found, name, agreement), rich(), WORDS)
    assert plain(shown) == said


def test_disagreements_come_first_and_are_linked_from_the_mechanism(make_profile: ProfileFactory) -> None:
    profile = make_profile(cells=rich())
    titles = [row.title for row in view_of(make_profile, rich()).sides]
    assert titles[:2] == ["MHC class I loss, one component", "Interferon-gamma signalling defect"]
    rows = {row.axis.axis: row for rows in sample_view(profile, WORDS).groups.values() for row in rows}
    assert plain(rows["mhc1_weakest_link"].cells) == (
        "detected. Bulk does not detect it. 45 % of malignant cells have lost B2M expression."
    )
    assert rows["stroma"].cells == ""
    html = render_sample(profile)
    detail = html.partition(f'id="{rows["mhc1_weakest_link"].anchor}"')[2].partition("</section>")[0]
    assert '<a href="#cells">Single cells</a>' in detail
    assert html.count('<a href="#cells">Single cells</a>') == len(rich().side_by_side)


def test_headline_has_the_loss_that_bulk_misses(make_profile: ProfileFactory) -> None:
    verdict = sample_view(make_profile(cells=rich()), WORDS).verdict
    assert plain(verdict.cells) == (
        "Single cells: 45 % of malignant cells have lost B2M expression, which bulk RNA does not detect."
    )
    assert verdict.cells in verdict.text


def test_headline_is_silent_without_a_loss_or_a_disagreement(make_profile: ProfileFactory) -> None:
    assert headline_of_cells(make_profile(), WORDS) == ""
    assert headline_of_cells(make_profile(cells=sparse()), WORDS) == ""
    others = [one for one in RICH if one.quantity != "b2m_lost_share"]
    differing = with_quantities(rich(), others)
    assert headline_of_cells(make_profile(cells=differing), WORDS) == (
        "Bulk RNA and single cells disagree on: MHC class I loss, one component; "
        "Interferon-gamma signalling defect."
    )


SAID = {
    "en": ("have lost", "does not detect", "disagree on"),
    "fr": ("ont perdu", "n’est pas détecté", "divergent sur"),
}
LOST = ("b2m_lost_share", "hla_abc_lost_share", "mhc1_chain_lost_share")


def drawn_cells(rng: np.random.Generator) -> CellsRecord:
    """Random values, intervals and calls of every quantity, and comparisons that follow from them."""
    quantities = tuple(_drawn(name, rng) for name in DEFINITIONS)
    sides = []
    for axis in dict.fromkeys(one.axis for one in quantities if one.axis):
        order = (Call.DETECTED, Call.BORDERLINE, Call.NOT_DETECTED, Call.NOT_EVALUABLE)
        own = [one for one in quantities if one.axis == axis and one.call is not None]
        worst = min(own, key=lambda one: order.index(one.call or Call.NOT_EVALUABLE))
        bulk = (*order, None)[int(rng.integers(0, 5))]
        assert worst.call is not None
        agrees = bulk is worst.call if bulk in BOTH and worst.call in BOTH else None
        sides.append(side(axis, bulk, worst.call, worst.quantity, agrees))
    return rich(quantities=quantities, side_by_side=tuple(sides))


def _drawn(name: str, rng: np.random.Generator) -> QuantityRecord:
    n = int(rng.integers(0, 200))
    if rng.random() < 0.3:
        return quantity(name, n=n)
    value, low, high = (float(one) for one in rng.uniform([0.1, 0, 0], [1, 0.2, 0.2]))
    limit = float(rng.uniform(0, 1)) if rng.random() < 0.5 else None
    if DEFINITIONS[name].unit == "fraction":
        return quantity(name, value, max(0.0, value - low), min(1.0, value + high), n=n, limit=limit)
    level = -7 * value
    return quantity(name, level, level - 5 * low, level + 5 * high, n=n, limit=limit)


@for_every_language
def test_no_sentence_contradicts_the_record(make_profile: ProfileFactory, lang: str) -> None:
    words, (lost, missed, differs) = translations(lang), SAID[lang]
    base, rng, seen = make_profile(), np.random.default_rng(4), set[str]()
    for _ in range(300):
        cells = drawn_cells(rng)
        profile = base.model_copy(update={"cells": cells})
        said, view = headline_of_cells(profile, words), cells_view(profile, words)
        assert view is not None
        calls = {one.quantity: one.call for one in cells.quantities}
        bulk = {one.axis: one.bulk for one in cells.side_by_side}
        first = next((name for name in LOST if calls[name] is Call.DETECTED), None)
        assert (lost in said) is (first is not None)
        assert (missed in said) is (first is not None and bulk[DEFINITIONS[first].axis] is Call.NOT_DETECTED)
        disagree = any(one.is_in_agreement is False for one in cells.side_by_side)
        assert (differs in said) is (first is None and disagree)
        for table in view.tables:
            assert [row.result.symbol for row in table.rows] == sorted(
                (row.result.symbol for row in table.rows), key="▲△○·".index
            )
        texts = f"{said} {' '.join(row.sentence for row in view.sides)}"
        assert not re.search(r"None|nan\b|\.\.|[{}]|  | \.", texts)
        seen |= {text for text in SAID[lang] if text in said}
    assert seen == set(SAID[lang])


@for_every_language
def test_page_shows_no_id_of_the_program(
    make_profile: ProfileFactory, parse_page: PageParser, lang: str
) -> None:
    for cells in (rich(), sparse(), of_two_samples()):
        text = parse_page(section_of(render_sample(make_profile(cells=cells), lang=lang))).text
        raw = {*DEFINITIONS, *(one.axis for one in RICH if "_" in one.axis), "t_cells", "log2_ratio"}
        assert [name for name in raw if name in text] == []
        assert re.findall(r"--\w+|\b\w+=\w+", text) == []
        unknown = {"few_genes", "renamed_symbols"}
        assert set(re.findall(r"\b[a-z]+_[a-z_]+\b", text)) <= unknown


@for_every_language
def test_page_says_no_number_that_is_not_in_the_view(
    make_profile: ProfileFactory, parse_page: PageParser, lang: str
) -> None:
    """What the template writes by itself has no figure of the sample."""
    words = translations(lang)
    view = cells_view(make_profile(cells=rich()), words)
    section = section_of(render_sample(make_profile(cells=rich()), lang=lang))
    known = " ".join(texts_in(view)) + " 90"
    said = parse_page(re.sub(r"<svg.*?</svg>", "", section)).text
    numbers = re.findall(r"\d+(?:[.,]\d+)?", said)
    assert len(numbers) > 60
    assert [number for number in numbers if number not in known] == []


def texts_in(node: object) -> list[str]:
    """All texts and numbers of a view."""
    if is_dataclass(node):
        return [text for field in fields(node) for text in texts_in(getattr(node, field.name))]
    if isinstance(node, tuple | list):
        return [text for one in node for text in texts_in(one)]
    return [str(node)]


def test_french_page_has_no_english_of_its_own(make_profile: ProfileFactory, parse_page: PageParser) -> None:
    html = section_of(render_sample(make_profile(cells=rich()), lang="fr"))
    invented = {one.title for one in RICH} | {f"Limits of {one.title}." for one in RICH}
    invented |= {f"Meaning of {one.title}." for one in RICH} | {one.cells for one in RICH}
    left = set(re.findall(r'<span lang="en">(.*?)</span>', html))
    assert left <= invented
    text = parse_page(html).text
    for title in sorted(invented, key=len, reverse=True):
        text = text.replace(title, "")
    assert re.findall(r"\b(the|of|cells|with|detected|evaluable|share|lower|found)\b", text) == []
    assert "45\u202f% des cellules malignes ont perdu" in html
    assert "34 fois moins" in html


def test_a_group_or_unit_of_a_later_version_is_shown_in_its_own_words(make_profile: ProfileFactory) -> None:
    other = RICH[2].model_copy(update={"group": "new_group", "unit": "log2_other"})
    (table,) = view_of(make_profile, with_quantities(rich(), [other])).tables
    assert (table.title, table.rows[0].strip) == ("New group", "")
    flagged = rich(sample=cell_sample(compartments=()))
    assert view_of(make_profile, flagged).bar == ""
    assert "no cells that can be shown" in render_sample(make_profile(cells=flagged))


def test_every_compartment_has_its_own_word() -> None:
    assert set(COMPARTMENT_WORDS) == set(Compartment)
    assert len({compartment_word(one, WORDS) for one in Compartment}) == len(Compartment)


def test_interval_of_a_ratio_has_words_where_its_ends_differ(make_profile: ProfileFactory) -> None:
    crossing = quantity("mhc1_vs_stroma", -0.5, -1.0, 0.5)
    small = crossing.model_copy(update={"value": 0.01, "interval": Interval(low=0.0, high=0.02)})
    rows = view_of(make_profile, with_quantities(rich(), [crossing, small])).tables[0].rows
    assert [(row.value, row.interval) for row in rows] == [
        ("1.4-fold lower", "[2.0-fold lower, 1.4-fold higher]"),
        ("same level", "[same level, same level]"),
    ]


def test_flags_of_cells_are_parted_by_how_much_they_matter(make_profile: ProfileFactory) -> None:
    view = view_of(make_profile, sparse())
    assert [flag.code for flag in view.cautions] == [Code.FEW_GENES.value]
    assert [flag.code for flag in view.remarks] == [Code.RENAMED_SYMBOLS.value]
    reason = made(Code.CELL_LABELS, "no_candidates")
    assert view.malignant == (
        "No malignant cells found: no cell of the sample has a label or genes of a tissue that the "
        "tumour can be from."
    )
    assert sparse().sample.malignant == reason


WCAG = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}


SCREENS = [("en", 1200, "dark"), ("fr", 390, "light")]


@pytest.mark.slow
@pytest.mark.browser
@pytest.mark.parametrize(("lang", "width", "scheme"), SCREENS)
@pytest.mark.parametrize(("cells", "widths"), [(rich(), [260]), (sparse(), [])], ids=["rich", "sparse"])
def test_page_is_accessible_and_fits(
    browser: Browser,
    tmp_path: Path,
    make_profile: ProfileFactory,
    cells: CellsRecord,
    widths: list[int],
    *,
    lang: str,
    width: int,
    scheme: str,
) -> None:
    path = tmp_path / "page.html"
    path.write_text(render_sample(make_profile(cells=cells), lang=lang), encoding="utf-8")
    context = browser.new_context(offline=True, viewport={"width": width, "height": 800})
    page, faults = context.new_page(), list[str]()
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    page.on("console", lambda message: faults.append(message.text))
    page.goto(path.as_uri())
    page.evaluate("document.querySelectorAll('details').forEach(part => { part.open = true })")
    beyond = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert page.evaluate(beyond) == 0
    violations = Axe().run(page, options=WCAG).response["violations"]
    assert [(item["id"], item["nodes"][0]["html"]) for item in violations] == []
    drawn = "all => all.map(one => one.naturalWidth)"
    assert page.locator("figure img").evaluate_all(drawn) == widths
    assert faults == []
    context.close()


@pytest.mark.browser
@pytest.mark.parametrize("width", [320, 390, 1200])
def test_page_opens_offline_without_overflow(
    browser: Browser, make_profile: ProfileFactory, tmp_path: Path, width: int
) -> None:
    path = tmp_path / "page.html"
    path.write_text(render_sample(make_profile(cells=rich()), lang="fr"), encoding="utf-8")
    context = browser.new_context(offline=True, viewport={"width": width, "height": 800})
    page = context.new_page()
    page.goto(path.as_uri())
    page.evaluate("document.querySelectorAll('details').forEach(part => { part.open = true })")
    beyond = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert page.evaluate(beyond) == 0
    context.close()


@pytest.mark.browser
def test_lists_of_what_is_not_evaluable_are_open_in_print(
    browser: Browser, make_profile: ProfileFactory, tmp_path: Path
) -> None:
    path = tmp_path / "page.html"
    path.write_text(render_sample(make_profile(cells=sparse())), encoding="utf-8")
    context = browser.new_context(offline=True)
    page = context.new_page()
    page.goto(path.as_uri())
    line = page.locator("details.missing li").first
    assert not line.is_visible()
    page.emulate_media(media="print")
    box = line.bounding_box()
    assert box is not None
    assert box["height"] > 0
    context.close()
