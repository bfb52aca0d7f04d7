"""Drawings of many samples at once: where a cohort's scores lie, above where the reference's lie."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from escape_score.model.record import Quantiles
from escape_score.report.drawing.svg import SCORE_LIMIT, drawing, reference_band

N_BINS = 32
_WIDTH, _HEIGHT, _BASE, _MARGIN = 240, 40, 26.0, 4


def distribution(scores: Sequence[float], quantiles: Quantiles, *, alternative: str) -> Markup:
    """Draw a cohort's scores as bars, and under them the reference.

    Parameters
    ----------
    scores
        Reference SD units; what lies beyond ±4 is counted at the edge.
    quantiles
        5, 25, 50, 75 and 95 % of the reference's tumours, None where not known.
    alternative
        What the drawing says, in words.

    Returns
    -------
    markupsafe.Markup
        An ``svg`` element; empty text where there is no score.
    """
    if not scores:
        return Markup("")
    counts = [0] * N_BINS
    for score in scores:
        counts[min(max(int((score + SCORE_LIMIT) / (2 * SCORE_LIMIT) * N_BINS), 0), N_BINS - 1)] += 1
    parts = (
        Markup('<path class="bars" d="{}"/>').format(_bars(counts)),
        reference_band(quantiles, _x_of, _BASE + 7, 4),
        Markup('<line class="zero" x1="{x:.1f}" x2="{x:.1f}" y1="2" y2="38"/>').format(x=_x_of(0.0)),
    )
    return drawing("distribution", _WIDTH, _HEIGHT, alternative, parts)


def _bars(counts: Sequence[int]) -> str:
    """One path for all bars; the tallest fills the height."""
    step, tallest = (_WIDTH - 2 * _MARGIN) / N_BINS, max(counts)
    return "".join(
        f"M{_MARGIN + place * step:.1f} {_BASE:.0f}v{count / tallest * (2 - _BASE):.1f}"
        f"h{step - 1:.1f}V{_BASE:.0f}z"
        for place, count in enumerate(counts)
        if count
    )


def _x_of(score: float) -> float:
    clamped = min(max(score, -SCORE_LIMIT), SCORE_LIMIT)
    return _MARGIN + (clamped + SCORE_LIMIT) / (2 * SCORE_LIMIT) * (_WIDTH - 2 * _MARGIN)
