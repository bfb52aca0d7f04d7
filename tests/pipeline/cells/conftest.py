"""Profiles of simulated cells, made once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anndata as ad
import pytest
from tests.cells.simulated import simulated_cells

import escape_score as es
from escape_score.model.record import CellsRecord
from escape_score.pipeline.cells.results import CellResults
from escape_score.pipeline.profiles import Profiles

REFERENCE = "tcga-brca-v1"
LABELS = {"sample": "sample", "patient": "patient", "cell_type": "cell_type"}


def made_of(data: ad.AnnData | Path, **more: Any) -> Profiles:  # noqa: ANN401
    return es.profile_cells(data, **{**LABELS, "reference": REFERENCE, **more})


def shown_by(result: Profiles, sample_id: str) -> CellsRecord:
    found = result[sample_id].cells
    assert found is not None
    return found


def results_in(result: Profiles) -> CellResults:
    assert result.cells is not None
    return result.cells


@pytest.fixture(scope="session")
def cells() -> ad.AnnData:
    """Four samples of three patients; the last sample has too few cells."""
    made = simulated_cells(n_samples=4, n_cells=150, n_genes=3_000)
    made.obs["patient"] = made.obs["sample"].map({"S1": "P1", "S2": "P1", "S3": "P2", "S4": "P3"})
    made.obs["timepoint"] = made.obs["sample"].map({"S1": "pre", "S2": "on", "S3": "pre", "S4": "pre"})
    return made[:470].copy()


@pytest.fixture(scope="session")
def cell_file(cells: ad.AnnData, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("cells") / "cells.h5ad"
    cells.write_h5ad(path)
    return path


@pytest.fixture(scope="session")
def profiled(cells: ad.AnnData) -> Profiles:
    return made_of(cells)
