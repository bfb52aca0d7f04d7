"""Find samples in which the whole MHC locus (6p21) was under-quantified.

Alternative haplotypes of 6p21 in a genome index draw reads away from it. The MHC genes then look lost, and so
do their neighbours without a role in immunity. That separates a pipeline from a tumour, in one sample.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from escape_score.model.cohort import FloatArray
from escape_score.model.robust import nanmedian_rows
from escape_score.model.thresholds import LocusLimits
from escape_score.score.placement import Alignment

CLASS_1_OF_LOCUS = ("HLA-A", "HLA-B", "HLA-C", "HLA-E", "HLA-F")
CLASS_2_OF_LOCUS = ("HLA-DRA", "HLA-DPA1", "HLA-DPB1", "HLA-DQA1", "HLA-DRB1")
CLASS_1_ELSEWHERE = "B2M"
CLASS_2_ELSEWHERE = "CD74"
MIN_GENES_OF_CLASS = 3


def is_mhc_locus_unquantified(
    placed: FloatArray, alignment: Alignment, control_genes: Sequence[str], limits: LocusLimits
) -> npt.NDArray[np.bool_]:
    """Tell for each sample whether 6p21 as a whole is low.

    Parameters
    ----------
    placed
        Shape (n_samples, n_aligned), log2(TPM + 1) on the reference's scale.
    control_genes
        Genes of 6p21 without a role in antigen presentation.

    Returns
    -------
    numpy.ndarray
        Shape (n_samples,). Where too few controls are measured, class I far below B2M (chromosome 15)
        together with class II far below CD74 (chromosome 5) says the same.
    """
    shift = placed - alignment.location
    controls = alignment.positions(control_genes)
    if len(controls) >= limits.min_mhc_controls:
        return np.less(nanmedian_rows(shift[:, controls]), limits.mhc_control_log2)
    return np.less(_smaller_gap(shift, alignment), limits.mhc_panel_gap_log2)


def mhc_locus_doubt(
    placed: FloatArray, alignment: Alignment, control_genes: Sequence[str], limits: LocusLimits
) -> FloatArray:
    """By how much 6p21 may be under-quantified without anything that would show it, shape (n_samples,), log2.

    0 where its control genes are measured, or where class I or class II is as high as its partner elsewhere.
    Takes what :func:`is_mhc_locus_unquantified` takes.
    """
    if len(alignment.positions(control_genes)) >= limits.min_mhc_controls:
        return np.zeros(len(placed))
    gap = _smaller_gap(placed - alignment.location, alignment)
    return np.maximum(-np.nan_to_num(gap, nan=0.0), 0.0)


def _smaller_gap(shift: FloatArray, alignment: Alignment) -> FloatArray:
    """The gap of the class that is nearer to its partner: both must be low for the locus to be."""
    class_1 = _gap(shift, alignment, CLASS_1_OF_LOCUS, CLASS_1_ELSEWHERE)
    return np.maximum(class_1, _gap(shift, alignment, CLASS_2_OF_LOCUS, CLASS_2_ELSEWHERE))


def _gap(shift: FloatArray, alignment: Alignment, of_locus: Sequence[str], elsewhere: str) -> FloatArray:
    """Median shift of genes of the locus minus that of their partner elsewhere.

    NaN where too few are measured.
    """
    genes, partner = alignment.positions(of_locus), alignment.positions((elsewhere,))
    if len(genes) < MIN_GENES_OF_CLASS or not len(partner):
        return np.full(len(shift), np.nan)
    return nanmedian_rows(shift[:, genes]) - shift[:, partner[0]]
