from __future__ import annotations

import re
from collections.abc import Callable
from itertools import combinations

import numpy as np
import pytest

from escape_score.model.record import EscapeProfile
from escape_score.report import render_cohort
from escape_score.report.cohort.strips import COLOURS, OTHER, class_strip, sheet_strips
from escape_score.report.text.i18n import translations

WORDS = translations("en")


def sheet_of(*values: str) -> list[dict[str, str]]:
    return [{"Response": value} for value in values]


# Machado 2009, IEEE TVCG 15:1291: linear RGB as seen without one kind of cone
BLINDNESS = {
    "none": np.eye(3),
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
}


def lab(colour: str, seen: np.ndarray) -> np.ndarray:
    """CIE L*a*b* of a colour, D65."""
    channels = np.array([int(colour[at : at + 2], 16) for at in (1, 3, 5)]) / 255
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    to_xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    x, y, z = np.cbrt(to_xyz @ np.clip(seen @ linear, 0, 1) / np.array([0.9505, 1.0, 1.089]))
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@pytest.mark.parametrize("kind", BLINDNESS)
def test_colours_of_classes_differ_with_any_colour_vision(kind: str) -> None:
    seen = [lab(colour, BLINDNESS[kind]) for colour in (*COLOURS, "#ffffff")]
    distances = [float(np.linalg.norm(one - other)) for one, other in combinations(seen, 2)]
    assert min(distances) > 25


def test_class_strip_names_only_classes_that_occur() -> None:
    strip = class_strip("Status", ["b", "", "b", "x"], {"a": 0, "b": 2}, WORDS)
    assert strip.colours == (2, None, 2, None)
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


def test_sheet_strips_give_responders_the_first_colour() -> None:
    (strip,) = sheet_strips(sheet_of("NR", "R", ""), WORDS)
    assert strip.colours == (1, 0, None)


@pytest.mark.parametrize("values", [("R", "R"), ("R", ""), ("",), tuple(f"site {at}" for at in range(40))])
def test_sheet_strips_leave_out_what_tells_nothing(values: tuple[str, ...]) -> None:
    assert sheet_strips(sheet_of(*values), WORDS) == ()


def test_sheet_strips_put_rare_classes_together() -> None:
    values = [*"aabbccddeeffgghh", "i", "j", ""]
    (strip,) = sheet_strips(sheet_of(*values), WORDS)
    names = [text for _, text in strip.keys]
    assert names == [*(f"{name} (2)" for name in "abcdefgh"), "other values (2)"]
    assert strip.colours[-3:] == (OTHER, OTHER, None)
    assert len({colour for colour, _ in strip.keys}) == 9


def test_sheet_strips_keep_a_class_called_other_apart() -> None:
    values = [*"aabbccddeeffgg", "other", "other", "i", "j", ""]
    (strip,) = sheet_strips(sheet_of(*values), WORDS)
    assert {"other (2)", "other values (2)"} <= {text for _, text in strip.keys}


def test_heatmap_has_a_line_for_response_and_the_table_its_values(
    make_profile: Callable[..., EscapeProfile],
) -> None:
    metadata = [{"response": "R", "site": "lung"}, {"response": "NR", "site": "lung"}, {"site": "lung"}]
    profiles = [make_profile(f"S{at}", metadata=row) for at, row in enumerate(metadata)]
    html = render_cohort(profiles)
    assert lines_of(html)[:3] == ["Response", "Status", "Phenotype"]
    assert re.findall(r'<td class="sheet"[^>]*>(.*?)</td>', html) == ["Response: R", "Response: NR", ""]
    assert "Site: lung" not in html
    assert "Response: <span" in html
    assert re.findall(r'<i style="background:(#\w+)"></i> R \(1\)', html) == [COLOURS[0]]


def lines_of(html: str) -> list[str]:
    """Labels of the lines of the picture, from the top."""
    found: list[str] = re.findall(r'<span title="(.*?)">\1</span>', html)
    return found


def test_page_without_labels_has_neither_line_nor_column(make_profile: Callable[..., EscapeProfile]) -> None:
    html = render_cohort([make_profile("S1"), make_profile("S2")])
    assert 'class="sheet"' not in html
    assert lines_of(html)[:2] == ["Status", "Phenotype"]
