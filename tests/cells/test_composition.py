"""Shares of compartments and their intervals."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.sparse as sp

from escape_score.cells.composition import composition_quantities, jeffreys
from escape_score.library.cell_quantities import QuantityGroup, load_quantities
from escape_score.model.cells import CODE_OF, CellQuantity, Compartment, PatientCells


def patient(**n_cells: int) -> PatientCells:
    codes = np.concatenate(
        [np.full(n, CODE_OF[Compartment(name)], dtype=np.int8) for name, n in n_cells.items()]
    )
    n_all = len(codes)
    counts = sp.csr_array((n_all, 0))
    sample = np.zeros(n_all, dtype=np.int32)
    ones = np.ones(n_all)
    sums = np.zeros((1, 0))
    return PatientCells("p", ("s",), (), counts, ones, codes, sample, sums, np.array([1.0]), np.array([0.0]))


def shares(**n_cells: int) -> dict[str, CellQuantity]:
    return {quantity.quantity: quantity for quantity in composition_quantities(patient(**n_cells))}


def test_shares_are_of_cells_with_a_known_type() -> None:
    found = shares(malignant=50, t=20, b=10, myeloid=15, endothelial=4, fibroblast=1, unassigned=300)
    assert found["malignant_share"].value == 0.5
    assert found["t_share"].value == 0.2
    assert found["stroma_share"].value == 0.05
    assert found["leukocyte_share"].value == 0.45
    assert found["mast_share"].value == 0
    assert found["malignant_share"].n_cells == 100
    assert all(quantity.call is None for quantity in found.values())


def test_leukocyte_shares_need_leukocytes() -> None:
    few = shares(malignant=100, t=20, myeloid=20)["myeloid_share_of_leukocytes"]
    enough = shares(malignant=100, t=40, myeloid=40)["myeloid_share_of_leukocytes"]
    assert math.isnan(few.value)
    assert few.reason.kind == "few_cells"
    assert enough.value == 0.5
    assert enough.n_cells == 80


def test_too_few_cells_have_no_share() -> None:
    for quantity in shares(malignant=30, t=19, unassigned=500).values():
        assert math.isnan(quantity.value)
        assert math.isnan(quantity.high)


def test_quantities_are_those_of_the_group_in_order() -> None:
    wanted = [d.quantity for d in load_quantities().values() if d.group is QuantityGroup.COMPOSITION]
    assert [q.quantity for q in composition_quantities(patient(t=60))] == wanted
    assert len(wanted) == 10


def test_interval_is_that_of_jeffreys() -> None:
    # Brown, Cai and DasGupta 2001: quantiles of Beta(x + 1/2, n - x + 1/2)
    assert jeffreys(0, 100)[0] == 0
    assert jeffreys(100, 100)[1] == 1
    assert jeffreys(20, 100) == pytest.approx((0.140945, 0.271710), abs=1e-6)
    assert jeffreys(3, 10) == pytest.approx((0.117329, 0.558127), abs=1e-6)


@pytest.mark.parametrize("share", [0.02, 0.1, 0.5, 0.9])
def test_interval_covers_the_share_of_the_tissue(share: float) -> None:
    drawn = np.random.default_rng(2).binomial(300, share, 300)
    inside = [low <= share <= high for low, high in (jeffreys(int(n), 300) for n in drawn)]
    assert 0.84 <= np.mean(inside) <= 0.96
