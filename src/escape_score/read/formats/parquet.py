"""Parquet: genes in rows, samples in columns; columns are read only when asked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import ParamSpec, TypeVar

import numpy as np
import pyarrow as pa
from pyarrow import parquet as pq

from escape_score.errors import FileUnreadableError, MatrixInvalidError, raise_faults
from escape_score.model.cohort import FloatArray
from escape_score.read.checks.sample_names import sample_name_faults
from escape_score.read.files.limits import ReadLimits
from escape_score.read.files.probe import Probe
from escape_score.read.formats.arrow_columns import N_PROBED_ROWS, ArrowColumns, find_columns
from escape_score.read.formats.reader import MatrixFormat, MatrixReading

MAGIC = b"PAR1"

_Arguments = ParamSpec("_Arguments")
_Result = TypeVar("_Result")


@dataclass(frozen=True, eq=False)
class ParquetMatrix:
    """A parquet file of which only the samples asked for are read.

    Parameters
    ----------
    path
        The file.
    sample_ids
        Names of the sample columns.
    gene_ids
        Names of the rows.
    file
        The file opened: the footer of a wide file is slow to read, and is read once.
    """

    path: Path
    sample_ids: tuple[str, ...]
    gene_ids: tuple[str, ...]
    file: pq.ParquetFile = field(repr=False)

    def block(self, start: int, stop: int) -> FloatArray:
        """Values of samples ``start`` to ``stop``: (stop - start, n_genes), float64, NaN = not measured."""
        names = self.sample_ids[start:stop]
        values = np.empty((len(names), len(self.gene_ids)))
        table = _guarded(self.path, self.file.read, columns=list(names))
        for position, name in enumerate(names):
            column = table.column(name)
            if not (pa.types.is_integer(column.type) or pa.types.is_floating(column.type)):
                column = column.cast(pa.float64(), safe=False)
            values[position] = column.to_numpy()
        return values


def _guarded(
    path: Path, call: Callable[_Arguments, _Result], *args: _Arguments.args, **kwargs: _Arguments.kwargs
) -> _Result:
    """Call a function of the parquet library, its errors turned into ours."""
    try:
        return call(*args, **kwargs)
    except (pa.ArrowException, OSError) as error:
        msg = (
            f"{path}: damaged or truncated parquet ({' '.join(str(error).split())[:120]}); copy the file "
            "again"
        )
        raise FileUnreadableError(msg) from error


def _open_file(path: Path) -> pq.ParquetFile:
    return pq.ParquetFile(path, page_checksum_verification=True)


def _read_head(file: pq.ParquetFile, names: tuple[str, ...]) -> pa.Table:
    """First rows of some columns."""
    batches = file.iter_batches(batch_size=N_PROBED_ROWS, columns=list(names))
    return pa.Table.from_batches([next(batches)])


def _is_parquet(probe: Probe) -> bool:
    return probe.head.startswith(MAGIC)


def _open_matrix(path: Path, limits: ReadLimits) -> MatrixReading:
    file = _guarded(path, _open_file, path)
    columns = _columns(path, file, limits)
    raise_faults(sample_name_faults(str(path), columns.samples))
    gene_ids = _guarded(path, file.read, columns=[columns.gene]).column(columns.gene)
    names = tuple("" if name is None else str(name) for name in gene_ids.to_pylist())
    return MatrixReading(ParquetMatrix(path, columns.samples, names, file), columns.annotation)


def _columns(path: Path, file: pq.ParquetFile, limits: ReadLimits) -> ArrowColumns:
    """Tell what each column means by the footer, with a look at the first rows of text columns."""
    n_rows = file.metadata.num_rows
    if n_rows > limits.max_genes:
        msg = (
            f"{path}: too large, {n_rows} gene rows where at most {limits.max_genes} are read; is this a "
            "matrix?"
        )
        raise MatrixInvalidError(msg)
    return find_columns(
        path,
        file.schema_arrow,
        n_rows,
        limits,
        read_head=lambda names: _guarded(path, _read_head, file, names),
    )


def _count_samples(path: Path, limits: ReadLimits) -> int:
    return len(_columns(path, _guarded(path, _open_file, path), limits).samples)


PARQUET = MatrixFormat(
    name="parquet", is_recognised=_is_parquet, open_matrix=_open_matrix, count_samples=_count_samples
)
"""Parquet, gene names in a text column or as pandas row names."""
