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
from escape_score.read.files.limits import ReadLimits, check_shape
from escape_score.read.files.probe import Probe
from escape_score.read.formats.arrow_columns import N_PROBED_ROWS, ArrowColumns, find_columns
from escape_score.read.formats.reader import MatrixFormat, MatrixReading

MAGIC = b"ARROW1"

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


def _columns(path: Path, limits: ReadLimits) -> ArrowColumns:
    with pa.memory_map(str(path)) as file:
        schema = pa.ipc.open_file(file).schema
        sizes = promised_sizes(memoryview(file.read_buffer()))
    check_shape(path, limits, n_genes=sizes.n_rows)
    limits.check_unpacked(path, sizes.n_bytes, of=path.stat().st_size)
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
        raise_faults(sample_name_faults(str(path), columns.samples))
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


# --- sizes that the file promises ---------------------------------------------------------------------------
#
# Arrow unpacks a column to whatever size is written in front of it, and 130 kB can become 2 GB. The sizes are
# read off the metadata before that (https://arrow.apache.org/docs/format/Columnar.html, IPC file format).

_FOOTER_DICTIONARIES, _FOOTER_BATCHES = 2, 3
_MESSAGE_KIND, _MESSAGE_HEADER = 1, 2
_DICTIONARY_BATCH, _DICTIONARY_DATA = 2, 1
_BATCH_LENGTH, _BATCH_BUFFERS, _BATCH_COMPRESSION = 0, 2, 3
_CONTINUATION = 0xFFFFFFFF


@dataclass(frozen=True)
class PromisedSizes:
    """Rows of all record batches, and bytes of all packed buffers once unpacked."""

    n_rows: int
    n_bytes: int


@dataclass(frozen=True)
class _Flat:
    """One table of a flatbuffer (https://flatbuffers.dev/internals), at a position of the file."""

    file: memoryview
    at: int

    @classmethod
    def root(cls, file: memoryview, at: int) -> _Flat:
        """Table at the root of a flatbuffer that begins at a position."""
        return cls(file, at + _number(file, "<I", at))

    def field(self, field: int) -> int:
        """Position of a field, 0 where it has its default."""
        names = self.at - _number(self.file, "<i", self.at)
        is_given = 4 + 2 * field < _number(self.file, "<H", names)
        offset = _number(self.file, "<H", names + 4 + 2 * field) if is_given else 0
        return self.at + offset if offset else 0

    def number(self, field: int, form: str) -> int:
        """Number in a field."""
        at = self.field(field)
        return _number(self.file, form, at) if at else 0

    def table(self, field: int) -> _Flat:
        """Table that a field points to."""
        return self.root(self.file, self.field(field))

    def structs(self, field: int, form: str) -> Iterator[tuple[int, ...]]:
        """Structs of the vector that a field points to."""
        at = self.field(field)
        start = at + _number(self.file, "<I", at) if at else 0
        for position in range(_number(self.file, "<I", start) if at else 0):
            yield struct.unpack_from(form, self.file, start + 4 + position * struct.calcsize(form))


def _number(file: memoryview, form: str, at: int) -> int:
    return int(struct.unpack_from(form, file, at)[0])


def promised_sizes(file: memoryview) -> PromisedSizes:
    """Add up what an Arrow file promises.

    Parameters
    ----------
    file
        All bytes of the file.

    Returns
    -------
    PromisedSizes
        As promised; Arrow itself checks that it holds.

    Raises
    ------
    ValueError, struct.error
        The metadata are damaged.
    """
    end = len(file) - 4 - len(MAGIC)
    footer = _Flat.root(file, end - _number(file, "<i", end))
    blocks = [
        block for kind in (_FOOTER_DICTIONARIES, _FOOTER_BATCHES) for block in footer.structs(kind, "<qi4xq")
    ]
    # batches that shared their metadata would take a time far beyond the size of the file
    if sum(abs(n_metadata) for _, n_metadata, _ in blocks) > len(file):
        msg = "metadata of batches overlap"
        raise ValueError(msg)
    batches = [_batch_sizes(file, offset, n_metadata) for offset, n_metadata, _ in blocks]
    return PromisedSizes(sum(one.n_rows for one in batches), sum(one.n_bytes for one in batches))


def _batch_sizes(file: memoryview, offset: int, n_metadata: int) -> PromisedSizes:
    """Rows and unpacked bytes of one batch; a dictionary has no rows of the table."""
    body = offset + n_metadata
    metadata = file[offset:body]
    message = _Flat.root(metadata, 8 if _number(metadata, "<I", 0) == _CONTINUATION else 4)
    batch, n_rows, n_bytes = message.table(_MESSAGE_HEADER), 0, 0
    if message.number(_MESSAGE_KIND, "<B") == _DICTIONARY_BATCH:
        batch = batch.table(_DICTIONARY_DATA)
    else:
        n_rows = batch.number(_BATCH_LENGTH, "<q")
    if n_rows < 0:
        msg = "a negative number of rows"
        raise ValueError(msg)
    if batch.field(_BATCH_COMPRESSION):
        # a packed buffer begins with its size once unpacked, -1 where it is stored as it is
        buffers = batch.structs(_BATCH_BUFFERS, "<qq")
        n_bytes = sum(max(_number(file, "<q", body + start), 0) for start, length in buffers if length > 0)
    return PromisedSizes(n_rows, n_bytes)
