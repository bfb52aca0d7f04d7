"""Trees of a clustering, next to the heatmap whose rows and columns have their order."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup, escape

from escape_score.model.record_statistics import Merge

_LEAF, _DEPTH = 10, 100
"""Room of a leaf and the height of a tree, in units that are stretched to the picture."""


def tree_drawing(merges: Sequence[Merge], *, said: str, is_upright: bool) -> Markup:
    """Draw a tree whose leaves are in order: along the bottom if upright, else along the left side.

    ``said`` is what the drawing shows, in words; empty text where there are no merges.
    """
    if not merges:
        return Markup("")
    n_leaves, highest = len(merges) + 1, max(one.height for one in merges) or 1.0
    ends = [(_LEAF * (leaf + 0.5), 0.0) for leaf in range(n_leaves)]
    steps = []
    for one in merges:
        first, second = ends[one.first], ends[one.second]
        depth = _DEPTH * one.height / highest
        steps.append(_bracket(first, second, depth, is_upright=is_upright))
        ends.append(((first[0] + second[0]) / 2, depth))
    long, path = _LEAF * n_leaves, "".join(steps)
    # room for the line of the last merge
    box = f"0 -2 {long} {_DEPTH + 2}" if is_upright else f"0 0 {_DEPTH + 2} {long}"
    name = "tree upright" if is_upright else "tree"
    return Markup(
        f'<svg class="{name}" role="img" aria-label="{escape(said)}" viewBox="{box}" '
        f'preserveAspectRatio="none"><path d="{path}"/></svg>'
    )


def _bracket(
    first: tuple[float, float], second: tuple[float, float], depth: float, *, is_upright: bool
) -> str:
    """Two branches and the line that joins them; a place along the leaves and a depth each."""
    if is_upright:
        up = _DEPTH - depth
        return f"M{first[0]:.0f} {_DEPTH - first[1]:.0f}V{up:.0f}H{second[0]:.0f}V{_DEPTH - second[1]:.0f}"
    return f"M{first[1]:.0f} {first[0]:.0f}H{depth:.0f}V{second[0]:.0f}H{second[1]:.0f}"
