"""Fit of the antigen-presentation model: what it finds again, and what a small cohort cannot move."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from escape_score.library.axes import load_thresholds
from escape_score.model.cohort import FloatArray
from escape_score.model.reference import PresentationModel
from escape_score.pipeline.profiles import Profiles
from escape_score.profile.mhc.presentation import Infiltrate
from escape_score.profile.mhc.presentation_fit import (
    TumourLevels,
    fit_levels,
    fit_presentation,
    huber_regression,
    robust_covariance,
)
from escape_score.reference.read import load_reference

LIMITS = load_thresholds().presentation
CAP = load_reference().constants.leukocyte_cap_tpm
GENES = ("A", "B", "C")
LOCATION, SLOPE = np.array([8.0, 6.0, 10.0]), np.array([0.5, 0.8, 0.3])
UNITS = np.array([1.0, 0.2, 3.0])
COVARIANCE = np.array([[0.3, 0.1, 0.0], [0.1, 0.4, 0.1], [0.0, 0.1, 0.2]])
START = {"A": 1.4, "B": 0.17, "C": 2.2}


def tumours(n: int, *, seed: int = 1, n_lost: int = 0) -> TumourLevels:
    """Tumours that follow a model, some of which lost gene A."""
    rng = np.random.default_rng(seed)
    unit = rng.gamma(1.0, 60.0, n)
    fraction = np.clip(unit / CAP, 0, 0.9)
    ifng = 0.4 * np.log2(unit / 60 + 0.1) + rng.normal(0, 0.7, n)
    level = LOCATION + SLOPE * ifng[:, None] + rng.multivariate_normal(np.zeros(3), COVARIANCE, n)
    level[:n_lost, 0] -= 5.0
    factor = LIMITS.leukocyte_mhc_factor
    tpm = (1 - fraction)[:, None] * 2**level + factor * UNITS * unit[:, None]
    infiltrate = Infiltrate(unit, fraction, np.zeros(n, dtype=bool))
    return TumourLevels(GENES, np.log2(tpm + 1), infiltrate, ifng)


def test_fit_levels_finds_the_model_again() -> None:
    model = fit_levels(tumours(600), START, LIMITS, prior=None)
    np.testing.assert_allclose(model.location, LOCATION, atol=0.25)
    np.testing.assert_allclose(model.ifng_slope, SLOPE, atol=0.2)
    np.testing.assert_allclose(model.covariance, COVARIANCE, atol=0.12)
    found = np.abs(np.log2(model.per_leukocyte_unit / UNITS))
    assert (found <= np.abs(np.log2(np.array(list(START.values())) / UNITS)) + 0.35).all()


def test_a_tenth_of_tumours_that_lost_a_gene_moves_little() -> None:
    whole = fit_levels(tumours(300), START, LIMITS, prior=None)
    some = fit_levels(tumours(300, n_lost=30), START, LIMITS, prior=None)
    assert abs(some.location[0] - whole.location[0]) < 0.25
    assert some.covariance[0, 0] < 2 * whole.covariance[0, 0]


def a_prior() -> PresentationModel:
    return PresentationModel(GENES, LOCATION - 2, SLOPE + 1, UNITS, np.eye(3))


def test_a_small_cohort_stays_near_the_earlier_model() -> None:
    prior = a_prior()
    small = fit_levels(tumours(10), START, LIMITS, prior=prior)
    large = fit_levels(tumours(600), START, LIMITS, prior=prior)
    for part, truth in (("ifng_slope", SLOPE), ("covariance", COVARIANCE)):
        old, few, many = (np.asarray(getattr(model, part)) for model in (prior, small, large))
        assert np.abs(many - truth).mean() < np.abs(old - truth).mean() / 4
        assert np.abs(few - old).mean() < np.abs(many - old).mean()
    assert np.abs(small.location - LOCATION).max() < 1.5  # a level is a cohort's own, however small it is


def test_a_gene_that_is_hardly_measured_keeps_the_earlier_figures() -> None:
    levels, prior = tumours(40), a_prior()
    levels.log2_tpm[:31, 1] = np.nan
    model = fit_levels(levels, START, LIMITS, prior=prior)
    assert model.location[1] == prior.location[1]
    assert model.ifng_slope[1] == prior.ifng_slope[1]
    assert model.per_leukocyte_unit[1] == prior.per_leukocyte_unit[1]
    np.testing.assert_array_equal(model.covariance[1], prior.covariance[1])
    assert fit_levels(levels, START, LIMITS, prior=None).gene_symbols == ("A", "C")


def test_fit_presentation_takes_placed_scores(demo: Profiles) -> None:
    """Eight tumours are too few to move anything: the earlier model comes back."""
    bare = replace(demo.reference, presentation=None)
    prior = demo.reference.presentation
    design = demo.maker.context.design
    model = fit_presentation(demo.scores, bare, design, prior=prior)
    assert prior is not None
    for part in ("location", "ifng_slope", "per_leukocyte_unit", "covariance"):
        np.testing.assert_array_equal(getattr(model, part), getattr(prior, part))
    assert fit_presentation(demo.scores, bare, design).gene_symbols == ()


def test_huber_regression_ignores_outliers() -> None:
    x = np.linspace(-2, 2, 41)
    y = 1.0 + 2.0 * x
    y[:5] -= 50.0
    design: FloatArray = np.column_stack([np.ones(41), x])
    np.testing.assert_allclose(huber_regression(design, y), [1.0, 2.0], atol=0.05)


def test_robust_covariance_is_positive_definite_and_symmetric() -> None:
    residuals = np.random.default_rng(4).standard_t(2, (60, 5))
    found = robust_covariance(residuals)
    np.testing.assert_allclose(found, found.T)
    assert (np.linalg.eigvalsh(found) > 0).all()
    assert found[0, 0] == pytest.approx((1.4826 * np.median(np.abs(residuals[:, 0])) + 1e-6) ** 2)
