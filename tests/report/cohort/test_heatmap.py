from __future__ import annotations

import base64
import io
from collections.abc import Callable

import pytest
from PIL import Image

from escape_score.model.record import Archetype, Call, EscapeProfile, Phenotype, Status
from escape_score.report.cohort.heatmap import Column, column_of, heatmap_of
from escape_score.report.drawing import distribution, png_uri
from escape_score.report.text.i18n import translations

WORDS = translations("en")


def pixels(uri: str) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(uri.partition(",")[2]))).convert("RGB")


def column(
    row: int, score: float | None, call: Call, *, archetype: Archetype | None = Archetype.DESERT
) -> Column:
    return Column(row, archetype, Phenotype.DESERT, Status.PROVISIONAL, score, ((score, call),))


def test_png_uri_is_a_picture_of_the_lines() -> None:
    image = pixels(png_uri([b"\0\1", b"\1\0", b"\1\1"], ["#ff0000", "#0000ff"]))
    assert image.size == (2, 3)
    assert [image.getpixel((x, 0)) for x in (0, 1)] == [(255, 0, 0), (0, 0, 255)]


def test_heatmap_puts_samples_by_archetype_and_index() -> None:
    columns = [
        column(0, 10.0, Call.DETECTED, archetype=None),
        column(1, 20.0, Call.DETECTED),
        column(2, None, Call.NOT_EVALUABLE),
        column(3, 30.0, Call.DETECTED),
        column(4, 5.0, Call.DETECTED, archetype=Archetype.ANTIGEN_PRESENTATION_DEFICIENT),
    ]
    heatmap = heatmap_of(columns, ["A"], WORDS)
    assert heatmap is not None
    assert heatmap.order == "4 3 1 2 0"
    assert list(heatmap.blocks) == [
        ("antigen-presentation-deficient", 1),
        ("desert", 3),
        ("not evaluable", 1),
    ]


def test_heatmap_tells_calls_without_colour() -> None:
    same_score = [column(row, 1.0, call) for row, call in enumerate(Call)]
    heatmap = heatmap_of(same_score, ["A"], WORDS)
    assert heatmap is not None
    image = pixels(heatmap.picture)
    strips = 3 * 6
    lightness = image.convert("L")
    n_calls = len(Call)
    textures = {tuple(lightness.getpixel((x, strips + y)) for y in range(6)) for x in range(n_calls)}
    assert len(textures) == n_calls


def test_heatmap_marks_no_call_of_what_only_describes() -> None:
    heatmap = heatmap_of([Column(0, None, None, Status.PROVISIONAL, 1.0, ((2.0, None),))], ["A"], WORDS)
    assert heatmap is not None
    image = pixels(heatmap.picture)
    assert len({image.getpixel((0, 2 * 6 + y)) for y in range(5)}) == 1


@pytest.mark.parametrize("columns", [[], [Column(0, None, None, Status.PROVISIONAL, None, ())]])
def test_heatmap_of_nothing_is_none(columns: list[Column]) -> None:
    assert heatmap_of(columns, ["A"], WORDS) is None


def test_column_of_keeps_score_and_call(make_profile: Callable[..., EscapeProfile]) -> None:
    profile = make_profile()
    kept = column_of(profile, 7, {"Response": "R"})
    assert (kept.row, kept.sheet) == (7, {"Response": "R"})
    assert kept.cells[0] == (profile.axes[0].score, profile.axes[0].call)


def test_distribution_counts_what_lies_beyond_at_the_edge() -> None:
    drawing = distribution([-99.0, 0.1, 99.0], None, alternative="<a>")
    assert drawing.count("V26z") == 3
    assert 'aria-label="&lt;a&gt;"' in drawing
    assert distribution([], None, alternative="") == ""


def test_distribution_draws_the_reference() -> None:
    drawing = distribution([0.0], (-2.0, -1.0, 0.0, 1.0, 2.0), alternative="a")
    assert drawing.count("<rect") == 2
