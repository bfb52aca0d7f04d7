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

from escape_score.errors import FileUnreadableError, InputError, MatrixInvalidError, UnitAmbiguousError
from escape_score.genes import load_gene_table
from escape_score.read import read_cohort
from escape_score.read.formats.h5ad import H5AD
from escape_score.read.request import DEFAULT_REQUEST

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
    with pytest.raises(InputError, match=r"damaged h5ad|there are 1000000000000 obs names"):
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
