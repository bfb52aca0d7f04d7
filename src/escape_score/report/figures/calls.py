"""Shares of calls in every cohort: a bar for each mechanism and cohort."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from markupsafe import Markup

from escape_score.model.record import Call
from escape_score.model.record_comparison import CohortCalls, MechanismCalls
from escape_score.report.figures.frame import CHARACTER, Figure, Row, Scale, axis_x, box, figure_of, text
from escape_score.report.text.i18n import Language, translate_record_text
from escape_score.report.text.visible import visible_text
from escape_score.report.text.wording import word_of

_LABELS, _COHORTS, _PLOT, _LINE, _GAP, _TOP = 216, 112, 232, 13, 5, 30
_WIDTH = _LABELS + _COHORTS + _PLOT + 20
_ACROSS = 2
"""Columns of mechanisms."""
_BAR = 10
_CLASSES = {
    Call.DETECTED: "called",
    Call.BORDERLINE: "maybe",
    Call.NOT_DETECTED: "clear",
    Call.NOT_EVALUABLE: "unknown",
}
_LEGEND = 125
"""Room of one word of the legend."""


def calls_figure(stem: str, calls: Sequence[MechanismCalls], words: Language) -> Figure | None:
    """Draw the shares of the four calls, in their order from the left; None where there is no mechanism."""
    if not calls:
        return None
    parts, bottom = list(_legend(words)), 0.0
    in_column = -(-len(calls) // _ACROSS)
    columns = [calls[at : at + in_column] for at in range(0, len(calls), in_column)]
    for at, shown in enumerate(columns):
        drawn, y = _column(shown, at * _WIDTH, words)
        parts += drawn
        bottom = max(bottom, y)
    said = words.gettext(
        "Share of samples by call, of {n} mechanisms in every cohort, as in the table"
    ).format(n=len(calls))
    caption = words.gettext("Share of samples of each cohort by call of each mechanism.")
    size = (_WIDTH * len(columns), bottom + 38)
    return figure_of(stem, caption, size, parts, _table(calls), said=said)


def _column(calls: Sequence[MechanismCalls], left: float, words: Language) -> tuple[list[Markup], float]:
    """Bars of some mechanisms below each other, and where they end."""
    start = left + _LABELS + _COHORTS
    scale = Scale(0.0, 1.0, start, start + _PLOT)
    parts, y = list[Markup](), float(_TOP)
    longest = max(len(visible_text(one.cohort)) for mechanism in calls for one in mechanism.cohorts)
    room = _LABELS + _COHORTS - min(CHARACTER * longest, _COHORTS - 12) - 24
    for mechanism in calls:
        title = translate_record_text(visible_text(mechanism.title), words)
        parts.append(text(left + 8, y + _BAR - 1, title, width=room))
        for cohort in mechanism.cohorts:
            parts += _bar(cohort, y, scale)
            y += _LINE
        y += _GAP
    parts.append(axis_x(scale, y, words, label=words.gettext("Share of samples")))
    return parts, y


def _legend(words: Language) -> Iterator[Markup]:
    for at, (call, css_class) in enumerate(_CLASSES.items()):
        x = 8 + at * _LEGEND
        yield box(css_class, x, 6, _BAR, _BAR)
        yield text(x + _BAR + 5, 15, word_of(call, words), width=_LEGEND - 20)


def _bar(cohort: CohortCalls, y: float, scale: Scale) -> list[Markup]:
    name = visible_text(cohort.cohort)
    parts = [text(scale.start - 8, y + _BAR - 1, name, anchor="end", css_class="tick", width=_COHORTS - 12)]
    start = 0.0
    for one in cohort.shares:
        if one.n:
            parts.append(
                box(_CLASSES[one.call], scale(start), y, scale(start + one.share) - scale(start), _BAR)
            )
        start += one.share
    return parts


def _table(calls: Sequence[MechanismCalls]) -> list[Row]:
    rows: list[Row] = [("mechanism", "cohort", "call", "n", "n_samples", "share", "low", "high")]
    for mechanism in calls:
        for cohort in mechanism.cohorts:
            rows += [
                (
                    *(mechanism.axis, cohort.cohort, one.call.value, one.n, cohort.n_samples),
                    *(one.share, one.interval.low, one.interval.high),
                )
                for one in cohort.shares
            ]
    return rows
