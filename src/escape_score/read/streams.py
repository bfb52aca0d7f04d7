"""Bytes of a text file: decompressed to the last checksum, in UTF-8, and never more than allowed.

A new compression is one more entry of ``COMPRESSIONS``.
"""

from __future__ import annotations

import codecs
import gzip
import io
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from escape_score.errors import FileUnreadableError
from escape_score.read.limits import ReadLimits

HEAD_BYTES = 65_536
"""Bytes a format, an encoding or a compression is recognised by."""

_RECODED_BYTES = 1 << 20


class ByteSource(Protocol):
    """A stream that can be read and closed."""

    def read(self, size: int, /) -> bytes:
        """Read at most ``size`` bytes."""

    def close(self) -> None:
        """Close the stream."""


@dataclass(frozen=True)
class Compression:
    """One way text files are packed.

    Parameters
    ----------
    name
        Name for messages.
    magic
        First bytes of every such file.
    decompress
        Wraps the packed stream; must read all members and check their sums.
    """

    name: str
    magic: bytes
    decompress: Callable[[BinaryIO], ByteSource]


def _gunzip(packed: BinaryIO) -> ByteSource:
    return gzip.GzipFile(fileobj=packed, mode="rb")


COMPRESSIONS: tuple[Compression, ...] = (Compression("gzip", b"\x1f\x8b", _gunzip),)


class _GuardedStream(io.RawIOBase):
    """Decompressed bytes that stop with our own error where the file is damaged, cut short or a bomb."""

    def __init__(self, packed: BinaryIO, *, path: Path, compression: Compression, limits: ReadLimits) -> None:
        super().__init__()
        self._packed = packed
        self._inner = compression.decompress(packed)
        self._path = path
        self._compression = compression.name
        self._limits = limits
        self._packed_bytes = max(path.stat().st_size, 1)
        self._n_read = 0

    def readable(self) -> bool:
        """Say that this stream can be read."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Fill ``buffer`` with the next bytes."""
        try:
            data = self._inner.read(len(buffer))
        except EOFError as error:
            msg = (
                f"{self._path}: truncated {self._compression} (ends before its end mark); copy the file again"
            )
            raise FileUnreadableError(msg) from error
        except (zlib.error, OSError) as error:
            msg = f"{self._path}: corrupt {self._compression} ({error}); copy the file again"
            raise FileUnreadableError(msg) from error
        self._count(len(data))
        buffer[: len(data)] = data
        return len(data)

    def _count(self, n_bytes: int) -> None:
        """Refuse a file that grows out of proportion."""
        self._n_read += n_bytes
        limits = self._limits
        too_dense = (
            self._n_read > limits.ratio_floor_bytes
            and self._n_read > limits.max_expansion_ratio * self._packed_bytes
        )
        if self._n_read > limits.max_expanded_bytes or too_dense:
            msg = (
                f"{self._path}: too large once decompressed ({self._n_read} bytes of {self._packed_bytes} "
                f"packed); "
                f"at most {limits.max_expanded_bytes} bytes and {limits.max_expansion_ratio}-fold are read"
            )
            raise FileUnreadableError(msg)

    def close(self) -> None:
        """Close the packed file too."""
        self._inner.close()
        self._packed.close()
        super().close()


class _RecodedStream(io.RawIOBase):
    """Text of any encoding and line end, handed out as UTF-8 with line feeds."""

    def __init__(self, inner: io.BufferedReader, encoding: str) -> None:
        super().__init__()
        self._text = io.TextIOWrapper(inner, encoding=encoding, errors="replace", newline=None)
        self._ready = b""

    def readable(self) -> bool:
        """Say that this stream can be read."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Fill ``buffer`` with the next bytes."""
        if not self._ready:
            self._ready = self._text.read(_RECODED_BYTES).encode()
        data, self._ready = self._ready[: len(buffer)], self._ready[len(buffer) :]
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        """Close the inner stream too."""
        self._text.close()
        super().close()


def compression_of(head: bytes) -> Compression | None:
    """Tell a compression by the first bytes of a file, None where it is not packed."""
    return next((one for one in COMPRESSIONS if head.startswith(one.magic)), None)


def open_bytes(path: Path, limits: ReadLimits) -> io.BufferedReader:
    """Open a file decompressed.

    Parameters
    ----------
    path
        Regular file.
    limits
        Sizes above which reading stops.

    Returns
    -------
    io.BufferedReader
        Decompressed bytes; the caller closes it.

    Raises
    ------
    FileUnreadableError
        While reading, where the packed data are damaged, cut short or out of proportion.
    """
    packed = path.open("rb")
    compression = compression_of(packed.peek(8)[:8])
    if compression is None:
        return packed
    guarded = _GuardedStream(packed, path=path, compression=compression, limits=limits)
    return io.BufferedReader(guarded, buffer_size=1 << 20)


def encoding_of(head: bytes) -> str:
    """Tell the encoding by the first bytes: byte order mark, else UTF-8 where valid, else Windows-1252."""
    if head.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8"


def open_text(path: Path, limits: ReadLimits) -> io.BufferedReader:
    """Open a text file decompressed, as UTF-8 without byte order mark.

    Parameters
    ----------
    path
        Regular file.
    limits
        Sizes above which reading stops.

    Returns
    -------
    io.BufferedReader
        UTF-8 bytes with lines that end in a line feed, or in carriage return and line feed.
    """
    stream = open_bytes(path, limits)
    head = stream.peek(HEAD_BYTES)
    encoding = encoding_of(head)
    if encoding == "utf-8-sig":
        stream.read(len(codecs.BOM_UTF8))
    has_old_mac_ends = b"\r" in head and b"\n" not in head
    if encoding.startswith("utf-8") and not has_old_mac_ends:
        return stream
    return io.BufferedReader(_RecodedStream(stream, encoding))


def iter_lines(stream: io.BufferedReader, *, path: Path, limits: ReadLimits) -> Iterator[str]:
    """Hand out lines without their ends.

    Parameters
    ----------
    stream
        As opened by :func:`open_text`.
    path
        Named in errors.
    limits
        ``max_line_bytes`` is the longest line read.

    Yields
    ------
    str
        One line; bytes that are not UTF-8 are shown as U+FFFD.

    Raises
    ------
    FileUnreadableError
        A line is longer than allowed.
    """
    while line := stream.readline(limits.max_line_bytes + 1):
        if len(line) > limits.max_line_bytes:
            msg = (
                f"{path}: a line is longer than {limits.max_line_bytes} bytes; is this a table with one "
                "gene a line?"
            )
            raise FileUnreadableError(msg)
        yield line.decode("utf-8", errors="replace").rstrip("\r\n")
