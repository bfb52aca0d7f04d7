"""Matrices of the tests as the read stage sees them."""

from __future__ import annotations

import numpy as np
import pandas as pd

from escape_score.model.cohort import InMemoryMatrix
from escape_score.read.checks.values import MatrixFacts, gather_facts


def facts_of(frame: pd.DataFrame) -> MatrixFacts:
    """Figures of genes × samples."""
    values = np.ascontiguousarray(frame.to_numpy(dtype=float).T)
    return gather_facts(InMemoryMatrix(tuple(frame.columns), tuple(frame.index), values), label="m.tsv")
