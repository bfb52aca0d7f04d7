"""One mechanism as the page of a sample shows it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from escape_score.model.record import ApproachRecord, AxisProfile, Call, GeneEvidence, LinkRecord
from escape_score.report.drawing import score_bar
from escape_score.report.messages import note_markup, sentence
from escape_score.report.text.i18n import Language, record_markup, translate_record_text
from escape_score.report.text.numbers import (
    format_fraction,
    format_interval,
    format_percentile,
    format_score,
    format_z,
)
from escape_score.report.text.wording import Badge, call_badge, level_word

N_GENES_IN_ROW = 3
N_GENES_IN_DETAILS = 8


@dataclass(frozen=True)
class GeneView:
    """One gene behind a score; ``z`` in reference spreads, ``log2_tpm`` on the reference's scale."""

    gene_symbol: str
    component: str
    z: str
    log2_tpm: str
    resistant_when: str


@dataclass(frozen=True)
class GenesView:
    """The first genes of a list, those that a row has room for, and how many were left out."""

    in_row: tuple[GeneView, ...]
    n_more_than_row: int
    in_details: tuple[GeneView, ...]
    n_more_than_details: int


@dataclass(frozen=True)
class LinkView:
    """One link of a chain: how far it stands out, and whether its loss could have been seen here."""

    link: str
    z: str
    detectable: str
    statement: str


@dataclass(frozen=True)
class ApproachView:
    """A class of approach that the literature ties to a mechanism."""

    approach: Markup
    statement: Markup
    level: str
    citation: str
    doi: str


@dataclass(frozen=True)
class MechanismView:
    """One row of the table of mechanisms and its folded details."""

    anchor: str
    title: str
    group: str
    mechanism: Markup
    adjusted_for: str
    is_evaluable: bool
    call: Badge
    call_reason: Markup
    score: str
    interval: str
    interval_within: str
    raw_score: str
    percentile: str
    percentile_range: str
    coverage: str
    threshold: str
    weakest_gene: str
    evidence: GenesView
    opposing: GenesView
    links: tuple[LinkView, ...]
    meaning: Markup
    limits: Markup
    approaches: tuple[ApproachView, ...]
    bar: Markup


def mechanism_view(
    axis: AxisProfile, number: int, words: Language, *, approaches: Sequence[ApproachRecord] = ()
) -> MechanismView:
    """Prepare one mechanism."""
    return MechanismView(
        anchor=f"mechanism-{number}",
        title=translate_record_text(axis.title, words),
        group=translate_record_text(axis.group, words),
        mechanism=record_markup(axis.mechanism, words),
        adjusted_for=translate_record_text(axis.adjusted_for or "", words),
        is_evaluable=axis.call is not Call.NOT_EVALUABLE,
        call=call_badge(axis.call, words),
        call_reason=note_markup(axis.call_reason, words),
        score=format_score(axis.score, words),
        interval=format_interval(axis.interval, words),
        interval_within=format_interval(axis.interval_within, words),
        raw_score=_format_raw(axis, words),
        percentile=format_percentile(axis.percentile, axis.percentile_n, words),
        percentile_range=_percentile_range(axis, words),
        coverage=format_fraction(axis.coverage, words),
        threshold=format_score(axis.threshold, words),
        weakest_gene="" if axis.call is Call.NOT_DETECTED else axis.weakest_gene or "",
        evidence=_genes(axis.evidence, words),
        opposing=_genes(axis.opposing, words),
        links=tuple(_link(link, words) for link in axis.links),
        meaning=record_markup(axis.meaning, words),
        limits=record_markup(axis.limits, words),
        approaches=tuple(_approach(item, words) for item in approaches if item.mechanism == axis.axis),
        bar=score_bar(axis, alternative=_bar_alternative(axis, words)),
    )


def _percentile_range(axis: AxisProfile, words: Language) -> str:
    """What the size of the reference leaves open, or why there is no percentile."""
    if axis.percentile is None:
        return "" if axis.percentile_reason is None else sentence(axis.percentile_reason, words)
    return words.gettext("90 % interval {interval}").format(
        interval=format_interval(axis.percentile_interval, words, decimals=0)
    )


def _bar_alternative(axis: AxisProfile, words: Language) -> str:
    return words.gettext("score {score}, 90 % interval {interval}, threshold {threshold}").format(
        score=format_score(axis.score, words),
        interval=format_interval(axis.interval, words),
        threshold=format_score(axis.threshold, words),
    )


def _approach(approach: ApproachRecord, words: Language) -> ApproachView:
    return ApproachView(
        approach=record_markup(approach.approach, words),
        statement=record_markup(approach.statement, words),
        level=level_word(approach.level, words),
        citation=approach.citation,
        doi=approach.doi,
    )


def _link(link: LinkRecord, words: Language) -> LinkView:
    """What is not evaluable may still stand out; that it does not says nothing, which the statement says."""
    _ = words.gettext
    name = (
        _("{first} and {second} together").format(
            first=link.link.partition("+")[0], second=link.link.partition("+")[2]
        )
        if "+" in link.link
        else link.link
    )
    if link.z is None or link.detectable_sd is None:
        statement = _(
            "{link} was not measured, or its expected level is not known. Its loss cannot be assessed."
        )
    elif link.is_evaluable:
        statement = _("A five-fold loss of {link} could be detected in this sample.")
    else:
        statement = _(
            "A five-fold loss of {link} could not be detected reliably in this sample. A loss is therefore "
            "not excluded."
        )
    return LinkView(
        link=name,
        z=_("not known") if link.z is None else format_z(link.z, words),
        detectable=_("not known") if link.detectable_sd is None else format_z(link.detectable_sd, words),
        statement=statement.format(link=name),
    )


def _genes(genes: tuple[GeneEvidence, ...], words: Language) -> GenesView:
    views = tuple(_gene(gene, words) for gene in genes[:N_GENES_IN_DETAILS])
    return GenesView(
        in_row=views[:N_GENES_IN_ROW],
        n_more_than_row=max(0, len(genes) - N_GENES_IN_ROW),
        in_details=views,
        n_more_than_details=max(0, len(genes) - N_GENES_IN_DETAILS),
    )


def _gene(gene: GeneEvidence, words: Language) -> GeneView:
    _ = words.gettext
    return GeneView(
        gene_symbol=gene.gene_symbol,
        component=gene.component.replace("_", " "),
        z=format_z(gene.z, words),
        log2_tpm=words.fixed(gene.log2_tpm, 2),
        resistant_when=_("high") if gene.direction > 0 else _("low"),
    )


def _format_raw(axis: AxisProfile, words: Language) -> str:
    """Format the unadjusted twin of a score, or say why there is none."""
    if axis.has_raw:
        return format_score(axis.raw_score, words)
    return (
        words.gettext("not adjusted") if axis.adjusted_for is None else words.gettext("no unadjusted version")
    )
