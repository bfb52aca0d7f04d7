"""What every figure shares: scales, marks, colours, and the links to its SVG and its numbers."""

from __future__ import annotations

import base64
import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from escape_score.report.text.i18n import Language
from escape_score.report.text.visible import visible_text

RULES = {
    "text": "fill:var(--ink);font-family:system-ui,sans-serif;font-size:11px",
    ".tick": "fill:var(--soft)",
    ".name": "font-size:12px;font-weight:600",
    ".axis": "stroke:var(--soft);fill:none",
    ".grid": "stroke:var(--line);fill:none",
    ".chance": "stroke:var(--soft);stroke-dasharray:4 3;fill:none",
    ".box": "fill:var(--half);stroke:var(--soft)",
    ".middle": "stroke:var(--ink);stroke-width:2",
    ".points": "stroke-width:5;stroke-linecap:round;stroke-opacity:.65;fill:none",
    ".curve": "stroke-width:2;fill:none",
    ".band": "fill-opacity:.14;stroke:none",
    ".s0": "stroke:var(--accent)",
    ".s1": "stroke:var(--found);stroke-dasharray:7 3",
    ".s2": "stroke:var(--good);stroke-dasharray:2 3",
    ".points.p0": "stroke:var(--accent)",
    ".points.p1": "stroke:var(--found)",
    ".points.p2": "stroke:var(--good)",
    ".points.p3": "stroke:var(--caution)",
    ".points.p4": "stroke:var(--ink)",
    ".points.p9": "stroke:var(--track)",
    ".b0": "fill:var(--accent)",
    ".b1": "fill:var(--found)",
    ".bold": "font-weight:700",
    ".weight": "fill:var(--accent);stroke:none",
    ".pooled": "fill:var(--found);stroke:var(--found)",
    ".fixed": "fill:var(--paper);stroke:var(--found)",
    ".predicted": "stroke:var(--found);stroke-width:2;stroke-dasharray:2 3;fill:none",
    ".called": "fill:var(--found);stroke:var(--paper)",
    ".maybe": "fill:var(--caution);stroke:var(--paper);fill-opacity:.55",
    ".clear": "fill:var(--accent);stroke:var(--paper);fill-opacity:.45",
    ".unknown": "fill:none;stroke:var(--soft)",
}
"""Looks of the parts of a figure; the same rules colour the page and the file that is downloaded."""

_PRINTED = {
    "paper": "#ffffff", "ink": "#17202a", "soft": "#52606d", "line": "#d5dce3", "track": "#8e9aa6",
    "half": "#cdd5dc", "accent": "#0b5c6e", "found": "#a33208", "good": "#1d6b3a", "caution": "#7a4f00",
}  # fmt: skip
_FORMULA = ("=", "+", "-", "@")
_N_TICKS = 5
CHARACTER = 6.1
"""Mean width of a character of 11 px, in pixels."""
_WIDER = 1.25
"""How much wider bold characters are, those of 12 px too."""


Row = Sequence[str | float | None]
"""Cells of a row of the numbers behind a figure."""


@dataclass(frozen=True)
class Figure:
    """A figure with its caption and its downloads; ``stem`` names their files."""

    caption: str
    picture: Markup
    svg: Markup
    data: Markup
    stem: str


@dataclass(frozen=True)
class Scale:
    """From numbers to pixels; ``start`` is the pixel of ``low`` and may be the greater one."""

    low: float
    high: float
    start: float
    end: float
    is_log: bool = False

    def __call__(self, value: float) -> float:
        """Give the pixel of a number; what is beyond is put at the edge."""
        low, high, at = self.low, self.high, min(max(value, self.low), self.high)
        if self.is_log:
            low, high, at = math.log(low), math.log(high), math.log(at)
        return self.start + (at - low) / (high - low) * (self.end - self.start)

    def ticks(self) -> list[float]:
        """Round numbers inside the scale."""
        if self.is_log:
            return [at for at in (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0) if self.low <= at <= self.high]
        step = _round_step((self.high - self.low) / _N_TICKS)
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        return [round(at * step, 10) for at in range(first, last + 1)]


def scale_of(values: Iterable[float], start: float, end: float, *, margin: float = 0.04) -> Scale:
    """Make a scale that holds all values with a margin; one value alone has room on both sides."""
    held = list(values) or [0.0, 1.0]
    low, high = min(held), max(held)
    room = margin * (high - low) or 0.5
    return Scale(low - room, high + room, start, end)


def _round_step(rough: float) -> float:
    size = 10.0 ** math.floor(math.log10(rough))
    return next(step * size for step in (1, 2, 5, 10) if step * size >= rough * 0.999)


def number(value: float, words: Language) -> str:
    """Write the number at a tick."""
    return words.number(f"{value:g}")


def text(
    x: float,
    y: float,
    said: str,
    *,
    anchor: str = "start",
    css_class: str = "",
    width: float = 0.0,
    turned: int = 0,
) -> Markup:
    """Write a text; one that is wider than ``width`` pixels is cut, with the whole of it as a title."""
    is_wide = css_class in {"name", "bold"}
    shown = shortened(said, width / _WIDER if is_wide else width) if width else said
    turn = f' transform="rotate({turned} {x:.1f} {y:.1f})"' if turned else ""
    whole = Markup("<title>{}</title>").format(said) if shown != said else Markup("")
    return Markup('<text{} x="{:.1f}" y="{:.1f}" text-anchor="{}"{}>{}{}</text>').format(
        Markup(f' class="{css_class}"') if css_class else "", x, y, anchor, Markup(turn), shown, whole
    )


def shortened(said: str, width: float) -> str:
    """Cut a text to about so many pixels."""
    most = max(int(width / CHARACTER), 2)
    return said if len(said) <= most else f"{said[: most - 1].rstrip()}…"


def path(css_class: str, points: Sequence[tuple[float, float]], *, is_closed: bool = False) -> Markup:
    """Draw a line through points."""
    steps = "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
    return Markup(f'<path class="{css_class}" d="M{steps}{"z" if is_closed else ""}"/>')


def box(css_class: str, x: float, y: float, width: float, height: float) -> Markup:
    """Draw a rectangle by its upper left corner."""
    return Markup(
        f'<rect class="{css_class}" x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}"/>'
    )


def dots(css_class: str, points: Iterable[tuple[float, float]]) -> Markup:
    """Draw many points as one path, a tenth of the bytes of circles."""
    steps = "".join(f"M{x:.1f} {y:.1f}h0" for x, y in points)
    return Markup(f'<path class="points {css_class}" d="{steps}"/>' if steps else "")


def axis_x(scale: Scale, y: float, words: Language, *, label: str = "", top: float | None = None) -> Markup:
    """Draw a level axis with ticks, numbers and a label; grid lines up to ``top``."""
    left, right = sorted((scale.start, scale.end))
    parts = [path("axis", [(left, y), (right, y)])]
    for value in scale.ticks():
        at = scale(value)
        if top is not None:
            parts.append(path("grid", [(at, top), (at, y)]))
        parts += [path("axis", [(at, y), (at, y + 4)])]
        parts.append(text(at, y + 15, number(value, words), anchor="middle", css_class="tick"))
    if label:
        parts.append(text((left + right) / 2, y + 31, label, anchor="middle", width=right - left + 60))
    return Markup("").join(parts)


def axis_y(scale: Scale, x: float, words: Language, *, label: str = "") -> Markup:
    """Draw an upright axis with ticks, numbers and a label."""
    top, bottom = sorted((scale.start, scale.end))
    parts = [path("axis", [(x, top), (x, bottom)])]
    for value in scale.ticks():
        at = scale(value)
        parts.append(path("axis", [(x - 4, at), (x, at)]))
        parts.append(text(x - 6, at + 4, number(value, words), anchor="end", css_class="tick"))
    if label:
        middle = (top + bottom) / 2
        parts.append(text(x - 36, middle, label, anchor="middle", width=bottom - top + 20, turned=-90))
    return Markup("").join(parts)


def page_rules() -> Markup:
    """Rules of CSS of all figures, in the colours of the page."""
    return Markup("\n".join(f".fig {name} {{ {looks}; }}" for name, looks in RULES.items()))


def figure_of(
    stem: str,
    caption: str,
    size: tuple[float, float],
    parts: Iterable[Markup],
    table: Iterable[Row],
    *,
    said: str,
) -> Figure:
    """Finish a figure.

    Parameters
    ----------
    stem
        Start of the names of its files.
    size
        Width and height, in pixels.
    table
        Rows of the numbers behind it, the header first.
    said
        What the figure shows, in words.
    """
    width, height = (math.ceil(one) for one in size)
    body = Markup("").join(parts)
    inside = Markup(
        'class="fig" role="img" aria-label="{}" viewBox="0 0 {w} {h}" width="{w}" height="{h}">'
    ).format(said, w=width, h=height)
    rules = "".join(f"{name}{{{looks}}}" for name, looks in RULES.items())
    rules = re.sub(r"var\(--(\w+)\)", lambda found: _PRINTED[found[1]], rules)
    paper = f'<rect width="{width}" height="{height}" fill="{_PRINTED["paper"]}"/>'
    alone = f'<svg xmlns="http://www.w3.org/2000/svg" {inside}<style>{rules}</style>{paper}{body}</svg>'
    rows = ("\t".join(_cell(value) for value in row) for row in table)
    return Figure(
        caption=caption,
        picture=Markup("<svg {}{}</svg>").format(inside, body),
        svg=_uri("image/svg+xml", alone),
        data=_uri("text/tab-separated-values", "\n".join([*rows, ""])),
        stem=stem,
    )


def _uri(kind: str, content: str) -> Markup:
    packed = base64.b64encode(content.encode()).decode("ascii")
    return Markup(f"data:{kind};charset=utf-8;base64,{packed}")


def _cell(value: str | float | None) -> str:
    """A cell of a table: numbers in full, and no text that a spreadsheet takes for a formula."""
    if value is None:
        return ""
    if not isinstance(value, str):
        return repr(value)
    shown = visible_text(value)
    return f"'{shown}" if shown.startswith(_FORMULA) else shown
