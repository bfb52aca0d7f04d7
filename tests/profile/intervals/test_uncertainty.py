"""Intervals against slow computations, and what must hold of them whatever the data."""

from __future__ import annotations

import math
import statistics
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, optimize

from escape_score.library.axes import load_axis_catalogue, load_thresholds
from escape_score.model.axes import Term
from escape_score.model.scores import GeneValues
from escape_score.pipeline.profiles import Profiles
from escape_score.profile.intervals.errors import (
    KNOWN,
    ComponentErrors,
    ComponentSpread,
    GeneErrors,
    component_errors,
    component_spread,
    counting_errors,
    dispersion_ratio,
    find_dispersion,
    missing_variance,
    placement_variance,
    usual_variance,
)
from escape_score.profile.intervals.uncertainty import (
    Errors,
    added,
    between_variance,
    held_share,
    mean_weights,
    missing_blocks_variance,
    missing_terms_variance,
    score_variances,
    student_factor,
)

NAN = float("nan")
LIMITS = load_thresholds().intervals
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
def test_missing_variance_agrees_with_a_slow_computation(
    n: int, n_genes: int, variance: float, pooled: float
) -> None:
    spread = ComponentSpread(np.array([variance]), np.array([float(n)]), n_genes)
    found = missing_variance(spread, np.array([pooled]), LIMITS)
    shrunk = ((n - 1) * variance + 4 * pooled) / (n - 1 + 4)
    assert found[0] == pytest.approx(shrunk / n * (1 - n / n_genes), rel=1e-12)


def test_missing_variance_is_none_where_all_genes_are_measured() -> None:
    wild = ComponentSpread(np.array([25.0]), np.array([8.0]), 8)
    assert missing_variance(wild, np.array([1.0]), LIMITS) == 0


def test_component_without_genes_has_no_variance() -> None:
    nothing = ComponentSpread(np.array([0.0]), np.array([0.0]), 5)
    assert np.isnan(missing_variance(nothing, np.array([1.0]), LIMITS)).all()


@given(n_genes=st.integers(2, 40), variance=st.floats(0.01, 25), data=st.data())
def test_missing_variance_grows_as_genes_go(n_genes: int, variance: float, data: st.DataObject) -> None:
    more = data.draw(st.integers(2, n_genes))
    fewer = data.draw(st.integers(1, more - 1))
    wide, narrow = (
        missing_variance(
            ComponentSpread(np.array([variance]), np.array([float(n)]), n_genes),
            np.array([variance]),
            LIMITS,
        )[0]
        for n in (fewer, more)
    )
    assert wide > narrow


def test_component_spread_is_the_variance_of_what_is_measured() -> None:
    z = np.array([[1.0, 2.0, 4.0, 9.0], [1.0, NAN, 4.0, 9.0], [NAN, NAN, 4.0, 9.0], [NAN, NAN, NAN, 9.0]])
    genes = GeneValues(("a", "b", "c", "x"), z, z)
    spread = component_spread(genes, ("a", "b", "c", "elsewhere"))
    np.testing.assert_allclose(
        spread.variance, [statistics.variance([1, 2, 4]), statistics.variance([1, 4]), 0.0, 0.0]
    )
    assert spread.n_measured.tolist() == [3, 2, 1, 0]
    assert spread.n_genes == 4


def test_dispersion_ratio_weighs_by_freedom() -> None:
    spreads = {
        "a": ComponentSpread(np.array([2.0, 2.0]), np.array([5.0, 1.0]), 5),
        "b": ComponentSpread(np.array([1.0, 1.0]), np.array([3.0, 0.0]), 5),
    }
    found = dispersion_ratio(spreads, {"a": 0.5, "b": 0.25})
    np.testing.assert_allclose(found, [(4 * 2.0 + 2 * 1.0) / (4 * 0.5 + 2 * 0.25), NAN])


def test_component_errors_have_the_freedom_and_the_shares_of_the_genes_measured(demo: Profiles) -> None:
    genes, design = demo.scores.genes, demo.maker.context.design
    errors = component_errors(genes, design, find_dispersion(genes, design, demo.reference), 1.0)
    for name, members in design.components.items():
        n = np.isfinite(genes.z[:, genes.columns(members)]).sum(axis=1)
        np.testing.assert_array_equal(errors[name].freedom, np.maximum(n - 1, 0) + LIMITS.interval_prior_df)
        np.testing.assert_allclose(errors[name].share.sum(axis=1), n > 0)


@pytest.mark.parametrize(("n_genes", "correlation"), [(3, 0.2), (12, 0.7), (20, 0.0)])
def test_usual_variance_is_that_between_correlated_genes(
    demo: Profiles, n_genes: int, correlation: float
) -> None:
    """Of simulated tumours, from the spread of the component's mean alone."""
    rng = np.random.default_rng(1)
    common = rng.normal(size=(40_000, 1))
    own = rng.normal(size=(40_000, n_genes))
    z = math.sqrt(correlation) * common + math.sqrt(1 - correlation) * own
    reference = replace(demo.reference, term_stats={"x": (0.0, float(z.mean(axis=1).std()))})
    found = usual_variance("x", n_genes, reference)
    assert found == pytest.approx(z.var(axis=1, ddof=1).mean(), abs=0.02)


@pytest.mark.parametrize(("name", "n_genes"), [("x", 1), ("not in the reference", 8)])
def test_usual_variance_is_that_of_single_genes_where_nothing_is_known(
    demo: Profiles, name: str, n_genes: int
) -> None:
    reference = replace(demo.reference, term_stats={"x": (0.0, 0.5)})
    assert usual_variance(name, n_genes, reference) == 1.0


def test_usual_variance_never_vanishes(demo: Profiles) -> None:
    reference = replace(demo.reference, term_stats={"x": (0.0, 1.2)})
    assert usual_variance("x", 5, reference) == pytest.approx(0.05)


def test_tumours_of_the_reference_are_dispersed_as_usual(demo: Profiles) -> None:
    """The demo's tumours are the reference's own: what the decomposition says is what their genes do."""
    found = find_dispersion(demo.scores.genes, demo.maker.context.design, demo.reference)
    assert np.median(found.ratio) == pytest.approx(0.8, abs=0.25)
    known = [name for name in found.spreads if name in demo.reference.term_stats]
    observed = np.array([found.spreads[name].variance.mean() for name in known])
    usual = np.array([found.usual[name] for name in known])
    assert np.corrcoef(observed, usual)[0, 1] > 0.6


@pytest.mark.parametrize(("parts", "freedom"), [([(0.5, 9.0)], 9.0), ([(0.5, 7.0), (0.5, 7.0)], 14.0)])
def test_student_factor_is_that_of_the_joined_freedom(
    parts: list[tuple[float, float]], freedom: float
) -> None:
    variance = np.array([sum(part for part, _ in parts)])
    uncertainty = np.array([sum(part**2 / df for part, df in parts)])
    expected = (t_quantile(0.95, freedom) / NORMAL_95) ** 2
    assert student_factor(variance, uncertainty, 0.9)[0] == pytest.approx(expected, rel=1e-7)


def test_student_factor_is_one_where_nothing_was_estimated() -> None:
    assert student_factor(np.zeros(1), np.zeros(1), 0.9)[0] == pytest.approx(1.0, abs=1e-5)


def with_reads(cohort: Profiles, reads_per_tpm: float) -> Profiles:
    scores = cohort.scores
    reads = np.full(len(scores.sample_ids), reads_per_tpm)
    return replace(cohort, scores=replace(scores, placement=replace(scores.placement, reads_per_tpm=reads)))


def test_counting_errors_agree_with_simulated_reads(demo: Profiles) -> None:
    """Genes of 20 reads and more, where a logarithm is nearly straight, within the read that is added."""
    reads_per_tpm = 32.0
    variance, bias = counting_errors(with_reads(demo, reads_per_tpm).scores, LIMITS)
    tpm = np.exp2(demo.scores.genes.log2_tpm[0]) - 1
    per_tpm = reads_per_tpm * 2 ** demo.scores.placement.offset_log2[0]
    reads = tpm * per_tpm
    rng = np.random.default_rng(1)
    chosen = np.flatnonzero((reads > 20) & (reads < 2000))[:40]
    assert len(chosen) == 40
    for gene in chosen:
        simulated = np.log2(rng.poisson(reads[gene], 4000) / per_tpm + 1).var()
        assert variance[0, gene] == pytest.approx(simulated, rel=0.2)
        assert bias[0, gene] == pytest.approx(0, abs=1e-9)


def test_counting_errors_of_unknown_reads_are_those_of_a_usual_depth(demo: Profiles) -> None:
    unknown, usual = (
        counting_errors(with_reads(demo, n).scores, LIMITS) for n in (NAN, LIMITS.assumed_reads_per_tpm)
    )
    np.testing.assert_array_equal(unknown, usual)


@given(reads_per_tpm=st.floats(0.1, 100), factor=st.floats(1.1, 100))
def test_counting_errors_grow_as_reads_go(demo: Profiles, reads_per_tpm: float, factor: float) -> None:
    few, many = (
        counting_errors(with_reads(demo, n).scores, LIMITS)[0]
        for n in (reads_per_tpm, reads_per_tpm * factor)
    )
    # of a gene without reads, fewer reads tell nothing more
    reads = (np.exp2(demo.scores.genes.log2_tpm) - 1) * reads_per_tpm
    is_read = reads * np.exp2(demo.scores.placement.offset_log2)[:, None] > 1
    assert is_read.any()
    assert (few[is_read] > many[is_read]).all()


def test_placement_variance_is_that_of_a_median(demo: Profiles) -> None:
    """Medians of many draws of 100 normal anchors."""
    scores, n_all = demo.scores, int(demo.reference.genes.is_anchor.sum())
    fewer = replace(scores.placement, n_anchors=np.full(len(scores.sample_ids), 100))
    found = placement_variance(replace(scores, placement=fewer), demo.reference)
    draws = np.median(np.random.default_rng(1).normal(size=(20_000, 100)), axis=1).var()
    np.testing.assert_allclose(found, scores.placement.distance**2 * draws * (1 - 100 / n_all), rtol=0.05)
    every = replace(scores.placement, n_anchors=np.full(len(scores.sample_ids), n_all))
    assert (placement_variance(replace(scores, placement=every), demo.reference) == 0).all()


def errors_of(
    components: dict[str, ComponentErrors], n_genes: int, *, bias: float = 0.0, placement: float = 0.0
) -> Errors:
    """Errors of one sample whose genes all have a noise variance of 0.5 and a spread of 0.8."""
    genes = GeneErrors(
        np.full((1, n_genes), 0.5), np.full((1, n_genes), bias), np.ones((1, n_genes)), np.full(n_genes, 0.8)
    )
    return Errors(components, genes, np.array([placement]), np.array([2.0]), np.ones(1), 0.9)


def component(columns: list[int], missing: float = 0.0, freedom: float = KNOWN) -> ComponentErrors:
    share = np.full((1, len(columns)), 1 / len(columns))
    return ComponentErrors(np.array([missing]), np.array([freedom]), np.array(columns), share)


def test_score_variances_add_up_gene_by_gene() -> None:
    """Gene 1 stands in both components, with weights 1/2 and −1/4."""
    errors = errors_of({"a": component([0, 1]), "b": component([1, 2])}, 3)
    found = score_variances({"a": np.array([1.0]), "b": np.array([-0.5])}, errors)
    squares = 0.5**2 + 0.25**2 + 0.25**2
    np.testing.assert_allclose(found.within, 0.5 * squares)
    np.testing.assert_allclose(found.absolute, 0.5 * squares + 2.0 * squares / 0.8**2)


def test_score_variances_of_shared_errors_cancel_in_a_contrast() -> None:
    errors = errors_of({"a": component([0]), "b": component([1])}, 2, bias=3.0, placement=4.0)
    same, contrast = (
        score_variances({"a": np.array([1.0]), "b": np.array([sign])}, errors).within for sign in (1.0, -1.0)
    )
    np.testing.assert_allclose(contrast, 0.5 * 2)
    np.testing.assert_allclose(same, 0.5 * 2 + (2 * 3.0) ** 2 + 2**2 * 4.0)


def test_score_variances_take_t_for_missing_genes() -> None:
    errors = errors_of({"a": component([0], missing=0.6, freedom=9.0)}, 1)
    found = score_variances({"a": np.array([2.0])}, errors).within
    factor = (t_quantile(0.95, 9) / NORMAL_95) ** 2
    np.testing.assert_allclose(found, 4 * 0.6 * factor + 4 * 0.5, rtol=1e-6)


@given(value=st.floats(-8, 8), sd=st.floats(0.05, 4))
def test_held_share_agrees_with_integration(value: float, sd: float) -> None:
    def moment(power: int) -> float:
        def density(x: float) -> float:
            held = min(max(value + sd * x, -3), 3)
            return held**power * math.exp(-x * x / 2) / math.sqrt(2 * math.pi)

        kinks = sorted({min(max((limit - value) / sd, -10), 10) for limit in (-3, 3)})
        return sum(
            integrate.quad(density, low, high)[0]
            for low, high in zip([-10, *kinks], [*kinks, 10], strict=True)
            if high > low
        )

    expected = math.sqrt(max(moment(2) - moment(1) ** 2, 0.0)) / sd
    found = held_share(np.array([value]), np.array([sd**2]), 3.0)[0]
    assert found == pytest.approx(expected, abs=2e-3)


def test_bounds_of_an_axis_agree_with_a_slow_computation(demo: Profiles) -> None:
    """All genes of the axis are measured: noise, bias and distance remain, gene by gene."""
    context, reference = demo.maker.context, demo.reference
    axis, genes = demo.profiles.axis("treg"), demo.scores.genes
    column = {symbol: i for i, symbol in enumerate(genes.gene_symbols)}
    at = {symbol: i for i, symbol in enumerate(reference.genes.symbols)}
    counting, bias = counting_errors(demo.scores, LIMITS)
    slope, scale = reference.slopes["treg_per_cd8"], reference.term_stats["treg_per_cd8"][1]
    n_compared = 0
    for row in range(len(demo.scores.sample_ids)):
        share: dict[str, float] = {}
        for name, weight in (("treg_core", 1 / scale), ("cd8", -slope / scale)):
            members = context.design.components[name]
            assert not any(math.isnan(genes.z[row, column[g]]) for g in members)
            for g in members:
                share[g] = share.get(g, 0.0) + weight / len(members)
        spread = {g: reference.genes.spread[at[g]] for g in share}
        noise = sum(w**2 * (counting[row, column[g]] + 0.05**2) / spread[g] ** 2 for g, w in share.items())
        shift = sum(w * bias[row, column[g]] / spread[g] for g, w in share.items())
        distance = demo.scores.placement.distance[row]
        excess = max(0.0, distance**2 - reference.anchor_distance**2)
        far = sum(w**2 / spread[g] ** 2 for g, w in share.items()) * 1.4**2 * excess
        loading = sum(
            w / spread[g] * (1 - 2 ** -genes.log2_tpm[row, column[g]])
            for g, w in share.items()
            if abs(genes.z[row, column[g]]) < 5
        )
        n, n_all = demo.scores.placement.n_anchors[row], int(reference.genes.is_anchor.sum())
        offset = loading**2 * math.pi / 2 * distance**2 * (1 / n - 1 / n_all)
        within = NORMAL_95 * math.sqrt(noise + shift**2 + offset)
        absolute = NORMAL_95 * math.sqrt(noise + shift**2 + offset + far)
        if context.outside["treg_per_cd8"][row]:
            assert math.isnan(axis.bounds.high[row])
            continue
        n_compared += 1
        assert axis.bounds.high_within[row] - axis.score[row] == pytest.approx(within, rel=1e-6)
        assert axis.score[row] - axis.bounds.low_within[row] == pytest.approx(within, rel=1e-6)
        assert axis.bounds.high[row] - axis.score[row] == pytest.approx(absolute, rel=1e-6)
    assert n_compared > 4


def test_shortfall_weights_say_which_way_the_loss_goes(demo: Profiles) -> None:
    """More of the chain is less of a loss; more interferon, with the same chain, is more of one."""
    context = demo.maker.context
    weights = context.weights_of(Term(name="mhc1_shortfall"))
    assert (weights["mhc1_chain"] > 0).all()
    assert (context.errors.components["mhc1_chain"].share.sum(axis=1) < 0).all()
    assert (weights["mhc1_fallback"] == 0).all()
    assert (weights["ifng_response"] > 0).all()
    assert (weights["mhc_locus"] == 0).all()


def test_excess_distance_is_none_inside_the_reference(demo: Profiles) -> None:
    distance = demo.scores.placement.distance
    found = demo.scores.placement.excess_distance(demo.reference.anchor_distance)
    inside = distance <= demo.reference.anchor_distance
    assert (found[inside] == 0).all()
    np.testing.assert_allclose(
        found[~inside] ** 2, distance[~inside] ** 2 - demo.reference.anchor_distance**2, atol=1e-12
    )
    assert inside.any()
    assert not inside.all()


def test_mean_weights_are_shared_by_the_terms_present() -> None:
    terms = [np.array([1.0, 1.0, NAN]), np.array([1.0, NAN, NAN])]
    parts = [{"x": np.full(3, 2.0)}, {"x": np.full(3, 1.0), "y": np.full(3, 4.0)}]
    weights, n = mean_weights(terms, parts)
    assert n.tolist() == [2, 1, 0]
    np.testing.assert_allclose(weights["x"], [1.5, 2.0, 0.0])
    np.testing.assert_allclose(weights["y"], [2.0, 0.0, 0.0])


def test_added_sums_weights_of_one_component() -> None:
    total = added([(np.array([2.0]), {"x": np.array([1.0])}), (np.array([-1.0]), {"x": np.array([0.5])})])
    assert total["x"].tolist() == [1.5]


def test_missing_terms_variance_is_that_of_a_mean_of_fewer() -> None:
    found = missing_terms_variance(np.array([2, 1, 0]), 2, np.array([1.0, 3.0, 1.0]), 0.7)
    np.testing.assert_allclose(found, [0.0, 0.7 * 3 * (1 - 1 / 2), 0.0])


def test_between_variance_is_the_mean_square_and_at_least_that_of_the_reference(demo: Profiles) -> None:
    reference = replace(demo.reference, term_stats={"a": (1.0, 0.5), "b": (0.0, 2.0)})
    terms = {"a": np.array([2.0, 1.1, NAN, 9.0]), "b": np.array([-2.0, 1.0, 4.0, 0.0])}
    found = between_variance(terms, ["a", "b"], reference, 3.0)
    np.testing.assert_allclose(found, [(2**2 + 1**2) / 2, 1.0, 2**2, 3**2 / 2])


def test_missing_blocks_variance_renormalises_over_the_blocks_present() -> None:
    has = np.array([[1.0, 1, 1, 1], [1.0, 0, 1, 1]])
    found = missing_blocks_variance(np.array([3.0, 1, 1, 1]), has, np.array([1.0, 2.0]), 0.9)
    effective = (9 + 1 + 1) / 25 - (9 + 1 + 1 + 1) / 36
    np.testing.assert_allclose(found, [0.0, 0.9 * 2.0 * effective], atol=1e-15)


def test_weakest_links_have_no_interval(demo: Profiles) -> None:
    for axis in load_axis_catalogue().axes:
        bounds = demo.profiles.axis(axis.axis).bounds
        assert np.isnan(bounds.low).all() == bool(axis.chain)
