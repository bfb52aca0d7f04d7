"""Made-up expression shared by the tests of published scores."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from tests.golden.published_data import tpm_table


@pytest.fixture(scope="session")
def tpm() -> pd.DataFrame:
    """12 samples × 10,718 genes."""
    return tpm_table()


@pytest.fixture(scope="session")
def log2_tpm(tpm: pd.DataFrame) -> pd.DataFrame:
    """The same as log2(TPM + 1)."""
    return pd.DataFrame(np.log2(tpm + 1.0))
