"""Formulas on numbers small enough to work out by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.score.published.scored import as_table, scored

from escape_score.pipeline.profiles import in_english
from escape_score.score.published import load_published
from escape_score.score.published.formulas import first_component
from escape_score.score.published.model import MIN_GENES


def of_tpm(tpm: dict[str, list[float]]) -> pd.DataFrame:
    return pd.DataFrame(np.log2(pd.DataFrame(tpm) + 1.0))


def ips_matrix(n_genes: int = MIN_GENES) -> pd.DataFrame:
    """Two samples in which the genes of the score lie where all others do: every z is known."""
    genes = sorted({gene.gene_symbol for gene in load_published().score("ips_az").genes})
    others = [f"OTHER{i}" for i in range(n_genes - len(genes))]
    values = np.tile(np.where(np.arange(n_genes) % 2, 4.0, 2.0), (2, 1))
    matrix = pd.DataFrame(values, columns=genes + others)
    matrix[genes] = 3.0
    return matrix


def test_cytolytic_activity_in_two_readings() -> None:
    scores = as_table(scored(of_tpm({"GZMA": [0.0, 99.99], "PRF1": [0.0, 24.99]})))
    np.testing.assert_allclose(scores["cyt_geometric_mean"], [0.01, 50.0])
    np.testing.assert_allclose(scores["cyt_mean_log2"], [0.0, np.log2(100.99 * 25.99) / 2])


def test_tls_of_easier_is_a_power_of_the_geometric_mean() -> None:
    genes = [gene.gene_symbol for gene in load_published().score("tls9_easier").genes]
    scores = as_table(scored(of_tpm({gene: [3.0, 7.0, float(i)] for i, gene in enumerate(genes)})))
    np.testing.assert_allclose(scores["tls9_geometric_mean"][:2], [4.0, 8.0])
    np.testing.assert_allclose(scores["tls9_easier"], scores["tls9_geometric_mean"] ** (1 / np.log(2)))


def test_davoli_ranks_ties_at_their_mean_among_samples_that_have_the_gene() -> None:
    genes = [gene.gene_symbol for gene in load_published().score("davoli_immune").genes]
    matrix = pd.DataFrame({gene: np.arange(10.0) for gene in genes})
    matrix.loc[1, genes] = 0.0
    matrix.loc[9, genes[0]] = np.nan
    values = as_table(scored(matrix, "davoli_immune"))["davoli_immune"]
    assert values[0] == values[1] == pytest.approx((6 * 0.5 / 9 + 0.5 / 8) / 7)
    assert values[8] == pytest.approx((6 * 8 / 9 + 1.0) / 7)
    assert values[9] == 1.0


def test_first_component_leaves_out_genes_that_do_not_vary(log2_tpm: pd.DataFrame) -> None:
    constant = log2_tpm.assign(CCL2=0.0)
    scores = scored(constant, "chemokine12_messina")
    dropped = scored(log2_tpm.drop(columns="CCL2"), "chemokine12_messina")
    np.testing.assert_array_equal(scores.values, dropped.values)
    assert scores.coverage[:, 0] == pytest.approx(11 / 12)


def test_first_component_leaves_out_samples_that_would_cost_genes(log2_tpm: pd.DataFrame) -> None:
    genes = [gene.gene_symbol for gene in load_published().score("chemokine12_messina").genes]
    gaps = log2_tpm.copy()
    gaps.loc["S00", genes[:6]] = np.nan
    values = scored(gaps, "chemokine12_messina").values[:, 0]
    assert np.isnan(values[0])
    np.testing.assert_array_equal(values[1:], scored(log2_tpm.iloc[1:], "chemokine12_messina").values[:, 0])


def test_first_component_is_no_score_where_genes_are_missing_in_turn(log2_tpm: pd.DataFrame) -> None:
    genes = [gene.gene_symbol for gene in load_published().score("chemokine12_messina").genes]
    gaps = log2_tpm.copy()
    for row, gene in enumerate(genes[:4]):
        gaps.loc[f"S{row:02d}", gene] = np.nan
    scores = scored(gaps, "chemokine12_messina")
    assert np.isnan(scores.values).all()
    assert (
        in_english(scores.skipped[0].reason) == "8 of 12 genes are measured in all samples compared and vary"
    )


@given(seed=st.integers(0, 2**32 - 1), n_genes=st.integers(2, 12))
def test_first_component_rises_with_the_mean_of_scaled_genes(seed: int, n_genes: int) -> None:
    generator = np.random.default_rng(seed)
    values = generator.normal(size=(30, 1)) + 0.5 * generator.normal(size=(30, n_genes))
    scores = first_component(values)
    assert scores is not None
    scaled = (values - values.mean(axis=0)) / values.std(axis=0, ddof=1)
    assert np.corrcoef(scores, scaled.mean(axis=1))[0, 1] > 0


def test_first_component_has_no_sign_where_genes_oppose_each_other() -> None:
    up = np.arange(10.0)
    assert first_component(np.column_stack([up, -up])) is None


def test_ips_is_the_sum_of_weighted_factors() -> None:
    matrix = ips_matrix()
    matrix.loc[0, "B2M"] = 9.0
    scores = as_table(scored(matrix))
    z = (9.0 - matrix.loc[0].mean()) / matrix.loc[0].std()
    others = (3.0 - matrix.loc[0].mean()) / matrix.loc[0].std()
    assert scores["ips_mhc"][0] == pytest.approx((z + 9 * others) / 10)
    assert scores["ips_cp"][0] == pytest.approx(-6 * others / 10)
    assert scores["ips_az"][0] == pytest.approx(
        scores[["ips_mhc", "ips_cp", "ips_ec", "ips_sc"]].loc[0].sum()
    )
    assert scores["ips_az"][1] == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize(("b2m", "points"), [(-500.0, 0.0), (3.0, 0.0), (500.0, 10.0)])
def test_ips_is_saturated_at_both_ends(b2m: float, points: float) -> None:
    matrix = ips_matrix().assign(**dict.fromkeys(["B2M", "TAP1", "TAP2", "HLA-A", "HLA-B", "HLA-C"], b2m))
    assert as_table(scored(matrix, "ips"))["ips"][0] == points


@given(shift=st.floats(-40.0, 200.0))
def test_ips_is_the_sum_rounded_to_ten_thirds(shift: float) -> None:
    matrix = ips_matrix()
    matrix.loc[0, ["B2M", "TAP1"]] += shift
    scores = as_table(scored(matrix, "ips", "ips_az"))
    expected = np.clip(np.round(scores["ips_az"] * 10 / 3), 0, 10)
    np.testing.assert_array_equal(scores["ips"], expected)
    assert not np.signbit(scores["ips"]).any()


def test_ips_is_not_evaluable_on_a_panel() -> None:
    scores = scored(ips_matrix(MIN_GENES - 1), "ips_az", "ips", "ips_mhc")
    assert np.isnan(scores.values).all()
    assert {in_english(skip.reason) for skip in scores.skipped} == {
        "z over all genes needs at least 10,000 of them, 9,999 are measured"
    }


def test_ips_is_not_evaluable_without_one_factor() -> None:
    scores = scored(ips_matrix().rename(columns={"B2M": "NOT_B2M"}), "ips_mhc", "ips_az", "ips_ec")
    assert np.isnan(scores.values[:, :2]).all()
    assert np.isfinite(scores.values[:, 2]).all()
    assert (
        in_english(scores.skipped[0].reason)
        == "less than a fraction of 0.7 of the genes of a factor is measured"
    )


def test_ips_takes_a_factor_with_just_enough_genes() -> None:
    treg = [gene.gene_symbol for gene in load_published().score("ips_sc").genes if gene.role == "Treg"]
    enough = ips_matrix(MIN_GENES + 20).drop(columns=treg[:6])
    assert np.isfinite(as_table(scored(enough, "ips_az"))["ips_az"]).all()
    assert np.isnan(as_table(scored(enough.drop(columns=treg[6]), "ips_az"))["ips_az"]).all()


def test_ips_is_not_evaluable_in_a_sample_without_spread() -> None:
    matrix = ips_matrix()
    matrix.loc[0] = 3.0
    assert np.isnan(as_table(scored(matrix, "ips_az"))["ips_az"][0])


def test_impres_counts_pairs_strictly_above() -> None:
    genes = {gene.gene_symbol for gene in load_published().score("impres15").genes}
    matrix = pd.DataFrame(1.0, index=[0, 1], columns=sorted(genes))
    matrix.loc[1, "VSIR"] = 0.5
    assert as_table(scored(matrix, "impres15"))["impres15"].tolist() == [0.0, 1.0]


def test_impres_needs_all_pairs() -> None:
    genes = {gene.gene_symbol for gene in load_published().score("impres15").genes} - {"CD200"}
    scores = scored(pd.DataFrame(1.0, index=[0], columns=sorted(genes)), "impres15", min_coverage=0.1)
    assert np.isnan(scores.values).all()
    assert scores.coverage[0, 0] == pytest.approx(14 / 15)
    assert in_english(scores.skipped[0].reason) == "at most 14 of 15 pairs measured; needs all"
