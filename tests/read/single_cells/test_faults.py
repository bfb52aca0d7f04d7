"""What is refused, in one line with file, place, problem and remedy; faults of all inputs together."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import anndata as ad
import h5py
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from tests.cells.simulated import simulated_cells
from tests.read.cells import write_mtx, write_tenx_h5

from escape_score.errors import FileUnreadableError, InputError, InputFaultsError, UsageError
from escape_score.read.cells import CellCohort, CellRequest, cells_from_anndata, matrices, open_cells

N_GENES = 300
Change = Callable[[ad.AnnData], ad.AnnData]


@pytest.fixture(scope="module")
def cells() -> ad.AnnData:
    return simulated_cells(3, 40, N_GENES, seed=4, depth=600)


def with_x(adata: ad.AnnData, x: object) -> ad.AnnData:
    return ad.AnnData(x, obs=adata.obs, var=adata.var)


def with_data(adata: ad.AnnData, change: Callable[[np.ndarray], np.ndarray]) -> ad.AnnData:
    x = adata.X.copy()
    x.data = change(x.data).astype(np.float32)
    return with_x(adata, x)


def normalised(adata: ad.AnnData) -> sp.csr_matrix:
    return sp.csr_matrix(adata.X.multiply(1e4 / adata.X.sum(axis=1)))


def with_obs(adata: ad.AnnData, **columns: object) -> ad.AnnData:
    return ad.AnnData(adata.X, obs=adata.obs.assign(**columns), var=adata.var)


def with_names(adata: ad.AnnData, names: list[str]) -> ad.AnnData:
    return ad.AnnData(adata.X, obs=adata.obs, var=pd.DataFrame(index=names))


def with_layers(adata: ad.AnnData) -> ad.AnnData:
    made = with_x(adata, normalised(adata).log1p())
    made.layers["counts"] = adata.X.copy()
    made.raw = with_x(adata, adata.X.copy())
    return made


def lines_of(call: Callable[[], object]) -> tuple[str, ...]:
    with pytest.raises(InputError) as caught:
        call()
    assert all("\n" not in line for line in caught.value.lines)
    return caught.value.lines


def mouse(adata: ad.AnnData) -> ad.AnnData:
    return with_names(adata, [name.capitalize() for name in adata.var_names])


def xenograft(adata: ad.AnnData) -> ad.AnnData:
    names = [f"{'GRCh38' if at % 2 else 'mm10'}_{name}" for at, name in enumerate(adata.var_names)]
    return with_names(adata, names)


def empty_labels(adata: ad.AnnData) -> ad.AnnData:
    labels = adata.obs["sample"].astype(object).where(np.arange(adata.n_obs) > 4, None)
    return with_obs(adata, sample=pd.Categorical(labels))


CHANGED: dict[str, tuple[Change, str]] = {
    "logarithms": (
        lambda a: with_x(a, normalised(a).log1p()),
        r"normalised \(logarithms, each cell has a total of 10000\); give counts",
    ),
    "normalised": (lambda a: with_x(a, normalised(a)), r"normalised \(each cell has a total of 10000\)"),
    "other logarithms": (
        lambda a: with_data(a, lambda d: np.log1p(d * 1.3)),
        "not whole numbers, so they were normalised",
    ),
    "scaled": (lambda a: with_x(a, a.X.toarray() - 1.5), "values are negative .*scaled"),
    "missing": (
        lambda a: with_data(a, lambda d: np.where(np.arange(len(d)) % 7, d, np.nan)),
        r"missing or infinite",
    ),
    "binary": (lambda a: with_data(simulated_cells(3, 40, 2_500, depth=1_000), np.sign), "only 0 and 1"),
    "zeros": (lambda a: with_x(a, np.zeros(a.shape)), "empty droplets|are 0"),
    "layers": (with_layers, r"counts are in another matrix: use --layer counts or --layer raw"),
    "mouse": (mouse, "species mouse or rat"),
    "xenograft": (xenograft, "genes of human and of another species .*keep the human"),
    "no genes": (
        lambda a: with_names(a, [f"peak{n}x" for n in range(a.n_vars)]),
        "no recognisable human gene",
    ),
    "few genes": (lambda a: a[:, :150].copy(), "150 genes recognised, 200 needed"),
    "two patients": (
        lambda a: with_obs(a, patient=np.arange(a.n_obs) % 2),
        r"sample 'S1' has cells of 2 patients \('0', '1'\)",
    ),
    "empty samples": (empty_labels, r"5 cells have no sample \(column 'sample'; cells such as 'S1_"),
    "no sample column": (
        lambda a: ad.AnnData(a.X, obs=a.obs.drop(columns="sample"), var=a.var),
        r"no column 'sample' in obs \(columns: 'patient', 'cell_type'\)",
    ),
    "empty barcodes": (
        lambda a: with_x(a, sp.csr_matrix(a.X.toarray() * (np.arange(a.n_obs)[:, None] > 80))),
        "empty droplets .*filtered_feature_bc_matrix",
    ),
}


@pytest.mark.parametrize("kind", CHANGED)
def test_files_that_hold_no_counts_of_cells_are_refused(cells: ad.AnnData, kind: str, tmp_path: Path) -> None:
    change, expected = CHANGED[kind]
    path = tmp_path / "c.h5ad"
    change(cells).write_h5ad(path)
    request = CellRequest(sample_column="sample", patient_column="patient")
    lines = lines_of(lambda: open_cells(path, request))
    assert all(line.startswith(f"{path}: ") or line.startswith(str(path)) for line in lines)
    assert any(pd.Series([line]).str.contains(expected).all() for line in lines), lines


def test_bulk_is_sent_to_run(tmp_path: Path) -> None:
    bulk = simulated_cells(1, 6, 12_000, depth=1_000_000)
    bulk.write_h5ad(tmp_path / "b.h5ad")
    (line,) = lines_of(lambda: open_cells(tmp_path / "b.h5ad"))
    assert "bulk samples" in line
    assert "escape-score run" in line


def test_several_samples_need_a_column(cells: ad.AnnData, tmp_path: Path) -> None:
    cells.write_h5ad(tmp_path / "c.h5ad")
    (line,) = lines_of(lambda: open_cells(tmp_path / "c.h5ad"))
    assert "'sample' with 3 values, 'patient' with 3 values" in line
    assert "--sample-column" in line


def hidden(adata: ad.AnnData, value: float) -> ad.AnnData:
    x = adata.X.toarray()
    x[51, 2] = value
    return with_x(adata, sp.csr_matrix(x))


@pytest.mark.parametrize("value", [0.5, -1.0, np.nan, np.inf, 1e12])
@pytest.mark.parametrize("is_in_file", [False, True])
def test_a_value_that_no_glance_sees_is_named_when_it_is_read(
    cells: ad.AnnData, value: float, is_in_file: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(matrices, "GLANCED_RUNS", 1)
    adata = hidden(cells, value)
    found: CellCohort
    if is_in_file:
        adata.write_h5ad(tmp_path / "c.h5ad")
        found = open_cells(tmp_path / "c.h5ad", CellRequest(sample_column="sample"))
    else:
        found = cells_from_anndata(adata, sample="sample")
    assert found.load("S1").gates.n_read == 40
    (line,) = lines_of(lambda: found.load("S2"))
    assert f"cell {cells.obs_names[51]!r}, gene {cells.var_names[2]!r}" in line


@pytest.mark.filterwarnings("ignore:Observation names are not unique")
def test_names_of_cells_are_unique_in_a_sample(cells: ad.AnnData) -> None:
    names = list(cells.obs_names)
    adata = with_obs(cells)
    adata.obs_names = [*names[:40], names[0], *names[41:]]
    assert cells_from_anndata(adata, sample="sample").load("S2").cell_ids[0] == names[0]
    adata.obs_names = [names[0], names[0], *names[2:]]
    (line,) = lines_of(lambda: cells_from_anndata(adata, sample="sample"))
    assert f"1 cell has the name of another cell of the sample (such as {names[0]!r} in sample 'S1')" in line


def test_faults_of_all_inputs_come_together(cells: ad.AnnData, tmp_path: Path) -> None:
    good, bad, none = tmp_path / "a.h5ad", tmp_path / "b.h5ad", tmp_path / "none.h5ad"
    cells.write_h5ad(good)
    with_x(with_obs(cells, patient=np.arange(cells.n_obs)), cells.X.log1p()).write_h5ad(bad)
    request = CellRequest(sample_column="sample", patient_column="patient", cell_type_column="type")
    lines = lines_of(lambda: open_cells([good, bad, none], request))
    assert len(lines) == 7  # no file; no type in both; values; three samples of many patients
    assert sum("no column 'type' in obs" in line for line in lines) == 2
    assert sum("file not found" in line for line in lines) == 1
    assert sum("cells of 40 patients" in line for line in lines) == 3


def test_a_sample_is_in_one_file(cells: ad.AnnData, tmp_path: Path) -> None:
    for name in ("a", "b"):
        cells[:40].write_h5ad(tmp_path / f"{name}.h5ad")
    request = CellRequest(sample_column="sample")
    (line,) = lines_of(lambda: open_cells([tmp_path / "a.h5ad", tmp_path / "b.h5ad"], request))
    assert f"a.h5ad: sample 'S1' is also in '{tmp_path / 'b.h5ad'}'" in line


@pytest.mark.parametrize("part", ["X/indptr", "X/data", "obs/_index", "X/indices"])
def test_damaged_files_are_refused(cells: ad.AnnData, part: str, tmp_path: Path) -> None:
    path = tmp_path / "c.h5ad"
    cells.write_h5ad(path)
    with h5py.File(path, "a") as file:
        kept = file[part][:-3]
        attributes = dict(file[part].attrs)
        del file[part]
        file[part] = kept
        file[part].attrs.update(attributes)
    lines_of(lambda: open_cells(path, CellRequest(sample_column="sample")))
    path.write_bytes(path.read_bytes()[:-5_000])
    assert "damaged or truncated" in lines_of(lambda: open_cells(path))[0]


@pytest.mark.parametrize("write", [write_tenx_h5, write_mtx])
def test_raw_matrices_of_10x_are_refused(
    cells: ad.AnnData, write: Callable[[Path, pd.DataFrame], Path], tmp_path: Path
) -> None:
    x = cells.X.toarray() * (np.arange(cells.n_obs)[:, None] > 110)
    path = write(tmp_path / "S1", pd.DataFrame(x, index=cells.obs_names, columns=cells.var_names))
    (line,) = lines_of(lambda: open_cells(path).load("S1"))
    assert "filtered_feature_bc_matrix" in line


def test_other_formats_and_layers_are_refused(cells: ad.AnnData, tmp_path: Path) -> None:
    frame = cells.to_df().T
    frame.to_csv(tmp_path / "c.tsv", sep="\t")
    (line,) = lines_of(lambda: open_cells(tmp_path / "c.tsv"))
    assert "give h5ad" in line
    path = write_tenx_h5(tmp_path / "S1.h5", frame.T)
    with pytest.raises(UsageError, match="has no layers"):
        open_cells(path, CellRequest(layer="counts"))
    (line,) = lines_of(lambda: open_cells(path, CellRequest(sample_column="sample")))
    assert "no column 'sample' in obs (columns: none)" in line
    (tmp_path / "empty").mkdir()
    with pytest.raises(FileUnreadableError, match="without files of cells"):
        open_cells(tmp_path / "empty")
    with pytest.raises(UsageError, match="not an AnnData object"):
        cells_from_anndata(frame, sample="sample")


def test_duplicate_entries_are_refused(cells: ad.AnnData) -> None:
    x = cells.X.copy()
    x.indices[1] = x.indices[0]
    with pytest.raises(InputError, match="given twice"):
        cells_from_anndata(with_x(cells, x), sample="sample").load("S1")


def test_several_faults_of_one_matrix_are_one_error(cells: ad.AnnData) -> None:
    with pytest.raises(InputFaultsError) as caught:
        cells_from_anndata(mouse(with_x(cells, cells.X.log1p())), sample="sample", cell_type="kind")
    assert len(caught.value.lines) == 3
