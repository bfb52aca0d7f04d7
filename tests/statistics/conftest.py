"""Columns of made-up cohorts, and the numbers R computes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from escape_score.model.record_statistics import Expectation, Measure, MeasureKind
from escape_score.statistics.columns import CohortColumns

GOLDEN = Path(__file__).parents[1] / "golden"


def measure_of(name: str, expects: Expectation, kind: MeasureKind) -> Measure:
    return Measure(measure=name, title=name, kind=kind, unit="1", expects=expects)


RESISTANCE = measure_of("immunoresistance_index", Expectation.RESISTANCE, MeasureKind.INDEX)
RESPONSE = measure_of("cyt", Expectation.RESPONSE, MeasureKind.PUBLISHED)

MakeColumns = Callable[..., CohortColumns]


@pytest.fixture(scope="session")
def make_columns() -> MakeColumns:
    """Make columns from sheet rows and one list of values; the second measure is the first turned round."""

    def make(sheet: Sequence[Mapping[str, str | float | bool]], values: Sequence[float]) -> CohortColumns:
        first = np.array(values, dtype=np.float64)
        return CohortColumns(
            "c", (RESISTANCE, RESPONSE), tuple(dict(row) for row in sheet), np.column_stack([first, -first])
        )

    return make


@pytest.fixture(scope="session")
def data() -> pd.DataFrame:
    """Made-up numbers that R was given."""
    return pd.read_csv(GOLDEN / "cohort_statistics_data.tsv", sep="\t")


@pytest.fixture(scope="session")
def golden() -> Mapping[str, float]:
    """What R made of them."""
    table = pd.read_csv(GOLDEN / "cohort_statistics__r_4.2.2.tsv", sep="\t")
    return dict(zip(table["statistic"], table["value"], strict=True))
