"""zarr stores of AnnData: the cohort of the same h5ad, read chunk by chunk, and what is refused."""

from __future__ import annotations

import json
import os
import shutil
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anndata as ad
import numpy as np
import pandas as pd
import pytest
import zarr
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from tests.read.cells import adata_of, make_cells, make_obs, write_zarr

import escape_score as es
from escape_score.cli import main
from escape_score.errors import FileUnreadableError, InputError, MatrixInvalidError, SingleCellsError
from escape_score.genes import load_gene_table
from escape_score.model.cohort import iter_blocks
from escape_score.read import ReadRequest, count_samples, list_parts
from escape_score.read.cells.matrices import READABLE
from escape_score.read.files.limits import ReadLimits
from escape_score.read.formats import FORMATS
from escape_score.read.formats.zarr import ZARR
from escape_score.read.request import DEFAULT_REQUEST

Kind = Callable[[np.ndarray], Any]
Change = Callable[[Path], None]

N_SAMPLES, N_GENES, ROWS_A_CHUNK = 23, 300, 5


def make_adata(kind: Kind = np.asarray) -> ad.AnnData:
    genes = sorted(load_gene_table().current)[:N_GENES]
    values = np.random.default_rng(1).lognormal(2, 2, (N_SAMPLES, N_GENES)).round(3)
    values[values < 1] = 0
    obs = pd.DataFrame(index=[f"S{number}" for number in range(N_SAMPLES)])
    return ad.AnnData(kind(values), obs=obs, var=pd.DataFrame(index=genes))


def editable(path: Path) -> Any:  # noqa: ANN401
    """A store as zarr itself opens it."""
    return zarr.open_group(path, mode="a", use_consolidated=False)


@pytest.fixture(scope="module")
def dense(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Chunks of 5 samples and 100 genes."""
    return write_zarr(tmp_path_factory.mktemp("dense") / "m.zarr", make_adata(), chunks=(ROWS_A_CHUNK, 100))


@pytest.fixture
def store(dense: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(dense, tmp_path / "m.zarr"))


@pytest.mark.parametrize("version", [2, 3])
@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_matrix, sparse.csc_matrix])
def test_a_store_gives_the_cohort_of_the_same_h5ad(tmp_path: Path, version: int, kind: Kind) -> None:
    adata = make_adata(kind)
    adata.write_h5ad(tmp_path / "m.h5ad")
    one = es.read(write_zarr(tmp_path / "m.zarr", adata, version=version), units="fpkm")
    other = es.read(tmp_path / "m.h5ad", units="fpkm")
    for attribute in ("name", "sample_ids", "unit", "flags", "samples"):
        assert getattr(one, attribute) == getattr(other, attribute)
    assert one.source.gene_ids == other.source.gene_ids
    blocks = [cohort.source.block(0, N_SAMPLES) for cohort in (one, other)]
    assert blocks[0].tobytes() == blocks[1].tobytes()
    assert one.totals.linear_total.tobytes() == other.totals.linear_total.tobytes()


@pytest.mark.parametrize("layer", ["dense", "sparse"])
def test_a_layer_is_read_as_of_h5ad(tmp_path: Path, layer: str) -> None:
    adata = make_adata()
    adata.layers["dense"], adata.layers["sparse"] = 2 * adata.X, sparse.csr_matrix(3 * adata.X)
    path = write_zarr(tmp_path / "m.zarr", adata)
    source = ZARR.open_matrix(path, ReadRequest(layer=layer)).source
    assert np.array_equal(source.block(0, 4), {"dense": 2, "sparse": 3}[layer] * adata.X[:4])
    with pytest.raises(MatrixInvalidError, match=r"no layer 'x' \(layers: 'dense', 'sparse'\).*--layer"):
        ZARR.open_matrix(path, ReadRequest(layer="x"))
    adata.X = None
    without = write_zarr(tmp_path / "without.zarr", adata)
    with pytest.raises(MatrixInvalidError, match=r"X is empty \(layers: .*--layer"):
        ZARR.open_matrix(without, DEFAULT_REQUEST)
    assert ZARR.open_matrix(without, ReadRequest(layer=layer)).source.block(0, 1).any()


def test_other_matrices_of_a_store_are_named(tmp_path: Path) -> None:
    adata = make_adata()
    assert ZARR.open_matrix(write_zarr(tmp_path / "a", adata), DEFAULT_REQUEST).remedy == ""
    adata.raw = adata
    adata.layers["tpm"] = adata.X
    remedy = ZARR.open_matrix(write_zarr(tmp_path / "b", adata), DEFAULT_REQUEST).remedy
    assert "(raw, layers['tpm'])" in remedy


@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_matrix])
def test_a_store_with_samples_in_var_is_turned(tmp_path: Path, kind: Kind) -> None:
    adata = make_adata(kind)
    turned = adata.T.copy()
    turned.X = kind(make_adata().X.T)
    path = write_zarr(tmp_path / "m.zarr", turned)
    request = ReadRequest(transpose=True)
    source = ZARR.open_matrix(path, request).source
    assert source.block(2, 9).tobytes() == make_adata().X[2:9].tobytes()
    assert count_samples(path, request=request) == N_SAMPLES


@pytest.mark.parametrize("kind", [pd.Categorical, pd.arrays.StringArray])
def test_names_of_any_type_are_read(tmp_path: Path, kind: Callable[[object], object]) -> None:
    """anndata itself writes names as text; others write categories or text that may be missing."""
    path = write_zarr(tmp_path / "m.zarr", make_adata())
    wanted = make_adata().var_names.tolist()
    group = editable(path)
    with ad.settings.override(
        zarr_write_format=3, auto_shard_zarr_v3=False, allow_write_nullable_strings=True
    ):
        ad.io.write_elem(group["var"], "_index", kind(np.array(wanted, dtype=object)))
    assert ZARR.open_matrix(path, DEFAULT_REQUEST).source.gene_ids == tuple(wanted)


@given(size=st.integers(1, N_SAMPLES + 1))
@settings(max_examples=15, deadline=None)
@pytest.mark.parametrize("kind", ["dense", "sparse"])
def test_blocks_of_any_size_give_the_same_values(
    kind: str, tmp_path_factory: pytest.TempPathFactory, size: int
) -> None:
    path = tmp_path_factory.getbasetemp() / f"{kind}-blocks.zarr"
    made = np.asarray if kind == "dense" else sparse.csr_matrix
    if not path.exists():
        write_zarr(path, make_adata(made), chunks=(ROWS_A_CHUNK, 100) if kind == "dense" else None)
    source = ZARR.open_matrix(path, DEFAULT_REQUEST).source
    found = np.concatenate([block for _, block in iter_blocks(source, size)])
    assert found.tobytes() == make_adata().X.tobytes()


def test_only_chunks_of_the_samples_that_are_asked_for_are_read(store: Path) -> None:
    source = ZARR.open_matrix(store, DEFAULT_REQUEST).source
    for chunk in (store / "X" / "c").glob("*/*"):
        if chunk.parent.name != "1":
            chunk.write_bytes(b"damaged")
    assert source.block(5, 10).tobytes() == make_adata().X[5:10].tobytes()
    with pytest.raises(FileUnreadableError, match="damaged or truncated zarr store"):
        source.block(4, 6)


def test_only_chunks_of_sparse_rows_that_are_asked_for_are_read(tmp_path: Path) -> None:
    x = sparse.csr_matrix(make_adata().X)
    path = write_zarr(tmp_path / "m.zarr", make_adata(sparse.csr_matrix))
    group = editable(path)
    for name in ("data", "indices"):
        values = getattr(x, name)
        group["X"].create_array(name, data=values, chunks=(100,), overwrite=True)
    source = ZARR.open_matrix(path, DEFAULT_REQUEST).source
    last = x.indptr[3] // 100
    for name in ("data", "indices"):
        for chunk in (path / "X" / name / "c").iterdir():
            if int(chunk.name) > last:
                chunk.write_bytes(b"damaged")
    assert source.block(0, 3).tobytes() == make_adata().X[:3].tobytes()
    with pytest.raises(FileUnreadableError, match="zarr store"):
        source.block(0, N_SAMPLES)


def test_a_store_in_shards_is_read(tmp_path: Path) -> None:
    path = write_zarr(tmp_path / "m.zarr", make_adata())
    group = editable(path)
    attributes, values = dict(group["X"].attrs), make_adata().X
    del group["X"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        group.create_array("X", data=values, chunks=(5, 50), shards=(10, 100), attributes=attributes)
    source = ZARR.open_matrix(path, DEFAULT_REQUEST).source
    assert source.block(7, 12).tobytes() == values[7:12].tobytes()
    (path / "X/c/1/1").unlink()
    with pytest.raises(FileUnreadableError, match=r"without chunk X/c/1/1"):
        ZARR.open_matrix(path, DEFAULT_REQUEST)


def test_the_digest_and_the_parts_are_of_all_files(store: Path) -> None:
    parts = list_parts(store)
    assert set(parts) == {path for path in store.rglob("*") if path.is_file()}
    before = es.read(store, units="fpkm").input_sha256
    moved = shutil.copytree(store, store.parent / "elsewhere")
    assert es.read(moved, units="fpkm").input_sha256 == before
    values = editable(store)["X"]
    values[0, 0] += 1
    assert es.read(store, units="fpkm").input_sha256 != before


def test_samples_are_counted_without_reading_values(store: Path) -> None:
    shutil.rmtree(store / "X" / "c")
    assert count_samples(store) == N_SAMPLES
    with pytest.raises(MatrixInvalidError, match=r"too large \(23 samples by 300 genes\)"):
        count_samples(store, request=ReadRequest(limits=ReadLimits(max_samples=5)))
    with pytest.raises(InputError, match=r"too large \(\d+ bytes\).*read.max_file_mb"):
        count_samples(store, request=ReadRequest(limits=ReadLimits(max_file_bytes=1000)))


# --- what is refused ----------------------------------------------------------------------------------------


def in_metadata(name: str, change: Callable[[dict[str, Any]], None]) -> Change:
    """Change the metadata of a part."""

    def changed(path: Path) -> None:
        file = path / name / "zarr.json"
        content = json.loads(file.read_text())
        change(content)
        file.write_text(json.dumps(content))

    return changed


def in_file(name: str, content: bytes | None) -> Change:
    """Put other bytes into a file; remove it without any."""

    def changed(path: Path) -> None:
        if content is None:
            (path / name).unlink()
        else:
            (path / name).write_bytes(content)

    return changed


def shape(*sizes: int) -> Change:
    return in_metadata("X", lambda it: it.update(shape=list(sizes)))


def without(name: str) -> Change:
    return lambda path: shutil.rmtree(path / name)


def chunk_of(*sizes: int) -> Change:
    return in_metadata("X", lambda it: it["chunk_grid"]["configuration"].update(chunk_shape=list(sizes)))


def attribute(value: object) -> Change:
    return in_metadata("obs", lambda it: it["attributes"].update(_index=value))


def pipe(path: Path) -> None:
    (path / "X/c/0/0").unlink()
    os.mkfifo(path / "X/c/0/0")


def linked_folder(path: Path) -> None:
    shutil.move(path / "X", path.parent / "X")
    (path / "X").symlink_to(path.parent / "X")


def broken_link(path: Path) -> None:
    (path / "X/c/0/0").unlink()
    (path / "X/c/0/0").symlink_to("nowhere")


def blank_names(path: Path) -> None:
    editable(path)["obs/_index"][:] = ""


def cut(path: Path) -> None:
    chunk = path / "X/c/2/1"
    chunk.write_bytes(chunk.read_bytes()[:-20])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (in_file("X/c/2/1", None), r"without chunk X/c/2/1, which would be read as 0.*write it as h5ad"),
        (in_file("var/_index/c/0", None), r"without chunk var/_index/c/0, .*as no name"),
        (blank_names, r"without chunk obs/_index/c/0"),
        (cut, "damaged or truncated zarr store"),
        (in_file("X/c/2/1", b""), "damaged or truncated zarr store"),
        (in_file("X/zarr.json", b"{"), "damaged or truncated zarr store"),
        (in_file("zarr.json", b"\xff\xfe"), "damaged or truncated zarr store"),
        (in_file("zarr.json", b"[" * 100_000), "damaged or truncated zarr store"),
        (in_file("X/zarr.json", None), "zarr store without X, so no AnnData"),
        (without("var"), "zarr store without var, so no AnnData"),
        (shape(-23, 300), "damaged or truncated zarr store"),
        (shape(24, 300), r"shape \(24, 300\) but there are 23 obs names"),
        (shape(2**70, 300), "too large|zarr store"),
        (shape(20_000, 100_000), r"without chunk X/c/0/3"),
        (in_metadata("obs/_index", lambda it: it.update(shape=[10**14])), r"without chunk obs/_index/c/1"),
        (shape(23), "1 dimensions, not 2|damaged or truncated"),
        (chunk_of(0, 100), "damaged or truncated zarr store"),
        (chunk_of(50_000, 100_000), r"too large once unpacked \(chunk X/c/0/0"),
        (in_metadata("X", lambda it: it.update(data_type="bool", fill_value=False)), "bool, not numbers"),
        (in_metadata("X", lambda it: it.update(codecs=[{"name": "own"}])), "damaged or truncated zarr store"),
        (attribute("no"), "damaged or truncated zarr store"),
        (attribute("../../m.zarr/obs/_index"), "damaged or truncated zarr store"),
        (attribute(["_index"]), "damaged or truncated zarr store"),
        (in_metadata("obs", lambda it: it["attributes"].pop("_index")), "damaged or truncated zarr store"),
        (pipe, "pipe, a device or a linked folder"),
        (linked_folder, "pipe, a device or a linked folder"),
        (broken_link, "cannot be read"),
    ],
)
def test_read_refuses_in_one_line(store: Path, change: Change, said: str) -> None:
    change(store)
    with pytest.raises(InputError, match=said) as caught:
        es.read(store, units="fpkm").source.block(0, N_SAMPLES)
    assert len(caught.value.lines) == 1
    assert caught.value.lines[0].startswith(f"{store}: ")


def put(name: str, values: np.ndarray) -> Change:
    def changed(path: Path) -> None:
        group = editable(path)
        group.create_array(name, data=values, overwrite=True)

    return changed


def change_shape(*sizes: object) -> Change:
    return in_metadata("X", lambda it: it["attributes"].update(shape=sizes))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (in_file("X/indptr/c/0", None), "without chunk X/indptr/c/0"),
        (in_file("X/indices/c/0", None), "without chunk X/indices/c/0"),
        (in_file("X/data/c/0", None), "without chunk X/data/c/0"),
        (without("X/data"), "damaged or truncated zarr store"),
        (put("X/indptr", np.zeros(24, dtype=np.int64) + 1), r"damaged zarr store \(row starts"),
        (
            put("X/indptr", np.ones(9, dtype=np.int64)),
            r"damaged zarr store \(sparse matrix of \d+ cells and 9",
        ),
        (put("X/data", np.ones((9, 2))), "damaged zarr store"),
        (put("X/indices", np.full(5281, 300)), r"damaged zarr store \((X names a gene|row starts)"),
        (change_shape(-23, -300), r"damaged zarr store .*shape \(-23, -300\)"),
        (change_shape(2.5, "x"), "damaged or truncated zarr store"),
        (change_shape(10**30, 300), "too large|there are 23 obs names"),
        (in_metadata("X", lambda it: it["attributes"].update({"encoding-type": "x"})), "sparse of kind 'x'"),
    ],
)
def test_read_refuses_sparse_stores_in_one_line(tmp_path: Path, change: Change, said: str) -> None:
    path = write_zarr(tmp_path / "m.zarr", make_adata(sparse.csr_matrix))
    change(path)
    with pytest.raises(InputError, match=said) as caught:
        es.read(path, units="fpkm").source.block(0, N_SAMPLES)
    assert len(caught.value.lines) == 1


@pytest.mark.parametrize("version", [2, 3])
def test_a_plain_array_is_refused(tmp_path: Path, version: int) -> None:
    zarr.create_array(tmp_path / "m.zarr", data=np.ones((3, 4)), zarr_format=version)  # type: ignore[arg-type]
    with pytest.raises(FileUnreadableError, match="zarr store") as caught:
        es.read(tmp_path / "m.zarr")
    assert len(caught.value.lines) == 1


# --- single cells -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_matrix, sparse.csc_matrix])
@pytest.mark.parametrize("version", [2, 3])
def test_cells_are_refused_with_a_remedy_that_works(tmp_path: Path, kind: Kind, version: int) -> None:
    cells = make_cells()
    path = write_zarr(tmp_path / "cells.zarr", adata_of(cells, make_obs(cells.index), kind), version=version)
    said = r"60 rows look like single cells of 3 samples .*; write them as h5ad and use escape-score cells "
    with pytest.raises(SingleCellsError, match=said + r"FILE\.h5ad --sample-column sample, or --as-samples"):
        es.read(path, limits=ReadLimits(max_samples=5))
    assert len(es.read(path, units="umi", as_samples=True).sample_ids) == 60


def test_cells_of_one_sample_in_a_store_are_recognised(tmp_path: Path) -> None:
    """All codes of a category are 0 then, which zarr does not store."""
    cells = make_cells()
    path = write_zarr(tmp_path / "cells.zarr", adata_of(cells, make_obs(cells.index, n_samples=1, n_types=1)))
    with pytest.raises(SingleCellsError, match="of 1 sample "):
        es.read(path)


def test_the_command_for_cells_names_the_format(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write_zarr(tmp_path / "cells.zarr", adata_of(make_cells()))
    assert main(["cells", str(path), "--out", str(tmp_path / "out")]) == 3
    line = capsys.readouterr().err
    assert f"error: {path}: cells are not read from zarr (AnnData); give h5ad" in line


def test_formats_of_cells_are_those_that_the_command_reads() -> None:
    assert {one.name for one in FORMATS if one.is_of_cells} == set(READABLE)
