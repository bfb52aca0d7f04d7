"""Terms of the axes against slow computations."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from escape_score.library.axes import load_axis_catalogue
from escape_score.model.axes import Term
from escape_score.pipeline.outputs import ProfiledCohort
from escape_score.profile.terms import axis_components, axis_mean, mean_present, standardise

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


def test_contrasts_subtract_their_denominator(demo: ProfiledCohort) -> None:
    terms, slopes = demo.maker.context.terms.values, demo.reference.slopes
    for contrast in load_axis_catalogue().contrasts:
        for row in range(8):
            expected = (
                terms[contrast.numerator][row] - slopes[contrast.contrast] * terms[contrast.denominator][row]
            )
            assert terms[contrast.contrast][row] == pytest.approx(expected, abs=1e-12)


def test_standardise_takes_sign_and_limit(demo: ProfiledCohort) -> None:
    terms, reference = demo.maker.context.terms, demo.reference
    location, spread = reference.term_stats["effector"]
    for row in range(8):
        z = (terms.values["effector"][row] - location) / spread
        assert standardise(terms, reference, Term(name="effector", sign=-1))[row] == pytest.approx(-z)
        held = standardise(terms, reference, Term(name="effector"), limit=0.5)[row]
        assert held == pytest.approx(max(-0.5, min(0.5, z)))


def test_term_the_reference_lacks_is_not_evaluable(demo: ProfiledCohort) -> None:
    terms = demo.maker.context.terms
    published = next(name for name in demo.scores.signature_ids if name not in demo.reference.term_stats)
    assert np.isnan(standardise(terms, demo.reference, Term(name=published))).all()


def test_axes_are_the_means_of_their_terms_and_never_winsorised(demo: ProfiledCohort) -> None:
    terms, reference = demo.maker.context.terms, demo.reference
    for axis in load_axis_catalogue().axes:
        if axis.terms:
            each = [standardise(terms, reference, term) for term in axis.terms]
            expected = [sum(column[row] for column in each) / len(each) for row in range(8)]
            np.testing.assert_allclose(demo.profiles.axis(axis.axis).score, expected, atol=1e-12)
    shifted = dict(terms.values) | {"hypoxia": terms.values["hypoxia"] + 100}
    far = axis_mean(
        type(terms)(shifted, terms.leukocyte_fraction, terms.is_mhc1_unquantified),
        reference,
        (Term(name="hypoxia"),),
    )
    assert far.min() > 50


@pytest.mark.parametrize(
    ("axis", "expected"),
    [
        ("antigen_loss", (("antigen_cta", -1),)),
        ("coinhibition", (("coinhibition", 1),)),
        ("suppressive", (("treg_core", 1), ("mdsc", 1), ("tam", 1))),
        ("mhc1_loss", (("mhc1", -1),)),
        ("mhc1_weakest_link", (("weakest_link_mhc1", -1),)),
        ("effector_absence", (("effector", -1),)),
    ],
)
def test_axis_components_tell_which_genes_speak_for_an_axis(
    axis: str, expected: tuple[tuple[str, int], ...]
) -> None:
    catalogue = load_axis_catalogue()
    found = next(a for a in catalogue.axes if a.axis == axis)
    assert axis_components(found, catalogue) == expected
