"""A small made-up reference, thresholds of the method, and expression of the golden files with its sets."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.golden.method_data import count_table, signatures, tied_table, untied_table

from escape_score.library.axes import load_thresholds
from escape_score.model.cohort import FloatArray
from escape_score.model.reference import Reference, ReferenceConstants, ReferenceGenes
from escape_score.model.thresholds import Thresholds
from escape_score.score.methods import SetIndex

GOLDEN = Path(__file__).resolve().parents[1] / "golden"
N_ANCHORS = 30
OTHERS = (
    "B2M",
    "CD74",
    "CTRL1",
    "CTRL2",
    "CTRL3",
    "CTRL4",
    "HLA-A",
    "HLA-B",
    "HLA-C",
    "X1",
    "X2",
    "X3",
    "X4",
)
CLASS_2 = ("HLA-DPA1", "HLA-DPB1", "HLA-DRA")


@pytest.fixture(scope="session")
def thresholds() -> Thresholds:
    return load_thresholds()


@pytest.fixture(scope="session")
def reference() -> Reference:
    """Thirty anchors and some genes; locations and spreads differ from gene to gene."""
    symbols = (*(f"A{i:02d}" for i in range(N_ANCHORS)), *OTHERS, *CLASS_2)
    rng = np.random.default_rng(5)
    return Reference(
        name="small",
        description="",
        tumour_type="",
        assay="",
        n_samples=10,
        genes=ReferenceGenes(
            symbols,
            rng.uniform(2, 9, len(symbols)),
            rng.uniform(0.5, 1.5, len(symbols)),
            np.array([symbol.startswith("A") for symbol in symbols]),
        ),
        constants=ReferenceConstants({}, 500.0, 0.3),
        anchor_distance=0.4,
    )


@pytest.fixture(scope="session")
def sets() -> SetIndex:
    return SetIndex.of(signatures(), tied_table().columns.tolist())


@pytest.fixture(scope="session")
def tied() -> FloatArray:
    return np.ascontiguousarray(tied_table().to_numpy(dtype=np.float64))


@pytest.fixture(scope="session")
def untied() -> FloatArray:
    return np.ascontiguousarray(untied_table().to_numpy(dtype=np.float64))


@pytest.fixture(scope="session")
def counts() -> FloatArray:
    return np.ascontiguousarray(count_table().to_numpy(dtype=np.float64))


@pytest.fixture(scope="session")
def r_gsva() -> dict[str, FloatArray]:
    """Samples × sets of every method that R GSVA 1.46.0 was asked for."""
    table = pd.read_csv(GOLDEN / "methods__r_gsva_1.46.0.tsv", sep="\t", index_col=["method", "set"])
    names = [signature.signature_id for signature in signatures()]
    methods = table.index.get_level_values("method").unique()
    return {method: table.loc[method].loc[names].to_numpy(dtype=np.float64).T for method in methods}
