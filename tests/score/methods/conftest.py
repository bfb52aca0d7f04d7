"""Made-up expression of the golden files, and its sets laid over it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.golden.method_data import count_table, signatures, tied_table, untied_table

from escape_score.model.cohort import FloatArray
from escape_score.score.methods import SetIndex

GOLDEN = Path(__file__).resolve().parents[2] / "golden"


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
