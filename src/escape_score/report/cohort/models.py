"""Adjusted models and interactions in the tables of a cohort's page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from escape_score.model.record import NoteRecord
from escape_score.model.record_statistics import (
    AdjustedRow,
    EstimateName,
    GroupRow,
    InteractionRow,
    ResponseRow,
    SurvivalRow,
)
from escape_score.report.messages import sentence
from escape_score.report.text.i18n import Language
from escape_score.report.text.numbers import format_count, format_interval
from escape_score.report.text.visible import visible_note, visible_text

FDR = 0.05
"""False discovery rate below which a measure counts as different."""

Row = GroupRow | ResponseRow | SurvivalRow


@dataclass(frozen=True)
class ModelColumns:
    """Which columns of models a table has: only those in which a measure has a model."""

    adjusted: EstimateName | None
    interaction: InteractionRow | None
    is_survival: bool = False

    @classmethod
    def of(cls, rows: Sequence[Row]) -> ModelColumns:
        """Columns for the rows of one table; the first model of each kind stands for all."""
        adjusted = (row.adjusted.estimate_name for row in rows if row.adjusted is not None)
        interactions = (one for row in rows if (one := interaction_of(row)) is not None)
        is_survival = any(isinstance(row, SurvivalRow) for row in rows)
        return cls(next(adjusted, None), next(interactions, None), is_survival)

    def headings(self, words: Language) -> tuple[str, ...]:
        """Headings of the columns."""
        _ = words.gettext
        names = {
            EstimateName.ODDS_RATIO: _("Adjusted odds ratio per SD"),
            EstimateName.HAZARD_RATIO: _("Adjusted hazard ratio per SD"),
            EstimateName.DIFFERENCE: _("Adjusted difference (SD)"),
            EstimateName.ETA_SQUARED: _("Adjusted effect (partial eta squared)"),
        }
        found = () if self.adjusted is None else (names[self.adjusted],)
        if self.interaction is None:
            return found
        ratio = (
            _("Ratio of hazard ratios by {column}")
            if self.is_survival
            else _("Ratio of odds ratios by {column}")
        )
        return (*found, ratio.format(column=visible_text(self.interaction.column)))

    def cells(self, row: Row, words: Language) -> tuple[str, ...]:
        """Cells of one measure under these headings."""
        found = () if self.adjusted is None else (_adjusted(row.adjusted, words),)
        if self.interaction is None:
            return found
        return (*found, _interaction(interaction_of(row), words))


def interaction_of(row: Row) -> InteractionRow | None:
    """The interaction of a row; groups have none."""
    return None if isinstance(row, GroupRow) else row.interaction


def format_rate(value: float, words: Language) -> str:
    """A false discovery rate; the smallest are a bound, since no digit of them means anything."""
    smallest = 0.001
    return f"<{words.gap}{words.fixed(smallest, 3)}" if value < smallest else words.fixed(value, 3)


def _adjusted(model: AdjustedRow | None, words: Language) -> str:
    _ = words.gettext
    if model is None:
        return _("not fitted")
    estimate = f"{words.fixed(model.estimate, 2)} {format_interval(model.interval, words, decimals=2)}"
    n = _("n = {n}").format(n=format_count(model.n, words))
    if model.test is None:
        return f"{estimate}, {n}"
    rate = _("FDR {rate}").format(rate=format_rate(model.test.q_value, words))
    return f"{estimate}, F = {words.fixed(model.test.f, 2)}, {rate}, {n}"


def _interaction(model: InteractionRow | None, words: Language) -> str:
    _ = words.gettext
    if model is None:
        return _("not fitted")
    ratios = " · ".join(
        f"{visible_text(one.group)} / {visible_text(model.groups[0])} {words.fixed(one.ratio, 2)} "
        f"{format_interval(one.interval, words, decimals=2)}"
        for one in model.ratios
    )
    is_found = model.q_value < FDR
    said = _("the association differs") if is_found else _("no evidence that the association differs")
    rate = _("FDR {rate}").format(rate=format_rate(model.q_value, words))
    n = _("n = {n}").format(n=format_count(model.n, words))
    return _("{ratios}, {rate}, {n}: {finding}").format(ratios=ratios, rate=rate, n=n, finding=said)


def model_notes(rows: Sequence[Row], words: Language) -> list[str]:
    """What models are adjusted for, and why some measures have none."""
    _ = words.gettext
    covariates = dict.fromkeys(
        name for row in rows if row.adjusted is not None for name in row.adjusted.covariates
    )
    found = []
    if covariates:
        named = ", ".join(map(visible_text, covariates))
        found.append(_("Adjusted for: {columns}.").format(columns=named))
    found += _reasons(
        [row.not_adjusted for row in rows],
        lambda said: _("No adjusted model: {reasons}.").format(reasons=said),
        words,
    )
    products = [None if isinstance(row, GroupRow) else row.no_interaction for row in rows]
    found += _reasons(
        products, lambda said: _("No model of the interaction: {reasons}.").format(reasons=said), words
    )
    if any(interaction_of(row) is not None for row in rows):
        found.append(_("Interactions: likelihood-ratio test, ratios with Wald intervals."))
    return found


def _reasons(
    reasons: Sequence[NoteRecord | None], sentence_of: Callable[[str], str], words: Language
) -> list[str]:
    """One sentence on measures without a model: each reason with its number of measures."""
    counts = Counter(sentence(visible_note(one), words) for one in reasons if one is not None)
    if not counts:
        return []
    said = (
        words.gettext("{n} ({reason})").format(n=format_count(n, words), reason=reason)
        for reason, n in counts.items()
    )
    return [sentence_of(words.gettext("; ").join(said))]
