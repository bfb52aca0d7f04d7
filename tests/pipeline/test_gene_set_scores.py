"""Any gene sets by every method, from cohorts and from AnnData, dense and sparse."""

from __future__ import annotations

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
        ({"min_coverage": 0.0}, UsageError, "min_coverage"),
        ({"sets": {"empty": []}}, GeneSetInvalidError, "^gene_sets: gene set empty: no gene"),
    ],
)
def test_score_gene_sets_refuses_in_one_line(
    options: dict[str, Any], error: type[Exception], said: str, demo_tpm: pd.DataFrame
) -> None:
    cohort = es.from_dataframe(demo_tpm.iloc[:2, :2000], units="tpm")
    with pytest.raises(error, match=said):
        es.score_gene_sets(cohort, options.pop("sets", SETS), **options)
