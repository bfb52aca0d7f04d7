"""Methods in addition to the axes: blocks, genes that are not measured, and methods that compare samples."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from escape_score.model.cohort import FloatArray
from escape_score.model.method_choice import Engine, MethodChoice, MethodName, Ties
from escape_score.model.scores import MethodTable
from escape_score.model.signature import Signature
from escape_score.score.beside import MethodsBeside
from escape_score.score.methods import METHODS, Scope, SetIndex

GENES = tuple(f"G{i:02d}" for i in range(40))
SIGNATURES = (
    Signature("first", GENES[:8], "", ""),
    Signature("second", (*GENES[20:24], "ELSEWHERE"), "", ""),
    Signature("third", (*GENES[30:32], "A", "B", "C"), "", ""),
)
ALONE = tuple(name for name in MethodName if METHODS[name].scope is Scope.SAMPLE)
ALL = tuple(MethodName)


def values_of(seed: int, n_samples: int, n_missing: int = 0) -> FloatArray:
    rng = np.random.default_rng(seed)
    values = np.round(rng.gamma(1.0, 2.0, (n_samples, len(GENES))), 1)
    values[rng.integers(0, n_samples, n_missing), rng.integers(0, len(GENES), n_missing)] = np.nan
    return values


def scored(values: FloatArray, choice: MethodChoice, *, cuts: tuple[int, ...] = ()) -> dict[str, MethodTable]:
    ids = tuple(signature.signature_id for signature in SIGNATURES)
    beside = MethodsBeside(choice, ids, SetIndex.of(SIGNATURES, GENES))
    parts = [beside.score_block(block) for block in np.split(values, cuts)]
    return {table.name: table for table in beside.join(parts)}


def test_method_names_are_those_of_the_registry() -> None:
    assert set(MethodName) == set(METHODS)


@given(seed=st.integers(0, 99), n_missing=st.integers(0, 30), cut=st.integers(1, 5))
def test_a_sample_alone_has_the_bits_it_has_among_others(seed: int, n_missing: int, cut: int) -> None:
    values, choice = values_of(seed, 6, n_missing), MethodChoice(ALONE)
    whole, cut_in_two = scored(values, choice), scored(values, choice, cuts=(cut,))
    for name, table in whole.items():
        assert table.values.tobytes() == cut_in_two[name].values.tobytes()
        alone = scored(values[[cut]], choice)[name]
        assert alone.values.tobytes() == np.ascontiguousarray(table.values[[cut]]).tobytes()
        assert alone.coverage.tolist() == table.coverage[[cut]].tolist()


@pytest.mark.parametrize("name", ALL)
def test_coverage_counts_what_the_sample_measures_and_blanks_below_the_least(name: MethodName) -> None:
    values = values_of(1, 5)
    if METHODS[name].scope is Scope.SAMPLE:
        values[2, :4] = np.nan
    table = scored(values, MethodChoice((name,)))[name]
    assert table.coverage[0].tolist() == [1.0, 0.8, 0.4]
    assert np.isnan(table.values[0]).tolist() == [False, False, True]
    if METHODS[name].scope is Scope.SAMPLE:
        assert table.coverage[2].tolist() == [0.5, 0.8, 0.4]
        assert np.isnan(table.values[2]).tolist() == [True, False, True]


@pytest.mark.parametrize("name", ALL)
def test_a_sample_without_values_is_not_evaluable_and_leaves_the_others_as_they_are(name: MethodName) -> None:
    values = values_of(2, 6)
    with_empty = np.insert(values, 3, np.nan, axis=0)
    choice = MethodChoice((name,))
    found, expected = scored(with_empty, choice)[name], scored(values, choice)[name]
    assert np.isnan(found.values[3]).all()
    assert found.coverage[3].tolist() == [0.0, 0.0, 0.0]
    np.testing.assert_array_equal(np.delete(found.values, 3, axis=0), expected.values)


@pytest.mark.parametrize("name", [MethodName.GSVA, MethodName.ZSCORE])
def test_methods_that_compare_samples_use_the_genes_that_all_have(name: MethodName) -> None:
    values = values_of(3, 8)
    values[1, 0] = np.nan
    choice = MethodChoice((name,), min_coverage=0.5)
    found = scored(values, choice)[name]
    values[:, 0] = np.nan
    np.testing.assert_array_equal(found.values, scored(values, choice)[name].values)
    assert found.coverage[0, 0] == 7 / 8


@pytest.mark.parametrize("name", [MethodName.GSVA, MethodName.ZSCORE])
def test_one_sample_cannot_be_compared(name: MethodName) -> None:
    assert np.isnan(scored(values_of(4, 1), MethodChoice((name,)))[name].values).all()


def test_gseapy_as_the_engine_gives_what_its_ties_give() -> None:
    values = values_of(5, 6)
    names = (MethodName.SSGSEA, MethodName.SINGSCORE)
    theirs = scored(values, MethodChoice(names, engine=Engine.GSEAPY))
    ours = scored(values, MethodChoice(names, ties=Ties.GSEAPY))
    for name in names:
        np.testing.assert_allclose(theirs[name].values, ours[name].values, rtol=1e-9, atol=1e-9)
    by_rank = scored(values, MethodChoice(names))
    assert not np.allclose(theirs["ssgsea"].values, by_rank["ssgsea"].values, equal_nan=True)


@pytest.mark.parametrize("ties", list(Ties))
def test_ties_move_gsva(ties: Ties) -> None:
    values = values_of(6, 12)
    values[:, 35:] = values[:, :5]
    found = scored(values, MethodChoice((MethodName.GSVA,), ties=ties))["gsva"].values[:, 0]
    mid = scored(values, MethodChoice((MethodName.GSVA,)))["gsva"].values[:, 0]
    assert np.array_equal(found, mid) == (ties is Ties.MID)


def test_threads_change_nothing() -> None:
    values = values_of(7, 300)
    one, two = (scored(values, MethodChoice(ALL, threads=n)) for n in (1, 2))
    for name in ALL:
        assert one[name].values.tobytes() == two[name].values.tobytes()
