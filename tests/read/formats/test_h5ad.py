"""h5ad files that point outside themselves or do not hold what they promise."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import anndata as ad
import h5py
import numpy as np
import pandas as pd
import pytest
from scipy import sparse

import escape_score as es
from escape_score.errors import FileUnreadableError, InputError, MatrixInvalidError, UnitAmbiguousError
from escape_score.genes import load_gene_table
from escape_score.read import read_cohort
from escape_score.read.formats.h5ad import H5AD
from escape_score.read.request import DEFAULT_REQUEST, ReadRequest

GENES = ["CD8A", "B2M", "GZMB"]


@pytest.fixture
def h5ad_path(tmp_path: Path) -> Path:
    path = tmp_path / "m.h5ad"
    values = sparse.csr_matrix(np.array([[1.0, 0.0, 2.0], [0.0, 0.0, 3.0]]))
    ad.AnnData(values, obs=pd.DataFrame(index=["A", "B"]), var=pd.DataFrame(index=GENES)).write_h5ad(path)
    return path


def replace_x(file: h5py.File) -> None:
    del file["X"]


def link_x(file: h5py.File) -> None:
    del file["X"]
    file["X"] = h5py.ExternalLink("other.h5", "/X")


def link_obs_by_detour(file: h5py.File) -> None:
    other = Path(file.filename).with_name("other.h5")
    with h5py.File(other, "w") as target:
        target.create_group("obs")
    del file["obs"]
    file["detour"] = h5py.ExternalLink(str(other), "/obs")
    file["obs"] = h5py.SoftLink("/detour")


def store_x_outside(file: h5py.File) -> None:
    del file["X"]
    outside = str(Path(file.filename).with_name("raw.bin"))
    file.create_dataset("X", shape=(2, 3), dtype="f8", external=[(outside, 0, 48)])


def point_beyond(file: h5py.File) -> None:
    file["X/indices"][0] = 7


def break_row_starts(file: h5py.File) -> None:
    file["X/indptr"][1] = 99


def store_text(file: h5py.File) -> None:
    del file["X"]
    file["X"] = np.array([[b"a"] * 3] * 2)


def drop_gene(file: h5py.File) -> None:
    names = file["var/_index"][:-1]
    del file["var/_index"]
    file["var/_index"] = names


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (replace_x, "without X"),
        (link_x, "link into another file"),
        (link_obs_by_detour, "link into another file"),
        (store_x_outside, "external storage"),
        (point_beyond, "beyond its 3 genes"),
        (break_row_starts, "row starts"),
        (store_text, "not numbers"),
        (drop_gene, "2 var names"),
    ],
)
def test_open_matrix_refuses(h5ad_path: Path, change: Callable[[h5py.File], None], said: str) -> None:
    with h5py.File(h5ad_path, "a") as file:
        change(file)
    with pytest.raises(InputError, match=said):
        H5AD.open_matrix(h5ad_path, DEFAULT_REQUEST).source.block(0, 2)


def test_open_matrix_refuses_huge_shape_without_reading(tmp_path: Path) -> None:
    path = tmp_path / "m.h5ad"
    with h5py.File(path, "w") as file:
        file.create_dataset("X", shape=(100_000, 60_000), dtype="f4", chunks=(1000, 1000))
        file.create_group("obs")
        file.create_group("var")
    with pytest.raises(MatrixInvalidError, match=r"too large \(100000 samples by 60000 genes\)"):
        H5AD.open_matrix(path, DEFAULT_REQUEST)


@pytest.mark.parametrize("member", ["X/data", "X/indptr", "obs/_index"])
def test_open_matrix_refuses_huge_members_without_reading(h5ad_path: Path, member: str) -> None:
    with h5py.File(h5ad_path, "a") as file:
        attributes, kind = dict(file[member].attrs), file[member].dtype
        del file[member]
        file.create_dataset(member, shape=(10**12,), dtype=kind, chunks=(1000,))
        file[member].attrs.update(attributes)
    with pytest.raises(InputError, match=r"damaged HDF5 file|there are 1000000000000 obs names"):
        H5AD.open_matrix(h5ad_path, DEFAULT_REQUEST)


def test_read_cohort_names_other_matrices_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "m.h5ad"
    genes = sorted(load_gene_table().current)[:300]
    counts = np.random.default_rng(1).poisson(20, (5, 300)).astype(float)
    centred = (counts - counts.mean(axis=0)) / counts.std(axis=0)
    data = ad.AnnData(counts, obs=pd.DataFrame(index=list("ABCDE")), var=pd.DataFrame(index=genes))
    data.raw = data
    data.layers["counts"] = counts
    data.X = centred
    data.write_h5ad(path)
    with pytest.raises(UnitAmbiguousError, match=r"z-scored.*raw, layers\['counts'\].* --layer"):
        read_cohort(path, cohort="c")


def test_open_matrix_refuses_other_hdf5(tmp_path: Path) -> None:
    path = tmp_path / "m.h5ad"
    with h5py.File(path, "w") as file:
        file["data"] = [1, 2, 3]
    with pytest.raises(FileUnreadableError, match="without X, obs, var"):
        H5AD.count_samples(path, DEFAULT_REQUEST)


def layered(path: Path) -> Path:
    values = np.array([[1.0, 0.0, 2.0], [0.0, 0.0, 3.0]])
    data = ad.AnnData(values, obs=pd.DataFrame(index=["A", "B"]), var=pd.DataFrame(index=GENES))
    data.layers["twice"], data.layers["sparse"] = 2 * values, sparse.csr_matrix(3 * values)
    data.layers["by gene"] = sparse.csc_matrix(4 * values)
    data.write_h5ad(path)
    return path


@pytest.mark.parametrize(("layer", "factor"), [(None, 1), ("twice", 2), ("sparse", 3), ("by gene", 4)])
def test_open_matrix_reads_the_layer_named(tmp_path: Path, layer: str | None, factor: float) -> None:
    source = H5AD.open_matrix(layered(tmp_path / "m"), ReadRequest(layer=layer)).source
    assert source.block(0, 2).tolist() == [[factor, 0, 2 * factor], [0, 0, 3 * factor]]


def test_open_matrix_names_the_layers(tmp_path: Path) -> None:
    path = layered(tmp_path / "m")
    with pytest.raises(
        MatrixInvalidError, match=r"no layer 'x' \(layers: 'by gene', 'sparse', 'twice'\).*--layer"
    ):
        H5AD.open_matrix(path, ReadRequest(layer="x"))
    with h5py.File(path, "a") as file:
        del file["X"]
    with pytest.raises(MatrixInvalidError, match=r"X is empty \(layers: .*--layer"):
        H5AD.open_matrix(path, DEFAULT_REQUEST)
    source = H5AD.open_matrix(path, ReadRequest(layer="twice")).source
    assert source.block(0, 1).tolist() == [[2, 0, 4]]


@pytest.mark.parametrize("place", ["layers", "layers/twice"])
def test_open_matrix_refuses_a_layer_outside(tmp_path: Path, place: str) -> None:
    path = layered(tmp_path / "m")
    with h5py.File(path, "a") as file:
        del file[place]
        file[place] = h5py.ExternalLink("other.h5", "/X")
    with pytest.raises(InputError, match=r"link into another file|no layer 'twice'"):
        H5AD.open_matrix(path, ReadRequest(layer="twice"))


@pytest.mark.parametrize("column", ["gene_symbols", "gene_name", "feature_name", "symbol"])
@pytest.mark.parametrize("kind", [str, "category"])
@pytest.mark.parametrize("names", [["0", "1", "2"], ["x1", "x2", "x3"]])
def test_genes_are_named_by_symbols_of_var(
    tmp_path: Path, column: str, kind: object, names: list[str]
) -> None:
    symbols = pd.Series(GENES, index=names).astype(kind)  # type: ignore[call-overload]
    var = pd.DataFrame({"other": names, column: symbols}, index=names)
    data = ad.AnnData(np.array([[1.0, 70.0, 2.0]]), obs=pd.DataFrame(index=["A"]), var=var)
    data.write_h5ad(tmp_path / "m")
    assert read_cohort(tmp_path / "m", units="fpkm").source.gene_ids == tuple(GENES)
    assert es.from_anndata(data, units="fpkm").source.gene_ids == tuple(GENES)


def test_genes_keep_ids_that_are_known(tmp_path: Path) -> None:
    names = ["ENSG00000153563", "ENSG00000166710", "ENSG00000100453"]
    var = pd.DataFrame({"gene_symbols": GENES}, index=names)
    data = ad.AnnData(np.array([[1.0, 70.0, 2.0]]), obs=pd.DataFrame(index=["A"]), var=var)
    data.write_h5ad(tmp_path / "m")
    assert read_cohort(tmp_path / "m", units="fpkm").source.gene_ids == tuple(names)
    assert es.from_anndata(data, units="fpkm").source.gene_ids == tuple(names)
