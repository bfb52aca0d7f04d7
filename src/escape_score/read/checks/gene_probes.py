"""Figures of a few thousand known genes: length bias, low end and whole numbers of each sample.

The genes are fixed by the shipped reference, so that no figure depends on the other samples or on the order
of rows. They are: every eighth anchor, every sixteenth gene that the reference hardly expresses, and
every 32nd gene of all.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields
from functools import cache

import numpy as np
import numpy.typing as npt

from escape_score.genes import load_gene_table
from escape_score.model.cohort import FloatArray
from escape_score.reference.read import load_reference, read_length_factors

ANCHOR_STEP, SILENT_STEP, OVERALL_STEP = 8, 16, 32
SILENT_LOG2 = 0.1
"""Genes at or below this mean log2(TPM + 1) are hardly expressed in the reference: 3,863 of 20,348."""

MIN_ANCHORS = 200
"""Fewer detected anchors give no length slope: its standard error would exceed 0.08."""

MIN_OVERALL = 150
"""Fewer genes give no low quantile: 5 % of them are 8."""

MIN_SILENT = 24
"""A tenth of the silent genes looked at; a matrix that lost more was filtered by expression."""

MIN_SMALL = 50
"""Small values from which whole numbers behind a logarithm are recognised."""

LARGEST_SMALL = 64.0
"""Largest value looked at: a logarithm rounded to three decimals moves it by 64 × ln 2 × 0.0005 = 0.02."""

WHOLE_TOLERANCE = 0.02

MIN_SPIKE, N_NEXT = 5.0, 5
"""Cells at the lowest value, as a multiple of the mean number at the next five, from which they are lifted
zeros and no cut. In 16 tumours, cuts of counts have 0.2 to 3.5 and TPM in whole numbers 0.4 to 1.8;
log2(counts + 8) has 9 and more, log2(TPM + 8) 17 and more."""

FLOOR_TOLERANCE = 1e-4
"""Values this close to the lowest one are the same value but for rounding."""

MILLION = 1e6

IntArray = npt.NDArray[np.intp]
BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class GeneProbes:
    """Columns of a matrix that are looked at, in the order of the reference.

    Attributes
    ----------
    anchors, silent, overall
        Columns of genes that one row of the matrix names.
    design
        Shape (n_anchors, 3): 1, log2 length factor, and log2(TPM + 1) in the reference.
    products
        Shape (n_anchors, 9): products of all pairs of columns of the design.
    """

    anchors: IntArray = field(repr=False)
    silent: IntArray = field(repr=False)
    overall: IntArray = field(repr=False)
    design: FloatArray = field(repr=False)
    products: FloatArray = field(repr=False)

    @classmethod
    def of(cls, gene_ids: Sequence[str]) -> GeneProbes:
        """Find the genes in a matrix; a gene of several rows is left out."""
        column: dict[str, int] = {}
        for at, mapping in enumerate(load_gene_table().map_genes(gene_ids)):
            if mapping.gene_symbol is not None:
                column[mapping.gene_symbol] = -1 if mapping.gene_symbol in column else at
        shipped = _shipped_genes()
        anchors, silent, overall = (
            [(column[gene], row) for gene, row in genes if column.get(gene, -1) >= 0]
            for genes in (shipped.anchors, shipped.silent, shipped.overall)
        )
        design = shipped.design[[row for _, row in anchors]].reshape(-1, 3)
        columns = [np.array([at for at, _ in found], dtype=np.intp) for found in (anchors, silent, overall)]
        products = np.einsum("gi,gj->gij", design, design).reshape(len(design), 9)
        return cls(columns[0], columns[1], columns[2], design, products)


@dataclass(frozen=True, eq=False)
class ProbeFigures:
    """Figures of the known genes in each sample; arrays have shape (n_samples,), NaN where not known.

    Attributes
    ----------
    length_slope, response
        Coefficients of log2 length and of the reference's log2 level in the log2 values of the anchors: 1 and
        1 where values grow with gene length as counts do, 0 and 1 where they were divided by it.
    anchor_zeros
        Share of the anchors that are not detected.
    silent_low
        10 % quantile, in log2(TPM + 1), of genes that the reference hardly expresses.
    low_end, low_end_share, low_5
        Lowest log2(TPM + 1) of all genes looked at, the share of genes there, and the 5 % quantile.
    whole_share, whole_behind_log2, whole_behind_ln
        Share of whole numbers among values of 1 to 64: as they are, and after undoing a logarithm.
    """

    length_slope: FloatArray
    response: FloatArray
    anchor_zeros: FloatArray
    silent_low: FloatArray
    low_end: FloatArray
    low_end_share: FloatArray
    low_5: FloatArray
    whole_share: FloatArray
    whole_behind_log2: FloatArray
    whole_behind_ln: FloatArray


@dataclass(frozen=True, eq=False)
class _ShippedGenes:
    """Genes and their rows in ``design``."""

    anchors: list[tuple[str, int]]
    silent: list[tuple[str, int]]
    overall: list[tuple[str, int]]
    design: FloatArray


@cache
def _shipped_genes() -> _ShippedGenes:
    """The genes of the shipped reference that are looked at."""
    genes, factors = load_reference().genes, read_length_factors()
    lengths = np.array([factors.get(symbol, np.nan) for symbol in genes.symbols])
    is_own = np.isfinite(lengths) & (lengths != np.nanmedian(lengths))
    design = np.column_stack([np.ones(len(lengths)), np.log2(lengths), genes.location])
    rows = list(enumerate(genes.symbols))
    anchors = [(symbol, row) for row, symbol in rows if genes.is_anchor[row] and is_own[row]]
    silent = [(symbol, row) for row, symbol in rows if genes.location[row] <= SILENT_LOG2]
    overall = [(symbol, row) for row, symbol in rows]
    return _ShippedGenes(anchors[::ANCHOR_STEP], silent[::SILENT_STEP], overall[::OVERALL_STEP], design)


def probe_figures(
    values: FloatArray, probes: GeneProbes, *, lowest: FloatArray, is_low: BoolArray, total: FloatArray
) -> ProbeFigures:
    """Figures of a few samples; NaN where too few of the genes are measured.

    Parameters
    ----------
    values
        Shape (n_samples, n_genes), in the unit of the file.
    lowest, total
        Lowest value and sum of each sample.
    is_low
        Samples whose values are small enough to be logarithms. They are taken as they are, others as log2.
    """
    anchors, overall = np.take(values, probes.anchors, axis=1), np.take(values, probes.overall, axis=1)
    undetected = np.where(is_low, lowest, 0.0)[:, None]
    is_detected, n_measured = anchors > undetected, np.isfinite(anchors).sum(axis=1)
    slope, response = _length_slope(anchors, is_detected, probes, is_low)
    zeros = 1.0 - is_detected.sum(axis=1) / np.maximum(n_measured, 1)
    silent = _quantile(np.take(values, probes.silent, axis=1), 0.1, MIN_SILENT)
    low_end, low_end_share = _low_end(overall)
    return ProbeFigures(
        length_slope=slope,
        response=response,
        anchor_zeros=np.where(n_measured >= MIN_ANCHORS, zeros, np.nan),
        silent_low=_log2_tpm(silent, is_low, total),
        low_end=_log2_tpm(low_end, is_low, total),
        low_end_share=low_end_share,
        low_5=_log2_tpm(_quantile(overall, 0.05, MIN_OVERALL), is_low, total),
        whole_share=_whole_share(overall, ~is_low),
        whole_behind_log2=_whole_share(overall, is_low, lambda logs: np.exp2(logs) - 1.0),
        whole_behind_ln=_whole_share(overall, is_low, np.expm1),
    )


def joined_figures(parts: Sequence[ProbeFigures]) -> ProbeFigures:
    """Figures of all samples, in their order."""
    columns = ([getattr(part, one.name) for part in parts] for one in fields(ProbeFigures))
    return ProbeFigures(*(np.concatenate([np.empty(0), *pieces]) for pieces in columns))


def _length_slope(
    values: FloatArray, is_used: BoolArray, probes: GeneProbes, is_low: BoolArray
) -> tuple[FloatArray, FloatArray]:
    """Coefficients of log2 length and of the reference in the log2 value of the anchors, by least squares."""
    logs = np.where(is_used, values, 1.0)
    logs[~is_low] = np.log2(logs[~is_low])
    weight = is_used.astype(np.float64)
    logs *= weight
    # einsum and not a product of matrices, whose sums depend on the number of samples
    normal = np.einsum("sg,gk->sk", weight, probes.products).reshape(-1, 3, 3)
    right = np.einsum("sg,gk->sk", logs, probes.design)
    is_known = is_used.sum(axis=1) >= MIN_ANCHORS
    found = np.full((len(values), 3), np.nan)
    found[is_known] = np.linalg.solve(normal[is_known], right[is_known][:, :, None])[:, :, 0]
    return found[:, 1], found[:, 2]


def _log2_tpm(values: FloatArray, is_low: BoolArray, total: FloatArray) -> FloatArray:
    """log2(x + 1) of one value a sample, brought to a sum of one million; small values as they are."""
    tpm = values * np.where(total > 0, MILLION / np.where(total > 0, total, 1.0), 0.0)
    return np.where(is_low, values, np.log2(np.maximum(tpm, 0.0) + 1.0))


def _quantile(values: FloatArray, share: float, least: int) -> FloatArray:
    """The value that this share of the measured cells of a sample does not exceed."""
    found = np.full(len(values), np.nan)
    n_measured = np.isfinite(values).sum(axis=1)
    if values.shape[1] < least:
        return found
    for row in np.flatnonzero(n_measured >= least):
        at = int(share * (n_measured[row] - 1))
        found[row] = np.partition(values[row], at)[at]  # NaN last
    return found


def _low_end(values: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Lowest value of each sample, and the share of its cells there; 0 where these are no spike."""
    n_measured = np.isfinite(values).sum(axis=1)
    lowest = np.fmin.reduce(values, axis=1, initial=np.inf)
    limit = lowest + FLOOR_TOLERANCE * np.maximum(np.abs(lowest), 1.0)
    n_lowest = (values <= limit[:, None]).sum(axis=1)
    is_spike = n_lowest >= MIN_SPIKE * np.array(list(map(_next_values, values, limit)))
    share = np.where(is_spike, n_lowest / np.maximum(n_measured, 1), 0.0)
    is_known = n_measured >= MIN_OVERALL
    return np.where(is_known, lowest, np.nan), np.where(is_known, share, np.nan)


def _next_values(values: FloatArray, limit: float) -> float:
    """Mean number of cells at the five values next to the lowest one."""
    _, counts = np.unique(values[values > limit], return_counts=True)  # NaN is above nothing
    return float(counts[:N_NEXT].mean()) if len(counts) else 0.0


def _whole_share(
    values: FloatArray, chosen: BoolArray, undo: Callable[[FloatArray], FloatArray] = np.asarray
) -> FloatArray:
    """Share of whole numbers among the values of 1 to 64 of some samples, NaN for the others."""
    shares = np.full(len(values), np.nan)
    undone = undo(values[chosen])
    is_small = (undone > 1.0 - WHOLE_TOLERANCE) & (undone <= LARGEST_SMALL)
    n_small = is_small.sum(axis=1)
    is_whole = is_small & (np.abs(undone - np.rint(undone)) <= WHOLE_TOLERANCE)
    shares[chosen] = np.where(n_small >= MIN_SMALL, is_whole.sum(axis=1) / np.maximum(n_small, 1), np.nan)
    return shares
