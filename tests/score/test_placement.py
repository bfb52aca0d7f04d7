"""Which columns of a cohort meet which genes, and placement against a slow computation in plain Python."""

from __future__ import annotations

import math
import statistics

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from escape_score.errors import AnchorsMissingError
from escape_score.model.reference import Reference
from escape_score.model.robust import nanmedian_rows
from escape_score.model.thresholds import Thresholds
from escape_score.score.placement import Alignment, align, anchor_distance, place_block, require_anchors

NAN = float("nan")


@pytest.fixture(scope="module")
def alignment(reference: Reference) -> Alignment:
    symbols = reference.genes.symbols
    return align(symbols[::-1], reference, symbols)


def slow_placement(
    row: dict[str, float], alignment: Alignment, clip: float
) -> dict[str, tuple[float, float]]:
    """Placed log2(TPM + 1) and z of each gene, one gene after the other."""
    genes = dict(
        zip(
            alignment.symbols,
            zip(alignment.location, alignment.spread, alignment.is_anchor, strict=True),
            strict=True,
        )
    )
    anchors = [row[g] - location for g, (location, _, is_anchor) in genes.items() if is_anchor]
    offset = statistics.median(value for value in anchors if not math.isnan(value))
    placed = {g: math.log2((2 ** row[g] - 1) * 2**-offset + 1) for g in genes}
    z = {g: (placed[g] - location) / spread for g, (location, spread, _) in genes.items()}
    # Python's min and max lose NaN
    return {g: (placed[g], NAN if math.isnan(z[g]) else max(-clip, min(clip, z[g]))) for g in genes}


@given(seed=st.integers(0, 1000), offset=st.floats(-4, 4))
def test_place_block_agrees_with_a_slow_computation(
    seed: int, offset: float, alignment: Alignment, thresholds: Thresholds
) -> None:
    rng = np.random.default_rng(seed)
    own = np.maximum(alignment.location + offset + rng.normal(0, 1.2, len(alignment.symbols)), 0)
    own[rng.integers(0, 30)] = NAN
    row = dict(zip(alignment.symbols, own.tolist(), strict=True))
    matrix = np.array([[row[symbol] for symbol in alignment.symbols]])
    block = place_block(matrix, alignment, thresholds.placement)
    expected = slow_placement(row, alignment, thresholds.placement.z_clip)
    np.testing.assert_allclose(block.log2_tpm[0], [expected[s][0] for s in alignment.symbols], atol=1e-10)
    np.testing.assert_allclose(block.z[0], [expected[s][1] for s in alignment.symbols], atol=1e-10)
    assert np.isnan(block.z[0]).sum() == 1
    assert block.n_anchors.tolist() == [29]


@pytest.mark.parametrize(("n_missing", "is_placed"), [(10, True), (11, False)])
def test_place_block_leaves_a_sample_with_too_few_anchors_empty(
    n_missing: int, is_placed: bool, alignment: Alignment, thresholds: Thresholds
) -> None:
    rows = np.vstack([alignment.location, alignment.location])
    rows[0, :n_missing] = NAN
    block = place_block(rows, alignment, thresholds.placement)
    assert block.n_anchors.tolist() == [30 - n_missing, 30]
    assert np.isfinite(block.offset_log2).tolist() == [is_placed, True]
    assert np.isnan(block.z[0]).all() != is_placed
    assert np.isnan(block.distance).tolist() == [not is_placed, False]
    np.testing.assert_allclose(block.z[1], 0, atol=1e-12)


def test_place_block_holds_z_within_its_limits(alignment: Alignment, thresholds: Thresholds) -> None:
    row = alignment.location.copy()
    row[alignment.positions(("X1", "X2"))] = [40.0, 0.0]
    block = place_block(row[None, :], alignment, thresholds.placement)
    assert block.z.max() == thresholds.placement.z_clip
    assert block.z.min() >= -thresholds.placement.z_clip


def test_anchor_distance_is_the_scaled_mad(alignment: Alignment) -> None:
    rng = np.random.default_rng(0)
    placed = alignment.location + rng.normal(0.3, 0.7, (3, len(alignment.symbols)))
    placed[1, 0] = NAN
    for row, found in zip(placed, anchor_distance(placed, alignment), strict=True):
        deviations = [
            v
            for v, a in zip(row - alignment.location, alignment.is_anchor, strict=True)
            if a and not math.isnan(v)
        ]
        centre = statistics.median(deviations)
        assert found == pytest.approx(1.4826 * statistics.median(abs(v - centre) for v in deviations))


@given(
    hnp.arrays(
        np.float64,
        hnp.array_shapes(min_dims=2, max_dims=2, max_side=6),
        elements=st.floats(-9, 9) | st.just(NAN),
    )
)
def test_nanmedian_rows_is_the_median_of_what_is_there(values: np.ndarray) -> None:
    expected = [
        statistics.median(present) if (present := [v for v in row.tolist() if not math.isnan(v)]) else NAN
        for row in values
    ]
    np.testing.assert_allclose(nanmedian_rows(values), expected, atol=1e-12)


def test_align_keeps_anchors_and_needed_genes_in_the_order_of_the_reference(reference: Reference) -> None:
    cohort = ("X3", "X1", "NOBODY", "A02", "A00", "X2")
    alignment = align(cohort, reference, {"X1", "X3", "ELSEWHERE"})
    assert alignment.symbols == ("A00", "A02", "X1", "X3")
    assert alignment.is_anchor.tolist() == [True, True, False, False]
    at = [reference.genes.symbols.index(symbol) for symbol in alignment.symbols]
    assert alignment.location.tolist() == reference.genes.location[at].tolist()
    assert alignment.spread.tolist() == reference.genes.spread[at].tolist()


def test_positions_follow_the_reference_not_the_question(reference: Reference) -> None:
    alignment = align(("A01", "A00", "X1"), reference, {"X1"})
    assert alignment.positions(("X1", "A01", "NOBODY", "A00")).tolist() == [0, 1, 2]


def test_require_anchors_names_file_reference_and_both_numbers(reference: Reference) -> None:
    alignment = align(tuple(f"A{i:02d}" for i in range(19)), reference, ())
    require_anchors(alignment, min_anchors=19, cohort="m.tsv", reference="small")
    with pytest.raises(AnchorsMissingError, match=r"^m\.tsv: 19 of .* small are measured, 20 are needed"):
        require_anchors(alignment, min_anchors=20, cohort="m.tsv", reference="small")
