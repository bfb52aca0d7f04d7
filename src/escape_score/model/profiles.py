"""Profiles of a whole cohort, column by column; records of single samples are made from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields, is_dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from escape_score.model.cohort import FloatArray

TextArray = npt.NDArray[np.object_]

INDEX = "immunoresistance_index"
"""Name of the index in tables and records."""


@dataclass(frozen=True)
class Bounds:
    """Ends of 90 % intervals, shape (n_samples,) each; NaN = not known.

    ``low``/``high`` are absolute, against the reference; the ``_within`` pair is for comparisons inside one
    pipeline.
    """

    low: FloatArray = field(repr=False)
    high: FloatArray = field(repr=False)
    low_within: FloatArray = field(repr=False)
    high_within: FloatArray = field(repr=False)


@dataclass(frozen=True)
class LinkScores:
    """Every link of a chain in all samples; arrays have shape (n_samples, n_links).

    Attributes
    ----------
    names
        A gene, or two joined by ``+`` that are lost together.
    z
        Standard normal if nothing is lost, larger = more likely lost; NaN where not measured.
    detectable_sd
        Mean of ``z`` if tumour cells lost four fifths of the link: what could be seen in this sample.
    is_evaluable
        Whether that is enough to say that a link is not lost.
    """

    names: tuple[str, ...]
    z: FloatArray = field(repr=False)
    detectable_sd: FloatArray = field(repr=False)
    is_evaluable: npt.NDArray[np.bool_] = field(repr=False)


@dataclass(frozen=True)
class AxisValues:
    """What an axis finds in every sample; arrays have shape (n_samples,).

    Attributes
    ----------
    score, raw
        Reference SD units, larger = more resistance; NaN = not evaluable. ``raw`` is not adjusted.
    coverage
        Fraction of the axis's genes measured, 0–1.
    weakest_gene
        Symbol of the weakest link; empty text where none is named.
    links
        Every link with its limit of detection; None for axes that have none.
    is_hidden
        Samples in which the loss that the axis looks for would not reach its threshold; None for axes that do
        not look for one.
    is_stand_in
        Samples in which other genes stand in for those of the axis, so that nothing can be called; None for
        axes that have none.
    """

    score: FloatArray = field(repr=False)
    coverage: FloatArray = field(repr=False)
    weakest_gene: TextArray = field(repr=False)
    raw: FloatArray | None = field(default=None, repr=False)
    links: LinkScores | None = field(default=None, repr=False)
    is_hidden: npt.NDArray[np.bool_] | None = field(default=None, repr=False)
    is_stand_in: npt.NDArray[np.bool_] | None = field(default=None, repr=False)


@dataclass(frozen=True, kw_only=True)
class AxisScores(AxisValues):
    """One axis in all samples: what it finds, its intervals and calls (values of ``Call``).

    ``reason``: kind of the note that says why a call was made, or not. ``call`` is empty text for context
    axes; ``found`` is the call that they would have. ``percentile`` is 0–100 against the reference's own
    tumours, of which ``percentile_n`` were compared.
    """

    axis: str
    bounds: Bounds = field(repr=False)
    percentile: FloatArray = field(repr=False)
    percentile_n: npt.NDArray[np.int64] = field(repr=False)
    call: TextArray = field(repr=False)
    found: TextArray = field(repr=False)
    reason: TextArray = field(repr=False)


@dataclass(frozen=True)
class IndexScores:
    """The index in all samples.

    Attributes
    ----------
    raw
        Weighted mean of the blocks, reference SD units.
    index
        0–100.
    blocks
        Shape (n_samples, n_blocks), reference SD units within ±3.
    """

    raw: FloatArray = field(repr=False)
    index: FloatArray = field(repr=False)
    bounds: Bounds = field(repr=False)
    blocks: FloatArray = field(repr=False)

    def withheld(self, where: npt.NDArray[np.bool_]) -> IndexScores:
        """The same without index and intervals in some samples."""
        ends = {name: np.where(where, np.nan, values) for name, values in vars(self.bounds).items()}
        return replace(self, index=np.where(where, np.nan, self.index), bounds=Bounds(**ends))


@dataclass(frozen=True)
class CohortProfiles:
    """Everything about a cohort that ``profiles.tsv`` shows.

    ``phenotype``, ``archetype``, ``status`` and ``match`` hold values of the enums in
    :mod:`escape_score.model.record`, empty text = not evaluable. ``decisive``: axes detected that suffice
    alone, comma-joined; ``msi_suspected``: yes, no, or empty text. ``is_own``: samples that the reference was
    fitted on.
    """

    axes: tuple[AxisScores, ...]
    index: IndexScores
    phenotype: TextArray = field(repr=False)
    archetype: TextArray = field(repr=False)
    status: TextArray = field(repr=False)
    decisive: TextArray = field(repr=False)
    msi_suspected: TextArray = field(repr=False)
    match: TextArray = field(repr=False)
    leukocyte_fraction: FloatArray = field(repr=False)
    is_own: npt.NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, dtype=bool), repr=False)

    def __repr__(self) -> str:
        return f"CohortProfiles({len(self.status)} samples × {len(self.axes)} axes)"

    @classmethod
    def joined(cls, parts: Sequence[CohortProfiles]) -> CohortProfiles:
        """Profiles of all samples, from those of some at a time, in their order; one part at least."""
        whole: CohortProfiles = _joined(parts)
        return whole

    def axis(self, axis: str) -> AxisScores:
        """The scores of one axis."""
        return next(scores for scores in self.axes if scores.axis == axis)


def _joined(parts: Sequence[Any]) -> Any:  # noqa: ANN401
    """Join the columns of all parts, in their order; anything else is taken from the first part."""
    first = parts[0]
    if isinstance(first, np.ndarray):
        return np.concatenate(parts)
    if isinstance(first, tuple):
        return tuple(map(_joined, zip(*parts, strict=True)))
    if is_dataclass(first) and not isinstance(first, type):
        names = [one.name for one in fields(first)]
        return replace(first, **{name: _joined([getattr(part, name) for part in parts]) for name in names})
    return first
