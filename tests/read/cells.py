"""Small matrices that look like single cells, and bulk that shares one sign with them."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path

import anndata as ad
import h5py
import numpy as np
import pandas as pd
import scipy.sparse as sp

from escape_score.genes import load_gene_table

N_CELLS, N_GENES = 60, 300


def barcodes(n: int = N_CELLS, *, seed: int = 1) -> list[str]:
    letters = np.random.default_rng(seed).choice(list("ACGT"), (n, 16))
    return [f"{''.join(row)}-1" for row in letters]


def make_cells(
    names: list[str] | None = None, *, n: int = N_CELLS, n_genes: int = N_GENES, mean: float = 0.2
) -> pd.DataFrame:
    """Cells × genes: UMI counts, most of them 0."""
    values = np.random.default_rng(2).poisson(mean, (n, n_genes)).astype(float)
    values[:, 0] = 1.0
    return pd.DataFrame(
        values, index=names or barcodes(n), columns=sorted(load_gene_table().current)[:n_genes]
    )


def make_obs(
    index: pd.Index, *, n_samples: int = 3, n_types: int = 2, sample: str = "sample"
) -> pd.DataFrame:
    at = np.arange(len(index))
    samples = pd.Categorical([f"P{number}" for number in at % n_samples])
    types = [f"type {number}" for number in at // n_samples % n_types]
    return pd.DataFrame({sample: samples, "cell_type": types}, index=index)


def adata_of(
    cells: pd.DataFrame,
    obs: pd.DataFrame | None = None,
    kind: Callable[[np.ndarray], object] = sp.csr_matrix,
) -> ad.AnnData:
    described = pd.DataFrame(index=cells.index) if obs is None else obs
    return ad.AnnData(X=kind(cells.to_numpy()), obs=described, var=pd.DataFrame(index=cells.columns))


def write_h5ad(
    path: Path,
    cells: pd.DataFrame,
    obs: pd.DataFrame | None = None,
    kind: Callable[[np.ndarray], object] = sp.csr_matrix,
) -> Path:
    adata_of(cells, obs, kind).write_h5ad(path)
    return path


def write_zarr(
    path: Path, adata: ad.AnnData, *, version: int = 3, chunks: tuple[int, ...] | None = None
) -> Path:
    """Write a store of zarr format 2 or 3; warnings about what is not yet in format 3 do not matter."""
    with ad.settings.override(zarr_write_format=version, auto_shard_zarr_v3=False), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        adata.write_zarr(path, chunks=chunks)
    return path


def write_tenx_h5(path: Path, cells: pd.DataFrame) -> Path:
    values = sp.csr_matrix(cells.to_numpy())
    with h5py.File(path, "w") as file:
        group = file.create_group("matrix")
        group["barcodes"] = np.array(list(cells.index), dtype="S")
        group["shape"] = np.array(cells.shape[::-1])
        for name in ("data", "indices", "indptr"):
            group[name] = getattr(values, name).astype(int)
        symbols = np.array(list(cells.columns), dtype="S")
        group["features/id"], group["features/name"] = symbols, symbols
        group["features/feature_type"] = np.array(["Gene Expression"] * cells.shape[1], dtype="S")
    return path


def write_mtx(folder: Path, cells: pd.DataFrame) -> Path:
    folder.mkdir()
    values = cells.to_numpy()
    genes, rows = values.T.nonzero()
    entries = [f"{g + 1} {c + 1} {values[c, g]:.0f}" for g, c in zip(genes, rows, strict=True)]
    sizes = f"{cells.shape[1]} {cells.shape[0]} {len(entries)}"
    head = ["%%MatrixMarket matrix coordinate integer general", sizes]
    (folder / "matrix.mtx").write_text("\n".join([*head, *entries]) + "\n")
    (folder / "barcodes.tsv").write_text("".join(f"{name}\n" for name in cells.index))
    lines = (f"{name}\t{name}\tGene Expression\n" for name in map(str, cells.columns))
    (folder / "features.tsv").write_text("".join(lines))
    return folder


def write_loom(path: Path, cells: pd.DataFrame, obs: pd.DataFrame | None = None) -> Path:
    with h5py.File(path, "w") as file:
        file["matrix"] = cells.to_numpy().T
        file["row_attrs/Gene"] = np.array(list(cells.columns), dtype="S")
        file["col_attrs/CellID"] = np.array(list(cells.index), dtype="S")
        for name, column in ({} if obs is None else dict(obs.items())).items():
            file[f"col_attrs/{name}"] = np.array(column.astype(str).to_list(), dtype="S")
    return path


def write_tsv(path: Path, cells: pd.DataFrame) -> Path:
    cells.T.rename_axis("gene").to_csv(path, sep="\t")
    return path
