"""Mechanisms of the first screen: ranked by how far their score is beyond its threshold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from escape_score.model.record import AxisProfile, Call, EscapeProfile
from escape_score.report.messages import N_
from escape_score.report.text.i18n import Language, translate_record_text
from escape_score.report.text.numbers import format_count, format_score, written_percentile
from escape_score.report.text.wording import Badge

STRONG_BEYOND = 1.0
"""A detected mechanism is strong from this distance beyond its threshold on, in reference SD.

Set in advance, one variant: one SD of the reference. It orders the page and decides no call.
"""


class Strength(StrEnum):
    """How clearly a mechanism was found."""

    STRONG = "strong"
    MODERATE = "moderate"
    BORDERLINE = "borderline"


_BADGES = {
    Strength.STRONG: Badge(N_("strong"), "▲▲", "found"),
    Strength.MODERATE: Badge(N_("moderate"), "▲", "found"),
    Strength.BORDERLINE: Badge(N_("borderline"), "△", "maybe"),
}


@dataclass(frozen=True)
class Ranked:
    """One mechanism of the first screen; ``place`` is its percentile in words, empty where there is none."""

    title: str
    gene: str
    anchor: str
    strength: Badge
    score: str
    place: str
    is_decisive: bool


def strength_of(axis: AxisProfile) -> Strength | None:
    """Strength of a mechanism that is detected or borderline; None for all others."""
    if axis.score is None or axis.call not in (Call.DETECTED, Call.BORDERLINE):
        return None
    if axis.call is Call.BORDERLINE:
        return Strength.BORDERLINE
    return Strength.STRONG if axis.score - axis.threshold >= STRONG_BEYOND else Strength.MODERATE


def strongest_first(axes: Sequence[AxisProfile], decisive: Sequence[str]) -> tuple[AxisProfile, ...]:
    """Mechanisms that are detected or borderline: decisive losses, then by strength, then by distance."""
    found = [(strength, axis) for axis in axes if (strength := strength_of(axis)) is not None]
    order = list(Strength)

    def key(pair: tuple[Strength, AxisProfile]) -> tuple[bool, int, float]:
        strength, axis = pair
        return axis.axis not in decisive, order.index(strength), axis.threshold - (axis.score or 0.0)

    return tuple(axis for _, axis in sorted(found, key=key))


def ranked(profile: EscapeProfile, words: Language) -> tuple[Ranked, ...]:
    """What the first screen lists of a profile."""
    number = {axis.axis: at for at, axis in enumerate(profile.axes, start=1)}
    return tuple(
        Ranked(
            title=translate_record_text(axis.title, words),
            gene=axis.weakest_gene or "",
            anchor=f"mechanism-{number[axis.axis]}",
            strength=_badge(axis, words),
            score=format_score(axis.score, words),
            place=percentile_words(axis, words, is_cohort=profile.reference.is_cohort),
            is_decisive=axis.axis in profile.decisive_mechanisms,
        )
        for axis in strongest_first(profile.axes, profile.decisive_mechanisms)
    )


def _badge(axis: AxisProfile, words: Language) -> Badge:
    found = _BADGES[strength_of(axis) or Strength.BORDERLINE]
    return Badge(words.gettext(found.word), found.symbol, found.css_class)


def percentile_words(axis: AxisProfile, words: Language, *, is_cohort: bool) -> str:
    """Write a percentile as a sentence part; empty where there is none."""
    if axis.percentile is None:
        return ""
    _ = words.gettext
    cohort, reference = (
        _("percentile {rank} of the {n} tumours of this cohort"),
        _("percentile {rank} of the {n} tumours of the reference"),
    )
    rank = written_percentile(axis.percentile, words)
    return (cohort if is_cohort else reference).format(rank=rank, n=format_count(axis.percentile_n, words))
