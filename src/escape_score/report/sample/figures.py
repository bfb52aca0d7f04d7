"""Figures of a sample's page: all mechanisms, genes of a mechanism, kinds of cells, drug targets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from markupsafe import Markup

from escape_score.model.record import AxisProfile, Call, EscapeProfile, GeneEvidence, Interval
from escape_score.report.drawing import ZLine, gene_strip, portrait_axis, portrait_line, z_line
from escape_score.report.text.i18n import Language, translate_record_text
from escape_score.report.text.numbers import format_interval, format_score, format_z

N_GENES = 8
"""Genes of each kind that a strip draws, as many as the table of genes shows."""


class PortraitRow(NamedTuple):
    """One mechanism of the portrait; ``score`` is written next to its line."""

    title: str
    anchor: str
    score: str
    line: Markup


@dataclass(frozen=True)
class Family:
    """Mechanisms of one family."""

    title: str
    rows: tuple[PortraitRow, ...]


class LevelRow(NamedTuple):
    """A kind of cells or a drug target: its name, the symbol of its gene, z in words, drawing."""

    title: str
    gene: str
    z: str
    line: Markup


def portrait(profile: EscapeProfile, words: Language) -> tuple[Family, ...]:
    """All mechanisms on the distributions of the reference, by family in the order of the record."""
    families, is_cohort = dict[str, list[PortraitRow]](), profile.reference.is_cohort
    for number, axis in enumerate(profile.axes, start=1):
        interval = axis.interval_within if is_cohort else axis.interval
        score = _shown_score(axis)
        written = format_score(score, words)
        row = PortraitRow(
            title=translate_record_text(axis.title, words),
            anchor=f"mechanism-{number}",
            score=written,
            line=portrait_line(
                axis, score, interval, alternative=_said_of_score(score, written, interval, words)
            ),
        )
        families.setdefault(axis.group, []).append(row)
    return tuple(Family(translate_record_text(name, words), tuple(rows)) for name, rows in families.items())


def _shown_score(axis: AxisProfile) -> float | None:
    """The score; none where the mechanism was not evaluable."""
    return None if axis.call is Call.NOT_EVALUABLE else axis.score


def _said_of_score(score: float | None, written: str, interval: Interval | None, words: Language) -> str:
    """What the line of a mechanism shows, in words."""
    if score is None:
        return words.gettext("not evaluable")
    said = words.gettext("score {score}, 90 % interval {interval}")
    return said.format(score=written, interval=format_interval(interval, words))


def axis_of_portrait(words: Language) -> Markup:
    """The scale above the portrait."""
    return portrait_axis(alternative=words.gettext("scale from −4 to +4 reference SD"))


def genes_drawing(axis: AxisProfile, words: Language) -> Markup:
    """Genes of a mechanism that was called: numerator and denominator apart; empty for all others."""
    if axis.call not in (Call.DETECTED, Call.BORDERLINE):
        return Markup("")
    above = (*_lines(axis.evidence, "found"), *_lines(axis.opposing, ""))
    below = _lines(axis.denominator, "below")
    if not above:
        return Markup("")
    return gene_strip(above, below, alternative=_said_of_genes(axis, words))


def _lines(genes: Sequence[GeneEvidence], css_class: str) -> list[ZLine]:
    return [ZLine(gene.gene_symbol, gene.z, css_class) for gene in genes[:N_GENES]]


def _said_of_genes(axis: AxisProfile, words: Language) -> str:
    """The same in words: each gene with its z."""
    z = words.signed_to[1]

    def listed(genes: Sequence[GeneEvidence]) -> str:
        return ", ".join([f"{gene.gene_symbol} {z(gene.z)}" for gene in genes[:N_GENES]])

    above = ", ".join(filter(None, (listed(axis.evidence), listed(axis.opposing))))
    said = words.gettext("z of the genes of the score: {genes}").format(genes=above)
    if not axis.denominator:
        return said
    below = words.gettext("z of the genes that it is relative to: {genes}")
    return f"{said}; {below.format(genes=listed(axis.denominator))}"


def composition_rows(profile: EscapeProfile, words: Language) -> tuple[LevelRow, ...]:
    """Kinds of cells against the reference."""
    return tuple(
        _level_row(translate_record_text(level.title, words), "", level.z, words)
        for level in profile.composition
    )


def target_rows(profile: EscapeProfile, words: Language) -> tuple[LevelRow, ...]:
    """Drug targets against the reference."""
    return tuple(
        _level_row(translate_record_text(one.name, words), one.gene_symbol, one.z, words)
        for one in profile.targets
    )


def _level_row(title: str, gene: str, z: float | None, words: Language) -> LevelRow:
    written = words.gettext("not evaluable") if z is None else format_z(z, words)
    return LevelRow(title, gene, written, z_line(z, alternative=f"z {written}"))
