"""Single cells: the cells of a sample, their labels, and the quantities made from the cells of a patient."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from types import MappingProxyType

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from escape_score.errors import MatrixInvalidError
from escape_score.model.cohort import FloatArray
from escape_score.model.notes import Note
from escape_score.model.record import Call

Codes = npt.NDArray[np.int8]
"""Positions in :data:`COMPARTMENTS`, one a cell."""


class Compartment(StrEnum):
    """What a cell of a tumour is."""

    MALIGNANT = "malignant"
    EPITHELIAL = "epithelial"
    """Not malignant, by its label or its copy number."""
    T = "t"
    NK = "nk"
    B = "b"
    PLASMA = "plasma"
    MYELOID = "myeloid"
    MAST = "mast"
    FIBROBLAST = "fibroblast"
    """Fibroblasts, pericytes and smooth muscle."""
    ENDOTHELIAL = "endothelial"
    OTHER = "other"
    """A known type that is none of these, such as a hepatocyte."""
    UNASSIGNED = "unassigned"
    """Nothing is known, or the evidence disagrees."""


COMPARTMENTS = tuple(Compartment)
CODE_OF = MappingProxyType({compartment: code for code, compartment in enumerate(COMPARTMENTS)})
T_CELLS = (Compartment.T,)
LEUKOCYTES = (
    Compartment.T,
    Compartment.NK,
    Compartment.B,
    Compartment.PLASMA,
    Compartment.MYELOID,
    Compartment.MAST,
)
STROMA = (Compartment.FIBROBLAST, Compartment.ENDOTHELIAL)


def positions_in(names: Sequence[str], wanted: Sequence[str]) -> npt.NDArray[np.intp]:
    """Positions of wanted names, all of which are there; shape (n_wanted,)."""
    at = {name: position for position, name in enumerate(names)}
    return np.array([at[name] for name in wanted], dtype=np.intp)


def in_all(lists: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    """Names that all of the lists have, at least one, in the order of the first."""
    shared = set(lists[0]).intersection(*lists[1:])
    return tuple(name for name in lists[0] if name in shared)


def is_in(codes: Codes, compartments: Sequence[Compartment]) -> npt.NDArray[np.bool_]:
    """Whether each cell is in one of these compartments; shape (n_cells,)."""
    return np.isin(codes, [CODE_OF[compartment] for compartment in compartments])


@dataclass(frozen=True)
class GateCounts:
    """Cells of a sample before the gates, and those that each gate left out."""

    n_read: int
    n_few_umi: int = 0
    n_few_genes: int = 0
    n_mitochondrial: int = 0

    @property
    def n_kept(self) -> int:
        """Cells that passed."""
        return self.n_read - self.n_few_umi - self.n_few_genes - self.n_mitochondrial


@dataclass(frozen=True, eq=False)
class CellSample:
    """Cells of one sample that passed the gates.

    Parameters
    ----------
    cell_ids
        Shape (n_cells,), text, unique, in the order of the file.
    gene_symbols
        Approved symbols, unique, in the order of the columns.
    counts
        Shape (n_cells, n_genes), CSR, ≥ 0, no column twice in a row: UMIs, or reads if not ``is_umi``.
    given_types
        Shape (n_cells,), text: the labels of the file; None where no column was named.
    is_umi
        Whether counts are molecules; False for full-length protocols.
    gates
        What was left out.
    flags
        What a reader must know about this sample.
    """

    sample_id: str
    patient_id: str
    cell_ids: npt.NDArray[np.str_] = field(repr=False)
    gene_symbols: tuple[str, ...] = field(repr=False)
    counts: sp.csr_array = field(repr=False)
    given_types: npt.NDArray[np.str_] | None = field(default=None, repr=False)
    is_umi: bool = True
    gates: GateCounts = GateCounts(0)
    flags: tuple[Note, ...] = ()

    def __post_init__(self) -> None:
        """Refuse names that do not fit the counts."""
        shape = (len(self.cell_ids), len(self.gene_symbols))
        if self.counts.shape != shape:
            msg = f"{self.sample_id}: counts of shape {self.counts.shape}, names of {shape} (cells, genes)"
            raise MatrixInvalidError(msg)

    @property
    def n_cells(self) -> int:
        """Cells that passed the gates."""
        return len(self.cell_ids)

    @cached_property
    def n_umi(self) -> FloatArray:
        """Counts of a cell over all genes; shape (n_cells,)."""
        return np.asarray(self.counts.sum(axis=1), dtype=np.float64).ravel()


@dataclass(frozen=True, eq=False)
class CellLabels:
    """Compartments of a sample's cells.

    Parameters
    ----------
    codes
        Shape (n_cells,), int8: positions in :data:`COMPARTMENTS`.
    confidence
        Shape (n_cells,), 0–1, float64: probability of the compartment; NaN for given labels.
    copy_number
        Shape (n_cells,), float64: how far a cell's copy number is from the sample's own diploid cells, in the
        unit of its limit; NaN where it was not computed.
    is_given
        Whether labels were read, not found.
    malignant
        Why malignant cells were found, or were not.
    """

    codes: Codes = field(repr=False)
    confidence: FloatArray = field(repr=False)
    copy_number: FloatArray = field(repr=False)
    is_given: bool
    malignant: Note


@dataclass(frozen=True, eq=False)
class PatientCells:
    """What is kept of all cells of a patient, of one or several samples.

    Parameters
    ----------
    sample_ids
        Samples of the patient, in order.
    gene_symbols
        Measured genes among the wanted ones, in the order of the columns.
    counts
        Shape (n_cells, n_genes), CSR.
    n_umi
        Shape (n_cells,): counts over all genes of the transcriptome.
    codes
        Shape (n_cells,): positions in :data:`COMPARTMENTS`.
    sample_of
        Shape (n_cells,): position in ``sample_ids``.
    sample_counts
        Shape (n_samples, n_genes): counts of a gene over all cells of a sample.
    sample_umi
        Shape (n_samples,): counts over all genes and cells of a sample.
    ambient
        Shape (n_samples,): share of a malignant cell's counts that is ambient RNA; NaN where not known.
    is_umi
        Whether counts are molecules, in every sample.
    """

    patient_id: str
    sample_ids: tuple[str, ...]
    gene_symbols: tuple[str, ...] = field(repr=False)
    counts: sp.csr_array = field(repr=False)
    n_umi: FloatArray = field(repr=False)
    codes: Codes = field(repr=False)
    sample_of: npt.NDArray[np.int32] = field(repr=False)
    sample_counts: FloatArray = field(repr=False)
    sample_umi: FloatArray = field(repr=False)
    ambient: FloatArray = field(repr=False)
    is_umi: bool = True

    @cached_property
    def _column_of(self) -> dict[str, int]:
        return {symbol: column for column, symbol in enumerate(self.gene_symbols)}

    def columns(self, symbols: Sequence[str]) -> npt.NDArray[np.intp]:
        """Columns of those genes that are measured, in the order asked for."""
        at = self._column_of
        return np.array([at[symbol] for symbol in symbols if symbol in at], dtype=np.intp)

    def rows(self, *compartments: Compartment) -> npt.NDArray[np.intp]:
        """Cells of these compartments."""
        return np.flatnonzero(is_in(self.codes, compartments))

    def sums(self, symbols: Sequence[str], rows: npt.NDArray[np.intp]) -> FloatArray:
        """Counts of some genes together in each of some cells; shape (n_rows,)."""
        return np.asarray(self.counts[rows][:, self.columns(symbols)].sum(axis=1), dtype=np.float64).ravel()


@dataclass(frozen=True)
class CellQuantity:
    """One quantity of a patient. NaN = not evaluable, never zero.

    Parameters
    ----------
    quantity
        Its id in ``resources/cells/quantities.tsv``, where unit, axis and meaning are.
    low, high
        90 % interval.
    n_cells
        Cells it was made from.
    limit
        Limit of detection, in the unit of the value: the smallest value that would be called detected;
        NaN where there is none.
    call
        None for quantities that describe and are not called.
    reason
        Why it is called so, or why it is not evaluable.
    """

    quantity: str
    value: float
    low: float
    high: float
    n_cells: int
    limit: float
    call: Call | None
    reason: Note
