"""One mechanism as the page of a sample shows it."""

from __future__ import annotations

from dataclasses import dataclass
from gettext import NullTranslations

from markupsafe import Markup

from escape_score.model.record import AxisProfile, Call, GeneEvidence
from escape_score.report.i18n import translate_record_text
from escape_score.report.numbers import (
    format_fraction,
    format_interval,
    format_percentile,
    format_score,
    format_z,
)
from escape_score.report.svg import score_bar
from escape_score.report.wording import Badge, call_badge

N_GENES_IN_ROW = 4
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
class MechanismView:
    """One row of the table of mechanisms and its folded details."""

    anchor: str
    title: str
    mechanism: str
    adjusted_for: str
    is_evaluable: bool
    call: Badge
    call_reason: str
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
    meaning: str
    limits: str
    bar: Markup


def mechanism_view(axis: AxisProfile, number: int, words: NullTranslations) -> MechanismView:
    """Prepare one mechanism.

    Parameters
    ----------
    axis
        The mechanism in one sample.
    number
        Its place on the page, from 1; names the anchor, as ids from outside never do.
    words
        Translations of the page.

    Returns
    -------
    MechanismView
        Finished texts.
    """
    return MechanismView(
        anchor=f"mechanism-{number}",
        title=translate_record_text(axis.title, words),
        mechanism=translate_record_text(axis.mechanism, words),
        adjusted_for=translate_record_text(axis.adjusted_for or "", words),
        is_evaluable=axis.call is not Call.NOT_EVALUABLE,
        call=call_badge(axis.call, words),
        call_reason=axis.call_reason,
        score=format_score(axis.score, words),
        interval=format_interval(axis.interval, words),
        interval_within=format_interval(axis.interval_within, words),
        raw_score=_format_raw(axis, words),
        percentile=format_percentile(axis.percentile, axis.percentile_n, words),
        percentile_range=_percentile_range(axis, words),
        coverage=format_fraction(axis.coverage, words),
        threshold=format_score(axis.threshold, words),
        weakest_gene=axis.weakest_gene or "",
        evidence=_genes(axis.evidence, words),
        opposing=_genes(axis.opposing, words),
        meaning=translate_record_text(axis.meaning, words),
        limits=translate_record_text(axis.limits, words),
        bar=score_bar(axis, alternative=_bar_alternative(axis, words)),
    )


def _percentile_range(axis: AxisProfile, words: NullTranslations) -> str:
    """What the size of the reference leaves open, or why there is no percentile."""
    if axis.percentile is None:
        return translate_record_text(axis.percentile_reason or "", words)
    return words.gettext("90 % interval {interval}").format(
        interval=format_interval(axis.percentile_interval, words, decimals=0)
    )


def _bar_alternative(axis: AxisProfile, words: NullTranslations) -> str:
    return words.gettext("score {score}, 90 % interval {interval}, threshold {threshold}").format(
        score=format_score(axis.score, words),
        interval=format_interval(axis.interval, words),
        threshold=format_score(axis.threshold, words),
    )


def _genes(genes: tuple[GeneEvidence, ...], words: NullTranslations) -> GenesView:
    views = tuple(_gene(gene, words) for gene in genes[:N_GENES_IN_DETAILS])
    return GenesView(
        in_row=views[:N_GENES_IN_ROW],
        n_more_than_row=max(0, len(genes) - N_GENES_IN_ROW),
        in_details=views,
        n_more_than_details=max(0, len(genes) - N_GENES_IN_DETAILS),
    )


def _gene(gene: GeneEvidence, words: NullTranslations) -> GeneView:
    _ = words.gettext
    return GeneView(
        gene_symbol=gene.gene_symbol,
        component=gene.component.replace("_", " "),
        z=format_z(gene.z),
        log2_tpm=f"{gene.log2_tpm:z.2f}",
        resistant_when=_("high") if gene.direction > 0 else _("low"),
    )


def _format_raw(axis: AxisProfile, words: NullTranslations) -> str:
    """Format the unadjusted twin of a score, or say why there is none."""
    if axis.has_raw:
        return format_score(axis.raw_score, words)
    return words.gettext("not adjusted") if axis.adjusted_for is None else words.gettext("no twin")
