"""Any gene sets by every method, from cohorts and from AnnData, dense and sparse."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anndata as ad
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

import escape_score as es
from escape_score.errors import GeneSetInvalidError, MatrixInvalidError, UsageError
from escape_score.score.methods import METHODS

SETS = {"killing": ["GZMA", "PRF1"], "CYT": ["GZMA", "PRF1", "GZMB", "GZMK", "NKG7", "nobody"]}


def adata_of(values: pd.DataFrame, held: Any = None) -> ad.AnnData:  # noqa: ANN401
    x = values.to_numpy() if held is None else held
    return ad.AnnData(x, obs=pd.DataFrame(index=values.index), var=pd.DataFrame(index=values.columns))


@pytest.mark.parametrize("method", METHODS)
def test_cohort_and_anndata_of_its_values_have_the_same_scores(method: str, demo_tpm: pd.DataFrame) -> None:
    of_cohort = es.score_gene_sets(es.from_dataframe(demo_tpm, units="tpm"), SETS, method=method)
    assert of_cohort.index.tolist() == demo_tpm.index.tolist()
    assert of_cohort.columns.tolist() == list(SETS)
    assert np.isfinite(of_cohort).all(axis=None)
    tpm = demo_tpm.div(demo_tpm.sum(axis=1), axis=0) * 1e6
    log2_tpm = (tpm + 1).apply(np.log2)
    of_anndata = es.score_gene_sets(adata_of(log2_tpm), SETS, method=method)
    pd.testing.assert_frame_equal(of_anndata, of_cohort, rtol=1e-9)


@pytest.mark.parametrize("method", ["ucell", "aucell", "singscore"])
def test_sparse_cells_have_the_scores_of_dense_ones(method: str, demo_tpm: pd.DataFrame) -> None:
    counts = demo_tpm.round().clip(lower=0)
    dense = es.score_gene_sets(adata_of(counts), SETS, method=method)
    for held in (sp.csr_matrix(counts.to_numpy()), sp.csc_array(counts.to_numpy())):
        sparse = es.score_gene_sets(adata_of(counts, held), SETS, method=method)
        pd.testing.assert_frame_equal(sparse, dense, rtol=1e-12)


def test_options_of_a_method_reach_it(demo_tpm: pd.DataFrame) -> None:
    counts = adata_of(demo_tpm.round().iloc[:, :4000].loc[:, lambda t: t.sum() > 0])
    poisson = es.score_gene_sets(counts, {"one": list(counts.var_names[:9])}, method="gsva", kcdf="poisson")
    gaussian = es.score_gene_sets(counts, {"one": list(counts.var_names[:9])}, method="gsva")
    assert not np.allclose(poisson, gaussian)
    cohort = es.from_dataframe(demo_tpm, units="tpm")
    usual, steeper = (es.score_gene_sets(cohort, SETS, alpha=alpha) for alpha in (0.25, 1.0))
    assert not np.allclose(usual, steeper)


def test_a_set_with_few_measured_genes_has_no_score(demo_tpm: pd.DataFrame) -> None:
    cohort = es.from_dataframe(demo_tpm, units="tpm")
    found = es.score_gene_sets(cohort, {"few": ["GZMA", "nobody", "noone"]})  # codespell:ignore
    assert found["few"].isna().all()
    assert es.score_gene_sets(cohort, {"few": ["GZMA", "nobody"]}, min_coverage=0.5)["few"].notna().all()


@pytest.mark.parametrize("method", METHODS)
def test_every_set_is_a_column_and_has_its_reason(
    method: str, demo_tpm: pd.DataFrame, caplog: pytest.LogCaptureFixture
) -> None:
    cohort = es.from_dataframe(demo_tpm, units="tpm")
    sets = {"m": ["XXX"], "killing": SETS["killing"], "k": ["CD8A", "YYY", "ZZZ"]}
    found = es.score_gene_sets(cohort, sets, method=method)
    assert found.columns.tolist() == list(sets)
    assert found["killing"].notna().all()
    assert found[["m", "k"]].isna().all(axis=None)
    assert found.attrs["skipped"] == {
        "m": "No gene of gene set m is known; it is not scored: XXX.",
        "k": "Gene set k is not scored: 1 of 3 genes measured, 3 needed.",
    }
    assert caplog.messages == ["2 of 3 gene sets not scored ('m', 'k'); see frame.attrs[\"skipped\"]"]
    pd.testing.assert_series_equal(
        found["killing"], es.score_gene_sets(cohort, {"killing": SETS["killing"]}, method=method)["killing"]
    )
    nothing = es.score_gene_sets(cohort, {"m": ["XXX"]}, method=method)
    assert nothing.columns.tolist() == ["m"]
    assert nothing["m"].isna().all()
    assert {str(nothing["m"].dtype), str(found["m"].dtype)} == {"float64"}


def test_reasons_survive_what_users_do(demo_tpm: pd.DataFrame, tmp_path: Path) -> None:
    cohort = es.from_dataframe(demo_tpm, units="tpm")
    assert es.score_gene_sets(cohort, SETS).attrs == {"skipped": {}}
    found = es.score_gene_sets(cohort, {"m": ["XXX"], **SETS})
    assert found.head(2).attrs == found.copy().attrs == found[["m"]].attrs == found.attrs
    assert list(found.attrs["skipped"]) == ["m"]
    assert len(pd.concat([found, es.score_gene_sets(cohort, SETS)])) == 2 * len(found)
    assert pd.concat([found, found]).attrs == found.attrs
    found.to_parquet(tmp_path / "a.parquet")
    assert pd.read_parquet(tmp_path / "a.parquet").attrs == found.attrs


def test_options_of_other_data_are_refused(demo_tpm: pd.DataFrame, demo_lengths: Path) -> None:
    with pytest.raises(UsageError, match=r"^gene_lengths: values of an AnnData object are taken as they are"):
        es.score_gene_sets(adata_of(demo_tpm), SETS, gene_lengths=demo_lengths)


def test_reason_says_that_genes_do_not_vary_or_are_too_many(demo_tpm: pd.DataFrame) -> None:
    flat = adata_of(demo_tpm.assign(PRF1=1.0))
    found = es.score_gene_sets(flat, {"killing": ["GZMA", "PRF1"]}, method="zscore")
    assert "1 of 2 genes are measured in all samples compared and vary" in found.attrs["skipped"]["killing"]
    few = adata_of(demo_tpm[["GZMA", "PRF1"]])
    found = es.score_gene_sets(few, {"all": ["GZMA", "PRF1"]})
    assert "2 of the 2 genes measured, too many for the method" in found.attrs["skipped"]["all"]


def test_genes_of_a_set_come_in_the_same_order_in_every_run(demo_tpm: pd.DataFrame) -> None:
    cohort = es.from_dataframe(demo_tpm, units="tpm")
    genes = ["PRF1", "GZMA", "GZMB", "NKG7"]
    listed = es.score_gene_sets(cohort, {"one": sorted(genes)})
    pd.testing.assert_frame_equal(es.score_gene_sets(cohort, {"one": set(genes)}), listed, rtol=0)  # type: ignore[dict-item]


def test_genes_are_matched_by_any_name_and_a_current_name_wins(demo_tpm: pd.DataFrame) -> None:
    renamed = demo_tpm.rename(columns={"GZMA": "ENSG00000145649"})
    expected = es.score_gene_sets(adata_of(demo_tpm), SETS)
    pd.testing.assert_frame_equal(es.score_gene_sets(adata_of(renamed), SETS), expected)
    both = demo_tpm.assign(ENSG00000145649=0.0)
    assert es.score_gene_sets(adata_of(both), SETS).shape == expected.shape
    twice = renamed.assign(**{"ENSG00000145649.1": 1.0})
    with pytest.raises(MatrixInvalidError, match="several columns are one gene \\('GZMA'\\)"):
        es.score_gene_sets(adata_of(twice), SETS)


@pytest.mark.parametrize(
    ("options", "error", "said"),
    [
        (
            {"method": "gsea"},
            UsageError,
            "^method: unknown method 'gsea'; did you mean 'ssgsea'\\? use one of ssgsea",
        ),
        (
            {"alpha": 1.0, "method": "ucell"},
            UsageError,
            "^alpha: ucell has no such option; it takes max_rank",
        ),
        (
            {"method": "gsva", "kcdf": "normal"},
            UsageError,
            "^kcdf: unknown word 'normal'; use one of gaussian, poisson",
        ),
        ({"min_coverage": 0.0}, UsageError, "^min_coverage: input should be greater than 0"),
        ({"min_coverage": "a"}, UsageError, "^min_coverage: input should be a valid number, got 'a'"),
        ({"threads": 1.5}, UsageError, "^threads: input should be a valid integer, got 1.5"),
        ({"method": None}, UsageError, "^method: unknown method 'None'; use one of ssgsea"),
        ({"alpha": "a"}, UsageError, "^alpha: 'a' is of type str; give a number"),
        ({"alpha": -1}, UsageError, "^alpha is -1; give 0 or more"),
        ({"method": "gsva", "tau": -1.0}, UsageError, "^tau is -1.0; give 0 or more"),
        (
            {"method": "gsva", "mx_diff": "no"},
            UsageError,
            "^mx_diff: 'no' is of type str; give True or False",
        ),
        ({"method": "ucell", "max_rank": 1.5}, UsageError, "^max_rank: 1.5 is of type float; give a whole"),
        ({"method": "ucell", "max_rank": True}, UsageError, "^max_rank: True is of type bool; give a whole"),
        ({"layer": "counts"}, UsageError, "^layer: a cohort has no layers"),
        (
            {"sets": {}},
            UsageError,
            "^gene_sets: there is none; give the path of a GMT file, or names of sets",
        ),
        ({"sets": None}, UsageError, "^gene_sets: there is none; give the path of a GMT file"),
        ({"sets": ["CD8A"]}, UsageError, "^gene_sets: is of type list; give the path of a GMT file"),
        (
            {"sets": {"m": "CD8A"}},
            UsageError,
            "^gene_sets: m: 'CD8A' is of type str; give a list of genes, such as {'m': \\['CD8A', 'PRF1'\\]}",
        ),
        ({"sets": {"m": 5}}, UsageError, "^gene_sets: m: 5 is of type int; give a list of genes"),
        ({"sets": {"m": [None]}}, GeneSetInvalidError, "^gene_sets: gene set m: no gene, or an empty one"),
        ({"sets": {5: ["PRF1"], "5": ["GZMA"]}}, GeneSetInvalidError, "^gene_sets: two sets are named '5'"),
        ({"sets": {"empty": []}}, GeneSetInvalidError, "^gene_sets: gene set empty: no gene"),
    ],
)
def test_score_gene_sets_refuses_in_one_line(
    options: dict[str, Any], error: type[Exception], said: str, demo_tpm: pd.DataFrame
) -> None:
    cohort = es.from_dataframe(demo_tpm.iloc[:2, :2000], units="tpm")
    with pytest.raises(error, match=said):
        es.score_gene_sets(cohort, options.pop("sets", SETS), **options)
