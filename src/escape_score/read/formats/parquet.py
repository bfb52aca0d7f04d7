"""Parquet: genes in rows, samples in columns; columns are read only when asked for."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path

import pyarrow as pa
from pyarrow import parquet as pq

from escape_score.errors import MatrixInvalidError
from escape_score.read.files.limits import ReadLimits
from escape_score.read.formats.arrow_columns import N_PROBED_ROWS, ArrowFile, arrow_format
from escape_score.read.formats.reader import library_faults


def _faults(path: Path) -> AbstractContextManager[None]:
    return library_faults(path, "parquet", (pa.ArrowException, OSError))


def _open_file(path: Path, limits: ReadLimits) -> ArrowFile:
    """Open a file once: the footer of a wide one is slow to read."""
    file = pq.ParquetFile(path, page_checksum_verification=True)
    n_rows = file.metadata.num_rows
    if n_rows > limits.max_genes:
        msg = f"too large, {n_rows} gene rows where at most {limits.max_genes} are read; is this a matrix?"
        raise MatrixInvalidError.at(path, msg)

    def read_head(names: Sequence[str]) -> pa.Table:
        batches = file.iter_batches(batch_size=N_PROBED_ROWS, columns=list(names))
        return pa.Table.from_batches([next(batches)])

    return ArrowFile(file.schema_arrow, n_rows, lambda names: file.read(columns=list(names)), read_head)


PARQUET = arrow_format("parquet", b"PAR1", _open_file, _faults)
"""Parquet, gene names in a text column or as pandas row names."""
