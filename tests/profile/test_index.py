"""The index: weights, winsorised blocks, blocks that are missing."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from escape_score.library.axes import load_axis_catalogue, load_thresholds
from escape_score.pipeline.profiles import Profiles
from escape_score.profile.index import to_index, weighted_mean

NAN = float("nan")
CATALOGUE, LIMITS = load_axis_catalogue(), load_thresholds().index


def test_weights_are_half_effector_and_half_the_three_mechanisms() -> None:
    weights = {block.axis: block.weight for block in CATALOGUE.index}
    total = sum(weights.values())
    assert {name: weight / total for name, weight in weights.items()} == pytest.approx(
        {"effector_absence": 1 / 2, "mhc1_loss": 1 / 6, "stroma": 1 / 6, "suppressive": 1 / 6}
    )


@pytest.mark.parametrize(
    ("blocks", "expected"),
    [
        ([1.0, 2.0, -1.0, 0.5], 1 / 2 + (2.0 - 1.0 + 0.5) / 6),
        ([1.0, NAN, -1.0, 0.5], (3 * 1.0 - 1.0 + 0.5) / 5),
        ([NAN, 2.0, -1.0, 0.5], (2.0 - 1.0 + 0.5) / 3),
        ([1.0, NAN, NAN, 0.5], NAN),
        ([NAN, NAN, NAN, NAN], NAN),
    ],
)
def test_weighted_mean_shares_the_weight_of_a_missing_block(blocks: list[float], expected: float) -> None:
    weights = np.array([block.weight for block in CATALOGUE.index])
    found = weighted_mean(np.array([blocks]), weights, LIMITS.min_index_blocks)
    np.testing.assert_allclose(found, [expected])


def test_index_agrees_with_a_slow_computation(demo: Profiles) -> None:
    terms, reference, index = demo.maker.context.terms, demo.reference, demo.profiles.index

    def block(names: list[str], row: int) -> float:
        held: list[float] = []
        for name in names:
            location, spread = reference.term_stats[name]
            if not math.isnan(terms[name][row]):
                held.append(max(-3.0, min(3.0, (terms[name][row] - location) / spread)))
        return sum(held) / len(held)

    for row in range(8):
        effector = -block(["effector"], row)
        mhc = block(["mhc1_shortfall"], row)
        stroma = block(["tgfb", "caf_ecm"], row)
        suppressive = block(["treg_per_cd8", "mdsc_per_leukocyte", "tam_per_leukocyte"], row)
        raw = effector / 2 + (mhc + stroma + suppressive) / 6
        location, spread = reference.index_stats
        expected = 50 * (1 + math.erf((raw - location) / spread / math.sqrt(2)))
        assert index.raw[row] == pytest.approx(raw, abs=1e-12)
        assert index.index[row] == pytest.approx(expected, abs=1e-9)
        np.testing.assert_allclose(index.blocks[row], [effector, mhc, stroma, suppressive], atol=1e-12)


@given(st.floats(-50, 50), st.floats(-50, 50))
def test_to_index_rises_within_its_scale(one: float, other: float) -> None:
    from escape_score.reference.read import load_reference

    low, high = to_index(np.array(sorted([one, other])), load_reference())
    assert 0 <= low <= high <= 100


def test_intervals_hold_the_index_and_the_absolute_ones_are_wider(demo: Profiles) -> None:
    index, bounds = demo.profiles.index.index, demo.profiles.index.bounds
    assert (bounds.low <= bounds.low_within).all()
    assert (bounds.low_within < index).all()
    assert (index < bounds.high_within).all()
    assert (bounds.high_within <= bounds.high).all()
