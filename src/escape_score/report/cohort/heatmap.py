"""The picture of mechanisms × samples: colour says the score, texture the call.

Lines above name a class of each sample: every class has a shape and a colour of its own, so that it can be
read without colours in few columns and without shapes in many.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import groupby

from markupsafe import Markup

from escape_score.model.record import Archetype, Call, EscapeProfile, Phenotype, Status
from escape_score.report.drawing import drawing, png_uri
from escape_score.report.text.i18n import Language
from escape_score.report.text.numbers import format_count
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
CLASS_COLOURS = ("#1b7a3d", "#aa3377", "#b8a021", "#3aa6c9", INK)
"""One a shape; none of them is a colour of scores."""
_PALETTE = (*_SCALE, PAPER, "#8e9aa6", INK, "#17202a", *CLASS_COLOURS)
_CLASSES = tuple(_MARK + 1 + place for place in range(len(CLASS_COLOURS)))

_LINES = 6
"""Lines of pixels of a mechanism or strip: four of colour, two of marks."""

SHAPES = ("#####", "#.#.#", "...##", "##...", "..#..")
"""From top to bottom; the fullest first, for the class that a reader looks for."""
FULL, STRIPES, LOW = range(3)

_FIRST = {"R": 0, "MSI-H": 0, "NR": 1, "MSS": 1}
"""Classes that have a place of their own, so that pages of several cohorts look alike."""
_PAIR = (FULL, LOW)
_LEAST_SHARE = 0.5
_NUMBER = re.compile(r"(<?) ?(\d+(?:\.\d+)?)")

# the fullest shape for what a reader looks for
_STATUSES: dict[StrEnum, int] = {
    Status.REFERENCE_MATCHED: LOW,
    Status.COHORT_RELATIVE: LOW,
    Status.PROVISIONAL: STRIPES,
    Status.NOT_EVALUABLE: FULL,
}
_PHENOTYPES: dict[StrEnum, int] = {
    Phenotype.DESERT: LOW,
    Phenotype.EXCLUDED: STRIPES,
    Phenotype.INFLAMED: FULL,
}


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


@dataclass(frozen=True)
class Strip:
    """One line of the picture: its label, the shape of each sample (None = not known) and its legend.

    A key of the legend is a picture of a shape and the name of its class with the number of samples.
    """

    label: str
    shapes: tuple[int | None, ...]
    keys: tuple[tuple[Markup, str], ...]


@dataclass(frozen=True)
class Heatmap:
    """The picture and what is around it.

    ``blocks`` are neighbouring columns of one archetype, by its name and their number; ``order`` says which
    row of the table a column is.
    """

    picture: Markup
    height: int
    labels: tuple[str, ...]
    blocks: tuple[tuple[str, int], ...]
    order: str
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
    )


def heatmap_of(columns: Sequence[Column], titles: Sequence[str], words: Language) -> Heatmap | None:
    """Draw the mechanisms of all samples, by archetype and then by index; None where there is no sample.

    ``titles`` name the mechanisms in the order of the cells; a sample with others, of another version, is
    left out.
    """
    shown = [column for column in columns if len(column.cells) == len(titles)]
    if not shown or not titles:
        return None
    ordered = sorted(shown, key=_place)
    strips = _strips(ordered, words)
    paper = bytes([_PAPER] * len(ordered))
    lines = [
        line for strip in strips for line in (*map(bytes, shape_lines(strip.shapes, _CLASSES, _PAPER)), paper)
    ]
    lines += [bytes(_colour_of_index(column.index) for column in ordered)] * (_LINES - 1) + [paper]
    for place in range(len(titles)):
        lines += _mechanism([column.cells[place] for column in ordered])
    _ = words.gettext
    return Heatmap(
        picture=png_uri(lines, _PALETTE),
        height=LINE_HEIGHT * (len(titles) + len(strips) + 1),
        labels=(*(strip.label for strip in strips), _("Index"), *titles),
        blocks=tuple(
            (word_of(archetype, words), len(list(members)))
            for archetype, members in groupby(ordered, key=lambda column: column.archetype)
        ),
        order=" ".join(str(column.row) for column in ordered),
        legend=(
            _("Colour: score, from blue (−3 SD, little resistance) through white to orange (+3 SD)."),
            _("Line under a cell: dark = detected, grey = borderline. Grey stripes: not evaluable."),
        ),
        strips=strips,
        scale=colour_scale(words),
    )


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
        _known_strip(_("Status"), [column.status for column in columns], _STATUSES, words),
        _known_strip(_("Phenotype"), [column.phenotype for column in columns], _PHENOTYPES, words),
    )


def _known_strip(
    label: str, values: Sequence[StrEnum | None], shapes: Mapping[StrEnum, int], words: Language
) -> Strip:
    """Draw a class of the record."""
    names = {value: word_of(value, words) for value in shapes}
    shown = {names[value]: shape for value, shape in shapes.items()}
    return class_strip(label, ["" if value is None else names[value] for value in values], shown, words)


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


def class_strip(label: str, names: Sequence[str], shapes: Mapping[str, int], words: Language) -> Strip:
    """Draw a class of each sample whose classes are known beforehand.

    ``names`` has one class a sample, empty where there is none; ``shapes`` the place of each class's shape in
    :data:`SHAPES`, in the order of the legend, which names only classes that occur.
    """
    counts = Counter(names)
    keys = (
        (_picture_of(shape), f"{name} ({format_count(counts[name], words)})")
        for name, shape in shapes.items()
        if counts[name]
    )
    return Strip(label, tuple(shapes.get(name) for name in names), tuple(keys))


def _picture_of(shape: int) -> Markup:
    lines = shape_lines([shape], range(1, len(CLASS_COLOURS) + 1), paper=0)
    return png_uri([bytes(line) for line in lines], [PAPER, *CLASS_COLOURS])


def sheet_strips(rows: Sequence[Mapping[str, str]], words: Language) -> tuple[Strip, ...]:
    """Draw what the sample sheet says, where samples differ; a row is value by the label of its column.

    A column with one value only is left out; of one with many the rarest share a shape, and it is left out
    where they are most samples.
    """
    labels = dict.fromkeys(label for row in rows for label in row)
    found = (_sheet_strip(label, [row.get(label, "") for row in rows], words) for label in labels)
    return tuple(strip for strip in found if strip is not None)


def shape_lines(shapes: Sequence[int | None], inks: Sequence[int], paper: int) -> list[list[int]]:
    """Five lines of pixels, one pixel a sample, with the palette's ink of each shape and paper."""
    return [
        [inks[shape] if shape is not None and SHAPES[shape][line] == "#" else paper for shape in shapes]
        for line in range(len(SHAPES))
    ]


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


def _sheet_strip(label: str, values: list[str], words: Language) -> Strip | None:
    counts = Counter(value for value in values if value)
    if len(counts) < 2:  # noqa: PLR2004
        return None
    named = sorted(counts, key=_place_of_class)
    if len(counts) > len(SHAPES):
        frequent = {value for value, _ in counts.most_common(len(SHAPES) - 1)}
        if sum(counts[value] for value in frequent) < _LEAST_SHARE * counts.total():
            return None
        other = words.gettext("other values")
        named = [*(value for value in named if value in frequent), other]
        values = [value if value in frequent or not value else other for value in values]
    places = _PAIR if len(named) == len(_PAIR) else range(len(named))
    return class_strip(label, values, dict(zip(named, places, strict=True)), words)


def _place_of_class(value: str) -> tuple[int, float, str]:
    """Known classes first, then the highest number in a name, as of a share or a day; then by name."""
    number = _NUMBER.search(value)
    size = 0.0 if number is None else float(number[2]) - 0.5 * len(number[1])
    return _FIRST.get(value, 0), -size, value
