"""Location and spread of every gene in a cohort, on the scale of another reference."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from escape_score.fit.scales import DECIMALS, Moments, locations, pooled_spread, spreads
from escape_score.model.cohort import FloatArray, HarmonisedCohort, iter_blocks
from escape_score.model.notes import Code
from escape_score.model.reference import Reference, ReferenceGenes
from escape_score.model.robust import shifted_log2_tpm
from escape_score.model.scores import SignatureScores
from escape_score.model.thresholds import FitLimits

MIN_SPREAD = 0.5
"""Smallest spread of a gene, log2: below it, z-scores of silent genes are noise."""

MAX_CELLS = 50_000_000
"""Values held at once, 400 MB; a larger cohort is read again for each slice of its genes."""


@dataclass(frozen=True)
class GeneMoments:
    """Location, floored spread and samples measured of some genes, in one order."""

    location: FloatArray = field(repr=False)
    spread: FloatArray = field(repr=False)
    n_samples: npt.NDArray[np.int64] = field(repr=False)


def gene_moments(log2_tpm: FloatArray, moments: Moments) -> GeneMoments:
    """Location and spread of log2(TPM + 1) of genes, shape (n_samples, n_genes); NaN is left out."""
    return GeneMoments(
        location=locations(log2_tpm, moments),
        spread=np.maximum(spreads(log2_tpm, moments), MIN_SPREAD),
        n_samples=(~np.isnan(log2_tpm)).sum(axis=0),
    )


@dataclass(frozen=True)
class PlacedCohort:
    """A cohort with its place on the scale of ``base``; ``rows`` are the samples to fit on, by id."""

    cohort: HarmonisedCohort
    base: Reference
    rows: npt.NDArray[np.intp] = field(repr=False)
    offset_log2: FloatArray = field(repr=False)
    is_locus_low: npt.NDArray[np.bool_] = field(repr=False)

    @classmethod
    def from_scores(cls, cohort: HarmonisedCohort, base: Reference, scores: SignatureScores) -> PlacedCohort:
        """Take the samples that could be placed, and whose low values are those of their unit."""
        placement = scores.placement
        is_sound = [not cohort.flags.has(one, Code.FLOOR_SUSPECT) for one in scores.sample_ids]
        placed = np.flatnonzero(~np.isnan(placement.offset_log2) & np.array(is_sound, dtype=bool))
        rows = np.array(sorted(placed, key=lambda row: scores.sample_ids[row]), dtype=np.intp)
        return cls(cohort, base, rows, placement.offset_log2, placement.is_mhc_locus_unquantified)

    def log2_tpm(self, columns: npt.NDArray[np.intp]) -> FloatArray:
        """Placed values of some genes, shape (n_rows, n_columns)."""
        blocks = [block[:, columns] for _, block in iter_blocks(self.cohort.source)]
        return shifted_log2_tpm(np.concatenate(blocks)[self.rows], self.offset_log2[self.rows])


def fit_genes(
    placed: PlacedCohort, left_out: frozenset[str], locus_genes: frozenset[str], limits: FitLimits
) -> ReferenceGenes:
    """Fit the genes of a cohort that the base reference knows.

    Parameters
    ----------
    left_out
        Genes not to be trusted.
    locus_genes
        Genes of 6p21. Samples in which the locus was under-quantified say nothing of them; where too few are
        left, they keep the base's values, so that the fault is still seen in every sample.

    Returns
    -------
    ReferenceGenes
        In the order of the base. Locations are the cohort's own medians: between pipelines a gene's level
        differs by 0.8 to 1.6 log2, up to five times the error of a median of ten tumours, so that shrinking
        it would only bring the other pipeline in. Spreads differ less, and are shrunk towards the base's.
    """
    base, column_of = placed.base.genes, {s: i for i, s in enumerate(placed.cohort.gene_symbols)}
    kept = np.array(
        [i for i, s in enumerate(base.symbols) if s in column_of and s not in left_out], dtype=np.intp
    )
    columns = np.array([column_of[base.symbols[i]] for i in kept], dtype=np.intp)
    is_locus = np.array([base.symbols[i] in locus_genes for i in kept], dtype=bool)
    own = _moments_in_slices(placed, columns, is_locus)
    is_known = own.n_samples >= limits.min_fit_samples
    is_kept = is_known | is_locus
    spread = pooled_spread(
        np.nan_to_num(own.spread),
        base.spread[kept],
        own.n_samples.astype(np.float64),
        limits.fit_prior_samples,
    )
    location = np.where(is_known, own.location, base.location[kept])
    spread = np.where(is_known, spread, base.spread[kept])
    return ReferenceGenes(
        symbols=tuple(base.symbols[i] for i in kept[is_kept]),
        location=np.round(location[is_kept], DECIMALS),
        spread=np.round(spread[is_kept], DECIMALS),
        is_anchor=base.is_anchor[kept][is_kept],
        n_samples=own.n_samples[is_kept],
    )


def _moments_in_slices(
    placed: PlacedCohort, columns: npt.NDArray[np.intp], is_locus: npt.NDArray[np.bool_]
) -> GeneMoments:
    """Moments of genes, a slice of them at a time."""
    size = max(1, MAX_CELLS // max(1, len(placed.cohort.sample_ids)))
    is_low = placed.is_locus_low[placed.rows]
    parts = []
    for start in range(0, len(columns), size):
        values = placed.log2_tpm(columns[start : start + size])
        values[np.ix_(is_low, is_locus[start : start + size])] = np.nan
        parts.append(gene_moments(values, Moments.ROBUST))
    names = GeneMoments.__dataclass_fields__
    return GeneMoments(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))
