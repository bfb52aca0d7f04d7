"""Data in memory: the same cohorts as from files, the same refusals, and nothing given is changed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import anndata as ad
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

import escape_score as es
from escape_score.errors import (
    InputFaultsError,
    MatrixInvalidError,
    SampleSheetInvalidError,
    UnitContradictedError,
    UsageError,
)
from escape_score.model.cohort import Cohort

Make = Callable[[], Any]


@pytest.fixture
def tpm(demo_tpm: pd.DataFrame) -> pd.DataFrame:
    """Four tumours × 3,000 genes, none measured by halves."""
    return demo_tpm.iloc[:4, :3000].copy()


def adata_of(tpm: pd.DataFrame, values: Any = None) -> ad.AnnData:  # noqa: ANN401
    held = tpm.to_numpy() if values is None else values
    return ad.AnnData(X=held, obs=pd.DataFrame(index=tpm.index), var=pd.DataFrame(index=tpm.columns))


def content(cohort: Cohort) -> tuple[object, ...]:
    block = cohort.source.block(0, len(cohort.sample_ids))
    return cohort.sample_ids, cohort.source.gene_ids, block.tobytes(), cohort.unit.unit, cohort.samples


WAYS: dict[str, Callable[[pd.DataFrame], Cohort]] = {
    "genes × samples": lambda tpm: es.from_dataframe(tpm.T, units="tpm"),
    "samples × genes": lambda tpm: es.from_dataframe(tpm, units="tpm"),
    "dense": lambda tpm: es.from_anndata(adata_of(tpm), units="tpm"),
    "csr": lambda tpm: es.from_anndata(adata_of(tpm, sp.csr_matrix(tpm.to_numpy())), units="tpm"),
    "csc array": lambda tpm: es.from_anndata(adata_of(tpm, sp.csc_array(tpm.to_numpy())), units="tpm"),
}


@pytest.mark.parametrize("way", WAYS)
def test_memory_gives_the_cohort_of_a_file(way: str, tpm: pd.DataFrame, tmp_path: Path) -> None:
    tpm.T.rename_axis("gene").to_parquet(tmp_path / "m.parquet")
    of_file, of_memory = es.read(tmp_path / "m.parquet", units="tpm"), WAYS[way](tpm)
    assert content(of_memory) == content(of_file)
    assert of_memory.flags == of_file.flags
    assert (of_file.matrix_sha256, of_memory.input_sha256) == (None, None)
    assert len(of_file.input_sha256 or "") == len(of_memory.matrix_sha256 or "") == 64


def test_digest_of_a_matrix_is_that_of_its_content(tpm: pd.DataFrame) -> None:
    digests = {WAYS[way](tpm).matrix_sha256 for way in WAYS}
    assert len(digests) == 1
    other = tpm + 1e-9
    assert es.from_dataframe(other, units="tpm").matrix_sha256 not in digests
    assert es.from_dataframe(tpm.rename(index={tpm.index[0]: "x"})).matrix_sha256 not in digests


def test_a_layer_and_a_backed_file_are_read(tpm: pd.DataFrame, tmp_path: Path) -> None:
    adata = adata_of(tpm, np.zeros(tpm.shape))
    adata.layers["tpm"] = tpm.to_numpy()
    expected = content(WAYS["dense"](tpm))
    assert content(es.from_anndata(adata, units="tpm", layer="tpm")) == expected
    adata_of(tpm).write_h5ad(tmp_path / "m.h5ad")
    backed = ad.read_h5ad(tmp_path / "m.h5ad", backed="r")
    assert content(es.from_anndata(backed, units="tpm")) == expected


def test_nothing_given_is_changed(tpm: pd.DataFrame) -> None:
    tpm.iloc[0, 5] = np.nan
    frame, adata = tpm.T.copy(), adata_of(tpm)
    before = adata.copy()
    for cohort in (es.from_dataframe(frame, units="tpm"), es.from_anndata(adata, units="tpm")):
        es.profile(cohort).to_anndata()
    pd.testing.assert_frame_equal(frame, tpm.T)
    np.testing.assert_array_equal(adata.X, before.X)
    pd.testing.assert_frame_equal(adata.obs, before.obs)
    pd.testing.assert_frame_equal(adata.var, before.var)


def test_a_sheet_in_memory_is_that_of_a_file(tpm: pd.DataFrame, tmp_path: Path) -> None:
    obs = pd.DataFrame(
        {
            "response": ["R", "NR", None, "PD"],
            "os_days": [10, 20.5, np.nan, 3],
            "os_event": [True, False, 1, 0],
        },
        index=tpm.index,
    )
    obs.rename_axis("sample_id").to_csv(tmp_path / "s.tsv", sep="\t")
    of_file = es.from_dataframe(tpm, samples=tmp_path / "s.tsv").samples
    assert es.from_dataframe(tpm, samples=obs).samples == of_file
    assert es.from_dataframe(tpm, samples=obs.rename_axis("sample_id").reset_index()).samples == of_file
    assert [sample.response for sample in of_file] == ["R", "NR", "", "NR"]


def refusals(tpm: pd.DataFrame) -> dict[str, tuple[Make, type[Exception], str]]:
    """Name of a case to what is done, the error and what its line says."""
    counts_as_names = tpm.T.reset_index(drop=True)
    counts_as_names.index = [str(value) for value in tpm.iloc[0]]
    text = tpm.T.rename_axis("gene").reset_index()
    twice = tpm.rename(index={tpm.index[1]: tpm.index[0]})
    infinite = tpm.copy()
    infinite.iloc[0, 0] = np.inf
    bad_sheet = pd.DataFrame({"sample_id": ["nobody"]})
    levels = tpm.T.set_index([tpm.columns, tpm.columns])
    return {
        "counts as names": (
            lambda: es.from_dataframe(counts_as_names),
            MatrixInvalidError,
            "^frame: no recognisable human gene",
        ),
        "text": (
            lambda: es.from_dataframe(text),
            MatrixInvalidError,
            r"^frame: columns 'gene' hold no numbers; use frame.set_index\('gene'\)",
        ),
        "levels": (lambda: es.from_dataframe(levels), MatrixInvalidError, "^frame: its index has 2 levels"),
        "sample twice": (
            lambda: es.from_dataframe(twice),
            MatrixInvalidError,
            "^frame: duplicate sample names",
        ),
        "infinite": (lambda: es.from_dataframe(infinite), MatrixInvalidError, "^frame: 1 cells are infinite"),
        "other unit": (
            lambda: es.from_dataframe(tpm, units="log2(x+1)"),
            UnitContradictedError,
            "^frame: declared unit",
        ),
        "no unit": (
            lambda: es.from_dataframe(tpm, units="tmp"),
            UsageError,
            "^units: unknown unit 'tmp'; did you mean 'tpm'",
        ),
        "other sheet": (
            lambda: es.from_dataframe(tpm, samples=bad_sheet),
            SampleSheetInvalidError,
            "^samples: no sample_id in common",
        ),
        "no table": (
            lambda: es.from_dataframe([[1.0]]),  # type: ignore[arg-type]
            UsageError,
            "^frame: a list, not a pandas DataFrame",
        ),
        "turned": (
            lambda: es.from_anndata(adata_of(tpm).T),
            MatrixInvalidError,
            "^adata: looks transposed.*give adata.T",
        ),
        "no layer": (
            lambda: es.from_anndata(adata_of(tpm), layer="x"),
            UsageError,
            "^layer: 'x' is not a layer of adata",
        ),
        "no AnnData": (lambda: es.from_anndata(tpm), UsageError, "^adata: a DataFrame"),
        "empty X": (
            lambda: es.from_anndata(adata_of(tpm)[:, :0]),
            MatrixInvalidError,
            "^adata: no gene rows",
        ),
        "path to profile": (
            lambda: es.profile("m.tsv"),  # type: ignore[arg-type]
            UsageError,
            "^data: is of type str; read it with es.read",
        ),
        "no method": (
            lambda: es.profile(es.from_dataframe(tpm), methods=["gsea"]),
            UsageError,
            "^methods: unknown method 'gsea'; did you mean 'ssgsea'",
        ),
    }


CASES = list(refusals(pd.DataFrame(1.0, ["a", "b"], ["CD8A", "B2M"])))


@pytest.mark.parametrize("case", CASES)
def test_memory_is_refused_in_one_line_that_names_the_argument(case: str, tpm: pd.DataFrame) -> None:
    act, error, said = refusals(tpm)[case]
    with pytest.raises(error, match=said) as caught:
        act()
    assert len(caught.value.lines) == 1  # type: ignore[attr-defined]


def test_faults_of_all_inputs_are_raised_together(tpm: pd.DataFrame) -> None:
    cohort = es.from_dataframe(tpm, units="tpm")
    with pytest.raises(InputFaultsError) as caught:
        es.profile(cohort, reference="nope", gene_sets={"empty": [], "CYT": ["GZMA"]}, gene_lengths="no.tsv")
    assert [line.split(":")[0] for line in caught.value.lines] == ["nope", "gene_sets", "no.tsv"]


def test_a_table_gives_the_samples_that_a_file_with_its_columns_gives(
    tpm: pd.DataFrame, tmp_path: Path
) -> None:
    frame = tpm.T.assign(Length=900.0, mean=tpm.mean(), gene_type="protein_coding")
    frame.rename_axis("gene").to_csv(tmp_path / "m.tsv", sep="\t")
    expected = es.read(tmp_path / "m.tsv", units="tpm").sample_ids
    assert es.from_dataframe(frame, units="tpm").sample_ids == expected == tuple(tpm.index)
