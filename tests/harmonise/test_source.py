"""Some genes of a harmonised cohort are those genes of all of it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from escape_score.genes import load_gene_table
from escape_score.harmonise import harmonise_cohort
from escape_score.model.cohort import Cohort, narrowed
from escape_score.model.units import ExpressionUnit

MakeCohort = Callable[..., Cohort]
GENES = ["CD8A", "PRF1", "IL8", "CXCL8", "GZMA", "HLA-A", "B2M", "no gene"]


@given(
    seed=st.integers(0, 100),
    unit=st.sampled_from([ExpressionUnit.TPM, ExpressionUnit.COUNTS, ExpressionUnit.LOG2_PLUS_1]),
    missing=st.sets(st.tuples(st.integers(0, 4), st.integers(0, 7)), max_size=8),
)
def test_narrowed_source_hands_out_the_same_bits(
    seed: int, unit: ExpressionUnit, missing: set[tuple[int, int]], make_cohort: MakeCohort
) -> None:
    rng = np.random.default_rng(seed)
    values = rng.integers(0, 12, (5, len(GENES))).astype(float)
    for at in missing:
        values[at] = np.nan
    values[0] = 3.0
    matrix = pd.DataFrame(values, [f"s{i}" for i in range(5)], GENES)
    harmonised = harmonise_cohort(make_cohort(matrix, unit), load_gene_table())
    chosen = list(harmonised.gene_symbols[::-2])
    whole = harmonised.source.block(0, 5)
    some = narrowed(harmonised.source, chosen).block(0, 5)
    columns = [harmonised.gene_symbols.index(symbol) for symbol in chosen]
    assert some.tobytes() == np.ascontiguousarray(whole[:, columns]).tobytes()
    assert np.isnan(some[0]).all()
