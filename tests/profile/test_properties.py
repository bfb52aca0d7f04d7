"""What must hold of coverage, intervals, percentiles and calls, whichever genes are measured."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.profile.test_calls import call_one

from escape_score.library.axes import load_axis_catalogue, load_design, load_thresholds
from escape_score.model.axes import Axis, AxisKind
from escape_score.model.cohort import HarmonisedCohort, InMemoryMatrix, narrowed
from escape_score.model.method_choice import MethodChoice
from escape_score.model.profiles import CohortProfiles
from escape_score.model.record import Call, ReferenceMatch
from escape_score.pipeline.profiles import Profiles
from escape_score.pipeline.profiling import profile_scores, score
from escape_score.profile.domain import Outside
from escape_score.profile.percentiles import percentile_of
from escape_score.reference.read import load_reference

CATALOGUE, LIMITS = load_axis_catalogue(), load_thresholds().coverage
MEANS = [axis for axis in CATALOGUE.axes if axis.terms]
STEPS = (1.0, 0.8, 0.6, 0.4, 0.25)
MATCHES = st.sampled_from([match.value for match in ReferenceMatch])
numbers = st.floats(-6, 6).map(lambda x: round(x, 2))


@pytest.fixture(scope="module")
def whole(demo_harmonised: HarmonisedCohort) -> HarmonisedCohort:
    """The eight tumours with the genes that axes and placement need."""
    cohort = demo_harmonised
    wanted = {gene for genes in load_design().components.values() for gene in genes}
    genes = load_reference().genes
    wanted |= {s for s, is_anchor in zip(genes.symbols, genes.is_anchor, strict=True) if is_anchor}
    symbols = tuple(symbol for symbol in cohort.gene_symbols if symbol in wanted)
    values = narrowed(cohort.source, symbols).block(0, len(cohort.sample_ids))
    return replace(cohort, source=InMemoryMatrix(cohort.sample_ids, symbols, values))


def with_genes(cohort: HarmonisedCohort, kept: np.ndarray) -> HarmonisedCohort:
    """The cohort with genes at some positions."""
    symbols = tuple(cohort.gene_symbols[i] for i in kept)
    values = cohort.source.block(0, len(cohort.sample_ids))[:, kept]
    return replace(cohort, source=InMemoryMatrix(cohort.sample_ids, symbols, values))


def profiles_of(cohort: HarmonisedCohort) -> tuple[CohortProfiles, dict[str, float]]:
    """Profiles, and the coverage of each component in the first tumour."""
    choice = MethodChoice(has_published=False)
    scores = score(cohort, load_reference(), choice=choice)
    profiles = profile_scores(scores, load_reference()).profiles
    return profiles, dict(zip(scores.signature_ids, scores.coverage[0].tolist(), strict=True))


def nested(cohort: HarmonisedCohort, seed: int) -> list[CohortProfiles]:
    """Profiles with fewer and fewer genes, each set within the one before."""
    order = np.random.default_rng(seed).permutation(len(cohort.gene_symbols))
    return [profiles_of(with_genes(cohort, np.sort(order[: int(share * len(order))])))[0] for share in STEPS]


@pytest.mark.parametrize("seed", range(6))
def test_coverage_never_grows_and_nothing_comes_back_as_genes_go(whole: HarmonisedCohort, seed: int) -> None:
    steps = nested(whole, seed)
    for before, after in pairwise(steps):
        for axis in CATALOGUE.axes:
            wide, narrow = before.axis(axis.axis), after.axis(axis.axis)
            assert (narrow.coverage <= wide.coverage).all()
            comes_back = np.isnan(wide.score) & ~np.isnan(narrow.score)
            # a denominator is detected by the share of its genes that are: fewer genes may decide otherwise
            assert np.isin(wide.reason[comes_back], list(Outside)).all()


@pytest.mark.parametrize("seed", range(6))
def test_intervals_widen_as_genes_go(whole: HarmonisedCohort, seed: int) -> None:
    """Per tumour, over the axes that stay; a single axis may lose its wildest gene, and be surer for it."""
    steps = nested(whole, seed)[:4]
    staying = [
        axis.axis for axis in MEANS if all(not np.isnan(step.axis(axis.axis).score).any() for step in steps)
    ]
    assert len(staying) > 5
    for kind in ("low", "low_within"):
        widths = [
            np.mean([step.axis(a).score - getattr(step.axis(a).bounds, kind) for a in staying], axis=0)
            for step in steps
        ]
        assert (np.diff(np.array(widths), axis=0).mean(axis=1) > 0).all()
        assert (widths[-1] > widths[0]).all()


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("share", [0.05, 0.1, 0.3, 0.6])
def test_no_call_below_the_coverage_that_a_component_needs(
    whole: HarmonisedCohort, seed: int, share: float
) -> None:
    genes, symbols = load_reference().genes, np.array(whole.gene_symbols)
    anchors = np.isin(symbols, [s for s, a in zip(genes.symbols, genes.is_anchor, strict=True) if a])
    drawn = np.random.default_rng(seed).random(len(symbols)) < share
    profiles, coverage = profiles_of(with_genes(whole, np.flatnonzero(anchors | drawn)))
    contrasts = {c.contrast: (c.numerator, c.denominator) for c in CATALOGUE.contrasts}
    n_low = 0
    for axis in MEANS:
        parts = [
            contrasts.get(term.name, (term.name,)) for term in axis.terms if term.name != "mhc1_shortfall"
        ]
        is_low = [any(coverage[name] < LIMITS.min_fraction for name in part) for part in parts]
        if parts and all(is_low):
            n_low += 1
            assert (profiles.axis(axis.axis).found == Call.NOT_EVALUABLE).all()
            assert np.isnan(profiles.axis(axis.axis).bounds.low).all()
    for scored in profiles.axes:
        is_called = scored.found != Call.NOT_EVALUABLE
        assert not np.isnan(scored.score[is_called]).any()
    if share < 0.15:
        assert n_low > 0


def slow_call(axis: Axis, match: str, score: float, low: float, high: float) -> str:
    """The table of calls, row by row."""
    if np.isnan(score):
        return "not_evaluable"
    if match != "good":
        if axis.kind is AxisKind.WEAKEST_LINK:
            return "not_evaluable"
        if low <= 0 and high >= axis.threshold:
            return "not_evaluable"
    if score < axis.threshold:
        return "not_detected"
    if low <= 0:
        return "not_evaluable"
    return "borderline" if low < axis.threshold else "detected"


def call_of(axis: Axis, match: str, score: float, half: float) -> str:
    """Call of one sample whose interval reaches ``half`` to either side."""
    return call_one(axis, match, score, score - half, score + half)[0]


@given(axis=st.sampled_from(CATALOGUE.axes), match=MATCHES, score=numbers, half=st.floats(0, 5))
def test_call_axis_follows_its_table(axis: Axis, match: str, score: float, half: float) -> None:
    assert call_of(axis, match, score, half) == slow_call(axis, match, score, score - half, score + half)


@given(axis=st.sampled_from(MEANS), match=MATCHES, score=numbers, half=st.floats(0, 5), more=st.floats(0, 5))
def test_a_higher_score_is_never_called_less(
    axis: Axis, match: str, score: float, half: float, more: float
) -> None:
    """With the same interval around it: detected stays detected."""
    if call_of(axis, match, score, half) == Call.DETECTED:
        assert call_of(axis, match, score + more, half) == Call.DETECTED


@given(axis=st.sampled_from(MEANS), match=MATCHES, score=numbers, half=st.floats(0, 5), more=st.floats(0, 5))
def test_a_wider_interval_never_makes_a_call_surer(
    axis: Axis, match: str, score: float, half: float, more: float
) -> None:
    narrow, wide = call_of(axis, match, score, half), call_of(axis, match, score, half + more)
    if narrow == Call.NOT_EVALUABLE:
        assert wide == Call.NOT_EVALUABLE
    if wide == Call.DETECTED:
        assert narrow == Call.DETECTED


@given(scores=st.lists(numbers, min_size=2, max_size=8))
def test_percentiles_follow_scores(demo: Profiles, scores: list[float]) -> None:
    ordered = np.sort(np.array(scores))
    ids = [f"new{i}" for i in range(len(scores))]
    is_own = np.zeros(len(ids), dtype=bool)
    percentile, _ = percentile_of(ordered, ids, demo.reference.distributions, "stroma", is_own=is_own)
    assert (np.diff(percentile) >= 0).all()
    assert ((percentile >= 0) & (percentile <= 100)).all()
