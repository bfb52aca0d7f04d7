"""The distances of a cohort's samples from all references, as a figure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from escape_score.errors import counted
from escape_score.pipeline.distances import CohortDistances, ReferenceDistance

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SHOWN, OTHER, GOOD, MODERATE, OWN = "#0072B2", "0.6", "#009E73", "#D55E00", "black"
"""Colours that also differ for people with a colour vision deficiency."""

HALF_ROW = 0.4
GOLDEN = 0.618034
"""Points one after the other are this share of a row apart, so that they spread evenly without chance."""

LEGEND_BELOW = 4.0
"""Space for the label of the axis above the legend, in sizes of the font."""

MOST_DRAWN = 5_000
"""More points than this are drawn as an image, since a file of so many shapes is hard to open."""


def figure_size(found: CohortDistances) -> tuple[float, float]:
    """Width and height in inches that show all references."""
    return 9.0, 1.8 + 0.35 * len(found.ranked)


def distance_figure(found: CohortDistances) -> Figure:
    """A figure of its own, which needs no display."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=figure_size(found), layout="constrained")
    draw_distances(found, figure.subplots())
    return figure


def draw_distances(found: CohortDistances, ax: Axes) -> Axes:
    """Draw one row a reference, the closest on top, and one point a sample.

    A tumour type is the text of a user and is never read as a formula.
    """
    for row, one in enumerate(found.ranked):
        _draw_row(ax, row, one, is_shown=one is found.shown, is_image=_n_points(found) > MOST_DRAWN)
    ax.set_yticks(range(len(found.ranked)), [_label(one) for one in found.ranked], parse_math=False)
    for label, one in zip(ax.get_yticklabels(), found.ranked, strict=True):
        label.set_fontweight("bold" if one is found.shown else "normal")
    ax.set_ylim(len(found.ranked) - 0.5, -0.5)
    ax.set_xlim(left=0)
    ax.set_xlabel("distance from the reference (log2)")
    ax.set_title(_title(found), parse_math=False)
    # the marks are the same in every row
    handles, labels = _legend(ax)
    legend = ax.legend(
        handles, labels, ncols=2, frameon=False, loc="upper center", borderaxespad=LEGEND_BELOW
    )
    legend.set_bbox_to_anchor((0.5, 0.0), transform=ax.transAxes)
    return ax


def _draw_row(ax: Axes, row: int, one: ReferenceDistance, *, is_shown: bool, is_image: bool) -> None:
    """Points of the samples, both limits, and the distance of the reference's own tumours."""
    spread = np.arange(len(one.distance)) * GOLDEN % 1.0 - 0.5
    colour = SHOWN if is_shown else OTHER
    name = "sample" if is_shown else ""
    heights = row + 2 * HALF_ROW * spread
    ax.scatter(
        one.distance, heights, s=12, color=colour, linewidths=0, rasterized=is_image, label=name or None
    )
    (good, moderate), ends = one.limits, (row - HALF_ROW, row + HALF_ROW)
    ax.vlines(good, *ends, colors=GOOD, linestyles="solid", label="limit of a good match")
    ax.vlines(moderate, *ends, colors=MODERATE, linestyles="dashed", label="limit of a moderate match")
    own = one.reference.anchor_distance
    ax.plot(own, row, "D", color=OWN, fillstyle="none", linestyle="none", label="own tumours, typical")


def _legend(ax: Axes) -> tuple[list[Artist], list[str]]:
    """Each mark once."""
    handles, labels = ax.get_legend_handles_labels()
    once = dict(zip(labels, handles, strict=True))
    return list(once.values()), list(once)


def _n_points(found: CohortDistances) -> int:
    return len(found.ranked) * len(found.cohort.sample_ids)


def _label(one: ReferenceDistance) -> str:
    return _printable(f"{one.name} ({one.reference.n_samples}, {one.reference.tumour_type})")


def _title(found: CohortDistances) -> str:
    n, lost = counted(len(found.cohort.sample_ids), "sample"), found.shown.count(None)
    return _printable(f"{found.cohort.name}: {n}" + (f", {lost} not placed" if lost else ""))


def _printable(text: str) -> str:
    """A text without the characters that an SVG cannot hold, which names of files can have."""
    return "".join(letter if letter.isprintable() else " " for letter in text)
