"""A small made-up reference, and thresholds of the method."""

from __future__ import annotations

import numpy as np
import pytest

from escape_score.library.axes import load_thresholds
from escape_score.model.reference import Reference, ReferenceConstants, ReferenceGenes
from escape_score.model.thresholds import Thresholds

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
