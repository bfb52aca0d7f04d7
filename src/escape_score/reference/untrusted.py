"""Genes that a pipeline did not count right, by what all samples of a cohort share.

Such genes never change a number by themselves: they raise flags, or are left out by a reference that is
fitted on the cohort and stores their list.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np

from escape_score.model.reference import Reference
from escape_score.model.scores import GeneValues
from escape_score.model.thresholds import UntrustedLimits

CLASS_1_SIBLINGS = ("HLA-A", "HLA-B", "HLA-C", "HLA-E", "HLA-F", "B2M", "TAP1", "TAP2")
"""Expressed together, so that one far below the others in a whole cohort is the pipeline's doing."""

NEAR_ZERO = "near zero in nearly all samples"
SIBLINGS = "far below its MHC class I siblings in the whole cohort"


@dataclass(frozen=True)
class UntrustedGenes:
    """Genes of a cohort that its pipeline did not count right, in the order of the reference."""

    near_zero: tuple[str, ...] = ()
    below_siblings: tuple[str, ...] = ()

    @property
    def reasons(self) -> dict[str, str]:
        """Gene to reason."""
        return dict.fromkeys(self.near_zero, NEAR_ZERO) | dict.fromkeys(self.below_siblings, SIBLINGS)


def find_untrusted_genes(
    genes: GeneValues, reference: Reference, used: Collection[str], limits: UntrustedLimits
) -> UntrustedGenes:
    """Look for genes that nearly the whole cohort lacks, or that are far below their siblings.

    Parameters
    ----------
    genes
        Placed on the reference; a value that placement did not trust is NaN in ``z``. None is found in fewer
        samples than ``min_cohort_checks``.
    used
        Genes that any component uses; others are not looked at.
    """
    location = dict(zip(reference.genes.symbols, reference.genes.location, strict=True))
    is_known = ~np.isnan(genes.z) & ~np.isnan(genes.log2_tpm)
    levels = {
        symbol: genes.log2_tpm[is_known[:, i], i]
        for i, symbol in enumerate(genes.gene_symbols)
        if symbol in used and is_known[:, i].sum() >= limits.min_cohort_checks
    }
    near_zero = tuple(
        symbol
        for symbol, known in levels.items()
        if (known <= limits.near_zero_log2_tpm).sum() >= limits.near_zero_fraction * len(known)
        and location[symbol] > limits.zero_reference_log2
    )
    shifts = {
        symbol: float(np.median(levels[symbol]) - location[symbol])
        for symbol in CLASS_1_SIBLINGS
        if symbol in levels and symbol not in near_zero
    }
    return UntrustedGenes(near_zero, _far_below(shifts, limits))


def _far_below(shifts: Mapping[str, float], limits: UntrustedLimits) -> tuple[str, ...]:
    """Genes whose median shift is far below that of all of them."""
    if len(shifts) < limits.min_siblings:
        return ()
    typical = float(np.median(list(shifts.values())))
    return tuple(s for s, shift in shifts.items() if shift - typical < limits.sibling_shift_log2)
