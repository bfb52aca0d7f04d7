"""Classes of samples as coloured lines of the heatmap: those of the sample sheet and of the record."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from escape_score.model.record import Archetype, Phenotype, Status
from escape_score.report.text.i18n import Language
from escape_score.report.text.numbers import format_count
from escape_score.report.text.wording import word_of

# Distinct with any colour vision, which a test measures; the last is for all other classes.
COLOURS = (
    "#332288", "#ddcc77", "#56b4e9", "#d55e00", "#882255", "#f0e442", "#000000", "#661100", "#aaaaaa",
)  # fmt: skip
"""One a class."""
OTHER = len(COLOURS) - 1
_FIRST = {"R": 0, "MSI-H": 0, "NR": 1, "MSS": 1}
"""Classes that have a place of their own, so that pages of several cohorts look alike."""
_LEAST_SHARE = 0.5
_NUMBER = re.compile(r"(<?) ?(\d+(?:\.\d+)?)")

STATUSES: dict[StrEnum, int] = {
    Status.REFERENCE_MATCHED: 2,
    Status.COHORT_RELATIVE: 0,
    Status.PROVISIONAL: 1,
    Status.NOT_EVALUABLE: OTHER,
}
# the same word has the same colour as phenotype and as archetype
PHENOTYPES: dict[StrEnum, int] = {Phenotype.DESERT: 1, Phenotype.EXCLUDED: 2, Phenotype.INFLAMED: 3}
ARCHETYPES: dict[StrEnum, int] = {
    Archetype.ANTIGEN_PRESENTATION_DEFICIENT: 0,
    Archetype.DESERT: 1,
    Archetype.EXCLUDED: 2,
    Archetype.SUPPRESSIVE: 4,
    Archetype.EXHAUSTED: 6,
    Archetype.INFLAMED: 3,
}


@dataclass(frozen=True)
class Strip:
    """One line of the picture: its label, the colour of each sample (None = not known) and its legend.

    A key of the legend is a colour and the name of its class with the number of samples.
    """

    label: str
    colours: tuple[int | None, ...]
    keys: tuple[tuple[str, str], ...]


def known_strip(
    label: str, values: Sequence[StrEnum | None], colours: Mapping[StrEnum, int], words: Language
) -> Strip:
    """Colour a class of the record."""
    names = {value: word_of(value, words) for value in colours}
    shown = {names[value]: colour for value, colour in colours.items()}
    return class_strip(label, ["" if value is None else names[value] for value in values], shown, words)


def class_strip(label: str, names: Sequence[str], colours: Mapping[str, int], words: Language) -> Strip:
    """Colour a class of each sample whose classes are known beforehand.

    ``names`` has one class a sample, empty where there is none; ``colours`` the place of each class in
    :data:`COLOURS`, in the order of the legend, which names only classes that occur.
    """
    counts = Counter(names)
    keys = (
        (COLOURS[colour], f"{name} ({format_count(counts[name], words)})")
        for name, colour in colours.items()
        if counts[name]
    )
    return Strip(label, tuple(colours.get(name) for name in names), tuple(keys))


def sheet_strips(rows: Sequence[Mapping[str, str]], words: Language) -> tuple[Strip, ...]:
    """Colour what the sample sheet says, where samples differ; a row is value by the label of its column.

    A column with one value only is left out. Of one with more than eight the rarest share a colour, and it
    is left out where they are most samples.
    """
    labels = dict.fromkeys(label for row in rows for label in row)
    found = (_sheet_strip(label, [row.get(label, "") for row in rows], words) for label in labels)
    return tuple(strip for strip in found if strip is not None)


def _sheet_strip(label: str, values: list[str], words: Language) -> Strip | None:
    counts = Counter(value for value in values if value)
    if len(counts) < 2:  # noqa: PLR2004
        return None
    frequent = {value for value, _ in counts.most_common(OTHER)}
    colours = {value: at for at, value in enumerate(sorted(frequent, key=_place_of_class))}
    if len(counts) > OTHER:
        if sum(counts[value] for value in frequent) < _LEAST_SHARE * counts.total():
            return None
        other = words.gettext("other values")
        values = [value if value in frequent or not value else other for value in values]
        colours[other] = OTHER
    return class_strip(label, values, colours, words)


def _place_of_class(value: str) -> tuple[int, float, str]:
    """Known classes first, then the highest number in a name, as of a share or a day; then by name."""
    number = _NUMBER.search(value)
    size = 0.0 if number is None else float(number[2]) - 0.5 * len(number[1])
    return _FIRST.get(value, 0), -size, value
