"""What holds for every published score, whatever the expression."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from tests.score.published.scored import as_table, scored

from escape_score.errors import UsageError
from escape_score.model.cohort import FloatArray
from escape_score.pipeline.profiles import in_english
from escape_score.score.methods import Scope
from escape_score.score.published import Formula, PublishedPlan, ScoreNeeds, load_published, score_published
from escape_score.score.published.model import MIN_SAMPLES

COMPUTED = [score for score in load_published().scores if score.formula is not Formula.GSVA]
OF_SAMPLE = [score.score_id for score in COMPUTED if score.scope is Scope.SAMPLE]
OF_COHORT = [score.score_id for score in COMPUTED if score.scope is Scope.COHORT]
NEEDED = sorted({gene.gene_symbol for score in COMPUTED for gene in score.genes})


@pytest.fixture(scope="session")
def with_gaps(log2_tpm: pd.DataFrame) -> pd.DataFrame:
    """One value in twenty not measured, in other genes in every sample; tied values; no gap in IMPRES."""
    generator = np.random.default_rng(3)
    gaps = log2_tpm.round(1).mask(generator.random(log2_tpm.shape) < 0.05)
    pairs = [gene.gene_symbol for gene in load_published().score("impres15").genes]
    chemokines = [gene.gene_symbol for gene in load_published().score("chemokine12_messina").genes]
    single = [g.gene_symbol for g in load_published().score("ips_az").genes if g.part in {"MHC", "CP"}]
    for symbol in {*pairs, *chemokines, *single}:
        gaps[symbol] = log2_tpm[symbol]
    return gaps


@pytest.mark.parametrize("row", range(12))
def test_sample_scope_is_the_same_number_alone_and_among_others(row: int, with_gaps: pd.DataFrame) -> None:
    among, alone = scored(with_gaps), scored(with_gaps.iloc[[row]])
    for column, score_id in enumerate(among.score_ids):
        if score_id in OF_SAMPLE:
            assert alone.values[0, column] == among.values[row, column] or (
                np.isnan(alone.values[0, column]) and np.isnan(among.values[row, column])
            )
            assert alone.coverage[0, column] == among.coverage[row, column]


@given(seed=st.integers(0, 2**32 - 1), block_size=st.integers(1, 12))
def test_order_of_genes_samples_and_blocks_changes_no_bit(
    seed: int, block_size: int, with_gaps: pd.DataFrame
) -> None:
    generator = np.random.default_rng(seed)
    rows = np.argsort(generator.random(len(with_gaps)))
    columns = np.argsort(generator.random(with_gaps.shape[1]))
    shuffled = scored(with_gaps.iloc[rows, columns], block_size=block_size)
    given_order = scored(with_gaps)
    assert np.isfinite(given_order.values).sum(axis=0).min() > 5
    np.testing.assert_array_equal(shuffled.values, given_order.values[rows])
    np.testing.assert_array_equal(shuffled.coverage, given_order.coverage[rows])


@given(
    values=arrays(
        np.float64,
        (MIN_SAMPLES, len(NEEDED)),
        elements=st.floats(0.0, 20.0),
        fill=st.sampled_from([0.0, 9.0]),
    )
)
def test_values_lie_in_their_range(values: FloatArray) -> None:
    scores = scored(pd.DataFrame(values, columns=NEEDED))
    for column, score in enumerate(COMPUTED):
        found = scores.values[np.isfinite(scores.values[:, column]), column]
        slack = 1e-9 * (1.0 + np.abs(found))
        assert (found >= score.low - slack).all()
        assert (found <= score.high + slack).all()


def test_low_coverage_is_no_number_and_says_so(log2_tpm: pd.DataFrame) -> None:
    scores = scored(log2_tpm.drop(columns=["GZMA"]), "cyt_geometric_mean", "cyt_mean_log2")
    assert np.isnan(scores.values).all()
    assert (scores.coverage == 0.5).all()
    reason = "at most 1 of 2 genes measured; needs a fraction of at least 0.7"
    assert [in_english(skip.reason) for skip in scores.skipped] == [reason, reason]


def test_least_coverage_itself_is_enough(log2_tpm: pd.DataFrame) -> None:
    half = scored(log2_tpm.drop(columns=["GZMA"]), "cyt_mean_log2", min_coverage=0.5)
    np.testing.assert_array_equal(half.values[:, 0], log2_tpm["PRF1"])


def test_one_sample_with_too_few_genes_is_not_evaluable_by_itself(log2_tpm: pd.DataFrame) -> None:
    gaps = log2_tpm.copy()
    gaps.loc["S03", "GZMA"] = np.nan
    values = as_table(scored(gaps, "cyt_mean_log2"))["cyt_mean_log2"]
    assert np.flatnonzero(values.isna()).tolist() == [3]


@pytest.mark.parametrize("score_id", OF_COHORT)
def test_cohort_scope_needs_its_number_of_samples(score_id: str, log2_tpm: pd.DataFrame) -> None:
    enough, too_few = log2_tpm.iloc[:MIN_SAMPLES], log2_tpm.iloc[: MIN_SAMPLES - 1]
    assert np.isfinite(scored(enough, score_id).values).all()
    scores = scored(too_few, score_id)
    assert np.isnan(scores.values).all()
    assert (
        in_english(scores.skipped[0].reason)
        == "compares samples: needs at least 10 with enough genes measured, has 9"
    )


def test_scores_that_need_what_the_expression_is_not_are_skipped(log2_tpm: pd.DataFrame) -> None:
    scores = scored(log2_tpm, offers=[ScoreNeeds.SAMPLE_ORDER, ScoreNeeds.LOG_SCALE])
    table = as_table(scores)
    assert set(table.dropna(axis="columns", how="any")) == {"davoli_immune", "chemokine12_messina"}
    assert set(table.dropna(axis="columns", how="all")) == {"davoli_immune", "chemokine12_messina"}
    reasons = {skip.score_id: skip.reason for skip in scores.skipped}
    assert in_english(reasons["cyt_geometric_mean"]) == "needs TPM of the whole transcriptome"
    assert (
        in_english(reasons["impres15"]) == "needs values that can be compared between the genes of a sample"
    )


def test_gsva_is_left_to_the_method(log2_tpm: pd.DataFrame) -> None:
    scores = scored(log2_tpm)
    assert "cyt_gsva" not in scores.score_ids
    assert scores.skipped == ()


def test_score_published_takes_no_sample_and_no_score(log2_tpm: pd.DataFrame) -> None:
    assert scored(log2_tpm.iloc[:0]).values.shape == (0, len(COMPUTED))
    only_gsva = scored(log2_tpm, "cyt_gsva")
    assert only_gsva.values.shape == (12, 0)
    assert only_gsva.score_ids == ()


@pytest.mark.parametrize("min_coverage", [0.0, -0.1, 1.1])
def test_score_published_refuses_a_coverage_that_is_no_fraction(min_coverage: float) -> None:
    with pytest.raises(UsageError, match=r"min_coverage is .*; give a fraction above 0, at most 1"):
        score_published(PublishedPlan.of(("GZMA",)), [], min_coverage=min_coverage)
