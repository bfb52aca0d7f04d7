"""What models are adjusted for, by hand."""

from __future__ import annotations

import numpy as np
from tests.statistics.conftest import MakeColumns

from escape_score.config.formula import formula_of
from escape_score.statistics.covariates import Covariates


def test_a_covariate_that_varies_only_among_others_leaves_nobody_out(make_columns: MakeColumns) -> None:
    sheet = [
        {"purity": 0.2, "site": "liver"},
        {"purity": 0.4, "site": "liver"},
        {"purity": 0.9},
        {"purity": 0.5, "site": "lung"},
    ]
    covariates = Covariates(make_columns(sheet, range(4)), formula_of(("purity", "site"), None))
    found = covariates.design(np.array([True, True, True, False]))
    assert found.covariates == ("purity",)
    assert found.is_used.tolist() == [True, True, True, False]
    np.testing.assert_allclose(found.matrix, [[0.2], [0.4], [0.9]])
