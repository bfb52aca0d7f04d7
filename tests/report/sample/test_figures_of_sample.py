"""Figures of a sample's page: what they draw is in the box and in the record."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from escape_score.model.record import Call, ComponentLevel, EscapeProfile, TargetLevel
from escape_score.report import render_sample
from escape_score.report.drawing import ZLine, gene_strip, portrait_axis, portrait_line, z_line
from escape_score.report.sample.figures import genes_drawing, portrait
from escape_score.report.text.i18n import translations

WORDS = translations("en")
ProfileFactory = Callable[..., EscapeProfile]
LEVELS = {
    "composition": (
        ComponentLevel(component="tcell", title="T cells", z=-1.25),
        ComponentLevel(component="tam", title="Macrophages", z=None),
    ),
    "targets": (TargetLevel(gene_symbol="CD274", name="PD-L1", z=2.35, log2_tpm=4.2),),
}


def drawings(html: str) -> Iterator[tuple[float, float, list[tuple[float, float]]]]:
    """Width and height of each drawing, and the ends of what it draws."""
    for size, content in re.findall(r'<svg[^>]*viewBox="0 0 ([\d. ]+)"[^>]*>(.*?)</svg>', html, re.DOTALL):
        width, height = map(float, size.split())
        places = [(float(x), float(y)) for x, y in re.findall(r'cx="([-\d.]+)" cy="([-\d.]+)"', content)]
        for x, y, way, end in re.findall(r"M([-\d.]+) ([-\d.]+)([HV])([-\d.]+)", content):
            places += [(float(x), float(y)), (float(end), float(y)) if way == "H" else (float(x), float(end))]
        places += [(float(x), float(y)) for x, y in re.findall(r'<text x="([-\d.]+)" y="([-\d.]+)"', content)]
        yield width, height, places


def test_every_place_of_a_drawing_is_in_its_box(make_profile: ProfileFactory) -> None:
    profile = make_profile(**LEVELS)
    axes = tuple(
        axis.model_copy(
            update={
                "score": None if axis.score is None else 9.0 * axis.score,
                "reference_quantiles": (-9.0, -1.0, 0.0, 1.0, 9.0),
            }
        )
        for axis in profile.axes
    )
    found = list(drawings(render_sample(profile.model_copy(update={"axes": axes}))))
    assert len(found) > len(axes)
    for width, height, places in found:
        assert places
        assert all(0 <= x <= width and 0 <= y <= height for x, y in places)


def test_portrait_has_every_mechanism_once_by_family(make_profile: ProfileFactory) -> None:
    profile = make_profile()
    families = portrait(profile, WORDS)
    assert [family.title for family in families] == list(dict.fromkeys(axis.group for axis in profile.axes))
    assert sorted(row.title for family in families for row in family.rows) == sorted(
        axis.title for axis in profile.axes
    )


def test_line_of_what_is_not_evaluable_is_empty(make_profile: ProfileFactory) -> None:
    profile = make_profile()
    rows = {row.title: row for family in portrait(profile, WORDS) for row in family.rows}
    for axis in profile.axes:
        is_empty = axis.call is Call.NOT_EVALUABLE or axis.score is None
        assert ("<circle" in rows[axis.title].line) is not is_empty
        assert ('aria-label="not evaluable"' in rows[axis.title].line) is is_empty


def test_score_is_drawn_where_it_is(make_profile: ProfileFactory) -> None:
    axis = make_profile().axes[3]

    def place(score: float) -> float:
        found = re.search(r'cx="([\d.]+)"', portrait_line(axis, score, None, alternative=""))
        assert found is not None
        return float(found[1])

    assert place(0.0) - place(-2.0) == place(2.0) - place(0.0) > 0
    assert place(4.0) == place(7.0)
    assert re.findall(r">(\S+)</text>", portrait_axis(alternative="")) == ["−4", "−2", "0", "+2", "+4"]


def test_genes_of_called_mechanisms_only_are_drawn(make_profile: ProfileFactory) -> None:
    for axis in make_profile().axes:
        is_drawn = axis.call in (Call.DETECTED, Call.BORDERLINE)
        drawn = genes_drawing(axis, WORDS)
        assert bool(drawn) is is_drawn
        assert all(gene.gene_symbol in drawn for gene in axis.evidence if is_drawn)


def test_denominator_is_apart_from_the_genes_of_the_score() -> None:
    drawn = gene_strip((ZLine("A", -5.0, "found"),), (ZLine("B", 5.0, "below"),), alternative="")
    rule = float(re.findall(r'class="track" d="M[\d.]+ ([\d.]+)H', drawn)[0])
    heights = dict(re.findall(r'class="dot (\w+)"><circle[^>]*cy="([\d.]+)"', drawn))
    assert float(heights["found"]) < rule < float(heights["below"])
    assert gene_strip((ZLine("A", 0.0, "found"),), (), alternative="").count('class="track"') == 0
    assert "&lt;b&gt;" in gene_strip((ZLine("<b>", 0.0, ""),), (), alternative="")


def test_levels_are_shown_with_their_words(make_profile: ProfileFactory) -> None:
    html = render_sample(make_profile(**LEVELS))
    for text in ("T cells", "−1.2", "PD-L1 <i", "+2.4", "Expression is not an indication."):
        assert text in html
    assert "Expression of drug targets" not in render_sample(make_profile())
    assert "<circle" not in z_line(None, alternative="")
