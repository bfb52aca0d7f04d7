"""Place samples on a reference's scale by many anchor genes, over the genes that both have.

Ten housekeeping genes are not enough: restricted to a panel of 1,700 genes, scores placed by 11 housekeepers
moved by 3.96 SD, those placed by the median over anchors by 0.18 SD (measured on 100 tumours of the
reference).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt

from escape_score.errors import AnchorsMissingError
from escape_score.model.cohort import FloatArray
from escape_score.model.reference import Reference
from escape_score.model.robust import nanmedian_rows, scaled_mad_rows, shifted_log2_tpm
from escape_score.model.thresholds import PlacementLimits


@dataclass(frozen=True)
class Alignment:
    """The genes a scoring run works on, always in the order of the reference.

    The fixed order makes sums, and so scores, independent of the order of genes in the input to the last bit.

    Attributes
    ----------
    location, spread, is_anchor
        The reference's values for these genes.
    """

    symbols: tuple[str, ...]
    location: FloatArray = field(repr=False)
    spread: FloatArray = field(repr=False)
    is_anchor: npt.NDArray[np.bool_] = field(repr=False)

    def positions(self, symbols: Sequence[str]) -> npt.NDArray[np.intp]:
        """Positions of those symbols that are aligned, in the order of the reference."""
        at = self._position_of
        return np.array(sorted({at[symbol] for symbol in symbols if symbol in at}), dtype=np.intp)

    @cached_property
    def _position_of(self) -> Mapping[str, int]:
        return {symbol: i for i, symbol in enumerate(self.symbols)}


def align(cohort_symbols: Sequence[str], reference: Reference, needed: Collection[str]) -> Alignment:
    """Anchors and needed genes that both the reference and a cohort have."""
    measured = set(cohort_symbols)
    genes, wanted = reference.genes, set(needed)
    kept = [
        i
        for i, symbol in enumerate(genes.symbols)
        if symbol in measured and (genes.is_anchor[i] or symbol in wanted)
    ]
    return Alignment(
        symbols=tuple(genes.symbols[i] for i in kept),
        location=genes.location[kept],
        spread=genes.spread[kept],
        is_anchor=genes.is_anchor[kept],
    )


def require_anchors(alignment: Alignment, *, min_anchors: int, cohort: str, reference: str) -> None:
    """Refuse a cohort that shares too few anchors with the reference.

    Raises AnchorsMissingError: fewer than ``min_anchors`` anchor genes are columns of the cohort.
    """
    found = int(alignment.is_anchor.sum())
    if found < min_anchors:
        msg = (
            f"{cohort}: {found} of the anchor genes of reference {reference} are measured, {min_anchors} "
            f"are needed "
            "to place samples on its scale; give a whole transcriptome or a larger panel"
        )
        raise AnchorsMissingError(msg)


@dataclass(frozen=True)
class PlacedBlock:
    """Some samples on the reference's scale; arrays are samples × aligned genes, or one value a sample."""

    log2_tpm: FloatArray = field(repr=False)
    z: FloatArray = field(repr=False)
    offset_log2: FloatArray = field(repr=False)
    n_anchors: npt.NDArray[np.int64] = field(repr=False)
    distance: FloatArray = field(repr=False)


def place_block(log2_tpm: FloatArray, alignment: Alignment, limits: PlacementLimits) -> PlacedBlock:
    """Shift samples so that their anchors lie on the reference, and express genes in its spreads.

    Parameters
    ----------
    log2_tpm
        Shape (n_samples, n_aligned), log2(TPM + 1), ≥ 0, NaN = not measured.
    alignment
        Genes of the columns.
    limits
        ``min_anchors`` and ``z_clip``.

    Returns
    -------
    PlacedBlock
        ``log2_tpm`` rescaled in linear space; ``z`` within ±``z_clip``. All NaN for a sample with too few
        anchors.
    """
    anchors = _anchor_shifts(log2_tpm, alignment)
    n_anchors = (~np.isnan(anchors)).sum(axis=1)
    offset = nanmedian_rows(anchors)
    offset[n_anchors < limits.min_anchors] = np.nan
    placed = shifted_log2_tpm(log2_tpm, offset)
    z = np.clip((placed - alignment.location) / alignment.spread, -limits.z_clip, limits.z_clip)
    return PlacedBlock(placed, z, offset, n_anchors, anchor_distance(placed, alignment))


def _anchor_shifts(log2_tpm: FloatArray, alignment: Alignment) -> FloatArray:
    """Anchors minus their locations; indexed by a mask, samples would lie in columns and medians be slow."""
    chosen: FloatArray = np.compress(alignment.is_anchor, log2_tpm, axis=1)
    return chosen - alignment.location[alignment.is_anchor]


def anchor_distance(placed: FloatArray, alignment: Alignment) -> FloatArray:
    """Scaled MAD of the anchors around their median: how far pipeline and tissue are from the reference.

    Returns
    -------
    numpy.ndarray
        Shape (n_samples,), log2; the reference's own tumours have about 0.4.
    """
    return scaled_mad_rows(_anchor_shifts(placed, alignment))
