"""Compressed files as a run of frames: read to the last one, each to its end mark and its checksum.

A new compression is one more entry of ``COMPRESSIONS``.
"""

from __future__ import annotations

import bz2
import lzma
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

import zstandard

from escape_score.errors import FileUnreadableError
from escape_score.read.files.limits import ReadLimits

MAX_WINDOW_BYTES = 128 * 1024**2
"""Memory one frame may ask for; ``zstd`` and ``xz`` accept as much without an option."""

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


_ZSTD_MAGICS = (b"\x28\xb5\x2f\xfd", *(bytes([kind]) + b"\x2a\x4d\x18" for kind in range(0x50, 0x60)))
"""A frame, and the sixteen kinds of skippable frames (RFC 8878, section 3.1.2)."""

COMPRESSIONS: tuple[Compression, ...] = (
    Compression("gzip", (b"\x1f\x8b",), 16_384, lambda: zlib.decompressobj(wbits=31)),
    Compression(
        "zstandard",
        _ZSTD_MAGICS,
        2_048,
        lambda: zstandard.ZstdDecompressor(max_window_size=MAX_WINDOW_BYTES).decompressobj(),
    ),
    Compression("bzip2", (b"BZh",), 2_048, bz2.BZ2Decompressor),
    Compression(
        "xz",
        (b"\xfd7zXZ\x00",),
        4_096,
        lambda: lzma.LZMADecompressor(format=lzma.FORMAT_XZ, memlimit=2 * MAX_WINDOW_BYTES),
    ),
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


def unpacked(packed: BinaryIO, path: Path, compression: Compression, limits: ReadLimits) -> Iterator[bytes]:
    """Decode a file piece by piece, frame by frame.

    Some bytes, or none. Raises FileUnreadableError: the file is damaged, cut short, too large once
    unpacked, or goes on after its end mark.
    """
    n_packed, n_read = path.stat().st_size, 0
    decoder, data = compression.new_decoder(), _next_bytes(packed, path, compression)
    while data:
        try:
            piece = decoder.decompress(data)
        except _DAMAGED as error:
            raise _corrupt(path, compression, error) from error
        n_read += len(piece)
        limits.check_unpacked(path, n_read, of=n_packed)
        if decoder.eof:
            data = _next_frame(decoder.unused_data, packed, path, compression)
            decoder = compression.new_decoder()
        elif not (data := _next_bytes(packed, path, compression)):
            msg = f"truncated {compression.name} (ends before its end mark); copy the file again"
            raise FileUnreadableError.at(path, msg)
        yield piece


def _next_bytes(packed: BinaryIO, path: Path, compression: Compression) -> bytes:
    try:
        return packed.read(compression.feed_bytes)
    except OSError as error:
        raise _corrupt(path, compression, error) from error


def _corrupt(path: Path, compression: Compression, error: Exception) -> FileUnreadableError:
    checksum = "CRC checksum failed: " if "check" in str(error) else ""
    return FileUnreadableError.at(
        path, f"corrupt {compression.name} ({checksum}{error}); copy the file again"
    )


def _next_frame(rest: bytes, packed: BinaryIO, path: Path, compression: Compression) -> bytes:
    """First bytes of the next frame behind padding, none at the end of the file; refuse anything else."""
    rest, more = rest.lstrip(b"\0"), b"more"
    while len(rest) < _MAGIC_BYTES and more:
        more = _next_bytes(packed, path, compression)
        rest = (rest + more).lstrip(b"\0")
    if rest and not rest.startswith(compression.magics):
        msg = f"trailing bytes after the end of the {compression.name} data, which are none; "
        raise FileUnreadableError.at(path, msg + "is a part missing? pack the table again")
    return rest
