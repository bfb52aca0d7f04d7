"""Antigen presentation of a patient's malignant cells: losses, gates with their reasons, invariances."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse as sp
from tests.cells.presentation_data import (
    B2M,
    CHAIN,
    FIBROBLAST,
    HEAVY,
    MALIGNANT,
    MHC1,
    T,
    Tumour,
    make_patient,
    rows_of,
    without_genes,
)

from escape_score.cells.presentation import presentation_genes, presentation_quantities, quantity_genes
from escape_score.library.axes import load_design
from escape_score.library.cell_quantities import load_quantities
from escape_score.model.cells import CODE_OF, CellQuantity, Compartment, PatientCells
from escape_score.model.record import Call

LOST = ("b2m_lost_share", "hla_abc_lost_share", "mhc1_chain_lost_share")
CALLED_LEVELS = ("mhc1_vs_stroma", "b2m_vs_stroma", "hla_abc_vs_stroma")


def quantities(cells: PatientCells) -> dict[str, CellQuantity]:
    """All quantities by id."""
    return {one.quantity: one for one in presentation_quantities(cells, seed=0)}


def numbers(cells: PatientCells) -> np.ndarray:
    """Value, interval and limit of all quantities."""
    return np.array([[q.value, q.low, q.high, q.limit] for q in presentation_quantities(cells, seed=0)])


def test_all_quantities_are_given_in_the_order_of_the_table() -> None:
    named = [name for name in load_quantities() if name in quantity_genes()]
    assert [one.quantity for one in presentation_quantities(make_patient(), seed=0)] == named
    assert len(named) == len(quantity_genes())


def test_each_axis_of_a_quantity_exists() -> None:
    axes = {axis.axis for axis in load_design().catalogue.axes}
    assert {load_quantities()[name].axis for name in quantity_genes()} <= axes


def test_groups_of_a_class_one_molecule_and_its_chain_do_not_overlap() -> None:
    assert set(B2M) | set(HEAVY) | set(CHAIN) == set(MHC1)
    assert len(B2M) + len(HEAVY) + len(CHAIN) == len(MHC1)
    assert set(MHC1) <= set(presentation_genes())


def test_an_intact_tumour_is_evaluable_and_nothing_is_called() -> None:
    found = quantities(make_patient())
    for name in (*LOST, *CALLED_LEVELS):
        assert found[name].call is Call.NOT_DETECTED, name
    for name in LOST:
        assert found[name].low == 0.0
        assert found[name].high < found[name].limit < 0.7
    assert found["b2m_vs_stroma"].value == pytest.approx(-2.0, abs=0.3)


@pytest.mark.parametrize(
    ("genes", "level", "share"),
    [
        (B2M, "b2m_vs_stroma", "b2m_lost_share"),
        (HEAVY, "hla_abc_vs_stroma", "hla_abc_lost_share"),
        (MHC1, "mhc1_vs_stroma", "mhc1_chain_lost_share"),
    ],
)
def test_losses_are_called_where_they_are(genes: tuple[str, ...], level: str, share: str) -> None:
    complete = quantities(make_patient(Tumour(lost=genes, share=1.0)))
    half = quantities(make_patient(Tumour(lost=genes, share=0.5)))
    assert complete[level].call is Call.DETECTED
    assert half[level].call is Call.NOT_DETECTED
    assert half[share].call is Call.DETECTED
    assert half[share].low <= 0.5 <= half[share].high
    untouched = set(LOST) - {name for name in LOST if set(quantity_genes()[name]) & set(genes)}
    assert all(half[name].call is Call.NOT_DETECTED for name in untouched)


def test_only_malignant_cells_are_judged() -> None:
    cells = make_patient()
    counts = cells.counts.toarray()
    counts[np.ix_(cells.rows(T), cells.columns(MHC1))] = 0.0
    np.testing.assert_array_equal(numbers(replace(cells, counts=sp.csr_array(counts))), numbers(cells))


def test_other_compartments_count_through_the_soup_alone() -> None:
    cells = make_patient()
    kept = np.flatnonzero(np.isin(cells.codes, [CODE_OF[MALIGNANT], CODE_OF[FIBROBLAST]]))
    np.testing.assert_array_equal(numbers(rows_of(cells, kept)), numbers(cells))
    richer = replace(cells, sample_counts=cells.sample_counts * 2.0)
    assert quantities(richer)["b2m_vs_stroma"].value < quantities(cells)["b2m_vs_stroma"].value


def test_the_order_of_cells_does_not_matter() -> None:
    cells = make_patient(Tumour(lost=B2M, share=0.4))
    order = np.random.default_rng(0).permutation(len(cells.codes))
    np.testing.assert_allclose(numbers(rows_of(cells, order)), numbers(cells), rtol=1e-9)


def test_two_samples_of_equal_ambient_rna_are_the_same_as_one() -> None:
    cells = make_patient(Tumour(lost=B2M, share=0.4))
    halves = np.random.default_rng(0).integers(0, 2, len(cells.codes)).astype(np.int32)
    split = replace(
        cells,
        sample_ids=("A", "B"),
        sample_of=halves,
        sample_counts=np.vstack([cells.sample_counts] * 2),
        sample_umi=np.repeat(cells.sample_umi, 2),
        ambient=np.repeat(cells.ambient, 2),
    )
    one, two = numbers(cells), numbers(split)
    np.testing.assert_allclose(two[:, 0], one[:, 0], rtol=1e-9)
    np.testing.assert_allclose(two[:, 1:], one[:, 1:], rtol=0.02, atol=0.02)


def test_a_seed_gives_the_same_numbers_twice_and_another_one_hardly_others() -> None:
    cells = make_patient()
    np.testing.assert_array_equal(numbers(cells), numbers(cells))
    other = np.array([[q.value, q.low, q.high] for q in presentation_quantities(cells, seed=1)])
    np.testing.assert_allclose(other, numbers(cells)[:, :3], atol=0.1)


Change = Callable[[PatientCells], PatientCells]


@pytest.mark.parametrize(
    ("change", "names", "kind"),
    [
        (lambda one: make_patient(Tumour(n_malignant=19)), (*LOST, *CALLED_LEVELS), "few_cells"),
        (lambda one: make_patient(Tumour(n_malignant=29)), LOST, "few_cells"),
        (
            lambda one: without_genes(one, (*B2M, *HEAVY)),
            ("b2m_lost_share", "hla_abc_vs_stroma"),
            "no_genes",
        ),
        (
            lambda one: without_genes(one, HEAVY[:2]),
            ("hla_abc_lost_share", "hla_abc_vs_stroma"),
            "few_genes",
        ),
        (lambda one: replace(one, ambient=np.array([np.nan])), (*LOST, "hypoxia_level"), "ambient_unknown"),
        (lambda one: make_patient(Tumour(n_stroma=9)), (*LOST, "mhc2_vs_stroma"), "few_stroma"),
        (lambda one: replace(one, is_umi=False), LOST, "no_umi"),
        (lambda one: make_patient(Tumour(depth=60.0)), LOST, "few_counts"),
        (lambda one: make_patient(Tumour(ambient=0.2)), LOST, "ambient_high"),
        (lambda one: replace(one, ambient=np.array([0.5])), ("mhc2_vs_stroma",), "stroma_without"),
        (lambda one: make_patient(Tumour(ambient=0.3, level=-4.0)), ("b2m_vs_stroma",), "blind_level"),
    ],
)
def test_each_gate_gives_its_reason_and_no_number(change: Change, names: tuple[str, ...], kind: str) -> None:
    found = quantities(change(make_patient()))
    for name in names:
        one = found[name]
        assert one.reason.kind == kind, (name, one)
        assert np.isnan([one.value, one.low, one.high]).all()
        assert one.call is (None if load_quantities()[name].threshold is None else Call.NOT_EVALUABLE)


def test_levels_need_no_stroma_and_no_molecules() -> None:
    cells = replace(make_patient(Tumour(n_stroma=0)), is_umi=False)
    assert np.isfinite(quantities(cells)["glycolysis_level"].value)


def test_a_gene_that_was_never_counted_is_not_measured() -> None:
    cells = make_patient()
    counts = cells.counts.toarray()
    counts[:, cells.columns(B2M)] = 0.0
    silent = replace(cells, counts=sp.csr_array(counts), sample_counts=counts.sum(axis=0).reshape(1, -1))
    assert quantities(silent)["b2m_vs_stroma"].reason.kind == "no_genes"
    assert quantities(silent)["mhc1_vs_stroma"].value == pytest.approx(-2.0, abs=0.3)


def test_a_patient_without_malignant_cells_has_no_number() -> None:
    cells = make_patient()
    none = rows_of(cells, np.flatnonzero(cells.codes != CODE_OF[Compartment.MALIGNANT]))
    assert np.isnan(numbers(replace(none, ambient=np.array([np.nan])))).all()


def test_cells_of_a_sample_without_an_ambient_share_are_left_out() -> None:
    cells = make_patient()
    halves = (np.arange(len(cells.codes)) % 2).astype(np.int32)
    split = replace(
        cells,
        sample_ids=("A", "B"),
        sample_of=halves,
        sample_counts=np.vstack([cells.sample_counts] * 2),
        sample_umi=np.repeat(cells.sample_umi, 2),
        ambient=np.array([cells.ambient[0], np.nan]),
    )
    found, alone = numbers(split), numbers(rows_of(cells, np.flatnonzero(halves == 0)))
    np.testing.assert_allclose(found[:, 0], alone[:, 0], rtol=1e-9)
    assert quantities(split)["glycolysis_level"].n_cells == 75
