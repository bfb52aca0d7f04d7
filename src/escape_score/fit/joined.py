"""Several cohorts of one pipeline as one."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate

import numpy as np
import numpy.typing as npt

from escape_score.errors import ReferenceUnfittableError
from escape_score.model.cohort import FloatArray, HarmonisedCohort, MatrixSource, narrowed
from escape_score.model.notes import Note, NoteLog
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
    gene_ids: tuple[str, ...] = field(repr=False)
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


@dataclass(frozen=True, eq=False)
class RowSubset:
    """Some samples of another source; ``rows``: their positions there."""

    source: MatrixSource
    rows: tuple[int, ...]

    @property
    def sample_ids(self) -> tuple[str, ...]:
        """Sample ids, in order."""
        return tuple(self.source.sample_ids[row] for row in self.rows)

    @property
    def gene_ids(self) -> tuple[str, ...]:
        """Gene ids of the source."""
        return self.source.gene_ids

    def block(self, start: int, stop: int) -> FloatArray:
        """Values of samples ``start`` to ``stop``."""
        return np.vstack([self.source.block(row, row + 1) for row in self.rows[start:stop]])

    def narrowed(self, gene_ids: Sequence[str]) -> RowSubset:
        """The same samples with some genes only."""
        return RowSubset(narrowed(self.source, gene_ids), self.rows)


def distinct_samples(cohorts: Sequence[HarmonisedCohort]) -> tuple[list[HarmonisedCohort], tuple[str, ...]]:
    """Leave out samples that an earlier cohort has with the same id and the same values.

    Values are compared over the genes that both measure. A sample of the same id with other values stays, for
    :func:`join_cohorts` to refuse.

    Returns
    -------
    tuple
        The cohorts that have samples left, and the ids of samples left out, in order.
    """
    kept, left_out = list[HarmonisedCohort](), list[str]()
    for cohort in cohorts:
        repeated = {sample_id for earlier in kept for sample_id in _shared(earlier, cohort)}
        left_out += [sample_id for sample_id in cohort.sample_ids if sample_id in repeated]
        rows = [row for row, sample_id in enumerate(cohort.sample_ids) if sample_id not in repeated]
        if rows:
            kept.append(cohort if not repeated else with_rows(cohort, rows))
    return kept, tuple(left_out)


def _shared(earlier: HarmonisedCohort, cohort: HarmonisedCohort) -> list[str]:
    """Samples of both cohorts that are the same measurement."""
    rows = {sample_id: row for row, sample_id in enumerate(earlier.sample_ids)}
    symbols = sorted({*earlier.gene_symbols} & {*cohort.gene_symbols})
    if not symbols or rows.keys().isdisjoint(cohort.sample_ids):
        return []
    ours, theirs = (_columns(one, symbols) for one in (earlier, cohort))
    both = ((one, rows[one], row) for row, one in enumerate(cohort.sample_ids) if one in rows)
    return [
        sample_id
        for sample_id, first, second in both
        if np.array_equal(_sample(earlier, first)[ours], _sample(cohort, second)[theirs], equal_nan=True)
    ]


def _columns(cohort: HarmonisedCohort, symbols: Sequence[str]) -> npt.NDArray[np.intp]:
    place = {symbol: i for i, symbol in enumerate(cohort.gene_symbols)}
    return np.array([place[symbol] for symbol in symbols], dtype=np.intp)


def _sample(cohort: HarmonisedCohort, row: int) -> FloatArray:
    values: FloatArray = cohort.source.block(row, row + 1)[0]
    return values


def with_rows(cohort: HarmonisedCohort, rows: Sequence[int]) -> HarmonisedCohort:
    """The same cohort with some of its samples; itself where these are all."""
    if list(rows) == list(range(len(cohort.sample_ids))):
        return cohort
    reads = None if cohort.reads_per_tpm is None else cohort.reads_per_tpm[list(rows)]
    samples = tuple(cohort.samples[row] for row in rows)
    return replace(cohort, source=RowSubset(cohort.source, tuple(rows)), samples=samples, reads_per_tpm=reads)


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
        flags=NoteLog(by_sample=tuple(_own_flags(cohorts))),
    )


def _own_flags(cohorts: Sequence[HarmonisedCohort]) -> Iterator[tuple[str, Note]]:
    """Flags of single samples."""
    for cohort in cohorts:
        yield from cohort.flags.by_sample


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
