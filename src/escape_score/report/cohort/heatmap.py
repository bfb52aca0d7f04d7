"""The picture of mechanisms × samples: colour says the score, texture the call.

Coloured lines above name classes of each sample. The same picture is there in two orders: by archetype and
index, and by clusters where the statistics of the cohort have them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from markupsafe import Markup

from escape_score.model.record import Archetype, Call, EscapeProfile, Phenotype, Status
from escape_score.model.record_statistics import Clustering
from escape_score.report.cohort.strips import (
    ARCHETYPES,
    COLOURS,
    PHENOTYPES,
    STATUSES,
    Strip,
    known_strip,
    sheet_strips,
)
from escape_score.report.cohort.tree import tree_drawing
from escape_score.report.drawing import drawing, png_uri
from escape_score.report.text.i18n import Language
from escape_score.report.text.numbers import format_count
from escape_score.report.text.visible import visible_text
from escape_score.report.text.wording import word_of

INK, PAPER = "#46525e", "#ffffff"

LINE_HEIGHT = 18
"""Height of a line of the picture on the page, in pixels, as of its label."""

COLOUR_LIMIT = 3.0
"""Scores beyond ±3 reference SD have the colour of ±3."""

# Blue to orange through white, distinct with any colour vision; then paper, stripes, ink and marks.
_SCALE = (
    "#2c5f9e", "#5583b8", "#83a7cf", "#b3cbe3", "#dfe8f1", "#f7f7f7",
    "#fbe3cc", "#f5c493", "#e69b50", "#c9721d", "#9a4d05",
)  # fmt: skip
_PAPER, _MIDDLE, _INK, _MARK = (len(_SCALE) + place for place in range(4))
_PALETTE = (*_SCALE, PAPER, "#8e9aa6", INK, "#17202a", *COLOURS)
_FIRST_CLASS = _MARK + 1

_LINES = 6
"""Lines of pixels of a mechanism or strip: four of colour, two of marks."""


@dataclass(frozen=True)
class Column:
    """What the picture needs of one sample.

    ``row`` is its place in the table of samples, ``sheet`` what the sample sheet says, by label.
    """

    row: int
    archetype: Archetype | None
    phenotype: Phenotype | None
    status: Status
    index: float | None
    cells: tuple[tuple[float | None, Call | None], ...]
    sheet: Mapping[str, str] = field(default_factory=dict)
    sample_id: str = ""


@dataclass(frozen=True)
class Order:
    """The picture in one order.

    ``name`` is its id on the page, ``label`` what a reader chooses. ``blocks`` are neighbouring columns of
    one archetype, by its name and their number; ``order`` says which row of the table a column is.
    ``side_start`` is where the first mechanism is, in pixels. Trees are empty where there are none.
    """

    name: str
    label: str
    picture: Markup
    height: int
    labels: tuple[str, ...]
    blocks: tuple[tuple[str, int], ...]
    order: str
    tree: Markup = Markup()  # noqa: RUF009 - a text, and texts do not change
    side_tree: Markup = Markup()  # noqa: RUF009
    side_start: int = 0


@dataclass(frozen=True)
class Heatmap:
    """The picture in its orders and what is around it."""

    orders: tuple[Order, ...]
    legend: tuple[str, ...]
    strips: tuple[Strip, ...]
    scale: Markup


def column_of(profile: EscapeProfile, row: int, sheet: Mapping[str, str]) -> Column:
    """Keep of a profile what the picture needs, beside what its sample sheet says."""
    return Column(
        row=row,
        archetype=profile.archetype,
        phenotype=profile.phenotype,
        status=profile.status,
        index=profile.index.score,
        cells=tuple((axis.score, axis.call) for axis in profile.axes),
        sheet=sheet,
        sample_id=profile.sample_id,
    )


def heatmap_of(
    columns: Sequence[Column],
    titles: Mapping[str, str],
    words: Language,
    clustering: Clustering | None = None,
) -> Heatmap | None:
    """Draw the mechanisms of all samples in every order that there is; None where there is no sample.

    ``titles`` name the mechanisms in the order of the cells; a sample with others, of another version, is
    left out.
    """
    shown = [column for column in columns if len(column.cells) == len(titles)]
    if not shown or not titles:
        return None
    ordered = sorted(shown, key=_place)
    strips = _strips(ordered, words)
    lines = [_mechanism([column.cells[at] for column in ordered]) for at in range(len(titles))]
    orders = [_by_archetype(ordered, titles, strips, lines, words)]
    if clustering is not None and set(clustering.axes) == set(titles):
        orders.append(_by_clusters(ordered, titles, lines, clustering, words))
    _ = words.gettext
    return Heatmap(
        orders=tuple(orders),
        legend=(
            _("Colour: score, from blue (−3 SD, little resistance) through white to orange (+3 SD)."),
            _("Line under a cell: dark = detected, grey = borderline. Grey stripes: not evaluable."),
            *((_said_of(clustering, len(titles), words),) if clustering and len(orders) > 1 else ()),
        ),
        strips=strips if len(orders) == 1 else (*strips, _archetypes(ordered, words)),
        scale=colour_scale(words),
    )


def _by_archetype(
    ordered: Sequence[Column],
    titles: Mapping[str, str],
    strips: Sequence[Strip],
    lines: Sequence[list[bytes]],
    words: Language,
) -> Order:
    _ = words.gettext
    return Order(
        name="heatmap",
        label=_("by archetype and index"),
        picture=_picture(ordered, strips, lines),
        height=LINE_HEIGHT * (len(titles) + len(strips) + 1),
        labels=(*(strip.label for strip in strips), _("Index"), *titles.values()),
        blocks=tuple(
            (word_of(archetype, words), len(list(members)))
            for archetype, members in groupby(ordered, key=lambda column: column.archetype)
        ),
        order=" ".join(str(column.row) for column in ordered),
    )


def _by_clusters(
    columns: Sequence[Column],
    titles: Mapping[str, str],
    lines: Sequence[list[bytes]],
    clustering: Clustering,
    words: Language,
) -> Order:
    """Neighbours are alike; samples that were not clustered are last. ``lines`` are those of the columns."""
    _ = words.gettext
    place = {visible_text(sample_id): at for at, sample_id in enumerate(clustering.sample_ids)}
    moves = sorted(range(len(columns)), key=lambda at: place.get(columns[at].sample_id, len(place)))
    ordered = [columns[at] for at in moves]
    strips = (*_strips(ordered, words), _archetypes(ordered, words))
    moved = {
        axis: [bytes(map(line.__getitem__, moves)) for line in own]
        for axis, own in zip(titles, lines, strict=True)
    }
    # a tree fits only where every sample of it is shown
    is_whole = [one.sample_id for one in ordered] == list(place) and not clustering.n_unplaced
    tree = clustering.sample_tree if is_whole else ()
    return Order(
        name="clusters",
        label=_("by similarity (clusters)"),
        picture=_picture(ordered, strips, [moved[axis] for axis in clustering.axes]),
        height=LINE_HEIGHT * (len(titles) + len(strips) + 1),
        labels=(*(strip.label for strip in strips), _("Index"), *(titles[axis] for axis in clustering.axes)),
        blocks=(),
        order=" ".join(str(column.row) for column in ordered),
        tree=tree_drawing(tree, said=_("Tree of the samples"), is_upright=True),
        side_tree=tree_drawing(clustering.axis_tree, said=_("Tree of the mechanisms"), is_upright=False),
        side_start=LINE_HEIGHT * (len(strips) + 1),
    )


def _said_of(clustering: Clustering, n_axes: int, words: Language) -> str:
    """How the clusters were made, and what was done about missing scores."""
    n = (len(clustering.sample_ids) - clustering.n_unplaced) * n_axes
    said = words.gettext(
        "Clusters: average linkage. Samples by Euclidean distance over the mechanisms that are evaluable in "
        "both; {n_missing} of {n} scores are not evaluable. Mechanisms by 1 − Spearman correlation."
    ).format(n_missing=format_count(clustering.n_missing, words), n=format_count(n, words))
    if not clustering.n_unplaced:
        return said
    last = words.ngettext(
        "{n} sample without any score is last.",
        "{n} samples without any score are last.",
        clustering.n_unplaced,
    )
    return f"{said} {last.format(n=format_count(clustering.n_unplaced, words))}"


def _picture(ordered: Sequence[Column], strips: Sequence[Strip], mechanisms: Sequence[list[bytes]]) -> Markup:
    """Draw strips, the index and the lines of the mechanisms, one column of pixels a sample."""
    paper = bytes([_PAPER] * len(ordered))
    lines = []
    for strip in strips:
        classes = bytes(_PAPER if one is None else _FIRST_CLASS + one for one in strip.colours)
        lines += [classes] * (_LINES - 1) + [paper]
    lines += [bytes(_colour_of_index(column.index) for column in ordered)] * (_LINES - 1) + [paper]
    lines += [line for own in mechanisms for line in own]
    return png_uri(lines, _PALETTE)


def _place(column: Column) -> tuple[int, bool, float]:
    """Archetypes in the order of the record, those without one last; the highest index first."""
    order = list(Archetype)
    rank = order.index(column.archetype) if column.archetype is not None else len(order)
    return rank, column.index is None, -(column.index or 0.0)


def _strips(columns: Sequence[Column], words: Language) -> tuple[Strip, ...]:
    """What the sheet says, then status and phenotype: what is known, above what RNA says."""
    _ = words.gettext
    return (
        *sheet_strips([column.sheet for column in columns], words),
        known_strip(_("Status"), [column.status for column in columns], STATUSES, words),
        known_strip(_("Phenotype"), [column.phenotype for column in columns], PHENOTYPES, words),
    )


def _archetypes(columns: Sequence[Column], words: Language) -> Strip:
    """The class that orders the other picture."""
    return known_strip(words.gettext("Archetype"), [one.archetype for one in columns], ARCHETYPES, words)


def _mechanism(cells: list[tuple[float | None, Call | None]]) -> list[bytes]:
    fill = [_colour_of(score) for score, _ in cells]
    stripe = [
        _MIDDLE if call is Call.NOT_EVALUABLE else colour
        for (_, call), colour in zip(cells, fill, strict=True)
    ]
    marks = {Call.DETECTED: _MARK, Call.BORDERLINE: _MIDDLE, Call.NOT_EVALUABLE: _PAPER}
    mark = [
        colour if call is None else marks.get(call, colour)
        for (_, call), colour in zip(cells, fill, strict=True)
    ]
    return [bytes(fill), bytes(stripe), bytes(fill), bytes(stripe), bytes(mark), bytes([_PAPER] * len(cells))]


def _colour_of(score: float | None) -> int:
    if score is None:
        return _PAPER
    middle = len(_SCALE) // 2
    return middle + round(min(max(score, -COLOUR_LIMIT), COLOUR_LIMIT) / COLOUR_LIMIT * middle)


def _colour_of_index(index: float | None) -> int:
    return _colour_of(None if index is None else (index - 50) / 50 * COLOUR_LIMIT)


def colour_scale(words: Language) -> Markup:
    """Draw the colours of scores with the numbers at their ends and middle."""
    width, limit = 22, f"{COLOUR_LIMIT:g}"
    total = width * len(_SCALE)
    parts = [
        Markup(f'<rect x="{8 + width * at}" y="2" width="{width}" height="12" fill="{colour}"/>')
        for at, colour in enumerate(_SCALE)
    ]
    ends = (
        (0.5, f"≤ −{limit}", "start"),
        (len(_SCALE) / 2, "0", "middle"),
        (len(_SCALE) - 0.5, f"≥ +{limit}", "end"),
    )
    for at, said, anchor in ends:
        x = {"start": 8.0, "middle": 8 + width * at, "end": 8.0 + total}[anchor]
        parts.append(Markup(f'<text class="tick" x="{x:.0f}" y="27" text-anchor="{anchor}">{said}</text>'))
    unit = words.gettext("SD of the reference")
    parts.append(Markup('<text x="{}" y="13">{}</text>').format(total + 16, unit))
    said = words.gettext("Colour scale from −3 to +3 SD of the reference")
    return drawing("scale", total + 180, 30, said, tuple(parts))
