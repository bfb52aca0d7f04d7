"""Bytes of a text file: decompressed to the last checksum, in UTF-8, and never more than allowed."""

from __future__ import annotations

import codecs
import io
from collections.abc import Iterator
from pathlib import Path

from escape_score.errors import FileUnreadableError
from escape_score.read.files.frames import FramedStream, compression_of
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
            self._ready = self._text.read(_BUFFER_BYTES).encode()
        data, self._ready = self._ready[: len(buffer)], self._ready[len(buffer) :]
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        """Close the inner stream too."""
        self._text.close()
        super().close()


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
    packed: io.BufferedReader = io.BufferedReader(path.open("rb", buffering=0), buffer_size=_BUFFER_BYTES)
    compression = compression_of(packed.peek(8)[:8])
    if compression is None:
        return packed
    framed = FramedStream(packed, path=path, compression=compression, limits=limits)
    return io.BufferedReader(framed, buffer_size=_BUFFER_BYTES)


def encoding_of(head: bytes) -> str:
    """Tell the encoding by the first bytes: byte order mark, UTF-8 where valid, else Windows-1252.

    Parameters
    ----------
    head
        First bytes of a text.

    Returns
    -------
    str
        Name of a Python codec that takes the byte order mark off.
    """
    marked = next((encoding for mark, encoding in _MARKS if head.startswith(mark)), None)
    if marked is not None:
        return marked
    unmarked = _unmarked_utf_16(head)
    if unmarked is not None:
        return unmarked
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8"


def is_wide(encoding: str) -> bool:
    """Tell encodings of two or four bytes a character, whose text holds zero bytes."""
    return encoding.startswith(("utf-16", "utf-32"))


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
    path
        Regular file.
    limits
        Sizes above which reading stops.
    encoding
        Encoding where it is known; told by the first bytes where None.

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
    return io.BufferedReader(_RecodedStream(stream, encoding), buffer_size=_BUFFER_BYTES)


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
