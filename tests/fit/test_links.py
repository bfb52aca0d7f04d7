"""Robust fits of links against statsmodels."""

from __future__ import annotations

import numpy as np
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st

from escape_score.fit.scales import huber


@settings(max_examples=25)
@given(seed=st.integers(0, 2**16), n=st.integers(12, 80))
def test_huber_agrees_with_statsmodels(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    design = np.column_stack([np.ones(n), rng.normal(size=(n, 2))])
    y = design @ [0.3, 1.0, -0.5] + rng.standard_t(3, n) * 0.4
    expected = sm.RLM(y, design, M=sm.robust.norms.HuberT()).fit(maxiter=500, tol=1e-12).params
    np.testing.assert_allclose(huber(y, design), expected, atol=5e-3)


def test_huber_is_not_moved_by_lost_genes() -> None:
    rng = np.random.default_rng(3)
    x = rng.normal(size=60)
    y = 1 + 2 * x + rng.normal(0, 0.1, 60)
    y[:6] -= 8
    found = huber(y, np.column_stack([np.ones(60), x]))
    np.testing.assert_allclose(found, [1, 2], atol=0.2)


def test_huber_follows_a_line_without_residuals() -> None:
    x = np.arange(10.0)
    np.testing.assert_allclose(huber(3 + x, np.column_stack([np.ones(10), x])), [3, 1], atol=1e-9)
