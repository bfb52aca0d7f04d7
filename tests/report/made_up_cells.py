"""Single cells of made-up patients: rich ones, one with hardly anything evaluable, one with two samples."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from tests.report.conftest import made

from escape_score.model.notes import Code
from escape_score.model.record import (
    Call,
    CellMap,
    CellSampleRecord,
    CellsRecord,
    CompartmentRecord,
    Interval,
    NoteRecord,
    QuantityRecord,
    SideBySide,
)
from escape_score.report.drawing import png_uri


@dataclass(frozen=True)
class Definition:
    """A provisional row of the table of quantities."""

    quantity: str
    title: str
    group: str
    axis: str
    unit: str
    direction: int
    threshold: float | None
    cells: str
    least: int = 20


DEFINITIONS = {
    one.quantity: one
    for one in (
        Definition(
            "malignant_share",
            "Malignant cells among all cells",
            "composition",
            "",
            "fraction",
            0,
            None,
            "all cells",
        ),
        Definition("t_share", "T cells among all cells", "composition", "", "fraction", 0, None, "all cells"),
        Definition(
            "mhc1_vs_stroma",
            "MHC class I of malignant cells, compared with the stroma",
            "presentation",
            "mhc1_loss",
            "log2_ratio",
            -1,
            -4.0,
            "malignant cells",
        ),
        Definition(
            "b2m_vs_stroma",
            "B2M of malignant cells, compared with the stroma",
            "presentation",
            "mhc1_weakest_link",
            "log2_ratio",
            -1,
            -4.5,
            "malignant cells",
        ),
        Definition(
            "hla_abc_vs_stroma",
            "HLA-A, HLA-B and HLA-C of malignant cells, compared with the stroma",
            "presentation",
            "mhc1_weakest_link",
            "log2_ratio",
            -1,
            -4.5,
            "malignant cells",
        ),
        Definition(
            "b2m_lost_share",
            "Malignant cells that lost B2M",
            "presentation",
            "mhc1_weakest_link",
            "fraction",
            1,
            0.2,
            "malignant cells",
            50,
        ),
        Definition(
            "hla_abc_lost_share",
            "Malignant cells that lost HLA-A, HLA-B and HLA-C",
            "presentation",
            "mhc1_weakest_link",
            "fraction",
            1,
            0.2,
            "malignant cells",
            50,
        ),
        Definition(
            "mhc1_chain_lost_share",
            "Malignant cells that lost the MHC class I chain",
            "presentation",
            "mhc1_loss",
            "fraction",
            1,
            0.2,
            "malignant cells",
            50,
        ),
        Definition(
            "ifng_response",
            "Interferon-gamma response of malignant cells",
            "malignant",
            "ifng_machinery",
            "log2_rate",
            -1,
            1.0,
            "malignant cells",
        ),
        Definition(
            "cd8_exhausted_share",
            "Exhausted cells among CD8 T cells",
            "t_cells",
            "exhaustion",
            "fraction",
            1,
            0.3,
            "CD8 T cells",
        ),
        Definition(
            "cd8_stem_like_share",
            "Stem-like cells among CD8 T cells",
            "t_cells",
            "",
            "fraction",
            0,
            None,
            "CD8 T cells",
        ),
        Definition(
            "treg_share",
            "Regulatory cells among CD4 T cells",
            "t_cells",
            "treg",
            "fraction",
            1,
            0.3,
            "CD4 T cells",
        ),
        Definition(
            "spp1_macrophage_share",
            "SPP1 macrophages among myeloid cells",
            "myeloid",
            "tam",
            "fraction",
            1,
            0.4,
            "myeloid cells",
        ),
    )
}
"""Rows that only these tests know, in the order of pages."""


def quantity(
    name: str,
    value: float | None = None,
    low: float | None = None,
    high: float | None = None,
    *,
    n: int = 124,
    limit: float | None = None,
    reason: NoteRecord | None = None,
) -> QuantityRecord:
    """A quantity called by its threshold; one without a value is not evaluable, for a reason."""
    rule = DEFINITIONS[name]
    call, kind = None, "described"
    if value is None:
        call = None if rule.threshold is None else Call.NOT_EVALUABLE
        reason = reason or made(Code.CELL_QUANTITY, "few_cells", n=n, least=rule.least)
    elif rule.threshold is not None:
        near = low if rule.direction > 0 else high
        assert near is not None
        is_beyond = [rule.direction * (one - rule.threshold) >= 0 for one in (near, value)]
        call = Call.DETECTED if is_beyond[0] else Call.BORDERLINE if is_beyond[1] else Call.NOT_DETECTED
        kind = call.value
    return QuantityRecord(
        quantity=name,
        title=rule.title,
        group=rule.group,
        axis=rule.axis,
        unit=rule.unit,
        cells=rule.cells,
        direction=rule.direction,
        threshold=rule.threshold,
        value=value,
        interval=None if low is None or high is None else Interval(low=low, high=high),
        n_cells=n,
        limit_of_detection=limit,
        call=call,
        reason=reason or made(Code.CELL_QUANTITY, kind, threshold=rule.threshold or float("nan")),
        meaning=f"Meaning of {rule.title}.",
        limits=f"Limits of {rule.title}.",
    )


RICH = (
    quantity("malignant_share", 0.42, 0.39, 0.44, n=1564),
    quantity("t_share", 0.24, 0.22, 0.26, n=1564),
    quantity("mhc1_vs_stroma", -3.2, -3.6, -2.7),
    quantity("b2m_vs_stroma", -5.1, -6.4, -4.6, limit=-4.8),
    quantity("hla_abc_vs_stroma", -4.6, -5.1, -4.1),
    quantity("b2m_lost_share", 0.45, 0.31, 0.58, n=118, limit=0.35),
    quantity("hla_abc_lost_share", 0.24, 0.08, 0.41, n=118, limit=0.4),
    quantity("mhc1_chain_lost_share", reason=made(Code.CELL_QUANTITY, "few_genes", n=2, of=6, least=3)),
    quantity("ifng_response", 3.4, 2.8, 3.9),
    quantity("cd8_exhausted_share", 0.18, 0.07, 0.33, n=61, limit=0.45),
    quantity("cd8_stem_like_share", 0.004, 0.0, 0.06, n=61),
    quantity("treg_share", 0.35, 0.28, 0.47, n=88),
    quantity("spp1_macrophage_share", n=7),
)
SPARSE = tuple(
    quantity("t_share", 0.84, 0.79, 0.88, n=240)
    if name == "t_share"
    else quantity(
        name,
        n=at,
        reason=made(Code.CELL_QUANTITY, "ambient_high", ratio=0.31, most=0.2)
        if name == "b2m_lost_share"
        else None,
    )
    for at, name in enumerate(DEFINITIONS)
)


def compartments(**counts: int) -> tuple[CompartmentRecord, ...]:
    total = sum(counts.values())
    return tuple(
        CompartmentRecord(
            compartment=name,
            n_cells=n,
            share=n / total,
            interval=Interval(low=max(0.0, n / total - 0.02), high=min(1.0, n / total + 0.02)),
        )
        for name, n in counts.items()
    )


PALETTE = ("#ffffff", "#a33208", "#0b5c6e", "#b08c2a")
PICTURE = png_uri([bytes((x * x + y * 7) % 23 % 4 for x in range(260)) for y in range(200)], PALETTE)


def cell_map() -> CellMap:
    return CellMap(
        png=str(PICTURE).partition(",")[2],
        n_cells=1500,
        compartments=("malignant", "t", "fibroblast"),
        colours=PALETTE[1:],
    )


def cell_sample(sample_id: str = "TUM-0042-A", patient_id: str = "P7", **changes: object) -> CellSampleRecord:
    fields: dict[str, Any] = {
        "sample_id": sample_id,
        "patient_id": patient_id,
        "n_read": 2013,
        "n_cells": 1564,
        "n_few_umi": 311,
        "n_few_genes": 0,
        "n_mitochondrial": 138,
        "median_umi": 5431.5,
        "is_umi": True,
        "ambient": 0.08,
        "labels_are_given": False,
        "malignant": made(Code.CELL_LABELS, "shown", n=650, n_labelled=0, signal=0.2, n_doubtful=3),
        "compartments": compartments(
            malignant=650,
            epithelial=22,
            t=376,
            nk=31,
            b=0,
            plasma=9,
            myeloid=180,
            mast=0,
            fibroblast=190,
            endothelial=61,
            other=0,
            unassigned=45,
        ),
    }
    return CellSampleRecord(**fields | changes)


def rich(**changes: object) -> CellsRecord:
    """Most quantities have a value, and B2M is lost where bulk does not detect it."""
    fields: dict[str, Any] = {
        "patient_id": "P7",
        "patient_sample_ids": ("TUM-0042-A",),
        "n_patient_cells": 1564,
        "sample": cell_sample(),
        "quantities": RICH,
        "side_by_side": (
            side("exhaustion", Call.NOT_DETECTED, Call.NOT_DETECTED, "cd8_exhausted_share", True),
            side("mhc1_weakest_link", Call.NOT_DETECTED, Call.DETECTED, "b2m_lost_share", False),
            side("treg", Call.NOT_EVALUABLE, Call.BORDERLINE, "treg_share", None),
            side("ifng_machinery", Call.DETECTED, Call.NOT_DETECTED, "ifng_response", False),
            side("tam", Call.NOT_DETECTED, Call.NOT_EVALUABLE, "spp1_macrophage_share", None),
        ),
        "map": cell_map(),
    }
    return CellsRecord(**fields | changes)


def sparse() -> CellsRecord:
    """Hardly anything is evaluable: few cells, no malignant ones found, ambient RNA."""
    sample = cell_sample(
        n_read=310,
        n_cells=240,
        n_few_umi=70,
        n_mitochondrial=0,
        median_umi=612,
        is_umi=False,
        ambient=None,
        labels_are_given=True,
        unknown_labels=("clu-7", "doublet?"),
        malignant=made(Code.CELL_LABELS, "no_candidates"),
        flags=(made(Code.FEW_GENES, n=900, n_all=20_000), made(Code.RENAMED_SYMBOLS, n=3, names=["MARCH1"])),
        compartments=compartments(malignant=0, t=201, myeloid=30, fibroblast=5, unassigned=4),
    )
    sides = (
        side("mhc1_weakest_link", Call.NOT_DETECTED, Call.NOT_EVALUABLE, "b2m_lost_share", None),
        side("exhaustion", None, Call.NOT_EVALUABLE, "cd8_exhausted_share", None),
    )
    return rich(n_patient_cells=240, sample=sample, quantities=SPARSE, side_by_side=sides, map=None)


def of_two_samples() -> CellsRecord:
    """One sample of a patient with two: the quantities are made from both."""
    return rich(patient_sample_ids=("TUM-0042-A", "TUM-0042-B"), n_patient_cells=3111)


def side(axis: str, bulk: Call | None, cells: Call, name: str, is_in_agreement: bool | None) -> SideBySide:
    return SideBySide(axis=axis, bulk=bulk, cells=cells, quantity=name, is_in_agreement=is_in_agreement)


def with_quantities(cells: CellsRecord, quantities: Iterable[QuantityRecord]) -> CellsRecord:
    return cells.model_copy(update={"quantities": tuple(quantities)})
