from __future__ import annotations

import base64
import io
import re
from collections.abc import Callable

import pytest
from PIL import Image

from escape_score.model.record import EscapeProfile
from escape_score.report import render_cohort
from escape_score.report.cohort.heatmap import (
    FULL,
    LOW,
    SHAPES,
    class_strip,
    shape_lines,
    sheet_strips,
)
from escape_score.report.text.i18n import translations

WORDS = translations("en")


def sheet_of(*values: str) -> list[dict[str, str]]:
    return [{"Response": value} for value in values]


def test_shapes_differ_without_colour() -> None:
    assert len({*SHAPES, "....."}) == len(SHAPES) + 1
    assert {len(shape) for shape in SHAPES} == {5}
    assert shape_lines([0, None], inks=[7], paper=3) == [[7, 3]] * 5


def test_class_strip_names_only_classes_that_occur() -> None:
    strip = class_strip("Status", ["b", "", "b", "x"], {"a": 0, "b": 2}, WORDS)
    assert strip.shapes == (2, None, 2, None)
    assert [text for _, text in strip.keys] == ["b (2)"]


@pytest.mark.parametrize(
    ("values", "order"),
    [
        (("NR", "R", "", "R"), ["R (2)", "NR (1)"]),
        (("MSS", "MSI-H"), ["MSI-H (1)", "MSS (1)"]),
        (("<1%", "1-49%", ">=50%", "1-49%"), [">=50% (1)", "1-49% (2)", "<1% (1)"]),
        (("lung", "liver"), ["liver (1)", "lung (1)"]),
    ],
)
def test_sheet_strips_put_the_class_looked_for_first(values: tuple[str, ...], order: list[str]) -> None:
    (strip,) = sheet_strips(sheet_of(*values), WORDS)
    assert [text for _, text in strip.keys] == order


def test_sheet_strips_of_two_classes_are_a_full_and_a_low_bar() -> None:
    (strip,) = sheet_strips(sheet_of("R", "NR", ""), WORDS)
    assert strip.shapes == (FULL, LOW, None)


@pytest.mark.parametrize("values", [("R", "R"), ("R", ""), ("",), tuple(f"site {at}" for at in range(40))])
def test_sheet_strips_leave_out_what_tells_nothing(values: tuple[str, ...]) -> None:
    assert sheet_strips(sheet_of(*values), WORDS) == ()


def test_sheet_strips_put_rare_classes_together() -> None:
    values = [*"aaabbbcccdd", "e", "f", ""]
    (strip,) = sheet_strips(sheet_of(*values), WORDS)
    assert [text for _, text in strip.keys] == ["a (3)", "b (3)", "c (3)", "d (2)", "other values (2)"]
    assert len(set(strip.shapes)) == 6


def test_sheet_strips_keep_a_class_called_other_apart() -> None:
    values = [*"aaabbbccc", "other", "other", "other", "e", "f", ""]
    (strip,) = sheet_strips(sheet_of(*values), WORDS)
    assert {"other (3)", "other values (2)"} <= {text for _, text in strip.keys}


def test_heatmap_has_a_line_for_response_and_the_table_its_values(
    make_profile: Callable[..., EscapeProfile],
) -> None:
    metadata = [{"response": "R", "site": "lung"}, {"response": "NR", "site": "lung"}, {"site": "lung"}]
    profiles = [make_profile(f"S{at}", metadata=row) for at, row in enumerate(metadata)]
    html = render_cohort(profiles)
    assert lines_of(html)[:3] == ["Response", "Status", "Phenotype"]
    assert re.findall(r'<td class="sheet">(.*?)</td>', html) == ["Response: R", "Response: NR", ""]
    assert "Site: lung" not in html
    assert "Response: <span" in html
    (height,) = {Image.open(io.BytesIO(base64.b64decode(uri))).height for uri in swatches(html)}
    assert height == 5


def lines_of(html: str) -> list[str]:
    """Labels of the lines of the picture, from the top."""
    found: list[str] = re.findall(r'<span title="(.*?)">\1</span>', html)
    return found


def swatches(html: str) -> list[str]:
    parts = html.split('<span class="swatch"><img src="data:image/png;base64,')[1:]
    return [part.partition('"')[0] for part in parts]


def test_page_without_labels_has_neither_line_nor_column(make_profile: Callable[..., EscapeProfile]) -> None:
    html = render_cohort([make_profile("S1"), make_profile("S2")])
    assert 'class="sheet"' not in html
    assert lines_of(html)[:2] == ["Status", "Phenotype"]
