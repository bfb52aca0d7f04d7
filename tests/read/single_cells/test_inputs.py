"""Which files hold which sample: names of Cell Ranger and of GEO, folders and sheets."""

from __future__ import annotations

from pathlib import Path

import anndata as ad
import pandas as pd
import pytest
from tests.cells.simulated import simulated_cells
from tests.read.cells import write_mtx, write_tenx_h5

from escape_score.errors import InputError
from escape_score.model.notes import Code
from escape_score.read.cells import CellRequest, list_cells, open_cells
from escape_score.read.cells.inputs import sample_name


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    cells = simulated_cells(1, 20, 250, depth=500)
    return pd.DataFrame(cells.X.toarray(), index=cells.obs_names, columns=cells.var_names)


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("d/P1.h5ad", "P1"),
        ("d/P1.h5", "P1"),
        ("d/P1/filtered_feature_bc_matrix.h5", "P1"),
        ("d/P1/outs/filtered_feature_bc_matrix", "P1"),
        ("d/P1/outs/filtered_gene_bc_matrices/GRCh38", "P1"),
        ("d/P1/count/sample_filtered_feature_bc_matrix", "P1"),
        ("d/GSM1_P1_filtered_feature_bc_matrix.h5", "GSM1_P1"),
        ("d/P1_raw_feature_bc_matrix.h5", "P1"),
        ("d/P1/matrix.mtx.gz", "P1"),
        ("d/GSM1_P1_matrix.mtx.gz", "GSM1_P1"),
        ("d/T.1.h5ad", "T.1"),
    ],
)
def test_samples_are_named_after_their_files(path: str, name: str) -> None:
    assert sample_name(Path(path)) == name


def test_folder_of_samples_is_read(frame: pd.DataFrame, tmp_path: Path) -> None:
    for sample in ("B", "A"):
        outs = tmp_path / sample / "outs"
        outs.mkdir(parents=True)
        write_mtx(outs / "filtered_feature_bc_matrix", frame)
        write_mtx(outs / "raw_feature_bc_matrix", frame)
        write_tenx_h5(outs / "filtered_feature_bc_matrix.h5", frame)
        write_tenx_h5(outs / "raw_feature_bc_matrix.h5", frame)
    write_tenx_h5(tmp_path / "C.h5", frame)
    write_mtx(tmp_path / "D", frame)
    (tmp_path / "README.txt").write_text("notes\n")
    result = tmp_path / "result"
    result.mkdir()
    (result / "manifest.json").write_text('{\n "manifest_version": "1.0"\n}\n')
    write_tenx_h5(result / "scores.h5", frame)
    found = open_cells(tmp_path)
    assert found.sample_ids == ("C", "A", "B", "D")
    assert found.load("A").n_cells == found.load("D").n_cells
    assert all("raw" not in str(part) for file in found._files for part in file.matrix.parts)
    assert len(found.sha256 or "") == 64


def test_folder_of_prefixed_matrices_is_read(frame: pd.DataFrame, tmp_path: Path) -> None:
    folder = tmp_path / "geo"
    folder.mkdir()
    for sample in ("GSM1_A", "GSM2_B"):
        made = write_mtx(tmp_path / sample, frame)
        for part in made.iterdir():
            part.rename(folder / f"{sample}_{part.name}")
    found = open_cells(folder)
    assert found.sample_ids == ("GSM1_A", "GSM2_B")
    assert found.load("GSM2_B").gates.n_read == len(frame)


def test_sheet_lists_samples_with_patients_and_columns(frame: pd.DataFrame, tmp_path: Path) -> None:
    (tmp_path / "runs").mkdir()
    write_tenx_h5(tmp_path / "runs" / "x.h5", frame)
    write_mtx(tmp_path / "runs" / "y", frame)
    ad.AnnData(frame).write_h5ad(tmp_path / "runs" / "z.h5ad")
    sheet = tmp_path / "sheet.csv"
    rows = ["a,runs/x.h5,P1,pre,PD,1", "b,runs/y,P1,post,PD,2", "c,runs/z.h5ad,P2,pre,CR,3"]
    sheet.write_text("\n".join(["sample_id,path,patient_id,timepoint,response,tmbb", *rows]) + "\n")
    found = open_cells(sheet)
    assert [(s.sample_id, s.patient_id, s.timepoint, s.response) for s in found.samples] == [
        ("a", "P1", "pre", "NR"),
        ("b", "P1", "post", "NR"),
        ("c", "P2", "pre", "R"),
    ]
    assert list_cells(sheet).samples == found.samples
    assert found.load("b").patient_id == "P1"
    assert Code.SHEET_COLUMNS_UNUSED in {one.code for one in found.notes.cohort}
    before = found.sha256
    sheet.write_text(sheet.read_text().replace("CR", "PD"))
    assert open_cells(sheet).sha256 != before
    with pytest.raises(InputError, match="--sample-column s does not apply"):
        open_cells(sheet, CellRequest(sample_column="s"))


def test_faults_of_a_sheet_name_its_lines(frame: pd.DataFrame, tmp_path: Path) -> None:
    write_tenx_h5(tmp_path / "x.h5", frame)
    (tmp_path / "t.tsv").write_text("gene\tA\nTP53\t1\n")
    sheet = tmp_path / "sheet.tsv"
    rows = ["a\tx.h5", "b\tnone.h5", "c\t", "d\tx.h5", "e\tt.tsv"]
    sheet.write_text("\n".join(["sample_id\tpath", *rows]) + "\n")
    with pytest.raises(InputError) as caught:
        open_cells(sheet)
    lines = caught.value.lines
    assert len(lines) == 4
    for part in (
        "(sample b, line 3 of",
        "path is empty (sample c, line 4)",
        "two samples ('a', 'd')",
        "(sample e, line 6",
    ):
        assert any(part in line for line in lines), part
