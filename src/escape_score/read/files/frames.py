"""Compressed files as a run of frames: read to the last one, each to its end mark and its checksum.

A new compression is one more entry of ``COMPRESSIONS``.
"""

from __future__ import annotations

import bz2
import io
import lzma
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

import zstandard

from escape_score.errors import FileUnreadableError
from escape_score.read.files.limits import ReadLimits

MAX_WINDOW_BYTES = 128 * 1024**2
"""Memory one frame may ask for; what ``zstd`` and ``xz`` accept too without being told."""

PADDING_BYTES = 16
"""Zeros at the end of a packed file from which they are padding: no checksum ends in so many."""

_MAGIC_BYTES = 8

_DAMAGED = (zlib.error, zstandard.ZstdError, lzma.LZMAError, OSError, EOFError)
"""What the decoders raise on damaged data."""


class FrameDecoder(Protocol):
    """Decoder of one frame, as the standard library has them."""

    @property
    def eof(self) -> bool:
        """Whether the end mark was reached."""

    @property
    def unused_data(self) -> bytes:
        """What was fed beyond the end mark."""

    def decompress(self, data: bytes, /) -> bytes:
        """Decode some more bytes."""


@dataclass(frozen=True)
class Compression:
    """One way files are packed.

    Parameters
    ----------
    name
        Name for messages.
    magics
        First bytes of a frame: one of these.
    feed_bytes
        Packed bytes decoded at once, few enough that the densest of them stay below some 100 MB.
    new_decoder
        Makes a decoder for the next frame.
    """

    name: str
    magics: tuple[bytes, ...]
    feed_bytes: int
    new_decoder: Callable[[], FrameDecoder]


def _new_gzip() -> FrameDecoder:
    return zlib.decompressobj(wbits=31)


def _new_zstd() -> FrameDecoder:
    return zstandard.ZstdDecompressor(max_window_size=MAX_WINDOW_BYTES).decompressobj()


def _new_xz() -> FrameDecoder:
    return lzma.LZMADecompressor(format=lzma.FORMAT_XZ, memlimit=2 * MAX_WINDOW_BYTES)


_ZSTD_MAGICS = (b"\x28\xb5\x2f\xfd", *(bytes([kind]) + b"\x2a\x4d\x18" for kind in range(0x50, 0x60)))
"""A frame, and the sixteen kinds of skippable frames (RFC 8878, section 3.1.2)."""

COMPRESSIONS: tuple[Compression, ...] = (
    Compression("gzip", (b"\x1f\x8b",), 16_384, _new_gzip),
    Compression("zstandard", _ZSTD_MAGICS, 2_048, _new_zstd),
    Compression("bzip2", (b"BZh",), 2_048, bz2.BZ2Decompressor),
    Compression("xz", (b"\xfd7zXZ\x00",), 4_096, _new_xz),
)


def compression_of(head: bytes) -> Compression | None:
    """Tell a compression by the first bytes of a file, None where it is not packed."""
    return next((one for one in COMPRESSIONS if head.startswith(one.magics)), None)


def ends_in_padding(path: Path) -> bool:
    """Tell whether a packed file is filled up with zeros, as tapes and block devices leave it."""
    with path.open("rb") as handle:
        handle.seek(max(path.stat().st_size - PADDING_BYTES, 0))
        tail = handle.read(PADDING_BYTES)
    return len(tail) == PADDING_BYTES and not any(tail)


class FramedStream(io.RawIOBase):
    """Decompressed bytes that stop with our own error where the file is damaged, cut short or a bomb."""

    def __init__(self, packed: BinaryIO, *, path: Path, compression: Compression, limits: ReadLimits) -> None:
        super().__init__()
        self._packed = packed
        self._path = path
        self._compression = compression
        self._limits = limits
        self._packed_bytes = path.stat().st_size
        self._decoder: FrameDecoder | None = compression.new_decoder()
        self._fed = b""
        self._ready = memoryview(b"")
        self._n_read = 0

    def readable(self) -> bool:
        """Say that this stream can be read."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Fill ``buffer`` with the next bytes, short of it only at the end."""
        n_filled = 0
        while n_filled < len(buffer):
            while not self._ready and self._decoder is not None:
                self._ready = memoryview(self._decode(self._decoder))
            if not self._ready:
                break
            piece = self._ready[: len(buffer) - n_filled]
            buffer[n_filled : n_filled + len(piece)] = piece
            self._ready = self._ready[len(piece) :]
            n_filled += len(piece)
        return n_filled

    def _decode(self, decoder: FrameDecoder) -> bytes:
        """Decode some bytes, and go on to the next frame where this one ends."""
        packed = self._fed or self._read_packed()
        self._fed = b""
        if not packed:
            msg = f"{self._path}: truncated {self._compression.name} (ends before its end mark); "
            raise FileUnreadableError(msg + "copy the file again")
        try:
            data = decoder.decompress(packed)
        except _DAMAGED as error:
            raise self._corrupt(error) from error
        self._n_read += len(data)
        self._limits.check_unpacked(self._path, self._n_read, of=self._packed_bytes)
        if decoder.eof:
            self._start_next(decoder.unused_data)
        return data

    def _read_packed(self) -> bytes:
        try:
            return self._packed.read(self._compression.feed_bytes)
        except OSError as error:
            raise self._corrupt(error) from error

    def _corrupt(self, error: Exception) -> FileUnreadableError:
        name, reason = self._compression.name, str(error)
        if "check" in reason:
            reason = f"CRC checksum failed: {reason}"
        return FileUnreadableError(f"{self._path}: corrupt {name} ({reason}); copy the file again")

    def _start_next(self, rest: bytes) -> None:
        """Begin the next frame, pass over padding, and refuse anything else after the end mark."""
        self._decoder = None
        rest, more = rest.lstrip(b"\0"), b"more"
        while len(rest) < _MAGIC_BYTES and more:
            more = self._read_packed()
            rest = (rest + more).lstrip(b"\0")
        if not rest:
            return
        if not rest.startswith(self._compression.magics):
            msg = (
                f"{self._path}: trailing bytes after the end of the {self._compression.name} data, "
                "which are none; "
            )
            raise FileUnreadableError(msg + "is a part missing? pack the table again")
        self._decoder, self._fed = self._compression.new_decoder(), rest

    def close(self) -> None:
        """Close the packed file too."""
        self._packed.close()
        super().close()
