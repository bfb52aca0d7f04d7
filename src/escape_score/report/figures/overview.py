"""The map of samples and the correlation of mechanisms."""

from __future__ import annotations

from collections.abc import Iterator

from markupsafe import Markup

from escape_score.model.record_statistics import Correlation, SampleMap
from escape_score.report.figures.frame import (
    Figure,
    Row,
    axis_x,
    axis_y,
    dots,
    figure_of,
    path,
    scale_of,
    text,
)
from escape_score.report.text.i18n import Language, translate_record_text
from escape_score.report.text.visible import visible_text

_WIDTH, _HEIGHT, _LEFT = 440, 330, 56
_LABELS, _SQUARE = 230, 16
_COLOURS = (
    "#2c5f9e", "#5583b8", "#83a7cf", "#b3cbe3", "#dfe8f1", "#f7f7f7",
    "#fbe3cc", "#f5c493", "#e69b50", "#c9721d", "#9a4d05",
)  # fmt: skip
MAX_MARKS = 5


def map_figure(stem: str, found: SampleMap | None, words: Language) -> Figure | None:
    """Draw samples by their first two components, marked by a label of the sheet."""
    if found is None:
        return None
    bottom = _HEIGHT - 44
    x = scale_of((one.x for one in found.points), _LEFT, _WIDTH - 12)
    y = scale_of((one.y for one in found.points), bottom, 12)
    shares = [
        words.gettext("component {n} ({share} %)").format(n=n, share=words.fixed(100 * share, 0))
        for n, share in enumerate(found.shares, start=1)
    ]
    parts = [axis_x(x, bottom, words, label=shares[0]), axis_y(y, _LEFT, words, label=shares[1])]
    # responders first, as in the box plots
    names = {one.group for one in found.points if one.group}
    groups = sorted(names, key=lambda name: (name != "R", name))[:MAX_MARKS]
    unmarked = [(x(one.x), y(one.y)) for one in found.points if one.group not in groups]
    parts.append(dots("p9" if groups else "p0", unmarked))
    height = _HEIGHT
    for place, group in enumerate(groups):
        parts.append(dots(f"p{place}", [(x(one.x), y(one.y)) for one in found.points if one.group == group]))
        parts.append(dots(f"p{place}", [(_LEFT + 4, height + 8)]))
        n = sum(one.group == group for one in found.points)
        parts.append(text(_LEFT + 12, height + 12, f"{visible_text(group)} ({n})", width=_WIDTH - 90))
        height += 17
    said = words.gettext("Map of {n} samples by the first two principal components").format(
        n=len(found.points)
    )
    caption = words.gettext(
        "Principal components of the scores of {n_axes} mechanisms; {n} samples in which all of these "
        "are evaluable."
    ).format(n_axes=len(found.measures), n=len(found.points))
    rows = ((one.sample_id, one.x, one.y, one.group) for one in found.points)
    table: tuple[Row, ...] = (("sample_id", "component_1", "component_2", found.column or "group"), *rows)
    return figure_of(stem, caption, (_WIDTH, height + 8), parts, table, said=said)


def correlation_figure(stem: str, found: Correlation | None, words: Language) -> Figure | None:
    """Draw the Spearman correlations of mechanisms as coloured squares with a scale."""
    if found is None:
        return None
    titles = [translate_record_text(visible_text(title), words) for title in found.titles]
    side = _SQUARE * len(titles)
    parts = []
    for row, title in enumerate(titles):
        y = 6 + _SQUARE * row
        parts.append(text(_LABELS - 6, y + 12, f"{title} {row + 1}", anchor="end", width=_LABELS - 8))
        middle = _LABELS + _SQUARE * (row + 0.5)
        parts.append(text(middle, side + 18, str(row + 1), anchor="middle", css_class="tick"))
    parts += list(_squares(found))
    parts += _colour_scale(_LABELS, side + 30, words)
    said = words.gettext("Spearman correlations of {n} scores").format(n=len(titles))
    caption = words.gettext("Spearman correlation of scores over patients; empty: fewer than 10 have both.")
    rows = ((title, *values) for title, values in zip(found.titles, found.values, strict=True))
    table = (("measure", *found.titles), *rows)
    return figure_of(stem, caption, (max(_LABELS + side + 12, 430), side + 66), parts, table, said=said)


def _squares(found: Correlation) -> Iterator[Markup]:
    """One path a colour, so that hundreds of squares are few bytes."""
    by_colour: dict[str, list[str]] = {}
    for row, values in enumerate(found.values):
        for column, value in enumerate(values):
            if value is not None:
                place = f"M{_LABELS + _SQUARE * column} {6 + _SQUARE * row}h{_SQUARE}v{_SQUARE}h-{_SQUARE}z"
                by_colour.setdefault(_colour_of(value), []).append(place)
    for colour, places in by_colour.items():
        yield Markup(f'<path fill="{colour}" d="{"".join(places)}"/>')
    size = _SQUARE * len(found.titles)
    corners = [(_LABELS, 6), (_LABELS + size, 6), (_LABELS + size, 6 + size), (_LABELS, 6 + size)]
    yield path("grid", corners, is_closed=True)


def _colour_of(value: float) -> str:
    middle = len(_COLOURS) // 2
    return _COLOURS[middle + round(min(max(value, -1.0), 1.0) * middle)]


def _colour_scale(x: float, y: float, words: Language) -> list[Markup]:
    width = 16
    parts = [
        Markup(f'<rect x="{x + width * at:.0f}" y="{y:.0f}" width="{width}" height="10" fill="{colour}"/>')
        for at, colour in enumerate(_COLOURS)
    ]
    ends = ((-1.0, 0.5), (0.0, len(_COLOURS) / 2), (1.0, len(_COLOURS) - 0.5))
    parts += [
        text(
            x + width * at,
            y + 23,
            words.number(f"{value:g}"),
            anchor="middle",
            css_class="tick",
        )
        for value, at in ends
    ]
    return parts
