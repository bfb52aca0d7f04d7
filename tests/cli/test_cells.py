"""``escape-score cells``: what it writes and says, and what it refuses, in one line each."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import anndata as ad
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from tests.cells.simulated import simulated_cells

from escape_score.cli import main
from escape_score.pipeline.cells import profiling
from escape_score.store.manifest import read_manifest, read_result_header

Refused = Callable[..., tuple[str, ...]]
Change = Callable[[ad.AnnData], ad.AnnData]
COLUMNS = ("--sample-column", "sample", "--patient-column", "patient", "--cell-type-column", "cell_type")
OPTIONS = (*COLUMNS, "--no-reports", "--reference", "tcga-brca-v1")


@pytest.fixture(scope="module")
def cells() -> ad.AnnData:
    """Three samples of three patients; the last has 30 cells."""
    made = simulated_cells(3, 70, 2_000, depth=1_500)
    return made[:170].copy()


@pytest.fixture(scope="module")
def file(cells: ad.AnnData, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("cells") / "c.h5ad"
    cells.write_h5ad(path)
    return path


def test_cells_writes_a_profile_of_each_sample(
    cells: ad.AnnData, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, out, sheet = tmp_path / "two.h5ad", tmp_path / "o", tmp_path / "s.tsv"
    cells[:140].copy().write_h5ad(path)
    sheet.write_text("Tube\tresponse\nS1\tR\nS2\tNR\n")
    described = ("--samples", str(sheet), "--map", "sample_id=Tube")
    assert main(["cells", str(path), "--out", str(out), *OPTIONS, *described]) == 0
    said = capsys.readouterr()
    assert said.err.splitlines()[-1].startswith("2 samples")
    assert any(str(out) in line for line in said.err.splitlines())
    assert "error" not in said.err
    assert list(pd.read_csv(out / "profiles.tsv", sep="\t")["sample_id"]) == ["S1", "S2"]
    assert read_manifest(out).failed == ()
    assert read_result_header(out).labels == ("patient_id", "response")


def test_cells_with_too_few_cells_fail_and_others_have_a_profile(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "o"
    problem = "30 of 30 cells passed quality control; a sample needs 50."
    assert main(["cells", str(file), "--out", str(out), *OPTIONS]) == 5
    assert f"warning: S3: failed ({problem})" in capsys.readouterr().err.splitlines()
    assert list(pd.read_csv(out / "profiles.tsv", sep="\t")["sample_id"]) == ["S1", "S2"]
    assert [one.sample_id for one in read_manifest(out).failed] == ["S3"]
    failed = pd.read_csv(out / "qc.tsv", sep="\t").set_index("sample_id")["failed"]
    assert failed.dropna().to_dict() == {"S3": problem}


def with_x(adata: ad.AnnData, x: Any, **layers: Any) -> ad.AnnData:  # noqa: ANN401
    return ad.AnnData(x, obs=adata.obs, var=adata.var, layers=layers)


def normalised(adata: ad.AnnData) -> sp.csr_matrix:
    return sp.csr_matrix(adata.X.multiply(1e4 / adata.X.sum(axis=1)))


def with_obs(adata: ad.AnnData, **columns: object) -> ad.AnnData:
    return ad.AnnData(adata.X, obs=adata.obs.assign(**columns), var=adata.var)


def as_mouse(adata: ad.AnnData) -> ad.AnnData:
    var = pd.DataFrame(index=[name.capitalize() for name in adata.var_names])
    return ad.AnnData(adata.X, obs=adata.obs, var=var)


def unfiltered(adata: ad.AnnData) -> ad.AnnData:
    is_cell = np.arange(adata.n_obs)[:, None] > 0.8 * adata.n_obs
    return with_x(adata, sp.csr_matrix(adata.X.toarray() * is_cell))


def cell_twice(adata: ad.AnnData) -> ad.AnnData:
    made = adata.copy()
    made.obs_names = [made.obs_names[1], *made.obs_names[1:]]
    return made


FAULTS: dict[str, tuple[Change, str]] = {
    "no such column": (
        lambda a: ad.AnnData(a.X, obs=a.obs.drop(columns="sample"), var=a.var),
        "no column 'sample' in obs (columns: 'patient', 'cell_type')",
    ),
    "two patients": (
        lambda a: with_obs(a, patient=np.where(np.arange(a.n_obs) == 3, "P9", a.obs["patient"])),
        "sample 'S1' has cells of 2 patients",
    ),
    "normalised": (
        lambda a: with_x(a, normalised(a), umi=a.X.copy(), logged=normalised(a).log1p()),
        "--layer umi",
    ),
    "unfiltered": (unfiltered, "give filtered cells, such as filtered_feature_bc_matrix"),
    "negative": (lambda a: with_x(a, a.X.toarray() - 1.0), "values are negative"),
    "mouse": (as_mouse, "mouse"),
    "few genes": (lambda a: a[:, :199].copy(), "199 genes recognised, 200 needed"),
    "cell twice": (cell_twice, "1 cell has the name of another cell of the sample"),
}


@pytest.mark.filterwarnings("ignore:Observation names are not unique")
@pytest.mark.parametrize("fault", FAULTS)
def test_cells_with_a_fault_are_refused(
    fault: str, cells: ad.AnnData, tmp_path: Path, refused: Refused
) -> None:
    change, mention = FAULTS[fault]
    path, out = tmp_path / "c.h5ad", tmp_path / "o"
    change(cells).write_h5ad(path)
    (line,) = refused(3, "cells", path, "--out", out, *OPTIONS)
    assert line.startswith(f"error: {path}: ")
    assert mention in line
    assert not out.exists()


def test_missing_file_is_named(tmp_path: Path, refused: Refused) -> None:
    (line,) = refused(3, "cells", tmp_path / "no.h5ad", "--out", tmp_path / "o", *OPTIONS)
    assert line.startswith(f"error: {tmp_path / 'no.h5ad'}: ")


@pytest.mark.parametrize(
    "fault",
    [
        ("--samples", "sample_id\tresponse\nother\tR\n", "no sample_id in common"),
        ("--samples", "name\nS1\n", "sample_id"),
        ("--gene-sets", "ONE\tdescription\n", "ONE"),
        ("--reference", None, "no such reference"),
        ("--cell-types", "label\nT\n", "compartment"),
    ],
)
def test_faults_of_other_inputs_are_found_before_the_cells_are_worked_on(
    fault: tuple[str, str | None, str],
    file: Path,
    tmp_path: Path,
    refused: Refused,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    option, text, mention = fault

    def worked(*_: object) -> None:
        pytest.fail("cells were worked on")

    monkeypatch.setattr(profiling, "profile_one", worked)
    path = tmp_path / "input"
    if text is not None:
        path.write_text(text)
    named = path if text is not None else "tcga-ovary-v9"
    (line,) = refused(3, "cells", file, "--out", tmp_path / "o", *COLUMNS, option, named)
    assert line.startswith(f"error: {named}: ")
    assert mention in line


@pytest.mark.parametrize("text", ["", "sample_id\tpath\n"])
def test_empty_sheet_is_refused(text: str, tmp_path: Path, refused: Refused) -> None:
    (tmp_path / "sheet.tsv").write_text(text)
    (line,) = refused(3, "cells", tmp_path / "sheet.tsv", "--out", tmp_path / "o", "--no-reports")
    assert line.startswith(f"error: {tmp_path / 'sheet.tsv'}: ")
    assert "empty" in line.removeprefix(f"error: {tmp_path / 'sheet.tsv'}: ")


def test_unknown_lineage_is_refused(file: Path, tmp_path: Path, refused: Refused) -> None:
    (line,) = refused(2, "cells", file, "--out", tmp_path / "o", *COLUMNS, "--malignant-lineage", "squamous")
    assert "squamous" in line
    assert "epithelial" in line


def test_config_with_an_unknown_key_is_refused(file: Path, tmp_path: Path, refused: Refused) -> None:
    (tmp_path / "c.yaml").write_text("cells:\n  min_umis: 300\n")
    (line,) = refused(2, "cells", file, "--out", tmp_path / "o", "--config", tmp_path / "c.yaml")
    assert "min_umis" in line
    assert str(tmp_path / "c.yaml") in line


def test_folder_with_other_files_is_refused(file: Path, tmp_path: Path, refused: Refused) -> None:
    (tmp_path / "o").mkdir()
    (tmp_path / "o" / "thesis.txt").write_text("mine")
    (line,) = refused(2, "cells", file, "--out", tmp_path / "o", *COLUMNS)
    assert str(tmp_path / "o") in line
    assert [one.name for one in (tmp_path / "o").iterdir()] == ["thesis.txt"]


@pytest.mark.parametrize("command", ["run", "check"])
def test_other_commands_send_cells_to_this_one(
    command: str, file: Path, tmp_path: Path, refused: Refused, capsys: pytest.CaptureFixture[str]
) -> None:
    out = ("--out", tmp_path / "o") if command == "run" else ()
    (line,) = refused(3, command, file, *out)
    assert line.startswith(f"error: {file}: ")
    assert f"use escape-score cells {file} --sample-column sample" in line
