"""Terms of the axes against slow computations."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from escape_score.library.axes import load_axis_catalogue
from escape_score.model.axes import Term
from escape_score.pipeline.profiles import Profiles
from escape_score.profile.stage import axis_models
from escape_score.profile.terms import LinearTerm, mean_present

NAN = float("nan")


@given(
    st.integers(1, 4).flatmap(
        lambda n: st.lists(
            st.lists(st.floats(-9, 9) | st.just(NAN), min_size=n, max_size=n), min_size=1, max_size=4
        )
    )
)
def test_mean_present_leaves_missing_out(columns: list[list[float]]) -> None:
    expected = []
    for row in zip(*columns, strict=True):
        present = [value for value in row if not math.isnan(value)]
        expected.append(sum(present) / len(present) if present else NAN)
    np.testing.assert_allclose(mean_present([np.array(c) for c in columns]), expected, atol=1e-12)


def test_contrasts_subtract_their_denominator(demo: Profiles) -> None:
    terms, slopes = demo.maker.context.terms, demo.reference.slopes
    for contrast in load_axis_catalogue().contrasts:
        inside = np.flatnonzero(demo.maker.context.outside[contrast.contrast] == "")
        assert len(inside) > 4
        for row in inside:
            expected = (
                terms[contrast.numerator][row] - slopes[contrast.contrast] * terms[contrast.denominator][row]
            )
            assert terms[contrast.contrast][row] == pytest.approx(expected, abs=1e-12)


def test_standardised_takes_sign_and_limit(demo: Profiles) -> None:
    context = demo.maker.context
    location, spread = demo.reference.term_stats["effector"]
    for row in range(8):
        z = (context.terms["effector"][row] - location) / spread
        assert context.standardised(Term(name="effector", sign=-1))[row] == pytest.approx(-z)
        held = context.standardised(Term(name="effector"), limit=0.5)[row]
        assert held == pytest.approx(max(-0.5, min(0.5, z)))


def test_term_the_reference_lacks_is_not_evaluable(demo: Profiles) -> None:
    published = next(name for name in demo.scores.signature_ids if name not in demo.reference.term_stats)
    assert np.isnan(demo.maker.context.standardised(Term(name=published))).all()


def test_axes_are_the_means_of_their_terms_and_never_winsorised(demo: Profiles) -> None:
    context = demo.maker.context
    for axis in load_axis_catalogue().axes:
        if axis.terms:
            each = [context.standardised(term) for term in axis.terms]
            expected = mean_present(each)
            np.testing.assert_allclose(demo.profiles.axis(axis.axis).score, expected, atol=1e-12)
    shifted = {**context.terms, "hypoxia": context.terms["hypoxia"] + 100}
    far = replace(context, terms=shifted).mean_of((Term(name="hypoxia"),))
    assert far.min() > 50


@pytest.mark.parametrize(
    ("axis", "expected"),
    [
        ("antigen_loss", (("antigen_cta", -1, ()),)),
        ("coinhibition", (("coinhibition", 1, ("tcell",)),)),
        (
            "suppressive",
            (("treg_core", 1, ("cd8",)), ("mdsc", 1, ("leukocyte",)), ("tam", 1, ("leukocyte",))),
        ),
        (
            "mhc1_loss",
            (
                ("mhc1", -1, ("leukocyte", "ifng_response")),
                ("mhc1_fallback", -1, ("leukocyte", "ifng_response")),
            ),
        ),
        ("mhc1_weakest_link", (("weakest_link_mhc1", -1, ("leukocyte", "ifng_response")),)),
        ("effector_absence", (("effector", -1, ()),)),
    ],
)
def test_evidence_of_an_axis_is_what_its_terms_are_made_of(
    axis: str, expected: tuple[tuple[str, int, tuple[str, ...]], ...], demo: Profiles
) -> None:
    models = {model.definition.axis: model for model in axis_models(load_axis_catalogue())}
    sources = models[axis].evidence(demo.maker.context)
    assert tuple((one.component, one.direction, one.denominators) for one in sources) == expected


def test_components_count_in_the_coverage_by_what_they_add() -> None:
    term = LinearTerm({"above": 1.0, "below": -0.4, "unknown": NAN}, n_samples=1)
    assert term.coverage_weights == {"above": 1.0, "below": 0.4, "unknown": 1.0}


@pytest.mark.parametrize(
    ("term", "components"),
    [
        ("treg_core", ("treg_core",)),
        ("treg_per_cd8", ("treg_core", "cd8")),
        ("mhc1_shortfall", ("mhc1", "leukocyte", "ifng_response")),
    ],
)
def test_terms_know_the_components_behind_them(
    term: str, components: tuple[str, ...], demo: Profiles
) -> None:
    assert demo.maker.context.term_models[term].components == components


def test_weights_of_a_contrast_take_its_slope_and_its_spread(demo: Profiles) -> None:
    context, name = demo.maker.context, "treg_per_cd8"
    spread, slope = demo.reference.term_stats[name][1], demo.reference.slopes[name]
    weights = context.weights_of(Term(name=name, sign=-1))
    np.testing.assert_allclose(weights["treg_core"], -1 / spread)
    np.testing.assert_allclose(weights["cd8"], slope / spread)
