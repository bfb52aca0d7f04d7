"""The cells of a sample together, as bulk: the same way leads from it to a profile."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import scipy.sparse as sp

from escape_score.cells.patient import PatientResult
from escape_score.model.cells import CODE_OF, Compartment, positions_in
from escape_score.model.cohort import Cohort, InMemoryMatrix, SampleRecord
from escape_score.model.notes import Note, NoteLog
from escape_score.model.units import ExpressionUnit
from escape_score.read.cohort import Sheet, check_cohort
from escape_score.read.formats.reader import MatrixReading

if TYPE_CHECKING:
    from anndata import AnnData


def all_symbols(patients: Sequence[PatientResult]) -> tuple[str, ...]:
    """Genes of any sample, in the order in which they are first seen."""
    lists = dict.fromkeys(symbols for patient in patients for symbols in patient.gene_symbols)
    return tuple(dict.fromkeys(symbol for symbols in lists for symbol in symbols))


def bulk_matrix(patients: Sequence[PatientResult]) -> InMemoryMatrix:
    """Counts of all cells of each sample; NaN where a gene was not measured."""
    symbols = all_symbols(patients)
    records = [sample for patient in patients for sample in patient.record.samples]
    sums = (one.sum(axis=0) for patient in patients for one in patient.sums)
    measured = (one for patient in patients for one in patient.gene_symbols)
    values = np.full((len(records), len(symbols)), np.nan)
    for row, (total, own) in enumerate(zip(sums, measured, strict=True)):
        values[row, _columns(symbols, own)] = total
    return InMemoryMatrix(tuple(record.sample_id for record in records), symbols, values)


def _columns(symbols: tuple[str, ...], own: tuple[str, ...]) -> np.ndarray | slice:
    return slice(None) if own == symbols else positions_in(symbols, own)


def bulk_cohort(
    patients: Sequence[PatientResult],
    *,
    label: str,
    name: str,
    sheet: Sheet,
    columns: Mapping[str, str] = MappingProxyType({}),
    flags: NoteLog,
    sha256: str | None,
) -> Cohort:
    """The pseudo-bulk of a cohort, read and checked like any other matrix of UMI.

    Parameters
    ----------
    label
        What errors call the input.
    sheet
        What is known of the samples.
    columns
        Names of its columns as the package calls them, to their names in the sheet.
    flags
        What was noticed while the cells were read.
    sha256
        Digest of the files of cells; None for data in memory.
    """
    cohort = check_cohort(
        label,
        lambda: MatrixReading(bulk_matrix(patients)),
        units=unit_of(patients),
        samples=sheet,
        name=name,
        columns=columns,
    )
    patient_of = {one.sample_id: one.patient_id for patient in patients for one in patient.record.samples}
    samples = tuple(_with_patient(sample, patient_of[sample.sample_id]) for sample in cohort.samples)
    matrix_sha256 = cohort.matrix_sha256 if sha256 is None else None
    joined = flags.joined(NoteLog(by_sample=tuple(_flags_of(patients)))).joined(cohort.flags)
    return replace(cohort, samples=samples, flags=joined, input_sha256=sha256, matrix_sha256=matrix_sha256)


def _with_patient(sample: SampleRecord, patient_id: str) -> SampleRecord:
    """A sample with the patient that its cells name, if the sheet names none."""
    is_known = bool(sample.patient_id) or patient_id == sample.sample_id
    return sample if is_known else replace(sample, patient_id=patient_id)


def _flags_of(patients: Sequence[PatientResult]) -> Iterator[tuple[str, Note]]:
    """What was noticed of the cells of each sample."""
    for sample in (sample for patient in patients for sample in patient.record.samples):
        yield from ((sample.sample_id, flag.note) for flag in sample.flags)


def unit_of(patients: Sequence[PatientResult]) -> ExpressionUnit:
    """UMI are counts of molecules, reads of full-length protocols grow with the length of a gene."""
    is_umi = all(sample.is_umi for patient in patients for sample in patient.record.samples)
    return ExpressionUnit.UMI if is_umi else ExpressionUnit.COUNTS


def pseudobulk(patients: Sequence[PatientResult]) -> AnnData:
    """Counts of each compartment of each sample, for scanpy and decoupler.

    Rows are the compartments that a sample has; ``obs`` has sample, patient, compartment and number of cells.
    """
    import anndata as ad

    symbols = all_symbols(patients)
    obs, blocks = [], [sp.csr_array((0, len(symbols)))]
    for patient in patients:
        for record, sums, own in zip(patient.record.samples, patient.sums, patient.gene_symbols, strict=True):
            rows = [CODE_OF[Compartment(one.compartment)] for one in record.compartments]
            values = np.zeros((len(rows), len(symbols)), dtype=np.float32)
            values[:, _columns(symbols, own)] = sums[rows]
            blocks.append(sp.csr_array(values))
            obs += [
                (record.sample_id, record.patient_id, one.compartment, one.n_cells)
                for one in record.compartments
            ]
    table = pd.DataFrame(obs, columns=["sample_id", "patient_id", "compartment", "n_cells"])
    table.index = pd.Index([f"{row[0]}:{row[2]}" for row in obs], dtype=object)
    for name in ("sample_id", "patient_id", "compartment"):
        table[name] = pd.Categorical(table[name])
    return ad.AnnData(
        sp.csr_matrix(sp.vstack(blocks)), obs=table, var=pd.DataFrame(index=pd.Index(symbols, dtype=object))
    )
