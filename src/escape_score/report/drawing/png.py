"""A picture of few colours as PNG, by the standard library alone."""

from __future__ import annotations

import base64
import struct
import zlib
from collections.abc import Iterable, Sequence

from markupsafe import Markup

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PALETTE_OF_8_BITS = (8, 3, 0, 0, 0)


def png_uri(lines: Sequence[bytes], palette: Sequence[str]) -> Markup:
    """Encode a picture as a ``data:`` address, so that a page needs no second file.

    Parameters
    ----------
    lines
        Rows of pixels from the top, all of one length ≥ 1; a byte is a place in the palette.
    palette
        Colours as ``#rrggbb``, at most 256.

    Returns
    -------
    markupsafe.Markup
        ``data:image/png;base64,…``; the same bytes for the same picture.

    Notes
    -----
    PNG (third edition), W3C recommendation: chunks IHDR, PLTE, IDAT and IEND, colour type 3, filter 0.
    """
    header = struct.pack(">II5B", len(lines[0]), len(lines), *_PALETTE_OF_8_BITS)
    colours = b"".join(bytes.fromhex(colour.removeprefix("#")) for colour in palette)
    pixels = zlib.compress(b"".join(b"\0" + line for line in lines), 9)
    chunks = ((b"IHDR", header), (b"PLTE", colours), (b"IDAT", pixels), (b"IEND", b""))
    png = _SIGNATURE + b"".join(_chunk(name, data) for name, data in chunks)
    return Markup("data:image/png;base64,{}").format(base64.b64encode(png).decode("ascii"))


def stretched(line: Iterable[int], times: int) -> list[bytes]:
    """Repeat one row of pixels downwards."""
    return [bytes(line)] * times


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
