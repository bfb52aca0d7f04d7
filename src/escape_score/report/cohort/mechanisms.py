"""Calls and scores of every mechanism over a cohort."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from statistics import median
from types import MappingProxyType

from markupsafe import Markup

from escape_score.model.record import AxisProfile, Call, Quantiles
from escape_score.report.drawing import distribution
from escape_score.report.text.i18n import Language, translate_record_text
from escape_score.report.text.numbers import format_score


@dataclass(frozen=True)
class MechanismSummary:
    """One mechanism over the cohort; ``median_score`` over the samples where it is evaluable."""

    key: str
    title: str
    group: str
    n_detected: int
    n_not_detected: int
    n_not_evaluable: int
    median_score: str
    drawing: Markup


@dataclass
class MechanismTally:
    """Calls and scores of one mechanism so far."""

    key: str
    title: str
    group: str
    quantiles: Quantiles
    calls: Counter[Call] = field(default_factory=Counter)
    scores: list[float] = field(default_factory=list)

    def summary(self, words: Language) -> MechanismSummary:
        """Close the tally."""
        middle = format_score(median(self.scores) if self.scores else None, words)
        return MechanismSummary(
            key=self.key,
            title=self.title,
            group=self.group,
            n_detected=self.calls[Call.DETECTED],
            n_not_detected=self.calls[Call.NOT_DETECTED],
            n_not_evaluable=self.calls[Call.NOT_EVALUABLE],
            median_score=middle,
            drawing=distribution(self.scores, self.quantiles, alternative=self._alternative(middle, words)),
        )

    def _alternative(self, middle: str, words: Language) -> str:
        if self.quantiles is None:
            return words.gettext("scores of the cohort, median {middle}").format(middle=middle)
        low, _, median_of_reference, _, high = (format_score(value, words) for value in self.quantiles)
        return words.gettext(
            "scores of the cohort, median {middle}; 90 % of the reference lie from {low} to {high}, "
            "median {reference}"
        ).format(middle=middle, low=low, high=high, reference=median_of_reference)


@dataclass
class MechanismTallies:
    """The mechanisms seen so far, in the order in which profiles name them."""

    _tallies: dict[str, MechanismTally] = field(default_factory=dict)

    @property
    def by_axis(self) -> Mapping[str, MechanismTally]:
        """Tallies by the id of their axis."""
        return MappingProxyType(self._tallies)

    def add(self, axes: tuple[AxisProfile, ...], words: Language) -> None:
        """Count the mechanisms of one sample."""
        for axis in axes:
            tally = self._tallies.get(axis.axis)
            if tally is None:
                title, group = (translate_record_text(text, words) for text in (axis.title, axis.group))
                tally = MechanismTally(f"m{len(self._tallies)}", title, group, axis.reference_quantiles)
                self._tallies[axis.axis] = tally
            tally.calls[axis.call] += 1
            if axis.score is not None:
                tally.scores.append(axis.score)

    def summaries(self, words: Language) -> tuple[MechanismSummary, ...]:
        """Close all tallies."""
        return tuple(tally.summary(words) for tally in self._tallies.values())
