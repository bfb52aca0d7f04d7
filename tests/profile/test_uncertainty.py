"""Intervals against a slow computation."""

from __future__ import annotations

import math
import statistics

import numpy as np
import pytest
from scipy import integrate, optimize

from escape_score.catalogue import load_axis_catalogue, load_thresholds
from escape_score.cli.outputs import ProfiledCohort
from escape_score.model.axes import IndexBlockDefinition, Term
from escape_score.model.scores import GeneValues
from escape_score.profile.distance import excess_distance
from escape_score.profile.terms import Terms
from escape_score.profile.uncertainty import (
    ComponentSpread,
    component_spread,
    component_variance,
    index_variance,
    mean_variance,
    pooled_variance,
)

NAN = float("nan")
THRESHOLDS = load_thresholds()
NORMAL_95 = 1.6448536269514722
"""95 % quantile of the normal distribution (any statistical table)."""


def t_quantile(probability: float, freedom: float) -> float:
    """Quantile of Student's t by integrating its density, without scipy.stats."""
    norm = math.gamma((freedom + 1) / 2) / (math.sqrt(freedom * math.pi) * math.gamma(freedom / 2))

    def excess(x: float) -> float:
        area = integrate.quad(lambda u: norm * (1 + u * u / freedom) ** (-(freedom + 1) / 2), 0, x)[0]
        return 0.5 + area - probability

    return float(optimize.brentq(excess, 0, 50, xtol=1e-12))


@pytest.mark.parametrize(("freedom", "table"), [(4, 2.131847), (7, 1.894579), (9, 1.833113), (19, 1.729133)])
def test_t_quantile_of_the_slow_computation_agrees_with_tables(freedom: int, table: float) -> None:
    assert t_quantile(0.95, freedom) == pytest.approx(table, abs=1e-6)


@pytest.mark.parametrize(
    ("n", "n_genes", "variance", "pooled"), [(6, 6, 0.7, 0.4), (4, 10, 0.7, 0.4), (1, 3, 0.0, 0.9)]
)
def test_component_variance_agrees_with_a_slow_computation(
    n: int, n_genes: int, variance: float, pooled: float
) -> None:
    spread = ComponentSpread(np.array([variance]), np.array([float(n)]), n_genes)
    found = component_variance(spread, np.array([pooled]), THRESHOLDS)
    shrunk = ((n - 1) * variance + 4 * pooled) / (n - 1 + 4)
    half = t_quantile(0.95, n - 1 + 4) * math.sqrt(shrunk / n * (1 - n / n_genes) + 0.3**2 / n)
    assert NORMAL_95 * math.sqrt(found[0]) == pytest.approx(half, rel=1e-8)


def test_no_sampling_error_where_all_genes_are_measured() -> None:
    calm, wild = (ComponentSpread(np.array([v]), np.array([8.0]), 8) for v in (0.0, 25.0))
    pooled = np.array([1.0])
    assert component_variance(calm, pooled, THRESHOLDS) == component_variance(wild, pooled, THRESHOLDS)
    some = ComponentSpread(np.array([25.0]), np.array([7.0]), 8)
    assert component_variance(some, pooled, THRESHOLDS) > component_variance(wild, pooled, THRESHOLDS)


def test_component_without_genes_has_no_variance() -> None:
    nothing = ComponentSpread(np.array([0.0]), np.array([0.0]), 5)
    assert np.isnan(component_variance(nothing, np.array([1.0]), THRESHOLDS)).all()


def test_component_spread_is_the_variance_of_what_is_measured() -> None:
    z = np.array([[1.0, 2.0, 4.0, 9.0], [1.0, NAN, 4.0, 9.0], [NAN, NAN, 4.0, 9.0], [NAN, NAN, NAN, 9.0]])
    genes = GeneValues(("a", "b", "c", "x"), z, z)
    spread = component_spread(genes, ("a", "b", "c", "elsewhere"))
    np.testing.assert_allclose(
        spread.variance, [statistics.variance([1, 2, 4]), statistics.variance([1, 4]), 0.0, 0.0]
    )
    assert spread.n_measured.tolist() == [3, 2, 1, 0]
    assert spread.n_genes == 4


def test_pooled_variance_weighs_by_freedom() -> None:
    spreads = {
        "a": ComponentSpread(np.array([2.0, 2.0]), np.array([5.0, 1.0]), 5),
        "b": ComponentSpread(np.array([1.0, 1.0]), np.array([3.0, 0.0]), 5),
    }
    np.testing.assert_allclose(pooled_variance(spreads), [(4 * 2.0 + 2 * 1.0) / 6, NAN])


def test_intervals_of_an_axis_agree_with_a_slow_computation(demo: ProfiledCohort) -> None:
    context, genes, reference = demo.maker.context, demo.scores.genes, demo.reference
    column = {symbol: i for i, symbol in enumerate(genes.gene_symbols)}
    axis = demo.profiles.axis("treg")
    for row in range(8):
        variances = {}
        for name in ("treg_core", "cd8"):
            n = len(context.components[name])
            assert not any(math.isnan(genes.z[row, column[g]]) for g in context.components[name])
            freedom = n - 1 + 4
            variances[name] = (t_quantile(0.95, freedom) / NORMAL_95) ** 2 * 0.3**2 / n
        slope, spread = reference.slopes["treg_per_cd8"], reference.term_stats["treg_per_cd8"][1]
        half = NORMAL_95 * math.sqrt(variances["treg_core"] + slope**2 * variances["cd8"]) / spread
        assert axis.bounds.high_within[row] - axis.score[row] == pytest.approx(half, rel=1e-7)
        assert axis.score[row] - axis.bounds.low_within[row] == pytest.approx(half, rel=1e-7)
        excess = max(0.0, demo.scores.placement.distance[row] ** 2 - reference.anchor_distance**2)
        for name in variances:
            variances[name] += excess / 0.8**2 / len(context.components[name])
        half = NORMAL_95 * math.sqrt(variances["treg_core"] + slope**2 * variances["cd8"]) / spread
        assert axis.bounds.high[row] - axis.score[row] == pytest.approx(half, rel=1e-7)


def test_excess_distance_is_none_inside_the_reference(demo: ProfiledCohort) -> None:
    distance = demo.scores.placement.distance
    found = excess_distance(demo.scores, demo.reference)
    inside = distance <= demo.reference.anchor_distance
    assert (found[inside] == 0).all()
    np.testing.assert_allclose(
        found[~inside] ** 2, distance[~inside] ** 2 - demo.reference.anchor_distance**2, atol=1e-12
    )
    assert inside.any()
    assert not inside.all()


def test_mean_variance_adds_a_part_for_a_missing_term() -> None:
    terms = Terms(
        {"a": np.array([1.0, 1.0, NAN]), "b": np.array([1.0, NAN, NAN])}, np.zeros(3), np.zeros(3, bool)
    )
    each = [np.array([0.4, 0.4, NAN]), np.array([0.8, NAN, NAN])]
    found = mean_variance((Term(name="a"), Term(name="b")), terms, each, 0.7)
    np.testing.assert_allclose(found, [(0.4 + 0.8) / 4, 0.4 / 4 + 0.7 * (1 - 1 / 2), NAN])


def test_index_variance_renormalises_over_the_blocks_present() -> None:
    blocks = tuple(
        IndexBlockDefinition(block=name, weight=weight, terms=())
        for name, weight in (("a", 3), ("b", 1), ("c", 1), ("d", 1))
    )
    each = [np.array([v, v]) for v in (0.1, 0.2, 0.3, 0.4)]
    each[1] = np.array([0.2, NAN])
    has = np.array([[1.0, 1, 1, 1], [1.0, 0, 1, 1]])
    found = index_variance(each, blocks, has, 0.9)
    full = 0.25 * 0.1 + (0.2 + 0.3 + 0.4) / 36
    effective = (9 + 1 + 1) / 25 - (9 + 1 + 1 + 1) / 36
    part = (0.25 * 0.1 + (0.3 + 0.4) / 36) / (5 / 6) ** 2 + 0.9 * effective
    np.testing.assert_allclose(found, [full, part])


def test_weakest_links_have_no_interval(demo: ProfiledCohort) -> None:
    for axis in load_axis_catalogue().axes:
        bounds = demo.profiles.axis(axis.axis).bounds
        assert np.isnan(bounds.low).all() == bool(axis.chain)
