"""Counts of cells in the forms that labelling needs, by hand."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp

from escape_score.cells.labels.expression import Expression, mean_and_variance
from escape_score.model.cells import CellSample


def test_expression_scales_each_cell_to_ten_thousand() -> None:
    counts = sp.csr_array(np.array([[1, 3, 0], [0, 2, 0], [0, 0, 0]], dtype=np.float32))
    ids = np.array(["c", "a", "b"])
    cells = Expression(CellSample("s", "s", ids, ("A", "B", "C"), counts, None))
    scaled = [[2500, 7500, 0], [0, 10_000, 0], [0, 0, 0]]
    np.testing.assert_allclose(cells.logged.toarray(), np.log1p(scaled), rtol=1e-6)
    np.testing.assert_allclose(cells.scaled_sum(np.array([0, 1])), [2500, 17_500, 0])


def test_mean_and_variance_count_zeros() -> None:
    values = np.array([[1.0, 0.0, 2.0], [3.0, 0.0, 0.0], [8.0, 0.0, 1.0]])
    mean, variance = mean_and_variance(sp.csr_array(values))
    np.testing.assert_allclose(mean, [4, 0, 1])
    np.testing.assert_allclose(variance, [26 / 3, 0, 2 / 3])
