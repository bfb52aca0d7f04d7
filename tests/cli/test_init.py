"""``escape-score init``: what it writes runs as it is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.cells.simulated import simulated_cells

import escape_score as es
from escape_score.cli import main
from escape_score.config import load_workflow_config, read_cohorts
from escape_score.launch.plan import plan_workflow
from escape_score.library.files import config_template
from escape_score.model.cohort import SAMPLE_COLUMNS
from escape_score.pipeline.starting import config_text

Capture = pytest.CaptureFixture[str]
Refused = Callable[..., tuple[str, ...]]


@pytest.fixture(scope="module")
def study(demo_tpm: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three inputs: a unit that is clear, one that is not, and single cells."""
    folder = tmp_path_factory.mktemp("study")
    demo_tpm.T.rename_axis("gene").to_csv(folder / "clear.tsv", sep="\t")
    panel = (demo_tpm + 0.25).transform(np.log2)  # of an unusual pseudocount: no unit that is known
    panel.T.rename_axis("gene").to_csv(folder / "my panel.tsv", sep="\t")
    made = simulated_cells(n_samples=2, n_cells=120, n_genes=2_000)
    made.write_h5ad(folder / "cells.h5ad")
    names = [str(folder / name) for name in ("clear.tsv", "my panel.tsv", "cells.h5ad")]
    assert main(["init", *names, "--dir", str(folder / "config")]) == 0
    return folder


def test_table_of_cohorts_says_what_was_found(study: Path) -> None:
    clear, panel, cells = read_cohorts(study / "config" / "cohorts.tsv")
    assert [one.cohort for one in (clear, panel, cells)] == ["clear", "my-panel", "cells"]
    assert [one.units.value for one in (clear, panel)] == ["tpm", "auto"]
    assert [one.kind.value for one in (clear, panel, cells)] == ["bulk", "bulk", "cells"]
    text = (study / "config" / "cohorts.tsv").read_text(encoding="utf-8")
    assert "# my-panel: fill in units: " in text
    assert "# cells: single cells; sample in column 'sample', cell type in column 'cell_type'" in text
    assert "../clear.tsv" in text


def test_config_is_the_shipped_one_with_what_was_found(study: Path) -> None:
    text = (study / "config" / "config.yaml").read_text(encoding="utf-8")
    config = load_workflow_config(study / "config" / "config.yaml")
    assert (config.cells.sample_column, config.cells.cell_type_column) == ("sample", "cell_type")
    assert config.profile.reference == "auto"
    assert "demo" not in text.lower()
    assert text.count("#") > 20
    shipped = {line for line in config_template().splitlines() if line.startswith("  # ")}
    assert len(shipped & set(text.splitlines())) > len(shipped) - 4
    assert 'sample_column: "' not in config_text(())


def test_workflow_can_be_planned_on_it(study: Path) -> None:
    plan = plan_workflow(study / "config" / "config.yaml")
    assert {name: one.n_samples for name, one in plan.cohorts.items()} == {
        "clear": 8,
        "my-panel": 8,
        "cells": 2,
    }


def test_sample_sheets_are_read_as_they_are(study: Path, demo_tpm: pd.DataFrame) -> None:
    sheet = study / "config" / "samples-clear.tsv"
    header = next(line for line in sheet.read_text(encoding="utf-8").splitlines() if line[0] != "#")
    assert header.split("\t") == ["sample_id", *SAMPLE_COLUMNS]
    cohort = es.read(study / "clear.tsv", units="tpm", samples=sheet)
    assert cohort.sample_ids == tuple(demo_tpm.index)
    plain = es.read(study / "clear.tsv", units="tpm")
    assert [one.known for one in cohort.samples] == [one.known for one in plain.samples]


def test_three_lines_are_printed(study: Path, tmp_path: Path, capsys: Capture) -> None:
    panel, out = study / "my panel.tsv", tmp_path / "o"
    capsys.readouterr()
    assert main(["init", str(panel), "--dir", str(out)]) == 0
    written, fill_in, run = capsys.readouterr().out.splitlines()
    assert written == f"written to {out}: config.yaml, cohorts.tsv, samples-my-panel.tsv"
    assert fill_in.startswith("fill in: units of my-panel in cohorts.tsv")
    assert run == f"then run: escape-score workflow --config {out}/config.yaml --cores 4 --directory {out}"


def test_nothing_is_overwritten(study: Path, tmp_path: Path, refused: Refused) -> None:
    mine = tmp_path / "o" / "samples-clear.tsv"
    mine.parent.mkdir()
    mine.write_text("mine", encoding="utf-8")
    (line,) = refused(2, "init", study / "clear.tsv", "--dir", tmp_path / "o")
    assert "samples-clear.tsv: is there already" in line
    assert [path.name for path in mine.parent.iterdir()] == ["samples-clear.tsv"]
    assert mine.read_text(encoding="utf-8") == "mine"


def test_faults_of_all_matrices_are_reported(tmp_path: Path, refused: Refused) -> None:
    (line,) = refused(3, "init", tmp_path / "none.tsv", "--dir", tmp_path / "o")
    assert "none.tsv: file not found" in line
    for name in ("a.tsv", "b.tsv"):
        (tmp_path / name).write_text("gene\ts1\nTP53\tx\n", encoding="utf-8")
    lines = refused(3, "init", tmp_path / "a.tsv", tmp_path / "b.tsv", "--dir", tmp_path / "o")
    assert any("a.tsv" in one for one in lines)
    assert any("b.tsv" in one for one in lines)
    assert not (tmp_path / "o").exists()


def test_matrices_of_one_name_become_two_cohorts(study: Path, tmp_path: Path) -> None:
    other = tmp_path / "clear.tsv"
    other.write_bytes((study / "clear.tsv").read_bytes())
    assert main(["init", str(study / "clear.tsv"), str(other), "--dir", str(tmp_path / "o")]) == 0
    found = read_cohorts(tmp_path / "o" / "cohorts.tsv")
    assert [one.cohort for one in found] == ["clear", "clear-2"]
    assert len({one.samples for one in found}) == 2
