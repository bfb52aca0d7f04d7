"""GSVA against its definition, gseapy and R GSVA."""

from __future__ import annotations

import numpy as np
import pytest
from tests.score.methods import naive

from escape_score.errors import MatrixInvalidError
from escape_score.model.cohort import FloatArray
from escape_score.model.method_choice import Ties
from escape_score.score.kernels.gsva_cdf import cdf_by_table, normal_table
from escape_score.score.methods import SetIndex
from escape_score.score.methods.engine_gseapy import score_gsva_gseapy
from escape_score.score.methods.gsva import CdfRoute, Kcdf, score_gsva

TABLE_BOUND = 2e-4
"""What the table's truncated index and near-equal estimates may move a score by."""


def varying(values: FloatArray, sets: SetIndex) -> tuple[FloatArray, SetIndex]:
    is_kept = values.std(axis=0) > 0
    assert not is_kept.all()
    return np.ascontiguousarray(values[:, is_kept]), sets.kept(is_kept)


def test_score_gsva_walks_as_defined(tied: FloatArray, sets: SetIndex) -> None:
    values, kept = varying(tied, sets)
    rows = np.ascontiguousarray(values.T)
    estimate = cdf_by_table(rows, np.sort(rows, axis=1), normal_table()).T
    expected = [[naive.gsva_walk(row, m) for m in naive.members_of(kept)] for row in estimate]
    np.testing.assert_allclose(score_gsva(tied, sets).values, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    ("golden", "options"),
    [("gsva", {}), ("gsva_abs_rnk", {"abs_rnk": True}), ("gsva_largest", {"mx_diff": False})],
)
def test_score_gsva_agrees_with_r_gsva(
    golden: str, options: dict[str, bool], tied: FloatArray, sets: SetIndex, r_gsva: dict[str, FloatArray]
) -> None:
    ours = score_gsva(
        tied,
        sets,
        ties=Ties.GSVA,
        mx_diff=options.get("mx_diff", True),
        abs_rnk=options.get("abs_rnk", False),
    )
    np.testing.assert_allclose(ours.values, r_gsva[golden], rtol=0, atol=TABLE_BOUND)


def test_score_gsva_agrees_with_r_gsva_on_counts(
    counts: FloatArray, sets: SetIndex, r_gsva: dict[str, FloatArray]
) -> None:
    ours = score_gsva(counts, sets, kcdf=Kcdf.POISSON, ties=Ties.GSVA).values
    np.testing.assert_allclose(ours, r_gsva["gsva_poisson"], rtol=0, atol=TABLE_BOUND)


def test_score_gsva_agrees_with_gseapy(tied: FloatArray, sets: SetIndex) -> None:
    values, kept = varying(tied, sets)
    theirs = score_gsva_gseapy(values, kept).values
    ours = score_gsva(values, kept, ties=Ties.GSEAPY).values
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=TABLE_BOUND)


def test_score_gsva_by_moments_is_near_the_exact_one(tied: FloatArray, sets: SetIndex) -> None:
    values, kept = varying(np.concatenate([tied, tied[::-1] * 0.7]), sets)
    estimate = naive.normal_cdf(values)
    exact = np.array([[naive.gsva_walk(row, m) for m in naive.members_of(kept)] for row in estimate])
    error = np.abs(score_gsva(values, kept, route=CdfRoute.MOMENTS).values - exact)
    assert error.max() < 0.015
    assert error.mean() < 1e-3


def test_score_gsva_refuses_a_single_sample(tied: FloatArray, sets: SetIndex) -> None:
    with pytest.raises(MatrixInvalidError, match="1 samples"):
        score_gsva(tied[:1], sets)


def test_score_gsva_refuses_negative_counts(tied: FloatArray, sets: SetIndex) -> None:
    with pytest.raises(MatrixInvalidError, match="negative"):
        score_gsva(tied - 1.0, sets, kcdf=Kcdf.POISSON)
