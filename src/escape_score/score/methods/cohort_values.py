"""What methods that look across samples need: genes that vary, in the order of genes."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from escape_score.errors import MatrixInvalidError
from escape_score.model.cohort import FloatArray
from escape_score.score.methods.blocks import dense_block, map_blocks, require_finite
from escape_score.score.methods.model import Values

CONSTANT_SD = 1e-10
"""Genes with a smaller standard deviation count as constant, as in R GSVA 1.46."""
MIN_SAMPLES = 2


def mean_and_sd(
    values: Values, columns: npt.NDArray[np.int32] | None = None, *, threads: int = 1
) -> tuple[FloatArray, FloatArray]:
    """Mean and standard deviation (n − 1) of genes across samples, block by block.

    Parameters
    ----------
    values
        Shape (n_samples, n_genes), at least 2 samples.
    columns
        Genes to look at; all of them if None.

    Raises
    ------
    MatrixInvalidError
        Fewer than 2 samples, or a value that is not finite.
    """
    n_samples = values.shape[0]
    if n_samples < MIN_SAMPLES:
        msg = f"matrix: {n_samples} samples, but this method compares samples; give at least {MIN_SAMPLES}"
        raise MatrixInvalidError(msg)
    origin = wide_block(values, 0, 1, columns)[0]

    def sums(start: int, stop: int) -> tuple[FloatArray, FloatArray]:
        shifted = wide_block(values, start, stop, columns) - origin
        return shifted.sum(axis=0), np.square(shifted).sum(axis=0)

    parts = map_blocks(sums, n_samples, threads=threads)
    first = np.sum([part[0] for part in parts], axis=0)
    second = np.sum([part[1] for part in parts], axis=0)
    variance = (second - np.square(first) / n_samples) / (n_samples - 1)
    return origin + first / n_samples, np.sqrt(np.maximum(variance, 0.0))


def wide_block(
    values: Values, start: int, stop: int, columns: npt.NDArray[np.int32] | None = None
) -> FloatArray:
    """Some samples and genes as finite float64."""
    block = dense_block(values, start, stop)
    if columns is not None:
        block = block[:, columns]
    require_finite(block)
    return block.astype(np.float64, copy=False)
