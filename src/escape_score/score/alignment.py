"""Which columns of a cohort meet which genes of a reference."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt

from escape_score.errors import AnchorsMissingError
from escape_score.model.cohort import FloatArray
from escape_score.model.reference import Reference


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
    """Find the reference's anchors and the needed genes in a cohort.

    Anchors and needed genes that both sides have.
    """
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
