"""Feather (Arrow IPC file): genes in rows, samples in columns; columns are read only when asked for."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa

from escape_score.read.files.limits import ReadLimits, check_shape
from escape_score.read.formats.parquet import N_PROBED_ROWS, ArrowFile, arrow_format
from escape_score.read.formats.reader import library_faults

MAGIC = b"ARROW1"

_DAMAGED = (pa.ArrowException, OSError, ValueError, KeyError, struct.error)
"""What Arrow and the look at its metadata raise on a damaged file."""

_faults = partial(library_faults, what="feather", kinds=_DAMAGED, by="Arrow: ")


def _read_columns(path: Path, names: Sequence[str], *, n_batches: int | None = None) -> pa.Table:
    """Read some columns, of all batches or the first few, their buffers checked."""
    with pa.memory_map(str(path)) as file:
        schema = pa.ipc.open_file(file).schema
        fields = [schema.get_field_index(name) for name in names]
        reader = pa.ipc.open_file(file, options=pa.ipc.IpcReadOptions(included_fields=fields))
        numbers = range(reader.num_record_batches)[:n_batches]
        table = pa.Table.from_batches([reader.get_batch(number) for number in numbers], reader.schema)
        table.validate(full=True)
        return table


def _open_file(path: Path, limits: ReadLimits) -> ArrowFile:
    with pa.memory_map(str(path)) as file:
        schema = pa.ipc.open_file(file).schema
        sizes = promised_sizes(memoryview(file.read_buffer()))
    check_shape(path, limits, n_genes=sizes.n_rows)
    limits.check_unpacked(path, sizes.n_bytes, of=path.stat().st_size)
    return ArrowFile(
        schema,
        sizes.n_rows,
        read=lambda names: _read_columns(path, names),
        read_head=lambda names: _read_columns(path, names, n_batches=1).slice(0, N_PROBED_ROWS),
    )


FEATHER = arrow_format("feather (Arrow IPC file)", MAGIC, _open_file, _faults)
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


class PromisedSizes(NamedTuple):
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
        if at := self.field(field):
            start = at + _number(self.file, "<I", at)
            for position in range(_number(self.file, "<I", start)):
                yield struct.unpack_from(form, self.file, start + 4 + position * struct.calcsize(form))


def _number(file: memoryview, form: str, at: int) -> int:
    return int(struct.unpack_from(form, file, at)[0])


def promised_sizes(file: memoryview) -> PromisedSizes:
    """Add up what an Arrow file, given with all its bytes, promises; Arrow itself checks that it holds.

    Raises ValueError, struct.error: the metadata are damaged.
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
