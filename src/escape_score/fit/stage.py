"""Fit a reference on a laboratory's own tumours, shrunk towards one of many where theirs are few."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from escape_score.errors import ReferenceUnfittableError
from escape_score.fit.genes import PlacedCohort, fit_genes
from escape_score.fit.scales import (
    Moments,
    contrast_slopes,
    distributions_of,
    drawn_slopes,
    drawn_terms,
    fit_weakest_links,
    pooled_spread,
    rounded,
    typical_detections,
)
from escape_score.model.axes import Design
from escape_score.model.cohort import FloatArray, HarmonisedCohort
from escape_score.model.reference import Reference
from escape_score.model.robust import scaled_mad_rows
from escape_score.model.scores import SignatureScores
from escape_score.profile import build_context, profile_scored
from escape_score.profile.index import profile_index
from escape_score.profile.mhc.presentation_fit import fit_presentation
from escape_score.reference.untrusted import find_untrusted_genes
from escape_score.score import score_signatures

MEDIAN_VARIANCE = np.pi / 2
"""Squared standard error of the median of n normal values, times n, in variances."""

MAX_ANCHOR_CELLS = 10_000_000
"""Values of anchors held at once, 80 MB."""


@dataclass(frozen=True)
class ReferenceLabel:
    """Name of a fitted reference and what it reports of itself.

    Attributes
    ----------
    provenance
        What it was made from; no time, host or path.
    """

    name: str
    description: str
    tumour_type: str
    assay: str
    provenance: Mapping[str, str] = field(default_factory=dict)


def fit_reference(
    cohort: HarmonisedCohort,
    base: Reference,
    *,
    design: Design,
    label: ReferenceLabel,
    min_samples: int,
) -> Reference:
    """Fit a reference on a cohort.

    Parameters
    ----------
    cohort
        log2(TPM + 1), whole transcriptome or panel.
    base
        Reference of many tumours. Its anchors place the cohort, its constants stay, and spreads, slopes and
        weakest links are shrunk towards it with the weight of ``thresholds.fit.fit_prior_samples`` tumours.
    min_samples
        Fewest samples that must be placeable.

    Returns
    -------
    Reference
        Every number has six decimals. The same whatever the order of samples and genes. Genes not to be
        trusted are left out and named.

    Raises
    ------
    ReferenceUnfittableError
        Too few samples could be placed.
    AnchorsMissingError
        The cohort shares too few anchors with the base.
    """
    on_base = score_signatures(cohort, design.signatures, base, design=design)
    placed = PlacedCohort.from_scores(cohort, base, on_base)
    require_samples(len(placed.rows), min_samples, name=label.name, source=cohort.label or cohort.name)
    untrusted = find_untrusted_genes(
        on_base.of_rows(placed.rows).genes, base, design.genes, design.thresholds.untrusted
    ).reasons
    locus = frozenset((*design.locus_genes, *design.control_genes))
    draft = Reference(
        name=label.name,
        description=label.description,
        tumour_type=label.tumour_type,
        assay=label.assay,
        n_samples=len(placed.rows),
        genes=fit_genes(placed, frozenset(untrusted), locus, design.thresholds.fit),
        constants=base.constants,
        anchor_distance=0.0,
        location_variance=rounded(MEDIAN_VARIANCE / len(placed.rows)),
        untrusted_genes=untrusted,
        provenance=label.provenance,
    )
    draft = replace(draft, anchor_distance=rounded(np.median(_held_out_distance(placed, draft))))
    scored = score_signatures(cohort, design.signatures, draft, design=design)
    return _fit_scales(draft, base, scored.of_rows(placed.rows), design)


def require_samples(n_samples: int, min_samples: int, *, name: str, source: str) -> None:
    """Refuse too few samples, with ReferenceUnfittableError."""
    if n_samples < min_samples:
        msg = (
            f"{source}: {n_samples} samples can be placed, reference {name} needs {min_samples}; give more "
            "samples of the same pipeline, or use the shipped reference"
        )
        raise ReferenceUnfittableError(msg)


def _fit_scales(draft: Reference, base: Reference, scores: SignatureScores, design: Design) -> Reference:
    """Fit everything that rests on scores against the fitted genes."""
    n, limits = len(scores.sample_ids), design.thresholds.fit
    slopes = contrast_slopes(scores, design.catalogue.contrasts, Moments.ROBUST)
    draft = replace(
        draft,
        slopes=drawn_slopes(slopes, base.slopes, n / (n + limits.fit_prior_samples)),
        weakest_links=fit_weakest_links(scores, design, base.weakest_links),
        presentation=fit_presentation(scores, draft, design, prior=base.presentation),
    )
    terms = build_context(scores, draft, design).terms
    draft = replace(draft, term_stats=drawn_terms(terms, base, limits))
    raw = profile_index(build_context(scores, draft, design)).raw
    draft = replace(draft, index_stats=_index_stats(raw, base, limits.fit_prior_samples))
    profiles = profile_scored(scores, draft, design)
    return replace(
        draft,
        distributions=distributions_of(scores.sample_ids, profiles),
        typical_detections=typical_detections(profiles),
    )


def _index_stats(raw: FloatArray, base: Reference, prior: float) -> tuple[float, float]:
    """Location and spread of the index's blocks; the base's where no sample has an index."""
    known = raw[~np.isnan(raw)]
    if not len(known):
        return base.index_stats
    spread = float(scaled_mad_rows(known[None, :])[0])
    return rounded(np.median(known)), rounded(pooled_spread(spread, base.index_stats[1], len(known), prior))


def _held_out_distance(placed: PlacedCohort, reference: Reference) -> FloatArray:
    """Anchor distance of every tumour to the median of the others: what a new tumour of the kind will have.

    Against a median that it is part of, a tumour of ten would look nearer than the next one can be.
    """
    column_of = {symbol: i for i, symbol in enumerate(placed.cohort.gene_symbols)}
    anchors = [s for s, yes in zip(reference.genes.symbols, reference.genes.is_anchor, strict=True) if yes]
    # of thousands of tumours, some of the anchors say the same
    step = -(-len(placed.rows) * len(anchors) // MAX_ANCHOR_CELLS)
    columns = np.array([column_of[symbol] for symbol in anchors[::step]], dtype=np.intp)
    values = placed.log2_tpm(columns)
    return np.asarray(scaled_mad_rows(values - leave_one_out_medians(values)))


def leave_one_out_medians(values: FloatArray) -> FloatArray:
    """For each sample the median of all others, by gene; NaN where no other sample was measured.

    ``values`` have shape (n_samples, n_genes), NaN = not measured.
    """
    is_whole = ~np.isnan(values).any(axis=0)
    out = np.full(values.shape, np.nan)
    out[:, is_whole] = _medians_of_others(values[:, is_whole])
    for column in np.flatnonzero(~is_whole):
        known = ~np.isnan(values[:, column])
        if known.any():
            out[~known, column] = np.median(values[known, column])
            out[known, column] = _medians_of_others(values[known, column][:, None])[:, 0]
    return out


def _medians_of_others(values: FloatArray) -> FloatArray:
    """The same for values without gaps: without one row, the median of sorted values moves by one place."""
    n = len(values)
    if n == 1:
        return np.full(values.shape, np.nan)
    ordered = np.sort(values, axis=0)
    ranks = np.argsort(np.argsort(values, axis=0, kind="stable"), axis=0)
    columns = np.arange(values.shape[1])
    middle = ((n - 2) // 2, (n - 1) // 2)
    at = [ordered[np.where(ranks <= place, place + 1, place), columns] for place in middle]
    return np.asarray((at[0] + at[1]) / 2)
