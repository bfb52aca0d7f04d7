"""ssGSEA and GSVA through gseapy itself, for those who want its numbers and its name in a methods section."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from escape_score.model.cohort import FloatArray
from escape_score.model.method_choice import DEFAULT_MIN_COVERAGE
from escape_score.score.methods.blocks import dense_block
from escape_score.score.methods.model import MethodScores, SetIndex, Values, checked_values, covered


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
    import gseapy

    table, names = _table(values, sets), _names(sets)
    if not names:
        return covered(np.full((values.shape[0], sets.n_sets), np.nan), sets, min_coverage=min_coverage)
    result = gseapy.ssgsea(
        table,
        names,
        sample_norm_method="rank",
        weight=alpha,
        min_size=1,
        max_size=sets.n_columns,
        threads=threads,
        no_plot=True,
        outdir=None,
    )
    return covered(_pivoted(result.res2d, values.shape[0], sets.n_sets), sets, min_coverage=min_coverage)


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
    import gseapy

    table, names = _table(values, sets), _names(sets)
    if not names:
        return covered(np.full((values.shape[0], sets.n_sets), np.nan), sets, min_coverage=min_coverage)
    result = gseapy.gsva(
        table,
        names,
        kcdf="Gaussian",
        weight=tau,
        mx_diff=mx_diff,
        abs_rnk=abs_rnk,
        min_size=1,
        max_size=sets.n_columns,
        threads=threads,
        outdir=None,
    )
    return covered(_pivoted(result.res2d, values.shape[0], sets.n_sets), sets, min_coverage=min_coverage)


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


def _pivoted(result: pd.DataFrame, n_samples: int, n_sets: int) -> FloatArray:
    """From gseapy's long table to samples × sets."""
    values = np.full((n_samples, n_sets), np.nan)
    rows = result["Name"].astype(str).str[1:].astype(int).to_numpy()
    columns = result["Term"].astype(str).str[1:].astype(int).to_numpy()
    values[rows, columns] = result["ES"].to_numpy(dtype=np.float64)
    return values
