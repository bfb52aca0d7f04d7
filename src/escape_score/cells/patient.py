"""From the labelled cells of a patient to what is published of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from math import isfinite, nan
from typing import Self

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from escape_score.cells.aggregate import aggregate_cells
from escape_score.cells.ambient import with_ambient
from escape_score.cells.composition import composition_quantities, jeffreys
from escape_score.cells.presentation import presentation_genes, presentation_quantities
from escape_score.cells.states import cell_states, state_genes, state_quantities
from escape_score.library.cell_quantities import load_quantities
from escape_score.model.cells import (
    COMPARTMENTS,
    CellLabels,
    CellQuantity,
    CellSample,
    GateCounts,
    PatientCells,
    in_all,
    positions_in,
)
from escape_score.model.cohort import FloatArray
from escape_score.model.notes import Note
from escape_score.model.record import (
    CellSampleRecord,
    CompartmentRecord,
    Interval,
    NoteRecord,
    PatientRecord,
    QuantityRecord,
)

CellColumns = dict[str, npt.NDArray[np.generic]]


@dataclass(frozen=True, eq=False)
class SampleSums:
    """What is kept of a sample once its cells were labelled.

    Parameters
    ----------
    n_detected
        Shape (n_cells,): genes above 0.
    gene_symbols
        All genes of the sample.
    sums
        Shape (n_compartments, n_genes): counts of a gene over the cells of a compartment.
    wanted
        Measured genes among :func:`wanted_genes`.
    selected
        Shape (n_cells, n_wanted), CSR: their counts.
    """

    sample_id: str
    patient_id: str
    gates: GateCounts
    is_umi: bool
    flags: tuple[Note, ...]
    cell_ids: npt.NDArray[np.str_] = field(repr=False)
    n_umi: FloatArray = field(repr=False)
    n_detected: npt.NDArray[np.int64] = field(repr=False)
    labels: CellLabels = field(repr=False)
    unknown_labels: tuple[str, ...]
    gene_symbols: tuple[str, ...] = field(repr=False)
    sums: FloatArray = field(repr=False)
    wanted: tuple[str, ...] = field(repr=False)
    selected: sp.csr_array = field(repr=False)


@dataclass(frozen=True, eq=False)
class PatientResult:
    """What is published of a patient.

    Parameters
    ----------
    record
        Samples and quantities.
    gene_symbols, sums
        Those of :class:`SampleSums`, sample by sample.
    cell_columns
        Columns of ``cell_labels.parquet``: one value a cell, samples one after the other.
    failed
        Ids of samples that have no profile, and why.
    """

    record: PatientRecord
    gene_symbols: tuple[tuple[str, ...], ...] = field(repr=False)
    sums: tuple[FloatArray, ...] = field(repr=False)
    cell_columns: CellColumns = field(repr=False)
    failed: tuple[tuple[str, str], ...] = ()

    @classmethod
    def without_samples(cls, failed: Sequence[tuple[str, str]]) -> Self:
        """The result of a patient of whom no sample has enough cells; ``failed``: ids, and why."""
        record = PatientRecord(patient_id="", samples=(), quantities=())
        return cls(record, (), (), {}, tuple(failed))


@cache
def wanted_genes() -> tuple[str, ...]:
    """Genes that a quantity needs, each once."""
    return tuple(dict.fromkeys((*presentation_genes(), *state_genes())))


def summarise_sample(
    sample: CellSample, labels: CellLabels, unknown_labels: tuple[str, ...] = ()
) -> SampleSums:
    """Sum the cells of each compartment and keep the genes that quantities need."""
    column_of = {symbol: column for column, symbol in enumerate(sample.gene_symbols)}
    wanted = tuple(symbol for symbol in wanted_genes() if symbol in column_of)
    found = aggregate_cells(
        [(sample.counts, labels.codes.astype(np.int32))],
        n_groups=len(COMPARTMENTS),
        n_genes=len(column_of),
        wanted=[column_of[symbol] for symbol in wanted],
    )
    return SampleSums(
        sample_id=sample.sample_id,
        patient_id=sample.patient_id,
        gates=sample.gates,
        is_umi=sample.is_umi,
        flags=sample.flags,
        cell_ids=sample.cell_ids,
        n_umi=found.n_umi,
        n_detected=np.diff(sample.counts.indptr).astype(np.int64),
        labels=labels,
        unknown_labels=unknown_labels,
        gene_symbols=sample.gene_symbols,
        sums=found.sums,
        wanted=wanted,
        selected=found.selected,
    )


def join_samples(samples: Sequence[SampleSums]) -> PatientCells:
    """Join the samples of a patient over the wanted genes that are measured in all of them."""
    symbols = in_all([sample.wanted for sample in samples])
    sizes = [len(sample.cell_ids) for sample in samples]
    return PatientCells(
        patient_id=samples[0].patient_id,
        sample_ids=tuple(sample.sample_id for sample in samples),
        gene_symbols=symbols,
        counts=sp.csr_array(
            sp.vstack([sample.selected[:, positions_in(sample.wanted, symbols)] for sample in samples])
        ),
        n_umi=np.concatenate([sample.n_umi for sample in samples]),
        codes=np.concatenate([sample.labels.codes for sample in samples]),
        sample_of=np.repeat(np.arange(len(samples), dtype=np.int32), sizes),
        sample_counts=np.array(
            [sample.sums.sum(axis=0)[positions_in(sample.gene_symbols, symbols)] for sample in samples]
        ),
        sample_umi=np.array([sample.sums.sum() for sample in samples]),
        ambient=np.full(len(samples), nan),
        is_umi=all(sample.is_umi for sample in samples),
    )


def profile_patient(samples: Sequence[SampleSums], *, seed: int) -> PatientResult:
    """Quantify the cells of a patient, all of its samples together.

    Parameters
    ----------
    samples
        At least one; all of one patient.
    seed
        Seed of every random draw; the result depends on nothing else but these cells.
    """
    cells = with_ambient(join_samples(samples))
    found = (
        *composition_quantities(cells),
        *presentation_quantities(cells, seed=seed),
        *state_quantities(cells, seed=seed),
    )
    by_id = {one.quantity: one for one in found}
    record = PatientRecord(
        patient_id=cells.patient_id,
        samples=tuple(map(_sample_record, samples, cells.ambient)),
        quantities=tuple(quantity_record(by_id[name]) for name in load_quantities()),
    )
    return PatientResult(
        record=record,
        gene_symbols=tuple(sample.gene_symbols for sample in samples),
        sums=tuple(sample.sums for sample in samples),
        cell_columns=_cell_columns(samples, cells),
    )


def _sample_record(sample: SampleSums, ambient: float) -> CellSampleRecord:
    gates = sample.gates
    return CellSampleRecord(
        sample_id=sample.sample_id,
        patient_id=sample.patient_id,
        n_read=gates.n_read,
        n_cells=len(sample.cell_ids),
        n_few_umi=gates.n_few_umi,
        n_few_genes=gates.n_few_genes,
        n_mitochondrial=gates.n_mitochondrial,
        median_umi=float(np.median(sample.n_umi)),
        is_umi=sample.is_umi,
        ambient=_known(ambient),
        labels_are_given=sample.labels.is_given,
        malignant=NoteRecord.of(sample.labels.malignant),
        unknown_labels=sample.unknown_labels,
        compartments=tuple(_compartments(sample)),
        flags=tuple(map(NoteRecord.of, sample.flags)),
    )


def _compartments(sample: SampleSums) -> Iterator[CompartmentRecord]:
    """Compartments that the sample has, in their order."""
    n_cells = np.bincount(sample.labels.codes, minlength=len(COMPARTMENTS))
    for compartment, n in zip(COMPARTMENTS, n_cells.tolist(), strict=True):
        if n:
            low, high = jeffreys(n, len(sample.cell_ids))
            share, interval = n / len(sample.cell_ids), Interval(low=low, high=high)
            yield CompartmentRecord(compartment=compartment, n_cells=n, share=share, interval=interval)


def quantity_record(found: CellQuantity) -> QuantityRecord:
    """A quantity with all that its definition says, as the JSON has it."""
    rule = load_quantities()[found.quantity]
    value = _known(found.value)
    return QuantityRecord(
        quantity=found.quantity,
        title=rule.title,
        group=rule.group,
        axis=rule.axis,
        unit=rule.unit,
        cells=rule.cells,
        direction=rule.direction,
        threshold=rule.threshold,
        value=value,
        interval=None if value is None else Interval(low=found.low, high=found.high),
        n_cells=found.n_cells,
        limit_of_detection=_known(found.limit),
        call=found.call,
        reason=NoteRecord.of(found.reason),
        meaning=rule.meaning,
        limits=rule.limits,
    )


def _known(value: float) -> float | None:
    """A number as records hold it."""
    return float(value) if isfinite(value) else None


def _cell_columns(samples: Sequence[SampleSums], cells: PatientCells) -> CellColumns:
    """One value a cell: where it is from, what it is, and its states."""
    ids = np.array([sample.sample_id for sample in samples])[cells.sample_of]
    names = np.array([compartment.value for compartment in COMPARTMENTS])
    return {
        "cell_id": np.concatenate([sample.cell_ids for sample in samples]),
        "sample_id": ids,
        "patient_id": np.full(len(ids), cells.patient_id),
        "compartment": names[cells.codes],
        "confidence": np.concatenate([sample.labels.confidence for sample in samples]),
        "copy_number": np.concatenate([sample.labels.copy_number for sample in samples]),
        "n_umi": cells.n_umi,
        "n_genes": np.concatenate([sample.n_detected for sample in samples]),
        **cell_states(cells),
    }
