"""Box plots with a point for every sample, one panel a measure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from markupsafe import Markup

from escape_score.model.record_statistics import Box, BoxPlot
from escape_score.report.figures.frame import Figure, Scale, axis_y, dots, figure_of, path, scale_of, text
from escape_score.report.text.i18n import Language, translate_record_text
from escape_score.report.text.visible import visible_text

_WIDTH, _HEIGHT, _ACROSS = 216, 204, 3
_LEFT, _TOP, _BOTTOM = 44, 26, 42
_HALF = 0.3
"""Half the width of a box, as a share of the room of a group."""
_GOLDEN = 0.618
MAX_BOXES = 8


def box_figure(
    stem: str, plots: Sequence[BoxPlot], name_of: Callable[[str], str], words: Language
) -> Figure | None:
    """Draw the leading measures by group; None where nothing was tested or there are too many groups."""
    if not plots or len(plots[0].boxes) > MAX_BOXES:
        return None
    parts = [_panel(plot, at, name_of, words) for at, plot in enumerate(plots)]
    n_rows = -(-len(plots) // _ACROSS)
    size = (_WIDTH * min(len(plots), _ACROSS), _HEIGHT * n_rows)
    titles = [translate_record_text(visible_text(plot.measure.title), words) for plot in plots]
    said = words.gettext("Box plots by group of: {names}").format(names=words.gettext("; ").join(titles))
    caption = words.gettext("Box = middle half, line = median, whiskers = within 1.5 times the box.")
    if not all(box.values for plot in plots for box in plot.boxes):
        caption += " " + words.gettext("Large groups are drawn without points.")
    return figure_of(stem, caption, size, parts, _table(plots), said=said)


def _panel(plot: BoxPlot, at: int, name_of: Callable[[str], str], words: Language) -> Markup:
    x, y = _WIDTH * (at % _ACROSS), _HEIGHT * (at // _ACROSS)
    held = [value for box in plot.boxes for value in (box.low, box.high, *box.values)]
    scale = scale_of(held, y + _HEIGHT - _BOTTOM, y + _TOP)
    room = (_WIDTH - _LEFT - 6) / len(plot.boxes)
    title = translate_record_text(visible_text(plot.measure.title), words)
    parts = [
        text(x + 6, y + 14, title, css_class="name", width=_WIDTH - 12),
        axis_y(scale, x + _LEFT, words),
    ]
    for place, box in enumerate(plot.boxes):
        middle = x + _LEFT + room * (place + 0.5)
        parts += _box(box, middle, room, scale, place)
        below = y + _HEIGHT - _BOTTOM
        parts.append(text(middle, below + 14, name_of(box.group), anchor="middle", width=room + 4))
        parts.append(text(middle, below + 27, f"({box.n})", anchor="middle", css_class="tick"))
    return Markup("").join(parts)


def _box(box: Box, x: float, room: float, scale: Scale, place: int) -> list[Markup]:
    half = _HALF * room
    top, bottom = scale(box.upper), scale(box.lower)
    shape = [(x - half, top), (x + half, top), (x + half, bottom), (x - half, bottom)]
    # places of points follow from their order, so that a page is the same again
    jittered = [
        (x + ((at * _GOLDEN) % 1 - 0.5) * 1.5 * half, scale(value)) for at, value in enumerate(box.values)
    ]
    return [
        path("axis", [(x, scale(box.high)), (x, top)]),
        path("axis", [(x, bottom), (x, scale(box.low))]),
        path("box", shape, is_closed=True),
        dots(f"p{min(place, 4)}", jittered),
        path("middle", [(x - half, scale(box.median)), (x + half, scale(box.median))]),
    ]


def _table(plots: Sequence[BoxPlot]) -> Iterator[tuple[str | float, ...]]:
    yield "measure", "group", "n", "statistic", "value"
    for plot in plots:
        for box in plot.boxes:
            start = (plot.measure.measure, box.group, box.n)
            for name in ("low", "lower", "median", "upper", "high"):
                yield *start, name, getattr(box, name)
            for value in box.values:
                yield *start, "value", value
