"""ssGSEA and GSVA through gseapy itself, for those who want its numbers and its name in a methods section."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from escape_score.model.method_choice import DEFAULT_MIN_COVERAGE
from escape_score.score.kernels.values import (
    MethodScores,
    SetIndex,
    Values,
    checked_values,
    covered,
    dense_block,
)


def score_ssgsea_gseapy(
    values: Values,
    sets: SetIndex,
    *,
    alpha: float = 0.25,
    min_coverage: float = DEFAULT_MIN_COVERAGE,
    threads: int = 1,
) -> MethodScores:
    """Score sets by ``gseapy.ssgsea``.

    Parameters and result are those of :func:`escape_score.score.methods.ssgsea.score_ssgsea` with gseapy's
    ties; needs 2.2 MB of memory for a sample of 20,000 genes.
    """
    options = {"sample_norm_method": "rank", "weight": alpha, "no_plot": True, "threads": threads}
    return _scored("ssgsea", values, sets, min_coverage, options)


def score_gsva_gseapy(
    values: Values,
    sets: SetIndex,
    *,
    tau: float = 1.0,
    mx_diff: bool = True,
    abs_rnk: bool = False,
    min_coverage: float = DEFAULT_MIN_COVERAGE,
    threads: int = 1,
) -> MethodScores:
    """Score sets by ``gseapy.gsva`` with the Gaussian kernel.

    Parameters and result are those of :func:`escape_score.score.methods.gsva.score_gsva` with gseapy's ties;
    genes that do not vary take part, as gseapy has it. Time grows with the square of the number of samples.
    """
    options = {"kcdf": "Gaussian", "weight": tau, "mx_diff": mx_diff, "abs_rnk": abs_rnk, "threads": threads}
    return _scored("gsva", values, sets, min_coverage, options)


def _scored(
    program: str, values: Values, sets: SetIndex, min_coverage: float, options: Mapping[str, object]
) -> MethodScores:
    """Run a function of gseapy over all sets that it can score."""
    import gseapy

    table, names = _table(values, sets), _names(sets)
    scores = np.full((values.shape[0], sets.n_sets), np.nan)
    if names:
        sizes = {"min_size": 1, "max_size": sets.n_columns}
        found = getattr(gseapy, program)(table, names, outdir=None, **sizes, **options).res2d
        rows = found["Name"].astype(str).str[1:].astype(int).to_numpy()
        columns = found["Term"].astype(str).str[1:].astype(int).to_numpy()
        scores[rows, columns] = found["ES"].to_numpy(dtype=np.float64)
    return covered(scores, sets, min_coverage=min_coverage)


def _table(values: Values, sets: SetIndex) -> pd.DataFrame:
    """Genes × samples in float64, under names that gseapy leaves alone."""
    block = dense_block(checked_values(values, sets), 0, values.shape[0]).astype(np.float64)
    genes = [f"G{column}" for column in range(sets.n_columns)]
    return pd.DataFrame(block.T, index=genes, columns=[f"S{row}" for row in range(len(block))])


def _names(sets: SetIndex) -> Mapping[str, list[str]]:
    """Sets that gseapy can score, as names of genes; those of no or all genes have no score."""
    members = np.split(sets.columns, sets.indptr[1:-1])
    return {
        f"T{s}": [f"G{column}" for column in columns]
        for s, columns in enumerate(members)
        if 0 < len(columns) < sets.n_columns
    }
