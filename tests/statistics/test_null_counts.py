"""Places of order statistics; values by R 4.2.2: qwilcox(0.025, m, n) and qsignrank(0.025, n)."""

from __future__ import annotations

import pytest

from escape_score.statistics.null_counts import rank_sum_place, signed_rank_place


@pytest.mark.parametrize(("m", "n", "place"), [(5, 5, 3), (10, 10, 24), (50, 20, 350), (50, 50, 966)])
def test_rank_sum_place_is_that_of_r(m: int, n: int, place: int) -> None:
    assert rank_sum_place(m, n) == rank_sum_place(n, m) == place


@pytest.mark.parametrize(("n", "place"), [(10, 9), (50, 435)])
def test_signed_rank_place_is_that_of_r(n: int, place: int) -> None:
    assert signed_rank_place(n) == place


def test_large_groups_take_the_normal_approximation() -> None:
    # exact: 1008 (R 4.2.2); one further out is a slightly wider interval
    assert rank_sum_place(51, 51) == 1007
    assert signed_rank_place(51) > signed_rank_place(50)
