"""Lines of the heatmap that name a class of each sample: every class has a shape of its own, not a colour."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from escape_score.report.drawing.png import png_uri
from escape_score.report.text.i18n import Language
from escape_score.report.text.numbers import format_count

INK, PAPER = "#46525e", "#ffffff"

SHAPES = ("#####", "#.#.#", "...##", "##...", "..#..")
"""From top to bottom; the fullest first, for the class that a reader looks for."""
FULL, STRIPES, LOW = range(3)

_FIRST = {"R": 0, "MSI-H": 0, "NR": 1, "MSS": 1}
"""Classes that have a place of their own, so that pages of several cohorts look alike."""
_PAIR = (FULL, LOW)
_LEAST_SHARE = 0.5
_NUMBER = re.compile(r"(<?) ?(\d+(?:\.\d+)?)")


@dataclass(frozen=True)
class StripKey:
    """One class in the legend: a picture of its shape and its name with the number of samples."""

    picture: Markup
    text: str


@dataclass(frozen=True)
class Strip:
    """One line of the picture: its label, the shape of each sample (None = not known) and its legend."""

    label: str
    shapes: tuple[int | None, ...]
    keys: tuple[StripKey, ...]


def class_strip(label: str, names: Sequence[str], shapes: Mapping[str, int], words: Language) -> Strip:
    """Draw a class of each sample whose classes are known beforehand.

    Parameters
    ----------
    label
        Of the line.
    names
        One for each sample, empty where there is none.
    shapes
        Place of each class's shape in :data:`SHAPES`, in the order of the legend.
    words
        Translations of the page.

    Returns
    -------
    Strip
        Its legend names only classes that occur.
    """
    counts = Counter(names)
    keys = (
        _key(shape, f"{name} ({format_count(counts[name], words)})")
        for name, shape in shapes.items()
        if counts[name]
    )
    return Strip(label, tuple(shapes.get(name) for name in names), tuple(keys))


def sheet_strips(rows: Sequence[Mapping[str, str]], words: Language) -> tuple[Strip, ...]:
    """Draw what the sample sheet says, where it tells samples apart.

    Parameters
    ----------
    rows
        One for each sample: value by the label of its column.
    words
        Translations of the page.

    Returns
    -------
    tuple of Strip
        In the order of the labels. A column with one value only is left out; of one with many the rarest
        share a shape, and it is left out where they are most samples.
    """
    labels = dict.fromkeys(label for row in rows for label in row)
    found = (_sheet_strip(label, [row.get(label, "") for row in rows], words) for label in labels)
    return tuple(strip for strip in found if strip is not None)


def shape_lines(shapes: Sequence[int | None], ink: int, paper: int) -> list[list[int]]:
    """Five lines of pixels, one pixel a sample, with the palette's ink and paper."""
    drawn = [SHAPES[shape] if shape is not None else "." * len(SHAPES) for shape in shapes]
    return [[ink if shape[line] == "#" else paper for shape in drawn] for line in range(len(SHAPES))]


def _sheet_strip(label: str, values: list[str], words: Language) -> Strip | None:
    counts = Counter(value for value in values if value)
    if len(counts) < 2:  # noqa: PLR2004
        return None
    named = sorted(counts, key=_place)
    if len(counts) > len(SHAPES):
        frequent = {value for value, _ in counts.most_common(len(SHAPES) - 1)}
        if sum(counts[value] for value in frequent) < _LEAST_SHARE * counts.total():
            return None
        other = words.gettext("other values")
        named = [*(value for value in named if value in frequent), other]
        values = [value if value in frequent or not value else other for value in values]
    places = _PAIR if len(named) == len(_PAIR) else range(len(named))
    return class_strip(label, values, dict(zip(named, places, strict=True)), words)


def _place(value: str) -> tuple[int, float, str]:
    """Known classes first, then the highest number in a name, as of a share or a day; then by name."""
    number = _NUMBER.search(value)
    size = 0.0 if number is None else float(number[2]) - 0.5 * len(number[1])
    return _FIRST.get(value, 0), -size, value


def _key(shape: int, text: str) -> StripKey:
    lines = [bytes(line) for line in shape_lines([shape], ink=1, paper=0)]
    return StripKey(png_uri(lines, [PAPER, INK]), text)
