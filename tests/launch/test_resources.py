"""What jobs ask for, and how samples are cut into jobs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from escape_score.launch.plan import LARGEST_CHUNK, NEEDS, SMALLEST_CHUNK, chunk_size_of


@pytest.mark.parametrize(
    ("n_samples", "stated", "size"),
    [
        (0, None, SMALLEST_CHUNK),
        (500, None, SMALLEST_CHUNK),
        (10_000, None, 1_000),
        (10_001, None, 1_001),
        (1_000_000, None, LARGEST_CHUNK),
        (20_000, 7, 7),
    ],
)
def test_chunk_size_of_follows_the_cohort_unless_stated(
    n_samples: int, stated: int | None, size: int
) -> None:
    assert chunk_size_of(n_samples, stated) == size


@given(rule=st.sampled_from(sorted(NEEDS)), n_samples=st.integers(0, 100_000), attempt=st.integers(1, 3))
def test_need_grows_with_samples_and_attempts(rule: str, n_samples: int, attempt: int) -> None:
    need = NEEDS[rule]
    assert need.memory_mb(n_samples, attempt=attempt) == attempt * need.memory_mb(n_samples)
    assert need.minutes(n_samples, attempt=attempt) == attempt * need.minutes(n_samples)
    assert need.memory_mb(n_samples + 1_000) > need.memory_mb(n_samples)
    assert need.minutes(n_samples + 1_000) > need.minutes(n_samples)


def test_need_of_five_hundred_samples_stays_below_one_and_a_half_gigabytes() -> None:
    is_usual = {rule: rule != "score_methods" and not rule.startswith("cells_") for rule in NEEDS}
    usual = [need.memory_mb(500) for rule, need in NEEDS.items() if is_usual[rule]]
    assert max(usual) <= 1_500
