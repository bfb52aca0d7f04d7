"""Small drawings from numbers of a record: SVG with a text alternative and colours from CSS, and PNG."""

from __future__ import annotations

import base64
import struct
import zlib
from collections.abc import Callable, Sequence
from functools import cache, lru_cache
from typing import NamedTuple

from markupsafe import Markup

from escape_score.model.record import AxisProfile, Call, IndexProfile, Interval, Quantiles
from escape_score.report.text.decimals import kept
from escape_score.report.text.escaping import safe, written

SCORE_LIMIT = 4.0
"""Scores are drawn from -4 to +4 reference SD; what is beyond is drawn at the edge with an arrow."""

_BAR_WIDTH, _BAR_HEIGHT = 152, 20
_GAUGE_WIDTH, _GAUGE_HEIGHT = 260, 34
_MARGIN = 6
_GROUNDS = 1024
"""Backgrounds of scores that are kept: mechanisms, times the references and thresholds of a run."""
_LINE_WIDTH, _LINE_HEIGHT = 360, 16
_SCALE_MARKS = (-4, -2, 0, 2, 4)
_LEVEL_WIDTH = 150
Z_LIMIT = 5.0
"""A gene's z is within ±5 and drawn on that scale."""

_GENE_WIDTH, _GENE_LABEL, _GENE_STEP, _GENE_TOP = 330, 82, 14, 16
_Z_MARKS = (-5, 0, 5)
_N_BINS = 32
_BINS_WIDTH, _BINS_HEIGHT, _BINS_BASE, _BINS_MARGIN = 240, 40, 26.0, 4
_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PALETTE_OF_8_BITS = (8, 3, 0, 0, 0)


def score_bar(axis: AxisProfile, interval: Interval | None, *, alternative: str) -> Markup:
    """Draw a mechanism's score, its 90 % interval and its threshold on the reference's distribution.

    An axis that is not called has no threshold.

    ``interval``: the one that counts for the call. ``alternative`` is what the drawing says, in words; empty
    text where there is no score.
    """
    if axis.score is None:
        return Markup("")
    middle = _BAR_HEIGHT / 2
    parts = (
        _ground_of_bar(axis.reference_quantiles, None if axis.call is None else axis.threshold),
        _score_interval(interval, middle),
        dot(_x_of_score(axis.score), middle, is_detected=axis.call is Call.DETECTED),
    )
    return drawing("bar", _BAR_WIDTH, _BAR_HEIGHT, alternative, parts)


@lru_cache(maxsize=_GROUNDS)
def _ground_of_bar(quantiles: Quantiles, threshold: float | None) -> str:
    """What is behind a score: the same for most samples of a cohort, so it is drawn once."""
    band = _reference_band(quantiles, _x_of_score, _BAR_HEIGHT / 2, 6)
    mark = "" if threshold is None else tick("threshold", _x_of_score(threshold), 1, _BAR_HEIGHT - 1)
    return band + line("track", _MARGIN, _BAR_WIDTH - _MARGIN, _BAR_HEIGHT / 2) + mark


class ZLine(NamedTuple):
    """One gene of a strip; ``css_class`` of its dot: found, below or empty."""

    label: str
    z: float
    css_class: str


def portrait_line(
    axis: AxisProfile, score: float | None, interval: Interval | None, *, alternative: str
) -> Markup:
    """Draw one line of the portrait: the reference, the threshold, the score and its interval.

    Without a score the line is empty. An axis that is not called has no threshold.
    """
    if score is None:
        parts: tuple[str, ...] = (_ground_of_line(None, None),)
    else:
        middle = _LINE_HEIGHT / 2
        parts = (
            _ground_of_line(axis.reference_quantiles, None if axis.call is None else axis.threshold),
            _score_interval(interval, middle, _x_of_line),
            dot(_x_of_line(score), middle, is_detected=axis.call is Call.DETECTED),
        )
    return drawing("strip", _LINE_WIDTH, _LINE_HEIGHT, alternative, parts)


@lru_cache(maxsize=_GROUNDS)
def _ground_of_line(quantiles: Quantiles, threshold: float | None) -> str:
    """What is behind a score of the portrait; see :func:`_ground_of_bar`."""
    band = _reference_band(quantiles, _x_of_line, _LINE_HEIGHT / 2, 5)
    mark = "" if threshold is None else tick("threshold", _x_of_line(threshold), 0, _LINE_HEIGHT)
    return band + line("track", _MARGIN, _LINE_WIDTH - _MARGIN, _LINE_HEIGHT / 2) + mark


@lru_cache(maxsize=8)
def portrait_axis(*, alternative: str) -> Markup:
    """Draw the scale of the portrait: one in each language."""
    anchors = {_SCALE_MARKS[0]: "start", _SCALE_MARKS[-1]: "end"}
    # the outer labels stay inside the box
    shift = {"start": -_MARGIN, "end": _MARGIN}
    marks = (
        _scale_mark(_x_of_line(value) + shift.get(anchor, 0), value, anchor)
        for value in _SCALE_MARKS
        for anchor in (anchors.get(value, "middle"),)
    )
    return drawing("strip", _LINE_WIDTH, _LINE_HEIGHT, alternative, tuple(marks))


def z_line(z: float | None, *, alternative: str) -> Markup:
    """Draw a level from -5 to +5 reference SD around zero; an empty line where there is none."""
    middle = _LINE_HEIGHT / 2
    shown = "" if z is None else dot(_x_of_z(z, _MARGIN, _LEVEL_WIDTH), middle, is_detected=False)
    return drawing("level-line", _LEVEL_WIDTH, _LINE_HEIGHT, alternative, (_ground_of_level(), shown))


@cache
def _ground_of_level() -> str:
    track = line("track", _MARGIN, _LEVEL_WIDTH - _MARGIN, _LINE_HEIGHT / 2)
    return track + tick("zero", _x_of_z(0.0, _MARGIN, _LEVEL_WIDTH), 2, _LINE_HEIGHT - 2)


def gene_strip(above: Sequence[ZLine], below: Sequence[ZLine], *, alternative: str) -> Markup:
    """Draw genes from -5 to +5, one a line: those of the score, under a rule those that it is relative to."""
    height = _GENE_TOP + _GENE_STEP * (len(above) + len(below)) + (8 if below else 0) + 4
    grid = "".join(f"M{px(_x_of_gene(value))} {_GENE_TOP}V{height - 2}" for value in _Z_MARKS)
    parts = [_scale_mark(_x_of_gene(value), value) for value in _Z_MARKS]
    parts += [f'<path class="grid" d="{grid}"/>', _gene_lines(above, _GENE_TOP)]
    if below:
        rule = _GENE_TOP + _GENE_STEP * len(above) + 4
        parts += [line("track", 0, _GENE_WIDTH, rule), _gene_lines(below, rule + 4)]
    return drawing("gene-strip", _GENE_WIDTH, height, alternative, tuple(parts))


def _gene_lines(genes: Sequence[ZLine], top: float) -> str:
    """Symbols, then dots in a group for each class of CSS."""
    x, labels, dots = _GENE_LABEL - 10, [], dict[str, list[str]]()
    for place, (label, z, css_class) in enumerate(genes):
        middle = top + _GENE_STEP * (place + 0.5)
        labels.append(f'<text x="{x}" y="{px(middle + 4)}">{written(label)}</text>')
        circle = f'<circle cx="{px(_x_of_gene(z))}" cy="{px(middle)}" r="4"/>'
        dots.setdefault(css_class, []).append(circle)
    groups = "".join(
        [f'<g class="{f"dot {kind}".strip()}">{"".join(drawn)}</g>' for kind, drawn in dots.items()]
    )
    return f'<g text-anchor="end">{"".join(labels)}</g>{groups}'


def _scale_mark(x: float, value: int, anchor: str = "middle") -> str:
    label = f"+{value}" if value > 0 else str(value).replace("-", "−")
    return f'<text x="{px(x)}" y="11" text-anchor="{anchor}">{label}</text>'


def _x_of_line(score: float) -> float:
    return _x_of_score(score, _LINE_WIDTH, _MARGIN)


def _x_of_gene(z: float) -> float:
    return _x_of_z(z, _GENE_LABEL, _GENE_WIDTH - 10)


def _x_of_z(z: float, start: float, end: float) -> float:
    """Place of a z between two ends; ``end`` keeps the margin where ``start`` is the margin."""
    right = end - _MARGIN
    clamped = -Z_LIMIT if z < -Z_LIMIT else Z_LIMIT if z > Z_LIMIT else z
    return start + (clamped + Z_LIMIT) / (2 * Z_LIMIT) * (right - start)


def index_gauge(index: IndexProfile, interval: Interval | None, *, alternative: str) -> Markup:
    """Draw the index with its 90 % interval; bounds outside 0-100 are drawn at the ends.

    ``interval``: the one that counts. ``alternative`` is what the drawing says, in words; the drawing is
    empty text where the index has no score.
    """
    if index.score is None:
        return Markup("")
    middle = 12.0
    parts = (
        _reference_band(index.reference_quantiles, _x_of_index, middle, 7),
        line("track", _MARGIN, _GAUGE_WIDTH - _MARGIN, middle),
        *(_gauge_mark(points) for points in (0, 50, 100)),
        _gauge_interval(interval, middle),
        dot(_x_of_index(index.score), middle, is_detected=False, radius="6"),
    )
    return drawing("gauge", _GAUGE_WIDTH, _GAUGE_HEIGHT, alternative, parts)


def distribution(scores: Sequence[float], quantiles: Quantiles, *, alternative: str) -> Markup:
    """Draw a cohort's scores as bars, and under them the quantiles of the reference.

    Scores are in reference SD units; what is beyond ±4 is counted at the edge. ``alternative`` is what the
    drawing says, in words; empty text where there is no score.
    """
    if not scores:
        return Markup("")
    counts = [0] * _N_BINS
    for score in scores:
        counts[min(max(int((score + SCORE_LIMIT) / (2 * SCORE_LIMIT) * _N_BINS), 0), _N_BINS - 1)] += 1
    zero = _x_of_score(0.0, _BINS_WIDTH, _BINS_MARGIN)
    parts = (
        f'<path class="bars" d="{_bars(counts)}"/>',
        _reference_band(
            quantiles, lambda score: _x_of_score(score, _BINS_WIDTH, _BINS_MARGIN), _BINS_BASE + 7, 4
        ),
        tick("zero", zero, 2, 38),
    )
    return drawing("distribution", _BINS_WIDTH, _BINS_HEIGHT, alternative, parts)


def _bars(counts: Sequence[int]) -> str:
    """One path for all bars; the tallest fills the height."""
    step, tallest, base = (_BINS_WIDTH - 2 * _BINS_MARGIN) / _N_BINS, max(counts), _BINS_BASE
    return "".join(
        f"M{px(_BINS_MARGIN + place * step)} {base:.0f}v{px(count / tallest * (2 - base))}"
        f"h{px(step - 1)}V{base:.0f}z"
        for place, count in enumerate(counts)
        if count
    )


def _reference_band(quantiles: Quantiles, x_of: Callable[[float], float], y: float, half: float) -> str:
    """Where the reference's tumours are: a box from 5 to 95 %, one from 25 to 75 %, a tick at the median.

    ``y`` and ``half`` are the middle and half of the height, in pixels; nothing where they are not known.
    """
    if quantiles is None:
        return ""
    low, lower, median, upper, high = (x_of(quantile) for quantile in quantiles)
    return (
        box("most", low, high, y, half)
        + box("half", lower, upper, y, half)
        + tick("median", median, y - half, y + half)
    )


def _x_of_score(score: float, width: int = _BAR_WIDTH, margin: int = _MARGIN) -> float:
    clamped = -SCORE_LIMIT if score < -SCORE_LIMIT else SCORE_LIMIT if score > SCORE_LIMIT else score
    return margin + (clamped + SCORE_LIMIT) / (2 * SCORE_LIMIT) * (width - 2 * margin)


def _x_of_index(points: float) -> float:
    return _MARGIN + min(max(points, 0.0), 100.0) / 100 * (_GAUGE_WIDTH - 2 * _MARGIN)


def _score_interval(interval: Interval | None, y: float, x_of: Callable[[float], float] = _x_of_score) -> str:
    if interval is None:
        return ""
    start, end = x_of(interval.low), x_of(interval.high)
    drawn = line("interval", start, end, y)
    if interval.low < -SCORE_LIMIT:
        drawn += arrow(start, y, pointing=-1)
    if interval.high > SCORE_LIMIT:
        drawn += arrow(end, y, pointing=1)
    return drawn


def _gauge_interval(interval: Interval | None, y: float) -> str:
    if interval is None:
        return ""
    return line("interval", _x_of_index(interval.low), _x_of_index(interval.high), y)


def _gauge_mark(points: int) -> str:
    x, anchor = _x_of_index(points), {0: "start", 100: "end"}.get(points, "middle")
    label = f'<text x="{px(x)}" y="32" text-anchor="{anchor}">{points:d}</text>'
    return tick("zero", x, 6, 18) + label


# Shapes hold numbers and our own class names only, so they are written at once, without escaping each part.


@kept(1)
def px(value: float) -> str:
    """Write a place in pixels with at most one decimal."""
    return f"{value:z.1f}".removesuffix(".0")


def line(css_class: str, start: float, end: float, y: float) -> str:
    """Draw a level line from left to right."""
    return f'<path class="{css_class}" d="M{px(start)} {px(y)}H{px(end)}"/>'


def tick(css_class: str, x: float, top: float, bottom: float) -> str:
    """Draw an upright line at a place."""
    return f'<path class="{css_class}" d="M{px(x)} {px(top)}V{px(bottom)}"/>'


def box(css_class: str, start: float, end: float, y: float, half: float) -> str:
    """Draw a box around a height; ``half`` of its own height above and below."""
    place = f'x="{px(start)}" width="{px(end - start)}" y="{px(y - half)}" height="{px(2 * half)}"'
    return f'<rect class="{css_class}" {place}/>'


def dot(x: float, y: float, *, is_detected: bool, radius: str = "4.5") -> str:
    """Draw a value; one that is detected has another class of CSS."""
    css_class = "dot found" if is_detected else "dot"
    return f'<circle class="{css_class}" cx="{px(x)}" cy="{px(y)}" r="{radius}"/>'


def arrow(x: float, y: float, *, pointing: int) -> str:
    """Draw what is cut at an edge: 1 points to the right, -1 to the left."""
    step = 5 * pointing
    return f'<path class="arrow" d="M{px(x)} {px(y - 4)}l{step:d} 4l{-step:d} 4z"/>'


def drawing(css_class: str, width: int, height: int, alternative: str, parts: tuple[str, ...]) -> Markup:
    """Put shapes into an ``svg`` element with a text alternative; sizes in pixels."""
    size = f'viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
    shapes = "".join(parts)
    return safe(
        f'<svg class="{css_class}" role="img" aria-label="{written(alternative)}" {size}>{shapes}</svg>'
    )


def png_uri(lines: Sequence[bytes], palette: Sequence[str]) -> Markup:
    """Encode a picture as a ``data:`` address, so that a page needs no second file.

    Parameters
    ----------
    lines
        Rows of pixels from the top, all of one length ≥ 1; a byte is a place in the palette.
    palette
        Colours as ``#rrggbb``, at most 256.

    Notes
    -----
    PNG (third edition), W3C recommendation: chunks IHDR, PLTE, IDAT and IEND, colour type 3, filter 0.
    """
    header = struct.pack(">II5B", len(lines[0]), len(lines), *_PALETTE_OF_8_BITS)
    colours = b"".join(bytes.fromhex(colour.removeprefix("#")) for colour in palette)
    pixels = zlib.compress(b"".join(b"\0" + line for line in lines), 9)
    chunks = ((b"IHDR", header), (b"PLTE", colours), (b"IDAT", pixels), (b"IEND", b""))
    png = _PNG_SIGNATURE + b"".join(_chunk(name, data) for name, data in chunks)
    return Markup("data:image/png;base64,{}").format(base64.b64encode(png).decode("ascii"))


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
