"""Mean z with its rule of coverage."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from escape_score.model.reference import Reference
from escape_score.model.signature import Signature
from escape_score.model.thresholds import Thresholds
from escape_score.score.placement import align
from escape_score.score.reference_z import build_membership, score_reference_z


@pytest.mark.parametrize(
    ("n_genes", "n_needed"),
    [(1, 1), (2, 2), (3, 3), (4, 3), (9, 3), (10, 3), (11, 4), (12, 4), (13, 4), (14, 5), (20, 6), (21, 7)],
)
def test_coverage_rule_at_its_limits(
    n_genes: int, n_needed: int, reference: Reference, thresholds: Thresholds
) -> None:
    anchors = reference.genes.symbols[:n_genes]
    alignment = align(reference.genes.symbols, reference, ())
    membership = build_membership([Signature("s", anchors)], alignment, thresholds.coverage)
    assert membership.n_needed.tolist() == [n_needed]
    z = np.full((2, len(alignment.symbols)), np.nan)
    z[0, :n_needed] = 1.5
    z[1, : n_needed - 1] = 1.5
    values, coverage = score_reference_z(z, membership)
    np.testing.assert_allclose(values[:, 0], [1.5, np.nan])
    np.testing.assert_allclose(coverage[:, 0], [n_needed / n_genes, (n_needed - 1) / n_genes])


@given(seed=st.integers(0, 500), missing=st.floats(0, 0.9))
def test_score_reference_z_agrees_with_a_slow_computation(
    seed: int, missing: float, reference: Reference, thresholds: Thresholds
) -> None:
    rng = np.random.default_rng(seed)
    alignment = align(reference.genes.symbols, reference, ())
    known = [*alignment.symbols, "NOBODY1", "NOBODY2"]
    sets = [
        Signature(f"s{i}", tuple(rng.choice(known, size=rng.integers(1, 20), replace=False).tolist()))
        for i in range(5)
    ]
    z = rng.normal(size=(3, len(alignment.symbols)))
    z[rng.random(z.shape) < missing] = np.nan
    values, coverage = score_reference_z(z, build_membership(sets, alignment, thresholds.coverage))
    for row in range(3):
        of_gene = dict(zip(alignment.symbols, z[row].tolist(), strict=True))
        for column, signature in enumerate(sets):
            n = len(signature.gene_symbols)
            there = [of_gene[g] for g in signature.gene_symbols if not math.isnan(of_gene.get(g, math.nan))]
            is_enough = len(there) >= max(1, min(3, n), math.ceil(0.3 * n))
            expected = sum(there) / len(there) if is_enough else math.nan
            assert values[row, column] == pytest.approx(expected, abs=1e-12, nan_ok=True)
            assert coverage[row, column] == pytest.approx(len(there) / n)


def test_signature_without_a_known_gene_has_no_score(reference: Reference, thresholds: Thresholds) -> None:
    alignment = align(reference.genes.symbols, reference, ())
    membership = build_membership([Signature("s", ("NOBODY",))], alignment, thresholds.coverage)
    values, coverage = score_reference_z(np.ones((1, len(alignment.symbols))), membership)
    assert np.isnan(values).all()
    assert coverage.tolist() == [[0.0]]
