"""Run a kernel over blocks of samples, on some threads."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import numpy as np
import scipy.sparse as sp

from escape_score.errors import MatrixInvalidError, UsageError
from escape_score.score.methods.model import DenseValues, Values

Result = TypeVar("Result")

BLOCK_SIZE = 128
"""Samples a block: 10 MB of 20,000 genes in float32, and enough of them for a second thread."""


def map_blocks(
    function: Callable[[int, int], Result], n_rows: int, *, threads: int, block_size: int = BLOCK_SIZE
) -> list[Result]:
    """Call ``function(start, stop)`` for all blocks of rows and return what it gave, in order.

    Raises
    ------
    UsageError
        ``threads`` is below 1.
    """
    if threads < 1:
        msg = f"threads is {threads}; give at least 1"
        raise UsageError(msg)
    bounds = [(start, min(start + block_size, n_rows)) for start in range(0, n_rows, block_size)]
    if threads == 1 or len(bounds) < 2:  # noqa: PLR2004
        return [function(start, stop) for start, stop in bounds]
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(lambda bound: function(*bound), bounds))


def dense_block(values: Values, start: int, stop: int) -> DenseValues:
    """Rows ``start`` to ``stop``, dense and in C order."""
    block = values[start:stop]
    return np.ascontiguousarray(block.toarray() if sp.issparse(block) else block)


def require_finite(block: DenseValues) -> None:
    """Refuse values that a mean cannot take.

    Raises
    ------
    MatrixInvalidError
        A value is NaN or infinite.
    """
    if not np.isfinite(block).all():
        msg = "matrix: a value is missing or infinite; leave out genes that are not measured in every sample"
        raise MatrixInvalidError(msg)
