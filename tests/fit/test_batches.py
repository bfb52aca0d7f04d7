"""Two pipelines in one cohort."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from escape_score.fit.batches import find_batches
from escape_score.library.axes import load_design
from escape_score.model.cohort import FloatArray, SampleRecord

LIMITS = load_design().thresholds.auto


def cohort(n: int = 40, n_genes: int = 600, seed: int = 0) -> FloatArray:
    """Tumours of one pipeline: own noise of each, and a biology that some genes share."""
    rng = np.random.default_rng(seed)
    biology = rng.normal(0, 1, (n, 2)) @ rng.normal(0, 0.25, (2, n_genes))
    return rng.uniform(3, 8, n_genes) + biology + rng.normal(0, 0.5, (n, n_genes))


def shifted(values: FloatArray, rows: slice, sd: float) -> FloatArray:
    """Some samples counted by another pipeline."""
    out = values.copy()
    out[rows] += np.random.default_rng(9).normal(0, sd, values.shape[1])
    return out


@pytest.mark.parametrize("seed", range(5))
def test_tumours_of_one_pipeline_are_one_group(seed: int) -> None:
    assert find_batches(cohort(seed=seed), LIMITS) is None


@pytest.mark.parametrize(("size", "sd"), [(20, 0.8), (8, 0.8), (20, 1.5), (35, 1.0)])
def test_two_pipelines_are_found_sample_by_sample(size: int, sd: float) -> None:
    found = find_batches(shifted(cohort(), slice(size), sd), LIMITS)
    assert found is not None
    first = found.is_first if found.is_first[0] else ~found.is_first
    assert first.tolist() == [True] * size + [False] * (40 - size)
    assert found.gap >= LIMITS.batch_gap


def test_a_group_of_fewer_than_five_is_not_looked_for() -> None:
    found = find_batches(shifted(cohort(), slice(3), 3.0), LIMITS)
    assert found is None or min(found.is_first.sum(), (~found.is_first).sum()) >= LIMITS.batch_samples


@pytest.mark.parametrize("shape", [(9, 600), (40, 49)])
def test_too_few_samples_or_genes_are_not_judged(shape: tuple[int, int]) -> None:
    values = shifted(cohort(*shape), slice(shape[0] // 2), 3.0)
    assert find_batches(values, LIMITS) is None


def test_genes_with_gaps_are_not_used() -> None:
    values = shifted(cohort(), slice(20), 1.5)
    values[0, :560] = np.nan
    assert find_batches(values, LIMITS) is None


@settings(max_examples=20)
@given(st.integers(0, 1000), st.permutations(range(24)))
def test_groups_do_not_depend_on_the_order_of_samples(seed: int, order: list[int]) -> None:
    values = shifted(cohort(24, 120, seed), slice(12), 1.2)
    found, again = find_batches(values, LIMITS), find_batches(values[order], LIMITS)
    assert (found is None) is (again is None)
    if found is not None and again is not None:
        sides = found.is_first[order] == again.is_first
        assert sides.all() or not sides.any()


def test_params_name_groups_and_the_column_that_separates_them() -> None:
    found = find_batches(shifted(cohort(), slice(20), 1.5), LIMITS)
    assert found is not None
    samples = [
        SampleRecord(f"s{i:02d}", site="one" if i < 20 else "two", patient_id=f"p{i}") for i in range(40)
    ]
    params = found.params(samples)
    assert {params["n_first"], params["n_second"]} == {20}
    assert {params["first"], params["second"]} == {("s00", "s01", "s02"), ("s20", "s21", "s22")}
    assert params["column"] == "site"
    assert found.params([SampleRecord(f"s{i}", patient_id=f"p{i}") for i in range(40)])["column"] == ""
