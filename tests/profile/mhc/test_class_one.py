"""Errors of the test for a loss of the whole chain, against simulated residuals."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from escape_score.library.axes import load_thresholds
from escape_score.model.cohort import FloatArray
from escape_score.model.reference import PresentationModel
from escape_score.pipeline.profiles import Profiles
from escape_score.profile.mhc.class_one import (
    CHAIN,
    expected_excess,
    lost_correlation,
    missing_chain_variance,
    squared_residual,
)
from escape_score.profile.mhc.presentation import PresentationState, chain_loss
from escape_score.reference.read import load_reference

LIMITS = load_thresholds().presentation
SHIPPED = load_reference()
assert SHIPPED.presentation is not None
MODEL: PresentationModel = SHIPPED.presentation
StateOf = Callable[..., PresentationState]


def without(state_of: StateOf, genes: tuple[str, ...], unit: float = 10.0) -> PresentationState:
    return state_of(dict.fromkeys(genes, math.nan), unit=unit)


def lost_of(state: PresentationState) -> FloatArray:
    return lost_correlation(chain_loss(state, LIMITS), state, LIMITS)


@pytest.mark.parametrize("unit", [2.0, 60.0])
@pytest.mark.parametrize("missing", [("NLRC5",), ("B2M", "HLA-B", "TAP1"), MODEL.gene_symbols[:7]])
def test_lost_correlation_agrees_with_simulated_tumours(
    missing: tuple[str, ...], unit: float, state_of: StateOf
) -> None:
    """Residuals are drawn from V; both tests judge the same ones."""
    whole, some = state_of(unit=unit), without(state_of, missing, unit)
    v = np.linalg.inv(whole.precision[0])
    residuals = np.random.default_rng(1).multivariate_normal(np.zeros(len(v)), v, size=60_000)
    all_genes, fewer = (residuals @ chain_loss(state, LIMITS).weight[0] for state in (whole, some))
    expected = 2 * lost_of(some)[0]
    assert np.var(fewer - all_genes) == pytest.approx(expected, rel=0.03)


def test_lost_correlation_is_none_where_all_genes_are_measured(state_of: StateOf) -> None:
    np.testing.assert_allclose(lost_of(state_of()), 0, atol=1e-12)


def test_lost_correlation_is_none_where_there_is_no_test(state_of: StateOf) -> None:
    nothing = without(state_of, MODEL.gene_symbols)
    assert lost_of(nothing).tolist() == [0.0]


@pytest.mark.parametrize(("prior_df", "excess"), [(0.0, 1.0), (1e9, 3.0)])
def test_missing_chain_variance_is_that_of_the_difference_times_the_excess(
    prior_df: float, excess: float, state_of: StateOf
) -> None:
    """Without a prior the excess is that of the residuals, with a strong one the expected one."""
    state = without(state_of, ("B2M", "TAP1"))
    n_genes = len(MODEL.gene_symbols) - 2
    residual = state.residual * math.sqrt(n_genes / squared_residual(state)[0])
    scaled = replace(state, residual=residual)
    ratio = np.array([excess / expected_excess(state, np.array([1e3]))[0] * 1e3])
    chain = chain_loss(scaled, LIMITS)
    found, freedom = missing_chain_variance(scaled, chain, ratio, LIMITS, prior_df=prior_df)
    assert freedom[0] == n_genes + prior_df
    assert found[0] == pytest.approx(2 * lost_of(state)[0] * excess, rel=1e-6)


@given(data=st.data())
def test_lost_correlation_grows_as_genes_go(data: st.DataObject, state_of: StateOf) -> None:
    more = data.draw(st.lists(st.sampled_from(MODEL.gene_symbols), unique=True, min_size=1, max_size=6))
    fewer = tuple(more[: data.draw(st.integers(0, len(more) - 1))])
    few_missing, many_missing = (lost_of(without(state_of, genes))[0] for genes in (fewer, tuple(more)))
    assert many_missing >= few_missing - 1e-12


def test_squared_residual_is_that_of_the_genes_measured(state_of: StateOf) -> None:
    """Drawn from V, its mean is the number of genes; a gene that is not measured adds nothing."""
    shifts = {"B2M": -1.0, "TAP1": 0.5}
    state = state_of({**shifts, "NLRC5": math.nan})
    keep = [k for k, symbol in enumerate(MODEL.gene_symbols) if symbol != "NLRC5"]
    v = np.linalg.inv(state_of(shifts).precision[0])[np.ix_(keep, keep)]
    r = state_of(shifts).residual[0, keep]
    assert squared_residual(state)[0] == pytest.approx(r @ np.linalg.inv(v) @ r)


def test_expected_excess_follows_the_sample_and_never_falls_below_one(state_of: StateOf) -> None:
    near, far = state_of(), state_of(excess=1.5)
    ratios = [0.2, 1.0, 4.0, 8.0]
    of_near = [expected_excess(near, np.array([ratio]))[0] for ratio in ratios]
    assert of_near[:2] == [1.0, 1.0]
    assert of_near[3] == pytest.approx(2 * of_near[2])
    assert of_near[2] > 2
    # V of a distant sample already holds the distance
    assert expected_excess(far, np.array([8.0]))[0] < of_near[3]
    assert expected_excess(near, np.array([math.nan])).tolist() == [1.0]


def test_shortfall_outside_6p21_is_below_what_the_interferon_response_lets_expect(demo: Profiles) -> None:
    class_one, scores = demo.maker.context.class_one, demo.scores
    expected = demo.reference.constants.ifng_factor * scores.of("ifng_response")
    found = class_one.values[class_one.inputs.fallback_shortfall]
    np.testing.assert_allclose(found, expected - scores.of("mhc1_fallback"), atol=1e-12)
    assert np.abs(expected).min() > 0


def test_genes_speak_by_the_fallback_where_6p21_was_not_quantified(demo: Profiles) -> None:
    scores, class_one = demo.scores, demo.maker.context.class_one
    is_not = np.arange(len(scores.sample_ids)) == 0
    placement = replace(scores.placement, is_mhc_locus_unquantified=is_not)
    found = replace(class_one, scores=replace(scores, placement=placement)).above_expected(
        np.full((len(is_not), 2), 1.5), ("B2M", "HLA-A"), scores
    )
    expected = demo.reference.constants.ifng_factor * scores.of("ifng_response")[0]
    np.testing.assert_allclose(found[0], [1.5 - expected, np.nan])
    assert np.isfinite(found[1:]).all()


def test_genes_weigh_in_the_error_as_they_do_in_the_test(demo: Profiles) -> None:
    context = demo.maker.context
    error, state = context.errors.components[CHAIN], context.class_one.state
    assert state is not None
    weight = chain_loss(state, LIMITS).weight
    symbols = [demo.scores.genes.gene_symbols[i] for i in error.columns]
    for column, symbol in enumerate(symbols):
        spread = demo.reference.genes.spread[demo.reference.genes.symbols.index(symbol)]
        of_gene = weight[:, state.gene_symbols.index(symbol)] * spread
        np.testing.assert_allclose(error.share[:, column], of_gene)
    assert sorted(symbols) == sorted(state.gene_symbols)
