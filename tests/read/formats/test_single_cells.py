"""Single cells in every format: one line, before other faults; declared as samples they are read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from tests.read.cells import (
    adata_of,
    make_cells,
    make_obs,
    write_h5ad,
    write_loom,
    write_mtx,
    write_tenx_h5,
    write_tsv,
)

import escape_score as es
from escape_score.errors import InputError, InputFaultsError, SingleCellsError
from escape_score.read import ReadRequest, count_samples
from escape_score.read.files.limits import ReadLimits

Write = Callable[[Path, pd.DataFrame], Path]

CHEAP: dict[str, Write] = {
    "dense h5ad": lambda path, cells: write_h5ad(path, cells, kind=np.asarray),
    "csr h5ad": write_h5ad,
    "csc h5ad": lambda path, cells: write_h5ad(path, cells, kind=sp.csc_matrix),
    "Cell Ranger HDF5": write_tenx_h5,
    "10x folder": write_mtx,
    "loom": write_loom,
}
"""Formats that are looked at before their size is checked."""

WHOLE: dict[str, Write] = {
    "tsv": write_tsv,
    "parquet": lambda path, cells: cells.T.rename_axis("gene").to_parquet(path) or path,
}


@pytest.mark.parametrize("kind", [*CHEAP, *WHOLE])
def test_cells_are_refused_in_one_line_unless_declared(kind: str, tmp_path: Path) -> None:
    cells = make_cells()
    path = (CHEAP | WHOLE)[kind](tmp_path / "cells", cells)
    with pytest.raises(SingleCellsError, match=r"the 60 rows look like single cells.*8\d % are 0") as caught:
        es.read(path)
    assert len(caught.value.lines) == 1
    cohort = es.read(path, as_samples=True, units="umi")
    assert cohort.sample_ids == tuple(cells.index)


@pytest.mark.parametrize("kind", CHEAP)
def test_cells_win_over_limits(kind: str, tmp_path: Path) -> None:
    path = CHEAP[kind](tmp_path / "cells", make_cells())
    limits = ReadLimits(max_samples=5)
    with pytest.raises(SingleCellsError):
        es.read(path, limits=limits)
    with pytest.raises(InputError, match="too large"):
        es.read(path, limits=limits, as_samples=True)


@pytest.mark.parametrize("kind", [kind for kind in CHEAP if kind != "10x folder"])
def test_counting_too_many_samples_names_cells(kind: str, tmp_path: Path) -> None:
    path = CHEAP[kind](tmp_path / "cells", make_cells(n_genes=40))
    assert count_samples(path) == 60
    limits = ReadLimits(max_samples=5, max_genes=50)
    with pytest.raises(InputError, match="too large"):
        count_samples(path, request=ReadRequest(limits=limits, as_samples=True))
    with pytest.raises(SingleCellsError):
        count_samples(path, request=ReadRequest(limits=limits))


@pytest.mark.parametrize("kind", [np.asarray, sp.csr_matrix, sp.csc_matrix])
def test_transposed_h5ad_of_cells_is_refused(kind: Callable[[np.ndarray], object], tmp_path: Path) -> None:
    cells = make_cells()
    turned = adata_of(cells, make_obs(cells.index), kind).T
    turned.write_h5ad(tmp_path / "cells.h5ad")
    with pytest.raises(SingleCellsError, match=r"cells of 3 samples .*--sample-column sample, or"):
        es.read(tmp_path / "cells.h5ad", transpose=True)


@pytest.mark.parametrize("write", [write_h5ad, write_loom])
def test_columns_of_a_file_are_a_sign(
    write: Callable[[Path, pd.DataFrame, pd.DataFrame], Path], tmp_path: Path
) -> None:
    cells = make_cells([f"c{number}" for number in range(60)])
    path = write(tmp_path / "cells", cells, make_obs(cells.index))
    with pytest.raises(
        SingleCellsError,
        match=r"of 3 samples .*'sample' and 'cell_type'.*use escape-score",
    ):
        es.read(path)


@pytest.mark.filterwarnings("ignore:Observation names are not unique")
def test_cells_win_over_names_that_are_given_twice(tmp_path: Path) -> None:
    cells = make_cells()
    cells.index = pd.Index([cells.index[0], *cells.index[:-1]])
    adata = adata_of(cells)
    adata.write_h5ad(tmp_path / "cells.h5ad")
    with pytest.raises(SingleCellsError):
        es.read(tmp_path / "cells.h5ad")
    with pytest.raises(SingleCellsError):
        es.from_anndata(adata)


def test_cells_and_a_faulty_sheet_are_reported_together(tmp_path: Path) -> None:
    path = write_h5ad(tmp_path / "cells.h5ad", make_cells())
    (tmp_path / "sheet.tsv").write_text("a\tb\n1\t2\n")
    with pytest.raises(InputFaultsError) as caught:
        es.read(path, samples=tmp_path / "sheet.tsv")
    assert [type(fault).__name__ for fault in caught.value.faults] == [
        "SingleCellsError",
        "SampleSheetInvalidError",
    ]


def test_cells_in_memory_are_refused_unless_declared() -> None:
    cells = make_cells()
    for frame in (cells, cells.T):
        with pytest.raises(SingleCellsError, match=r"^frame: the 60 rows"):
            es.from_dataframe(frame)
    with pytest.raises(SingleCellsError, match=r"^adata: the 60 rows"):
        es.from_anndata(adata_of(cells))
    assert len(es.from_dataframe(cells, units="umi", as_samples=True).sample_ids) == 60
    assert len(es.from_anndata(adata_of(cells), units="umi", as_samples=True).sample_ids) == 60


def test_obs_in_memory_is_a_sign() -> None:
    cells = make_cells([f"c{number}" for number in range(60)])
    with pytest.raises(SingleCellsError, match="columns 'sample' and 'cell_type'"):
        es.from_anndata(adata_of(cells, make_obs(cells.index)))


def test_damaged_files_are_named_by_their_reader(tmp_path: Path) -> None:
    path = write_h5ad(tmp_path / "cells.h5ad", make_cells())
    with h5py.File(path, "r+") as file:
        starts = file["X/indptr"][:]
        starts[-1] += 7
        file["X/indptr"][:] = starts
    with pytest.raises(InputError, match="row starts"):
        es.read(path)
