"""ssGSEA against a plain walk, gseapy and R GSVA."""

from __future__ import annotations

import numpy as np
from tests.score.methods import naive

from escape_score.model.cohort import FloatArray
from escape_score.model.method_choice import Ties
from escape_score.score.methods import SetIndex
from escape_score.score.methods.engine_gseapy import score_ssgsea_gseapy
from escape_score.score.methods.ssgsea import score_ssgsea


def test_score_ssgsea_is_the_sum_of_the_walk(tied: FloatArray, sets: SetIndex) -> None:
    expected = naive.scores(tied, sets, naive.ssgsea)
    np.testing.assert_allclose(score_ssgsea(tied, sets).values, expected, rtol=1e-9, atol=1e-9)


def test_score_ssgsea_agrees_with_gseapy(tied: FloatArray, sets: SetIndex) -> None:
    theirs = score_ssgsea_gseapy(tied, sets).values
    ours = score_ssgsea(tied, sets, ties=Ties.GSEAPY).values
    np.testing.assert_allclose(ours, theirs, rtol=1e-9)
    assert np.abs(score_ssgsea(tied, sets).values - theirs).max() > 0.1


def test_score_ssgsea_agrees_with_r_gsva(
    tied: FloatArray, sets: SetIndex, r_gsva: dict[str, FloatArray]
) -> None:
    ours = score_ssgsea(tied, sets, ties=Ties.GSVA).values
    np.testing.assert_allclose(ours, r_gsva["ssgsea"], rtol=1e-9)
    assert np.abs(score_ssgsea(tied, sets).values - r_gsva["ssgsea"]).max() > 0.1


def test_score_ssgsea_takes_the_power_of_ranks(tied: FloatArray, sets: SetIndex) -> None:
    theirs = score_ssgsea_gseapy(tied, sets, alpha=0.75).values
    np.testing.assert_allclose(
        score_ssgsea(tied, sets, alpha=0.75, ties=Ties.GSEAPY).values, theirs, rtol=1e-9
    )


def test_score_ssgsea_of_all_genes_is_nan() -> None:
    every = SetIndex(np.array([0, 4]), np.arange(4, dtype=np.int32), np.array([4]), 4)
    assert np.isnan(score_ssgsea(np.array([[1.0, 2.0, 3.0, 4.0]]), every).values).all()
