"""A locus that was under-quantified is told from a tumour that lost its MHC."""

from __future__ import annotations

import numpy as np
import pytest

from escape_score.model.reference import Reference
from escape_score.model.thresholds import Thresholds
from escape_score.score.mhc_locus import is_mhc_locus_unquantified, mhc_locus_doubt
from escape_score.score.placement import align

CONTROLS = ("CTRL1", "CTRL2", "CTRL3", "CTRL4")
CLASS_1 = ("HLA-A", "HLA-B", "HLA-C")
CLASS_2 = ("HLA-DPA1", "HLA-DPB1", "HLA-DRA")


def is_low(
    shifts: dict[str, float],
    reference: Reference,
    thresholds: Thresholds,
    controls: tuple[str, ...] = CONTROLS,
) -> bool:
    alignment = align(reference.genes.symbols, reference, reference.genes.symbols)
    placed = alignment.location.copy()
    for symbol, shift in shifts.items():
        placed[alignment.positions((symbol,))] += shift
    return bool(is_mhc_locus_unquantified(placed[None, :], alignment, controls, thresholds.locus)[0])


@pytest.mark.parametrize(("shift", "expected"), [(-2.1, True), (-1.9, False), (2.1, False), (np.nan, False)])
def test_controls_decide_where_there_are_enough(
    shift: float, expected: bool, reference: Reference, thresholds: Thresholds
) -> None:
    assert is_low(dict.fromkeys(CONTROLS, shift), reference, thresholds) is expected


def test_loss_of_the_mhc_alone_is_no_fault_of_the_locus(reference: Reference, thresholds: Thresholds) -> None:
    assert not is_low(dict.fromkeys((*CLASS_1, *CLASS_2), -6.0), reference, thresholds)


@pytest.mark.parametrize(
    ("shifts", "expected"),
    [
        (dict.fromkeys((*CLASS_1, *CLASS_2), -3.1), True),
        (dict.fromkeys((*CLASS_1, *CLASS_2), -2.9), False),
        (dict.fromkeys(CLASS_1, -6.0), False),
        (dict.fromkeys(CLASS_2, -6.0), False),
        (dict.fromkeys((*CLASS_1, *CLASS_2, "B2M", "CD74"), -6.0), False),
        (dict.fromkeys((*CLASS_1, *CLASS_2), -6.0) | {"B2M": np.nan}, False),
    ],
    ids=["both", "not far enough", "class I only", "class II only", "partners too", "partner not measured"],
)
def test_classes_decide_where_controls_are_few(
    shifts: dict[str, float], expected: bool, reference: Reference, thresholds: Thresholds
) -> None:
    assert is_low(shifts, reference, thresholds, controls=("CTRL1", "CTRL2", "CTRL3")) is expected


@pytest.mark.parametrize(
    ("class_1", "class_2", "controls", "expected"),
    [
        (-2.5, -1.5, CONTROLS[:3], 1.5),
        (-2.5, 0.5, CONTROLS[:3], 0.0),
        (np.nan, -1.5, CONTROLS[:3], 0.0),
        (-2.5, -1.5, CONTROLS, 0.0),
    ],
    ids=["as far as both are low", "one class only", "one class measured", "controls tell"],
)
def test_mhc_locus_doubt_is_what_nothing_else_explains(
    class_1: float,
    class_2: float,
    *,
    controls: tuple[str, ...],
    expected: float,
    reference: Reference,
    thresholds: Thresholds,
) -> None:
    alignment = align(reference.genes.symbols, reference, reference.genes.symbols)
    placed = alignment.location.copy()
    placed[alignment.positions(CLASS_1)] += class_1
    placed[alignment.positions(CLASS_2)] += class_2
    found = mhc_locus_doubt(placed[None, :], alignment, controls, thresholds.locus)
    assert found[0] == pytest.approx(expected)
