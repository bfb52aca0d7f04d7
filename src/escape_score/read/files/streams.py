"""Bytes of a text file: decompressed to the last checksum, in UTF-8, and never more than allowed."""

from __future__ import annotations

import codecs
import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import csv as pa_csv

from escape_score.errors import FileUnreadableError
from escape_score.read.files.frames import compression_of, unpacked
from escape_score.read.files.limits import ReadLimits

HEAD_BYTES = 65_536
"""Bytes a format, an encoding or a compression is recognised by."""

_BUFFER_BYTES = 1 << 20
"""Bytes read at once; the header of a wide table fits, so that its line ends are seen."""

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
"""Byte order marks; that of UTF-32 begins like that of UTF-16 and is asked first."""

_MIN_WIDE_CHARACTERS, _WIDE_ZEROS = 8, 0.9
"""Tables are plain ASCII but for a few names, so that UTF-16 has zeros in nearly every other byte."""


class _PiecewiseStream(io.RawIOBase):
    """Bytes that come in pieces, some of them empty; what they are made from is closed with them."""

    def __init__(self, pieces: Iterator[bytes], inner: io.IOBase) -> None:
        super().__init__()
        self._pieces = filter(None, pieces)
        self._inner = inner
        self._ready = memoryview(b"")

    def readable(self) -> bool:
        """Say that this stream can be read."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Fill ``buffer`` with the next bytes, short of it only at the end."""
        n_filled = 0
        while n_filled < len(buffer):
            self._ready = self._ready or memoryview(next(self._pieces, b""))
            if not self._ready:
                break
            piece, self._ready = self._ready[: len(buffer) - n_filled], self._ready[len(buffer) - n_filled :]
            buffer[n_filled : n_filled + len(piece)] = piece
            n_filled += len(piece)
        return n_filled

    def close(self) -> None:
        """Close the inner stream too."""
        self._inner.close()
        super().close()


def open_bytes(path: Path, limits: ReadLimits) -> io.BufferedReader:
    """Open a regular file decompressed; the caller closes it.

    Raises FileUnreadableError: while reading, where the packed data are damaged, cut short or out of
    proportion.
    """
    packed: io.BufferedReader = io.BufferedReader(path.open("rb", buffering=0), buffer_size=_BUFFER_BYTES)
    compression = compression_of(packed.peek(8)[:8])
    if compression is None:
        return packed
    pieces = unpacked(packed, path, compression, limits)
    return io.BufferedReader(_PiecewiseStream(pieces, packed), buffer_size=_BUFFER_BYTES)


def encoding_of(head: bytes) -> str:
    """Tell the encoding by the first bytes: byte order mark, UTF-8 where valid, else Windows-1252.

    Name of a Python codec that takes the byte order mark off.
    """
    known = next((encoding for mark, encoding in _MARKS if head.startswith(mark)), _unmarked_utf_16(head))
    if known is not None:
        return known
    try:
        # only a head that is the whole file may not end within a character
        codecs.getincrementaldecoder("utf-8")().decode(head, len(head) < HEAD_BYTES)
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8"


def _unmarked_utf_16(head: bytes) -> str | None:
    """Recognise UTF-16 without its mark by zeros in every other byte."""
    n_pairs = len(head) // 2
    if n_pairs < _MIN_WIDE_CHARACTERS:
        return None
    zeros = (head[0 : 2 * n_pairs : 2].count(0) / n_pairs, head[1 : 2 * n_pairs : 2].count(0) / n_pairs)
    if max(zeros) < _WIDE_ZEROS or min(zeros) > 1 - _WIDE_ZEROS:
        return None
    return "utf-16-be" if zeros[0] > zeros[1] else "utf-16-le"


def open_text(path: Path, limits: ReadLimits, *, encoding: str | None = None) -> io.BufferedReader:
    """Open a text file decompressed, as UTF-8 without byte order mark.

    Parameters
    ----------
    path, limits
        As for :func:`open_bytes`.
    encoding
        Encoding where it is known; None to recognise it by the first bytes.

    Returns
    -------
    io.BufferedReader
        UTF-8 bytes with lines that end in a line feed, or in carriage return and line feed.
    """
    stream = open_bytes(path, limits)
    head = stream.peek(HEAD_BYTES)
    encoding = encoding or encoding_of(head)
    if encoding == "utf-8-sig":
        stream.read(len(codecs.BOM_UTF8))
    has_old_mac_ends = b"\r" in head and b"\n" not in head
    if encoding.startswith("utf-8") and not has_old_mac_ends:
        return stream
    text = io.TextIOWrapper(stream, encoding=encoding, errors="replace", newline=None)
    pieces = (piece.encode() for piece in iter(lambda: text.read(_BUFFER_BYTES), ""))
    return io.BufferedReader(_PiecewiseStream(pieces, text), buffer_size=_BUFFER_BYTES)


class _Gate(io.RawIOBase):
    """A stream that can be ended from outside."""

    def __init__(self, stream: io.BufferedReader) -> None:
        super().__init__()
        self._stream, self._lock, self._is_shut = stream, threading.Lock(), False

    def readable(self) -> bool:
        """Say that this stream can be read."""
        return True

    def read(self, size: int = -1, /) -> bytes:
        """Next bytes; none once it is shut."""
        with self._lock:
            return b"" if self._is_shut else self._stream.read(size)

    def shut(self) -> None:
        """Wait for the bytes being read, and give no more."""
        with self._lock:
            self._is_shut = True


@contextmanager
def csv_batches(stream: io.BufferedReader, **options: Any) -> Iterator[Iterator[pa.RecordBatch]]:  # noqa: ANN401
    """Parse text in batches; ``options`` as for ``pyarrow.csv.open_csv``.

    The parser reads ahead in threads of its own. One that is left while it reads aborts the program when that
    ends, so its input ends first, and what was read ahead is taken from it.
    """
    gate, reader = _Gate(stream), iter(())
    try:
        reader = pa_csv.open_csv(gate, **options)
        yield reader
    finally:
        gate.shut()
        with suppress(pa.ArrowException, OSError):
            for _ in reader:
                pass


def iter_lines(stream: io.BufferedReader, *, path: Path, limits: ReadLimits) -> Iterator[str]:
    """Hand out lines without their ends; bytes that are not UTF-8 are shown as U+FFFD.

    Raises FileUnreadableError: a line is longer than allowed.
    """
    while line := stream.readline(limits.max_line_bytes + 1):
        if len(line) > limits.max_line_bytes:
            msg = f"a line is longer than {limits.max_line_bytes} bytes; "
            raise FileUnreadableError.at(path, msg + "is this a table with one gene a line?")
        yield line.decode("utf-8", errors="replace").rstrip("\r\n")
