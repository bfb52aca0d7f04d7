"""Feather (Arrow IPC file): genes in rows, samples in columns; columns are read only when asked for."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from escape_score.errors import FileUnreadableError, raise_faults
from escape_score.model.cohort import FloatArray
from escape_score.read.checks.sample_names import sample_name_faults
from escape_score.read.checks.shape import check_shape
from escape_score.read.files.arrow_sizes import MAGIC, ArrowSizes, arrow_sizes
from escape_score.read.files.limits import ReadLimits
from escape_score.read.files.probe import Probe
from escape_score.read.formats.arrow_columns import N_PROBED_ROWS, ArrowColumns, find_columns
from escape_score.read.formats.reader import MatrixFormat, MatrixReading

_DAMAGED = (pa.ArrowException, OSError, ValueError, KeyError, struct.error)
"""What Arrow and the look at its metadata raise on a damaged file."""


@dataclass(frozen=True, eq=False)
class FeatherMatrix:
    """A feather file of which only the samples asked for are read."""

    path: Path
    sample_ids: tuple[str, ...]
    gene_ids: tuple[str, ...]

    def block(self, start: int, stop: int) -> FloatArray:
        """Values of samples ``start`` to ``stop``: (stop - start, n_genes), float64, NaN = not measured."""
        names = self.sample_ids[start:stop]
        values = np.empty((len(names), len(self.gene_ids)))
        with _file_faults(self.path):
            table = _read_columns(self.path, names)
            for position, name in enumerate(names):
                values[position] = table.column(name).cast(pa.float64(), safe=False).to_numpy()
        return values


@contextmanager
def _file_faults(path: Path) -> Iterator[None]:
    """Turn what is raised on a damaged file into our own error."""
    try:
        yield
    except _DAMAGED as error:
        reason = " ".join(str(error).split())[:120]
        msg = f"{path}: damaged or truncated feather (Arrow: {reason}); copy the file again"
        raise FileUnreadableError(msg) from error


def _read_columns(path: Path, names: Sequence[str], *, n_batches: int | None = None) -> pa.Table:
    """Read some columns, their buffers checked."""
    with pa.memory_map(str(path)) as file:
        schema = pa.ipc.open_file(file).schema
        fields = [schema.get_field_index(name) for name in names]
        reader = pa.ipc.open_file(file, options=pa.ipc.IpcReadOptions(included_fields=fields))
        n_read = reader.num_record_batches if n_batches is None else min(n_batches, reader.num_record_batches)
        batches = [reader.get_batch(number) for number in range(n_read)]
        table = pa.Table.from_batches(batches, reader.schema)
        table.validate(full=True)
        return table


def _is_feather(probe: Probe) -> bool:
    return probe.head.startswith(MAGIC)


def _checked_sizes(path: Path, limits: ReadLimits) -> ArrowSizes:
    """Refuse a file that grows out of proportion, before any column is unpacked."""
    n_file_bytes = path.stat().st_size
    with path.open("rb") as file:
        sizes = arrow_sizes(file, n_file_bytes)
    check_shape(path, limits, n_genes=sizes.n_rows)
    is_dense = sizes.n_bytes > limits.max_expansion_ratio * n_file_bytes
    if sizes.n_bytes > limits.max_expanded_bytes or (is_dense and sizes.n_bytes > limits.ratio_floor_bytes):
        msg = (
            f"{path}: too large once decompressed ({sizes.n_bytes} bytes of {n_file_bytes}); at most "
            f"{limits.max_expanded_bytes} bytes and {limits.max_expansion_ratio}-fold are read"
        )
        raise FileUnreadableError(msg)
    return sizes


def _columns(path: Path, limits: ReadLimits) -> ArrowColumns:
    sizes = _checked_sizes(path, limits)
    with pa.memory_map(str(path)) as file:
        schema = pa.ipc.open_file(file).schema
    return find_columns(
        path,
        schema,
        sizes.n_rows,
        limits,
        read_head=lambda names: _read_columns(path, names, n_batches=1).slice(0, N_PROBED_ROWS),
    )


def _open_matrix(path: Path, limits: ReadLimits) -> MatrixReading:
    with _file_faults(path):
        columns = _columns(path, limits)
        raise_faults(sample_name_faults(path, columns.samples))
        genes = _read_columns(path, [columns.gene]).column(columns.gene).to_pylist()
    names = tuple("" if name is None else str(name) for name in genes)
    return MatrixReading(FeatherMatrix(path, columns.samples, names), columns.annotation)


def _count_samples(path: Path, limits: ReadLimits) -> int:
    with _file_faults(path):
        return len(_columns(path, limits).samples)


FEATHER = MatrixFormat(
    name="feather (Arrow IPC file)",
    is_recognised=_is_feather,
    open_matrix=_open_matrix,
    count_samples=_count_samples,
)
"""Feather of version 2, gene names in a text column or as pandas row names."""
