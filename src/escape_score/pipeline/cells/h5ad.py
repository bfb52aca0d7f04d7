"""All cells with their labels as one AnnData file, written sample by sample."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import numpy.typing as npt
import pandas as pd
import scipy.sparse as sp
from anndata.io import write_elem

from escape_score.model.cells import CellSample, positions_in
from escape_score.pipeline.cells.bulk import all_symbols
from escape_score.pipeline.cells.results import CellResults
from escape_score.store.hdf5_output import replacing_hdf5

_CHUNK = 1 << 16
_COMPRESSION = {"compression": "gzip", "compression_opts": 1, "shuffle": True}
_UMAP = ("umap_1", "umap_2")


def write_cells(path: Path, results: CellResults) -> None:
    """Write ``cells.h5ad``: counts of all cells that passed the gates, labels in obs, the map in obsm.

    One sample at a time is in memory. scanpy and cellxgene open the file; a cell that is not on the map has
    NaN as its place.
    """
    symbols = all_symbols(results.patients)
    obs = results.labels_table()
    with replacing_hdf5(path) as output:
        file = output.handle
        file.attrs["encoding-type"], file.attrs["encoding-version"] = "anndata", "0.1.0"
        matrix = _Appended(file.create_group("X"), (len(obs), len(symbols)))
        for sample in results.counts or ():
            matrix.append(_with_genes(sample, symbols))
            output.check_disk()
        matrix.finish()
        write_elem(file, "obs", _described(obs))
        write_elem(file, "var", pd.DataFrame(index=pd.Index(symbols, dtype=object)))
        write_elem(file, "obsm", {"X_umap": obs[[*_UMAP]].to_numpy()} if _UMAP[0] in obs else {})
        for name in ("uns", "layers", "varm", "obsp", "varp"):
            write_elem(file, name, {})


def _described(table: pd.DataFrame) -> pd.DataFrame:
    """Columns of obs; a cell is named by its sample and its barcode, since samples share barcodes."""
    obs = table.drop(columns=[name for name in _UMAP if name in table])
    obs.index = pd.Index(obs["sample_id"] + ":" + obs["cell_id"], dtype=object)
    for name in ("sample_id", "patient_id", "compartment"):
        obs[name] = pd.Categorical(obs[name])
    return obs


def _with_genes(sample: CellSample, symbols: tuple[str, ...]) -> sp.csr_array:
    """Counts over the genes of all samples."""
    if sample.gene_symbols == symbols:
        return sample.counts
    columns = positions_in(symbols, sample.gene_symbols).astype(np.int32)
    counts = sample.counts
    moved = sp.csr_array(
        (counts.data, columns[counts.indices], counts.indptr), shape=(counts.shape[0], len(symbols))
    )
    moved.sort_indices()
    return moved


class _Appended:
    """A sparse matrix of an AnnData file to which rows are added."""

    def __init__(self, group: h5py.Group, shape: tuple[int, int]) -> None:
        self._group, self._ends = group, [np.zeros(1, dtype=np.int64)]
        group.attrs["encoding-type"], group.attrs["encoding-version"] = "csr_matrix", "0.1.0"
        group.attrs["shape"] = shape
        for name, kind in (("data", "f4"), ("indices", "i4")):
            group.create_dataset(
                name, (0,), kind, maxshape=(None,), chunks=(_CHUNK,), track_times=False, **_COMPRESSION
            )

    def append(self, rows: sp.csr_array) -> None:
        """Add rows at the end."""
        self._add("data", rows.data)
        self._add("indices", rows.indices)
        self._ends.append(rows.indptr[1:].astype(np.int64) + self._ends[-1][-1])

    def _add(self, name: str, values: npt.NDArray[np.generic]) -> None:
        dataset = self._group[name]
        start = len(dataset)
        dataset.resize((start + len(values),))
        dataset[start:] = values

    def finish(self) -> None:
        """Write where each row ends."""
        self._group.create_dataset("indptr", data=np.concatenate(self._ends), track_times=False)
