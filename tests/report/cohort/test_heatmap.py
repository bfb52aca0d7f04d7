from __future__ import annotations

import base64
import io
from collections.abc import Callable

import pytest
from PIL import Image

from escape_score.model.record import Archetype, Call, EscapeProfile, Phenotype, Status
from escape_score.model.record_statistics import Clustering, Merge
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
    heatmap = heatmap_of(columns, {"a": "A"}, WORDS)
    assert heatmap is not None
    assert heatmap.orders[0].order == "4 3 1 2 0"
    assert list(heatmap.orders[0].blocks) == [
        ("antigen-presentation-deficient", 1),
        ("desert", 3),
        ("not evaluable", 1),
    ]


def test_heatmap_tells_calls_without_colour() -> None:
    same_score = [column(row, 1.0, call) for row, call in enumerate(Call)]
    heatmap = heatmap_of(same_score, {"a": "A"}, WORDS)
    assert heatmap is not None
    image = pixels(heatmap.orders[0].picture)
    strips = 3 * 6
    lightness = image.convert("L")
    n_calls = len(Call)
    textures = {tuple(lightness.getpixel((x, strips + y)) for y in range(6)) for x in range(n_calls)}
    assert len(textures) == n_calls


def test_heatmap_marks_no_call_of_what_only_describes() -> None:
    heatmap = heatmap_of([Column(0, None, None, Status.PROVISIONAL, 1.0, ((2.0, None),))], {"a": "A"}, WORDS)
    assert heatmap is not None
    image = pixels(heatmap.orders[0].picture)
    assert len({image.getpixel((0, 2 * 6 + y)) for y in range(5)}) == 1


@pytest.mark.parametrize("columns", [[], [Column(0, None, None, Status.PROVISIONAL, None, ())]])
def test_heatmap_of_nothing_is_none(columns: list[Column]) -> None:
    assert heatmap_of(columns, {"a": "A"}, WORDS) is None


def clustered(**changes: object) -> Clustering:
    fields = {
        "axes": ("b", "a"),
        "sample_ids": ("S2", "S0", "S1"),
        "n_unplaced": 0,
        "n_missing": 1,
        "axis_tree": (Merge(first=0, second=1, height=0.5),),
        "sample_tree": (Merge(first=0, second=1, height=1.0), Merge(first=3, second=2, height=2.0)),
    }
    return Clustering.model_validate(fields | changes)


THREE = [
    Column(
        row,
        Archetype.DESERT,
        None,
        Status.PROVISIONAL,
        10.0 * row,
        ((3.0, Call.DETECTED), (-3.0, Call.NOT_DETECTED)),
        sample_id=f"S{row}",
    )
    for row in range(3)
]


def test_heatmap_has_a_second_order_by_clusters() -> None:
    heatmap = heatmap_of(THREE, {"a": "A", "b": "B"}, WORDS, clustered())
    assert heatmap is not None
    first, second = heatmap.orders
    assert (first.order, second.order) == ("2 1 0", "2 0 1")
    assert (first.labels[-2:], second.labels[-2:]) == (("A", "B"), ("B", "A"))
    strips = 3 * 6  # status, archetype and index
    shown = [pixels(one.picture) for one in (first, second)]
    assert shown[1].size[1] == strips + 6 + 2 * 6
    top = shown[1].getpixel((0, shown[1].size[1] - 12))
    assert (
        top == shown[0].getpixel((0, shown[0].size[1] - 6)) != shown[0].getpixel((0, shown[0].size[1] - 12))
    )
    assert "1 of 6 scores are not evaluable" in heatmap.legend[-1]


def test_tree_is_drawn_where_all_its_samples_are_shown() -> None:
    whole = heatmap_of(THREE, {"a": "A", "b": "B"}, WORDS, clustered())
    partly = heatmap_of(THREE[:2], {"a": "A", "b": "B"}, WORDS, clustered())
    assert whole is not None
    assert partly is not None
    assert whole.orders[1].tree.count("<path") == 1
    assert "M5 100V50H15V100M10 50V0H25V100" in whole.orders[1].tree
    assert "M0 5H100V15H0" in whole.orders[1].side_tree
    assert (partly.orders[1].order, partly.orders[1].tree) == ("0 1", "")


def test_clusters_of_other_mechanisms_are_left_out() -> None:
    heatmap = heatmap_of(THREE, {"a": "A", "c": "C"}, WORDS, clustered())
    assert heatmap is not None
    assert [one.name for one in heatmap.orders] == ["heatmap"]


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
