"""What single cells add to a result: columns and records of samples, and tables of their own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from math import nan

import numpy as np
import pandas as pd

from escape_score.cells.patient import PatientResult
from escape_score.model.cells import CellSample
from escape_score.model.record import (
    Call,
    CellMap,
    CellSampleRecord,
    CellsRecord,
    CompartmentRecord,
    EscapeProfile,
    Interval,
    PatientRecord,
    QuantityRecord,
    SideBySide,
    slug_of,
)
from escape_score.report.messages import english
from escape_score.store.manifest import FailedSample

SEVERITY = (Call.DETECTED, Call.BORDERLINE, Call.NOT_DETECTED, Call.NOT_EVALUABLE)
"""Calls, the most severe first."""


@dataclass(frozen=True, eq=False)
class CellResults:
    """What the cells of a cohort show.

    Parameters
    ----------
    patients
        One a patient, in the order of the input.
    maps
        Maps of cells by patient; empty if they were not drawn.
    counts
        Samples that have a profile, loaded one at a time, if all cells are to be written; else None.
    """

    patients: tuple[PatientResult, ...] = field(repr=False)
    maps: Mapping[str, CellMap] = field(default_factory=dict, repr=False)
    counts: Iterable[CellSample] | None = field(default=None, repr=False)

    @cached_property
    def _place_of(self) -> Mapping[str, tuple[PatientRecord, CellSampleRecord]]:
        """Patient and sample by sample id."""
        records = (patient.record for patient in self.patients)
        return {sample.sample_id: (record, sample) for record in records for sample in record.samples}

    @property
    def sample_ids(self) -> tuple[str, ...]:
        """Samples that have a profile."""
        return tuple(self._place_of)

    @property
    def failed(self) -> tuple[FailedSample, ...]:
        """Samples without a profile."""
        pairs = (pair for patient in self.patients for pair in patient.failed)
        return tuple(
            FailedSample(slug=slug_of(sample_id), problem=problem, sample_id=sample_id)
            for sample_id, problem in pairs
        )

    def added_to(self, profile: EscapeProfile) -> EscapeProfile:
        """The profile of a sample with its block ``cells``."""
        return profile.model_copy(update={"cells": self.record_of(profile)})

    def record_of(self, profile: EscapeProfile) -> CellsRecord:
        """The block ``cells`` of a sample."""
        patient, sample = self._place_of[profile.sample_id]
        return CellsRecord(
            patient_id=patient.patient_id,
            patient_sample_ids=tuple(one.sample_id for one in patient.samples),
            n_patient_cells=sum(one.n_cells for one in patient.samples),
            sample=sample,
            quantities=patient.quantities,
            side_by_side=tuple(side_by_side(profile, patient.quantities)),
            map=self.maps.get(patient.patient_id),
        )

    def columns(self, sample_ids: Sequence[str]) -> pd.DataFrame:
        """Columns ``cells_*`` of ``profiles.tsv``, one row a sample."""
        rows = [
            {"cells_n": sample.n_cells, **_quantity_columns(patient.quantities)}
            for patient, sample in map(self._place_of.__getitem__, sample_ids)
        ]
        return pd.DataFrame(rows)

    def quantities_table(self) -> pd.DataFrame:
        """``cells.tsv``: one row a patient and quantity."""
        return pd.DataFrame(list(self._quantity_rows()))

    def _quantity_rows(self) -> Iterator[dict[str, object]]:
        for record in (patient.record for patient in self.patients):
            for one in record.quantities:
                yield {
                    "patient_id": record.patient_id,
                    "sample_ids": ",".join(sample.sample_id for sample in record.samples),
                    "quantity": one.quantity,
                    "group": one.group,
                    "axis": one.axis,
                    "unit": one.unit,
                    "value": _number(one.value),
                    "low": _end(one.interval, "low"),
                    "high": _end(one.interval, "high"),
                    "n_cells": one.n_cells,
                    "limit_of_detection": _number(one.limit_of_detection),
                    "threshold": _number(one.threshold),
                    "call": one.call or "",
                    "reason": str(one.reason.params.get("kind", "")),
                    "reason_in_words": english(one.reason),
                }

    def compartments_table(self) -> pd.DataFrame:
        """``compartments.tsv``: one row a sample and compartment."""
        rows = [
            _compartment_row(sample, one)
            for patient in self.patients
            for sample in patient.record.samples
            for one in sample.compartments
        ]
        return pd.DataFrame(rows)

    def labels_table(self) -> pd.DataFrame:
        """``cell_labels.parquet``: one row a cell that passed the gates."""
        columns = [patient.cell_columns for patient in self.patients if patient.cell_columns]
        joined = {name: np.concatenate([one[name] for one in columns]) for name in columns[0]}
        return pd.DataFrame(joined)


def side_by_side(profile: EscapeProfile, quantities: Sequence[QuantityRecord]) -> Iterator[SideBySide]:
    """Mechanisms that both bulk and cells look at, in the order of the axes."""
    decided = {Call.DETECTED, Call.NOT_DETECTED}
    for axis in profile.axes:
        called = [one for one in quantities if one.axis == axis.axis and one.call is not None]
        if called:
            leading = min(called, key=lambda one: SEVERITY.index(one.call or Call.NOT_EVALUABLE))
            cells = leading.call or Call.NOT_EVALUABLE
            is_decided = {axis.call, cells} <= decided
            yield SideBySide(
                axis=axis.axis,
                bulk=axis.call,
                cells=cells,
                quantity=leading.quantity,
                is_in_agreement=axis.call is cells if is_decided else None,
            )


def _quantity_columns(quantities: Sequence[QuantityRecord]) -> dict[str, object]:
    """Value, interval and, where there is one, call of each quantity."""
    columns: dict[str, object] = {}
    for one in quantities:
        name = f"cells_{one.quantity}"
        columns[name] = _number(one.value)
        columns |= {f"{name}_{end}": _end(one.interval, end) for end in ("low", "high")}
        if one.threshold is not None:
            columns[f"{name}_call"] = one.call or ""
    return columns


def _compartment_row(sample: CellSampleRecord, one: CompartmentRecord) -> dict[str, object]:
    return {
        "sample_id": sample.sample_id,
        "patient_id": sample.patient_id,
        "compartment": one.compartment,
        "n_cells": one.n_cells,
        "share": _number(one.share),
        "low": _end(one.interval, "low"),
        "high": _end(one.interval, "high"),
        "labels": "given" if sample.labels_are_given else "found",
    }


def _number(value: float | None) -> float:
    return nan if value is None else value


def _end(interval: Interval | None, end: str) -> float:
    return nan if interval is None else float(getattr(interval, end))
