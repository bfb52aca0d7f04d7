"""Sizes that an Arrow file promises, read off its metadata before anything is unpacked.

The layout is that of the Arrow columnar format, IPC file format (https://arrow.apache.org/docs/format/Columnar.html),
whose metadata are flatbuffers (https://flatbuffers.dev/internals).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

MAGIC = b"ARROW1"

MAX_METADATA_BYTES = 256 * 1024**2
"""Footer or message beyond which a file is damaged."""

_BLOCK_BYTES, _BUFFER_BYTES = 24, 16
_CONTINUATION = 0xFFFFFFFF
_FOOTER_DICTIONARIES, _FOOTER_BATCHES = 2, 3
_MESSAGE_KIND, _MESSAGE_HEADER = 1, 2
_DICTIONARY_BATCH, _RECORD_BATCH = 2, 3
_BATCH_LENGTH, _BATCH_BUFFERS, _BATCH_COMPRESSION = 0, 2, 3


@dataclass(frozen=True)
class ArrowSizes:
    """Rows of all record batches, and bytes of all buffers once unpacked."""

    n_rows: int
    n_bytes: int


class _Flat:
    """One table of a flatbuffer."""

    def __init__(self, data: bytes, at: int) -> None:
        self._data = data
        self._at = at
        self._vtable = at - self.number("<i", at)

    @classmethod
    def root(cls, data: bytes) -> _Flat:
        """Table at the root."""
        return cls(data, struct.unpack_from("<I", data)[0])

    def number(self, form: str, at: int) -> int:
        """A number at a position."""
        return int(struct.unpack_from(form, self._data, at)[0])

    def field(self, number: int) -> int | None:
        """Position of a field, None where it has its default."""
        slot = 4 + 2 * number
        if slot >= self.number("<H", self._vtable):
            return None
        offset = self.number("<H", self._vtable + slot)
        return self._at + offset if offset else None

    def value(self, number: int, form: str) -> int:
        """Number in a field, 0 where it has its default."""
        at = self.field(number)
        return 0 if at is None else self.number(form, at)

    def table(self, number: int) -> _Flat | None:
        """Table a field points to."""
        at = self.field(number)
        return None if at is None else _Flat(self._data, at + self.number("<I", at))

    def structs(self, number: int, form: str, n_bytes: int) -> Iterator[tuple[int, ...]]:
        """Structs of the vector a field points to."""
        at = self.field(number)
        if at is None:
            return
        start = at + self.number("<I", at)
        for position in range(self.number("<I", start)):
            yield struct.unpack_from(form, self._data, start + 4 + position * n_bytes)


def arrow_sizes(file: BinaryIO, n_file_bytes: int) -> ArrowSizes:
    """Add up what an Arrow file promises.

    Parameters
    ----------
    file
        The file, open to be read.
    n_file_bytes
        Its size.

    Returns
    -------
    ArrowSizes
        As promised; Arrow itself checks that it holds.

    Raises
    ------
    ValueError, struct.error
        The metadata are damaged.
    """
    footer = _Flat.root(_footer(file, n_file_bytes))
    sizes = [
        _batch_sizes(file, block, n_file_bytes)
        for kind in (_FOOTER_DICTIONARIES, _FOOTER_BATCHES)
        for block in footer.structs(kind, "<qi4xq", _BLOCK_BYTES)
    ]
    return ArrowSizes(sum(size.n_rows for size in sizes), sum(size.n_bytes for size in sizes))


def _footer(file: BinaryIO, n_file_bytes: int) -> bytes:
    n_tail = 4 + len(MAGIC)
    tail = _read_at(file, n_file_bytes - n_tail, n_tail)
    if not tail.endswith(MAGIC):
        msg = "the end mark is missing"
        raise ValueError(msg)
    n_bytes = struct.unpack_from("<I", tail)[0]
    return _read_at(file, n_file_bytes - n_tail - n_bytes, n_bytes)


def _read_at(file: BinaryIO, at: int, n_bytes: int) -> bytes:
    if at < 0 or not 0 <= n_bytes <= MAX_METADATA_BYTES:
        msg = "sizes in the metadata do not fit the file"
        raise ValueError(msg)
    file.seek(at)
    data = file.read(n_bytes)
    if len(data) != n_bytes:
        msg = "the file ends too early"
        raise ValueError(msg)
    return data


def _batch_sizes(file: BinaryIO, block: tuple[int, ...], n_file_bytes: int) -> ArrowSizes:
    """Rows and unpacked bytes of one batch; a dictionary has no rows of the table."""
    offset, n_metadata, _ = block
    data = _read_at(file, offset, n_metadata)
    skipped = 8 if struct.unpack_from("<I", data)[0] == _CONTINUATION else 4
    message = _Flat.root(data[skipped:])
    kind = message.value(_MESSAGE_KIND, "<B")
    batch = message.table(_MESSAGE_HEADER)
    if batch is not None and kind == _DICTIONARY_BATCH:
        batch = batch.table(1)
    if batch is None or kind not in (_DICTIONARY_BATCH, _RECORD_BATCH):
        msg = "a message of another kind than data"
        raise ValueError(msg)
    n_bytes = sum(
        _unpacked(file, offset + n_metadata + start, length, n_file_bytes)
        if batch.field(_BATCH_COMPRESSION) is not None
        else length
        for start, length in batch.structs(_BATCH_BUFFERS, "<qq", _BUFFER_BYTES)
    )
    n_rows = batch.value(_BATCH_LENGTH, "<q") if kind == _RECORD_BATCH else 0
    if n_rows < 0 or n_bytes < 0:
        msg = "a negative size"
        raise ValueError(msg)
    return ArrowSizes(n_rows, n_bytes)


def _unpacked(file: BinaryIO, at: int, length: int, n_file_bytes: int) -> int:
    """Size of one packed buffer once unpacked: it stands in its first 8 bytes, -1 where it is not packed."""
    if length <= 0:
        return 0
    if at + length > n_file_bytes:
        msg = "a buffer lies beyond the end of the file"
        raise ValueError(msg)
    size = int(struct.unpack("<q", _read_at(file, at, 8))[0])
    return length if size < 0 else size
