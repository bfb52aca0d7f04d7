"""What the methods promise: names, ranges, scopes, and what leaves their scores as they are."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import numpy.typing as npt
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from escape_score.model.cohort import FloatArray
from escape_score.score.methods import METHODS, Scope, SetIndex

N_GENES = 60
SAMPLE_SCOPE = [name for name, method in METHODS.items() if method.scope is Scope.SAMPLE]
TOLERANCE = 1e-9
"""Far below what one exchange of two genes would do."""


def small_sets(generator: np.random.Generator) -> SetIndex:
    sizes = [3, 8, 20]
    columns = np.concatenate([np.argsort(generator.random(N_GENES))[:size] for size in sizes])
    return SetIndex(
        indptr=np.cumsum([0, *sizes]),
        columns=columns.astype(np.int32),
        n_genes=np.array(sizes),
        n_columns=N_GENES,
    )


@st.composite
def cohorts(draw: st.DrawFn) -> tuple[FloatArray, SetIndex, np.random.Generator]:
    """A few samples with zeros and equal values, and sets."""
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n_samples, n_levels = draw(st.integers(3, 8)), draw(st.sampled_from([4, 30, 100_000]))
    values = np.floor(n_levels * generator.random((n_samples, N_GENES)) ** 2) / 8.0
    return values, small_sets(generator), generator


def moved(sets: SetIndex, order: npt.NDArray[np.int64]) -> SetIndex:
    """The sets over a matrix whose columns were put in another order."""
    place = np.argsort(order)
    return SetIndex(sets.indptr, place[sets.columns].astype(np.int32), sets.n_genes, sets.n_columns)


@pytest.mark.parametrize("name", METHODS)
@settings(max_examples=8)
@given(cohorts())
def test_score_ignores_the_order_of_genes(
    name: str, drawn: tuple[FloatArray, SetIndex, np.random.Generator]
) -> None:
    values, sets, generator = drawn
    order = generator.permutation(N_GENES)
    score = METHODS[name].score
    shuffled = score(np.ascontiguousarray(values[:, order]), moved(sets, order)).values
    # Only the z-score adds up genes in the order of columns, through BLAS.
    atol = TOLERANCE if name == "zscore" else 0.0
    np.testing.assert_allclose(shuffled, score(values, sets).values, rtol=0, atol=atol)


@pytest.mark.parametrize("name", METHODS)
@settings(max_examples=8)
@given(cohorts())
def test_score_follows_the_order_of_samples(
    name: str, drawn: tuple[FloatArray, SetIndex, np.random.Generator]
) -> None:
    values, sets, generator = drawn
    order = generator.permutation(len(values))
    score = METHODS[name].score
    shuffled = score(np.ascontiguousarray(values[order]), sets).values
    np.testing.assert_allclose(shuffled, score(values, sets).values[order], rtol=0, atol=TOLERANCE)


@pytest.mark.parametrize("name", SAMPLE_SCOPE)
@settings(max_examples=8)
@given(cohorts())
def test_score_of_a_sample_alone_is_that_in_a_cohort(
    name: str, drawn: tuple[FloatArray, SetIndex, np.random.Generator]
) -> None:
    values, sets, _ = drawn
    score = METHODS[name].score
    together = score(values, sets).values
    for row, sample in enumerate(values):
        np.testing.assert_array_equal(score(sample[None, :], sets).values[0], together[row])


@pytest.mark.parametrize("name", SAMPLE_SCOPE)
@settings(max_examples=8)
@given(cohorts(), st.sampled_from([np.sqrt, np.log1p, np.exp2, lambda x: 3.0 * x + 2.0]))
def test_rank_score_ignores_strictly_monotone_transforms(
    name: str, drawn: tuple[FloatArray, SetIndex, np.random.Generator], transform: np.ufunc
) -> None:
    values, sets, _ = drawn
    values = np.minimum(values, 500.0)
    score = METHODS[name].score
    np.testing.assert_array_equal(score(transform(values), sets).values, score(values, sets).values)


@pytest.mark.parametrize("name", METHODS)
@settings(max_examples=8)
@given(cohorts())
def test_score_stays_in_its_range(name: str, drawn: tuple[FloatArray, SetIndex, np.random.Generator]) -> None:
    values, sets, _ = drawn
    method = METHODS[name]
    scores = method.score(values, sets).values
    lowest, highest = method.value_range
    seen = scores[~np.isnan(scores)]
    assert ((seen >= lowest - 1e-12) & (seen <= highest + 1e-12)).all()


@pytest.mark.parametrize("name", METHODS)
def test_score_is_the_same_in_any_layout_type_and_number_of_threads(
    name: str, tied: FloatArray, sets: SetIndex
) -> None:
    values = np.tile(np.round(tied * 8.0) / 8.0, (12, 1))
    score = METHODS[name].score
    expected = score(values, sets).values
    read_only = values.astype(np.float32)
    read_only.flags.writeable = False
    for other in (read_only, np.asfortranarray(values), sp.csr_array(values), sp.csr_matrix(values)):
        np.testing.assert_allclose(score(other, sets).values, expected, rtol=0, atol=TOLERANCE)
    np.testing.assert_array_equal(score(values, sets, threads=2).values, expected)


def test_methods_are_named_by_their_keys() -> None:
    assert [method.name for method in METHODS.values()] == list(METHODS)
    assert set(METHODS) == {"ssgsea", "gsva", "singscore", "zscore", "ucell", "aucell", "mean_rank"}


def test_method_tells_what_it_can_do() -> None:
    assert METHODS["ssgsea"].options == ("alpha", "ties")
    assert METHODS["zscore"].options == ()
    assert [name for name, method in METHODS.items() if method.by_gseapy] == ["ssgsea", "gsva"]
    assert [name for name, method in METHODS.items() if method.reads_all_genes] == ["gsva"]
    assert "nothing" not in METHODS
    with pytest.raises(KeyError):
        METHODS["nothing"]


def test_looking_methods_up_loads_no_compiler() -> None:
    program = "import sys; from escape_score.score.methods import METHODS; list(METHODS.values())"
    program += "; print('numba' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
