"""Expression matrices on their way through the house: as read, and harmonised."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from escape_score.errors import MatrixInvalidError, UsageError, did_you_mean, listed
from escape_score.model.notes import NoteLog
from escape_score.model.units import UnitDecision

FloatArray = npt.NDArray[np.float64]

ROWS_AT_ONCE = 16
"""Samples that are worked on together: few enough for the processor's cache, enough to spare calls and to
leave the interpreter to the thread that reads ahead."""

DEFAULT_BLOCK_SIZE = 256
"""Samples a block; 256 samples of 20,000 genes in float64 are 41 MB."""


class MatrixSource(Protocol):
    """Anything that can hand out whole samples of a matrix: memory, parquet columns, h5ad rows."""

    @property
    def sample_ids(self) -> tuple[str, ...]:
        """Sample ids in the order of the rows."""

    @property
    def gene_ids(self) -> tuple[str, ...]:
        """Gene ids in the order of the columns, as in the file."""

    def block(self, start: int, stop: int) -> FloatArray:
        """Values of samples ``start`` to ``stop``.

        Shape (stop - start, n_genes), float64, NaN = not measured.
        """


@dataclass(frozen=True)
class InMemoryMatrix:
    """A matrix held whole; ``values``: shape (n_samples, n_genes)."""

    sample_ids: tuple[str, ...] = field(repr=False)
    gene_ids: tuple[str, ...] = field(repr=False)
    values: FloatArray = field(repr=False)

    def __post_init__(self) -> None:
        """Refuse a matrix whose names do not fit its shape."""
        if self.values.shape != (len(self.sample_ids), len(self.gene_ids)):
            shape = (len(self.sample_ids), len(self.gene_ids))
            msg = f"matrix has shape {self.values.shape}, but its names need {shape} (samples, genes)"
            raise MatrixInvalidError(msg)

    def block(self, start: int, stop: int) -> FloatArray:
        """Values of samples ``start`` to ``stop``, not to be changed."""
        return self.values[start:stop]


@runtime_checkable
class NarrowableSource(Protocol):
    """A source that does less work where fewer genes are asked for."""

    def narrowed(self, gene_ids: Sequence[str]) -> MatrixSource:
        """The same values of some of its genes, in the order given."""


@dataclass(frozen=True, eq=False)
class GeneSubset:
    """Some genes of another source; ``columns``: their positions there."""

    source: MatrixSource
    gene_ids: tuple[str, ...] = field(repr=False)
    columns: npt.NDArray[np.intp] = field(repr=False)

    @property
    def sample_ids(self) -> tuple[str, ...]:
        """Sample ids, in order."""
        return self.source.sample_ids

    def block(self, start: int, stop: int) -> FloatArray:
        """Values of samples ``start`` to ``stop``."""
        return np.take(self.source.block(start, stop), self.columns, axis=1)


def narrowed(source: MatrixSource, gene_ids: Sequence[str]) -> MatrixSource:
    """The same samples with some genes only."""
    if isinstance(source, NarrowableSource):
        return source.narrowed(gene_ids)
    at = {gene_id: column for column, gene_id in enumerate(source.gene_ids)}
    columns = np.array([at[gene_id] for gene_id in gene_ids], dtype=np.intp)
    return GeneSubset(source, tuple(gene_ids), columns)


def iter_blocks(
    source: MatrixSource, block_size: int = DEFAULT_BLOCK_SIZE
) -> Iterator[tuple[int, FloatArray]]:
    """Hand out all samples of a source, block by block, with each block's first position.

    The next block is made ready in a thread of its own while the caller works on this one: reading then
    costs next to nothing where a second core is free, and at most one block more is in memory.
    """
    n_samples = len(source.sample_ids)
    bounds = [(start, min(start + block_size, n_samples)) for start in range(0, n_samples, block_size)]
    if len(bounds) < 2:  # noqa: PLR2004
        yield from ((start, source.block(start, stop)) for start, stop in bounds)
        return
    with ThreadPoolExecutor(1, thread_name_prefix="read-ahead") as reader:
        ahead = reader.submit(source.block, *bounds[0])
        for (start, _), following in zip(bounds, [*bounds[1:], None], strict=True):
            block = ahead.result()
            if following is not None:
                ahead = reader.submit(source.block, *following)
            yield start, block


@dataclass(frozen=True)
class SampleRecord:
    """What the sample sheet says of one sample; fields empty where it says nothing.

    Attributes
    ----------
    purity
        Tumour purity, 0–1.
    os_days, pfs_days
        Days; ``os_event``/``pfs_event`` are True where the event was seen.
    response
        ``R``, ``NR`` or empty.
    sample_type
        ``tumour``, ``normal``, ``cell line`` or empty.
    groups
        Further columns: name and value. Those that divide samples into groups are text; numbers are in a
        column that statistics name.
    """

    sample_id: str
    patient_id: str = ""
    timepoint: str = ""
    cancer_type: str = ""
    response: str = ""
    os_days: float | None = None
    os_event: bool | None = None
    pfs_days: float | None = None
    pfs_event: bool | None = None
    purity: float | None = None
    msi: str = ""
    tmb: float | None = None
    pdl1_ihc: str = ""
    site: str = ""
    sample_type: str = ""
    groups: tuple[tuple[str, str | float], ...] = ()

    @property
    def known(self) -> dict[str, str | float | bool]:
        """What the sheet says but the id, by name of the column; empty fields left out."""
        fields = {name: value for name, value in vars(self).items() if name not in ("sample_id", "groups")}
        return {
            name: value
            for name, value in (fields | dict(self.groups)).items()
            if value is not None and value != ""
        }


TUMOUR, NORMAL, CELL_LINE = "tumour", "normal", "cell line"
"""Types of a sample."""

SAMPLE_COLUMNS = tuple(
    name for name in SampleRecord.__dataclass_fields__ if name not in ("sample_id", "groups")
)
"""Columns of the sample sheet that have a meaning, in their order."""


def sheet_columns(samples: Sequence[SampleRecord]) -> dict[str, list[str | float | bool | None]]:
    """Columns of the sample sheet that say anything: values of all samples, None where nothing is known."""
    rows = [sample.known for sample in samples]
    names = dict.fromkeys((*SAMPLE_COLUMNS, *(name for row in rows for name in row)))
    found = {name: [row.get(name) for row in rows] for name in names}
    return {name: values for name, values in found.items() if any(value is not None for value in values)}


def require_columns(named: Iterable[str], known: Iterable[str], others: Iterable[str] = ()) -> None:
    """Refuse the name of a column that no sample has a value of.

    Raises UsageError: ``known``, the columns with values, lack one that is named. ``others`` could be named.
    """
    with_values = tuple(known)
    missing = next((name for name in named if name not in with_values), None)
    if missing is not None:
        columns = tuple(name for name in dict.fromkeys((*with_values, *others)) if name != missing)
        asked = did_you_mean(missing, columns) or ";"
        what = f"no column {missing!r} with numbers, or with at most 20 different words, in the sample sheet"
        msg = f"statistics: {what}{asked} it has {listed(columns, limit=50) or 'no column that is read'}"
        raise UsageError(msg)


@dataclass(frozen=True, eq=False)
class SampleTotals:
    """What was seen of the numbers when they were checked, so that nobody has to look at all of them again.

    Attributes
    ----------
    linear_total
        Shape (n_samples,): sum of a sample in linear units, values below 0 left out.
    largest
        Largest value of the matrix, in the unit of the file; NaN where there is none.
    """

    linear_total: FloatArray = field(repr=False)
    largest: float


@dataclass(frozen=True, repr=False)
class Cohort:
    """A cohort as read: samples × genes in the unit decided, ids unique, sheet joined.

    Parameters
    ----------
    source
        The values as in the file, not converted.
    samples
        One record a sample, in the order of ``source.sample_ids``.
    label
        What errors call the input: its file, or the argument that held it.
    input_sha256
        sha256 of the matrix file; None for data in memory.
    matrix_sha256
        sha256 of names and values, for data in memory; None for a file.
    gene_lengths
        Length in base pairs by gene id, where the file itself has lengths; None otherwise.
    """

    name: str
    source: MatrixSource
    unit: UnitDecision
    samples: tuple[SampleRecord, ...]
    totals: SampleTotals
    label: str = ""
    input_sha256: str | None = None
    matrix_sha256: str | None = None
    flags: NoteLog = NoteLog()
    gene_lengths: Mapping[str, float] | None = None

    def __post_init__(self) -> None:
        """Refuse double names and a sheet that is not in the order of the matrix."""
        ids = self.source.sample_ids
        if len(set(ids)) != len(ids):
            msg = f"{self.name}: a sample id stands twice; make sample ids unique"
            raise MatrixInvalidError(msg)
        if tuple(sample.sample_id for sample in self.samples) != ids:
            msg = f"{self.name}: sample records and matrix differ in samples or order"
            raise MatrixInvalidError(msg)

    def __repr__(self) -> str:
        size = f"{len(self.sample_ids)} samples × {len(self.source.gene_ids)} genes"
        return f"Cohort({self.name!r}: {size}, {self.unit.unit.value})"

    @property
    def sample_ids(self) -> tuple[str, ...]:
        """Sample ids, in order."""
        return self.source.sample_ids


@dataclass(frozen=True)
class GeneChange:
    """One input row whose name did not stay as it was.

    Attributes
    ----------
    gene_symbol
        Approved symbol it was counted under; empty where the row was dropped.
    reason
        previous, alias, ensembl, … or why it was dropped.
    """

    given: str
    gene_symbol: str
    reason: str


@dataclass(frozen=True, repr=False)
class HarmonisedCohort:
    """A cohort in log2(TPM + 1) over unique approved symbols.

    Parameters
    ----------
    name, samples, unit, label, input_sha256, matrix_sha256, flags
        Those of :class:`Cohort`; ``flags`` grew.
    source
        ``block`` gives log2(TPM + 1), float64, ≥ 0, NaN only where not measured; ``gene_ids`` are approved
        symbols.
    gene_changes
        Every rename, merge and drop, in the order of the file.
    is_targeted_panel
        True where too few genes are measured to be a whole transcriptome; such values are never rescaled to
        1e6.
    parameters
        What was set for the stages so far, in words, for the manifest.
    reads_per_tpm
        Shape (n_samples,): reads behind one TPM of a gene of usual length, where the file holds counts of a
        whole transcriptome; None where they are not known.
    """

    name: str
    source: MatrixSource
    unit: UnitDecision
    samples: tuple[SampleRecord, ...]
    is_targeted_panel: bool
    label: str = ""
    input_sha256: str | None = None
    matrix_sha256: str | None = None
    gene_changes: tuple[GeneChange, ...] = ()
    parameters: tuple[tuple[str, str], ...] = ()
    flags: NoteLog = NoteLog()
    reads_per_tpm: FloatArray | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        """Refuse double symbols, and reads of other samples."""
        symbols = self.source.gene_ids
        if len(set(symbols)) != len(symbols):
            msg = f"{self.name}: a gene symbol stands twice after harmonising"
            raise MatrixInvalidError(msg)
        if self.reads_per_tpm is not None and len(self.reads_per_tpm) != len(self.source.sample_ids):
            msg = f"{self.name}: reads per TPM and matrix differ in samples"
            raise MatrixInvalidError(msg)

    def __repr__(self) -> str:
        size = f"{len(self.sample_ids)} samples × {len(self.gene_symbols)} genes"
        return f"HarmonisedCohort({self.name!r}: {size}, from {self.unit.unit.value})"

    @property
    def sample_ids(self) -> tuple[str, ...]:
        """Sample ids, in order."""
        return self.source.sample_ids

    @property
    def gene_symbols(self) -> tuple[str, ...]:
        """Approved symbols, in the order of the columns."""
        return self.source.gene_ids
