"""The same cells from every format, order of rows, order of genes and size of block; sums as of numpy."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import anndata as ad
import h5py
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.cells.simulated import simulated_cells
from tests.read.cells import write_mtx, write_tenx_h5

from escape_score.config.models import CellsConfig
from escape_score.errors import SampleUnknownError
from escape_score.model.cells import CellSample
from escape_score.model.notes import Code, Severity
from escape_score.read.cells import (
    CellRequest,
    cells_from_anndata,
    list_cells,
    open_cells,
    spill,
    too_few,
)
from escape_score.read.formats import turned

N_GENES = 300
BY_SAMPLE = CellRequest(sample_column="sample", patient_column="patient", cell_type_column="cell_type")
LOOSE = CellsConfig(min_umi=0, min_genes=0, max_mitochondrial=1.0)


@pytest.fixture(scope="module")
def cells() -> ad.AnnData:
    return simulated_cells(3, 60, N_GENES, seed=2, depth=600)


def dense(adata: ad.AnnData) -> np.ndarray:
    return np.asarray(adata.X.todense())


def same(one: CellSample, two: CellSample) -> None:
    assert (one.sample_id, one.patient_id, one.gene_symbols) == (
        two.sample_id,
        two.patient_id,
        two.gene_symbols,
    )
    assert (one.gates, one.flags, one.is_umi) == (two.gates, two.flags, two.is_umi)
    np.testing.assert_array_equal(one.cell_ids, two.cell_ids)
    np.testing.assert_array_equal(one.counts.toarray(), two.counts.toarray())
    assert one.counts.dtype == two.counts.dtype
    assert one.counts.has_canonical_format
    assert (one.given_types is None) == (two.given_types is None)
    if one.given_types is not None and two.given_types is not None:
        np.testing.assert_array_equal(one.given_types, two.given_types)


def expected(adata: ad.AnnData, sample: str) -> CellSample:
    with cells_from_anndata(adata, sample="sample", patient="patient", cell_type="cell_type") as found:
        return found.load(sample)


def with_x(adata: ad.AnnData, x: object) -> ad.AnnData:
    return ad.AnnData(x, obs=adata.obs, var=adata.var)


STORED: dict[str, Callable[[np.ndarray], object]] = {
    "dense": lambda x: x,
    "dense integers": lambda x: x.astype(np.int64),
    "csr": sp.csr_matrix,
    "csc": sp.csc_matrix,
    "csr of float64": lambda x: sp.csr_matrix(x.astype(np.float64)),
    "csr with zeros": lambda x: sp.csr_matrix(
        (np.r_[x.ravel()], np.tile(np.arange(x.shape[1]), len(x)), np.arange(len(x) + 1) * x.shape[1]),
        shape=x.shape,
    ),
}


@pytest.mark.parametrize("stored", STORED)
@pytest.mark.parametrize("is_mixed", [False, True])
def test_cells_do_not_depend_on_storage_or_order(
    cells: ad.AnnData, stored: str, is_mixed: bool, tmp_path: Path
) -> None:
    order = np.argsort(np.arange(cells.n_obs) % 60, kind="stable") if is_mixed else np.arange(cells.n_obs)
    with_x(cells[order], STORED[stored](dense(cells)[order])).write_h5ad(tmp_path / "c.h5ad")
    with open_cells(tmp_path / "c.h5ad", BY_SAMPLE) as found:
        assert found.sample_ids == ("S1", "S2", "S3")
        for sample in found.sample_ids:
            same(found.load(sample), expected(cells, sample))
            same(found.load(sample, is_only=True), expected(cells, sample))


@pytest.mark.parametrize("write", [write_tenx_h5, write_mtx])
def test_files_of_10x_hold_the_same_cells(
    cells: ad.AnnData, write: Callable[[Path, pd.DataFrame], Path], tmp_path: Path
) -> None:
    for sample in ("S2", "S1"):
        own = cells[cells.obs["sample"] == sample]
        write(tmp_path / sample, pd.DataFrame(dense(own), index=own.obs_names, columns=own.var_names))
    found = open_cells([tmp_path / "S2", tmp_path / "S1"])
    assert found.sample_ids == ("S2", "S1")
    for sample in found.sample_ids:
        one, two = found.load(sample), expected(cells, sample)
        np.testing.assert_array_equal(one.counts.toarray(), two.counts.toarray())
        assert (one.gates, one.patient_id, one.given_types) == (two.gates, sample, None)


def test_entries_in_any_order_and_packed_give_the_same(cells: ad.AnnData, tmp_path: Path) -> None:
    own = cells[:60]
    folder = write_mtx(tmp_path / "A", pd.DataFrame(dense(own), index=own.obs_names, columns=own.var_names))
    first = open_cells(folder).load("A")
    kind, sizes, *entries = (folder / "matrix.mtx").read_text().splitlines()
    np.random.default_rng(1).shuffle(entries)
    text = "\n".join([kind, sizes, *entries]) + "\n"
    (folder / "matrix.mtx").unlink()
    (folder / "matrix.mtx.gz").write_bytes(gzip.compress(text.encode()))
    same(open_cells(folder).load("A"), first)


@settings(max_examples=8, deadline=None)
@given(size=st.integers(1, 40_000), seed=st.integers(0, 9), n_samples=st.integers(1, 6))
def test_cells_do_not_depend_on_blocks(
    size: int, seed: int, n_samples: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    rng = np.random.default_rng(seed)
    path = tmp_path_factory.mktemp("blocks") / "c.h5ad"
    adata = simulated_cells(1, 50, 250, seed=seed, depth=400)
    adata.obs["sample"] = [f"S{n}" for n in rng.integers(0, n_samples, adata.n_obs)]
    adata.write_h5ad(path)
    with pytest.MonkeyPatch.context() as patch:
        whole = [
            open_cells(path, CellRequest(sample_column="sample")).load(s)
            for s in dict.fromkeys(adata.obs["sample"])
        ]
        for name in ("MAX_STORED", "MAX_DENSE"):
            patch.setattr(spill, name, size)
        patch.setattr(turned, "MAX_STORED", size)
        found = open_cells(path, CellRequest(sample_column="sample"))
        for one in whole:
            same(found.load(one.sample_id), one)
            same(found.load(one.sample_id, is_only=True), one)
    assert sum(one.gates.n_read for one in whole) == adata.n_obs


def test_sums_are_those_of_numpy_and_genes_keep_the_order_of_the_file(cells: ad.AnnData) -> None:
    order = np.random.default_rng(3).permutation(cells.n_vars)
    shuffled = cells[:, order]
    with cells_from_anndata(shuffled, sample="sample", gates=LOOSE) as found:
        for sample in found.sample_ids:
            own = dense(shuffled[shuffled.obs["sample"] == sample])
            one = found.load(sample)
            assert one.gene_symbols == tuple(shuffled.var_names)
            np.testing.assert_array_equal(one.n_umi, own.sum(axis=1))
            np.testing.assert_array_equal(np.asarray(one.counts.sum(axis=0)).ravel(), own.sum(axis=0))


def test_names_of_one_gene_are_added_up_and_names_of_none_left_out(cells: ad.AnnData) -> None:
    x = dense(cells)
    names = list(cells.var_names)
    b2m, cd8a = names.index("B2M"), names.index("CD8A")
    # two more columns of B2M (by id, and by id with a version), one of an old symbol, one of no gene
    more = np.column_stack([x, x[:, b2m], 2 * x[:, b2m], x[:, cd8a], np.full(len(x), 7)])
    named = [*names, "ENSG00000166710", "ENSG00000166710.22", "CD8", "SUM_OF_ALL"]
    for order in (np.arange(len(named)), np.random.default_rng(1).permutation(len(named))):
        adata = ad.AnnData(
            sp.csr_matrix(more[:, order]), obs=cells.obs, var=pd.DataFrame(index=[named[at] for at in order])
        )
        one = cells_from_anndata(adata, sample="sample", gates=LOOSE).load("S2")
        own = x[(cells.obs["sample"] == "S2").to_numpy()]
        at = {symbol: column for column, symbol in enumerate(one.gene_symbols)}
        counts = one.counts.toarray()
        np.testing.assert_array_equal(counts[:, at["B2M"]], 4 * own[:, b2m])
        np.testing.assert_array_equal(counts[:, at["CD8A"]], 2 * own[:, cd8a])
        assert len(one.gene_symbols) == len(names)
        codes = {flag.code for flag in one.flags}
        assert {Code.UNKNOWN_GENES, Code.DUPLICATE_GENES_AFTER_MAPPING, Code.RENAMED_SYMBOLS} <= codes


def test_ids_with_symbols_in_a_column_are_read(cells: ad.AnnData) -> None:
    var = pd.DataFrame(
        {"feature_name": list(cells.var_names)}, index=[f"f{at}" for at in range(cells.n_vars)]
    )
    adata = ad.AnnData(cells.X, obs=cells.obs, var=var)
    same(expected(adata, "S1"), expected(cells, "S1"))


def test_gates_count_each_cell_once(cells: ad.AnnData) -> None:
    own = dense(cells[cells.obs["sample"] == "S1"])
    is_mt = cells.var_names.str.startswith("MT-")
    share = own[:, is_mt].sum(axis=1) / own.sum(axis=1)
    gates = CellsConfig(
        min_umi=int(np.median(own.sum(axis=1))),
        min_genes=int(np.quantile((own > 0).sum(axis=1), 0.6)),
        max_mitochondrial=float(np.quantile(share, 0.7)),
        min_cells=30,
    )
    one = cells_from_anndata(cells, sample="sample", gates=gates).load("S1")
    few_umi = own.sum(axis=1) < gates.min_umi
    few_genes = ~few_umi & ((own > 0).sum(axis=1) < gates.min_genes)
    high = ~few_umi & ~few_genes & (share > gates.max_mitochondrial)
    assert vars(one.gates) == {
        "n_read": 60,
        "n_few_umi": few_umi.sum(),
        "n_few_genes": few_genes.sum(),
        "n_mitochondrial": high.sum(),
    }
    assert one.n_cells == one.gates.n_kept == 60 - (few_umi | few_genes | high).sum()
    assert Code.MOST_CELLS_GATED in {flag.code for flag in one.flags}
    few = too_few(one, gates)
    assert few is not None
    assert (few.severity, dict(few.params)) == (
        Severity.ERROR,
        {"n": one.n_cells, "least": 30, "n_read": 60},
    )
    assert too_few(one, gates.model_copy(update={"min_cells": one.n_cells})) is None


def test_a_sample_without_cells_that_pass_is_loaded(cells: ad.AnnData, tmp_path: Path) -> None:
    cells.write_h5ad(tmp_path / "c.h5ad")
    request = CellRequest(sample_column="sample", gates=CellsConfig(min_umi=100_000))
    for source in (
        open_cells(tmp_path / "c.h5ad", request),
        cells_from_anndata(cells, sample="sample", gates=request.gates),
    ):
        one = source.load("S3")
        assert (one.n_cells, one.gates.n_few_umi, one.counts.shape[1]) == (0, 60, N_GENES)


def test_samples_patients_and_columns_constant_in_a_sample_are_records(cells: ad.AnnData) -> None:
    adata = cells.copy()
    samples = adata.obs["sample"].astype(str)
    adata.obs["sample"] = pd.Categorical([f" {s} " if at % 2 else s for at, s in enumerate(samples)])
    adata.obs["patient"] = np.where(samples == "S3", 2.0, 1.0)
    adata.obs["timepoint"] = np.where(samples == "S1", "before", "after")
    adata.obs["response"] = np.where(samples == "S3", "PD", "CR")
    adata.obs["purity"] = np.linspace(0, 1, adata.n_obs)
    found = cells_from_anndata(adata, sample="sample", patient="patient")
    assert found.sample_ids == ("S1", "S2", "S3")
    assert dict(found.patients) == {"1": ("S1", "S2"), "2": ("S3",)}
    assert [one.timepoint for one in found.samples] == ["before", "after", "after"]
    assert [one.response for one in found.samples] == ["R", "R", "NR"]
    assert [one.purity for one in found.samples] == [None] * 3
    assert found.load("S2").patient_id == "1"
    assert (found.sha256, found.n_cells("S1")) == (None, 60)
    with pytest.raises(SampleUnknownError, match="no sample 'S9'"):
        found.load("S9")


def test_listing_reads_no_values(cells: ad.AnnData, tmp_path: Path) -> None:
    cells.write_h5ad(tmp_path / "c.h5ad")
    whole = open_cells(tmp_path / "c.h5ad", BY_SAMPLE).samples
    with h5py.File(tmp_path / "c.h5ad", "a") as file:
        file["X/data"][:] = np.nan
    assert list_cells(tmp_path / "c.h5ad", BY_SAMPLE).samples == whole


def test_data_in_memory_stay_as_they_are(cells: ad.AnnData) -> None:
    adata = cells.copy()
    adata.X.indices[: adata.X.indptr[1]] = adata.X.indices[: adata.X.indptr[1]][::-1].copy()
    adata.X.data[: adata.X.indptr[1]] = adata.X.data[: adata.X.indptr[1]][::-1].copy()
    before = (adata.X.data.copy(), adata.X.indices.copy(), adata.obs.copy())
    same(expected(adata, "S1"), expected(cells, "S1"))
    np.testing.assert_array_equal(adata.X.data, before[0])
    np.testing.assert_array_equal(adata.X.indices, before[1])
    pd.testing.assert_frame_equal(adata.obs, before[2])


def test_backed_data_are_read(cells: ad.AnnData, tmp_path: Path) -> None:
    cells[np.argsort(np.arange(cells.n_obs) % 60, kind="stable")].write_h5ad(tmp_path / "c.h5ad")
    backed = ad.read_h5ad(tmp_path / "c.h5ad", backed="r")
    same(expected(backed, "S3"), expected(cells, "S3"))
    backed.file.close()


def test_layer_and_raw_are_read(cells: ad.AnnData, tmp_path: Path) -> None:
    adata = cells.copy()
    adata.layers["counts"], adata.raw = adata.X.copy(), cells
    adata.X = adata.X.log1p()
    adata = adata[:, : N_GENES - 20].copy()
    adata.write_h5ad(tmp_path / "c.h5ad")
    for layer, n_genes in (("counts", N_GENES - 20), ("raw", N_GENES)):
        request = CellRequest(sample_column="sample", layer=layer)
        one = open_cells(tmp_path / "c.h5ad", request).load("S1")
        assert len(one.gene_symbols) == n_genes
        same(cells_from_anndata(adata, sample="sample", layer=layer).load("S1"), one)


def test_temporary_files_are_removed(cells: ad.AnnData, tmp_path: Path) -> None:
    mixed = cells[np.argsort(np.arange(cells.n_obs) % 60, kind="stable")]
    mixed.write_h5ad(tmp_path / "c.h5ad")
    folder = tmp_path / "scratch"
    folder.mkdir()
    with open_cells(tmp_path / "c.h5ad", BY_SAMPLE, spill_folder=folder) as found:
        found.load("S1", is_only=True)
        assert list(folder.iterdir()) == []
        one = found.load("S1")
        assert list(folder.rglob("*.bin"))
    assert list(folder.iterdir()) == []
    same(found.load("S1"), one)
    found.close()


def test_full_length_reads_and_estimated_counts_are_not_molecules(cells: ad.AnnData) -> None:
    deep = cells_from_anndata(with_x(cells, cells.X * 1_000), sample="sample").load("S1")
    x = cells.X.copy()
    x.data[::4] += 0.25
    estimated = cells_from_anndata(with_x(cells, x), sample="sample").load("S1")
    kinds = [
        [flag.kind for flag in one.flags if flag.code is Code.FULL_LENGTH_READS] for one in (deep, estimated)
    ]
    assert kinds == [["deep"], ["estimated"]]
    assert not deep.is_umi
    assert not estimated.is_umi
    assert expected(cells, "S1").is_umi
    assert estimated.counts.sum() == x[:60].sum()


def test_other_features_are_left_out_and_flagged(cells: ad.AnnData) -> None:
    x = sp.csr_matrix(np.hstack([dense(cells), np.full((cells.n_obs, 2), 99)]))
    kinds = ["Gene Expression"] * cells.n_vars + ["Antibody Capture"] * 2
    var = pd.DataFrame({"feature_types": kinds}, index=[*cells.var_names, "CD86", "anti-CD8"])
    one = cells_from_anndata(ad.AnnData(x, obs=cells.obs, var=var), sample="sample").load("S1")
    np.testing.assert_array_equal(one.counts.toarray(), expected(cells, "S1").counts.toarray())
    (flag,) = (flag for flag in one.flags if flag.code is Code.FEATURES_LEFT_OUT)
    assert dict(flag.params) == {"n": 2, "kinds": ("Antibody Capture",)}


def test_panels_and_files_without_mitochondrial_genes_are_flagged(cells: ad.AnnData) -> None:
    no_mt = cells[:, ~cells.var_names.str.startswith("MT-")]
    codes = {flag.code for flag in expected(no_mt, "S1").flags}
    assert {Code.TARGETED_PANEL, Code.NO_MITOCHONDRIAL_GENES} <= codes
    assert Code.NO_MITOCHONDRIAL_GENES not in {flag.code for flag in expected(cells, "S1").flags}
