"""Who enters a reference: tumours only, one sample a patient."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from enum import StrEnum

from escape_score.model.cohort import CELL_LINE, NORMAL, SampleRecord
from escape_score.profile.sheet import time_order

_TCGA_PATIENT = re.compile(r"(TCGA[-.][A-Z0-9]{2}[-.][A-Z0-9]{4})(?:[-.]|$)", re.IGNORECASE)


class LeftOut(StrEnum):
    """Why a sample does not enter a reference."""

    NORMAL = "normal"
    CELL_LINE = "cell_line"
    REPEAT = "repeat"
    """Another sample of the patient enters."""


def left_out(samples: Sequence[SampleRecord]) -> Mapping[int, LeftOut]:
    """Find the samples that do not enter a reference, by row.

    Normal tissue and cell lines are left out by the ``sample_type`` of the sheet or the code of a TCGA
    barcode. Of the tumours of one patient (``patient_id``, or the barcode) the earliest enters, and where
    their timepoints cannot be ordered the first by id.
    """
    kinds = {NORMAL: LeftOut.NORMAL, CELL_LINE: LeftOut.CELL_LINE}
    found = {row: kinds[s.sample_type] for row, s in enumerate(samples) if s.sample_type in kinds}
    rows_of: dict[str, list[int]] = defaultdict(list)
    for row, sample in enumerate(samples):
        patient = patient_of(sample)
        if patient and row not in found:
            rows_of[patient].append(row)
    for rows in rows_of.values():
        found |= dict.fromkeys(_ordered(rows, samples)[1:], LeftOut.REPEAT)
    return found


def patient_of(sample: SampleRecord) -> str:
    """Patient of a sample, by its sheet or TCGA barcode; empty where neither says it."""
    barcode = _TCGA_PATIENT.match(sample.sample_id)
    return sample.patient_id or (barcode[1].upper().replace(".", "-") if barcode else "")


def _ordered(rows: Sequence[int], samples: Sequence[SampleRecord]) -> list[int]:
    """Samples of one patient: the one that enters first."""
    times = time_order([samples[row].timepoint for row in rows]) or (0.0,) * len(rows)
    keyed = sorted((time, samples[row].sample_id, row) for time, row in zip(times, rows, strict=True))
    return [row for _, _, row in keyed]
