"""A sample's numbers depend on that sample and the reference, and on nothing else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from escape_score.model.cohort import Cohort
from escape_score.model.record import Status
from escape_score.model.units import ExpressionUnit
from escape_score.pipeline.profiles import Profiles

MakeCohort = Callable[..., Cohort]
RunEngine = Callable[..., Profiles]
Numbers = Callable[[Profiles], pd.DataFrame]

SAME_SAMPLE = 1e-6
"""Numbers of one sample in another unit; rounding of the unit itself is all that may differ."""


@pytest.fixture(scope="module")
def tpm_numbers(
    demo_tpm: pd.DataFrame, make_cohort: MakeCohort, run_engine: RunEngine, numbers: Numbers
) -> pd.DataFrame:
    return numbers(run_engine(make_cohort(demo_tpm)))


def assert_same(ours: pd.DataFrame, expected: pd.DataFrame, tolerance: float) -> None:
    """Same columns, same cells empty, and no number farther off than the tolerance."""
    expected = expected.loc[ours.index, ours.columns]
    pd.testing.assert_frame_equal(ours.isna(), expected.isna())
    assert float((ours - expected).abs().max().max()) <= tolerance


@pytest.mark.parametrize("position", [0, 3, 7])
def test_sample_alone_has_the_same_bits_as_in_the_cohort(
    position: int,
    demo: Profiles,
    demo_counts: pd.DataFrame,
    demo_lengths: Path,
    *,
    make_cohort: MakeCohort,
    run_engine: RunEngine,
    numbers: Numbers,
) -> None:
    alone = run_engine(
        make_cohort(demo_counts.iloc[[position]], ExpressionUnit.COUNTS), gene_lengths=demo_lengths
    )
    assert_same(numbers(alone), numbers(demo), 0.0)
    assert alone.scores.values.tobytes() == demo.scores.values[[position]].tobytes()
    own, among = alone.maker.record(0), demo.maker.record(position)
    assert own.axes == among.axes
    assert own.index == among.index
    assert own.reference == among.reference


@settings(max_examples=3)
@given(seed=st.integers(0, 2**32 - 1))
def test_order_of_genes_and_samples_changes_nothing(
    *,
    seed: int,
    demo: Profiles,
    demo_counts: pd.DataFrame,
    demo_lengths: Path,
    make_cohort: MakeCohort,
    run_engine: RunEngine,
    numbers: Numbers,
) -> None:
    rng = np.random.default_rng(seed)
    rows, columns = (rng.permutation(n) for n in demo_counts.shape)
    shuffled = run_engine(
        make_cohort(demo_counts.iloc[rows, columns], ExpressionUnit.COUNTS), gene_lengths=demo_lengths
    )
    assert_same(numbers(shuffled), numbers(demo), 1e-9)


@pytest.mark.parametrize(
    ("unit", "convert"),
    [
        (ExpressionUnit.LOG2_PLUS_1, lambda tpm: np.log2(tpm + 1)),
        (ExpressionUnit.LN_PLUS_1, np.log1p),
        (ExpressionUnit.LOG2_PLUS_0001, lambda tpm: np.log2(tpm + 0.001)),
    ],
    ids=["log2", "ln", "log2-0.001"],
)
def test_unit_changes_nothing(
    *,
    unit: ExpressionUnit,
    convert: Callable[[pd.DataFrame], pd.DataFrame],
    tpm_numbers: pd.DataFrame,
    demo_tpm: pd.DataFrame,
    make_cohort: MakeCohort,
    run_engine: RunEngine,
    numbers: Numbers,
) -> None:
    assert_same(numbers(run_engine(make_cohort(convert(demo_tpm), unit))), tpm_numbers, SAME_SAMPLE)


@settings(max_examples=3)
@given(exponents=st.lists(st.floats(-3, 3), min_size=8, max_size=8))
def test_size_of_a_library_changes_nothing(
    *,
    exponents: list[float],
    tpm_numbers: pd.DataFrame,
    demo_tpm: pd.DataFrame,
    make_cohort: MakeCohort,
    run_engine: RunEngine,
    numbers: Numbers,
) -> None:
    scaled = demo_tpm.mul(10.0 ** np.array(exponents), axis=0)
    assert_same(numbers(run_engine(make_cohort(scaled, ExpressionUnit.FPKM))), tpm_numbers, SAME_SAMPLE)


def test_unknown_genes_change_nothing_for_counts(
    *,
    demo: Profiles,
    demo_counts: pd.DataFrame,
    demo_lengths: Path,
    make_cohort: MakeCohort,
    run_engine: RunEngine,
    numbers: Numbers,
) -> None:
    more = demo_counts.assign(**{f"NOBODY{i}": 1e6 for i in range(5)})
    result = run_engine(make_cohort(more, ExpressionUnit.COUNTS), gene_lengths=demo_lengths)
    assert_same(numbers(result), numbers(demo), 0.0)


def test_unknown_genes_of_tpm_only_take_their_share_of_the_million(
    tpm_numbers: pd.DataFrame,
    demo_tpm: pd.DataFrame,
    make_cohort: MakeCohort,
    run_engine: RunEngine,
    numbers: Numbers,
) -> None:
    # 10 of 1,000,000 TPM: the +1 of the logarithm moves by that share, anchors take up the rest
    more = demo_tpm.assign(NOBODY1=10.0, NOBODY2=0.0)
    ours = numbers(run_engine(make_cohort(more)))
    assert_same(ours, tpm_numbers.loc[:, ours.columns], 1e-3)
    scores = [name for name in ours.columns if "index" not in name and "percentile" not in name]
    assert_same(ours[scores], tpm_numbers, 1e-5)


@pytest.mark.parametrize("value", [0.0, 7.0, np.nan], ids=["zero", "constant", "missing"])
def test_degenerate_sample_gets_no_score_and_leaves_the_others_alone(
    *,
    value: float,
    tpm_numbers: pd.DataFrame,
    demo_tpm: pd.DataFrame,
    make_cohort: MakeCohort,
    run_engine: RunEngine,
    numbers: Numbers,
) -> None:
    faulty = demo_tpm.copy()
    faulty.iloc[2] = value
    result = run_engine(make_cohort(faulty))
    ours = numbers(result)
    assert_same(ours.drop(index=faulty.index[2]), tpm_numbers, 0.0)
    scores = ours.loc[faulty.index[2]].filter(regex="^(?!.*_coverage$)")
    assert scores.isna().all()
    assert result.profiles.status[2] == Status.NOT_EVALUABLE
    assert result.profiles.archetype[2] == ""


def test_constant_counts_get_no_score_though_lengths_make_them_vary(
    demo_counts: pd.DataFrame, demo_lengths: Path, make_cohort: MakeCohort, run_engine: RunEngine
) -> None:
    faulty = demo_counts.copy()
    faulty.iloc[0] = 7.0
    result = run_engine(make_cohort(faulty, ExpressionUnit.COUNTS), gene_lengths=demo_lengths)
    assert np.isnan(result.scores.values[0]).all()
    assert not np.isnan(result.scores.values[1]).all()


def test_missing_genes_of_one_sample_leave_the_others_alone(
    tpm_numbers: pd.DataFrame,
    demo_tpm: pd.DataFrame,
    make_cohort: MakeCohort,
    run_engine: RunEngine,
    numbers: Numbers,
) -> None:
    faulty = demo_tpm.copy()
    faulty.loc[faulty.index[0], ["CD8A", "CD8B", "B2M", "MLH1"]] = np.nan
    ours = numbers(run_engine(make_cohort(faulty)))
    assert_same(ours.drop(index=faulty.index[0]), tpm_numbers, 0.0)
    first = ours.loc[faulty.index[0]]
    assert np.isnan(first["treg"])  # relative to CD8, of which nothing is left
    assert first["effector_absence_coverage"] < tpm_numbers.loc[faulty.index[0], "effector_absence_coverage"]


def test_copies_of_rows_change_nothing_in_any_company(
    *,
    demo: Profiles,
    demo_counts: pd.DataFrame,
    demo_lengths: Path,
    make_cohort: MakeCohort,
    run_engine: RunEngine,
    numbers: Numbers,
) -> None:
    copies = demo_counts.iloc[:, ::3]
    for joined in (pd.concat([demo_counts, copies], axis=1), pd.concat([copies, demo_counts], axis=1)):
        twice = run_engine(make_cohort(joined, ExpressionUnit.COUNTS), gene_lengths=demo_lengths)
        assert_same(numbers(twice), numbers(demo), 1e-9)
        alone = run_engine(make_cohort(joined.iloc[[2]], ExpressionUnit.COUNTS), gene_lengths=demo_lengths)
        assert_same(numbers(alone), numbers(twice), 0.0)


def test_rows_that_agree_by_chance_in_one_sample_do_not_depend_on_the_others(
    *,
    demo_counts: pd.DataFrame,
    demo_lengths: Path,
    make_cohort: MakeCohort,
    run_engine: RunEngine,
    numbers: Numbers,
) -> None:
    name = next(str(column) for column in demo_counts.columns if str(column).startswith("CD8A|"))
    more = demo_counts[[name]].copy()
    more.iloc[1:] += 5.0
    joined = pd.concat([demo_counts, more], axis=1)
    whole = run_engine(make_cohort(joined, ExpressionUnit.COUNTS), gene_lengths=demo_lengths)
    for row in (0, 3):
        one = make_cohort(joined.iloc[[row]], ExpressionUnit.COUNTS)
        assert_same(numbers(run_engine(one, gene_lengths=demo_lengths)), numbers(whole), 0.0)
