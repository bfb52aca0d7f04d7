"""Several cohorts of one pipeline as one."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate

import numpy as np
import numpy.typing as npt

from escape_score.errors import ReferenceUnfittableError
from escape_score.model.cohort import FloatArray, HarmonisedCohort
from escape_score.model.units import ExpressionUnit

_TPM, _CPM, _TCGA_RSEM = "TPM", "CPM", "TCGA RSEM"
SCALE_OF = {
    ExpressionUnit.TPM: _TPM,
    ExpressionUnit.LOG2_PLUS_1: _TPM,
    ExpressionUnit.LOG2_PLUS_0001: _TPM,
    ExpressionUnit.LN_PLUS_1: _TPM,
    ExpressionUnit.CPM: _CPM,
    ExpressionUnit.LOG2_CPM_PLUS_1: _CPM,
    ExpressionUnit.TCGA_RSEM: _TCGA_RSEM,
    ExpressionUnit.LOG2_TCGA_RSEM_PLUS_1: _TCGA_RSEM,
}
"""Units that are the same numbers written otherwise; any other is a scale of its own."""


@dataclass(frozen=True, eq=False)
class JoinedSource:
    """Samples of several matrices, one after the other, over all their genes.

    Attributes
    ----------
    columns
        For each member, where its genes are among ``gene_ids``.
    """

    members: tuple[HarmonisedCohort, ...]
    gene_ids: tuple[str, ...]
    columns: tuple[npt.NDArray[np.intp], ...] = field(repr=False)

    @property
    def sample_ids(self) -> tuple[str, ...]:
        """Sample ids, in order."""
        return tuple(sample_id for member in self.members for sample_id in member.sample_ids)

    def block(self, start: int, stop: int) -> FloatArray:
        """Values of samples ``start`` to ``stop``; NaN where a member does not measure a gene."""
        out = np.full((stop - start, len(self.gene_ids)), np.nan)
        ends = list(accumulate(len(member.sample_ids) for member in self.members))
        for member, columns, end in zip(self.members, self.columns, ends, strict=True):
            first = end - len(member.sample_ids)
            low, high = max(start, first), min(stop, end)
            if low < high:
                out[low - start : high - start, columns] = member.source.block(low - first, high - first)
        return out


def join_cohorts(name: str, cohorts: Sequence[HarmonisedCohort]) -> HarmonisedCohort:
    """Put cohorts of one pipeline, at least one, together: the only one itself, or all samples of all.

    Raises
    ------
    ReferenceUnfittableError
        A sample id is in two of them, or their values have different scales.
    """
    labels = [cohort.label or cohort.name for cohort in cohorts]
    _require_one_scale(cohorts, labels)
    _require_own_ids(cohorts, labels)
    if len(cohorts) == 1:
        return cohorts[0]
    symbols = tuple(sorted({symbol for cohort in cohorts for symbol in cohort.gene_symbols}))
    place = {symbol: i for i, symbol in enumerate(symbols)}
    columns = tuple(np.array([place[s] for s in cohort.gene_symbols], dtype=np.intp) for cohort in cohorts)
    digests = "".join(sorted(cohort.input_sha256 or cohort.matrix_sha256 or "" for cohort in cohorts))
    return HarmonisedCohort(
        name=name,
        source=JoinedSource(tuple(cohorts), symbols, columns),
        unit=cohorts[0].unit,
        samples=tuple(sample for cohort in cohorts for sample in cohort.samples),
        label=", ".join(labels),
        input_sha256=hashlib.sha256(digests.encode()).hexdigest(),
        is_targeted_panel=any(cohort.is_targeted_panel for cohort in cohorts),
    )


def _require_one_scale(cohorts: Sequence[HarmonisedCohort], labels: Sequence[str]) -> None:
    scales = [SCALE_OF.get(cohort.unit.unit, cohort.unit.unit.value) for cohort in cohorts]
    for label, scale, cohort in zip(labels, scales, cohorts, strict=True):
        if scale != scales[0]:
            msg = (
                f"{label}: values are {cohort.unit.unit.value}, those of {labels[0]} are "
                f"{cohorts[0].unit.unit.value}; a reference is of one pipeline: fit one for each"
            )
            raise ReferenceUnfittableError(msg)


def _require_own_ids(cohorts: Sequence[HarmonisedCohort], labels: Sequence[str]) -> None:
    owner: dict[str, str] = {}
    for cohort, label in zip(cohorts, labels, strict=True):
        for sample_id in cohort.sample_ids:
            if sample_id in owner:
                msg = f"{label}: sample {sample_id} stands in {owner[sample_id]} too; give each sample once"
                raise ReferenceUnfittableError(msg)
            owner[sample_id] = label
