"""Genes that a pipeline did not count right, told by what all samples of a cohort share.

Such genes never change a number by themselves: they raise flags, or are left out by a reference that is
fitted on the cohort and stores their list.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

import numpy as np

from escape_score.model.cohort import FloatArray
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


@dataclass(frozen=True)
class _Levels:
    """Placed levels of the genes, of which some samples' may have been taken out as NaN."""

    symbols: tuple[str, ...]
    log2_tpm: FloatArray = field(repr=False)
    location: FloatArray = field(repr=False)


def find_untrusted_genes(
    genes: GeneValues, reference: Reference, used: Collection[str], limits: UntrustedLimits
) -> UntrustedGenes:
    """Look for genes that nearly the whole cohort lacks, or that lie far below their siblings.

    Parameters
    ----------
    genes
        Placed values, shape (n_samples, n_genes); a value that placement did not trust is NaN in ``z``.
    reference
        The one the samples were placed on.
    used
        Genes that any component uses; others are not looked at.
    limits
        ``min_cohort_checks``, ``near_zero_…``, ``sibling_shift_log2``, ``min_siblings``.

    Returns
    -------
    UntrustedGenes
        Empty for fewer samples than ``min_cohort_checks``.
    """
    location = dict(zip(reference.genes.symbols, reference.genes.location, strict=True))
    wanted = frozenset(used)
    columns = [i for i, symbol in enumerate(genes.gene_symbols) if symbol in wanted]
    symbols = tuple(genes.gene_symbols[i] for i in columns)
    values = np.where(np.isnan(genes.z[:, columns]), np.nan, genes.log2_tpm[:, columns])
    levels = _Levels(symbols, values, np.array([location[symbol] for symbol in symbols]))
    near_zero = _near_zero(levels, limits)
    return UntrustedGenes(near_zero, _below_siblings(levels, near_zero, limits))


def _near_zero(levels: _Levels, limits: UntrustedLimits) -> tuple[str, ...]:
    """Genes near zero in nearly all samples where the reference expresses them well."""
    n_measured = (~np.isnan(levels.log2_tpm)).sum(axis=0)
    n_low = (levels.log2_tpm <= limits.near_zero_log2_tpm).sum(axis=0)
    is_found = (
        (n_measured >= limits.min_cohort_checks)
        & (n_low >= limits.near_zero_fraction * n_measured)
        & (levels.location > limits.zero_reference_log2)
    )
    return tuple(symbol for symbol, yes in zip(levels.symbols, is_found, strict=True) if yes)


def _below_siblings(levels: _Levels, near_zero: tuple[str, ...], limits: UntrustedLimits) -> tuple[str, ...]:
    """Class I genes whose median shift lies far below that of all of them."""
    shifts = {}
    for symbol in CLASS_1_SIBLINGS:
        if symbol in levels.symbols and symbol not in near_zero:
            i = levels.symbols.index(symbol)
            known = levels.log2_tpm[~np.isnan(levels.log2_tpm[:, i]), i]
            if len(known) >= limits.min_cohort_checks:
                shifts[symbol] = float(np.median(known) - levels.location[i])
    if len(shifts) < limits.min_siblings:
        return ()
    typical = float(np.median(list(shifts.values())))
    return tuple(s for s, shift in shifts.items() if shift - typical < limits.sibling_shift_log2)
