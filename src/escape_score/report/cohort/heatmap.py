"""The picture of mechanisms × samples: colour says the score, texture the call, shapes the classes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from markupsafe import Markup

from escape_score.model.record import Archetype, Call, EscapeProfile, Phenotype, Status
from escape_score.report.cohort.heatmap_strips import (
    FULL,
    INK,
    LOW,
    PAPER,
    STRIPES,
    Strip,
    class_strip,
    shape_lines,
    sheet_strips,
)
from escape_score.report.drawing.png import png_uri, stretched
from escape_score.report.text.i18n import Language
from escape_score.report.text.wording import archetype_word, phenotype_word, status_badge

LINE_HEIGHT = 18
"""Height of a line of the picture on the page, in pixels, as of its label."""

COLOUR_LIMIT = 3.0
"""Scores beyond ±3 reference SD have the colour of ±3."""

# Blue to orange through white, told apart with any colour vision; then paper, stripes, ink and marks.
_SCALE = (
    "#2c5f9e", "#5583b8", "#83a7cf", "#b3cbe3", "#dfe8f1", "#f7f7f7",
    "#fbe3cc", "#f5c493", "#e69b50", "#c9721d", "#9a4d05",
)  # fmt: skip
_PAPER, _MIDDLE, _INK, _MARK = (len(_SCALE) + place for place in range(4))
_PALETTE = (*_SCALE, PAPER, "#8e9aa6", INK, "#17202a")

_COLOUR_LINES, _MARK_LINES = 4, 2

# the fullest shape for what a reader looks for
_STATUSES = {Status.REFERENCE_MATCHED: LOW, Status.PROVISIONAL: STRIPES, Status.NOT_EVALUABLE: FULL}
_PHENOTYPES = {Phenotype.DESERT: LOW, Phenotype.EXCLUDED: STRIPES, Phenotype.INFLAMED: FULL}


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
    cells: tuple[tuple[float | None, Call], ...]
    sheet: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Block:
    """Neighbouring columns of one archetype."""

    label: str
    n_samples: int


@dataclass(frozen=True)
class Heatmap:
    """The picture and what stands around it; ``order`` says which row of the table a column is."""

    picture: Markup
    height: int
    labels: tuple[str, ...]
    blocks: tuple[Block, ...]
    order: str
    legend: tuple[str, ...]
    strips: tuple[Strip, ...]


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
    """Draw the mechanisms of all samples.

    Parameters
    ----------
    columns
        One for each sample, with as many cells as there are titles; a sample with other mechanisms, of
        another version, is left out.
    titles
        Mechanisms in the order of the cells, translated.
    words
        Translations of the page.

    Returns
    -------
    Heatmap or None
        Samples side by side, by archetype and then by index; None where there is no sample.
    """
    shown = [column for column in columns if len(column.cells) == len(titles)]
    if not shown or not titles:
        return None
    ordered = sorted(shown, key=_place)
    strips = _strips(ordered, words)
    lines = [line for strip in strips for line in _strip(strip)]
    lines += _index_line([_colour_of_index(column.index) for column in ordered])
    for place in range(len(titles)):
        lines += _mechanism([column.cells[place] for column in ordered])
    _ = words.gettext
    return Heatmap(
        picture=png_uri(lines, _PALETTE),
        height=LINE_HEIGHT * (len(titles) + len(strips) + 1),
        labels=(*(strip.label for strip in strips), _("Index"), *titles),
        blocks=tuple(
            Block(archetype_word(archetype, words), len(list(members)))
            for archetype, members in groupby(ordered, key=lambda column: column.archetype)
        ),
        order=" ".join(str(column.row) for column in ordered),
        legend=(
            _("Colour: score, from blue (−3 SD, little resistance) through white to orange (+3 SD)."),
            _("Dark line under a cell: detected. Grey stripes: not evaluable."),
        ),
        strips=strips,
    )


def _place(column: Column) -> tuple[int, bool, float]:
    """Archetypes in the order of the record, those without one last; the highest index first."""
    order = list(Archetype)
    rank = order.index(column.archetype) if column.archetype is not None else len(order)
    return rank, column.index is None, -(column.index or 0.0)


def _strips(columns: Sequence[Column], words: Language) -> tuple[Strip, ...]:
    """What the sheet says, then status and phenotype: what is known, above what RNA says."""
    _ = words.gettext
    status = {status: status_badge(status, words).word for status in _STATUSES}
    phenotype = {phenotype: phenotype_word(phenotype, words) for phenotype in _PHENOTYPES}
    return (
        *sheet_strips([column.sheet for column in columns], words),
        class_strip(
            _("Status"),
            [status[column.status] for column in columns],
            {status[key]: shape for key, shape in _STATUSES.items()},
            words,
        ),
        class_strip(
            _("Phenotype"),
            ["" if column.phenotype is None else phenotype[column.phenotype] for column in columns],
            {phenotype[key]: shape for key, shape in _PHENOTYPES.items()},
            words,
        ),
    )


def _strip(strip: Strip) -> list[bytes]:
    """Five lines and one of paper, as much as a mechanism has."""
    lines = [bytes(line) for line in shape_lines(strip.shapes, _INK, _PAPER)]
    return lines + stretched([_PAPER] * len(strip.shapes), _COLOUR_LINES + _MARK_LINES - len(lines))


def _index_line(colours: list[int]) -> list[bytes]:
    paper = stretched([_PAPER] * len(colours), 1)
    return stretched(colours, _COLOUR_LINES + _MARK_LINES - 1) + paper


def _mechanism(cells: list[tuple[float | None, Call]]) -> list[bytes]:
    fill = [_colour_of(score) for score, _ in cells]
    stripe = [
        _MIDDLE if call is Call.NOT_EVALUABLE else colour
        for (_, call), colour in zip(cells, fill, strict=True)
    ]
    marks = {Call.DETECTED: _MARK, Call.NOT_EVALUABLE: _PAPER}
    mark = [marks.get(call, colour) for (_, call), colour in zip(cells, fill, strict=True)]
    return [bytes(fill), bytes(stripe), bytes(fill), bytes(stripe), bytes(mark), bytes([_PAPER] * len(cells))]


def _colour_of(score: float | None) -> int:
    if score is None:
        return _PAPER
    middle = len(_SCALE) // 2
    return middle + round(min(max(score, -COLOUR_LIMIT), COLOUR_LIMIT) / COLOUR_LIMIT * middle)


def _colour_of_index(index: float | None) -> int:
    return _colour_of(None if index is None else (index - 50) / 50 * COLOUR_LIMIT)
