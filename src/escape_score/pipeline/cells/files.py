"""The result of one patient as a file, which the workflow makes in one job and joins in another."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import h5py
import numpy as np
import pandas as pd

from escape_score.cells.patient import CellColumns, PatientResult
from escape_score.errors import FileMissingError, FileUnreadableError
from escape_score.model.cohort import FloatArray
from escape_score.model.record import CellMap, PatientRecord
from escape_score.pipeline.cells.bulk import pseudobulk
from escape_score.pipeline.cells.h5ad import write_cells
from escape_score.pipeline.cells.results import CellResults
from escape_score.store.cells import DAMAGED, NOT_INTACT
from escape_score.store.hdf5_output import has_intact_seal, replacing_hdf5
from escape_score.store.scores_anndata import write_anndata
from escape_score.store.tables import write_parquet, write_tsv


def write_cell_files(folder: Path, results: CellResults) -> dict[str, pd.DataFrame]:
    """Write the tables of single cells, and the counts of compartments; the tables by name."""
    quantities, bulk = results.quantities_table(), pseudobulk(results.patients)
    tables = {
        "cells": quantities,
        "compartments": results.compartments_table(),
        "cell_labels": results.labels_table(),
        "pseudobulk.h5ad: obs": bulk.obs,
    }
    write_tsv(folder / "cells.tsv", quantities)
    write_parquet(folder / "cells.parquet", quantities)
    write_tsv(folder / "compartments.tsv", tables["compartments"])
    write_parquet(folder / "cell_labels.parquet", tables["cell_labels"])
    write_anndata(folder / "pseudobulk.h5ad", bulk)
    if results.counts is not None:
        write_cells(folder / "cells.h5ad", results)
    return tables


def write_patient(path: Path, patient: PatientResult, cell_map: CellMap | None) -> None:
    """Write the result of a patient, with the map of its cells if there is one; the same bytes each time."""
    text = h5py.string_dtype()
    with replacing_hdf5(path, has_seal=True) as output:
        file = output.handle
        drawn = "" if cell_map is None else cell_map.model_dump_json()
        for name, content in (("record", patient.record.model_dump_json()), ("map", drawn)):
            file.create_dataset(name, data=np.frombuffer(content.encode(), np.uint8), track_times=False)
        failed = [part for pair in patient.failed for part in pair]
        file.create_dataset("failed", data=failed, dtype=text, track_times=False)
        for number, (symbols, sums) in enumerate(zip(patient.gene_symbols, patient.sums, strict=True)):
            file.create_dataset(f"samples/{number}/genes", data=list(symbols), dtype=text, track_times=False)
            file.create_dataset(f"samples/{number}/sums", data=sums, track_times=False)
        names = list(patient.cell_columns)
        file.create_dataset("columns", data=names, dtype=text, track_times=False)
        for name, values in patient.cell_columns.items():
            is_text = values.dtype.kind == "U"
            data, kind = (values.tolist(), text) if is_text else (values, values.dtype)
            file.create_dataset(f"cells/{name}", data=data, dtype=kind, track_times=False)
            output.check_disk()


def read_patient(path: Path) -> tuple[PatientResult, CellMap | None]:
    """Read the result of a patient, and the map of its cells; FileUnreadableError: it is another file."""
    if not path.is_file():
        raise FileMissingError.at(path, "no such file; run the stage before first")
    try:
        if not has_intact_seal(path):
            raise FileUnreadableError.at(path, NOT_INTACT)
        with h5py.File(path) as file:
            return _read(file)
    except DAMAGED as error:
        raise FileUnreadableError.at(path, NOT_INTACT) from error


def _read(file: h5py.File) -> tuple[PatientResult, CellMap | None]:
    failed = _texts(file["failed"])
    samples = [file[f"samples/{number}"] for number in range(len(file.get("samples", ())))]
    cell_map = file["map"][:].tobytes()
    result = PatientResult(
        record=PatientRecord.model_validate_json(file["record"][:].tobytes()),
        gene_symbols=tuple(tuple(_texts(sample["genes"])) for sample in samples),
        sums=tuple(_floats(sample["sums"]) for sample in samples),
        cell_columns=_columns(file),
        failed=tuple(zip(failed[::2], failed[1::2], strict=True)),
    )
    return result, CellMap.model_validate_json(cell_map) if cell_map else None


def _columns(file: h5py.File) -> CellColumns:
    columns: CellColumns = {}
    for name in _texts(file["columns"]):
        values = file[f"cells/{name}"]
        is_text = h5py.check_string_dtype(values.dtype) is not None
        columns[name] = np.array(_texts(values), dtype=np.str_) if is_text else values[:]
    return columns


def _texts(values: h5py.Dataset) -> Sequence[str]:
    return [str(value) for value in values.asstr()[:]]


def _floats(values: h5py.Dataset) -> FloatArray:
    return np.asarray(values[:], dtype=np.float64)
